//! Properties of what frames are made of: numbers, checks, names and records, over arbitrary values and arbitrary bytes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use sampan_core::wire::{
    Bytewise, Crc32, Entry, FileName, Malformed, Nibble, Reader, Shift, UncheckedName, Writer, combine,
    shift, varint_len,
};

/// What output buffers hold before they are written to.
const UNTOUCHED: u8 = 0xA5;
const ROOM: usize = 4096;

/// Numbers of every length as a varint, with equal weight.
fn long() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64).prop_map(|(value, bits)| value >> bits)
}

fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn varints_are_as_long_as_they_say(value in long(), signed in any::<i64>()) {
        let mut out = [UNTOUCHED; 20];
        let mut w = Writer::new(&mut out);
        w.varint(value);
        prop_assert_eq!(w.len(), varint_len(value));
        w.zigzag(signed);
        let len = w.len();
        let mut r = Reader::new(&out[..len]);
        prop_assert_eq!(r.varint(), Ok(value));
        prop_assert_eq!(r.zigzag(), Ok(signed));
        prop_assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn records_are_read_as_they_were_written(
        size in option::of(long()),
        modified in option::of(any::<i64>()),
        executable: bool,
        directory: bool,
        name in vec(any::<u8>(), 0..=1024),
        after in vec(any::<u8>(), 0..20),
    ) {
        let entry = Entry { size, modified, executable, directory, name: UncheckedName::new(&name) };
        let mut out = vec![UNTOUCHED; ROOM];
        let mut w = Writer::new(&mut out);
        entry.emit(&mut w);
        let len = w.len();
        prop_assert!(len <= Entry::MAX_LEN);
        for short in 0..len {
            prop_assert_eq!(Entry::parse(&out[..short]), Err(Malformed::Truncated));
        }
        out.truncate(len);
        out.extend(after);
        prop_assert_eq!(Entry::parse(&out), Ok((entry, len)));
    }

    #[test]
    fn any_record_is_refused_or_canonical(bytes in vec(prop_oneof![0u8..16, any::<u8>()], 0..60)) {
        if let Ok((entry, used)) = Entry::parse(&bytes) {
            let mut out = vec![UNTOUCHED; ROOM];
            let mut w = Writer::new(&mut out);
            entry.emit(&mut w);
            prop_assert_eq!(w.len(), used);
            prop_assert_eq!(&out[..used], &bytes[..used]);
        }
    }

    #[test]
    fn both_tables_agree(begun: u32, data in vec(any::<u8>(), 0..500)) {
        prop_assert_eq!(Nibble.update(begun, &data), Bytewise.update(begun, &data));
    }

    #[test]
    fn pieces_in_any_order_make_the_whole(data in vec(any::<u8>(), 0..600), cuts in vec(any::<Index>(), 1..8), joins in vec(any::<Index>(), 8)) {
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
        at.extend([0, data.len()]);
        at.sort_unstable();
        let mut pieces: Vec<_> = at.windows(2).map(|piece| &data[piece[0]..piece[1]]).map(|piece| (Nibble.update(0, piece), piece.len() as u64)).collect();
        let mut joins = joins.iter().cycle();
        while pieces.len() > 1 {
            let first = joins.next().unwrap().index(pieces.len() - 1);
            let (b, b_len) = pieces.remove(first + 1);
            let (a, a_len) = pieces[first];
            prop_assert_eq!(combine(a, b, b_len), Shift::new(b_len).apply(a) ^ b);
            pieces[first] = (combine(a, b, b_len), a_len + b_len);
        }
        prop_assert_eq!(pieces[0], (Bytewise.update(0, &data), data.len() as u64));
    }

    #[test]
    fn shifts_add_up(crc: u32, a in long(), b in long()) {
        let sum = a.checked_add(b);
        prop_assume!(sum.is_some());
        prop_assert_eq!(shift(shift(crc, a), b), shift(crc, sum.unwrap()));
    }

    #[test]
    fn a_checked_name_keeps_every_rule(name in "[a./\\\\ \u{0}\u{7f}\u{2028}\u{202e}\u{fc}]{0,12}") {
        let unchecked = UncheckedName::new(name.as_bytes());
        prop_assert_eq!(unchecked.check(), FileName::new(&name));
        if let Ok(checked) = unchecked.check() {
            prop_assert_eq!(checked.as_str(), &name);
            prop_assert!(checked.parts().all(|part| !part.is_empty() && part != "." && part != ".."));
            let misleading = name.contains(['\\', '\0', '\u{7f}', '\u{2028}', '\u{202e}']);
            prop_assert!(!misleading);
            prop_assert_eq!(checked.parts().next_back(), Some(checked.last_part()));
        }
    }

    #[test]
    fn a_shown_name_has_nothing_to_fear(bytes in vec(any::<u8>(), 0..100), text in any::<String>()) {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let name = UncheckedName::new(bytes);
            for shown in [format!("{name}"), format!("{name:?}")] {
                prop_assert!(!shown.contains(misleads));
            }
        }
    }
}
