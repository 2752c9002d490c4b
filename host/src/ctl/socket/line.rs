//! Lines of JSON over a control connection.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use crate::ctl::{Answer, VERSION};

/// The longest request.
const MOST: usize = 64 << 10;
/// How long a request may take to come, and an answer to be read.
const WITHIN: Duration = Duration::from_secs(10);

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Asker {
    stream: UnixStream,
}

#[derive(Serialize)]
struct Versioned<'a> {
    v: u32,
    #[serde(flatten)]
    answer: &'a Answer,
}

impl Asker {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_write_timeout(Some(WITHIN))?;
        Ok(Self { stream })
    }

    /// The first line, and not a byte more.
    pub(super) fn request(&mut self) -> io::Result<Vec<u8>> {
        let until = Instant::now() + WITHIN;
        let mut line = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut byte = [0];
            match self.stream.read(&mut byte) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) if byte == *b"\n" => return Ok(line),
                Ok(_) if line.len() >= MOST => return Err(ErrorKind::InvalidData.into()),
                Ok(_) => line.extend(byte),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Versioned { v: VERSION, answer })?;
        line.push(b'\n');
        self.stream.write_all(&line)
    }

    /// Waits for so long; whether whoever asked is gone by then, or says something though it is not his turn.
    pub(super) fn is_gone_within(&self, timeout: Duration) -> bool {
        let mut fds = [PollFd::new(&self.stream, PollFlags::IN | PollFlags::HUP)];
        let timeout = Timespec::try_from(timeout).ok();
        matches!(poll(&mut fds, timeout.as_ref()), Ok(n) if n > 0)
    }

    pub(super) const fn stream(&self) -> &UnixStream {
        &self.stream
    }

    pub(super) fn into_stream(self) -> UnixStream {
        self.stream
    }
}
