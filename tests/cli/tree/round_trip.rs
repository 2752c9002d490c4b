//! `send` of a tree, `send` of it again, and `get` of it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use super::{Directories, Seen, grow};
use crate::kit::{Place, Sampan, Server};

const LONG: Duration = Duration::from_secs(600);

/// What the two ends speak over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    V4,
    V6,
    Unix,
    Exec,
}

/// A server at such a link; with `exec:` there is one for each client, and none before.
fn serve(link: Link, place: &Place) -> (Option<Server>, String) {
    let socket = format!("unix:{}", place.path().join("socket").display());
    let url = match link {
        Link::V4 => "tcp://127.0.0.1:0",
        Link::V6 => "tcp://[::1]:0",
        Link::Unix => &socket,
        Link::Exec => return (None, exec(&place.root())),
    };
    let server = Server::listening(&place.root(), &[url], &[]);
    let url = server.url().to_owned();
    (Some(server), url)
}

/// The URL of a server of `root` on the standard streams of a command.
pub(super) fn exec(root: &Path) -> String {
    format!("exec:'{}' serve --listen stdio: '{}'", env!("CARGO_BIN_EXE_sampan"), root.display())
}

#[track_caller]
fn there_and_back(link: Link, files: usize, seed: u64) {
    if link == Link::V6 && TcpListener::bind("[::1]:0").is_err() {
        println!("NOT TESTED: this computer has no IPv6 on loopback");
        return;
    }
    let place = Place::new();
    let tree = place.path().join("tree");
    grow(&tree, seed, files);
    let here = Seen::at(&tree);
    let (server, url) = serve(link, &place);

    let ran = Sampan::send(&url, &[]).args(&[&tree]).within(LONG).run();
    ran.assert_exit(0);
    let there = Seen::at(&place.root().join("tree"));
    here.assert_same(&there, Directories::Dated);
    let summary = ran.event("summary");
    assert_eq!(summary["files"], here.nodes.len(), "{summary}");
    assert_eq!(summary["bytes"], here.bytes(), "{summary}");
    assert_eq!((&summary["failed"], &summary["skipped"]), (&0.into(), &0.into()), "{summary}");

    let ran = Sampan::send(&url, &[]).args(&[&tree]).within(LONG).run();
    ran.assert_exit(0);
    let sent: BTreeMap<_, _> = ran
        .events("sent")
        .iter()
        .map(|sent| (sent["name"].to_string(), (sent["size"].clone(), sent["resumed_from"].clone())))
        .collect();
    assert_eq!(sent.len(), here.nodes.len());
    for (name, (size, resumed_from)) in sent {
        assert_eq!(size, resumed_from, "{name} was sent again");
    }
    assert_eq!(ran.event("summary")["resumed"], here.bytes());
    there.assert_untouched(&Seen::at(&place.root().join("tree")));

    let back = place.path().join("back/");
    let ran = Sampan::get(&url, &["tree", "-o"]).args(&[&back]).within(LONG).run();
    ran.assert_exit(0);
    here.assert_same(&Seen::at(&back.join("tree")), Directories::Dated);
    assert_eq!(place.parts(), [""; 0]);
    if let Some(server) = server {
        assert_eq!(server.failures(0), [] as [serde_json::Value; 0]);
        server.stop();
    }
    place.sentinel.assert_untouched();
}

#[test]
fn two_thousand_files_over_tcp() {
    there_and_back(Link::V4, 2_000, 1);
}

#[test]
fn a_tree_over_ipv6() {
    there_and_back(Link::V6, 500, 2);
}

#[test]
fn a_tree_over_a_unix_socket() {
    there_and_back(Link::Unix, 500, 3);
}

#[test]
fn a_tree_over_the_standard_streams_of_a_command() {
    there_and_back(Link::Exec, 500, 4);
}

#[test]
#[ignore = "job crowd"]
fn twenty_thousand_files_over_tcp() {
    there_and_back(Link::V4, 20_000, 5);
}

#[test]
#[ignore = "job crowd"]
fn twenty_thousand_files_over_ipv6() {
    there_and_back(Link::V6, 20_000, 6);
}

#[test]
#[ignore = "job crowd"]
fn twenty_thousand_files_over_a_unix_socket() {
    there_and_back(Link::Unix, 20_000, 7);
}

#[test]
#[ignore = "job crowd"]
fn twenty_thousand_files_over_the_standard_streams_of_a_command() {
    there_and_back(Link::Exec, 20_000, 8);
}
