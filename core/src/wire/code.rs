//! Reasons, as DECLINE, DONE, ABORT and BYE give them (§7.1).

use core::fmt;

/// A reason (§7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// None of the below, or a code that this end does not know.
    Other = 1,
    /// Policy.
    NotAllowed = 2,
    /// The name is not valid here.
    BadName = 3,
    /// The name is taken and must not be replaced.
    Exists = 4,
    /// Larger than allowed, or more bytes than announced.
    TooLarge = 5,
    /// No space.
    NoSpace = 6,
    /// Try again later.
    Busy = 7,
    /// Not found.
    NotFound = 8,
    /// Reading or writing failed.
    Storage = 9,
    /// Size, check or digest differs; the part has been thrown away.
    Integrity = 10,
    /// The source changed while it was sent.
    Changed = 11,
    /// Somebody stopped it.
    Cancelled = 12,
    /// No such transfer here; offer it again.
    Unknown = 13,
    /// The other direction goes first (§11); offer it again.
    Wait = 14,
    /// The peer broke a rule of the protocol.
    Protocol = 15,
    /// A deadline passed.
    Timeout = 16,
    /// This end is shutting down.
    Closing = 17,
    /// A kind of file or digest that this end does not take.
    Unsupported = 18,
}

impl Code {
    /// Every code, in the order of §7.1.
    pub const ALL: [Self; 19] = [
        Self::Ok,
        Self::Other,
        Self::NotAllowed,
        Self::BadName,
        Self::Exists,
        Self::TooLarge,
        Self::NoSpace,
        Self::Busy,
        Self::NotFound,
        Self::Storage,
        Self::Integrity,
        Self::Changed,
        Self::Cancelled,
        Self::Unknown,
        Self::Wait,
        Self::Protocol,
        Self::Timeout,
        Self::Closing,
        Self::Unsupported,
    ];

    /// The meaning of a code in DONE and BYE. An unknown one means [`Other`](Self::Other).
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Ok,
            2 => Self::NotAllowed,
            3 => Self::BadName,
            4 => Self::Exists,
            5 => Self::TooLarge,
            6 => Self::NoSpace,
            7 => Self::Busy,
            8 => Self::NotFound,
            9 => Self::Storage,
            10 => Self::Integrity,
            11 => Self::Changed,
            12 => Self::Cancelled,
            13 => Self::Unknown,
            14 => Self::Wait,
            15 => Self::Protocol,
            16 => Self::Timeout,
            17 => Self::Closing,
            18 => Self::Unsupported,
            _ => Self::Other,
        }
    }

    /// The meaning of a code in DECLINE and ABORT, where `ok` too reads as [`Other`](Self::Other).
    #[must_use]
    pub const fn from_refusal(code: u8) -> Self {
        match Self::from_code(code) {
            Self::Ok => Self::Other,
            code => code,
        }
    }

    /// The code's byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name of §7.1, such as `not allowed`. It does not change between versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Other => "other",
            Self::NotAllowed => "not allowed",
            Self::BadName => "bad name",
            Self::Exists => "exists",
            Self::TooLarge => "too large",
            Self::NoSpace => "no space",
            Self::Busy => "busy",
            Self::NotFound => "not found",
            Self::Storage => "storage",
            Self::Integrity => "integrity",
            Self::Changed => "changed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
            Self::Wait => "wait",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Closing => "closing",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_bytes_map_both_ways() {
        for (byte, code) in (0..).zip(Code::ALL) {
            assert_eq!(code.code(), byte);
            assert_eq!(Code::from_code(byte), code);
        }
        assert_eq!(Code::ALL.len(), 19);
    }

    #[test]
    fn an_unknown_code_means_other() {
        for byte in 19..=u8::MAX {
            assert_eq!(Code::from_code(byte), Code::Other);
            assert_eq!(Code::from_refusal(byte), Code::Other);
        }
    }

    #[test]
    fn a_refusal_is_never_ok() {
        assert_eq!(Code::from_refusal(0), Code::Other);
        for byte in 1..=18 {
            assert_eq!(Code::from_refusal(byte), Code::from_code(byte));
        }
    }

    #[test]
    fn names_are_those_of_the_protocol() {
        let names = [
            "ok",
            "other",
            "not allowed",
            "bad name",
            "exists",
            "too large",
            "no space",
            "busy",
            "not found",
            "storage",
            "integrity",
            "changed",
            "cancelled",
            "unknown",
            "wait",
            "protocol",
            "timeout",
            "closing",
            "unsupported",
        ];
        assert_eq!(Code::ALL.map(Code::name), names);
        assert_eq!(std::format!("{}", Code::NotAllowed), "not allowed");
    }
}
