//! Bytes that wait to be taken.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use crate::store::file_io::{read_at, write_at};

/// So many bytes wait in memory.
const ROOM: usize = 256 << 10;

/// The first in memory, and what is beyond in a file without a name: whoever takes them slowly, or not at all, holds up nobody.
#[derive(Debug, Default)]
pub(super) struct Spool {
    memory: VecDeque<u8>,
    overflow: Option<Overflow>,
}

#[derive(Debug)]
struct Overflow {
    file: File,
    written: u64,
    taken: u64,
}

impl Spool {
    /// All of it waits now.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.overflow.is_none() && self.memory.len() + bytes.len() <= ROOM {
            self.memory.extend(bytes);
            return Ok(());
        }
        let overflow = match &mut self.overflow {
            Some(overflow) => overflow,
            none => none.insert(Overflow { file: tempfile::tempfile()?, written: 0, taken: 0 }),
        };
        while !bytes.is_empty() {
            let n = write_at(&overflow.file, bytes, overflow.written)?;
            overflow.written += n as u64;
            bytes = bytes.get(n..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes what comes first; nothing if nothing waits.
    pub(super) fn take(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = into.len().min(self.memory.len());
        if n > 0 {
            for (to, from) in into.iter_mut().zip(self.memory.drain(..n)) {
                *to = from;
            }
            return Ok(n);
        }
        let Some(overflow) = &mut self.overflow else { return Ok(0) };
        let n = read_at(&overflow.file, into, overflow.taken)?;
        overflow.taken += n as u64;
        if overflow.taken >= overflow.written {
            self.overflow = None;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_first_is_taken_first_however_much_it_is() {
        let mut spool = Spool::default();
        let all: Vec<u8> = (0..3 * ROOM).map(|n| (n % 251) as u8).collect();
        let (mut put, mut taken) = (0, Vec::new());
        let mut into = vec![0; 100_000];
        for step in [70_000, ROOM, 1, 300_000, 50_000] {
            spool.put(&all[put..put + step]).unwrap();
            put += step;
            let n = spool.take(&mut into).unwrap();
            taken.extend_from_slice(&into[..n]);
        }
        loop {
            match spool.take(&mut into).unwrap() {
                0 => break,
                n => taken.extend_from_slice(&into[..n]),
            }
        }
        assert!(taken == all[..put] && spool.overflow.is_none());
    }
}
