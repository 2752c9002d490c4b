//! What was lent to the caller, who answers by another call.

use sampan_core::{Action, Refusal, TransferId, Verdict};

/// What the last poll lent, if it can be refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lent {
    Nothing,
    Describe,
    Ask,
    Fetch,
    Finish,
    Store,
    Offered(TransferId),
    Wanted(TransferId),
}

/// An answer that waits for the engine to lend again what it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    None,
    Offered(TransferId, Verdict),
    Wanted(TransferId, Result<(), Refusal>),
}

impl Lent {
    pub(crate) fn of(action: &Action<'_>) -> Self {
        match action {
            Action::Describe { .. } => Self::Describe,
            Action::Ask { .. } => Self::Ask,
            Action::Fetch { .. } => Self::Fetch,
            Action::Finish { .. } => Self::Finish,
            Action::Store { .. } => Self::Store,
            Action::Offered(offered) => Self::Offered(offered.transfer),
            Action::Wanted(wanted) => Self::Wanted(wanted.transfer),
            _ => Self::Nothing,
        }
    }
}

impl Answer {
    /// The answer to this offer; one to another is forgotten.
    pub(crate) fn take_offered(&mut self, lent: TransferId) -> Option<Verdict> {
        match core::mem::replace(self, Self::None) {
            Self::Offered(transfer, verdict) if transfer == lent => Some(verdict),
            _ => None,
        }
    }

    /// The answer to this wish; one to another is forgotten.
    pub(crate) fn take_wanted(&mut self, lent: TransferId) -> Option<Result<(), Refusal>> {
        match core::mem::replace(self, Self::None) {
            Self::Wanted(transfer, served) if transfer == lent => Some(served),
            _ => None,
        }
    }
}
