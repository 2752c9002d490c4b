//! A client and what comes of it.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::{Events, Killed, PATIENCE, Server, signal};

/// The command, before it runs.
#[derive(Debug)]
pub(crate) struct Sampan {
    command: Command,
    input: Option<Vec<u8>>,
    deadline: Duration,
}

impl Sampan {
    /// With these arguments.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_sampan")), arguments)
    }

    /// Run by another program, whose last argument it is: `prlimit`, `ip netns exec`.
    pub(crate) fn under(mut command: Command, arguments: &[&str]) -> Self {
        command.arg(env!("CARGO_BIN_EXE_sampan"));
        Self::of(command, arguments)
    }

    fn of(mut command: Command, arguments: &[&str]) -> Self {
        command.args(arguments);
        Self { command, input: None, deadline: 2 * PATIENCE }
    }

    /// `send --json --to URL` and these arguments.
    pub(crate) fn send(url: &str, arguments: &[&str]) -> Self {
        Self::new(&["send", "--json", "--to", url]).args(arguments)
    }

    /// `get --json --from URL` and these arguments.
    pub(crate) fn get(url: &str, arguments: &[&str]) -> Self {
        Self::new(&["get", "--json", "--from", url]).args(arguments)
    }

    /// `attach --json --name NODE --dir FOLDER URL` and these arguments.
    pub(crate) fn attach(url: &str, node: &str, folder: &Path, arguments: &[&str]) -> Self {
        Self::new(&["attach", "--json", "--name", node, "--dir"]).args(&[folder]).args(&[url]).args(arguments)
    }

    /// `ctl` with these arguments and `--json`, to this server.
    pub(crate) fn ctl(server: &Server, arguments: &[&str]) -> Self {
        let mut ctl = Self::new(&["ctl"]).args(arguments).args(&["--json"]);
        ctl.command.env("XDG_RUNTIME_DIR", server.runtime());
        ctl
    }

    /// `ls --json --from URL` and these arguments.
    pub(crate) fn ls(url: &str, arguments: &[&str]) -> Self {
        Self::new(&["ls", "--json", "--from", url]).args(arguments)
    }

    /// And these arguments.
    pub(crate) fn args(mut self, arguments: &[impl AsRef<OsStr>]) -> Self {
        self.command.args(arguments);
        self
    }

    /// In this folder.
    pub(crate) fn in_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// With this on its standard input, and then its end.
    pub(crate) fn input(mut self, bytes: &[u8]) -> Self {
        self.input = Some(bytes.to_vec());
        self
    }

    /// It must have ended after so long.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn start(mut self) -> Running {
        let input = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the command runs");
        if let (Some(bytes), Some(mut pipe)) = (self.input, child.stdin.take()) {
            // Who does not read to the end closes the pipe.
            thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let stdout = Events::of(child.stdout.take().expect("a pipe"));
        let stderr = Events::of(child.stderr.take().expect("a pipe"));
        Running { child: Killed(child), stdout, stderr, deadline: self.deadline }
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Ran {
        self.start().finish()
    }
}

/// The command while it runs; killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Killed,
    /// What it prints: events, with `--json`.
    pub(crate) stdout: Events,
    /// What it says besides.
    pub(crate) stderr: Events,
    deadline: Duration,
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.ended().is_some()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Ran {
        let said = (self.stdout.clone(), self.stderr.clone());
        let status = super::until("the command ends", self.deadline, || self.child.ended());
        let code = status.code();
        Ran { code, stdout: said.0.whole_bytes(PATIENCE), stderr: said.1.whole(PATIENCE), events: said }
    }
}

/// The command when it has run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: Vec<u8>,
    /// What it said besides.
    pub(crate) stderr: String,
    events: (Events, Events),
}

impl Ran {
    /// Its standard output as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.stdout).expect("the standard output is text")
    }

    /// Ends with this exit code.
    #[track_caller]
    pub(crate) fn assert_exit(&self, code: i32) -> &Self {
        let stdout = String::from_utf8_lossy(&self.stdout);
        assert_eq!(self.code, Some(code), "stdout:\n{stdout}\nstderr:\n{}", self.stderr);
        self
    }

    /// Its events of this kind, of the standard output.
    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        self.events.0.named(name, 0)
    }

    /// Its events of this kind, of the standard error.
    pub(crate) fn side_events(&self, name: &str) -> Vec<Value> {
        self.events.1.named(name, 0)
    }

    /// Its one event of this kind.
    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> Value {
        let mut events = self.events(name);
        assert_eq!(events.len(), 1, "{name}: {}", self.text());
        events.remove(0)
    }

    /// It failed once, with this error.
    #[track_caller]
    pub(crate) fn assert_failed(&self, error: &str) -> Value {
        let failed = self.event("failed");
        assert_eq!(failed["error"], error, "{}", self.text());
        failed
    }
}
