//! `sampan serve`, while it runs.

use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::{Events, Killed, PATIENCE, Usage, signal};

/// A server that takes connections; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Killed,
    urls: Vec<String>,
    /// Where it has its control socket, which nobody else has.
    runtime: TempDir,
    /// What it reports.
    pub(crate) events: Events,
    /// What it says besides.
    pub(crate) stderr: Events,
}

impl Server {
    /// Serves `root` at a free port of 127.0.0.1.
    #[track_caller]
    pub(crate) fn new(root: &Path) -> Self {
        Self::with(root, &[])
    }

    /// The same with further arguments.
    #[track_caller]
    pub(crate) fn with(root: &Path, arguments: &[&str]) -> Self {
        Self::listening(root, &["tcp://127.0.0.1:0"], arguments)
    }

    /// The same at these URLs.
    #[track_caller]
    pub(crate) fn listening(root: &Path, urls: &[&str], arguments: &[&str]) -> Self {
        Self::started(Command::new(env!("CARGO_BIN_EXE_sampan")), root, urls, arguments)
    }

    /// The same, run by another program, whose last argument it is: `prlimit`, `ip netns exec`.
    #[track_caller]
    pub(crate) fn under(mut command: Command, root: &Path, urls: &[&str], arguments: &[&str]) -> Self {
        command.arg(env!("CARGO_BIN_EXE_sampan"));
        Self::started(command, root, urls, arguments)
    }

    #[track_caller]
    fn started(mut command: Command, root: &Path, urls: &[&str], arguments: &[&str]) -> Self {
        let runtime = tempfile::tempdir().expect("a folder");
        command.args(["serve", "--json"]).env("XDG_RUNTIME_DIR", runtime.path());
        for url in urls {
            command.args(["--listen", url]);
        }
        command.args(arguments).arg(root);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command runs");
        let events = Events::of(child.stdout.take().expect("a pipe"));
        let stderr = Events::of(child.stderr.take().expect("a pipe"));
        let mut server = Self { child: Killed(child), urls: Vec::new(), runtime, events, stderr };
        server.urls = super::until("the server listens", PATIENCE, || {
            if let Some(status) = server.child.ended() {
                panic!("the server ends with {status}: {}", server.stderr.whole(PATIENCE));
            }
            let listening = server.events.named("listening", 0);
            (listening.len() == urls.len()).then_some(listening)
        })
        .iter()
        .map(|event| event["url"].as_str().expect("a URL").to_owned())
        .collect();
        server
    }

    /// Where it listens first.
    pub(crate) fn url(&self) -> &str {
        &self.urls[0]
    }

    /// Where it listens, in order.
    pub(crate) fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The runtime directory that `sampan ctl` has to look into to find it.
    pub(crate) fn runtime(&self) -> &Path {
        self.runtime.path()
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// What it takes now.
    #[track_caller]
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.pid()).expect("the server runs")
    }

    /// What it takes once nothing changes any more for a while.
    #[track_caller]
    pub(crate) fn settled_usage(&self) -> Usage {
        let mut last = self.usage();
        super::until("the server settles", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(50));
            let now = self.usage();
            let settled = (now.descriptors, now.threads) == (last.descriptors, last.threads);
            last = now;
            settled.then_some(now)
        })
    }

    /// It has not ended.
    #[track_caller]
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.ended() {
            panic!("the server has ended with {status}: {}", self.stderr.whole(PATIENCE));
        }
    }

    /// Every failure it reported from a mark on.
    pub(crate) fn failures(&self, mark: usize) -> Vec<Value> {
        self.events.named("failed", mark)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, what: Signal) {
        signal(self.pid(), what);
    }

    /// Waits for its end, which comes by itself.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait("the server ends", PATIENCE)
    }

    /// Asks it to end, which it does with 0; everything it said besides events.
    #[track_caller]
    pub(crate) fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        let status = self.child.wait("the server stops", PATIENCE);
        let said = self.stderr.whole(PATIENCE);
        assert_eq!(status.code(), Some(0), "{said}");
        said
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill();
    }
}
