//! Properties of frames, over arbitrary values and arbitrary bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use sampan_core::wire::{
    Abort, Accept, Ack, Answered, Attach, Bye, Code, Data, Decline, DigestKind, DigestList, Done, End, Frame,
    FrameError, Gap, Gaps, Hello, Identity, Kind, MAX_WORDS, Malformed, NodeName, Notice, Offer, Ping, Pong,
    Scope, UncheckedName, Want, Writer,
};

/// What output buffers hold before they are written to.
const UNTOUCHED: u8 = 0xA5;
const ROOM: usize = 4096;

/// A value that owns what a [`Frame`] borrows.
#[derive(Clone, Debug)]
struct Owned {
    kind: Kind,
    hello: Hello,
    ids: (u32, u32),
    longs: (u64, u64),
    modified: i64,
    flags: [bool; 7],
    code: Code,
    digest: DigestKind,
    identity: Vec<u8>,
    words: String,
    bytes: Vec<u8>,
    skips: Vec<(u32, u32)>,
    ranges: Vec<Gap>,
    value: Vec<u8>,
    node: String,
}

impl Owned {
    fn settled(mut self) -> Self {
        self.value = self.identity.iter().copied().cycle().chain([0; 32]).take(self.digest.len()).collect();
        self.value.resize(self.digest.len(), 7);
        let letters = b"alAL09-._zZ";
        let letter = |byte: &u8| char::from(letters[usize::from(*byte) % letters.len()]);
        self.node = self.identity.iter().map(letter).collect();
        if NodeName::new(&self.node).is_err() {
            self.node.push('.');
        }
        let received = self.longs.0 >> 8;
        let mut end = received;
        self.ranges = self
            .skips
            .iter()
            .map(|&(skip, length)| {
                let touching = u64::from(end != received && skip == 0);
                let gap = Gap { start: end + u64::from(skip) + touching, length: u64::from(length) + 1 };
                end = gap.end();
                gap
            })
            .collect();
        self
    }

    fn frame(&self) -> Frame<'_> {
        let (id, number) = self.ids;
        let transfer = id.max(1);
        let words = self.words.as_str();
        let refusal = Code::from_refusal(self.code.code());
        let name = UncheckedName::new(&self.bytes);
        let directory = self.flags[3];
        let executable = self.flags[2] && !directory;
        let listing = self.flags[6] && !directory && !executable;
        match self.kind {
            Kind::Hello => Frame::Hello(self.hello),
            Kind::Ping => Frame::Ping(Ping { number }),
            Kind::Pong => Frame::Pong(Pong { number }),
            Kind::Notice => Frame::Notice(Notice { number, words }),
            Kind::Abort => {
                let scope = if self.flags[0] { Scope::Sending } else { Scope::Receiving };
                let (scope, transfer) = if self.flags[1] { (Scope::Session, 0) } else { (scope, transfer) };
                Frame::Abort(Abort { scope, transfer, code: refusal, words })
            }
            Kind::Bye => Frame::Bye(Bye { code: self.code, words }),
            Kind::Offer => Frame::Offer(Offer {
                transfer,
                size: self.flags[0].then_some(if directory { 0 } else { self.longs.0 }),
                modified: self.flags[1].then_some(self.modified),
                executable,
                directory,
                restart: self.flags[4],
                want: self.flags[5].then_some(number.max(1)),
                listing,
                digest: self.digest,
                identity: Identity::new(&self.identity).unwrap(),
                name,
            }),
            Kind::Want => Frame::Want(Want { number: transfer, listing: self.flags[0], name }),
            Kind::Accept => {
                let have = self.flags[0];
                let offset = if have { 0 } else { self.longs.0 };
                Frame::Accept(Accept {
                    transfer,
                    have,
                    offset,
                    check: if offset == 0 { 0 } else { number },
                    credit: if have { 0 } else { number },
                })
            }
            Kind::Decline => {
                let what = if self.flags[0] { Answered::Want } else { Answered::Offer };
                Frame::Decline(Decline { what, number: transfer, code: refusal, words })
            }
            Kind::Data => {
                let payload = if self.bytes.is_empty() { &[0] } else { self.bytes.as_slice() };
                Frame::Data(Data { transfer, offset: self.longs.0, payload })
            }
            Kind::Ack => {
                let received = self.longs.0 >> 8;
                let gaps = Gaps::new(&self.ranges, if self.ranges.is_empty() { 0 } else { number.into() });
                Frame::Ack(Ack {
                    transfer,
                    received,
                    durable: received.min(self.longs.1),
                    credit: number,
                    gaps,
                })
            }
            Kind::End => Frame::End(End {
                transfer,
                size: self.longs.0,
                check: number,
                digest: self.digest,
                value: &self.value,
            }),
            Kind::Attach => Frame::Attach(Attach { name: NodeName::new(&self.node).unwrap() }),
            Kind::Done => Frame::Done(Done { transfer, code: self.code, words }),
        }
    }
}

/// Numbers of every length as a varint, with equal weight.
fn long() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64).prop_map(|(value, bits)| value >> bits)
}

fn int() -> impl Strategy<Value = u32> {
    (any::<u32>(), 0u32..32).prop_map(|(value, bits)| value >> bits)
}

fn words() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..=MAX_WORDS / 4).prop_map(String::from_iter)
}

fn digest() -> impl Strategy<Value = DigestKind> {
    select(&DigestKind::ALL[..])
}

fn hello() -> impl Strategy<Value = Hello> {
    let limits = (int(), int(), int(), int(), int(), int());
    (1u8.., 1u64.., long(), 0u8..4, limits, vec(digest(), 0..8)).prop_map(
        |(version, nonce, echo, flags, limits, digests)| Hello {
            version,
            nonce,
            echo,
            flags,
            frame: limits.0.max(60),
            window: limits.1,
            eager: limits.2,
            transfers: limits.3,
            gaps: limits.4,
            name: limits.5,
            digests: DigestList::new(&digests),
        },
    )
}

fn owned() -> impl Strategy<Value = Owned> {
    let numbers = ((int(), int()), (long(), long()), long().prop_map(u64::cast_signed));
    let choices = (any::<[bool; 7]>(), select(&Code::ALL[..]), digest());
    let contents = (vec(any::<u8>(), 0..=16), words(), vec(any::<u8>(), 0..300), vec((int(), int()), 0..20));
    (select(&Kind::ALL[..]), hello(), numbers, choices, contents).prop_map(
        |(kind, hello, numbers, choices, contents)| {
            Owned {
                kind,
                hello,
                ids: numbers.0,
                longs: numbers.1,
                modified: numbers.2,
                flags: choices.0,
                code: choices.1,
                digest: choices.2,
                identity: contents.0,
                words: contents.1,
                bytes: contents.2,
                skips: contents.3,
                ranges: Vec::new(),
                value: Vec::new(),
                node: String::new(),
            }
            .settled()
        },
    )
}

fn emitted(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = vec![UNTOUCHED; ROOM];
    let mut w = Writer::new(&mut out);
    frame.emit(&mut w);
    assert!(!w.is_full());
    let len = w.len();
    assert!(out[len..].iter().all(|&byte| byte == UNTOUCHED), "written beyond the end");
    out.truncate(len);
    out
}

/// Whether two frames differ at most in a code that is read as `other`.
fn same_but_for_a_code(kind: Kind, read: &[u8], written: &[u8]) -> bool {
    let with_code = matches!(kind, Kind::Abort | Kind::Bye | Kind::Decline | Kind::Done);
    let differing: Vec<_> = read.iter().zip(written).filter(|(a, b)| a != b).collect();
    read.len() == written.len()
        && match *differing.as_slice() {
            [] => true,
            [(&read, &written)] => with_code && (read == 0 || read > 18) && written == Code::Other.code(),
            _ => false,
        }
}

/// What holds of any bytes whatever; `true` if they are a frame.
fn assert_canonical(bytes: &[u8]) -> bool {
    match Frame::parse(bytes) {
        Ok(Frame::Hello(hello)) => {
            let again = emitted(&Frame::Hello(hello));
            assert_eq!(Frame::parse(&again), Ok(Frame::Hello(hello)));
            true
        }
        Ok(Frame::Ping(ping)) => {
            // Without its padding.
            assert!(bytes.starts_with(&emitted(&Frame::Ping(ping))));
            true
        }
        Ok(frame) => {
            let again = emitted(&frame);
            assert!(same_but_for_a_code(frame.kind(), bytes, &again), "{bytes:02x?} became {again:02x?}");
            assert_eq!(Frame::parse(&again), Ok(frame));
            true
        }
        Err(FrameError::UnknownKind(code)) => {
            assert_eq!((Kind::from_code(code), bytes.first()), (None, Some(&code)));
            false
        }
        Err(FrameError::Malformed(_)) => false,
    }
}

/// Bytes as a peer with a fault in it would send them: small values are likelier than large ones.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => 0u8..4, 1 => 0x7Fu8..0x82, 1 => any::<u8>()];
    (select(&Kind::ALL[..]), vec(byte, 0..40)).prop_map(|(kind, mut body)| {
        body.insert(0, kind.code());
        body
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_frame_is_read_as_it_was_written(owned in owned()) {
        let frame = owned.frame();
        let bytes = emitted(&frame);
        prop_assert_eq!(Frame::parse(&bytes), Ok(frame));
        prop_assert_eq!(bytes[0], owned.kind.code());
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in vec(any::<u8>(), 0..200)) {
        assert_canonical(&bytes);
    }

    #[test]
    fn likely_bytes_are_refused_or_canonical(bytes in likely_bytes()) {
        assert_canonical(&bytes);
    }

    #[test]
    fn damaged_frames_are_refused_or_canonical(owned in owned(), at in any::<Index>(), with in any::<u8>(), how in 0..3) {
        let mut bytes = emitted(&owned.frame());
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = with,
            1 => bytes.insert(at, with),
            _ => { bytes.remove(at); }
        }
        assert_canonical(&bytes);
    }

    #[test]
    fn a_frame_cut_short_is_shorter_or_refused_as_such(owned in owned(), at in any::<Index>()) {
        let bytes = emitted(&owned.frame());
        let cut = &bytes[..at.index(bytes.len())];
        if !assert_canonical(cut) {
            let error = Frame::parse(cut).unwrap_err();
            let of_words = owned.kind != Kind::Data && error == FrameError::Malformed(Malformed::Text);
            let of_nodes = owned.kind == Kind::Attach && cut[1.min(cut.len())..].eq_ignore_ascii_case(b"all");
            prop_assert!(of_words || of_nodes || error == FrameError::Malformed(Malformed::Truncated));
        }
    }

    #[test]
    fn a_buffer_too_small_is_told_and_not_overrun(owned in owned(), room in any::<Index>()) {
        let frame = owned.frame();
        let bytes = emitted(&frame);
        let room = room.index(bytes.len());
        let mut out = vec![UNTOUCHED; ROOM];
        let (lent, beyond) = out.split_at_mut(room);
        let mut w = Writer::new(lent);
        frame.emit(&mut w);
        let (len, full) = (w.len(), w.is_full());
        prop_assert!(len <= room);
        prop_assert!(lent[len..].iter().all(|&byte| byte == UNTOUCHED));
        prop_assert!(beyond.iter().all(|&byte| byte == UNTOUCHED));
        prop_assert_eq!(&lent[..len], &bytes[..len]);
        let has_words = matches!(owned.kind, Kind::Notice | Kind::Abort | Kind::Bye | Kind::Decline | Kind::Done);
        prop_assert!(full || has_words);
        if !full {
            prop_assert!(Frame::parse(&lent[..len]).is_ok());
            prop_assert!(room - len < 4);
        }
    }

    #[test]
    fn data_overhead_and_header_are_as_long_as_they_say(transfer in 1u32.., offset in long(), payload in vec(any::<u8>(), 1..50)) {
        let bytes = emitted(&Frame::Data(Data { transfer, offset, payload: &payload }));
        prop_assert_eq!(Data::overhead(transfer, offset), bytes.len() - payload.len() + 4);
        let header = bytes.len() - payload.len();
        for len in 0..=bytes.len() {
            prop_assert_eq!(Data::header_len(&bytes[..len]), (len >= header).then_some(header));
        }
    }
}
