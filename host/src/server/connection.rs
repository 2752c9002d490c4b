//! One connection of a server, from its first byte.

use std::time::{Duration, Instant};

use std::sync::Arc;

use super::registry::{Member, Registry};
use super::{Allow, ServerOptions, classic, framed};
use crate::clock::Clock;
use crate::control::{Control, Order};
use crate::failure::{ErrorName, Failure};
use crate::link::StreamLink;
use crate::memory::{Begins, FRAME, TRANSFERS};
use crate::report::Protocol;
use crate::reports::Reports;
use crate::serving::Teller;
use crate::store::{OnConflict, Store};

/// How long those have to say what they speak who are only to be told that it is busy.
const BUSY_HANDSHAKE: Duration = Duration::from_secs(2);
/// From so many connections on each has a smaller buffer.
const MANY: usize = 64;
const SMALL_FRAME: usize = 64 << 10;
/// So many transfers at a time that one may have open then.
const FEW: usize = 32;
/// The first byte of the framed protocol (`docs/protocol.md` §2.1); any other begins a name (§14).
const FRAMED: u8 = 0xF5;

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) options: ServerOptions,
    pub(super) reports: Reports,
    pub(super) registry: Arc<Registry>,
}

/// Whether a connection is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Served,
    /// It is only told that there are too many.
    Busy,
}

/// One connection, and what it may do.
pub(super) struct Client<'s> {
    pub(super) service: &'s Service,
    pub(super) member: &'s Arc<Member>,
    pub(super) admission: Admission,
    pub(super) clock: Clock,
    pub(super) allow: Allow,
    /// Whether it comes from this computer.
    pub(super) local: Locality,
    pub(super) teller: Teller,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locality {
    Here,
    Elsewhere,
}

impl Client<'_> {
    /// What happens to names that exist.
    pub(super) fn on_conflict(&self, protocol: Protocol) -> OnConflict {
        self.service.options.on_conflict.unwrap_or(match (self.local, protocol) {
            (Locality::Here, Protocol::Framed) => OnConflict::Replace,
            _ => OnConflict::Keep,
        })
    }

    /// The largest frame it may send.
    pub(super) fn frame(&self) -> usize {
        match self.admission {
            Admission::Busy => 4096,
            Admission::Served if self.service.registry.count() > MANY => SMALL_FRAME,
            Admission::Served => FRAME,
        }
    }

    /// How many transfers it may have open at a time in each direction.
    pub(super) fn transfers(&self) -> usize {
        match self.admission {
            Admission::Busy => 1,
            Admission::Served if self.service.registry.count() > MANY => FEW,
            Admission::Served => TRANSFERS,
        }
    }
}

/// What a peer speaks.
enum Speech {
    Framed,
    Classic,
    /// Something else, by its name.
    Strange(&'static str),
    Nothing,
    Gone,
}

/// Serves one session of a line, on which anything may be said first, or over datagrams. `begins` is how it was said that it begins, by the session before
/// or with its number, if it was; says the same of the next.
pub(super) fn serve_session(
    service: &Service,
    link: StreamLink,
    member: &Arc<Member>,
    begins: Option<Begins>,
) -> Option<Begins> {
    member.desk.speaks(Protocol::Framed);
    let client = client(service, &link, (member, Admission::Served), Clock::start(), Protocol::Framed);
    framed::serve(&client, link, begins)
}

/// Serves it until its end.
pub(super) fn serve(service: &Service, mut link: StreamLink, member: &Arc<Member>, admission: Admission) {
    let clock = Clock::start();
    let handshake = match admission {
        Admission::Served => service.options.handshake.into(),
        Admission::Busy => BUSY_HANDSHAKE,
    };
    let speech = listen(&mut link, &member.desk.control, handshake);
    let protocol = if matches!(speech, Speech::Classic) { Protocol::Classic } else { Protocol::Framed };
    if matches!(speech, Speech::Classic | Speech::Framed) {
        member.desk.speaks(protocol);
    }
    let client = client(service, &link, (member, admission), clock, protocol);
    let failure = match speech {
        Speech::Framed => {
            framed::serve(&client, link, None);
            return;
        }
        Speech::Classic => return classic::serve(&client, link),
        Speech::Gone => return,
        Speech::Strange(what) => {
            Failure::new(ErrorName::NotSampan, format!("the peer speaks {what}, which is not served here"))
        }
        Speech::Nothing => Failure::new(
            ErrorName::Timeout,
            format!("the peer said nothing for {} s", handshake.as_secs_f64()),
        ),
    };
    client.teller.connection_failed(None, &failure);
}

fn client<'s>(
    service: &'s Service,
    link: &StreamLink,
    (member, admission): (&'s Arc<Member>, Admission),
    clock: Clock,
    protocol: Protocol,
) -> Client<'s> {
    Client {
        service,
        member,
        admission,
        clock,
        allow: service.options.allow.unwrap_or(Allow::ALL),
        local: if link.is_local() { Locality::Here } else { Locality::Elsewhere },
        teller: Teller::new(service.reports.clone(), link.peer(), protocol),
    }
}

/// Waits for the first byte.
fn listen(link: &mut StreamLink, control: &Control, within: Duration) -> Speech {
    let until = Instant::now() + within;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match link.peek(1, left) {
            Ok([FRAMED, ..]) => return Speech::Framed,
            Ok(first @ [_, ..]) => return stranger(first).map_or(Speech::Classic, Speech::Strange),
            Ok([]) => {}
            Err(_) => return Speech::Gone,
        }
        if link.has_ended() || !matches!(control.order(), Order::GoOn | Order::Finish) {
            return Speech::Gone;
        }
        if left.is_zero() {
            return Speech::Nothing;
        }
    }
}

/// What is often said by mistake where no name of a file is.
fn stranger(first: &[u8]) -> Option<&'static str> {
    const METHODS: [&[u8]; 9] = [
        b"GET /",
        b"POST /",
        b"HEAD /",
        b"PUT /",
        b"DELETE /",
        b"OPTIONS ",
        b"PATCH /",
        b"CONNECT ",
        b"PRI * ",
    ];
    if first.starts_with(&[0x16, 0x03]) {
        Some("TLS")
    } else if first.starts_with(b"SSH-") {
        Some("SSH")
    } else if first.starts_with(b"PROXY ") || first.starts_with(b"\r\n\r\n\0\r\nQUIT\n") {
        Some("the PROXY protocol")
    } else if METHODS.iter().any(|method| first.starts_with(method)) {
        Some("HTTP")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_known() {
        assert_eq!(stranger(b"GET /index.html HTTP/1.1\r\n"), Some("HTTP"));
        assert_eq!(stranger(b"\x16\x03\x01\x02\x00"), Some("TLS"));
        assert_eq!(stranger(b"SSH-2.0-OpenSSH\r\n"), Some("SSH"));
        assert_eq!(stranger(b"PROXY TCP4 1.2.3.4"), Some("the PROXY protocol"));
        for name in [&b"GET started.txt"[..], b"a", b"SSH", b"\xf0\x9f\x9a\xa4.txt"] {
            assert_eq!(stranger(name), None);
        }
    }
}
