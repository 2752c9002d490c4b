//! Kinds of frames and the sizes common to all (§3.1, §3.2).

/// Bit 6 of a kind byte: an end that does not know the kind drops the frame (§3.1).
pub const SKIPPABLE: u8 = 0x40;
/// Bit 7 of a kind byte: reserved for encrypted frames, and unknown in this version (§3.1).
pub const SEALED: u8 = 0x80;

/// Size of a frame that every end takes, kind to check, in bytes (§3.1).
pub const MIN_FRAME: usize = 60;
/// Largest frame other than DATA that is sent, kind to check, in bytes (§3.1): the longest name and all fields beside it.
pub const MAX_CONTROL: usize = 1088;
/// Bytes of the check at the end of every frame (§3.4).
pub const CHECK_LEN: usize = 4;

/// What a frame is (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Kind {
    /// Who speaks and what it takes (§4.1).
    Hello = 0x01,
    /// Asks for a sign of life and for ACKs (§4.2).
    Ping = 0x02,
    /// Answers PING and NOTICE (§4.2).
    Pong = 0x03,
    /// Text for whoever uses the other end (§4.3).
    Notice = 0x04,
    /// Ends a transfer or the session (§4.4).
    Abort = 0x05,
    /// This end will start no further transfer (§4.5).
    Bye = 0x06,
    /// This end stays, to be spoken to (§4.6). The first kind that was added later: an older end drops it.
    Attach = SKIPPABLE | 0x07,
    /// Announces a transfer (§5.1).
    Offer = 0x10,
    /// Asks the peer for a transfer (§5.2).
    Want = 0x11,
    /// Takes an OFFER (§5.3).
    Accept = 0x12,
    /// Refuses an OFFER or a WANT (§5.4).
    Decline = 0x13,
    /// Contents (§5.5).
    Data = 0x14,
    /// How far the receiver is (§5.6).
    Ack = 0x15,
    /// All has been sent (§5.7).
    End = 0x16,
    /// The receiver's verdict (§5.8).
    Done = 0x17,
}

impl Kind {
    /// Every kind, in the order of §3.2.
    pub const ALL: [Self; 15] = [
        Self::Hello,
        Self::Ping,
        Self::Pong,
        Self::Notice,
        Self::Abort,
        Self::Bye,
        Self::Offer,
        Self::Want,
        Self::Accept,
        Self::Decline,
        Self::Data,
        Self::Ack,
        Self::End,
        Self::Done,
        Self::Attach,
    ];

    /// The kind of a frame that begins with `code`; `None` if it is not in §3.2, see [`is_skippable`].
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0x01 => Self::Hello,
            0x02 => Self::Ping,
            0x03 => Self::Pong,
            0x04 => Self::Notice,
            0x05 => Self::Abort,
            0x06 => Self::Bye,
            0x10 => Self::Offer,
            0x11 => Self::Want,
            0x12 => Self::Accept,
            0x13 => Self::Decline,
            0x14 => Self::Data,
            0x15 => Self::Ack,
            0x16 => Self::End,
            0x17 => Self::Done,
            0x47 => Self::Attach,
            _ => return None,
        })
    }

    /// The byte that a frame of this kind begins with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name of §3.2, such as `HELLO`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hello => "HELLO",
            Self::Ping => "PING",
            Self::Pong => "PONG",
            Self::Notice => "NOTICE",
            Self::Abort => "ABORT",
            Self::Bye => "BYE",
            Self::Offer => "OFFER",
            Self::Want => "WANT",
            Self::Accept => "ACCEPT",
            Self::Decline => "DECLINE",
            Self::Data => "DATA",
            Self::Ack => "ACK",
            Self::End => "END",
            Self::Done => "DONE",
            Self::Attach => "ATTACH",
        }
    }
}

impl core::fmt::Display for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a frame of the unknown kind `code` is to be dropped rather than to end the session (§3.1). A sealed frame never is.
#[must_use]
pub const fn is_skippable(code: u8) -> bool {
    code & (SKIPPABLE | SEALED) == SKIPPABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_bytes_map_both_ways() {
        let mut known = 0;
        for code in 0..=u8::MAX {
            if let Some(kind) = Kind::from_code(code) {
                assert_eq!(kind.code(), code);
                assert_eq!(Kind::ALL.get(known), Some(&kind));
                known += 1;
            }
        }
        assert_eq!(known, Kind::ALL.len());
    }

    #[test]
    fn only_what_was_added_later_is_skippable_and_nothing_is_sealed() {
        for kind in Kind::ALL {
            assert_eq!(is_skippable(kind.code()), kind == Kind::Attach);
            assert_eq!(kind.code() & SEALED, 0);
        }
    }

    #[test]
    fn only_the_skippable_bit_alone_lets_a_frame_be_dropped() {
        assert!(is_skippable(0x40));
        assert!(is_skippable(0x7F));
        assert!(!is_skippable(0x18));
        assert!(!is_skippable(0x80));
        assert!(!is_skippable(0xC0));
    }
}
