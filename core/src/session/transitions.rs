//! The states of a transfer at either end, and every step from one to another: the only place where a state changes.

use core::fmt;

macro_rules! transitions {
    (
        $(#[$state_doc:meta])* $state:ident { $($(#[$state_variant_doc:meta])* $state_variant:ident,)* }
        $(#[$event_doc:meta])* $event:ident { $($(#[$event_variant_doc:meta])* $event_variant:ident,)* }
        $($from:ident + $on:ident => $to:ident,)*
    ) => {
        $(#[$state_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub enum $state { $($(#[$state_variant_doc])* $state_variant,)* }

        $(#[$event_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        pub enum $event { $($(#[$event_variant_doc])* $event_variant,)* }

        impl $state {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$state_variant,)*];

            /// The state after `event`; `None` if it cannot happen in this one.
            pub const fn after(self, event: $event) -> Option<Self> {
                match (self, event) {
                    $((Self::$from, $event::$on) => Some(Self::$to),)*
                    _ => None,
                }
            }
        }

        impl $event {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$event_variant,)*];
        }

        impl fmt::Display for $state {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$state_variant => stringify!($state_variant),)* })
            }
        }

        impl fmt::Display for $event {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$event_variant => stringify!($event_variant),)* })
            }
        }
    };
}

pub(crate) use transitions;

transitions! {
    /// States of a session (§8.1).
    SessionState {
        /// No HELLO has echoed this end's nonce yet.
        Opening,
        /// Both ends know each other's nonce and limits.
        Open,
        /// It has failed; an ABORT may still be on its way out.
        Ending,
        /// It is over.
        Closed,
    }
    /// What happens to a session.
    SessionEvent {
        /// HELLO came with an echo of this end's nonce.
        Echoed,
        /// A rule was broken, a deadline passed, the link or the peer ended it.
        Fail,
        /// The ABORT is sent, or cannot be.
        Flushed,
        /// Both ends have said BYE and no transfer is open.
        Finish,
    }
    Opening + Echoed => Open,
    Opening + Fail => Ending,
    Open + Fail => Ending,
    Open + Finish => Closed,
    Ending + Flushed => Closed,
}

transitions! {
    /// States of a transfer at its sender (§9.1).
    SendState {
        /// No transfer.
        Free,
        /// To be offered, or to be offered again.
        Queued,
        /// Offered; DATA may go ahead as far as the receiver's HELLO allows.
        Offered,
        /// The receiver has a part: its prefix check is compared with the source.
        Verifying,
        /// DATA goes within the credit.
        Sending,
        /// END is sent; DONE is awaited.
        Ended,
        /// It is over: an ABORT or a DECLINE is still to be sent, or the application to be told.
        Over,
    }
    /// What happens to a transfer at its sender.
    SendEvent {
        /// The application, or a WANT of the peer's, asks for it.
        Ask,
        /// A WANT is refused.
        Refuse,
        /// OFFER was sent.
        Offer,
        /// ACCEPT came: begin here.
        Accepted,
        /// ACCEPT came: part of it is there.
        Resumed,
        /// The source's prefix is that of the part.
        PrefixEqual,
        /// It is not: offer again from the start.
        PrefixDiffers,
        /// END was sent.
        End,
        /// DONE says `ok`, or ACCEPT *have it all*. While sending: of an END that came before it was gone back (§8.5).
        Stored,
        /// DONE says that it was wrong or is unknown: offer again from the start.
        Again,
        /// Something is missing at the receiver (§8.5).
        Missing,
        /// DECLINE says `wait`: the other direction goes first (§11).
        Wait,
        /// DECLINE, DONE or ABORT with any other code.
        Refused,
        /// This end gives up.
        Abort,
        /// Whatever was owed is sent and told.
        Clear,
    }
    Free + Ask => Queued,
    Free + Refuse => Over,
    Queued + Offer => Offered,
    Queued + Abort => Over,
    Queued + Refused => Over,
    Offered + Accepted => Sending,
    Offered + Resumed => Verifying,
    Offered + End => Ended,
    Offered + Stored => Over,
    Offered + Wait => Queued,
    Offered + Again => Queued,
    Offered + Refused => Over,
    Offered + Abort => Over,
    Verifying + PrefixEqual => Sending,
    Verifying + PrefixDiffers => Queued,
    Verifying + Refused => Over,
    Verifying + Abort => Over,
    Sending + End => Ended,
    Sending + Stored => Over,
    Sending + Again => Queued,
    Sending + Refused => Over,
    Sending + Abort => Over,
    Ended + Accepted => Ended,
    Ended + Missing => Sending,
    Ended + Stored => Over,
    Ended + Again => Queued,
    Ended + Refused => Over,
    Ended + Abort => Over,
    Ended + Wait => Queued,
    Over + Clear => Free,
}

transitions! {
    /// States of a transfer at its receiver (§10.1).
    ReceiveState {
        /// No transfer.
        Free,
        /// WANT is to be sent, or its answer awaited.
        Wanted,
        /// OFFER came: the storage decides.
        Deciding,
        /// DATA is awaited.
        Receiving,
        /// END came and all is there: the storage commits.
        Committing,
        /// It is over: the last answer is still to be sent, or the application to be told.
        Over,
    }
    /// What happens to a transfer at its receiver.
    ReceiveEvent {
        /// The application asks for a file.
        Ask,
        /// OFFER came; for a transfer that is under way, with the flag *restart*.
        Offer,
        /// The storage takes it.
        Accept,
        /// The storage has it all.
        Have,
        /// The storage declines it.
        Decline,
        /// END came, and size and CRC-32 are right.
        EndRight,
        /// END came, and something differs.
        EndWrong,
        /// The storage failed.
        Failed,
        /// The commit ended, well or not.
        Committed,
        /// ABORT, or DECLINE of a WANT.
        Aborted,
        /// Whatever was owed is sent and told.
        Clear,
    }
    Free + Ask => Wanted,
    Free + Offer => Deciding,
    Wanted + Offer => Deciding,
    Wanted + Failed => Over,
    Wanted + Aborted => Over,
    Deciding + Accept => Receiving,
    Deciding + Have => Over,
    Deciding + Decline => Over,
    Receiving + Offer => Deciding,
    Receiving + EndRight => Committing,
    Receiving + EndWrong => Over,
    Receiving + Failed => Over,
    Receiving + Aborted => Over,
    Committing + Committed => Over,
    Over + Clear => Free,
}
