//! How much of a file is there whose pieces come in any order, and its digest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use sampan_core::Digest as _;

use super::file_io::read_at;
use crate::digests::{AnyDigest, Pieces};

const PIECE: usize = 128 << 10;

/// What has come of one file.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Everything below is there.
    position: u64,
    /// The digest of that, unless somebody else makes it.
    digest: Option<AnyDigest>,
    /// What is there beyond gaps, by where it begins.
    beyond: BTreeMap<u64, Piece>,
}

#[derive(Debug)]
struct Piece {
    end: u64,
    /// That of its bytes; none where they have to be read again.
    digest: Option<AnyDigest>,
}

impl Gathered {
    /// Nothing yet.
    pub(super) fn new(digest: AnyDigest) -> Self {
        Self { position: 0, digest: Some(digest), beyond: BTreeMap::new() }
    }

    /// The beginning of a file whose digest is made elsewhere.
    pub(super) const fn from(position: u64) -> Self {
        Self { position, digest: None, beyond: BTreeMap::new() }
    }

    /// Everything below this offset is there.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// The digest of that.
    pub(super) const fn digest(&self) -> Option<&AnyDigest> {
        self.digest.as_ref()
    }

    /// These bytes were written to the file. Such as have been before must not be among them: the digest would never come to its end.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(super) fn stored(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset == self.position {
            self.position += data.len() as u64;
            if let Some(digest) = &mut self.digest {
                digest.update(data);
            }
            return self.join(file);
        }
        if offset > self.position {
            self.keep(offset, data);
        }
        Ok(())
    }

    fn keep(&mut self, offset: u64, data: &[u8]) {
        let mut end = offset + data.len() as u64;
        let next = self.beyond.remove(&end);
        let before = self.beyond.range_mut(..offset).next_back().filter(|(_, piece)| piece.end == offset);
        let mut digest = match &before {
            Some((_, piece)) => piece.digest.clone(),
            None => {
                self.digest.as_ref().filter(|digest| digest.pieces() == Pieces::Join).map(AnyDigest::empty)
            }
        };
        if let Some(digest) = &mut digest {
            digest.update(data);
        }
        if let Some(next) = next {
            if let (Some(digest), Some(more)) = (&mut digest, &next.digest) {
                digest.append(more, next.end - end);
            }
            end = next.end;
        }
        let piece = Piece { end, digest };
        match before {
            Some((_, before)) => *before = piece,
            None => drop(self.beyond.insert(offset, piece)),
        }
    }

    /// What touches the beginning becomes part of it.
    fn join(&mut self, file: &File) -> io::Result<()> {
        let Some(piece) = self.beyond.remove(&self.position) else { return Ok(()) };
        match (&mut self.digest, &piece.digest) {
            (Some(digest), Some(more)) => digest.append(more, piece.end - self.position),
            (Some(digest), None) => read_again(digest, file, self.position..piece.end)?,
            (None, _) => {}
        }
        self.position = piece.end;
        Ok(())
    }
}

fn read_again(digest: &mut AnyDigest, file: &File, range: std::ops::Range<u64>) -> io::Result<()> {
    let mut at = range.start;
    let mut bytes = vec![0; PIECE.min(usize::try_from(range.end - at).unwrap_or(PIECE))];
    while at < range.end {
        let most = bytes.len().min(usize::try_from(range.end - at).unwrap_or(PIECE));
        let n = read_at(file, bytes.get_mut(..most).unwrap_or_default(), at)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        digest.update(bytes.get(..n).unwrap_or_default());
        at += n as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::file_io::write_all_at;
    use sampan_core::wire::DigestKind;

    struct Random(u64);

    impl Random {
        fn below(&mut self, most: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % most
        }
    }

    /// The pieces of a file in an order of their own.
    fn in_any_order(kind: Option<DigestKind>, seed: u64) {
        let mut random = Random(seed);
        let contents: Vec<u8> = (0..1 + random.below(400_000)).map(|n| (n ^ (n >> 9) ^ 0x5A) as u8).collect();
        let most = 1 + random.below(contents.len().min(100_000));
        let (mut pieces, mut at) = (Vec::new(), 0);
        while at < contents.len() {
            let length = (1 + random.below(most)).min(contents.len() - at);
            pieces.push(at..at + length);
            at += length;
        }
        for n in (1..pieces.len()).rev() {
            pieces.swap(n, random.below(n + 1));
        }
        let file = tempfile::tempfile().unwrap();
        let mut gathered = kind.map_or(Gathered::from(0), |kind| Gathered::new(AnyDigest::new(kind)));
        let mut there = vec![false; contents.len() + 1];
        for piece in pieces {
            let data = &contents[piece.clone()];
            write_all_at(&file, data, piece.start as u64).unwrap();
            gathered.stored(&file, piece.start as u64, data).unwrap();
            there[piece].fill(true);
            let position = there.iter().position(|there| !there).unwrap();
            assert_eq!(gathered.position(), position as u64, "seed {seed}");
            if let (Some(kind), Some(digest)) = (kind, gathered.digest()) {
                let mut of_it = AnyDigest::new(kind);
                of_it.update(&contents[..position]);
                assert_eq!(digest.shown(), of_it.shown(), "{kind} seed {seed}");
            }
        }
        assert_eq!(gathered.position(), contents.len() as u64, "seed {seed}");
        assert!(gathered.beyond.is_empty(), "seed {seed}");
    }

    #[test]
    fn pieces_in_any_order_give_the_digest_of_the_file() {
        for seed in 0..12 {
            for kind in DigestKind::ALL {
                in_any_order(Some(kind), seed);
            }
            in_any_order(None, seed);
        }
    }

    #[test]
    fn a_file_that_has_become_shorter_is_found_out() {
        let file = tempfile::tempfile().unwrap();
        let mut gathered = Gathered::new(AnyDigest::new(DigestKind::Sha256));
        gathered.stored(&file, 5, b"56789").unwrap();
        let error = gathered.stored(&file, 0, b"01234").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
