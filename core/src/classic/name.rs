//! The name as it comes in (§14.2): only its last part is kept, at the start of the receive buffer.

use super::{shift, text};
use crate::action::Refusal;
use crate::wire::{Code, MAX_NAME, NameError, UncheckedName};

#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Bytes of the last part.
    kept: usize,
    /// Bytes in all, with the parts that were dropped.
    total: usize,
}

impl Gathered {
    /// How many bytes of the buffer the last part takes.
    pub(super) fn len(&self) -> usize {
        self.kept
    }

    /// Where the next read goes: one byte more than a name may have, to see if there are more.
    pub(super) fn spare<'a>(&self, buffer: &'a mut [u8]) -> &'a mut [u8] {
        let more = MAX_NAME.saturating_add(1).saturating_sub(self.total);
        let end = self.kept.saturating_add(more).min(buffer.len());
        buffer.get_mut(self.kept..end).unwrap_or_default()
    }

    /// `n` bytes were read into [`spare`](Self::spare).
    pub(super) fn received(&mut self, buffer: &mut [u8], n: usize) -> Result<(), Refusal> {
        let n = n.min(self.spare(buffer).len());
        self.total = self.total.saturating_add(n);
        self.kept = self.kept.saturating_add(n);
        let received = buffer.get(..self.kept).unwrap_or_default();
        let divided = received.iter().rposition(|byte| matches!(byte, b'/' | b'\\'));
        if let Some((folders, last)) = divided.and_then(|at| received.split_at_checked(at.saturating_add(1)))
        {
            if core::str::from_utf8(folders).is_err() {
                return Err(bad(NameError::NotUtf8));
            }
            let (start, end) = (folders.len(), received.len());
            self.kept = last.len();
            shift::to_start(buffer, start..end);
        }
        if self.total > MAX_NAME || self.kept >= buffer.len() {
            return Err(bad(NameError::TooLong { len: self.total }));
        }
        Ok(())
    }

    /// Whether what was kept, in at most `longest` bytes, is a name.
    pub(super) fn check(&self, buffer: &[u8], longest: usize) -> Result<(), Refusal> {
        let kept = self.name(buffer);
        kept.check().map_err(bad)?;
        if self.kept > longest {
            return Err(bad(NameError::PartTooLong { len: self.kept }));
        }
        Ok(())
    }

    pub(super) fn name<'a>(&self, buffer: &'a [u8]) -> UncheckedName<'a> {
        UncheckedName::new(buffer.get(..self.kept).unwrap_or_default())
    }
}

fn bad(error: NameError) -> Refusal {
    Refusal { code: Code::BadName, words: text::words_of_name(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{vec, vec::Vec};

    fn gather(name: &[u8], size: usize, step: usize) -> Result<Vec<u8>, &'static str> {
        let mut buffer = vec![0xA5; size];
        let mut gathered = Gathered::default();
        for mut piece in name.chunks(step) {
            while !piece.is_empty() {
                let spare = gathered.spare(&mut buffer);
                let n = piece.len().min(spare.len());
                spare.fill(0x5A);
                spare[..n].copy_from_slice(&piece[..n]);
                gathered.received(&mut buffer, n).map_err(|refusal| refusal.words)?;
                piece = &piece[n..];
            }
        }
        gathered.check(&buffer, 255.min(size - 21)).map_err(|refusal| refusal.words)?;
        Ok(gathered.name(&buffer).as_bytes().to_vec())
    }

    #[test]
    fn the_last_part_is_kept_however_the_name_is_cut() {
        let long = [b"n".repeat(700), b"/".to_vec(), b"m".repeat(255)].concat();
        for (name, expected) in [
            (&b"a.txt"[..], Ok(&b"a.txt"[..])),
            (b"dir/sub/file.bin", Ok(b"file.bin")),
            (b"C:\\x\\y.bin", Ok(b"y.bin")),
            (b"a\\b/c", Ok(b"c")),
            (b"../../x", Ok(b"x")),
            (b"//x", Ok(b"x")),
            ("a/\u{fc}/\u{1f600}".as_bytes(), Ok("\u{1f600}".as_bytes())),
            (&long, Ok(&long[701..])),
            (b"", Err("the name is empty")),
            (b"dir/", Err("the name is empty")),
            (b"\\", Err("the name is empty")),
            (b"..", Err("the name is . or ..")),
            (b"a/..", Err("the name is . or ..")),
            (b"a\0b", Err("the name has a control character")),
            (b"a\n", Err("the name has a control character")),
            (b"a\xffb", Err("the name is not UTF-8")),
            (b"a\xff/b", Err("the name is not UTF-8")),
            (b"\xc3/b", Err("the name is not UTF-8")),
            (b".sampan-1", Err("the name begins with .sampan")),
            ("a\u{202e}".as_bytes(), Err("the name has a character that changes the direction of text")),
            (&[b'a'; 256], Err("the name is too long")),
            (&[b"a/".repeat(511), b"bb".to_vec()].concat(), Ok(b"bb")),
            (&[b"a/".repeat(511), b"bbb".to_vec()].concat(), Err("the name is too long")),
        ] {
            for step in [1, 2, 3, 7, 100, 2000] {
                assert_eq!(gather(name, 2048, step).as_deref(), expected.as_deref(), "{name:?} by {step}");
            }
        }
    }

    #[test]
    fn a_small_buffer_takes_long_folders_one_by_one() {
        let name = [b"folder/".repeat(100), b"file".to_vec()].concat();
        for step in [1, 3, 128] {
            assert_eq!(gather(&name, 128, step), Ok(b"file".to_vec()));
        }
        assert_eq!(gather(&b"n".repeat(107), 128, 128), Ok(b"n".repeat(107)));
        assert_eq!(gather(&b"n".repeat(108), 128, 128), Err("the name is too long"));
        assert_eq!(gather(&b"n".repeat(200), 128, 1), Err("the name is too long"));
    }
}
