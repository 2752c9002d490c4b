//! Any frame at all: for tests, fuzzing and tools. The engine goes by the kind byte itself.

use core::fmt;

use super::ack::Ack;
use super::attach::Attach;
use super::data::Data;
use super::end::{Done, End};
use super::hello::Hello;
use super::kind::Kind;
use super::offer::Offer;
use super::reader::{Malformed, Reader};
use super::session::{Abort, Bye, Notice, Ping, Pong};
use super::transfer::{Accept, Decline, Want};
use super::writer::Writer;

/// A frame of any kind (§3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Frame<'a> {
    /// §4.1.
    Hello(Hello),
    /// §4.2.
    Ping(Ping),
    /// §4.2.
    Pong(Pong),
    /// §4.3.
    Notice(Notice<'a>),
    /// §4.4.
    Abort(Abort<'a>),
    /// §4.5.
    Bye(Bye<'a>),
    /// §5.1.
    Offer(Offer<'a>),
    /// §5.2.
    Want(Want<'a>),
    /// §5.3.
    Accept(Accept),
    /// §5.4.
    Decline(Decline<'a>),
    /// §5.5.
    Data(Data<'a>),
    /// §5.6.
    Ack(Ack<'a>),
    /// §5.7.
    End(End<'a>),
    /// §5.8.
    Done(Done<'a>),
    /// §4.6.
    Attach(Attach<'a>),
}

impl<'a> Frame<'a> {
    /// Reads a frame from its kind byte on, without the check.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn parse(frame: &'a [u8]) -> Result<Self, FrameError> {
        let mut r = Reader::new(frame);
        let code = r.u8()?;
        let body = r.rest();
        Ok(match Kind::from_code(code).ok_or(FrameError::UnknownKind(code))? {
            Kind::Hello => Self::Hello(Hello::parse(body)?),
            Kind::Ping => Self::Ping(Ping::parse(body)?),
            Kind::Pong => Self::Pong(Pong::parse(body)?),
            Kind::Notice => Self::Notice(Notice::parse(body)?),
            Kind::Abort => Self::Abort(Abort::parse(body)?),
            Kind::Bye => Self::Bye(Bye::parse(body)?),
            Kind::Offer => Self::Offer(Offer::parse(body)?),
            Kind::Want => Self::Want(Want::parse(body)?),
            Kind::Accept => Self::Accept(Accept::parse(body)?),
            Kind::Decline => Self::Decline(Decline::parse(body)?),
            Kind::Data => Self::Data(Data::parse(body)?),
            Kind::Ack => Self::Ack(Ack::parse(body)?),
            Kind::End => Self::End(End::parse(body)?),
            Kind::Done => Self::Done(Done::parse(body)?),
            Kind::Attach => Self::Attach(Attach::parse(body)?),
        })
    }

    /// Writes kind and fields, without the check.
    pub fn emit(&self, w: &mut Writer<'_>) {
        match self {
            Self::Hello(frame) => frame.emit(w),
            Self::Ping(frame) => frame.emit(w),
            Self::Pong(frame) => frame.emit(w),
            Self::Notice(frame) => frame.emit(w),
            Self::Abort(frame) => frame.emit(w),
            Self::Bye(frame) => frame.emit(w),
            Self::Offer(frame) => frame.emit(w),
            Self::Want(frame) => frame.emit(w),
            Self::Accept(frame) => frame.emit(w),
            Self::Decline(frame) => frame.emit(w),
            Self::Data(frame) => frame.emit(w),
            Self::Ack(frame) => frame.emit(w),
            Self::End(frame) => frame.emit(w),
            Self::Done(frame) => frame.emit(w),
            Self::Attach(frame) => frame.emit(w),
        }
    }

    /// The frame's kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Ping(_) => Kind::Ping,
            Self::Pong(_) => Kind::Pong,
            Self::Notice(_) => Kind::Notice,
            Self::Abort(_) => Kind::Abort,
            Self::Bye(_) => Kind::Bye,
            Self::Offer(_) => Kind::Offer,
            Self::Want(_) => Kind::Want,
            Self::Accept(_) => Kind::Accept,
            Self::Decline(_) => Kind::Decline,
            Self::Data(_) => Kind::Data,
            Self::Ack(_) => Kind::Ack,
            Self::End(_) => Kind::End,
            Self::Done(_) => Kind::Done,
            Self::Attach(_) => Kind::Attach,
        }
    }
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FrameError {
    /// The kind byte is not in §3.2; [`is_skippable`](super::is_skippable) says whether the frame may be dropped.
    UnknownKind(u8),
    /// The kind is known, its body is malformed.
    Malformed(Malformed),
}

impl From<Malformed> for FrameError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind(code) => write!(f, "unknown kind of frame {code:#04x}"),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl core::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_byte_leads_to_the_kind() {
        assert_eq!(Frame::parse(&[0x02, 7]), Ok(Frame::Ping(Ping { number: 7 })));
        assert_eq!(Frame::parse(&[0x03, 7]).map(|frame| frame.kind()), Ok(Kind::Pong));
    }

    #[test]
    fn an_unknown_kind_is_told_from_a_malformed_body() {
        assert_eq!(Frame::parse(&[]), Err(FrameError::Malformed(Malformed::Truncated)));
        assert_eq!(Frame::parse(&[0x02]), Err(FrameError::Malformed(Malformed::Truncated)));
        for code in [0x00, 0x07, 0x0F, 0x18, 0x42, 0x82, 0xFF] {
            assert_eq!(Frame::parse(&[code, 1]), Err(FrameError::UnknownKind(code)));
        }
        assert_eq!(std::format!("{}", FrameError::UnknownKind(7)), "unknown kind of frame 0x07");
    }
}
