//! What a connection is to do for others, and how they hear what came of it.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use sampan_core::FileType;

use super::Relay;
use crate::happened::Why;
use crate::outbound::Version;
use crate::server::NoticeResult;
use crate::store::Sending;

/// Something to do. One that is dropped before it is done says so.
#[derive(Debug)]
pub(crate) enum Errand {
    Notice(NoticeErrand),
    Push(PushErrand),
    Want(Wanting),
}

/// Something to ask the peer for. Dropped, it is the end of it.
#[derive(Debug)]
pub(crate) struct Wanting(pub(crate) Arc<Relay>);

impl Drop for Wanting {
    fn drop(&mut self) {
        self.0.is_gone();
    }
}

/// A notice to give.
#[derive(Debug)]
pub(crate) struct NoticeErrand {
    pub(crate) text: Arc<str>,
    index: usize,
    way: Option<Sender<(usize, NoticeResult)>>,
}

impl NoticeErrand {
    /// What becomes of it goes along `way`, with its `index`.
    pub(crate) fn new(text: Arc<str>, index: usize, way: Sender<(usize, NoticeResult)>) -> Self {
        Self { text, index, way: Some(way) }
    }

    pub(crate) fn ended(mut self, result: NoticeResult) {
        self.end(result);
    }

    fn end(&mut self, result: NoticeResult) {
        if let Some(way) = self.way.take() {
            let _ = way.send((self.index, result));
        }
    }
}

impl Drop for NoticeErrand {
    fn drop(&mut self) {
        self.end(NoticeResult::LinkLost);
    }
}

/// A file that is sent to many.
#[derive(Debug)]
pub(crate) struct PushedFile {
    pub(crate) name: String,
    pub(crate) file: Arc<File>,
    pub(crate) version: Version,
    pub(crate) file_type: FileType,
}

/// A file to send.
#[derive(Debug)]
pub(crate) struct PushErrand {
    pub(crate) file: Arc<PushedFile>,
    /// Which node and which file of a push.
    place: (usize, usize),
    /// How much of it the node has.
    reached: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
    way: Option<Sender<PushNews>>,
}

/// What became of a file that was to be sent.
#[derive(Debug)]
pub(crate) enum PushNews {
    Stored {
        place: (usize, usize),
        sending: Sending,
        resumed_from: u64,
    },
    Failed {
        place: (usize, usize),
        why: Why,
        trouble: Option<String>,
    },
    /// The connection has ended before.
    Lost {
        place: (usize, usize),
    },
}

impl PushErrand {
    pub(crate) fn new(
        file: Arc<PushedFile>,
        place: (usize, usize),
        reached: Arc<AtomicU64>,
        cancelled: Arc<AtomicBool>,
        way: Sender<PushNews>,
    ) -> Self {
        Self { file, place, reached, cancelled, way: Some(way) }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn reached(&self, bytes: u64) {
        self.reached.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn stored(mut self, sending: Sending, resumed_from: u64) {
        let place = self.place;
        self.tell(PushNews::Stored { place, sending, resumed_from });
    }

    pub(crate) fn failed(mut self, why: Why, trouble: Option<String>) {
        let place = self.place;
        self.tell(PushNews::Failed { place, why, trouble });
    }

    fn tell(&mut self, news: PushNews) {
        if let Some(way) = self.way.take() {
            let _ = way.send(news);
        }
    }
}

impl Drop for PushErrand {
    fn drop(&mut self) {
        let place = self.place;
        self.tell(PushNews::Lost { place });
    }
}
