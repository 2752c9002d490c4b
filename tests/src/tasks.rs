//! Every kind of thing that is done over a link, and whether it has been done.

use std::collections::BTreeSet;

use sampan_core::wire::Code;
use sampan_core::{Error, FileType, LinkError};

use crate::content;
use crate::disk::PartFile;
use crate::pair::{Finish, Heard, Pair};
use crate::setup::{Laid, NodeOver};
use crate::storage::Offer;

/// What is done over a link, by the end that dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A file of so many bytes is sent.
    Push(usize),
    /// A file of so many bytes is sent; the second number says how many are there already.
    Resume(usize, usize),
    /// A file of so many bytes is sent, of which other contents are there under the same identity: it begins anew.
    Restart(usize),
    /// Three files are sent.
    ManyFiles,
    /// A file is fetched.
    Pull,
    /// A file is fetched; 900 bytes of it are there already.
    ResumePull,
    /// A listing is fetched.
    List,
    /// Something is told.
    Notice,
}

impl Task {
    /// One of each kind.
    pub const ALL: [Self; 9] = [
        Self::Push(3_000),
        Self::Push(0),
        Self::Resume(3_000, 1_100),
        Self::Restart(2_000),
        Self::ManyFiles,
        Self::Pull,
        Self::ResumePull,
        Self::List,
        Self::Notice,
    ];

    /// Begins it, once the session is open where that is needed, and says that nothing more will come.
    pub fn begin<F: Laid>(self, pair: &mut Pair<NodeOver<F>, NodeOver<F>>) {
        let pulled = Offer::file("file", content(1, 2_000));
        match self {
            Self::Push(length) => drop(pair.a.send(Offer::file("file", content(1, length)))),
            Self::Resume(length, there) => {
                let offer = Offer::file("file", content(1, length));
                pair.b.storage.disk.put_part("file", part(&offer, there));
                pair.a.send(offer.patient());
            }
            Self::Restart(length) => {
                let offer = Offer::file("file", content(1, length));
                let other = Offer { data: content(2, length), ..offer.clone() };
                pair.b.storage.disk.put_part("file", part(&other, length / 2));
                pair.a.send(offer.patient());
            }
            Self::ManyFiles => {
                for n in 0..3 {
                    pair.a.send(Offer::file(&format!("file{n}"), content(n, 700)));
                }
            }
            Self::Pull => want(pair, pulled),
            Self::ResumePull => {
                pair.a.storage.disk.put_part("file", part(&pulled, 900));
                want(pair, pulled.patient());
            }
            Self::List => {
                let contents = content(1, 900);
                want(pair, Offer { file_type: FileType::Listing, ..Offer::file("", contents).unsized_() });
            }
            Self::Notice => {
                pair.a.storage.words = "tea is ready".into();
                open(pair);
                assert!(pair.a.engine.notify().is_some());
            }
        }
        pair.a.engine.close(Code::Ok);
    }

    /// Checks that it has been done, whole and once.
    ///
    /// # Panics
    ///
    /// If it has not; `what` is said then.
    pub fn check<F: Laid>(self, pair: &Pair<NodeOver<F>, NodeOver<F>>, what: &str) {
        let (a, b) = (&pair.a.heard, &pair.b.heard);
        let has = |end: &crate::storage::MemoryStorage, name: &str, contents: Vec<u8>| {
            assert!(end.disk.file(name) == Some(contents), "{what}: {name} is not there, or wrong");
        };
        match self {
            Self::Push(length) | Self::Restart(length) => has(&pair.b.storage, "file", content(1, length)),
            Self::Resume(length, there) => {
                has(&pair.b.storage, "file", content(1, length));
                let first = pair.b.storage.accepted.first();
                assert_eq!(first, Some(&("file".into(), there as u64)), "{what}");
            }
            Self::ManyFiles => {
                for n in 0..3 {
                    has(&pair.b.storage, &format!("file{n}"), content(n, 700));
                }
            }
            Self::Pull => has(&pair.a.storage, "file", content(1, 2_000)),
            Self::ResumePull => {
                has(&pair.a.storage, "file", content(1, 2_000));
                assert_eq!(pair.a.storage.accepted.first(), Some(&("file".into(), 900)), "{what}");
            }
            Self::List => has(&pair.a.storage, "listing", content(1, 900)),
            Self::Notice => {
                let told = count(b, |it| matches!(it, Heard::Notice(text) if text == "tea is ready"));
                let taken = count(a, |it| matches!(it, Heard::NoticeTaken(_)));
                assert_eq!((told, taken), (1, 1), "{what}: {a:?} {b:?}");
            }
        }
        let files = match self {
            Self::ManyFiles => 3,
            Self::Notice => 0,
            _ => 1,
        };
        // One that is offered again, since nobody remembers its end, may be told of again.
        let id = |it: &Heard| if let Heard::Received(id) = it { Some(*id) } else { None };
        let received: BTreeSet<_> = a.iter().chain(b).filter_map(id).collect();
        assert_eq!(received.len(), files, "{what}: {a:?} {b:?}");
        let failed = |heard| {
            count(heard, |it| {
                matches!(it, Heard::SendFailed(..) | Heard::ReceiveFailed(..) | Heard::WantFailed(..))
            })
        };
        assert_eq!(failed(a) + failed(b), 0, "{what}: {a:?} {b:?}");
    }
}

fn count(heard: &[Heard], what: impl Fn(&Heard) -> bool) -> usize {
    heard.iter().filter(|it| what(it)).count()
}

/// The first bytes of what is offered, durable.
fn part(offer: &Offer, length: usize) -> PartFile {
    PartFile::of(offer, offer.data[..length].to_vec())
}

fn open<F: Laid>(pair: &mut Pair<NodeOver<F>, NodeOver<F>>) {
    pair.run_until(100, |pair| pair.a.heard.contains(&Heard::Opened));
}

fn want<F: Laid>(pair: &mut Pair<NodeOver<F>, NodeOver<F>>, offer: Offer) {
    let asked = (offer.name.clone(), offer.file_type == FileType::Listing);
    pair.b.storage.offers_on_want.insert(offer.name.clone(), offer);
    open(pair);
    let want = pair.a.engine.want().expect("a free slot");
    pair.a.storage.wants.insert(want, asked);
}

/// Whether an end may end so where the other's goodbye was lost.
pub fn is_good(finish: Finish) -> bool {
    matches!(finish, Ok(()) | Err(Error::Link(LinkError::Silent | LinkError::Lost)))
}
