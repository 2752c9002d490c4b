//! Sampan beside a plain socket copy: 1 GiB from memory to memory over loopback TCP.
//!
//! ```text
//! cargo bench -p sampan --bench loopback [-- ROUNDS [MIB] [CASE]]
//! ```
//!
//! Every round runs each case once, one after the other, so that a slow moment of the machine hits all of them; shown are medians and
//! their ratio to the plain copy. All cases use the same socket options and write 256 KiB at a time from a buffer into which the
//! source has copied them; the receiving end drops what it has read. Sampan checks all of it on both sides.

use std::env;
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use sampan::clock::Clock;
use sampan::digests::AnyDigest;
use sampan::link::{Listener, StreamLink, TcpOptions, Url};
use sampan::memory::{FRAME, Memory, Opening};
use sampan::run::Connection;
use sampan_core::driver::Turn;
use sampan_core::wire::{Code, DigestKind, DigestList, FileName, Identity, Offer};
use sampan_core::{
    Description, Digest as _, Ending, Event, FileType, Refusal, ResumePoint, Speaks, Start, Storage,
    TransferId, Verdict,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const CASES: [Case; 3] = [Case::Plain, Case::Sampan(DigestKind::Crc32), Case::Sampan(DigestKind::Crc64Nvme)];

#[derive(Clone, Copy)]
enum Case {
    /// `write` and `read`, and nothing else.
    Plain,
    /// A session that sends one file, whose digest is of this kind.
    Sampan(DigestKind),
}

/// What one run took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

fn main() -> ExitCode {
    let mut numbers = env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let only =
        env::args().skip(1).find(|argument| argument.starts_with(char::is_alphabetic)).unwrap_or_default();
    let rounds: usize = numbers.next().unwrap_or(9).max(1);
    let bytes = (numbers.next().unwrap_or(1024) as u64) << 20;
    match compare(rounds, bytes, &only) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loopback: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(rounds: usize, bytes: u64, only: &str) -> Result<(), Failure> {
    let mut cases: Vec<(Case, Vec<Cost>)> = CASES.map(|case| (case, Vec::with_capacity(rounds))).into();
    cases.retain(|(case, _)| case.name().contains(only));
    for _ in 0..rounds {
        for (case, costs) in &mut cases {
            costs.push(run(*case, bytes)?);
        }
    }
    let plain = median(cases.first().into_iter().flat_map(|(_, costs)| costs).map(|cost| cost.wall));
    println!("{} MiB, {rounds} rounds, medians", bytes >> 20);
    println!("{:<16} {:>8} {:>8} {:>14} {:>8}", "case", "MB/s", "best", "CPU s per GiB", "ratio");
    for (case, costs) in cases {
        let wall = median(costs.iter().map(|cost| cost.wall));
        let best = costs.iter().map(|cost| cost.wall).min().unwrap_or_default();
        let cpu =
            median(costs.iter().map(|cost| cost.cpu)).as_secs_f64() * (1_u64 << 30) as f64 / bytes as f64;
        let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
        let ratio = plain.as_secs_f64() / wall.as_secs_f64();
        println!("{:<16} {:>8.0} {:>8.0} {cpu:>14.3} {ratio:>8.3}", case.name(), rate(wall), rate(best));
    }
    Ok(())
}

impl Case {
    fn name(self) -> String {
        match self {
            Self::Plain => "plain copy".into(),
            Self::Sampan(kind) => format!("sampan {kind}"),
        }
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn run(case: Case, bytes: u64) -> Result<Cost, Failure> {
    let options = TcpOptions::default();
    let listener = Listener::bind(&Url::Tcp { host: "127.0.0.1".into(), port: 0 }, &options)?;
    let client = StreamLink::dial(&listener.url(), &options)?;
    let server = listener.accept_within(Some(options.connect_within))?;
    let (wall, cpu) = (Instant::now(), cpu());
    let receiving = thread::spawn(move || match case {
        Case::Plain => plain_receive(server),
        Case::Sampan(kind) => receive(server, kind),
    });
    match case {
        Case::Plain => plain_send(client, bytes)?,
        Case::Sampan(kind) => send(client, bytes, kind)?,
    }
    let received = receiving.join().map_err(|_| "the receiving end panicked")??;
    let cost = Cost { wall: wall.elapsed(), cpu: self::cpu().saturating_sub(cpu) };
    if received != bytes {
        return Err(format!("{}: {received} of {bytes} bytes arrived", case.name()).into());
    }
    Ok(cost)
}

/// What the source has to give, again and again.
fn contents() -> Vec<u8> {
    (0..FRAME).map(|index| black_box(index) as u8).collect()
}

/// Processor time of this process, both ends together.
fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

fn plain_send(link: StreamLink, bytes: u64) -> Result<(), Failure> {
    let mut stream = link.into_tcp().ok_or("not TCP")?;
    stream.set_nonblocking(false)?;
    let contents = contents();
    let mut buffer = vec![0; FRAME];
    for _ in 0..bytes / FRAME as u64 {
        buffer.copy_from_slice(&contents);
        stream.write_all(&buffer)?;
    }
    Ok(())
}

fn plain_receive(link: StreamLink) -> Result<u64, Failure> {
    let mut stream = link.into_tcp().ok_or("not TCP")?;
    stream.set_nonblocking(false)?;
    let mut buffer = vec![0; FRAME];
    let mut received = 0;
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(received),
            n => received += n as u64,
        }
    }
}

fn send(link: StreamLink, bytes: u64, kind: DigestKind) -> Result<(), Failure> {
    let clock = Clock::start();
    let mut memory = Memory::new()?.with_digests(DigestList::new(&[kind]));
    let mut session = memory.sender(Opening::new(Speaks::First, clock)?)?;
    session.offer().ok_or("no slot")?;
    session.close(Code::Ok);
    let mut connection = Connection::new(session, link, Repeated::new(bytes, kind), clock);
    loop {
        match connection.turn()? {
            Turn::Event(Event::SendFailed(failure)) => return Err(failure.code.to_string().into()),
            Turn::Worked | Turn::Event(_) => {}
            Turn::Closed => return Ok(()),
        }
    }
}

fn receive(link: StreamLink, kind: DigestKind) -> Result<u64, Failure> {
    let clock = Clock::start();
    let mut memory = Memory::new()?.with_digests(DigestList::new(&[kind]));
    let session = memory.receiver(Opening::new(Speaks::Second, clock)?)?;
    let mut connection = Connection::new(session, link, Dropped::new(kind), clock);
    loop {
        match connection.turn()? {
            Turn::Event(Event::ReceiveFailed(failure)) => return Err(failure.code.to_string().into()),
            Turn::Worked | Turn::Event(_) => {}
            Turn::Closed => return Ok(connection.storage.committed),
        }
    }
}

/// Digests what passes, unless the engine does that by itself.
struct Following(Option<AnyDigest>);

impl Following {
    fn new(kind: DigestKind) -> Self {
        Self((kind != DigestKind::Crc32).then(|| AnyDigest::new(kind)))
    }

    fn update(&mut self, data: &[u8]) {
        if let Some(digest) = &mut self.0 {
            digest.update(data);
        }
    }

    fn value(&self, out: &mut [u8]) -> usize {
        self.0.as_ref().map_or(0, |digest| digest.value(out))
    }
}

/// A source that gives the same bytes again and again.
struct Repeated {
    contents: Vec<u8>,
    bytes: u64,
    digest: Following,
}

impl Repeated {
    fn new(bytes: u64, kind: DigestKind) -> Self {
        Self { contents: contents(), bytes, digest: Following::new(kind) }
    }
}

impl Storage for Repeated {
    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new("memory").ok(),
            file_type: FileType::File,
            size: Some(self.bytes),
            modified: None,
            identity: Identity::EMPTY,
            start: Start::Eager,
        })
    }

    fn fetch(&mut self, _: TransferId, _: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let n = into.len().min(self.contents.len());
        into[..n].copy_from_slice(&self.contents[..n]);
        self.digest.update(&into[..n]);
        Ok(n)
    }

    fn finish(&mut self, _: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        Ok(self.digest.value(into))
    }
}

/// A sink that keeps nothing but the digest.
struct Dropped {
    digest: Following,
    committed: u64,
}

impl Dropped {
    fn new(kind: DigestKind) -> Self {
        Self { digest: Following::new(kind), committed: 0 }
    }
}

impl Storage for Dropped {
    fn offered(&mut self, _: TransferId, _: &Offer<'_>) -> Verdict {
        Verdict::Accept(ResumePoint::START)
    }

    fn store(&mut self, _: TransferId, _: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.digest.update(data);
        Ok(data.len())
    }

    fn commit(&mut self, _: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        let mut value = [0; 32];
        let n = self.digest.value(&mut value);
        if value[..n] != *end.value {
            return Some(Err(Code::Integrity.into()));
        }
        self.committed += end.size;
        Some(Ok(()))
    }
}
