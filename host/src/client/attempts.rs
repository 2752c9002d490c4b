//! Working over one link after the other until everything is done, or it is of no use any more.

use std::time::Duration;

use sampan_core::Error;
use sampan_core::wire::Code;

use super::dial::{Redial, dial};
use super::tally::Tally;
use super::{ClientOptions, Outcome};
use crate::failure::{ErrorName, Failure};
use crate::link::{StreamLink, Url, Waker};
use crate::report::{Protocol, Report};

/// How long what was said last may take to be read.
const LINGER: Duration = Duration::from_secs(1);

/// What is done over links that may be lost.
pub(super) trait Task {
    /// Goes on over a new link; an error ends that link, and perhaps everything.
    fn work(&mut self, link: StreamLink) -> Result<(), Failure>;

    /// The link is gone: what was under way is to be begun again. Says what that was, if there was something.
    fn requeue(&mut self) -> Option<String>;

    /// How much is still to be done, in files.
    fn left(&self) -> u64;

    /// Grows as things come further.
    fn reached(&self) -> u64;

    /// What cannot go on over another link, though others might; none if this can.
    fn once(&self) -> Option<&'static str>;

    fn contact(&self) -> &Contact;

    fn contact_mut(&mut self) -> &mut Contact;

    fn tally(&mut self) -> &mut Tally;

    fn into_tally(self) -> Tally;
}

/// Whom a client deals with.
#[derive(Debug, Default)]
pub(super) struct Contact {
    /// The other end of the present link, or of the last one.
    pub(super) peer: String,
    /// How often a link was dialled with success, and how often a session was open.
    links: u32,
    sessions: u32,
}

impl Contact {
    /// A session is open.
    pub(super) fn opened(&mut self, tally: &Tally) {
        self.sessions += 1;
        let (peer, protocol) = (self.peer.clone(), Protocol::Framed);
        tally.reports().tell(Report::Connected { peer, protocol });
    }

    /// The peer's user has said something.
    pub(super) fn notice(&self, text: String, tally: &Tally) {
        tally.reports().tell(Report::Notice { text, peer: self.peer.clone() });
    }

    /// Something was said between frames.
    pub(super) fn console(&self, bytes: &[u8], tally: &Tally) {
        if let Some(report) = Report::console(bytes, &self.peer) {
            tally.reports().tell(report);
        }
    }
}

/// Whether anything is left when a session has ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Done,
    Left,
}

/// Does it all.
///
/// # Errors
///
/// If there is no first link. What happens after that is in the outcome.
pub(super) fn attempt<T: Task>(
    mut task: T,
    options: &ClientOptions,
    waker: &Waker,
) -> Result<Outcome, Failure> {
    let _registration = options.stop.register(waker.clone());
    let mut redial = Redial::new(options.retries);
    loop {
        let ended = match dial(options, waker) {
            Ok(link) => {
                let contact = task.contact_mut();
                contact.links += 1;
                contact.peer = link.peer();
                task.work(link)
            }
            Err(failure) if task.contact().links == 0 => return Err(failure),
            Err(failure) if failure.error == ErrorName::Interrupted => Err(failure),
            // It was there once: that it is not now may pass.
            Err(failure) => Err(Failure::new(ErrorName::LinkLost, failure.to_string())),
        };
        let Err(failure) = ended else { return Ok(task.into_tally().finish()) };
        let name = task.requeue();
        let (left, peer) = (task.left(), task.contact().peer.clone());
        let ended_at_once = task.contact().sessions == 0 && failure.error == ErrorName::LinkLost;
        if ended_at_once && matches!(options.url, Url::Exec(_)) {
            // Dialling again would only start it again.
            return Err(Failure::new(
                ErrorName::Connect,
                format!("no session with {}: {failure}", options.url),
            )
            .with_advice("does this command start a sampan that serves stdio:?"));
        }
        let once = task.once();
        let again = match (failure.error, once) {
            (ErrorName::Interrupted, _) => Err(failure.clone()),
            (error, None) if error.is_resumable() => {
                let reached = task.reached().saturating_add(task.tally().files());
                redial.again(reached, options)
            }
            _ => Ok(false),
        };
        let failure = match (again, once) {
            (Err(_), once) => return Ok(task.into_tally().interrupted(left, name, &peer, once)),
            (Ok(true), _) => continue,
            (Ok(false), Some(once)) => failure.for_good(once),
            (Ok(false), None) => failure,
        };
        task.tally().failed_many(left, name, &failure, Some(&peer));
        return Ok(task.into_tally().break_off(failure.error));
    }
}

/// What the end of a session means for a client, which lets go of the link.
pub(super) fn conclude(result: Result<(), Error>, rest: Rest, link: StreamLink) -> Result<(), Failure> {
    match (result, rest) {
        (Ok(()), Rest::Done) => Ok(()),
        (Ok(()), Rest::Left) => {
            Err(Failure::new(ErrorName::Closing, "the peer ended the session before everything was done"))
        }
        (Err(Error::Ended(Code::Cancelled)), _) => {
            link.close_gently(LINGER);
            Err(Failure::interrupted())
        }
        (Err(error), _) => Err(Failure::over(&link, error)),
    }
}

/// The system has no memory, no randomness or no event to give.
pub(super) fn nothing_to_give(error: std::io::Error) -> Failure {
    Failure::new(ErrorName::Other, format!("the system has nothing to give: {error}"))
}
