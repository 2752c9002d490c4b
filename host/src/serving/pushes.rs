//! The sending half of a storage: files that are pushed.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Instant;

use sampan_core::wire::{Code, DigestKind, FileName};
use sampan_core::{Description, Refusal, Start, Storage, TransferId};

use super::PushErrand;
use crate::file_error::{Doing, FileError};
use crate::outbound::OutboundFile;
use crate::store::Sending;

/// Files on their way to one node.
#[derive(Debug, Default)]
pub(super) struct Pushes {
    transfers: BTreeMap<TransferId, Push>,
    /// Bytes read so far, over all transfers.
    pub(super) moved: u64,
}

#[derive(Debug)]
struct Push {
    errand: PushErrand,
    file: OutboundFile,
    began: Instant,
    fetched: u64,
    trouble: Option<String>,
}

impl Pushes {
    /// This is what `transfer` sends.
    pub(super) fn add(&mut self, transfer: TransferId, errand: PushErrand) {
        let pushed = &errand.file;
        let file = OutboundFile::shared(pushed.file.clone(), pushed.version, pushed.file_type);
        let push = Push { errand, file, began: Instant::now(), fetched: 0, trouble: None };
        self.transfers.insert(transfer, push);
    }

    pub(super) fn has(&self, transfer: TransferId) -> bool {
        self.transfers.contains_key(&transfer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.transfers.is_empty()
    }

    /// The transfers and their errands.
    pub(super) fn errands(&self) -> impl Iterator<Item = (TransferId, &PushErrand)> {
        self.transfers.iter().map(|(transfer, push)| (*transfer, &push.errand))
    }

    /// How far each is: name, bytes, size.
    pub(super) fn under_way(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.transfers.values().map(|push| (push.errand.file.name.as_str(), push.fetched, push.file.size()))
    }

    /// The transfer is over: what is known of it, which is then forgotten.
    pub(super) fn take(&mut self, transfer: TransferId) -> Option<(PushErrand, Sending)> {
        let Push { errand, file, began, fetched, trouble } = self.transfers.remove(&transfer)?;
        let digest = (fetched == file.size()).then(|| file.digest());
        let (name, size) = (errand.file.name.clone(), Some(file.size()));
        let sending =
            Sending { name, size, fetched, digest, took: began.elapsed(), trouble, is_listing: false };
        Some((errand, sending))
    }

    fn push(&mut self, transfer: TransferId) -> Result<&mut Push, Refusal> {
        self.transfers.get_mut(&transfer).ok_or(Code::NotFound.into())
    }
}

impl Push {
    fn or_note<T>(&mut self, result: io::Result<T>) -> Result<T, Refusal> {
        result.map_err(|cause| {
            let error = FileError::new(Doing::Read, Path::new(&self.errand.file.name), cause);
            let refusal = error.refusal();
            self.trouble = Some(error.to_string());
            refusal
        })
    }
}

impl Storage for Pushes {
    fn describe(&mut self, transfer: TransferId, digest: DigestKind) -> Result<Description<'_>, Refusal> {
        let push = self.push(transfer)?;
        push.fetched = 0;
        let name = FileName::new(&push.errand.file.name).map_err(|_| Refusal::from(Code::BadName))?;
        Ok(push.file.describe(name, digest, Start::AfterAnswer))
    }

    fn fetch(&mut self, transfer: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let push = self.push(transfer)?;
        let result = push.file.fetch(offset, into);
        let n = push.or_note(result)?;
        push.fetched = push.fetched.max(offset.saturating_add(n as u64));
        self.moved = self.moved.saturating_add(n as u64);
        Ok(n)
    }

    fn finish(&mut self, transfer: TransferId, into: &mut [u8]) -> Result<usize, Refusal> {
        let push = self.push(transfer)?;
        let result = push.file.finish(into);
        push.or_note(result)?
    }
}
