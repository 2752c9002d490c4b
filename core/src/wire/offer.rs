//! OFFER: announces a transfer (§5.1).

use core::fmt;

use super::digest::DigestKind;
use super::fields::Fields;
use super::kind::Kind;
use super::name::UncheckedName;
use super::reader::Malformed;
use super::writer::Writer;

/// Up to 16 bytes that the source chose: equal identities mean the same contents (§5.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Identity {
    len: u8,
    /// Zero beyond `len`, so that the derived equality is that of the bytes.
    bytes: [u8; Self::MAX_LEN],
}

impl Identity {
    /// Longest identity, in bytes.
    pub const MAX_LEN: usize = 16;
    /// The identity of what cannot be resumed.
    pub const EMPTY: Self = Self { len: 0, bytes: [0; Self::MAX_LEN] };

    /// An identity of these bytes; `None` if there are more than 16.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > Self::MAX_LEN {
            return None;
        }
        let mut identity = Self::EMPTY;
        identity.len = u8::try_from(bytes.len()).ok()?;
        for (to, from) in identity.bytes.iter_mut().zip(bytes) {
            *to = *from;
        }
        Some(identity)
    }

    /// The bytes it was made of.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Whether it says that the transfer cannot be resumed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(")?;
        for byte in self.as_bytes() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// OFFER (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offer<'a> {
    /// Id, not 0.
    pub transfer: u32,
    /// Bytes in all, if known. A directory has none.
    pub size: Option<u64>,
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted, if known.
    pub modified: Option<i64>,
    /// The file may be run.
    pub executable: bool,
    /// A directory: no DATA, size 0 or unknown.
    pub directory: bool,
    /// The receiver must begin at offset 0.
    pub restart: bool,
    /// The number of the WANT that this answers, not 0.
    pub want: Option<u32>,
    /// The contents are a listing (§12).
    pub listing: bool,
    /// The digest that END will carry.
    pub digest: DigestKind,
    /// Empty: cannot be resumed.
    pub identity: Identity,
    /// Where the peer should put it, not checked yet (§6).
    pub name: UncheckedName<'a>,
}

impl<'a> Offer<'a> {
    pub(crate) const SIZE: u8 = 1 << 0;
    pub(crate) const MODIFIED: u8 = 1 << 1;
    pub(crate) const EXECUTABLE: u8 = 1 << 2;
    pub(crate) const DIRECTORY: u8 = 1 << 3;
    pub(crate) const RESTART: u8 = 1 << 4;
    pub(crate) const WANTED: u8 = 1 << 5;
    pub(crate) const LISTING: u8 = 1 << 6;
    const FLAGS: u8 = 0x7F;

    /// Reads the fields after the kind byte.
    ///
    /// # Errors
    /// [`Malformed`]; among them `Value` for a reserved flag, more than one type, a directory with a size above 0, an unknown digest and an identity of
    /// more than 16 bytes.
    pub fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut f = Fields::new(body);
        let transfer = f.id();
        let flags = f.flags(Self::FLAGS);
        let size = if flags & Self::SIZE != 0 { Some(f.varint()) } else { None };
        let modified = if flags & Self::MODIFIED != 0 { Some(f.zigzag()) } else { None };
        let want = if flags & Self::WANTED != 0 { Some(f.id()) } else { None };
        let digest = f.digest();
        let directory = flags & Self::DIRECTORY != 0;
        let types = flags & (Self::EXECUTABLE | Self::DIRECTORY | Self::LISTING);
        f.require(types & types.wrapping_sub(1) == 0);
        f.require(!directory || size.unwrap_or_default() == 0);
        let len = f.u8();
        f.require(usize::from(len) <= Identity::MAX_LEN);
        let identity = Identity::new(f.bytes(len.into())).unwrap_or_default();
        let offer = Self {
            transfer,
            size,
            modified,
            executable: flags & Self::EXECUTABLE != 0,
            directory,
            restart: flags & Self::RESTART != 0,
            want,
            listing: flags & Self::LISTING != 0,
            digest,
            identity,
            name: UncheckedName::new(f.rest()),
        };
        f.make(offer)
    }

    /// Writes kind and fields: at most 50 bytes and the name.
    pub fn emit(&self, w: &mut Writer<'_>) {
        w.u8(Kind::Offer.code());
        w.varint(self.transfer.into());
        w.u8(self.flags());
        if let Some(size) = self.size {
            w.varint(size);
        }
        if let Some(modified) = self.modified {
            w.zigzag(modified);
        }
        if let Some(want) = self.want {
            w.varint(want.into());
        }
        w.u8(self.digest.code());
        w.u8(self.identity.len);
        w.bytes(self.identity.as_bytes());
        w.bytes(self.name.as_bytes());
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        for (set, flag) in [
            (self.size.is_some(), Self::SIZE),
            (self.modified.is_some(), Self::MODIFIED),
            (self.executable, Self::EXECUTABLE),
            (self.directory, Self::DIRECTORY),
            (self.restart, Self::RESTART),
            (self.want.is_some(), Self::WANTED),
            (self.listing, Self::LISTING),
        ] {
            if set {
                flags |= flag;
            }
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Offer<'_> = Offer {
        transfer: 1,
        size: None,
        modified: None,
        executable: false,
        directory: false,
        restart: false,
        want: None,
        listing: false,
        digest: DigestKind::Crc32,
        identity: Identity::EMPTY,
        name: UncheckedName::new(b"n"),
    };

    fn emit<'o>(offer: &Offer<'_>, out: &'o mut [u8]) -> &'o [u8] {
        let mut w = Writer::new(out);
        offer.emit(&mut w);
        assert!(!w.is_full());
        let len = w.len();
        &out[..len]
    }

    #[test]
    fn each_flag_has_its_bit() {
        for (offer, flags) in [
            (BARE, 0),
            (Offer { size: Some(0), ..BARE }, 1 << 0),
            (Offer { modified: Some(0), ..BARE }, 1 << 1),
            (Offer { executable: true, ..BARE }, 1 << 2),
            (Offer { directory: true, ..BARE }, 1 << 3),
            (Offer { restart: true, ..BARE }, 1 << 4),
            (Offer { want: Some(1), ..BARE }, 1 << 5),
            (Offer { listing: true, ..BARE }, 1 << 6),
        ] {
            let mut out = [0; 32];
            let frame = emit(&offer, &mut out);
            assert_eq!(frame[2], flags);
            assert_eq!(Offer::parse(&frame[1..]), Ok(offer));
        }
        assert_eq!(Offer::parse(&[1, 1 << 7, 0, 0]), Err(Malformed::Value));
    }

    #[test]
    fn fields_come_in_the_order_of_the_table() {
        let offer = Offer {
            transfer: 2,
            size: Some(3),
            modified: Some(-2),
            want: Some(5),
            digest: DigestKind::Sha256,
            identity: Identity::new(&[8, 9]).unwrap(),
            ..BARE
        };
        let mut out = [0; 32];
        assert_eq!(emit(&offer, &mut out), [0x10, 2, 0b10_0011, 3, 3, 5, 3, 2, 8, 9, b'n']);
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        let id_0 = [0, 0, 0, 0];
        let want_0 = [1, 1 << 5, 0, 0, 0];
        let unknown_digest = [1, 0, 4, 0];
        let directory_of_a_byte = [1, 0b1001, 1, 0, 0];
        for body in [&id_0[..], &want_0, &unknown_digest, &directory_of_a_byte] {
            assert_eq!(Offer::parse(body), Err(Malformed::Value), "{body:?}");
        }
        assert_eq!(Offer::parse(&[1, 0b1001, 0, 0, 0]).map(|offer| offer.size), Ok(Some(0)));
    }

    #[test]
    fn an_identity_has_at_most_16_bytes() {
        let mut body = [0; 32];
        body[0] = 1;
        body[3] = 17;
        assert_eq!(Offer::parse(&body), Err(Malformed::Value));
        body[3] = 16;
        assert_eq!(Offer::parse(&body).map(|offer| offer.identity.as_bytes().len()), Ok(16));
        assert_eq!(Offer::parse(&body[..19]), Err(Malformed::Truncated));
        assert_eq!(Identity::new(&[1; 17]), None);
    }

    #[test]
    fn identities_are_equal_when_their_bytes_are() {
        assert_eq!(Identity::new(&[1, 2]), Identity::new(&[1, 2]));
        assert_ne!(Identity::new(&[1]), Identity::new(&[1, 0]));
        assert!(Identity::new(&[]).unwrap().is_empty());
        assert!(!Identity::new(&[0]).unwrap().is_empty());
        assert_eq!(std::format!("{:?}", Identity::new(&[1, 0xAB]).unwrap()), "Identity(01ab)");
    }

    #[test]
    fn a_name_is_lent_unchecked() {
        assert_eq!(Offer::parse(&[1, 0, 0, 0]).map(|offer| offer.name.as_bytes()), Ok(&[][..]));
        assert_eq!(Offer::parse(&[1, 0, 0, 0, 0xFF]).map(|offer| offer.name.as_bytes()), Ok(&[0xFF][..]));
    }
}
