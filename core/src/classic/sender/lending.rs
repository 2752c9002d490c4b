//! The sender as an [`Engine`]: what is lent next, and what the answers do.

use super::{Report, Sender};
use crate::action::{Action, By, Event, Failure, Next, Refusal, Sent};
use crate::classic::transitions::{SenderEvent, SenderState};
use crate::classic::{TRANSFER, text};
use crate::engine::Engine;
use crate::storage::{Asked, Description};
use crate::units::{Instant, TransferId};
use crate::wire::{Code, DigestKind};

impl Engine for Sender<'_> {
    fn receive_buffer(&mut self) -> &mut [u8] {
        self.spare()
    }

    fn received(&mut self, n: usize, now: Instant) {
        self.line.heard(now);
        self.hear(n);
    }

    /// While contents go out, it is taken to mean that no more go: a refusal may still be there to be read, until this is called again.
    fn link_lost(&mut self, now: Instant) {
        self.line.heard(now);
        self.lose();
    }

    fn next(&mut self, now: Instant) -> Next {
        self.line.polled(now);
        self.advance();
        match self.state {
            SenderState::Describing | SenderState::Finishing => return Next::Storage,
            SenderState::Sending if self.line.is_empty() => return Next::Storage,
            SenderState::Closing => return Next::Event,
            _ => {}
        }
        if self.line.can_transmit() {
            return Next::Transmit;
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
                self.line.waited();
                Action::Wait { until }
            }
            Next::Closed => Action::Closed(self.error.map_or(Ok(()), Err)),
            Next::Event => self.lend_event(),
            Next::Storage => self.lend(),
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        self.due_at()
    }

    fn transmitted(&mut self, n: usize) {
        self.line.transmitted(n);
        if n > 0 && matches!(self.state, SenderState::Sending | SenderState::Flushing) {
            self.line.restart();
            self.flushed();
        }
    }

    fn described(&mut self, description: Result<Description<'_>, Refusal>) {
        if self.state == SenderState::Describing {
            self.describe(description);
        }
    }

    fn asked(&mut self, _: Result<Asked<'_>, Refusal>) {}

    fn fetched(&mut self, n: Result<usize, Refusal>) {
        if self.state == SenderState::Sending && self.line.is_empty() {
            self.fetch(n);
        }
    }

    fn finished(&mut self, n: Result<usize, Refusal>) {
        if self.state == SenderState::Finishing {
            match n {
                Ok(_) => {
                    self.step(SenderEvent::Finished);
                    self.flushed();
                }
                Err(refusal) => self.give_up(refusal),
            }
        }
    }

    fn said(&mut self, _: usize) {}

    fn stored(&mut self, _: Result<usize, Refusal>) {}

    fn synced(&mut self, _: TransferId, _: u64) {}

    fn committed(&mut self, _: TransferId, _: Result<(), Refusal>) {}
}

impl Sender<'_> {
    fn lend(&mut self) -> Action<'_> {
        match self.state {
            SenderState::Describing => Action::Describe { transfer: TRANSFER, digest: DigestKind::Crc32 },
            SenderState::Finishing => Action::Finish { transfer: TRANSFER, into: &mut [] },
            _ => {
                let (offset, wanted) = (self.fetched, self.wanted());
                let into = self.line.room().get_mut(..wanted).unwrap_or_default();
                Action::Fetch { transfer: TRANSFER, offset, into }
            }
        }
    }

    fn lend_event(&mut self) -> Action<'_> {
        if self.step(SenderEvent::HalfClosed) {
            return Action::Event(Event::EndOfStream);
        }
        Action::Event(match self.report.take() {
            Some(Report::Notice) => {
                self.report = Some(Report::Sent);
                Event::Notice(text::words_of_notice(self.text()).unwrap_or_default())
            }
            Some(Report::Failed(Refusal { code, words })) => {
                Event::SendFailed(Failure { transfer: TRANSFER, code, words, by: By::Us })
            }
            Some(Report::Refused) => Event::SendFailed(Failure {
                transfer: TRANSFER,
                code: Code::Other,
                words: text::words_of_refusal(self.text()),
                by: By::Peer,
            }),
            Some(Report::Sent) => Event::Sent { transfer: TRANSFER, how: Sent::Stored, resumed_from: 0 },
            None => return Action::Wait { until: Some(self.line.now()) },
        })
    }
}
