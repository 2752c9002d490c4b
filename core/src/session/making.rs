//! The frame in the making, which waits for the storage to fill it.

use super::outbox::Urgency;
use super::role::Role;
use super::sender::{Task, Turn};
use super::transitions::SessionState;
use super::{Asking, NoticeState, Session, Source};
use crate::action::Refusal;
use crate::framing::Framing;
use crate::storage::{Asked, Description};
use crate::units::WantId;
use crate::wire::{Code, Crc32, Data, Notice, UncheckedName, Want};

const NAME_TOO_LONG: Refusal =
    Refusal { code: Code::BadName, words: "the name is longer than the peer takes" };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    Nothing,
    Offer {
        slot: usize,
    },
    Want {
        want: WantId,
    },
    Data {
        slot: usize,
        offset: u64,
        room: usize,
    },
    /// No frame: the prefix is read into the free part of the transmit buffer.
    Prefix {
        slot: usize,
        room: usize,
    },
    End {
        slot: usize,
    },
    Notice {
        room: usize,
    },
}

impl Making {
    /// The slot of the transfer it belongs to.
    pub(super) fn slot(self) -> Option<usize> {
        match self {
            Self::Offer { slot }
            | Self::Data { slot, .. }
            | Self::Prefix { slot, .. }
            | Self::End { slot } => Some(slot),
            Self::Nothing | Self::Want { .. } | Self::Notice { .. } => None,
        }
    }
}

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    /// Chooses the next frame that needs the storage, and writes its fields.
    pub(super) fn make(&mut self) -> bool {
        // ATTACH goes ahead of all that is made here.
        let attaches = self.attach.is_some() && self.attaching == Asking::Due;
        if self.state != SessionState::Open || attaches {
            return false;
        }
        let room = self.outbox.room::<F>();
        let whole = F::fits(self.outbox.len());
        let control = self.shared.control_frame().min(whole);
        if self.notice == NoticeState::Asked && room >= control {
            let number = self.number;
            let mut w = self.outbox.begin::<F>(control);
            Notice { number, words: "" }.emit(&mut w);
            let (length, room) = (w.len(), w.room());
            self.outbox.built(length);
            self.making = Making::Notice { room };
            return true;
        }
        if room >= control {
            if let Some(want) = self.role.receiver().and_then(|receiver| receiver.asking()) {
                self.making = Making::Want { want };
                return true;
            }
        }
        if self.source == Source::Dry {
            return false;
        }
        let turn = self.turn();
        let Some(sender) = self.role.sender() else { return false };
        if self.shared.peer.transfers == 0 {
            sender.give_up_all();
        }
        if turn == Turn::Peers {
            sender.gives_way();
        }
        let Some(task) = sender.task(room, whole, turn, &self.shared) else { return false };
        let room = room.min(self.shared.peer.frame);
        let mut w = self.outbox.begin::<F>(room);
        self.making = match task {
            Task::Describe { slot } => Making::Offer { slot },
            Task::Verify { slot, room } => Making::Prefix { slot, room },
            Task::Fetch { slot, offset, room } => {
                if let Some(slot) = sender.slot(slot) {
                    Data::emit_header(slot.id, offset, &mut w);
                }
                Making::Data { slot, offset, room }
            }
            Task::Finish { slot } => {
                sender.end(slot, &mut w);
                Making::End { slot }
            }
        };
        let length = w.len();
        self.outbox.built(length);
        true
    }

    pub(super) fn finish_frame(&mut self, payload: usize) -> super::outbox::Sealed {
        let start = self.opening.sending;
        self.shared.spoke = self.shared.now;
        self.outbox.finish(&mut self.framing, &mut self.crc, start, payload, Urgency::Fill)
    }

    pub(super) fn describe(&mut self, slot: usize, description: Result<Description<'_>, Refusal>) {
        let description = match description {
            Ok(description) => description,
            Err(refusal) => return self.unmade(slot, refusal),
        };
        let Some(sender) = self.role.sender() else { return };
        let name = description.name.map_or(0, |name| name.as_str().len());
        let mut w = self.outbox.begin::<F>(self.shared.control_frame());
        sender.offer(slot, &description, &mut w);
        if w.is_full() || name > self.shared.peer.name as usize {
            return sender.failed(slot, NAME_TOO_LONG);
        }
        let length = w.len();
        sender.offered(slot, &description);
        self.outbox.built(length);
        self.finish_frame(0);
    }

    pub(super) fn ask(&mut self, want: WantId, asked: Result<Asked<'_>, Refusal>) {
        let Some(receiver) = self.role.receiver() else { return };
        let (listing, name) = match asked {
            Ok(Asked::File(name)) => (false, name.as_str()),
            Ok(Asked::Listing(prefix)) => (true, prefix.map_or("", |prefix| prefix.as_str())),
            Err(refusal) => return receiver.asked(want, Err(refusal)),
        };
        let mut w = self.outbox.begin::<F>(self.shared.control_frame());
        Want { number: want.0, listing, name: UncheckedName::new(name.as_bytes()) }.emit(&mut w);
        if w.is_full() || name.len() > self.shared.peer.name as usize {
            return receiver.asked(want, Err(NAME_TOO_LONG));
        }
        let length = w.len();
        receiver.asked(want, Ok(()));
        self.outbox.built(length);
        self.finish_frame(0);
    }

    pub(super) fn fetch(&mut self, (slot, offset): (usize, u64), fetched: Result<usize, Refusal>) {
        let length = match fetched {
            Ok(length) if length > 0 => length,
            Ok(_) => {
                self.outbox.built(0);
                if let Some(sender) = self.role.sender() {
                    sender.ended(slot, offset);
                }
                return;
            }
            Err(refusal) => return self.unmade(slot, refusal),
        };
        let sealed = self.finish_frame(length);
        if let Some(sender) = self.role.sender() {
            sender.fetched((slot, offset), length, sealed, &mut self.shift, &self.shared);
        }
    }

    pub(super) fn verify(&mut self, slot: usize, read: Result<usize, Refusal>) {
        let length = match read {
            Ok(length) => length,
            Err(refusal) => return self.unmade(slot, refusal),
        };
        if let Some(sender) = self.role.sender() {
            sender.verified(slot, self.outbox.payload::<F>(length), &mut self.crc, &mut self.shared);
        }
    }

    pub(super) fn finish(&mut self, slot: usize, finished: Result<usize, Refusal>) {
        let digest = self.role.sender().map_or(0, |sender| sender.digest().len());
        let length = match finished {
            Ok(length) if length == digest => length,
            Ok(_) => {
                let words = "the source has not given the digest it said it can make";
                return self.unmade(slot, Refusal { code: Code::Unsupported, words });
            }
            Err(refusal) => return self.unmade(slot, refusal),
        };
        self.finish_frame(length);
        if let Some(sender) = self.role.sender() {
            sender.finished(slot);
        }
    }

    /// The storage has not filled the frame: it is made again in the next round if the source has nothing now, else the transfer is given up.
    fn unmade(&mut self, slot: usize, refusal: Refusal) {
        self.outbox.built(0);
        if refusal.code == Code::Wait {
            self.source = Source::Dry;
        } else if let Some(sender) = self.role.sender() {
            sender.failed(slot, refusal);
        }
    }

    pub(super) fn notice(&mut self, length: usize) {
        self.finish_frame(length);
        self.notice = NoticeState::Sent;
    }
}
