//! The errands of one connection, from when they were left until they are done.

use std::collections::VecDeque;
use std::sync::Arc;

use sampan_core::Both;
use sampan_core::session::transitions::SessionState;
use sampan_core::wire::Code;

use super::files::Files;
use super::{Desk, Errand, NoticeErrand, PushErrand, Wanting};
use crate::memory::HostSession;
use crate::server::NoticeResult;

type Engine<'m> = HostSession<'m, Both<'m>>;

#[derive(Debug, Default)]
pub(super) struct Duties {
    notices: VecDeque<NoticeErrand>,
    /// The one that the peer has not taken yet, and its number.
    saying: Option<(u32, NoticeErrand)>,
    pushes: VecDeque<PushErrand>,
    wants: VecDeque<Wanting>,
}

impl Duties {
    /// Takes what was left on the desk, and begins as much as can be begun now; whether something was begun.
    pub(super) fn begin(&mut self, desk: &Desk, engine: &mut Engine<'_>, files: &mut Files) -> Begun {
        for errand in desk.take() {
            match errand {
                Errand::Notice(notice) => self.notices.push_back(notice),
                Errand::Push(push) => self.pushes.push_back(push),
                Errand::Want(wanting) => self.wants.push_back(wanting),
            }
        }
        let mut begun = Begun::Nothing;
        if self.saying.is_none()
            && !self.notices.is_empty()
            && let Some(number) = engine.notify()
        {
            self.saying = self.notices.pop_front().map(|notice| (number, notice));
            begun = Begun::Something;
            files.words = self.saying.as_ref().map_or("".into(), |(_, notice)| Arc::clone(&notice.text));
        }
        while !self.pushes.is_empty()
            && let Some(transfer) = engine.offer()
            && let Some(push) = self.pushes.pop_front()
        {
            files.pushes.add(transfer, push);
            begun = Begun::Something;
        }
        while !self.wants.is_empty() {
            let Some(want) = engine.want() else {
                if engine.state() == SessionState::Open && files.relayed.is_empty() {
                    // The peer answers no WANT at all.
                    self.wants.drain(..).for_each(|wanting| wanting.0.failed(Code::NotAllowed));
                }
                break;
            };
            if let Some(wanting) = self.wants.pop_front() {
                files.relayed.want(want, wanting);
                begun = Begun::Something;
            }
        }
        begun
    }

    /// Gives up what nobody wants any more, and says how far pushes have come.
    pub(super) fn look(&mut self, engine: &mut Engine<'_>, files: &Files) {
        for (transfer, push) in files.pushes.errands() {
            if push.is_cancelled() {
                engine.cancel(transfer, Code::Cancelled);
            } else if let Some(bytes) = engine.acknowledged(transfer) {
                push.reached(bytes);
            }
        }
        self.pushes.retain(|push| !push.is_cancelled());
        if let Some(transfer) = files.relayed.unwanted() {
            engine.refuse(transfer, Code::Cancelled);
        }
    }

    pub(super) fn taken(&mut self, number: u32) {
        if let Some((_, notice)) = self.saying.take_if(|(said, _)| *said == number) {
            notice.ended(NoticeResult::Taken);
        }
    }
}

/// Whether something was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Nothing,
    Something,
}
