//! What is kept beside a part: for what file it is, and how much of it is durable.

use std::fs::File;
use std::io;

use sampan_core::ResumePoint;
use sampan_core::wire::{Crc32 as _, FileName, Identity};

use super::file_io::{read_at, write_all_at};
use crate::checks::FastCrc32;

/// Two copies are written in turn, so that one that was torn does not cost the other.
const COPY: usize = 2048;
const MAGIC: [u8; 4] = *b"SPN1";
/// Magic, sequence number, offset, check, length of the identity, length of the name; and the check of the record.
const FIXED: usize = 4 + 4 + 8 + 4 + 1 + 2;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) identity: Identity,
    pub(super) durable: ResumePoint,
    sequence: u32,
}

impl Record {
    pub(super) fn new(name: FileName<'_>, identity: Identity) -> Self {
        Self { name: name.as_str().to_owned(), identity, durable: ResumePoint::START, sequence: 0 }
    }

    /// Writes it over the older of the two copies, and waits until it is durable.
    pub(super) fn write(&mut self, file: &File, durable: ResumePoint) -> io::Result<()> {
        self.durable = durable;
        self.sequence = self.sequence.wrapping_add(1);
        let at = u64::from(self.sequence % 2) * COPY as u64;
        write_all_at(file, &self.encode(), at)?;
        file.sync_data()
    }

    /// The newer of the copies that are whole.
    pub(super) fn read(file: &File) -> Option<Self> {
        let mut bytes = [0; 2 * COPY];
        let mut length = 0;
        while let Some(rest @ [_, ..]) = bytes.get_mut(length..) {
            match read_at(file, rest, length as u64) {
                Ok(n @ 1..) => length += n,
                _ => break,
            }
        }
        bytes.chunks_exact(COPY).filter_map(Self::decode).max_by_key(|record| record.sequence)
    }

    fn encode(&self) -> Vec<u8> {
        let (identity, name) = (self.identity.as_bytes(), self.name.as_bytes());
        let mut bytes = Vec::with_capacity(COPY);
        bytes.extend(MAGIC);
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.durable.offset.to_le_bytes());
        bytes.extend(self.durable.check.to_le_bytes());
        // Neither is longer than §5.1 and §6 allow.
        bytes.push(identity.len() as u8);
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend(identity);
        bytes.extend(name);
        let check = FastCrc32.update(0, &bytes);
        bytes.extend(check.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (fixed, rest) = bytes.split_at_checked(FIXED)?;
        let (magic, fields) = fixed.split_first_chunk::<4>()?;
        let (sequence, fields) = fields.split_first_chunk::<4>()?;
        let (offset, fields) = fields.split_first_chunk::<8>()?;
        let (check, fields) = fields.split_first_chunk::<4>()?;
        let (identity, name) = fields.split_first_chunk::<1>()?;
        let identity = usize::from(identity[0]);
        let name = usize::from(u16::from_le_bytes(name.try_into().ok()?));
        let (identity, rest) = rest.split_at_checked(identity)?;
        let (name, rest) = rest.split_at_checked(name)?;
        let length = FIXED + identity.len() + name.len();
        let right = FastCrc32.update(0, bytes.get(..length)?).to_le_bytes();
        if *magic != MAGIC || rest.first_chunk::<4>() != Some(&right) {
            return None;
        }
        Some(Self {
            name: str::from_utf8(name).ok()?.to_owned(),
            identity: Identity::new(identity)?,
            durable: ResumePoint { offset: u64::from_le_bytes(*offset), check: u32::from_le_bytes(*check) },
            sequence: u32::from_le_bytes(*sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> ResumePoint {
        ResumePoint { offset, check: offset as u32 ^ 7 }
    }

    fn record() -> Record {
        Record::new(FileName::new("a/b").unwrap(), Identity::new(b"one").unwrap())
    }

    #[test]
    fn the_newest_is_read() {
        let file = tempfile::tempfile().unwrap();
        let mut record = record();
        assert_eq!(Record::read(&file), None);
        for offset in [5, 6, 7] {
            record.write(&file, at(offset)).unwrap();
            assert_eq!(Record::read(&file), Some(record.clone()));
        }
    }

    #[test]
    fn a_torn_one_does_not_cost_the_one_before() {
        let file = tempfile::tempfile().unwrap();
        let mut record = record();
        record.write(&file, at(5)).unwrap();
        record.write(&file, at(6)).unwrap();
        for byte in 0..2_u64 {
            // The second is at the start of the file.
            write_all_at(&file, b"?", 6 + 20 * byte).unwrap();
            assert_eq!(Record::read(&file).unwrap().durable, at(5));
        }
    }

    #[test]
    fn the_longest_fits() {
        let name = ["a"; 200].join("/") + &"b".repeat(200);
        let name = "c/".repeat(400) + &name[name.len() - 200..];
        let mut record = Record::new(FileName::new(&name).unwrap(), Identity::new(&[9; 16]).unwrap());
        let file = tempfile::tempfile().unwrap();
        record.write(&file, at(u64::MAX)).unwrap();
        assert_eq!(Record::read(&file).unwrap().name, name);
        const { assert!(FIXED + 16 + 1024 + 4 <= COPY) };
    }
}
