//! What a session is composed of: a sender, a receiver, or both.

use super::receiver::Receiver;
use super::sender::Sender;

pub(super) mod sealed {
    use super::{Both, Receiver, Sender};

    pub trait Sealed {
        /// The same, in the same memory, for another session.
        fn renewed(self) -> Self;
    }

    impl Sealed for Sender<'_> {
        fn renewed(self) -> Self {
            Sender::renewed(self)
        }
    }

    impl Sealed for Receiver<'_> {
        fn renewed(self) -> Self {
            Receiver::renewed(self)
        }
    }

    impl Sealed for Both<'_> {
        fn renewed(self) -> Self {
            Self { sender: self.sender.renewed(), receiver: self.receiver.renewed() }
        }
    }
}

/// The halves that a session has. What it has not is not linked.
pub trait Role<'b>: sealed::Sealed {
    /// Its sender, if it has one.
    fn sender(&mut self) -> Option<&mut Sender<'b>>;

    /// Its receiver, if it has one.
    fn receiver(&mut self) -> Option<&mut Receiver<'b>>;
}

/// A role that can send.
pub trait Sends<'b>: Role<'b> {}

/// A role that can receive.
pub trait Receives<'b>: Role<'b> {}

/// A sender and a receiver in one session; both directions may run at once.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Both<'b> {
    /// The sender.
    pub sender: Sender<'b>,
    /// The receiver.
    pub receiver: Receiver<'b>,
}

impl<'b> Role<'b> for Sender<'b> {
    fn sender(&mut self) -> Option<&mut Self> {
        Some(self)
    }

    fn receiver(&mut self) -> Option<&mut Receiver<'b>> {
        None
    }
}

impl<'b> Role<'b> for Receiver<'b> {
    fn sender(&mut self) -> Option<&mut Sender<'b>> {
        None
    }

    fn receiver(&mut self) -> Option<&mut Self> {
        Some(self)
    }
}

impl<'b> Role<'b> for Both<'b> {
    fn sender(&mut self) -> Option<&mut Sender<'b>> {
        Some(&mut self.sender)
    }

    fn receiver(&mut self) -> Option<&mut Receiver<'b>> {
        Some(&mut self.receiver)
    }
}

impl<'b> Sends<'b> for Sender<'b> {}
impl<'b> Sends<'b> for Both<'b> {}
impl<'b> Receives<'b> for Receiver<'b> {}
impl<'b> Receives<'b> for Both<'b> {}
