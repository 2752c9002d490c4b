//! Everything over a way that does nothing but carry datagrams.

use std::fs;

use rustix::process::Signal;

use super::{places, serve};
use crate::kit::{PATIENCE, Place, Sampan, Server, content, until};

#[test]
fn files_of_all_sizes_go_both_ways_and_are_listed_over_both_protocols() {
    for place_to_listen in places() {
        let place = Place::new();
        let server = Server::listening(&place.root(), &[place_to_listen], &[]);
        let sizes = [0, 1, 1_200, 65_507, 400_000];
        let files: Vec<_> = sizes
            .iter()
            .map(|size| place.write(&format!("file{size}"), &content(*size as u64, *size)))
            .collect();
        let sent = Sampan::send(server.url(), &[]).args(&files).run();
        sent.assert_exit(0);
        assert!(sent.events("sent").iter().all(|sent| sent["peer"] == server.url()));
        let to = place.path().join("to");
        fs::create_dir(&to).expect("a folder");
        let names = sizes.map(|size| format!("file{size}"));
        Sampan::get(server.url(), &["-o"]).args(&[&to]).args(&names).run().assert_exit(0);
        for (size, name) in sizes.iter().zip(&names) {
            assert!(place.stored(name) == Some(content(*size as u64, *size)), "{name}");
            assert!(
                fs::read(to.join(name)).expect("it was fetched") == content(*size as u64, *size),
                "{name}"
            );
        }
        let listed = Sampan::ls(server.url(), &[]).run();
        listed.assert_exit(0);
        assert_eq!(listed.events("entry").len(), sizes.len());
        let received = server.events.named("received", 0);
        assert!(received.iter().all(|it| it["peer"].as_str().is_some_and(|peer| peer.starts_with("udp://"))));
        assert_eq!(server.stop().lines().filter(|line| line.contains("panicked")).count(), 0);
    }
}

#[test]
fn a_tree_goes_there_and_back_and_is_not_sent_twice() {
    let (place, server) = serve(&[]);
    for number in 0..80 {
        place.write(&format!("tree/{}/{number}", number % 7), &content(number, 50 * number as usize));
    }
    fs::create_dir(place.path().join("tree/empty")).expect("a folder");
    let tree = place.path().join("tree");
    Sampan::send(server.url(), &[]).args(&[&tree]).run().assert_exit(0);
    let back = place.path().join("back/");
    Sampan::get(server.url(), &["tree", "-o"]).args(&[&back]).run().assert_exit(0);
    for number in 0..80 {
        let name = format!("{}/{number}", number % 7);
        let expected = content(number, 50 * number as usize);
        assert!(place.stored(&format!("tree/{name}")).as_ref() == Some(&expected), "{name}");
        assert!(fs::read(back.join("tree").join(&name)).expect("fetched") == expected, "{name}");
    }
    assert!(place.root().join("tree/empty").is_dir() && back.join("tree/empty").is_dir());
    let again = Sampan::send(server.url(), &[]).args(&[&tree]).run();
    again.assert_exit(0);
    assert!(again.events("sent").iter().all(|sent| sent["resumed_from"] == sent["size"]));
}

#[test]
fn pipes_at_both_ends() {
    let (place, server) = serve(&[]);
    let contents = content(4, 300_000);
    Sampan::send(server.url(), &["-", "--name", "piped"]).input(&contents).run().assert_exit(0);
    assert!(place.stored("piped") == Some(contents.clone()));
    let got = Sampan::new(&["get", "--from", server.url(), "piped", "-o", "-"]).run();
    got.assert_exit(0);
    assert!(got.stdout == contents);
}

#[test]
fn fifty_clients_at_once() {
    let (place, server) = serve(&[]);
    let clients: Vec<_> = (0..50_u64)
        .map(|number| {
            let file = place.write(&format!("from/{number}"), &content(number, 20_000 + number as usize));
            Sampan::send(server.url(), &[]).args(&[&file]).within(4 * PATIENCE).start()
        })
        .collect();
    for client in clients {
        client.finish().assert_exit(0);
    }
    for number in 0..50 {
        let expected = content(number, 20_000 + number as usize);
        assert!(place.stored(&number.to_string()) == Some(expected), "{number}");
    }
    until("all have gone", PATIENCE, || server.status().0.is_empty().then_some(()));
    assert!(server.failures(0).is_empty(), "{:?}", server.failures(0));
}

#[test]
fn a_client_that_was_killed_goes_on_when_it_is_started_again() {
    const LENGTH: usize = 3_000_000;
    let (place, server) = serve(&[]);
    let file = place.write("file", &content(3, LENGTH));
    let mut client = Sampan::send(server.url(), &["--limit-rate", "1M"]).args(&[&file]).start();
    server.events.wait("progress", PATIENCE, |it| it["bytes"].as_u64().is_some_and(|it| it > 1_200_000));
    client.kill();
    let ran = Sampan::send(server.url(), &[]).args(&[&file]).within(4 * PATIENCE).run();
    ran.assert_exit(0);
    assert!(ran.event("sent")["resumed_from"].as_u64().is_some_and(|from| from > 0), "{}", ran.text());
    assert!(place.stored("file") == Some(content(3, LENGTH)));
}

#[test]
fn a_node_is_told_pushed_to_listed_and_fetched_from() {
    let (place, server) = serve(&[]);
    let folder = place.path().join("node");
    let node = Sampan::attach(server.url(), "boat", &folder, &["--allow", "get,list"]).start();
    let attached = server.events.wait("attached", PATIENCE, |event| event["node"] == "boat");
    assert!(attached["peer"].as_str().is_some_and(|peer| peer.starts_with("udp://127.0.0.1:")), "{attached}");
    Sampan::ctl(&server, &["notify", "hello"]).run().assert_exit(0);
    node.stdout.wait("notice", PATIENCE, |notice| notice["text"] == "hello");
    let file = place.write("firmware", &content(8, 300_000));
    Sampan::ctl(&server, &["push"]).args(&[&file]).run().assert_exit(0);
    assert!(fs::read(folder.join("firmware")).expect("it was pushed") == content(8, 300_000));
    let back = place.path().join("back");
    let to = back.display().to_string();
    Sampan::ctl(&server, &["get", "boat:firmware", "-o", &to]).run().assert_exit(0);
    assert!(fs::read(&back).expect("it was fetched") == content(8, 300_000));
    node.signal(Signal::INT);
    node.finish().assert_exit(0);
    server.events.wait("detached", PATIENCE, |event| event["node"] == "boat");
}

#[test]
fn a_server_that_drains_lets_those_who_are_there_finish() {
    const LENGTH: usize = 1_500_000;
    let (place, mut server) = serve(&[]);
    let file = place.write("file", &content(3, LENGTH));
    let client = Sampan::send(server.url(), &["--limit-rate", "1M"]).args(&[&file]).start();
    server.events.wait("progress", PATIENCE, |_| true);
    let draining = Sampan::ctl(&server, &["drain"]).start();
    draining.stdout.wait("draining", PATIENCE, |_| true);
    let late = Sampan::ls(server.url(), &["--timeout", "1s"]).run();
    late.assert_exit(7).assert_failed("timeout");
    client.finish().assert_exit(0);
    assert!(place.stored("file") == Some(content(3, LENGTH)));
    draining.finish().assert_exit(0);
    assert!(server.wait().success());
}

#[test]
fn a_server_allows_what_it_says_and_listens_at_many_places() {
    let place = Place::new();
    place.serve("there", b"x");
    let urls = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"];
    let server = Server::listening(&place.root(), &urls, &["--allow", "list"]);
    let file = place.write("file", b"y");
    let mut listed = server.urls().to_vec();
    listed.sort();
    assert!(listed[0].starts_with("tcp://") && listed[1].starts_with("udp://"), "{listed:?}");
    for url in &listed {
        Sampan::ls(url, &[]).run().assert_exit(0);
        Sampan::get(url, &["there", "-o"]).args(&[&place.path().join("got")]).run().assert_exit(5);
        Sampan::send(url, &[]).args(&[&file]).run().assert_exit(5).assert_failed("not-allowed");
    }
}
