//! A link that is cut again and again, and a file that arrives all the same, each time from where it was durable.
//!
//! ```text
//! cargo run -p sampan-examples --example resume
//! ```
//!
//! Two boards of 128 bytes of buffer each, no operating system: only the core's traits, and a link in memory that ends after so many
//! bytes. Each new link is a new session; what survives is what the receiver has kept.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use sampan_core::driver::{Turn, nb as driver};
use sampan_core::wire::{Code, DigestKind, FileName, Identity, Offer};
use sampan_core::{
    Buffers, Description, Ending, Error, Event, FileType, Incoming, Instant, Limits, LinkError, Nonce,
    Outgoing, Receiver, Refusal, ResumePoint, Sender, Session, Speaks, Start, Storage, TransferId, Verdict,
};

const LIMITS: Limits = Limits { sync_bytes: 512, ..Limits::SMALL };

fn main() -> Result<(), Error> {
    let contents: Vec<u8> = (0..4_000_u32).map(|n| (n * 7 / 3) as u8).collect();
    let mut flash = Flash::default();
    for attempt in 1.. {
        let before = flash.durable.offset;
        match attempt_over_one_link(attempt, &contents, &mut flash) {
            Ok(()) => {
                println!("link {attempt}: from {before} to the end, {} bytes", flash.data.len());
                break;
            }
            Err(Error::Link(LinkError::Lost)) => {
                println!("link {attempt}: from {before}; cut with {} bytes durable", flash.durable.offset);
            }
            Err(error) => return Err(error),
        }
    }
    assert!(flash.is_complete && flash.data == contents);
    println!("identical");
    Ok(())
}

/// One link, one session at each end; the link is cut after 1,500 bytes.
fn attempt_over_one_link(attempt: u64, contents: &[u8], flash: &mut Flash) -> Result<(), Error> {
    // A part that is not durable does not survive the reset.
    flash.data.truncate(flash.durable.offset as usize);
    let (mut near, mut far) = Wire::pair(1_500);
    let (mut rx_a, mut tx_a, mut outgoing) = ([0; 128], [0; 128], [Outgoing::FREE]);
    let (mut rx_b, mut tx_b, mut incoming) = ([0; 128], [0; 64], [Incoming::FREE]);
    let now = Instant::ZERO;
    let mut sender = Session::new(
        Buffers { receive: &mut rx_a, transmit: &mut tx_a },
        &LIMITS,
        Sender::new(&mut outgoing),
        Speaks::First,
        Nonce::new(attempt * 2),
        now,
    )?;
    let mut receiver = Session::new(
        Buffers { receive: &mut rx_b, transmit: &mut tx_b },
        &LIMITS,
        Receiver::new(&mut incoming),
        Speaks::Second,
        Nonce::new(attempt * 2 + 1),
        now,
    )?;
    let mut source = Source(contents);
    sender.offer();
    sender.close(Code::Ok);
    let mut ends = [None, None];
    while ends.contains(&None) {
        if ends[0].is_none() {
            ends[0] = finished(driver::turn(&mut sender, &mut near, &mut source, now));
        }
        if ends[1].is_none() {
            ends[1] = finished(driver::turn(&mut receiver, &mut far, flash, now));
        }
    }
    ends[0].unwrap_or(Ok(()))
}

fn finished(turn: nb::Result<Turn<'_>, Error>) -> Option<Result<(), Error>> {
    match turn {
        Ok(Turn::Closed) => Some(Ok(())),
        Ok(Turn::Event(Event::SendFailed(failure))) => panic!("{failure:?}"),
        Ok(_) | Err(nb::Error::WouldBlock) => None,
        Err(nb::Error::Other(error)) => Some(Err(error)),
    }
}

struct Source<'c>(&'c [u8]);

impl Storage for Source<'_> {
    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        Ok(Description {
            name: FileName::new("image.bin").ok(),
            file_type: FileType::File,
            size: Some(self.0.len() as u64),
            modified: None,
            identity: Identity::new(b"build 42").unwrap_or(Identity::EMPTY),
            start: Start::AfterAnswer,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
}

/// What the receiver keeps: on a board, a slot of flash and a small journal.
#[derive(Default)]
struct Flash {
    data: Vec<u8>,
    identity: Vec<u8>,
    durable: ResumePoint,
    is_complete: bool,
}

impl Storage for Flash {
    fn offered(&mut self, _: TransferId, offer: &Offer<'_>) -> Verdict {
        if self.identity != offer.identity.as_bytes() || offer.restart {
            self.durable = ResumePoint::START;
            self.identity = offer.identity.as_bytes().to_vec();
        }
        self.data.truncate(self.durable.offset as usize);
        Verdict::Accept(self.durable)
    }

    fn store(&mut self, _: TransferId, _: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.data.extend_from_slice(data);
        Ok(data.len())
    }

    fn sync(&mut self, _: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.durable = ResumePoint { offset, check };
        Some(offset)
    }

    fn commit(&mut self, _: TransferId, _: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.is_complete = true;
        Some(Ok(()))
    }
}

/// One end of a link that ends after so many bytes have gone into it.
struct Wire {
    rx: Rc<RefCell<VecDeque<u8>>>,
    tx: Rc<RefCell<VecDeque<u8>>>,
    left: Rc<RefCell<usize>>,
}

impl Wire {
    fn pair(bytes: usize) -> (Self, Self) {
        let (up, down, left) = (Rc::default(), Rc::default(), Rc::new(RefCell::new(bytes)));
        let near = Self { rx: Rc::clone(&down), tx: Rc::clone(&up), left: Rc::clone(&left) };
        (near, Self { rx: up, tx: down, left })
    }

    fn is_cut(&self) -> bool {
        *self.left.borrow() == 0
    }
}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl ReadReady for Wire {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.is_cut() || !self.rx.borrow().is_empty())
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        let mut rx = self.rx.borrow_mut();
        let n = rx.len().min(into.len());
        for (byte, received) in into.iter_mut().zip(rx.drain(..n)) {
            *byte = received;
        }
        Ok(n)
    }
}

impl WriteReady for Wire {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let mut left = self.left.borrow_mut();
        let n = bytes.len().min(*left);
        *left -= n;
        self.tx.borrow_mut().extend(&bytes[..n]);
        if n == 0 { Err(ErrorKind::ConnectionReset) } else { Ok(n) }
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
