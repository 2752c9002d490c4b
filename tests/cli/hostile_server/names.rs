//! A server that sends other files than those that were asked for.

use std::fs;

use sampan_core::wire::{Frame, Identity, Offer, UncheckedName};

use super::Meeting;
use crate::kit::Framed;
use crate::kit::hostile::record;

const EVIL: &[u8] = b"evil";

/// Says all of a file, whatever the client thinks of it.
fn push(framed: &mut Framed, offer: Offer<'_>) {
    let transfer = offer.transfer;
    let _ = framed.try_say(&Frame::Offer(offer));
    if framed.is_taken() {
        framed.say_data(transfer, EVIL, 0, 4);
        let _ = framed.try_say(&Frame::End(Framed::end_of(transfer, EVIL)));
    }
    framed.see_off();
}

#[test]
fn a_file_of_another_name_than_was_asked_for_is_not_written() {
    for name in [
        "other",
        "../here/file",
        "../outside/secret",
        "/tmp/x",
        "file/x",
        "FILE",
        "./file",
        ".bashrc",
        "",
        "file\n",
        "\\file",
        ".sampan-x",
    ] {
        let meeting = Meeting::new();
        let (client, mut framed) = meeting.get(&["file"]);
        let wanted = framed.next_file(&record(b"file", 4), &["file"]).expect("the file is asked for");
        let offer = framed.answer_to(&wanted, 4);
        push(&mut framed, Offer { name: UncheckedName::new(name.as_bytes()), ..offer });
        meeting.assert_nothing_written(&client.finish(), &[5, 7, 9, 10]);
    }
}

#[test]
fn files_that_nobody_asked_for_are_not_written() {
    for name in ["extra", ".bashrc", "../outside/secret", "file"] {
        let meeting = Meeting::new();
        let (client, mut framed) = meeting.get(&["file"]);
        let transfer = framed.next_transfer();
        let identity = Identity::new(b"identity").expect("8 bytes");
        push(&mut framed, Offer { identity, ..Framed::offer(transfer, name, 4) });
        meeting.assert_nothing_written(&client.finish(), &[5, 7, 9, 10]);
    }
}

#[test]
fn extra_files_beside_the_one_that_was_asked_for_are_not_written() {
    let meeting = Meeting::new();
    let (client, mut framed) = meeting.get(&["file"]);
    let wanted = framed.next_file(&record(b"file", 4), &["file"]).expect("the file is asked for");
    let offer = framed.answer_to(&wanted, 4);
    let _ = framed.try_say(&Frame::Offer(offer));
    let extra = framed.next_transfer();
    let _ = framed.try_say(&Frame::Offer(Framed::offer(extra, "extra", 4)));
    for transfer in [offer.transfer, extra] {
        let data = sampan_core::wire::Data { transfer, offset: 0, payload: EVIL };
        let _ = framed.try_say(&Frame::Data(data));
        let _ = framed.try_say(&Frame::End(Framed::end_of(transfer, EVIL)));
    }
    framed.see_off();
    let ran = client.finish();
    assert!(matches!(ran.code, Some(0 | 7 | 10)), "{ran:?}");
    let made = meeting.made();
    assert!(made.is_empty() || made == ["file"], "{made:?}");
    meeting.place.sentinel.assert_untouched();
}

#[test]
fn another_kind_of_thing_than_was_asked_for_is_not_made() {
    for change in [
        (|offer| Offer { directory: true, size: None, ..offer }) as fn(Offer<'_>) -> Offer<'_>,
        |offer| Offer { listing: true, size: None, ..offer },
        |offer| Offer { want: Some(offer.want.unwrap_or(0) + 1), ..offer },
        |offer| Offer { want: Some(u32::MAX), ..offer },
    ] {
        let meeting = Meeting::new();
        let (client, mut framed) = meeting.get(&["file"]);
        let wanted = framed.next_file(&record(b"file", 4), &["file"]).expect("the file is asked for");
        let offer = framed.answer_to(&wanted, 4);
        let transfer = offer.transfer;
        let _ = framed.try_say(&Frame::Offer(change(offer)));
        if framed.is_taken() {
            let _ = framed.try_say(&Frame::End(Framed::end_of(transfer, b"")));
        }
        framed.see_off();
        let ran = client.finish();
        // A folder may have become of a file meanwhile.
        if meeting.made() == ["file/"] {
            fs::remove_dir(meeting.here().join("file")).expect("an empty folder");
            meeting.assert_nothing_written(&ran, &[0, 5, 9, 10]);
        } else {
            meeting.assert_nothing_written(&ran, &[5, 7, 9, 10]);
        }
    }
}
