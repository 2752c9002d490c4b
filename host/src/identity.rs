//! What contents are known again by, in the 16 bytes that the protocol has for it.

use std::fs::Metadata;

use sampan_core::wire::{FileName, Identity};

use crate::store::file_io::modified;

/// Of a file that is sent. Size and modification time alone are equal for many a different file, as archives and builds leave them; the
/// file's number tells it from others, and the time of its last change, which nobody can set, from what it was before.
pub(crate) fn of_file(metadata: &Metadata) -> Identity {
    let mut hash = blake3::Hasher::new();
    hash.update(&metadata.len().to_le_bytes()).update(&modified(metadata).to_le_bytes());
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        for number in [metadata.ino().cast_signed(), metadata.ctime(), metadata.ctime_nsec()] {
            hash.update(&number.to_le_bytes());
        }
    }
    shortened(&hash)
}

/// Of what is received under this name of the peer's, of which the peer says `identity`. Several names of the peer's may come to one here,
/// and an identity speaks of one of them only (`docs/protocol.md` §10.2).
pub(crate) fn of_wanted(remote: FileName<'_>, identity: Identity) -> Identity {
    if identity.is_empty() {
        return identity;
    }
    let bytes = identity.as_bytes();
    let mut hash = blake3::Hasher::new();
    hash.update(&[bytes.len() as u8]).update(bytes).update(remote.as_str().as_bytes());
    shortened(&hash)
}

fn shortened(hash: &blake3::Hasher) -> Identity {
    let mut bytes = [0; Identity::MAX_LEN];
    hash.finalize_xof().fill(&mut bytes);
    Identity::new(&bytes).unwrap_or(Identity::EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, UNIX_EPOCH};

    fn written(path: &Path, contents: &str) -> Identity {
        fs::write(path, contents).unwrap();
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1)).unwrap();
        of_file(&file.metadata().unwrap())
    }

    #[test]
    fn reading_a_file_and_looking_at_it_leave_it_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let identity = written(&path, "one");
        assert_eq!(identity.as_bytes().len(), Identity::MAX_LEN);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(of_file(&fs::metadata(&path).unwrap()), identity);
    }

    #[cfg(unix)]
    #[test]
    fn files_of_one_size_and_time_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| written(&dir.path().join(name), name));
        assert_ne!(a, b);
    }

    #[test]
    fn each_name_of_the_peers_has_its_own() {
        let of = |name, identity| of_wanted(FileName::new(name).unwrap(), Identity::new(identity).unwrap());
        let all =
            [of("a", b"1"), of("b", b"1"), of("a", b"2"), of("1", b"a"), of("1a", b"1"), of("a", b"11")];
        for (n, identity) in all.iter().enumerate() {
            assert!(!all[n + 1..].contains(identity));
        }
        assert_eq!(of("a", b"1"), of("a", b"1"));
        assert_eq!(of("a", b""), Identity::EMPTY);
    }
}
