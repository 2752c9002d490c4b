//! A file that is nowhere: its bytes are computed.

use sampan_core::wire::{Code, DigestKind, FileName, Identity};
use sampan_core::{Description, FileType, Refusal, Start, Storage, TransferId};

pub(crate) struct Source {
    pub(crate) size: u32,
}

/// The byte of the file at this offset: any of 256, each as often as another.
pub(crate) fn byte(offset: u32) -> u8 {
    (offset.wrapping_mul(0x9E37_79B1) >> 16 ^ offset >> 3) as u8
}

impl Storage for Source {
    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new("image.bin").ok(),
            file_type: FileType::File,
            size: Some(self.size.into()),
            modified: None,
            identity: Identity::EMPTY,
            start: Start::AfterAnswer,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let offset = u32::try_from(offset).map_err(|_| Code::Changed)?;
        let rest = offset..self.size;
        Ok(rest.zip(into).map(|(offset, to)| *to = byte(offset)).count())
    }

    fn finish(&mut self, _: TransferId, _: &mut [u8]) -> Result<usize, Refusal> {
        Ok(0)
    }
}
