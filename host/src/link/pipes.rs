//! Pairs of pipes: the standard streams of this process, or of a program that it starts.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// How long a program may take to end once its standard streams are closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What pipes are enlarged to where the system allows it, in bytes.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PIPE_SIZE: usize = 1 << 20;

/// One pipe in, one out.
#[derive(Debug)]
pub(super) struct Pipes {
    // In this order they are dropped: a program ends when its streams do.
    pub(super) output: Option<End>,
    pub(super) input: End,
    whose: Whose,
}

/// An end of a pipe that does not block while it is here.
#[derive(Debug)]
pub(super) struct End {
    pub(super) fd: OwnedFd,
    /// What its flags were; others may share them.
    flags: OFlags,
}

#[derive(Debug)]
enum Whose {
    Own,
    Program { _program: Program },
}

/// A program that is given some time to end, and then killed.
#[derive(Debug)]
struct Program(Child);

impl Pipes {
    /// The standard input and output of this process.
    pub(super) fn stdio() -> io::Result<Self> {
        let input = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
        for (fd, name) in [(&input, "input"), (&output, "output")] {
            if fd.is_terminal() {
                let text =
                    format!("the standard {name} is a terminal: something else must be at its other end");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        }
        Self::new(input, output, Whose::Own)
    }

    /// The standard streams of what the shell starts by `command`.
    pub(super) fn exec(command: &str) -> io::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot start the shell: {error}")))?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let program = Program(child);
        let (output, input) = streams.ok_or(io::ErrorKind::NotConnected)?;
        let (output, input) = (OwnedFd::from(output), OwnedFd::from(input));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        for fd in [&output, &input] {
            let _ = rustix::pipe::fcntl_setpipe_size(fd, PIPE_SIZE);
        }
        Self::new(input, output, Whose::Program { _program: program })
    }

    fn new(input: OwnedFd, output: OwnedFd, whose: Whose) -> io::Result<Self> {
        // Both are asked before either is set, for they may be one.
        let (before, after) = (fcntl_getfl(&input)?, fcntl_getfl(&output)?);
        let (input, output) = (End { fd: input, flags: before }, End { fd: output, flags: after });
        let pipes = Self { output: Some(output), input, whose };
        pipes.do_not_block()?;
        Ok(pipes)
    }

    fn do_not_block(&self) -> io::Result<()> {
        for end in [Some(&self.input), self.output.as_ref()].into_iter().flatten() {
            fcntl_setfl(&end.fd, end.flags | OFlags::NONBLOCK)?;
        }
        Ok(())
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.input.fd, buffer)?)
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let output = self.output.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(rustix::io::write(&output.fd, bytes)?)
    }

    /// Closes the pipe out.
    pub(super) fn close_sending(&mut self) {
        let Some(output) = self.output.take() else { return };
        // It may be a socket, whose other descriptors would keep it open.
        let _ = socket2::SockRef::from(&output.fd).shutdown(Shutdown::Write);
        drop(output);
        // Its flags are again as they were, and may be those of the input too.
        let _ = self.do_not_block();
        if matches!(self.whose, Whose::Own)
            && let Ok(nothing) = OpenOptions::new().write(true).open("/dev/null")
        {
            let _ = rustix::stdio::dup2_stdout(&nothing);
        }
    }

    /// `stdio` or `exec`.
    pub(super) const fn name(&self) -> &'static str {
        match self.whose {
            Whose::Own => "stdio",
            Whose::Program { .. } => "exec",
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = fcntl_setfl(&self.fd, self.flags);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let until = Instant::now() + LAST_WORDS;
        let mut pause = Duration::from_millis(1);
        while let Ok(None) = self.0.try_wait() {
            if Instant::now() >= until {
                let _ = self.0.kill();
                let _ = self.0.wait();
                return;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}
