//! Datagrams of those who mean no good.

use super::serve;
use super::stranger::{Stranger, hello};
use crate::kit::{Sampan, content};

#[test]
fn nothing_but_a_hello_is_answered_and_by_nothing_longer() {
    let (_place, mut server) = serve(&[]);
    let stranger = Stranger::new(server.url());
    let mut garbage: Vec<Vec<u8>> = vec![vec![], vec![1], vec![0; 60], vec![0xFF; 1400]];
    garbage.extend((0..200).map(|seed| content(seed, (seed as usize * 37) % 1500)));
    // Short ones, damaged ones, and every other kind.
    garbage.extend((45..60).map(|length| hello(5, 0, length)));
    garbage.extend((0..60).map(|at| {
        let mut damaged = hello(5, 0, 60);
        damaged[at] ^= 0x10;
        damaged
    }));
    garbage.extend((0..=255).filter(|kind| *kind != 1).map(|kind| {
        let mut other = hello(5, 0, 60);
        other[0] = kind;
        other
    }));
    for datagram in &garbage {
        stranger.say(datagram);
    }
    // What comes first is the answer to what came last.
    for length in [60, 61, 1200] {
        stranger.say(&hello(7, 0, length));
        stranger.hear_hello(7);
    }
    stranger.assert_silence();
    assert!(server.events.named("connected", 0).is_empty());
    server.assert_alive();
}

#[test]
fn a_hello_with_the_number_of_another_begins_nothing() {
    let (_place, server) = serve(&[]);
    let (one, other) = (Stranger::new(server.url()), Stranger::new(server.url()));
    one.say(&hello(5, 0, 60));
    let cookie = one.hear_hello(5);
    // From another address, with another nonce, and one that was guessed.
    for (who, nonce, echo) in [(&other, 5, cookie), (&one, 6, cookie), (&one, 5, cookie ^ 1)] {
        who.say(&hello(nonce, echo, 60));
        let given = who.hear_hello(nonce);
        assert!(given != echo && given != 0);
    }
    assert!(server.events.named("connected", 0).is_empty());
    assert!(server.status().0.is_empty());
    // It is still good for whom it was given to.
    one.say(&hello(5, cookie, 60));
    assert_eq!(one.hear_hello(5), cookie);
}

#[test]
fn a_flood_of_hellos_takes_no_memory_and_lets_others_through() {
    const EACH: u64 = 50;
    let (place, mut server) = serve(&[]);
    let strangers: Vec<_> =
        (0..100).map(|n| Stranger::at(&format!("127.0.0.{}:0", 1 + n % 50), server.url())).collect();
    let flood = |rounds: u64| {
        for nonce in 1..=rounds {
            for stranger in &strangers {
                (0..EACH).for_each(|n| stranger.say(&hello(nonce * EACH + n, 0, 60)));
                // One that is answered: none of the others waits any more.
                stranger.hear();
                stranger.forget();
            }
        }
    };
    // What a server begins once is there.
    Sampan::send(server.url(), &[]).args(&[&place.write("first", b"x")]).run().assert_exit(0);
    flood(1);
    let before = server.settled_usage();
    let file = place.write("file", &content(1, 200_000));
    let sending = Sampan::send(server.url(), &[]).args(&[&file]).start();
    // A hundred thousand in all.
    flood(19);
    sending.finish().assert_exit(0);
    assert_eq!(place.stored("file"), Some(content(1, 200_000)));
    let after = server.settled_usage();
    assert!(after.resident < before.resident + 6_000, "{before:?} {after:?}");
    assert_eq!((after.threads, after.descriptors), (before.threads, before.descriptors));
    server.assert_alive();
}

#[test]
fn frames_of_an_earlier_session_do_nothing_in_the_next() {
    let (_place, server) = serve(&[]);
    let stranger = Stranger::new(server.url());
    let first = stranger.open(5);
    let ping = first.frame(&[2, 9]);
    stranger.say(&ping);
    assert_eq!(first.content(&stranger.hear()), [3, 9]);
    let second = stranger.open(6);
    // A replay of the first session: its first HELLO, its ping, its goodbye.
    stranger.say(&ping);
    stranger.say(&first.frame(&[6, 0]));
    stranger.say(&second.frame(&[2, 10]));
    assert_eq!(second.content(&stranger.hear()), [3, 10]);
}
