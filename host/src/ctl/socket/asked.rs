//! Doing what was asked.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::line::Asker;
use crate::ctl::{Answer, Disconnected, FileToPush, Request};
use crate::failure::{ErrorName, Failure};
use crate::link::StreamLink;
use crate::server::{Everyone, PushEvent, PushOptions, To, ToPush, Total};
use crate::stop::Stop;

/// How often it is noticed that whoever asked has gone, or that the server stops.
const TICK: Duration = Duration::from_millis(50);
/// The longest time that counts.
const LONGEST: Duration = Duration::from_secs(1 << 32);
/// The longest notice, in bytes.
const LONGEST_NOTICE: usize = 1024;

/// Answers one request.
pub(super) fn answer(stream: UnixStream, everyone: &Everyone, stop: &Stop) {
    let Ok(mut asker) = Asker::new(stream) else { return };
    if let Err(error) = converse(&mut asker, everyone, stop) {
        // Whoever asked may be gone already.
        let _ = match error {
            Trouble::Failure(failure) => asker.answer(&failed(&failure)),
            Trouble::Gone(error) => {
                tracing::debug!("a control connection has ended: {error}");
                Ok(())
            }
            Trouble::Reached(node) => match everyone.reach(&node) {
                None => asker.answer(&failed(&absent(&node))),
                Some(reach) => asker.answer(&Answer::Reached { node: node.clone() }).map(|()| {
                    if let Ok(link) = StreamLink::unix(asker.into_stream())
                        && let Err(failure) = reach.serve(link, stop)
                    {
                        tracing::debug!("a session with {node} has ended: {failure}");
                    }
                }),
            },
        };
    }
}

/// Why a conversation ends early.
enum Trouble {
    /// It cannot be done.
    Failure(Failure),
    /// Whoever asked has gone.
    Gone(io::Error),
    /// The rest of it is a session with this node.
    Reached(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn failed(failure: &Failure) -> Answer {
    Answer::Failed { error: failure.error, message: failure.to_string() }
}

fn absent(node: &str) -> Failure {
    Failure::new(ErrorName::NotFound, format!("no node {node:?} is attached"))
        .with_advice("see who is connected with: sampan ctl status")
}

fn converse(asker: &mut Asker, everyone: &Everyone, stop: &Stop) -> Result<(), Trouble> {
    check_user(asker)?;
    let line = asker.request()?;
    let request: Request = serde_json::from_slice(&line)
        .map_err(|error| Failure::new(ErrorName::Usage, format!("this is no request: {error}")))?;
    match request {
        Request::Status { every } => status(asker, everyone, stop, every),
        Request::Notify { text, to, within } => notify(asker, everyone, &text, &to, seconds(within)?),
        Request::Push { files, to, parallel, within } => {
            let options = PushOptions { parallel: parallel.max(1) as usize, within: seconds(within)? };
            push(asker, everyone, stop, &files, &To::parse(&to)?, options)
        }
        Request::Reach { node } => Err(Trouble::Reached(node)),
        Request::Disconnect { who } => disconnect(asker, everyone, &To::parse(&who)?),
        Request::Drain => drain(asker, everyone, stop),
    }
}

fn seconds(seconds: f64) -> Result<Duration, Failure> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time.min(LONGEST)),
        _ if seconds.is_finite() && seconds > 0.0 => Ok(LONGEST),
        _ => Err(Failure::new(ErrorName::Usage, format!("{seconds} s is no time to wait"))),
    }
}

fn status(asker: &mut Asker, everyone: &Everyone, stop: &Stop, every: Option<f64>) -> Result<(), Trouble> {
    let every = every.map(seconds).transpose()?;
    loop {
        let (connections, status) = everyone.status();
        for connection in connections {
            asker.answer(&Answer::Connection(connection))?;
        }
        asker.answer(&Answer::Status(status))?;
        let Some(every) = every else { return Ok(()) };
        let until = Instant::now() + every;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            if stop.is_asked() || asker.is_gone_within(left.min(TICK)) {
                return Ok(());
            }
        }
    }
}

fn notify(
    asker: &mut Asker,
    everyone: &Everyone,
    text: &str,
    to: &[String],
    within: Duration,
) -> Result<(), Trouble> {
    if text.is_empty() || text.len() > LONGEST_NOTICE {
        let what = format!("a notice has 1 to {LONGEST_NOTICE} bytes, this one {}", text.len());
        return Err(Failure::new(ErrorName::Usage, what).into());
    }
    let began = Instant::now();
    let told = everyone.broadcast(text, &To::parse(to)?, within);
    let mut total = Total { asked: told.asked() as u64, ..Total::default() };
    if total.asked == 0 {
        return Err(Failure::new(ErrorName::NotFound, "nobody is connected").into());
    }
    for notified in told {
        match notified.result.is_good() {
            true => total.succeeded += 1,
            false => total.failed += 1,
        }
        asker.answer(&Answer::Notified(notified))?;
    }
    total.seconds = began.elapsed().as_secs_f64();
    Ok(asker.answer(&Answer::Summary(total))?)
}

fn push(
    asker: &mut Asker,
    everyone: &Everyone,
    stop: &Stop,
    files: &[FileToPush],
    to: &To,
    options: PushOptions,
) -> Result<(), Trouble> {
    let files: Vec<_> = files.iter().map(|file| ToPush { path: &file.path, name: &file.name }).collect();
    if let Some(file) = files.iter().find(|file| !file.path.is_absolute()) {
        let what = format!("{} is not an absolute path", file.path.display());
        return Err(Failure::new(ErrorName::Usage, what).into());
    }
    let mut push = everyone.push(&files, to, options)?;
    loop {
        let answer = match push.next_within(TICK) {
            Some(PushEvent::Waiting { node }) => Answer::Waiting { node },
            Some(PushEvent::Progress { node, name, bytes, size }) => {
                Answer::Progress { node, name, bytes, size }
            }
            Some(PushEvent::Pushed(pushed)) => Answer::Pushed(pushed),
            Some(PushEvent::Result(result)) => Answer::Result(result),
            Some(PushEvent::Summary(total)) => return Ok(asker.answer(&Answer::Summary(total))?),
            None => {
                if asker.is_gone_within(Duration::ZERO) {
                    return Ok(());
                }
                if stop.is_asked() {
                    push.cancel();
                }
                continue;
            }
        };
        asker.answer(&answer)?;
    }
}

fn disconnect(asker: &mut Asker, everyone: &Everyone, who: &To) -> Result<(), Trouble> {
    let (ended, absent) = everyone.disconnect(who);
    if ended.is_empty() {
        return Err(Failure::new(ErrorName::NotFound, "nobody of that name or number is connected").into());
    }
    let total = Total {
        asked: (ended.len() + absent) as u64,
        succeeded: ended.len() as u64,
        failed: absent as u64,
        ..Total::default()
    };
    for connection in ended {
        let (id, node, peer) = (connection.id, connection.node, connection.peer);
        asker.answer(&Answer::Disconnected(Disconnected { id, node, peer }))?;
    }
    Ok(asker.answer(&Answer::Summary(total))?)
}

fn drain(asker: &mut Asker, everyone: &Everyone, stop: &Stop) -> Result<(), Trouble> {
    everyone.drain();
    let mut told = None;
    loop {
        let (connections, transfers) = everyone.left();
        if connections == 0 || stop.is_asked() {
            return Ok(asker.answer(&Answer::Drained)?);
        }
        if told != Some((connections, transfers)) {
            told = Some((connections, transfers));
            asker.answer(&Answer::Draining { connections, transfers })?;
        }
        if asker.is_gone_within(TICK) {
            return Ok(());
        }
    }
}

/// Nobody but the user who runs the server, and root.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn check_user(asker: &Asker) -> Result<(), Trouble> {
    let peer = rustix::net::sockopt::socket_peercred(asker.stream()).map_err(io::Error::from)?;
    if peer.uid.is_root() || peer.uid == rustix::process::geteuid() {
        return Ok(());
    }
    Err(Failure::new(ErrorName::NotAllowed, "only the user who runs the server may speak to it here").into())
}

/// Nobody but the user who runs the server: the mode of the socket says so.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn check_user(_: &Asker) -> Result<(), Trouble> {
    Ok(())
}
