//! What the session is made of. Without features it only receives, over a line that loses nothing; the features are there to be measured
//! (`scripts/footprint.sh`).

#[cfg(feature = "both")]
use sampan_core::{Both, Outgoing, Sender};
use sampan_core::{Incoming, Receiver, Session};

#[cfg(feature = "cobs")]
pub(crate) use sampan_core::Cobs as Framing;
#[cfg(not(feature = "cobs"))]
pub(crate) use sampan_core::Stream as Framing;

#[cfg(feature = "both")]
pub(crate) type Role = Both<'static>;
#[cfg(not(feature = "both"))]
pub(crate) type Role = Receiver<'static>;

pub(crate) type Engine = Session<'static, Role, Framing>;

/// Room for one transfer each way.
pub(crate) struct Slots {
    incoming: [Incoming; 1],
    #[cfg(feature = "both")]
    outgoing: [Outgoing; 1],
}

impl Slots {
    pub(crate) const FREE: Self = Self {
        incoming: [Incoming::FREE],
        #[cfg(feature = "both")]
        outgoing: [Outgoing::FREE],
    };

    #[cfg(not(feature = "both"))]
    pub(crate) fn role(&'static mut self) -> Role {
        Receiver::new(&mut self.incoming)
    }

    #[cfg(feature = "both")]
    pub(crate) fn role(&'static mut self) -> Role {
        Both { sender: Sender::new(&mut self.outgoing), receiver: Receiver::new(&mut self.incoming) }
    }
}
