//! What a stored file says of itself: which contents of its name it is. It lies in an extended attribute, so that it lives and goes
//! with the file; a file system without such attributes does not remember what it has.

use std::fs::File;

use sampan_core::wire::Identity;

use super::file_io::modified;

const NAME: &str = "user.sampan";
const VERSION: u8 = 1;
/// Version, size, modification time, length of the identity.
const FIXED: usize = 1 + 8 + 8 + 1;
const LONGEST: usize = FIXED + Identity::MAX_LEN;

/// Which contents a file has, as long as it has not been touched since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) identity: Identity,
    pub(super) size: u64,
    pub(super) modified: i64,
}

impl Stamp {
    /// Puts it on a file. What cannot bear one stays without.
    pub(super) fn put(&self, file: &File) {
        set(file, &self.encode());
    }

    /// The stamp of a file, if the file is still what was stamped.
    pub(super) fn of(file: &File) -> Option<Self> {
        let mut bytes = [0; LONGEST];
        let n = get(file, &mut bytes)?;
        let stamp = Self::decode(bytes.get(..n)?)?;
        let metadata = file.metadata().ok()?;
        (metadata.len() == stamp.size && modified(&metadata) == stamp.modified).then_some(stamp)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST);
        bytes.push(VERSION);
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.modified.to_le_bytes());
        let identity = self.identity.as_bytes();
        bytes.push(identity.len() as u8);
        bytes.extend(identity);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let (modified, rest) = rest.split_first_chunk::<8>()?;
        let (length, identity) = rest.split_first()?;
        if *version != VERSION || usize::from(*length) != identity.len() {
            return None;
        }
        Some(Self {
            identity: Identity::new(identity)?,
            size: u64::from_le_bytes(*size),
            modified: i64::from_le_bytes(*modified),
        })
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn set(file: &File, value: &[u8]) {
    let _ = rustix::fs::fsetxattr(file, NAME, value, rustix::fs::XattrFlags::empty());
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn get(file: &File, into: &mut [u8]) -> Option<usize> {
    rustix::fs::fgetxattr(file, NAME, into).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn set(_: &File, _: &[u8]) {
    let _ = NAME;
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn get(_: &File, _: &mut [u8]) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_stamp_is_read_back() {
        let stamp = Stamp { identity: Identity::new(b"abc").unwrap(), size: 7, modified: -9 };
        assert_eq!(Stamp::decode(&stamp.encode()), Some(stamp));
        for n in 0..stamp.encode().len() {
            assert_eq!(Stamp::decode(&stamp.encode()[..n]), None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_was_touched_since_has_none() {
        let mut file = tempfile::tempfile_in(".").unwrap();
        file.write_all(b"1234567").unwrap();
        let modified = modified(&file.metadata().unwrap());
        let stamp = Stamp { identity: Identity::new(b"abc").unwrap(), size: 7, modified };
        stamp.put(&file);
        if rustix::fs::fgetxattr(&file, NAME, &mut [0; LONGEST][..]).is_err() {
            return;
        }
        assert_eq!(Stamp::of(&file), Some(stamp));
        file.write_all(b"8").unwrap();
        assert_eq!(Stamp::of(&file), None);
    }
}
