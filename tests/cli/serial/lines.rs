//! What goes over a line that does no harm.

use super::cable::Cable;
use crate::kit::{PATIENCE, Place, Sampan, Server, content, until};

fn served(place: &Place, cable: &Cable) -> Server {
    Server::listening(&place.root(), &[&cable.url(0)], &["-v"])
}

#[test]
fn files_go_both_ways_and_are_listed() {
    let (place, cable) = (Place::new(), Cable::new());
    let server = served(&place, &cable);
    let data = content(1, 300_000);
    let (file, empty) = (place.write("a.bin", &data), place.write("empty", b""));
    let url = cable.url(1);
    for file in [&file, &empty] {
        Sampan::send(&url, &[file.to_str().unwrap()]).run().assert_exit(0);
    }
    assert_eq!(place.stored("a.bin").as_deref(), Some(&data[..]));
    assert_eq!(place.stored("empty").as_deref(), Some(&b""[..]));
    let listed = Sampan::ls(&url, &[]).run();
    assert_eq!(listed.events("entry").len(), 2);
    let back = place.path().join("back");
    Sampan::get(&url, &["a.bin", "-o", back.to_str().unwrap()]).run().assert_exit(0);
    assert!(std::fs::read(back).unwrap() == data);
    assert_eq!(server.stop(), "");
}

#[test]
fn a_line_that_is_dead_for_a_while_goes_on_where_it_was() {
    let (place, cable) = (Place::new(), Cable::new());
    let server = served(&place, &cable);
    let data = content(2, 4_000_000);
    let file = place.write("long.bin", &data);
    let sending = Sampan::send(&cable.url(1), &["--limit-rate", "1M", file.to_str().unwrap()]).start();
    until("some of it has gone", PATIENCE, || (cable.carried(1) > 500_000).then_some(()));
    cable.cut(true);
    let carried = cable.carried(1);
    until("it is said again", PATIENCE, || (cable.carried(1) > carried + 500).then_some(()));
    cable.cut(false);
    sending.finish().assert_exit(0);
    assert!(place.stored("long.bin").unwrap() == data);
    // Nothing had to be dialled again.
    assert_eq!(server.events.named("connected", 0).len(), 1);
}

#[test]
fn what_a_board_says_besides_is_shown_and_harms_nothing() {
    let (place, cable) = (Place::new(), Cable::new());
    let server = served(&place, &cable);
    cable.say(0, b"U-Boot 2026.01 (Jan 05 2026)\r\n\0");
    let file = place.write("f", &content(3, 20_000));
    Sampan::send(&cable.url(1), &[file.to_str().unwrap()]).run().assert_exit(0);
    let told = until("it is told", PATIENCE, || server.events.named("console", 0).into_iter().next());
    assert_eq!(told["text"], "U-Boot 2026.01 (Jan 05 2026)");
}

#[test]
fn a_sender_that_was_killed_begins_again_and_resumes() {
    let (place, cable) = (Place::new(), Cable::new());
    let _server = served(&place, &cable);
    let data = content(4, 3_000_000);
    let file = place.write("f", &data);
    let arguments = ["--limit-rate", "1M", file.to_str().unwrap()];
    let sending = Sampan::send(&cable.url(1), &arguments).start();
    until("some of it is durable", PATIENCE, || (cable.carried(1) > 2_000_000).then_some(()));
    drop(sending);
    let sent = Sampan::send(&cable.url(1), &[file.to_str().unwrap()]).run();
    sent.assert_exit(0);
    let event = sent.event("sent");
    assert!(event["resumed_from"].as_u64().unwrap() > 0, "{event}");
    assert!(place.stored("f").unwrap() == data);
}

#[test]
fn what_is_no_port_is_refused_with_what_to_do() {
    let place = Place::new();
    let file = place.write("f", b"x");
    let send = |url: &str| Sampan::send(url, &[file.to_str().unwrap()]).run();
    let none = send("serial:/dev/there-is-none");
    none.assert_exit(3);
    assert!(none.stderr.contains("sampan ports"), "{}", none.stderr);
    let regular = send(&format!("serial:{}", file.display()));
    regular.assert_exit(3);
    assert!(regular.stderr.contains("not a serial port"), "{}", regular.stderr);
    let cable = Cable::new();
    for setting in ["baud=0", "baud=fast", "dtr=maybe", "flow=up", "parity=odd"] {
        send(&format!("{}?{setting}", cable.url(1))).assert_exit(2);
    }
}

#[test]
fn nobody_at_the_other_end_is_a_timeout() {
    let (place, cable) = (Place::new(), Cable::new());
    let file = place.write("f", b"x");
    let sent =
        Sampan::send(&cable.url(1), &["--retries", "0", "--timeout", "2", file.to_str().unwrap()]).run();
    sent.assert_exit(7);
}
