//! What the session lends to its caller.

use super::hand::Business;
use super::incoming::Owes;
use super::lending::Need;
use super::making::Making;
use super::role::Role;
use super::{Link, Session, Sink, Source};
use crate::action::{Action, By, Ending, Event, Offered, Wanted};
use crate::framing::Framing;
use crate::units::TransferId;
use crate::wire::{Attach, Crc32, End, Offer, Reader, Want};

impl<'b, R: Role<'b>, F: Framing, C: Crc32> Session<'b, R, F, C> {
    pub(super) fn lend(&mut self, need: Need) -> Action<'_> {
        let nothing = Action::Wait { until: Some(self.shared.now) };
        match need {
            Need::Transmit => Action::Transmit(self.outbox.waiting()),
            Need::Making => self.lend_making().unwrap_or(nothing),
            Need::Hand => self.lend_hand().unwrap_or(nothing),
            Need::Chore { slot, chore } => {
                self.role.receiver().and_then(|receiver| receiver.lend(slot, chore)).unwrap_or(nothing)
            }
            Need::Report { slot } => {
                self.role.sender().and_then(|sender| sender.lend(slot)).map_or(nothing, Action::Event)
            }
            Need::Wait(until) => {
                (self.sink, self.source) = (Sink::Ready, Source::Ready);
                if self.link == Link::Busy {
                    self.link = Link::Ready;
                }
                Action::Wait { until }
            }
            Need::Closed => Action::Closed(self.error.map_or(Ok(()), Err)),
        }
    }

    fn lend_making(&mut self) -> Option<Action<'_>> {
        let sender = self.role.sender();
        let slot = self.making.slot().and_then(|slot| sender?.slot(slot));
        let (transfer, compared) = slot.map_or((TransferId(0), 0), |slot| (TransferId(slot.id), slot.sent));
        let digest = self.role.sender().map(|sender| sender.digest());
        Some(match self.making {
            Making::Nothing => return None,
            Making::Offer { .. } => Action::Describe { transfer, digest: digest? },
            Making::Want { want } => Action::Ask { want },
            Making::Data { offset, room, .. } => {
                Action::Fetch { transfer, offset, into: self.outbox.payload::<F>(room) }
            }
            Making::Prefix { room, .. } => {
                Action::Fetch { transfer, offset: compared, into: self.outbox.payload::<F>(room) }
            }
            Making::End { .. } => Action::Finish { transfer, into: self.outbox.payload::<F>(digest?.len()) },
            Making::Notice { room } => {
                Action::Say { number: self.number, into: self.outbox.payload::<F>(room) }
            }
        })
    }

    /// What is not answered is handed out once.
    fn lend_hand(&mut self) -> Option<Action<'_>> {
        let (slot, business) = (self.hand.slot, self.hand.business);
        let view = self.inbox.bytes(self.hand.view.range());
        match business {
            Business::Decide { .. } | Business::Wanted { .. } | Business::Store { .. } => {}
            _ => self.hand.business = Business::Spent,
        }
        Some(match business {
            Business::Nothing | Business::Spent => return None,
            Business::Decide { .. } => {
                let Ok(offer) = Offer::parse(view) else { return None };
                Action::Offered(Offered {
                    transfer: TransferId(offer.transfer),
                    offer,
                    answer: &mut self.answer,
                })
            }
            Business::Wanted { .. } => {
                let transfer = self.role.sender()?.next_id();
                Action::Wanted(Wanted { want: Want::parse(view).ok()?, transfer, answer: &mut self.answer })
            }
            Business::Store { ahead, .. } => {
                let incoming = self.role.receiver()?.slot(slot)?;
                let offset = incoming.received.saturating_add(ahead.into());
                Action::Store { transfer: TransferId(incoming.id), offset, data: view }
            }
            Business::Commit => {
                let Ok(End { transfer, size, check, digest, value }) = End::parse(view) else { return None };
                Action::Commit { transfer: TransferId(transfer), end: Ending { size, check, digest, value } }
            }
            Business::Opened => Action::Event(Event::Opened),
            Business::NoticeTaken { number } => Action::Event(Event::NoticeTaken { number }),
            Business::Ponged { number } => Action::Event(Event::Ponged { number }),
            Business::Bye { code } => Action::Event(Event::Bye { code }),
            Business::Notice => Action::Event(Event::Notice(words(view))),
            Business::Noise => Action::Event(Event::Noise(view)),
            Business::Attached => {
                self.role.sender()?;
                Action::Event(Event::Attached(Attach::parse(view).ok()?.name))
            }
            Business::SendFailed => {
                let outgoing = self.role.sender()?.slot(slot)?;
                let event = outgoing.failed(words(view), By::Peer);
                outgoing.settle();
                Action::Event(event)
            }
            Business::ReceiveFailed => {
                let incoming = self.role.receiver()?.slot(slot)?;
                let event = incoming.failed(words(view), By::Peer);
                incoming.did(Owes::WORDS);
                Action::Event(event)
            }
        })
    }
}

/// Words that were found right when the frame came.
fn words(bytes: &[u8]) -> &str {
    Reader::new(bytes).text(bytes.len()).unwrap_or_default()
}
