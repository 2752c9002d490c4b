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
        not_a_terminal(&input, "input")?;
        not_a_terminal(&output, "output")?;
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

fn not_a_terminal(fd: &OwnedFd, name: &str) -> io::Result<()> {
    if fd.is_terminal() {
        let text =
            format!("the standard {name} is a terminal: a program that speaks the protocol must be there");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::net::UnixStream;

    /// How it is read with patience; pipes that do not block say that there is nothing.
    fn read_all(pipes: &Pipes) -> Vec<u8> {
        let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match pipes.read(&mut buffer) {
                Ok(0) => return all,
                Ok(n) => all.extend_from_slice(&buffer[..n]),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            assert!(Instant::now() < until, "the end was to come");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_program_is_written_to_and_read_and_ends_with_its_input() {
        let mut pipes = Pipes::exec("tr a-z A-Z; echo end").unwrap();
        assert_eq!(pipes.name(), "exec");
        assert_eq!(pipes.write(b"hello ").unwrap(), 6);
        pipes.close_sending();
        assert_eq!(pipes.write(b"more").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(read_all(&pipes), b"HELLO end\n");
    }

    #[test]
    fn a_program_that_ends_by_itself_is_let_go_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let said = dir.path().join("said");
        let pipes =
            Pipes::exec(&format!("cat > '{}'; sleep 0.1; echo ' ended' >> '{0}'", said.display())).unwrap();
        pipes.write(b"last words").unwrap();
        let begun = Instant::now();
        drop(pipes);
        assert!(begun.elapsed() < LAST_WORDS);
        assert_eq!(std::fs::read_to_string(said).unwrap(), "last words ended\n");
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let pipes = Pipes::exec("exec sleep 100").unwrap();
        let begun = Instant::now();
        drop(pipes);
        assert!((LAST_WORDS..LAST_WORDS * 5).contains(&begun.elapsed()));
    }

    #[test]
    fn flags_are_as_they_were_even_if_both_ends_are_one() {
        let (here, _there) = UnixStream::pair().unwrap();
        let descriptor = || OwnedFd::from(here.try_clone().unwrap());
        let blocks = || !fcntl_getfl(&here).unwrap().contains(OFlags::NONBLOCK);
        let pipes = Pipes::new(descriptor(), descriptor(), Whose::Own).unwrap();
        assert!(!blocks());
        drop(pipes);
        assert!(blocks());
    }

    #[test]
    fn a_terminal_is_no_link() {
        let Ok(terminal) = File::options().read(true).write(true).open("/dev/ptmx") else { return };
        let (pipe, _writer) = io::pipe().unwrap();
        let refused = not_a_terminal(&OwnedFd::from(terminal), "input").unwrap_err();
        assert!(refused.to_string().contains("the standard input is a terminal"), "{refused}");
        assert!(not_a_terminal(&OwnedFd::from(pipe), "input").is_ok());
    }

    /// Runs [`echoes_its_standard_streams`] in a process of its own, whose standard streams can be taken.
    #[test]
    fn the_standard_streams_are_a_link() {
        let program = std::env::current_exe().unwrap();
        let (module, _) = module_path!().split_once("::").map(|(_, rest)| (rest, ())).unwrap();
        let arguments =
            format!("--exact {module}::echoes_its_standard_streams --include-ignored --nocapture");
        let mut pipes = Pipes::exec(&format!("{ECHO}=1 exec '{}' {arguments}", program.display())).unwrap();
        pipes.write(b"hello").unwrap();
        pipes.close_sending();
        let all = String::from_utf8(read_all(&pipes)).unwrap();
        assert!(all.ends_with("<hello>"), "{all:?}");
    }

    /// Says that the test below is run for its standard streams.
    const ECHO: &str = "SAMPAN_TEST_ECHO";

    #[test]
    #[ignore = "the test above runs it"]
    fn echoes_its_standard_streams() {
        if std::env::var_os(ECHO).is_none() {
            return;
        }
        let mut pipes = Pipes::stdio().unwrap();
        assert_eq!(pipes.name(), "stdio");
        let all = read_all(&pipes);
        for part in [b"<", &all[..], b">"] {
            pipes.write(part).unwrap();
        }
        pipes.close_sending();
        println!("this goes nowhere");
    }
}
