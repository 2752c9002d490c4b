//! The golden vectors of `tests/vectors/`, in both directions.

use std::fmt::Write as _;
use std::str::FromStr;

use sampan_core::wire::{
    Answered, Bytewise, Crc32, Entry, Frame, FrameError, Hello, Kind, Malformed, NameError, Nibble,
    NotPortable, Reader, Scope, Shift, UncheckedName, Writer, combine, is_portable, shift, split_check, tag,
};

const FRAMES: &str = include_str!("../../tests/vectors/frames.txt");
const MALFORMED: &str = include_str!("../../tests/vectors/malformed.txt");
const NAMES: &str = include_str!("../../tests/vectors/names.txt");
const VARINTS: &str = include_str!("../../tests/vectors/varints.txt");
const CRC: &str = include_str!("../../tests/vectors/crc.txt");
const LISTING: &str = include_str!("../../tests/vectors/listing.txt");

fn lines(file: &str) -> Vec<&str> {
    let lines: Vec<_> = file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert!(!lines.is_empty());
    lines
}

fn bytes(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    assert!(hex.is_ascii() && hex.len().is_multiple_of(2), "{hex}");
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".into();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b' '..=b'~' if byte != b'"' && byte != b'\\' => text.push(byte.into()),
            _ => write!(text, "\\x{byte:02x}").unwrap(),
        }
    }
    text + "\""
}

fn unquoted(text: &str) -> Vec<u8> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect(text);
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        if let Some(code) = rest.strip_prefix("\\x") {
            out.extend(bytes(&code[..2]));
            rest = &code[2..];
        } else {
            out.push(u8::try_from(c).unwrap());
            rest = &rest[1..];
        }
    }
    assert_eq!(quoted(&out), text);
    out
}

fn number<T: TryFrom<u64>>(text: &str) -> T {
    let value = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => text.parse().unwrap(),
    };
    T::try_from(value).ok().expect(text)
}

fn optional<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".into(), |value| value.to_string())
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "-".into() } else { items.join(",") }
}

fn error(error: Malformed) -> &'static str {
    match error {
        Malformed::Truncated => "truncated",
        Malformed::Trailing => "trailing",
        Malformed::Varint => "varint",
        Malformed::Value => "value",
        Malformed::Text => "text",
    }
}

/// The fields as `frames.txt` has them, from `kind=` on.
fn rendered(frame: &Frame<'_>) -> String {
    let mut text = format!("kind={}\n", frame.kind());
    let mut field = |key: &str, value: &dyn std::fmt::Display| writeln!(text, "{key}={value}").unwrap();
    match frame {
        Frame::Hello(f) => {
            field("version", &f.version);
            field("nonce", &format!("{:#018x}", f.nonce));
            field("echo", &format!("{:#018x}", f.echo));
            field("one_direction", &yes(f.flags & Hello::ONE_DIRECTION != 0));
            field("answers_want", &yes(f.flags & Hello::ANSWERS_WANT != 0));
            field("open", &yes(f.flags & Hello::OPEN != 0));
            field("frame", &f.frame);
            field("window", &f.window);
            field("eager", &f.eager);
            field("transfers", &f.transfers);
            field("gaps", &f.gaps);
            field("name", &f.name);
            field("digests", &list(f.digests.iter().map(|kind| kind.to_string())));
            assert_eq!(f.flags & !(Hello::ONE_DIRECTION | Hello::ANSWERS_WANT | Hello::OPEN), 0);
        }
        Frame::Ping(f) => field("number", &f.number),
        Frame::Pong(f) => field("number", &f.number),
        Frame::Notice(f) => {
            field("number", &f.number);
            field("words", &quoted(f.words.as_bytes()));
        }
        Frame::Abort(f) => {
            let scope = match f.scope {
                Scope::Session => "session",
                Scope::Sending => "sending",
                Scope::Receiving => "receiving",
            };
            field("scope", &scope);
            field("transfer", &f.transfer);
            field("code", &f.code);
            field("words", &quoted(f.words.as_bytes()));
        }
        Frame::Bye(f) => {
            field("code", &f.code);
            field("words", &quoted(f.words.as_bytes()));
        }
        Frame::Offer(f) => {
            field("transfer", &f.transfer);
            field("size", &optional(f.size));
            field("modified", &optional(f.modified));
            field("executable", &yes(f.executable));
            field("directory", &yes(f.directory));
            field("restart", &yes(f.restart));
            field("want", &optional(f.want));
            field("listing", &yes(f.listing));
            field("digest", &f.digest);
            field("identity", &hex(f.identity.as_bytes()));
            field("name", &quoted(f.name.as_bytes()));
        }
        Frame::Want(f) => {
            field("number", &f.number);
            field("listing", &yes(f.listing));
            field("name", &quoted(f.name.as_bytes()));
        }
        Frame::Accept(f) => {
            field("transfer", &f.transfer);
            field("have", &yes(f.have));
            field("offset", &f.offset);
            field("check", &format!("{:#010x}", f.check));
            field("credit", &f.credit);
        }
        Frame::Decline(f) => {
            let what = match f.what {
                Answered::Offer => "offer",
                Answered::Want => "want",
            };
            field("what", &what);
            field("number", &f.number);
            field("code", &f.code);
            field("words", &quoted(f.words.as_bytes()));
        }
        Frame::Data(f) => {
            field("transfer", &f.transfer);
            field("offset", &f.offset);
            field("payload", &hex(f.payload));
        }
        Frame::Ack(f) => {
            field("transfer", &f.transfer);
            field("received", &f.received);
            field("durable", &f.durable);
            field("credit", &f.credit);
            field("gaps", &list(f.gaps.iter().map(|gap| format!("{}+{}", gap.start, gap.length))));
            field("beyond", &f.gaps.beyond());
        }
        Frame::End(f) => {
            field("transfer", &f.transfer);
            field("size", &f.size);
            field("check", &format!("{:#010x}", f.check));
            field("digest", &f.digest);
            field("value", &hex(f.value));
        }
        Frame::Attach(f) => field("name", &quoted(f.name.as_str().as_bytes())),
        Frame::Done(f) => {
            field("transfer", &f.transfer);
            field("code", &f.code);
            field("words", &quoted(f.words.as_bytes()));
        }
    }
    text
}

#[test]
fn frames() {
    let mut kinds = Vec::new();
    for paragraph in FRAMES.split("\n\n").skip(1) {
        let (head, fields) = paragraph.split_once("kind=").unwrap();
        let value = |key: &str| head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let name = value("vector").unwrap();
        let frame = bytes(value("bytes").unwrap());
        let (covered, check) = split_check(&frame).unwrap();

        let parsed = Frame::parse(covered).expect(name);
        assert_eq!(rendered(&parsed).trim_end(), format!("kind={fields}").trim_end(), "{name}");

        let start = match parsed.kind() {
            Kind::Hello => 0,
            _ => tag(&mut Nibble, number(value("from").unwrap()), number(value("to").unwrap())),
        };
        assert_eq!(Nibble.update(start, covered), check, "{name}");
        assert_eq!(Bytewise.update(start, covered), check, "{name}");

        let mut out = vec![0xA5; covered.len()];
        let mut w = Writer::new(&mut out);
        parsed.emit(&mut w);
        assert!(!w.is_full(), "{name}");
        if value("reads").is_some() {
            assert_ne!(out, covered, "{name}");
        } else {
            assert_eq!(hex(&out), hex(covered), "{name}");
        }
        kinds.push(parsed.kind());
    }
    for kind in Kind::ALL {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn malformed() {
    let mut kinds = Vec::new();
    for line in lines(MALFORMED) {
        let (line, why) = line.split_once(" # ").unwrap();
        let fields: Vec<_> = line.split(' ').collect();
        let &[kind, expected, body] = fields.as_slice() else { panic!("{line}") };
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).unwrap();
        let mut frame = vec![kind.code()];
        frame.extend(bytes(body));
        let result = match Frame::parse(&frame) {
            Err(FrameError::Malformed(malformed)) => error(malformed),
            other => panic!("{kind}, {why}: {other:?}"),
        };
        assert_eq!(result, expected, "{kind}, {why}");
        kinds.push(kind);
    }
    for kind in Kind::ALL {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn names() {
    for line in lines(NAMES) {
        let fields: Vec<_> = line.splitn(3, ' ').collect();
        let &[expected, portable, name] = fields.as_slice() else { panic!("{line}") };
        let name = unquoted(name);
        let name = UncheckedName::new(&name);
        let (verdict, verdict_portable) = match name.check() {
            Ok(checked) => {
                assert_eq!(checked.as_str().as_bytes(), name.as_bytes());
                ("valid", portability(is_portable(checked)))
            }
            Err(reason) => (name_error(reason), "-"),
        };
        assert_eq!((verdict, verdict_portable), (expected, portable), "{name}");
        let prefix = name.check_prefix();
        assert_eq!(prefix.is_ok(), expected == "valid" || expected == "empty", "{name}");
    }
}

fn name_error(error: NameError) -> &'static str {
    match error {
        NameError::Empty => "empty",
        NameError::TooLong { .. } => "too-long",
        NameError::NotUtf8 => "not-utf8",
        NameError::EmptyPart => "empty-part",
        NameError::PartTooLong { .. } => "part-too-long",
        NameError::DotPart => "dot-part",
        NameError::Reserved => "reserved",
        NameError::Control => "control",
        NameError::Direction => "direction",
        NameError::Backslash => "backslash",
    }
}

fn portability(result: Result<(), NotPortable>) -> &'static str {
    match result {
        Ok(()) => "portable",
        Err(NotPortable::Character(_)) => "character",
        Err(NotPortable::Ending) => "ending",
        Err(NotPortable::Device) => "device",
    }
}

#[test]
fn varints() {
    for line in lines(VARINTS) {
        let fields: Vec<_> = line.split(' ').collect();
        let &[kind, encoded, expected] = fields.as_slice() else { panic!("{line}") };
        let encoded = bytes(encoded);
        let mut r = Reader::new(&encoded);
        let mut out = [0; 10];
        let mut w = Writer::new(&mut out);
        let value = match kind {
            "varint" => r.varint().inspect(|&value| w.varint(value)).map(i128::from),
            "varint32" => r.varint32().inspect(|&value| w.varint(value.into())).map(i128::from),
            "zigzag" => r.zigzag().inspect(|&value| w.zigzag(value)).map(i128::from),
            _ => panic!("{line}"),
        };
        match value {
            Ok(value) => {
                assert_eq!(Ok(value), i128::from_str(expected), "{line}");
                assert_eq!(r.finish(), Ok(()), "{line}");
                let len = w.len();
                assert_eq!(out[..len], encoded, "{line}");
            }
            Err(malformed) => assert_eq!(error(malformed), expected, "{line}"),
        }
    }
}

#[test]
fn crc() {
    for line in lines(CRC) {
        let (what, rest) = line.split_once(' ').unwrap();
        let (arguments, result) = rest.rsplit_once(' ').unwrap();
        let result: u32 = number(result);
        let numbers: Vec<_> = arguments.split(' ').collect();
        match (what, numbers.as_slice()) {
            ("crc32", _) => {
                let text = unquoted(arguments);
                assert_eq!(Nibble.update(0, &text), result, "{line}");
                assert_eq!(Bytewise.update(0, &text), result, "{line}");
            }
            ("tag", &[from, to]) => assert_eq!(tag(&mut Nibble, number(from), number(to)), result, "{line}"),
            ("shift", &[crc, len]) => {
                assert_eq!(shift(number(crc), number(len)), result, "{line}");
                assert_eq!(Shift::new(number(len)).apply(number(crc)), result, "{line}");
            }
            ("combine", &[a, b, len]) => {
                assert_eq!(combine(number(a), number(b), number(len)), result, "{line}");
            }
            _ => panic!("{line}"),
        }
    }
}

#[test]
fn listing() {
    for line in lines(LISTING) {
        let fields: Vec<_> = line.splitn(6, ' ').collect();
        let encoded = bytes(fields[0]);
        match Entry::parse(&encoded) {
            Ok((entry, used)) => {
                assert_eq!(used, encoded.len(), "{line}");
                let rendered = [
                    optional(entry.size),
                    optional(entry.modified),
                    yes(entry.executable).into(),
                    yes(entry.directory).into(),
                    quoted(entry.name.as_bytes()),
                ];
                assert_eq!(rendered.as_slice(), &fields[1..], "{line}");
                let mut out = vec![0xA5; used];
                let mut w = Writer::new(&mut out);
                entry.emit(&mut w);
                assert!(!w.is_full());
                assert_eq!(out, encoded, "{line}");
            }
            Err(malformed) => assert_eq!([error(malformed)], fields[1..], "{line}"),
        }
    }
}
