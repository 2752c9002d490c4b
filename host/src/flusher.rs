//! Flushing files while they are still being written, off the data path.

use std::fs::File;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// How many flushes may wait for the one under way.
const WAITING: usize = 1;

/// A thread that flushes; it ends when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Flusher {
    files: Option<SyncSender<File>>,
}

impl Flusher {
    /// Begins to flush what has been written to `file`, so that less is left to do at its end. If the disk is behind already, it is left
    /// alone. Errors are reported by the flush at the end.
    pub(crate) fn begin(&mut self, file: &File) {
        if let (Ok(files), Ok(file)) = (self.start(), file.try_clone()) {
            let _ = files.try_send(file);
        }
    }

    fn start(&mut self) -> io::Result<&SyncSender<File>> {
        if self.files.is_none() {
            let (sender, files) = sync_channel::<File>(WAITING);
            thread::Builder::new().name("flusher".into()).stack_size(64 << 10).spawn(move || {
                for file in files {
                    let _ = file.sync_data();
                }
            })?;
            self.files = Some(sender);
        }
        self.files.as_ref().ok_or_else(|| io::ErrorKind::Other.into())
    }
}
