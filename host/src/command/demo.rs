//! `sampan demo`: a file from a client to a server over loopback TCP, within one process.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use sampan::client::{ClientOptions, Outcome, Plan, send};
use sampan::failure::{ErrorName, Failure};
use sampan::link::Url;
use sampan::report::{Moved, Report};
use sampan::server::{Server, ServerOptions};
use sampan::source::{ItemKind, open_regular};
use sampan::stop::Stop;
use sampan::store::{Store, StoreOptions};
use sampan::{Doing, FileError, Reports};
use sampan_core::wire::DigestKind;
use tempfile::TempDir;

use super::cli::DemoArguments;
use super::display::{Display, Rate, Size, Style};
use super::made_up;
use super::stop_at_signals;

pub(crate) fn run(arguments: &DemoArguments, style: Style) -> Result<(), Failure> {
    let voice = style.voice;
    let stop = stop_at_signals()?;
    let named = arguments.file.as_deref().map(size_of).transpose()?;
    let place = Place::new()?;
    let path = match (&arguments.file, named) {
        (Some(path), Some(size)) => {
            voice.say(format_args!("file      {path:?}, {}", Size(size)))?;
            path.clone()
        }
        _ => {
            voice.say(format_args!("file      made up, {}", Size(made_up::SIZE as u64)))?;
            made_up::write(&place.made_up(), &stop)?;
            place.made_up()
        }
    };
    let plan = Plan::new(&[path], None)?;
    let kind = arguments.digest.into();
    let (sent, received) = transfer(plan, &place.received(), kind, Display::new(style), stop)?;
    let digest = |moved: &Moved| moved.digest.clone().unwrap_or_default().replacen(':', " ", 1);
    voice.say(format_args!("sent      {}", digest(&sent)))?;
    voice.say(format_args!("received  {}", digest(&received)))?;
    if sent.digest != received.digest {
        return Err(Failure::new(ErrorName::Integrity, "the digests of the two ends differ")
            .with_advice("this must not happen: please report it"));
    }
    let rate = Rate(received.size, Duration::from_secs_f64(sent.seconds));
    voice.say(format_args!(
        "verified  {} in {:.3} s, flushed to disk: {rate}",
        Size(received.size),
        sent.seconds
    ))?;
    place.remove()
}

fn size_of(path: &Path) -> Result<u64, Failure> {
    let (_, metadata) =
        open_regular(path, ItemKind::Named).map_err(|cause| FileError::new(Doing::Open, path, cause))?;
    Ok(metadata.len())
}

/// A temporary folder, which is removed whatever happens.
struct Place(TempDir);

impl Place {
    fn new() -> Result<Self, Failure> {
        let parent = std::env::temp_dir();
        let made = tempfile::Builder::new().prefix("sampan-demo-").tempdir_in(&parent);
        Ok(Self(made.map_err(|cause| FileError::new(Doing::Create, &parent, cause))?))
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

/// Runs a server, and a client in a thread of its own, while this one shows progress. What each has to say of the file.
fn transfer(
    plan: Plan,
    directory: &Path,
    kind: DigestKind,
    mut display: Display,
    stop: Stop,
) -> Result<(Moved, Moved), Failure> {
    let store = Store::open(directory, StoreOptions::default())?;
    let listen = vec![Url::Tcp { host: "127.0.0.1".into(), port: 0 }];
    let (server, server_says) =
        Server::start(store, ServerOptions { listen, digest: kind, ..ServerOptions::default() })?;
    let url = server.urls().first().cloned().unwrap_or_default();
    let options = ClientOptions { digest: Some(kind), stop: stop.clone(), ..ClientOptions::new(url) };
    let (reports, client_says) = Reports::new();
    let (outcome, sent) = thread::scope(|scope| {
        let sending = scope.spawn(move || send(plan, &options, &reports));
        let mut sent = None;
        let mut failed = None;
        for report in client_says {
            match report {
                Report::Sent(moved) => sent = Some(moved),
                Report::Failed(failure) => failed = Some(Failure::new(failure.error, failure.message)),
                report @ Report::Progress { .. } => display.show(&report),
                _ => {}
            }
        }
        (sending.join(), sent.ok_or(failed))
    });
    display.finish()?;
    server.ask_to_stop();
    let received = received(&server_says);
    server.stop();
    stop.check()?;
    let crashed = || Failure::new(ErrorName::Other, "the client has crashed").with_advice("please report it");
    let Outcome { .. } = outcome.map_err(|_| crashed())??;
    let sent = sent.map_err(|failed| failed.unwrap_or_else(crashed))?;
    Ok((sent, received?))
}

/// What the server says of the one file, until it has stopped.
fn received(reports: &Receiver<Report>) -> Result<Moved, Failure> {
    let mut outcome = Err(Failure::new(ErrorName::Other, "the server has nothing received"));
    for report in reports {
        match report {
            Report::Received(moved) => outcome = Ok(moved),
            // Once it has the file, it may stop before the client has said goodbye.
            Report::Failed(failed) if outcome.is_err() => {
                outcome = Err(Failure::new(failed.error, failed.message));
            }
            _ => {}
        }
    }
    outcome
}
