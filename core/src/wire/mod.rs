//! Frames as bytes (`docs/protocol.md` §3 to §7 and §12).
//!
//! Everything here reads from a lent slice or writes into one, keeps nothing, and decides nothing: whether a frame is welcome is
//! the business of the session. Nothing panics, whatever the peer sends and however small the lent slice is.
//!
//! Each kind of frame is a struct with `parse(body)` and `emit(&self, writer)`. The body is what lies between the kind byte and
//! the check; `emit` writes the kind byte and the fields, and leaves the check to the caller ([`tag`], [`split_check`]).

mod ack;
mod attach;
mod check;
mod code;
mod crc;
mod crc_shift;
mod data;
mod digest;
mod end;
mod fields;
mod frame;
mod hello;
mod kind;
mod listing;
mod name;
mod offer;
mod portable;
mod reader;
mod session;
mod transfer;
mod writer;

pub use ack::{Ack, Gap, Gaps, GapsIter};
pub use attach::{Attach, NodeName, NodeNameError};
pub use check::{split_check, tag};
pub use code::Code;
pub use crc::{Bytewise, Crc32, Nibble};
pub use crc_shift::{Shift, combine, shift};
pub use data::Data;
pub use digest::{DigestKind, DigestList};
pub use end::{Done, End};
pub use frame::{Frame, FrameError};
pub use hello::Hello;
pub use kind::{CHECK_LEN, Kind, MAX_CONTROL, MIN_FRAME, SEALED, SKIPPABLE, is_skippable};
pub use listing::Entry;
pub use name::{FileName, MAX_NAME, MAX_PART, NameError, UncheckedName};
pub use offer::{Identity, Offer};
pub use portable::{NotPortable, is_portable};
pub use reader::{MAX_WORDS, Malformed, Reader};
pub use session::{Abort, Bye, Notice, Ping, Pong, Scope};
pub use transfer::{Accept, Answered, Decline, Want};
pub use writer::{Writer, varint_len};
