//! What is asked of the caller next.

use super::Moment;
use super::frames::Heading;
use super::framing::Framing;
use super::owed::{Owed, Reply};
use super::receiver::{Farewell, Link, Phase, Receiver, Sink, Todo};
use crate::action::{Action, Ending, Next, Offered, Refusal};
use crate::engine::Engine;
use crate::error::LinkError;
use crate::session::transitions::SessionState;
use crate::storage::{Asked, Description, Part};
use crate::units::{Instant, TransferId};
use crate::wire::{Code, Crc32, DigestKind, Identity, Offer, UncheckedName};

/// How long the caller may wait, in microseconds.
const ROUND: u64 = 250_000;

impl<F: Framing, C: Crc32> Receiver<'_, F, C> {
    fn closes(&self) -> bool {
        let ending = self.state == SessionState::Ending;
        ending && !self.is_speaking() && self.owed == Owed::NOTHING && self.todo == Todo::Nothing
    }

    /// What the storage is asked or told.
    fn lend(&mut self) -> Action<'_> {
        let transfer = TransferId(self.id);
        let offset = self.received.into();
        let check = self.check;
        let todo = self.todo;
        if !self.holds_frame() {
            let leaves = todo == Todo::Sync && self.phase == Phase::Idle;
            self.todo = if leaves { Todo::Abandon } else { Todo::Nothing };
        }
        match todo {
            Todo::Offer => {
                self.at = 1;
                let Heading { id, flags, size, .. } = self.heading();
                let length = usize::from(self.u8());
                let rest = self.receive.get(self.at..self.stop).unwrap_or_default();
                let (identity, name) = rest.split_at_checked(length).unwrap_or_default();
                let offer = Offer {
                    transfer: id,
                    size: if flags & Offer::SIZE != 0 { Some(size.into()) } else { None },
                    modified: None,
                    executable: flags & Offer::EXECUTABLE != 0,
                    directory: flags & Offer::DIRECTORY != 0,
                    restart: flags & Offer::RESTART != 0,
                    want: None,
                    listing: flags & Offer::LISTING != 0,
                    digest: DigestKind::Crc32,
                    identity: Identity::new(identity).unwrap_or_default(),
                    name: UncheckedName::new(name),
                };
                Action::Offered(Offered { offer, transfer, answer: &mut self.answer })
            }
            Todo::Store => {
                let data = self.receive.get(self.from..self.to).unwrap_or_default();
                Action::Store { transfer, offset, data }
            }
            Todo::Sync => {
                self.unsynced = 0;
                Action::Sync { transfer, offset, check }
            }
            Todo::Commit => {
                let end = Ending { size: offset, check, digest: DigestKind::Crc32, value: &[] };
                Action::Commit { transfer, end }
            }
            Todo::Nothing | Todo::Abandon => Action::Abandon { transfer, part: self.leaving },
        }
    }
}

impl<F: Framing, C: Crc32> Engine for Receiver<'_, F, C> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.receive.get_mut(self.tail..).unwrap_or_default()
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.now = Moment::of(now);
        self.tail = self.tail.saturating_add(n).min(self.receive.len());
        if !F::LOSSY && self.is_open() {
            self.heard = self.now;
        }
    }

    fn link_lost(&mut self, now: Instant) {
        self.now = Moment::of(now);
        self.fail(LinkError::Lost.into());
        self.cut();
    }

    #[inline(never)]
    fn next(&mut self, now: Instant) -> Next {
        self.polled = now;
        self.now = Moment::of(now);
        if let Some(answer) = self.answer.take() {
            self.decided(answer);
        }
        loop {
            let idle = !self.is_speaking();
            if !idle && self.link == Link::Ready {
                return Next::Transmit;
            }
            if idle && self.owed != Owed::NOTHING {
                self.emit();
                continue;
            }
            if self.todo != Todo::Nothing && !(self.todo == Todo::Store && self.asked == Sink::Busy) {
                return Next::Storage;
            }
            match self.state {
                SessionState::Closed => return Next::Closed,
                SessionState::Ending if self.closes() => {
                    self.state = SessionState::Closed;
                    continue;
                }
                SessionState::Opening | SessionState::Open if idle && self.todo == Todo::Nothing => {
                    if self.take() {
                        continue;
                    }
                    if F::LOSSY && self.untold > 0 && self.phase == Phase::Receiving {
                        self.owed.add(Owed::ACK);
                        continue;
                    }
                    if self.bye == Farewell::Heard && self.phase == Phase::Idle {
                        self.bye = Farewell::NotYet;
                        self.state = SessionState::Ending;
                        self.heard = self.now;
                        self.owed.add(Owed::BYE);
                        continue;
                    }
                }
                _ => {}
            }
            if !self.expire() {
                return Next::Wait(Some(now.after_micros(ROUND)));
            }
        }
    }

    fn poll(&mut self, now: Instant) -> Action<'_> {
        match self.next(now) {
            Next::Transmit => Action::Transmit(self.transmit.get(self.sent..self.end).unwrap_or_default()),
            Next::Storage => self.lend(),
            Next::Wait(until) => {
                self.link = Link::Ready;
                self.asked = Sink::Ready;
                Action::Wait { until }
            }
            Next::Event | Next::Closed => Action::Closed(self.error.map_or(Ok(()), Err)),
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        Some(self.polled.after_micros(ROUND)).filter(|_| self.state != SessionState::Closed)
    }

    fn transmitted(&mut self, n: usize) {
        if n == 0 {
            self.link = Link::Busy;
        }
        self.sent = self.sent.saturating_add(n).min(self.end);
    }

    fn stored(&mut self, n: Result<usize, Refusal>) {
        if self.todo != Todo::Store {
            return;
        }
        match n {
            Ok(n) => self.took(n),
            Err(refusal) => self.failed(refusal),
        }
    }

    fn synced(&mut self, transfer: TransferId, durable: u64) {
        let durable = u32::try_from(durable).unwrap_or_default().min(self.received);
        if transfer.0 == self.id && durable > self.durable && self.phase == Phase::Receiving {
            self.durable = durable;
            self.owed.add(Owed::ACK);
        }
    }

    fn committed(&mut self, transfer: TransferId, result: Result<(), Refusal>) {
        if transfer.0 != self.id || self.phase != Phase::Committing {
            return;
        }
        self.phase = Phase::Idle;
        self.ended = match result {
            Ok(()) => Code::Ok,
            Err(refusal) => {
                let code = refusal.failed().code;
                self.leaving = if code == Code::Integrity { Part::Discard } else { Part::Keep };
                self.todo = Todo::Abandon;
                code
            }
        };
        self.reply(Reply::Done, self.id, self.ended);
    }

    fn described(&mut self, _: Result<Description<'_>, Refusal>) {}

    fn asked(&mut self, _: Result<Asked<'_>, Refusal>) {}

    fn fetched(&mut self, _: Result<usize, Refusal>) {}

    fn finished(&mut self, _: Result<usize, Refusal>) {}

    fn said(&mut self, _: usize) {}
}
