//! Writing to the standard streams, one of which may be gone.

use std::fmt;
use std::io;

use sampan::failure::{ErrorName, Failure};

/// How much the command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Voice {
    /// Errors only.
    Quiet,
    Normal,
    /// `-v`
    Verbose,
    /// `-vv`
    Trace,
}

impl Voice {
    /// A line on the standard output, unless it is quiet. A reader that has gone is not a failure.
    pub(crate) fn say(self, line: fmt::Arguments<'_>) -> Result<(), Failure> {
        if self == Self::Quiet {
            return Ok(());
        }
        let mut output = Output::new(Stream::Stdout);
        output.write(format!("{line}\n").as_bytes());
        output.finish()
    }
}

/// One of the standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn write_whole(self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_once(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[cfg(unix)]
    fn write_once(self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.descriptor(), bytes)?)
    }

    /// A link may have made the descriptor non-blocking, which it may share with whoever gave it.
    #[cfg(unix)]
    fn wait(self) -> io::Result<()> {
        use rustix::event::{PollFd, PollFlags, poll};
        match poll(&mut [PollFd::from_borrowed_fd(self.descriptor(), PollFlags::OUT)], None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(unix)]
    fn descriptor(self) -> rustix::fd::BorrowedFd<'static> {
        match self {
            Self::Stdout => rustix::stdio::stdout(),
            Self::Stderr => rustix::stdio::stderr(),
        }
    }

    #[cfg(not(unix))]
    fn write_once(self, bytes: &[u8]) -> io::Result<usize> {
        use std::io::Write as _;
        match self {
            Self::Stdout => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush())?,
            Self::Stderr => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    #[cfg(not(unix))]
    fn wait(self) -> io::Result<()> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "output",
            Self::Stderr => "error",
        }
    }
}

/// A standard stream, and whether anybody still listens to it.
#[derive(Debug)]
pub(crate) struct Output {
    target: Target,
    state: State,
}

#[derive(Debug)]
enum Target {
    Stream(Stream),
    #[cfg(test)]
    Memory(std::sync::Arc<std::sync::Mutex<Vec<u8>>>),
}

#[derive(Debug)]
enum State {
    Open,
    /// Its reader is gone: nothing more is written.
    Gone,
    /// It cannot be written: nothing more is.
    Failed(Failure),
}

impl Output {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { target: Target::Stream(stream), state: State::Open }
    }

    /// All of `bytes` at once, so that lines of several processes do not mix.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || !matches!(self.state, State::Open) {
            return;
        }
        match &self.target {
            Target::Stream(stream) => {
                if let Err(error) = stream.write_whole(bytes) {
                    self.state = State::after(*stream, &error);
                }
            }
            #[cfg(test)]
            Target::Memory(memory) => memory.lock().unwrap().extend_from_slice(bytes),
        }
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.state, State::Gone)
    }

    /// Says whether all of it could be written. A reader that has gone is not a failure.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.state {
            State::Open | State::Gone => Ok(()),
            State::Failed(failure) => Err(failure),
        }
    }
}

impl State {
    fn after(stream: Stream, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Gone;
        }
        let what = format!("cannot write to the standard {}: {error}", stream.name());
        Self::Failed(Failure::new(ErrorName::LocalFile, what))
    }
}

/// A line on the standard error, if it can be written.
pub(crate) fn complain(line: fmt::Arguments<'_>) {
    Output::new(Stream::Stderr).write(format!("{line}\n").as_bytes());
}

#[cfg(test)]
pub(crate) mod memory {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What was written to an [`Output`] of a test.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Memory {
        pub(crate) fn output(&self) -> Output {
            Output { target: Target::Memory(Arc::clone(&self.0)), state: State::Open }
        }

        /// What was written since the last call.
        pub(crate) fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_failure_and_all_else_is() {
        let after = |kind: io::ErrorKind| State::after(Stream::Stdout, &kind.into());
        assert!(matches!(after(io::ErrorKind::BrokenPipe), State::Gone));
        let State::Failed(failure) = after(io::ErrorKind::StorageFull) else { panic!() };
        assert_eq!(failure.error, ErrorName::LocalFile);
        assert!(failure.to_string().starts_with("cannot write to the standard output: "), "{failure}");
    }

    #[test]
    fn nothing_is_written_after_a_failure() {
        let memory = memory::Memory::default();
        let mut output = memory.output();
        output.write(b"a");
        assert!(!output.is_gone());
        output.state = State::Gone;
        output.write(b"b");
        assert!(output.is_gone() && output.finish().is_ok());
        assert_eq!(memory.take(), "a");
    }
}
