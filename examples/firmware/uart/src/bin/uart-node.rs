//! A board whose image can be listed, fetched and replaced over the UART that carries its log: a session in both roles.
//!
//! What it has is one file, `image.bin`, in the flash.

#![no_std]
#![no_main]

use board::{BOARD, Clock, Link, PAGE, SECTOR, Slots, Work, random};
use cortex_m_rt::entry;
use heapless::String;
use sampan_core::driver::{Turn, nb::turn};
use sampan_core::flash::Image;
use sampan_core::wire::{
    Code, DigestKind, Entry, FileName, Identity, Nibble, Offer, UncheckedName, Want, Writer,
};
use sampan_core::{
    Both, Buffers, Cobs, Description, Ending, Engine, Event, FileType, Incoming, Limits, Next, Nonce,
    Outgoing, Part, Receiver, Refusal, Sender, Session, Speaks, Start, Storage, TransferId, Verdict,
};

/// What may be on its way here fits the UART's ring, so that it waits there while a sector is erased.
static LIMITS: Limits = Limits { window: 2_048, name: 64, sync_bytes: SECTOR, ..Limits::SMALL };

const NAME: &str = "image.bin";

#[entry]
fn main() -> ! {
    let clock = Clock::new();
    let mut link = Link::new();
    let (mut page, mut receive, mut transmit) = ([0; PAGE], [0; 600], [0; 600]);
    let (mut incoming, mut outgoing) = ([Incoming::FREE], [Outgoing::FREE]);
    let mut store = Store { images: board::open(&mut page), going: None };
    let mut work = Work::new(clock.now());
    let mut opening = (Speaks::Second, Nonce::new(random()));
    loop {
        let session = Session::with_framing(
            Buffers { receive: &mut receive, transmit: &mut transmit },
            &LIMITS,
            Both { sender: Sender::new(&mut outgoing), receiver: Receiver::new(&mut incoming) },
            (Cobs::new(), Nibble),
            opening,
            clock.now(),
        );
        let mut session = session.expect("the buffers are large enough");
        loop {
            let before = clock.now();
            let turned = turn(&mut session, &mut link, &mut store, before);
            work.waited(before, clock.now());
            match turned {
                Ok(Turn::Event(Event::Received { .. })) => {
                    link.say(format_args!("{BOARD}: has a new {NAME}"));
                }
                Ok(Turn::Event(Event::Sent { .. } | Event::SendFailed(_))) => store.going = None,
                Ok(Turn::Worked | Turn::Event(_)) => {}
                Err(nb::Error::WouldBlock) => {
                    let waits = matches!(session.next(before), Next::Wait(Some(until)) if until > before);
                    if waits && !link.has_to_say() {
                        clock.sleep();
                    }
                }
                Ok(Turn::Closed) | Err(nb::Error::Other(_)) => break,
            }
            link.talk();
            work.go_on(clock.now());
        }
        store.going = None;
        opening = session.successor().unwrap_or((Speaks::Second, Nonce::new(random())));
    }
}

/// The images, of which the whole one can be sent.
struct Store<'p> {
    images: Slots<'p>,
    going: Option<Going>,
}

enum Going {
    Image(Image),
    /// A listing of what begins with this.
    Listing(Prefix),
}

type Prefix = String<{ LIMITS.name as usize }>;

impl Store<'_> {
    /// The record of the image, if its name has this prefix.
    fn list(&self, prefix: &str, offset: usize, into: &mut [u8]) -> usize {
        let Some(image) = self.images.whole().filter(|_| NAME.starts_with(prefix)) else { return 0 };
        let mut record = [0; 32];
        let mut writer = Writer::new(&mut record);
        let name = UncheckedName::new(NAME.as_bytes());
        Entry { size: Some(image.size.into()), modified: None, executable: false, directory: false, name }
            .emit(&mut writer);
        let length = writer.len();
        let rest = record[..length].get(offset..).unwrap_or_default();
        rest.iter().zip(into).map(|(from, to)| *to = *from).count()
    }
}

impl Storage for Store<'_> {
    fn offered(&mut self, transfer: TransferId, offer: &Offer<'_>) -> Verdict {
        let is_overwritten =
            |image: &Image| self.images.whole().is_some_and(|whole| whole.slot != image.slot);
        match &self.going {
            // It is being sent from where this one would go.
            Some(Going::Image(image)) if is_overwritten(image) => Verdict::Decline(Code::Busy.into()),
            _ if offer.name.check().is_ok_and(|name| name.as_str() == NAME) => {
                self.images.offered(transfer, offer)
            }
            _ => Verdict::Decline(Refusal { code: Code::BadName, words: "there is room for image.bin only" }),
        }
    }

    fn store(&mut self, transfer: TransferId, offset: u64, data: &[u8]) -> Result<usize, Refusal> {
        self.images.store(transfer, offset, data)
    }

    fn sync(&mut self, transfer: TransferId, offset: u64, check: u32) -> Option<u64> {
        self.images.sync(transfer, offset, check)
    }

    fn commit(&mut self, transfer: TransferId, end: &Ending<'_>) -> Option<Result<(), Refusal>> {
        self.images.commit(transfer, end)
    }

    fn abandon(&mut self, transfer: TransferId, part: Part) {
        self.images.abandon(transfer, part);
    }

    fn wanted(&mut self, _: TransferId, want: &Want<'_>) -> Result<(), Refusal> {
        if self.going.is_some() {
            return Err(Code::Busy.into());
        }
        self.going = Some(if want.listing {
            let prefix = want.name.check_prefix().map_err(|_| Code::BadName)?;
            let prefix = prefix.map_or("", FileName::as_str);
            Going::Listing(Prefix::try_from(prefix).map_err(|_| Code::BadName)?)
        } else {
            let name = want.name.check().map_err(|_| Code::BadName)?;
            let image = self.images.whole().filter(|_| name.as_str() == NAME);
            Going::Image(*image.ok_or(Code::NotFound)?)
        });
        Ok(())
    }

    fn describe(&mut self, _: TransferId, _: DigestKind) -> Result<Description<'_>, Refusal> {
        let (name, file_type, size, identity) = match self.going.as_ref().ok_or(Code::NotFound)? {
            Going::Image(image) => (NAME, FileType::File, Some(image.size.into()), image.key.identity),
            Going::Listing(prefix) => (prefix.as_str(), FileType::Listing, None, Identity::EMPTY),
        };
        Ok(Description {
            // Only the listing of everything has none.
            name: FileName::new(name).ok(),
            file_type,
            size,
            modified: None,
            identity,
            start: Start::AfterAnswer,
        })
    }

    fn fetch(&mut self, _: TransferId, offset: u64, into: &mut [u8]) -> Result<usize, Refusal> {
        let start = u32::try_from(offset).map_err(|_| Code::Storage)?;
        match self.going.as_ref().ok_or(Code::NotFound)? {
            Going::Image(image) => Ok(self.images.read(image, start, into).map_err(|_| Code::Storage)?),
            Going::Listing(prefix) => Ok(self.list(prefix, start as usize, into)),
        }
    }
}
