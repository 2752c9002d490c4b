//! What is compared.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Failure;
use crate::ground::{self, Ground};
use crate::process::{Process, check_interrupted, wait_all};

const SAMPAN: &str = env!("CARGO_BIN_EXE_sampan");

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// `nc -N` to `nc -l`: from the start of the client until both have ended.
    Netcat,
    /// `sampan send` to a `sampan serve` that is up: from the start of the client until it has ended.
    Sampan,
    /// The same from the start of the server.
    SampanWithServer,
}

impl Case {
    pub(crate) const ALL: [Self; 3] = [Self::Netcat, Self::Sampan, Self::SampanWithServer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Netcat => "nc -N to nc -l",
            Self::Sampan => "sampan send to serve",
            Self::SampanWithServer => "  the server's start included",
        }
    }
}

/// What one run took. Peaks are in KiB.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) sender_peak: u64,
    pub(crate) receiver_peak: u64,
}

/// A server that is up, and the folder that all cases use.
pub(crate) struct Comparison<'a> {
    ground: &'a Ground,
    netcat: String,
    server: Server,
}

impl<'a> Comparison<'a> {
    pub(crate) fn start(ground: &'a Ground) -> Result<Self, Failure> {
        let netcat = std::env::var("NC").unwrap_or_else(|_| "nc".into());
        Ok(Self { ground, netcat, server: Server::start(ground)? })
    }

    pub(crate) fn run(&mut self, case: Case) -> Result<Cost, Failure> {
        self.ground.clear()?;
        let cost = match case {
            Case::Netcat => self.netcat()?,
            Case::Sampan => {
                let before = self.server.process.usage()?;
                let started = Instant::now();
                let cost = self.server.take(self.ground, started)?;
                Cost { cpu: cost.cpu.saturating_sub(before.cpu), ..cost }
            }
            Case::SampanWithServer => {
                let started = Instant::now();
                let mut server = Server::start(self.ground)?;
                let cost = server.take(self.ground, started)?;
                server.process.stop()?;
                cost
            }
        };
        self.ground.check_size()?;
        Ok(cost)
    }

    fn netcat(&self) -> Result<Cost, Failure> {
        let port = ground::free_port()?;
        let mut receiver = Process::start(
            Command::new(&self.netcat)
                .args(["-l", "127.0.0.1", &port.to_string()])
                .stdin(Stdio::null())
                .stdout(File::create(self.ground.destination())?),
        )?;
        let patience = Instant::now() + Duration::from_secs(10);
        while !ground::is_listening(port)? {
            check_interrupted()?;
            if Instant::now() > patience {
                return Err("nc does not listen".into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        let started = Instant::now();
        let mut sender = Process::start(
            Command::new(&self.netcat)
                .args(["-N", "127.0.0.1", &port.to_string()])
                .stdin(File::open(self.ground.source())?)
                .stdout(Stdio::null()),
        )?;
        let (ended, [sender, receiver]) = wait_all([&mut sender, &mut receiver])?;
        Ok(Cost {
            wall: ended - started,
            cpu: sender.cpu + receiver.cpu,
            sender_peak: sender.peak,
            receiver_peak: receiver.peak,
        })
    }
}

/// A `sampan serve`.
struct Server {
    process: Process,
    url: String,
}

impl Server {
    fn start(ground: &Ground) -> Result<Self, Failure> {
        let mut process = Process::start(
            Command::new(SAMPAN)
                .args(["serve", "--json", "--listen", "tcp://127.0.0.1:0"])
                .arg(ground.received())
                .stdin(Stdio::null())
                .stdout(Stdio::piped()),
        )?;
        let stdout = process.child.stdout.take().ok_or("no pipe")?;
        let url = listening(stdout)?;
        Ok(Self { process, url })
    }

    /// Has it take the file, with the digest that it asks for by itself.
    fn take(&mut self, ground: &Ground, started: Instant) -> Result<Cost, Failure> {
        let mut sender = Process::start(
            Command::new(SAMPAN)
                .args(["send", "--json", "--no-progress", "--to", &self.url])
                .arg(ground.source())
                .stdin(Stdio::null())
                .stdout(Stdio::piped()),
        )?;
        let (ended, [used]) = wait_all([&mut sender])?;
        let server = self.process.usage()?;
        let mut events = String::new();
        sender.child.stdout.take().ok_or("no pipe")?.read_to_string(&mut events)?;
        let sent = events
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|event| event["event"] == "sent")
            .ok_or_else(|| format!("no `sent` among the events of sampan send: {events}"))?;
        let digest = sent["digest"].as_str().unwrap_or_default();
        if sent["resumed_from"] != 0 || !digest.starts_with("crc64:") {
            return Err(format!("not a whole transfer with the default digest: {sent}").into());
        }
        Ok(Cost {
            wall: ended - started,
            cpu: used.cpu + server.cpu,
            sender_peak: used.peak,
            receiver_peak: server.peak,
        })
    }
}

/// Where a server says that it listens. What it says later is read and dropped, or it would wait for that.
fn listening(stdout: ChildStdout) -> Result<String, Failure> {
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    while stdout.read_line(&mut line)? > 0 {
        let event: Value = serde_json::from_str(&line)?;
        if let (Some("listening"), Some(url)) = (event["event"].as_str(), event["url"].as_str()) {
            thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
            return Ok(url.into());
        }
        line.clear();
    }
    Err("sampan serve ended before it listened".into())
}
