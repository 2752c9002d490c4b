//! The receiver as an [`Engine`]: what is lent next, and what the answers do.

use super::{PartState, Receiver, Report, Sink};
use crate::action::{Action, By, Ending, Event, Failure, Next, Offered, Refusal};
use crate::classic::TRANSFER;
use crate::classic::transitions::{ReceiverEvent, ReceiverState};
use crate::engine::Engine;
use crate::storage::{Asked, Description, Part};
use crate::units::{Instant, TransferId};
use crate::wire::{Crc32, DigestKind, Identity, Offer};

impl<C: Crc32> Engine for Receiver<'_, C> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.spare()
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.line.heard(now);
        self.take(n);
    }

    /// The end of the stream is no fault here, and the last reply may still go; what fails after it has failed.
    fn link_lost(&mut self, now: Instant) {
        self.line.heard(now);
        self.line.lost();
    }

    fn next(&mut self, now: Instant) -> Next {
        self.line.polled(now);
        self.advance();
        if self.state == ReceiverState::Saying {
            return Next::Storage;
        }
        if self.line.can_transmit() {
            return Next::Transmit;
        }
        if self.part == PartState::Discarded {
            return Next::Storage;
        }
        match self.state {
            ReceiverState::Deciding | ReceiverState::Complete => return Next::Storage,
            ReceiverState::Receiving if !self.held.is_empty() => {
                if self.sink == Sink::Ready {
                    return Next::Storage;
                }
                return Next::Wait(Some(self.line.now()));
            }
            _ => {}
        }
        if self.report.is_some() {
            return Next::Event;
        }
        match self.due_at() {
            None => Next::Closed,
            until => Next::Wait(until),
        }
    }

    fn poll(&mut self, now: Instant) -> Action<'_> {
        match self.next(now) {
            Next::Transmit => Action::Transmit(self.line.waiting()),
            Next::Wait(until) => {
                self.sink = Sink::Ready;
                self.line.waited();
                Action::Wait { until }
            }
            Next::Closed => Action::Closed(self.error.map_or(Ok(()), Err)),
            Next::Event => self.lend_event(),
            Next::Storage if self.part == PartState::Discarded => {
                self.part = PartState::None;
                Action::Abandon { transfer: TRANSFER, part: Part::Discard }
            }
            Next::Storage => self.lend(),
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        self.due_at()
    }

    fn transmitted(&mut self, n: usize) {
        self.line.transmitted(n);
    }

    fn described(&mut self, _: Result<Description<'_>, Refusal>) {}

    fn asked(&mut self, _: Result<Asked<'_>, Refusal>) {}

    fn fetched(&mut self, _: Result<usize, Refusal>) {}

    fn finished(&mut self, _: Result<usize, Refusal>) {}

    fn said(&mut self, n: usize) {
        self.told(n);
    }

    fn stored(&mut self, n: Result<usize, Refusal>) {
        if self.state != ReceiverState::Receiving || self.held.is_empty() {
            return;
        }
        match n {
            Ok(0) => self.sink = Sink::Busy,
            Ok(n) => {
                let n = n.min(self.held.len());
                let end = self.held.start.saturating_add(n);
                let taken = self.buffer.get(self.held.start..end).unwrap_or_default();
                self.check = self.crc.update(self.check, taken);
                self.stored = self.stored.saturating_add(n as u64);
                self.held.start = end;
                self.line.restart();
            }
            Err(refusal) => self.reject(refusal),
        }
    }

    fn synced(&mut self, _: TransferId, _: u64) {}

    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>) {
        if self.state == ReceiverState::Committing && transfer == TRANSFER {
            self.done(result);
        }
    }
}

impl<C: Crc32> Receiver<'_, C> {
    fn lend(&mut self) -> Action<'_> {
        match self.state {
            ReceiverState::Deciding => Action::Offered(Offered {
                offer: Offer {
                    transfer: TRANSFER.0,
                    size: Some(self.size.value()),
                    modified: None,
                    executable: false,
                    directory: false,
                    restart: false,
                    want: None,
                    listing: false,
                    digest: DigestKind::Crc32,
                    identity: Identity::EMPTY,
                    name: self.name.name(self.buffer),
                },
                transfer: TRANSFER,
                answer: &mut self.answer,
            }),
            ReceiverState::Complete => {
                self.step(ReceiverEvent::Commit);
                let end =
                    Ending { size: self.stored, check: self.check, digest: DigestKind::Crc32, value: &[] };
                Action::Commit { transfer: TRANSFER, end }
            }
            ReceiverState::Saying => {
                let (number, room) = (self.number, self.room_for_words());
                Action::Say { number, into: self.line.room().get_mut(..room).unwrap_or_default() }
            }
            _ => Action::Store {
                transfer: TRANSFER,
                offset: self.stored,
                data: self.buffer.get(self.held.clone()).unwrap_or_default(),
            },
        }
    }

    fn lend_event(&mut self) -> Action<'_> {
        match self.report.take() {
            Some(Report::Received) => Action::Event(Event::Received { transfer: TRANSFER }),
            Some(Report::Failed(Refusal { code, words })) => {
                Action::Event(Event::ReceiveFailed(Failure { transfer: TRANSFER, code, words, by: By::Us }))
            }
            None => Action::Wait { until: Some(self.line.now()) },
        }
    }
}
