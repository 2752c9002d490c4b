//! The end of the control socket that asks.

mod choose;

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use serde::Deserialize;

use super::{Answer, Request, VERSION};
use crate::failure::{ErrorName, Failure};
use crate::link::{StreamLink, TcpOptions, Waker, dial_unix, wait_for};
use crate::stop::{Registration, Stop};

pub use choose::choose;

/// The longest request that a server takes.
const LONGEST_REQUEST: usize = 64 << 10;
/// The longest answer that is taken.
const LONGEST_ANSWER: usize = 1 << 20;
/// What is read at once.
const READ: usize = 16 << 10;
/// How long a server may take to say something that takes no time.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often an interruption is noticed while the server takes nobody.
const TICK: Duration = Duration::from_millis(50);

/// A request to a server, and what it answers. Dropped, it closes the connection, which ends what was asked for.
#[derive(Debug)]
pub struct Conversation {
    stream: UnixStream,
    buffer: Vec<u8>,
    /// So much of it has no end of a line.
    searched: usize,
    step: usize,
    ending: Ending,
    patience: Option<Duration>,
    heard_at: Instant,
    waker: Waker,
    stop: Stop,
    _registration: Registration,
}

/// What a server has said, or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// This.
    Answer(Answer),
    /// Nothing yet.
    Nothing,
    /// Everything.
    End,
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// After this answer.
    After(Last),
    /// When the server closes it.
    AtAnyTime,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Status,
    Summary,
    Reached,
    Drained,
}

#[derive(Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    answer: T,
}

impl Conversation {
    /// Asks the server whose control socket is at `path`.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Connect`] if no server is there, or it is another user's; [`ErrorName::Usage`] for a request that is too long.
    pub fn begin(path: &Path, request: &Request, stop: &Stop) -> Result<Self, Failure> {
        Self::within(path, request, stop, PATIENCE)
    }

    /// The server has so long to take it, and to say something beyond what it waits for itself.
    fn within(path: &Path, request: &Request, stop: &Stop, patience: Duration) -> Result<Self, Failure> {
        let line = line(request)?;
        let stream = dial(path, stop, patience)?;
        let nothing = |error: io::Error| {
            Failure::new(ErrorName::Other, format!("the system has nothing to give: {error}"))
        };
        let waker = Waker::new().map_err(nothing)?;
        let mut conversation = Self {
            stream,
            buffer: Vec::new(),
            searched: 0,
            step: if matches!(request, Request::Reach { .. }) { 1 } else { READ },
            ending: Ending::of(request),
            patience: silence_of(request).map(|silence| silence.saturating_add(patience)),
            heard_at: Instant::now(),
            _registration: stop.register(waker.clone()),
            waker,
            stop: stop.clone(),
        };
        conversation.ask(&line)?;
        Ok(conversation)
    }

    /// The next answer, as soon as there is one; none after the last.
    ///
    /// # Errors
    ///
    /// What the server says; [`ErrorName::LinkLost`] if it closes the connection too early, [`ErrorName::Timeout`] if it is silent for too
    /// long, [`ErrorName::Protocol`] if that is no answer, [`ErrorName::Interrupted`] if somebody has asked to stop.
    pub fn next_answer(&mut self) -> Result<Option<Answer>, Failure> {
        loop {
            match self.next_within(PATIENCE)? {
                Heard::Answer(answer) => return Ok(Some(answer)),
                Heard::End => return Ok(None),
                Heard::Nothing => {}
            }
        }
    }

    /// The next answer, if there is one within this time.
    ///
    /// # Errors
    ///
    /// As [`next_answer`](Self::next_answer).
    pub fn next_within(&mut self, timeout: Duration) -> Result<Heard, Failure> {
        let until = Instant::now() + timeout;
        loop {
            self.stop.check()?;
            if self.ending == Ending::Over {
                return Ok(Heard::End);
            }
            if let Some(line) = self.take_line()? {
                match parse(&line)? {
                    Answer::Unknown => continue,
                    Answer::Failed { error, message } => return Err(Failure::new(error, escaped(&message))),
                    answer => {
                        if self.ending.is_after(&answer) {
                            self.ending = Ending::Over;
                        }
                        return Ok(Heard::Answer(answer));
                    }
                }
            }
            if self.read()? == Came::Nothing {
                let now = Instant::now();
                let patient_until = self.patience.and_then(|patience| self.heard_at.checked_add(patience));
                if patient_until.is_some_and(|patient_until| patient_until <= now) {
                    return Err(Failure::new(ErrorName::Timeout, "the server does not answer"));
                }
                if until <= now {
                    return Ok(Heard::Nothing);
                }
                self.wait(PollFlags::IN, until.min(patient_until.unwrap_or(until)))?;
            }
        }
    }

    fn ask(&mut self, mut line: &[u8]) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        while !line.is_empty() {
            self.stop.check()?;
            match self.stream.write(line) {
                Ok(n) => line = line.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                    self.wait(PollFlags::OUT, until)?;
                }
                // What it had to say may still be read.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return Err(lost(&error)),
            }
        }
        Ok(())
    }

    fn wait(&self, for_what: PollFlags, until: Instant) -> Result<(), Failure> {
        let left = until.saturating_duration_since(Instant::now());
        wait_for(&mut [PollFd::new(&self.stream, for_what), self.waker.poll()], Some(left))
            .map_err(|error| lost(&error))
    }

    fn take_line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let end = self.buffer.iter().skip(self.searched).position(|&byte| byte == b'\n');
        match end.map(|end| end + self.searched) {
            Some(end) => {
                self.searched = 0;
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                Ok(Some(line))
            }
            None if self.buffer.len() > LONGEST_ANSWER => Err(no_answer("its line is too long")),
            None => {
                self.searched = self.buffer.len();
                Ok(None)
            }
        }
    }

    fn read(&mut self) -> Result<Came, Failure> {
        let before = self.buffer.len();
        self.buffer.resize(before + self.step, 0);
        let came = self.stream.read(&mut self.buffer[before..]);
        self.buffer.truncate(before + came.as_ref().map_or(0, |n| *n));
        match came {
            Ok(0) if self.ending == Ending::AtAnyTime && self.buffer.is_empty() => {
                self.ending = Ending::Over;
                Ok(Came::Something)
            }
            Ok(0) => Err(lost(&"it has closed the connection")),
            Ok(_) => {
                self.heard_at = Instant::now();
                Ok(Came::Something)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Came::Nothing),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Came::Something),
            Err(_) if self.ending == Ending::AtAnyTime => {
                self.ending = Ending::Over;
                Ok(Came::Something)
            }
            Err(error) => Err(lost(&error)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Something,
    Nothing,
}

/// A link to the node of this name, through the server whose control socket is at `path`, which has `within` to open it.
///
/// # Errors
///
/// As for [`Conversation`]; [`ErrorName::NotFound`] if the node is not attached.
pub fn reach(path: &Path, node: &str, within: Duration) -> Result<StreamLink, Failure> {
    let request = Request::Reach { node: node.to_owned() };
    let mut conversation = Conversation::within(path, &request, &Stop::new(), within)?;
    match conversation.next_answer()? {
        Some(Answer::Reached { .. }) => {}
        _ => return Err(no_answer("it was asked for a node")),
    }
    let link = conversation.stream.try_clone().and_then(StreamLink::unix).map_err(|error| lost(&error))?;
    Ok(link.named(format!("node:{node}")))
}

impl Ending {
    fn of(request: &Request) -> Self {
        match request {
            Request::Status { every: None } => Self::After(Last::Status),
            Request::Status { every: Some(_) } => Self::AtAnyTime,
            Request::Notify { .. } | Request::Push { .. } | Request::Disconnect { .. } => {
                Self::After(Last::Summary)
            }
            Request::Reach { .. } => Self::After(Last::Reached),
            Request::Drain => Self::After(Last::Drained),
        }
    }

    const fn is_after(self, answer: &Answer) -> bool {
        matches!(
            (self, answer),
            (Self::After(Last::Status), Answer::Status(_))
                | (Self::After(Last::Summary), Answer::Summary(_))
                | (Self::After(Last::Reached), Answer::Reached { .. })
                | (Self::After(Last::Drained), Answer::Drained)
        )
    }
}

/// How long a server may be silent because it waits for others; none for ever.
fn silence_of(request: &Request) -> Option<Duration> {
    let seconds = match request {
        Request::Status { every } => every.unwrap_or(0.0),
        Request::Notify { within, .. } | Request::Push { within, .. } => *within,
        Request::Reach { .. } | Request::Disconnect { .. } => 0.0,
        Request::Drain => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

fn line(request: &Request) -> Result<Vec<u8>, Failure> {
    let usage = |what: String| Failure::new(ErrorName::Usage, what);
    let mut line =
        serde_json::to_vec(request).map_err(|error| usage(format!("this cannot be asked for: {error}")))?;
    line.push(b'\n');
    if line.len() > LONGEST_REQUEST {
        let what = format!("a request has at most {LONGEST_REQUEST} bytes, this one {}", line.len());
        return Err(usage(what).with_advice("ask for it in parts"));
    }
    Ok(line)
}

fn dial(path: &Path, stop: &Stop, within: Duration) -> Result<UnixStream, Failure> {
    let until = Instant::now() + within;
    let options = TcpOptions { connect_within: TICK, ..TcpOptions::default() };
    loop {
        stop.check()?;
        match dial_unix(path, &options) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut && Instant::now() < until => {}
            Err(error) => return Err(cannot(path, &error)),
        }
    }
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(
        ErrorName::Connect,
        format!("cannot open the control socket {}: {error}", path.display()),
    );
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            failure.with_advice("is a server running there? start one with: sampan serve")
        }
        ErrorKind::PermissionDenied => failure.with_advice("only the user who runs the server may open it"),
        _ => failure,
    }
}

fn parse(line: &[u8]) -> Result<Answer, Failure> {
    let Versioned { v, answer } =
        serde_json::from_slice(line).map_err(|error| no_answer(&error.to_string()))?;
    if v == VERSION { Ok(answer) } else { Err(no_answer(&format!("it is of version {v}"))) }
}

fn no_answer(why: &str) -> Failure {
    let what = format!("what listens there has said something that is no answer: {}", escaped(why));
    Failure::new(ErrorName::Protocol, what).with_advice("is it the control socket of a server?")
}

fn lost(why: &dyn std::fmt::Display) -> Failure {
    Failure::new(ErrorName::LinkLost, format!("the server has not finished: {why}"))
}

/// Quotes stay as they are.
fn escaped(message: &str) -> String {
    let mut escaped = String::new();
    for c in message.chars() {
        match c {
            '"' | '\'' => escaped.push(c),
            _ => escaped.extend(c.escape_debug()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
