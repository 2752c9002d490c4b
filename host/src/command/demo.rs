//! `sampan demo`: a file from one end to another over loopback TCP, within one process.

mod ends;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use sampan::failure::{ErrorName, Failure};
use sampan::link::{HangUp, TcpLink, TcpListener, TcpOptions};
use sampan::report::Report;
use sampan::sink::Committed;
use sampan::source::open_regular;
use sampan::stop::Stop;
use sampan::{Doing, FileError};
use sampan_core::wire::DigestKind;
use tempfile::TempDir;

use super::cli::DemoArguments;
use super::display::{Display, Rate, Size, Style};
use super::made_up;
use super::stop_at_signals;
use ends::Dispatched;

/// How often progress is shown, and an interruption noticed.
const TICK: Duration = Duration::from_millis(50);

pub(crate) fn run(arguments: &DemoArguments, style: Style) -> Result<(), Failure> {
    let voice = style.voice;
    let stop = stop_at_signals()?;
    let named = arguments.file.as_deref().map(size_of).transpose()?;
    let place = Place::new()?;
    let (path, size) = match (&arguments.file, named) {
        (Some(path), Some(size)) => {
            voice.say(format_args!("file      {path:?}, {}", Size(size)))?;
            (path.clone(), size)
        }
        _ => {
            voice.say(format_args!("file      made up, {}", Size(made_up::SIZE as u64)))?;
            made_up::write(&place.made_up(), &stop)?;
            (place.made_up(), made_up::SIZE as u64)
        }
    };
    let kind = arguments.digest.into();
    let links = connect()?;
    let (sent, received) =
        transfer(links, &path, &place.received(), kind, (size, Display::new(style)), &stop)?;
    voice.say(format_args!("sent      {kind} {}", sent.digest))?;
    voice.say(format_args!("received  {kind} {}", received.digest))?;
    if sent.digest != received.digest {
        return Err(Failure::new(ErrorName::Integrity, "the digests of the two ends differ")
            .with_advice("this must not happen: please report it"));
    }
    let (took, rate) = (sent.took.as_secs_f64(), Rate(received.size, sent.took));
    voice.say(format_args!("verified  {} in {took:.3} s, flushed to disk: {rate}", Size(received.size)))?;
    place.remove()
}

fn size_of(path: &Path) -> Result<u64, Failure> {
    let (_, metadata) = open_regular(path).map_err(|cause| FileError::new(Doing::Open, path, cause))?;
    Ok(metadata.len())
}

/// A temporary folder, which is removed whatever happens.
struct Place(TempDir);

impl Place {
    fn new() -> Result<Self, Failure> {
        let parent = std::env::temp_dir();
        let made = tempfile::Builder::new().prefix("sampan-demo-").tempdir_in(&parent);
        let place = Self(made.map_err(|cause| FileError::new(Doing::Create, &parent, cause))?);
        let received = place.received();
        std::fs::create_dir(&received).map_err(|cause| FileError::new(Doing::Create, &received, cause))?;
        Ok(place)
    }

    fn made_up(&self) -> PathBuf {
        self.0.path().join("made-up")
    }

    fn received(&self) -> PathBuf {
        self.0.path().join("received")
    }

    fn remove(self) -> Result<(), Failure> {
        let path = self.0.path().to_owned();
        self.0.close().map_err(|cause| {
            Failure::new(ErrorName::LocalFile, format!("cannot remove {path:?}: {cause}"))
                .with_advice("remove it yourself")
        })
    }
}

/// The two ends of one connection over loopback: the one that dialled, and the one that listened.
fn connect() -> Result<(TcpLink, TcpLink), Failure> {
    let options = TcpOptions::default();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let connected = || {
        let listener = TcpListener::bind(anywhere, &options)?;
        let client = TcpLink::connect(listener.address()?, &options)?;
        Ok((client, listener.accept()?))
    };
    connected().map_err(|error: std::io::Error| {
        Failure::new(ErrorName::Connect, format!("cannot connect over loopback TCP: {error}"))
    })
}

/// Runs both ends, each in a thread of its own, while this one shows progress.
fn transfer(
    (client, server): (TcpLink, TcpLink),
    path: &Path,
    directory: &Path,
    kind: DigestKind,
    (size, mut display): (u64, Display),
    stop: &Stop,
) -> Result<(Dispatched, Committed), Failure> {
    let no_handle = |error| Failure::new(ErrorName::Connect, format!("cannot share the connection: {error}"));
    let hang_ups = [client.hang_up().map_err(no_handle)?, server.hang_up().map_err(no_handle)?];
    let hang_up = || hang_ups.iter().for_each(HangUp::now);
    let stored = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (ended, both_ended) = mpsc::channel::<()>();
    let (sent, received) = thread::scope(|scope| {
        let (ended_too, stored, hang_up) = (ended.clone(), &stored, &hang_up);
        let receiving = scope.spawn(move || {
            let _ended = ended;
            ends::receive(server, directory, kind, stored).inspect_err(|_| hang_up())
        });
        let sending = scope.spawn(move || {
            let _ended = ended_too;
            ends::send(client, path, kind).inspect_err(|_| hang_up())
        });
        while both_ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            let bytes = stored.load(Ordering::Relaxed);
            display.show(&Report::Progress { name: name.clone(), bytes, size: Some(size) });
            if stop.is_asked() {
                hang_up();
            }
        }
        (joined(sending.join()), joined(receiving.join()))
    });
    display.finish()?;
    stop.check()?;
    match (sent, received) {
        (Ok(sent), Ok(received)) => Ok((sent, received)),
        (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
        (Err(sender), Err(receiver)) => Err(nearer_the_cause(sender, receiver)),
    }
}

fn joined<T>(end: thread::Result<Result<T, Failure>>) -> Result<T, Failure> {
    end.unwrap_or_else(|_| {
        Err(Failure::new(ErrorName::Other, "one end panicked").with_advice("please report it"))
    })
}

/// Of what two ends say of one failure: rather what happened to a file than that the other end is gone.
fn nearer_the_cause(sender: Failure, receiver: Failure) -> Failure {
    let distance = |failure: &Failure| match failure.error {
        ErrorName::LocalFile => 0,
        ErrorName::LinkLost => 2,
        _ => 1,
    };
    if distance(&receiver) < distance(&sender) { receiver } else { sender }
}
