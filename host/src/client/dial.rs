//! Dialling, and dialling again.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::ClientOptions;
use crate::failure::{ErrorName, Failure};
use crate::link::{StreamLink, TcpOptions, Url, Waker};

/// How often an interruption is noticed while nothing else happens.
const TICK: Duration = Duration::from_millis(50);

/// Dials, in a thread of its own, so that it can be interrupted.
pub(super) fn dial(options: &ClientOptions, waker: &Waker) -> Result<StreamLink, Failure> {
    let (sender, dialled) = channel();
    let url = options.url.clone();
    let within = options.tcp.connect_within.min(options.timeout.into());
    let tcp = TcpOptions { connect_within: within, ..options.tcp };
    let thread = thread::Builder::new().name("dial".into()).spawn(move || {
        let _ = sender.send(open(&url, &tcp));
    });
    thread.map_err(|error| cannot(&options.url, &error))?;
    let link = loop {
        match dialled.recv_timeout(TICK) {
            Ok(result) => break result?,
            Err(RecvTimeoutError::Timeout) => options.stop.check()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(cannot(&options.url, &io::ErrorKind::Other.into()));
            }
        }
    };
    let link = link.with_waker(waker);
    Ok(match options.rate {
        Some(rate) => link.limit_rate(rate),
        None => link,
    })
}

fn open(url: &Url, tcp: &TcpOptions) -> Result<StreamLink, Failure> {
    match url {
        #[cfg(unix)]
        Url::Node { control, node } => crate::ctl::reach(control, node, tcp.connect_within),
        _ => StreamLink::dial(url, tcp).map_err(|error| cannot(url, &error)),
    }
}

fn cannot(url: &Url, error: &io::Error) -> Failure {
    let failure = Failure::new(ErrorName::Connect, format!("cannot connect to {url}: {error}"));
    match (url, error.kind()) {
        (Url::Udp { .. }, io::ErrorKind::ConnectionRefused) => {
            let what = format!("cannot connect to {url}: nobody listens there ({error})");
            Failure::new(ErrorName::Connect, what)
                .with_advice("is a server running there? start one with: sampan serve --listen udp://HOST")
        }
        (Url::Udp { .. }, io::ErrorKind::TimedOut) => {
            Failure::new(ErrorName::Timeout, format!("nobody answers at {url}")).with_advice(
                "check the address, and whether firewalls on the way let UDP through; a server that is full does not answer",
            )
        }
        (Url::Tcp { .. }, io::ErrorKind::ConnectionRefused) => {
            failure.with_advice("is a server running there? start one with: sampan serve")
        }
        (Url::Unix(_), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            failure.with_advice("is a server listening at this path?")
        }
        (Url::Tcp { .. }, io::ErrorKind::TimedOut) => {
            failure.with_advice("check the address, and firewalls on the way")
        }
        _ => failure,
    }
}

/// How often a lost link is dialled again.
#[derive(Debug)]
pub(super) struct Redial {
    most: u32,
    tried: u32,
    /// How far everything had come when it was last dialled.
    reached: u64,
}

impl Redial {
    pub(super) const fn new(most: u32) -> Self {
        Self { most, tried: 0, reached: 0 }
    }

    /// Waits before the next try; whether there is one. `reached` grows as things come further, and the count begins anew when it has.
    pub(super) fn again(&mut self, reached: u64, options: &ClientOptions) -> Result<bool, Failure> {
        if reached > self.reached {
            self.reached = reached;
            self.tried = 0;
        }
        if self.tried >= self.most {
            return Ok(false);
        }
        let until = Instant::now() + pause(self.tried);
        self.tried += 1;
        tracing::info!(
            "the link to {} was lost; dialling again, try {} of {}",
            options.url,
            self.tried,
            self.most
        );
        while Instant::now() < until {
            options.stop.check()?;
            thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
        }
        options.stop.check()?;
        Ok(true)
    }
}

/// Before the first, the second, … try.
fn pause(tried: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(5);
    Duration::from_millis(100).saturating_mul(3_u32.saturating_pow(tried)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let pauses: Vec<_> = (0..6).map(|tried| pause(tried).as_millis()).collect();
        assert_eq!(pauses, [100, 300, 900, 2700, 5000, 5000]);
        assert_eq!(pause(u32::MAX).as_secs(), 5);
    }

    #[test]
    fn coming_further_begins_the_count_anew() {
        let options = ClientOptions::new(Url::default());
        let mut redial = Redial::new(1);
        assert!(redial.again(0, &options).unwrap());
        assert!(!redial.again(0, &options).unwrap());
        assert!(redial.again(1, &options).unwrap());
        assert!(!redial.again(1, &options).unwrap());
    }

    #[test]
    fn an_interruption_ends_the_pause() {
        let options = ClientOptions::new(Url::default());
        options.stop.ask();
        let error = Redial::new(9).again(0, &options).unwrap_err();
        assert_eq!(error.error, ErrorName::Interrupted);
    }
}
