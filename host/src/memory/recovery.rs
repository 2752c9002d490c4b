//! What a session remembers of lost frames, on links that lose some.

use heapless::Vec;
use sampan_core::{Both, Incoming, Missing, Outgoing, Receiver, Reliability, Sender, Stretches};

/// How many gaps a receiver, and how many missing ranges a sender, remembers on a serial line.
const LINE: usize = 64;

/// The same where frames are datagrams, of which more are under way.
const DATAGRAM_GAPS: usize = 1024;
const DATAGRAM_REPAIRS: usize = 256;

/// The memory for it, which is taken once a session is made on such a link.
#[derive(Debug, Default)]
pub(super) enum Recovery {
    #[default]
    None,
    Line(Box<Lists<LINE, LINE>>),
    Datagrams(Box<Lists<DATAGRAM_GAPS, DATAGRAM_REPAIRS>>),
}

#[derive(Debug, Default)]
pub(super) struct Lists<const GAPS: usize, const REPAIRS: usize> {
    stretches: Stretches<GAPS>,
    missing: Vec<Missing, REPAIRS>,
}

impl Recovery {
    fn suit(&mut self, link: Reliability) -> &mut Self {
        match (link, &self) {
            (Reliability::Reliable, _)
            | (Reliability::Lossy, Self::Line(_))
            | (Reliability::Datagrams, Self::Datagrams(_)) => {}
            (Reliability::Lossy, _) => *self = Self::Line(Box::default()),
            (Reliability::Datagrams, _) => *self = Self::Datagrams(Box::default()),
        }
        self
    }

    /// The sender of a session on such a link.
    pub(super) fn sender<'m>(&'m mut self, link: Reliability, slots: &'m mut [Outgoing]) -> Sender<'m> {
        match self.suit(link) {
            Self::None => Sender::new(slots),
            Self::Line(lists) => Sender::with_repairs(slots, &mut lists.missing),
            Self::Datagrams(lists) => Sender::with_repairs(slots, &mut lists.missing),
        }
    }

    /// The receiver of a session on such a link.
    pub(super) fn receiver<'m>(&'m mut self, link: Reliability, slots: &'m mut [Incoming]) -> Receiver<'m> {
        match self.suit(link) {
            Self::None => Receiver::new(slots),
            Self::Line(lists) => Receiver::with_gaps(slots, &mut lists.stretches),
            Self::Datagrams(lists) => Receiver::with_gaps(slots, &mut lists.stretches),
        }
    }

    /// Both of them.
    pub(super) fn both<'m>(
        &'m mut self,
        link: Reliability,
        outgoing: &'m mut [Outgoing],
        incoming: &'m mut [Incoming],
    ) -> Both<'m> {
        match self.suit(link) {
            Self::None => Both { sender: Sender::new(outgoing), receiver: Receiver::new(incoming) },
            Self::Line(lists) => lists.both(outgoing, incoming),
            Self::Datagrams(lists) => lists.both(outgoing, incoming),
        }
    }
}

impl<const GAPS: usize, const REPAIRS: usize> Lists<GAPS, REPAIRS> {
    fn both<'m>(&'m mut self, outgoing: &'m mut [Outgoing], incoming: &'m mut [Incoming]) -> Both<'m> {
        Both {
            sender: Sender::with_repairs(outgoing, &mut self.missing),
            receiver: Receiver::with_gaps(incoming, &mut self.stretches),
        }
    }
}
