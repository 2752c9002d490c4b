//! What a session is in the middle of.

/// What the storage is to be asked or told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Todo {
    Nothing,
    /// The OFFER in the receive buffer is to be decided.
    Offer,
    /// Bytes in the receive buffer are to be stored.
    Store,
    Sync,
    Commit,
    Abandon,
    /// The WANT in the receive buffer is to be decided.
    Wanted,
    /// What is sent is to be described.
    Describe,
    /// The source is to be read.
    Fetch,
    /// How what was sent has ended is to be told.
    Tell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Phase {
    /// There is none, or it is over.
    Idle,
    Receiving,
    Committing,
}

/// Of the link, and of the storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Readiness {
    Ready,
    /// Not until the next round.
    Busy,
}

/// Whether something was lost behind what has been received (§8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Gap {
    None,
    Told,
}

/// Whether the transfer has begun as an OFFER with *restart* asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Begun {
    Anywhere,
    AtStart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) enum Farewell {
    NotYet,
    Heard,
}
