//! A connection that speaks the framed protocol.

use sampan_core::wire::{Code, DigestList};
use sampan_core::{Error, Instant, Limits, Millis, Speaks};

use super::ServerOptions;
use super::connection::{Admission, Client};
use crate::digests;
use crate::failure::{ErrorName, Failure};
use crate::link::{Nature, StreamLink};
use crate::memory::{Begins, Memory, Opening};
use crate::report::Protocol;
use crate::serving::{Ended, Patience, Serving, Step};
use crate::store::{Accepts, Serves};

/// Serves one session. `begins` is how the one before on this link, or whoever gave it its number, said
/// that it begins, if anybody did; says the same of the next.
pub(super) fn serve(client: &Client<'_>, link: StreamLink, begins: Option<Begins>) -> Option<Begins> {
    session(client, link, begins).unwrap_or_else(|failure| {
        client.teller.connection_failed(None, &failure);
        None
    })
}

fn session(client: &Client<'_>, link: StreamLink, begins: Option<Begins>) -> Result<Option<Begins>, Failure> {
    let no_memory =
        |error| Failure::new(ErrorName::Other, format!("the system has no memory to give: {error}"));
    let (frame, transfers) = (client.frame(), client.transfers());
    let mut memory =
        Memory::for_link(&link, frame, transfers, limits(&client.service.options)).map_err(no_memory)?;
    // What comes over a line before a session is open may be anything: it is no failure.
    let is_line = matches!(link.nature(), Nature::Line { .. });
    let opening = Opening::new(Speaks::Second, client.clock).map_err(no_memory)?;
    let opening = match begins {
        Some((speaks, nonce)) => Opening { speaks, nonce, since: client.clock.now() },
        None => Opening { since: Instant::ZERO, ..opening },
    };
    let (allow, store) = (client.allow, &client.service.store);
    let accepts = if allow.put { Accepts::Anything } else { Accepts::Nothing };
    let desk = &client.member.desk;
    let sink = store.sink(accepts, client.on_conflict(Protocol::Framed), &desk.control);
    let source = store.source(Serves { get: allow.get, list: allow.list }, link.nature());
    let options = &client.service.options;
    let patience = Patience { idle: options.idle, min_rate: options.min_rate };
    let mut serving = Serving::begin(
        &mut memory,
        (opening, client.clock),
        link,
        (sink, source),
        (desk, &client.teller),
        Some(patience),
    )?;
    let mut opened = Opened::No;
    let result = run(client, &mut serving, &mut opened);
    let begins = serving.successor();
    let Ended { failure, names } = serving.end(result);
    let Some(failure) = failure else { return Ok(None) };
    if client.admission == Admission::Busy {
        let busy = Failure::new(ErrorName::Busy, "refused: too many connections")
            .with_advice("allow more with --max-connections");
        client.teller.connection_failed(None, &busy);
    } else if is_line && opened == Opened::No {
        tracing::info!("{}: no session: {failure}", client.member.peer);
    } else if names.is_empty() {
        client.teller.connection_failed(None, &failure);
    }
    for name in names {
        client.teller.connection_failed(Some(name), &failure);
    }
    Ok(begins)
}

pub(super) fn limits(options: &ServerOptions) -> Limits {
    Limits {
        checks: digests::ALL.iter().fold(DigestList::new(&[options.digest]), DigestList::with),
        makes: digests::ALL,
        handshake: options.handshake,
        silence: Millis(30_000),
        ..Limits::LARGE
    }
}

/// Whether the session has been open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    No,
    Yes,
}

fn run(client: &Client<'_>, serving: &mut Serving<'_>, opened: &mut Opened) -> Result<(), Error> {
    loop {
        match serving.step()? {
            Step::Nothing => {}
            Step::Opened if client.admission == Admission::Busy => serving.abort(Code::Busy),
            Step::Opened => {
                *opened = Opened::Yes;
                client.teller.connected();
            }
            Step::Attached(_) if !client.allow.attach => serving.abort(Code::NotAllowed),
            Step::Attached(name) => {
                serving.stays();
                let name = client.service.registry.attach(client.member, &name);
                client.teller.attached(name);
            }
            Step::Closed => return Ok(()),
        }
    }
}
