//! Parsing and emitting are inverse, and neither ever panics.

use sampan_core::wire::{
    Bytewise, Code, Crc32, Data, Entry, FileName, Frame, Kind, Nibble, Reader, UncheckedName, Writer,
    combine, is_portable, split_check, tag, varint_len,
};
use sampan_core::{Deframed, Framing, Stream};

/// Reads `data` as everything the wire knows.
pub fn run(data: &[u8]) {
    frame(data);
    numbers(data);
    name(data);
    listing(data);
    stream(data);
    checks(data);
}

/// What parses is emitted as the same bytes, but for what parsing may ignore; and what was emitted parses as the same.
fn frame(data: &[u8]) {
    let _ = Data::header_len(data);
    let Ok(frame) = Frame::parse(data) else { return };
    let mut out = vec![0xA5; data.len()];
    let mut writer = Writer::new(&mut out);
    frame.emit(&mut writer);
    assert!(!writer.is_full(), "longer than what was parsed");
    let length = writer.len();
    let out = &out[..length];
    assert_eq!(Frame::parse(out), Ok(frame));
    match frame.kind() {
        // Digests that are not known, and bytes after the last field, are ignored.
        Kind::Hello => {}
        // Without its padding.
        Kind::Ping => assert!(data.starts_with(out)),
        // Codes that are not known become *other*.
        Kind::Abort | Kind::Bye | Kind::Decline | Kind::Done => {
            let differing = data.iter().zip(out).filter(|(a, b)| a != b);
            assert_eq!(data.len(), out.len());
            assert!(differing.clone().count() <= 1);
            assert!(differing.into_iter().all(|(_, code)| *code == Code::Other.code()));
        }
        _ => assert_eq!(data, out),
    }
    // Less room than needed: nothing is written beyond it, and it is said.
    for room in 0..length.min(80) {
        let mut small = [0xA5; 81];
        let mut writer = Writer::new(&mut small[..room]);
        frame.emit(&mut writer);
        // Words may be cut.
        assert!(writer.is_full() || writer.len() <= room);
        assert!(small[room..].iter().all(|byte| *byte == 0xA5));
    }
}

fn numbers(data: &[u8]) {
    let mut reader = Reader::new(data);
    if let Ok(number) = reader.varint() {
        let used = data.len() - reader.len();
        assert_eq!(varint_len(number), used);
        let mut out = [0; 10];
        let mut writer = Writer::new(&mut out);
        writer.varint(number);
        assert_eq!(writer.len(), used);
        assert_eq!(out[..used], data[..used], "not the shortest form");
        assert_eq!(
            Reader::new(data).varint32().ok().map(u64::from),
            u32::try_from(number).ok().map(u64::from)
        );
    }
    let mut reader = Reader::new(data);
    if let Ok(number) = reader.zigzag() {
        let mut out = [0; 10];
        let mut writer = Writer::new(&mut out);
        writer.zigzag(number);
        let used = writer.len();
        assert_eq!(out[..used], data[..used]);
    }
    let _ = Reader::new(data).words();
}

fn name(data: &[u8]) {
    let name = UncheckedName::new(data);
    let _ = (name.to_string(), format!("{name:?}"));
    let _ = name.check_prefix();
    let Ok(checked) = name.check() else { return };
    let text = checked.as_str();
    assert_eq!(text.as_bytes(), data);
    assert_eq!(FileName::new(text), Ok(checked));
    assert!(!text.starts_with('/') && !text.ends_with('/') && !text.contains(['\0', '\\', '\n', '\u{202E}']));
    assert!(checked.parts().all(|part| !matches!(part, "" | "." | "..") && !part.starts_with(".sampan")));
    assert!(checked.parts().all(|part| (1..=255).contains(&part.len())) && text.len() <= 1024);
    assert_eq!(checked.parts().next_back(), Some(checked.last_part()));
    assert_eq!(checked.parts().collect::<Vec<_>>().join("/"), text);
    let _ = is_portable(checked);
}

fn listing(data: &[u8]) {
    let mut rest = data;
    while let Ok((entry, used)) = Entry::parse(rest) {
        assert!(used > 0, "a record without bytes is never done with");
        let mut out = vec![0; used];
        let mut writer = Writer::new(&mut out);
        entry.emit(&mut writer);
        assert!(!writer.is_full());
        assert_eq!(out, rest[..used]);
        rest = &rest[used..];
    }
}

/// However the stream is split, the same frames come out of it.
fn stream(data: &[u8]) {
    let whole = frames(data, data.len().max(1));
    for pieces in [1, 7] {
        assert_eq!(frames(data, pieces), whole);
    }
    // The same with the preamble that any input hardly has.
    let with_preamble = [b"\xF5SPN\x01", data].concat();
    assert_eq!(frames(&with_preamble, 1), frames(&with_preamble, with_preamble.len()));
}

/// The ranges of frames of up to 1,024 bytes, and how it ends.
fn frames(data: &[u8], piece: usize) -> (Vec<(usize, usize)>, Option<Deframed>) {
    let (mut stream, mut found, mut start) = (Stream::new(), Vec::new(), 0);
    let mut buffer = data.to_vec();
    let mut end = 0;
    loop {
        match stream.next(&mut buffer[start..end], 1024) {
            Deframed::Incomplete { total } => {
                assert!(total > end - start, "everything that is needed is there");
                if end == data.len() {
                    return (found, None);
                }
                end = (end + piece).min(data.len());
            }
            Deframed::Noise { .. } => panic!("a reliable stream has no noise"),
            Deframed::Skip { length } => {
                assert!(length > 0 && length <= end - start);
                start += length;
            }
            Deframed::Frame { start: from, end: to, used } => {
                assert!(from <= to && to <= used && used <= end - start);
                found.push((start + from, start + to));
                start += used;
            }
            broken @ Deframed::Broken(_) => return (found, Some(broken)),
        }
    }
}

fn checks(data: &[u8]) {
    let whole = Nibble.update(0, data);
    assert_eq!(Bytewise.update(0, data), whole);
    let (a, b) = data.split_at(data.len() / 3);
    assert_eq!(Nibble.update(Nibble.update(0, a), b), whole);
    assert_eq!(combine(Nibble.update(0, a), Nibble.update(0, b), b.len() as u64), whole);
    if let Some((content, check)) = split_check(data) {
        assert_eq!(content.len() + 4, data.len());
        let _ = tag(&mut Nibble, check.into(), whole.into());
    }
}
