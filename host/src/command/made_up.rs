//! A file to send where none is named.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use sampan::failure::Failure;
use sampan::stop::Stop;
use sampan::{Doing, FileError};

/// How long it is: 256 MiB.
pub(crate) const SIZE: usize = 256 << 20;

/// Written at a time.
const PIECE: usize = 1 << 20;

/// Writes [`SIZE`] bytes, always the same, that no two pages have in common.
pub(crate) fn write(path: &Path, stop: &Stop) -> Result<(), Failure> {
    let mut file = File::create_new(path).map_err(|cause| FileError::new(Doing::Create, path, cause))?;
    let mut numbers = Numbers(1);
    let mut piece = vec![0; PIECE];
    for _ in 0..SIZE / PIECE {
        stop.check()?;
        numbers.fill(&mut piece);
        file.write_all(&piece).map_err(|cause| FileError::new(Doing::Write, path, cause))?;
    }
    Ok(())
}

/// Xorshift: fast, and random enough that nothing compresses it.
struct Numbers(u64);

impl Numbers {
    fn fill(&mut self, piece: &mut [u8]) {
        for eight in piece.chunks_exact_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            eight.copy_from_slice(&self.0.to_le_bytes());
        }
    }
}
