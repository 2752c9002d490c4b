//! Running a client while what it has to tell is shown.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use sampan::Reports;
use sampan::client::{ClientOptions, Outcome};
use sampan::failure::{ErrorName, Failure};
use sampan::link::Url;
use sampan::report::Report;
use sampan::stop::Stop;

use super::cli::clients::LinkArguments;
use super::display::{Display, Style};
use super::ending::Ending;
use super::values::Size;

/// How often an interruption is noticed, and what is due is shown.
const TICK: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(1);

/// The URL that was typed, of what a client can dial.
pub(super) fn dialled(typed: &str) -> Result<Url, Failure> {
    let url = url(typed)?;
    if url == Url::Stdio {
        return Err(Failure::new(ErrorName::Usage, "stdio: is for servers")
            .with_advice("start the program that speaks there with exec:COMMAND"));
    }
    Ok(url)
}

/// The URL that was typed.
pub(super) fn url(typed: &str) -> Result<Url, Failure> {
    typed.parse().map_err(|error| Failure::new(ErrorName::Usage, format!("{typed:?}: {error}")))
}

/// How a client goes about it, as it was typed.
pub(super) fn options(url: Url, link: &LinkArguments, rate: Option<Size>, stop: Stop) -> ClientOptions {
    ClientOptions {
        digest: link.digest.map(Into::into),
        retries: link.retries,
        timeout: link.timeout.0,
        rate: rate.map(|rate| rate.0),
        stop,
        ..ClientOptions::new(url)
    }
}

/// Whether there is more to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Something,
    /// There may be more.
    Nothing,
    Everything,
}

/// Shows what is told within a tick.
pub(super) fn show_some(told: &Receiver<Report>, display: &mut Display) -> Told {
    match told.recv_timeout(TICK) {
        Ok(report) => {
            display.show(&report);
            told.try_iter().for_each(|report| display.show(&report));
            // Who works does not have to wake this thread for every report.
            thread::sleep(PAUSE);
            Told::Something
        }
        Err(RecvTimeoutError::Timeout) => {
            display.tick();
            Told::Nothing
        }
        Err(RecvTimeoutError::Disconnected) => Told::Everything,
    }
}

/// Works in one thread and shows in this one.
pub(super) fn show(
    style: Style,
    stop: &Stop,
    work: impl FnOnce(&Reports) -> Result<Outcome, Failure> + Send,
) -> Result<(), Ending> {
    let (reports, told) = Reports::new();
    let mut display = Display::new(style);
    let outcome = thread::scope(|scope| {
        let working = scope.spawn(move || work(&reports));
        while show_some(&told, &mut display) != Told::Everything {
            if display.is_unread() {
                stop.ask();
            }
        }
        working.join()
    });
    let unread = display.is_unread();
    display.finish()?;
    let crashed = || Failure::new(ErrorName::Other, "it has crashed").with_advice("please report it");
    match outcome.map_err(|_| crashed())? {
        // Whoever reads no further has what he wanted.
        Err(failure) if unread && failure.error == ErrorName::Interrupted => Ok(()),
        Err(failure) => Err(failure.into()),
        Ok(Outcome { error: Some(error), .. }) => Err(Ending::Said(error)),
        Ok(Outcome { error: None, .. }) => Ok(()),
    }
}
