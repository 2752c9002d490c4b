//! Records of a listing (§12), one after another in the contents of a transfer.

use super::name::{MAX_NAME, UncheckedName};
use super::reader::{Malformed, Reader};
use super::writer::Writer;

const SIZE: u8 = 1 << 0;
const MODIFIED: u8 = 1 << 1;
const EXECUTABLE: u8 = 1 << 2;
const DIRECTORY: u8 = 1 << 3;
const FLAGS: u8 = SIZE | MODIFIED | EXECUTABLE | DIRECTORY;

/// One record of a listing (§12). The flags are those of OFFER (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry<'a> {
    /// Bytes in all, if known.
    pub size: Option<u64>,
    /// Nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted, if known.
    pub modified: Option<i64>,
    /// The file may be run.
    pub executable: bool,
    /// A directory.
    pub directory: bool,
    /// What a WANT would ask for, not checked yet (§6).
    pub name: UncheckedName<'a>,
}

impl<'a> Entry<'a> {
    /// Longest record, in bytes.
    pub const MAX_LEN: usize = 1 + 10 + 10 + 2 + MAX_NAME;

    /// Reads the record that `bytes` begin with, and says how many bytes it takes.
    ///
    /// # Errors
    /// [`Malformed::Truncated`] if the rest of it has yet to come, which never happens with [`MAX_LEN`](Self::MAX_LEN) bytes;
    /// `Value` for a reserved flag or a name longer than [`MAX_NAME`]; `Varint`.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, usize), Malformed> {
        let mut r = Reader::new(bytes);
        let flags = r.flags(FLAGS)?;
        let size = if flags & SIZE != 0 { Some(r.varint()?) } else { None };
        let modified = if flags & MODIFIED != 0 { Some(r.zigzag()?) } else { None };
        let len = match usize::try_from(r.varint()?) {
            Ok(len) if len <= MAX_NAME => len,
            _ => return Err(Malformed::Value),
        };
        let entry = Self {
            size,
            modified,
            executable: flags & EXECUTABLE != 0,
            directory: flags & DIRECTORY != 0,
            name: UncheckedName::new(r.bytes(len)?),
        };
        Ok((entry, bytes.len().saturating_sub(r.len())))
    }

    /// Writes the record.
    pub fn emit(&self, w: &mut Writer<'_>) {
        let mut flags = 0;
        for (set, flag) in [
            (self.size.is_some(), SIZE),
            (self.modified.is_some(), MODIFIED),
            (self.executable, EXECUTABLE),
            (self.directory, DIRECTORY),
        ] {
            if set {
                flags |= flag;
            }
        }
        w.u8(flags);
        if let Some(size) = self.size {
            w.varint(size);
        }
        if let Some(modified) = self.modified {
            w.zigzag(modified);
        }
        let name = self.name.as_bytes();
        w.varint(name.len() as u64);
        w.bytes(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Entry<'_> = Entry {
        size: Some(300),
        modified: Some(-1),
        executable: true,
        directory: false,
        name: UncheckedName::new(b"ab"),
    };
    const FULL_BYTES: [u8; 7] = [0b0111, 0xAC, 0x02, 0x01, 2, b'a', b'b'];

    #[test]
    fn records_follow_one_another() {
        let mut out = [0; 16];
        let mut w = Writer::new(&mut out);
        let directory = Entry {
            size: None,
            modified: None,
            executable: false,
            directory: true,
            name: UncheckedName::new(b"c"),
        };
        FULL.emit(&mut w);
        directory.emit(&mut w);
        assert_eq!(w.len(), 10);
        assert_eq!(out[..7], FULL_BYTES);
        assert_eq!(out[7..10], [0b1000, 1, b'c']);
        assert_eq!(Entry::parse(&out), Ok((FULL, 7)));
        assert_eq!(Entry::parse(&out[7..]), Ok((directory, 3)));
    }

    #[test]
    fn a_record_that_has_not_all_come_is_truncated() {
        for len in 0..FULL_BYTES.len() {
            assert_eq!(Entry::parse(&FULL_BYTES[..len]), Err(Malformed::Truncated));
        }
    }

    #[test]
    fn reserved_flags_and_endless_names_are_refused() {
        for flags in [1 << 4, 1 << 5, 1 << 6, 1 << 7] {
            assert_eq!(Entry::parse(&[flags, 1, b'a']), Err(Malformed::Value));
        }
        assert_eq!(Entry::parse(&[0, 0x81, 0x08]), Err(Malformed::Value));
        assert_eq!(Entry::parse(&[0, 0x80, 0x08]), Err(Malformed::Truncated));
        assert_eq!(Entry::parse(&[0, 0x81, 0x00]), Err(Malformed::Varint));
    }

    #[test]
    fn the_longest_record_has_the_documented_length() {
        let name = [b'a'; MAX_NAME];
        let longest =
            Entry { size: Some(u64::MAX), modified: Some(i64::MIN), name: UncheckedName::new(&name), ..FULL };
        let mut out = [0; Entry::MAX_LEN + 1];
        let mut w = Writer::new(&mut out);
        longest.emit(&mut w);
        assert_eq!(w.len(), Entry::MAX_LEN);
        assert_eq!(Entry::parse(&out), Ok((longest, Entry::MAX_LEN)));
    }
}
