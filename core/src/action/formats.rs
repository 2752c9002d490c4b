//! What `defmt` shows of an action: of what is lent no more than how long it is.

use defmt::{Format, Formatter, write};

use super::Action;

impl Format for Action<'_> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Transmit(bytes) => write!(f, "Transmit({=usize})", bytes.len()),
            Self::Describe { transfer, digest } => write!(f, "Describe({}, {})", transfer, digest),
            Self::Ask { want } => write!(f, "Ask({})", want),
            Self::Fetch { transfer, offset, into } => {
                write!(f, "Fetch({}, {=u64}, {=usize})", transfer, offset, into.len());
            }
            Self::Finish { transfer, into } => write!(f, "Finish({}, {=usize})", transfer, into.len()),
            Self::Say { number, into } => write!(f, "Say({=u32}, {=usize})", number, into.len()),
            Self::Offered(offered) => write!(f, "Offered({}, {})", offered.transfer, offered.offer),
            Self::Wanted(wanted) => write!(f, "Wanted({}, {})", wanted.transfer, wanted.want),
            Self::Store { transfer, offset, data } => {
                write!(f, "Store({}, {=u64}, {=usize})", transfer, offset, data.len());
            }
            Self::Sync { transfer, offset, .. } => write!(f, "Sync({}, {=u64})", transfer, offset),
            Self::Commit { transfer, end } => write!(f, "Commit({}, {=u64})", transfer, end.size),
            Self::Abandon { transfer, part } => write!(f, "Abandon({}, {})", transfer, part),
            Self::Event(event) => write!(f, "Event({})", event),
            Self::Wait { until } => write!(f, "Wait({})", until),
            Self::Closed(result) => write!(f, "Closed({})", result),
        }
    }
}
