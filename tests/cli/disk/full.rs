//! A disk without room for bytes or for files: a small tmpfs, mounted for the server alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::statvfs;
use rustix::process::geteuid;

use super::assert_no_room;
use crate::classic::OlderClient;
use crate::kit::{PATIENCE, Place, Sampan, Server, content, entries, until};

const PAGE: usize = 4096;

/// A server whose folder is a disk of its own.
struct Small {
    server: Server,
    place: Place,
    /// Its folder, as the server sees it.
    root: PathBuf,
}

/// Runs what follows in a namespace where `at` is a tmpfs.
fn on_tmpfs(at: &Path, options: &str) -> Command {
    let mut command = Command::new("unshare");
    if !geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c", r#"mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@""#]);
    command.arg(at).arg(options);
    command
}

impl Small {
    fn new(options: &str) -> Self {
        let place = Place::new();
        let server =
            Server::under(on_tmpfs(&place.root(), options), &place.root(), &["tcp://127.0.0.1:0"], &[]);
        let root = PathBuf::from(format!("/proc/{}/root{}", server.pid(), place.root().display()));
        assert_eq!(statvfs(&root).expect("a file system").f_bsize, PAGE as u64, "no tmpfs of its own");
        Self { server, place, root }
    }

    /// Free pages and free inodes.
    fn room(&self) -> (u64, u64) {
        let disk = statvfs(&self.root).expect("a file system");
        (disk.f_bfree, disk.f_ffree)
    }

    fn visible(&self) -> Vec<String> {
        let reserved = |name: &String| name.split('/').any(|part| part.starts_with(".sampan"));
        entries(&self.root).into_iter().filter(|name| !reserved(name)).collect()
    }

    fn send(&self, name: &str, contents: &[u8]) -> crate::kit::Ran {
        let file = self.place.write(&format!("from/{name}"), contents);
        Sampan::send(self.server.url(), &[]).args(&[&file]).run()
    }

    /// Sends it without saying how much it is.
    fn pipe(&self, name: &str, contents: &[u8]) -> crate::kit::Ran {
        Sampan::send(self.server.url(), &["--name", name, "-"]).input(contents).run()
    }

    fn stored(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.root.join(name)).ok()
    }

    /// Takes pages until so many are left.
    fn leave_pages(&self, pages: u64) {
        let (free, _) = self.room();
        let ballast = vec![1; (free - pages) as usize * PAGE];
        fs::write(self.root.join("ballast"), ballast).expect("there is room for it");
        assert_eq!(self.room().0, pages);
    }

    /// Takes inodes until so many are left.
    fn leave_inodes(&self, inodes: u64) {
        let (_, free) = self.room();
        for n in inodes..free {
            fs::write(self.root.join(format!("ballast-{n}")), b"").expect("there is an inode for it");
        }
        assert_eq!(self.room().1, inodes);
    }

    /// Takes away everything that can be seen.
    fn clear(&self) {
        for name in self.visible().iter().rev() {
            let path = self.root.join(name);
            let removed = if name.ends_with('/') { fs::remove_dir(path) } else { fs::remove_file(path) };
            removed.expect("it is there");
        }
    }

    #[track_caller]
    fn assert_given_back(&mut self, before: (u64, u64)) {
        self.server.assert_alive();
        until("the space is given back", PATIENCE, || (self.room() == before).then_some(()));
    }
}

/// A server may ask beforehand whether there is room, but only if it is told how much is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Known,
    Unknown,
}

/// Whatever is full first: contents, what is noted of a part, or what comes last.
#[track_caller]
fn with_ever_more_pages_left(size: Size) {
    let mut small = Small::new("size=1M");
    // What a server makes once and keeps is there.
    small.send("warm", b"up").assert_exit(0);
    small.clear();
    let contents = content(1, 8 * PAGE);
    let (mut refused, mut stored) = (0, 0);
    for pages in 0..16 {
        small.leave_pages(pages);
        let before = small.room();
        let ran = match size {
            Size::Known => small.send("file", &contents),
            Size::Unknown => small.pipe("file", &contents),
        };
        if ran.code == Some(0) {
            assert_eq!(small.stored("file").as_ref(), Some(&contents), "{pages}");
            fs::remove_file(small.root.join("file")).expect("it is there");
            stored += 1;
        } else {
            assert_no_room(&ran);
            assert_eq!(small.visible(), ["ballast"], "{pages}");
            small.assert_given_back(before);
            refused += 1;
        }
        fs::remove_file(small.root.join("ballast")).expect("it is there");
    }
    assert!(refused >= 8 && stored >= 4, "{refused} refused, {stored} stored");
    small.server.stop();
}

#[test]
#[ignore = "job disk"]
fn with_ever_more_pages_left_for_a_file() {
    with_ever_more_pages_left(Size::Known);
}

#[test]
#[ignore = "job disk"]
fn with_ever_more_pages_left_for_what_is_piped_in() {
    with_ever_more_pages_left(Size::Unknown);
}

/// Folders, the file itself, what is noted of a part.
#[test]
#[ignore = "job disk"]
fn with_ever_more_inodes_left() {
    let mut small = Small::new("size=4M,nr_inodes=64");
    small.send("warm", b"up").assert_exit(0);
    small.clear();
    let (mut refused, mut stored) = (0, 0);
    for inodes in 0..12 {
        small.leave_inodes(inodes);
        small.place.write("from/tree/a/b/file", b"contents");
        let ran = Sampan::send(small.server.url(), &[]).args(&[small.place.path().join("from/tree")]).run();
        small.server.assert_alive();
        let file = small.stored("tree/a/b/file");
        if ran.code == Some(0) {
            assert_eq!(file.as_deref(), Some(b"contents".as_slice()), "{inodes}");
            stored += 1;
        } else {
            assert!(ran.code == Some(5) || ran.code == Some(9), "{ran:?}");
            assert_eq!(file, None, "{inodes}");
            refused += 1;
        }
        small.clear();
    }
    assert!(refused >= 4 && stored >= 3, "{refused} refused, {stored} stored");
    small.server.stop();
}

#[test]
#[ignore = "job disk"]
fn in_the_middle_of_a_large_file() {
    let mut small = Small::new("size=4M");
    small.send("warm", b"up").assert_exit(0);
    let before = small.room();
    let contents = content(2, 16 << 20);
    for ran in [small.send("large", &contents), small.pipe("large", &contents)] {
        assert_no_room(&ran);
        assert_eq!(small.visible(), ["warm"]);
        small.assert_given_back(before);
    }
    let fits = content(3, 2 << 20);
    small.send("fits", &fits).assert_exit(0);
    assert_eq!(small.stored("fits"), Some(fits));
    small.server.stop();
}

/// There was room when the server was asked.
#[test]
#[ignore = "job disk"]
fn that_others_fill_meanwhile() {
    let mut small = Small::new("size=8M");
    small.send("warm", b"up").assert_exit(0);
    let before = small.room();
    let file = small.place.write("from/large", &content(9, 6 << 20));
    let client = Sampan::send(small.server.url(), &["--limit-rate", "2M"]).args(&[&file]).start();
    until("half of it is there", PATIENCE, || (small.room().0 < before.0 / 2).then_some(()));
    small.leave_pages(0);
    assert_no_room(&client.finish());
    fs::remove_file(small.root.join("ballast")).expect("it is there");
    assert_eq!(small.visible(), ["warm"]);
    small.assert_given_back(before);
    Sampan::send(small.server.url(), &[]).args(&[&file]).run().assert_exit(0);
    assert_eq!(small.stored("large"), fs::read(file).ok());
    small.server.stop();
}

/// A part that waits to be resumed takes room, and goes on when there is some again.
#[test]
#[ignore = "job disk"]
fn when_there_is_room_again() {
    let small = Small::new("size=8M");
    small.leave_pages(256);
    let contents = content(4, 4 << 20);
    assert_no_room(&small.send("large", &contents));
    fs::remove_file(small.root.join("ballast")).expect("it is there");
    small.send("large", &contents).assert_exit(0);
    assert_eq!(small.stored("large"), Some(contents));
    small.server.stop();
}

#[test]
#[ignore = "job disk"]
fn a_file_that_is_to_be_replaced_stays() {
    let mut small = Small::new("size=4M");
    let first = content(5, 1 << 20);
    small.send("file", &first).assert_exit(0);
    let before = small.room();
    assert_no_room(&small.send("file", &content(6, 8 << 20)));
    assert_eq!(small.stored("file"), Some(first));
    small.assert_given_back(before);
    small.server.stop();
}

#[test]
#[ignore = "job disk"]
fn an_older_client_is_not_told_that_it_is_done() {
    let mut small = Small::new("size=4M");
    small.send("warm", b"up").assert_exit(0);
    let before = small.room();
    for length in [4 << 20, 16 << 20] {
        let mut client = OlderClient::dial(small.server.url());
        client.say(b"large.bin");
        let mut said = client.say(length.to_string().as_bytes());
        let _ = client.raw.try_write(&content(7, length));
        client.raw.fin();
        said.push_str(&String::from_utf8_lossy(&client.raw.read_to_end(PATIENCE).0));
        assert!(said.contains("[!] server : ") && !said.contains("finished"), "{said:?}");
        assert_eq!(small.visible(), ["warm"]);
        small.assert_given_back(before);
    }
    small.server.stop();
}

/// Each would find room alone.
#[test]
#[ignore = "job disk"]
fn many_clients_meet_a_full_disk_together() {
    let mut small = Small::new("size=4M");
    small.send("warm", b"up").assert_exit(0);
    let before = small.room();
    let files: Vec<_> = (0..8).map(|n| content(n, 3 << 20)).collect();
    let clients: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(n, contents)| {
            let file = small.place.write(&format!("from/large-{n}"), contents);
            Sampan::send(small.server.url(), &["--limit-rate", "3M"]).args(&[&file]).start()
        })
        .collect();
    let (mut refused, mut names) = (0, vec!["warm".to_owned()]);
    for (n, client) in clients.into_iter().enumerate() {
        let ran = client.finish();
        let name = format!("large-{n}");
        if ran.code == Some(0) {
            assert_eq!(small.stored(&name).as_ref(), Some(&files[n]));
            names.push(name);
        } else {
            assert_no_room(&ran);
            refused += 1;
        }
    }
    names.sort();
    assert_eq!(small.visible(), names);
    assert!(refused >= 7, "{refused} were refused");
    for name in names.iter().filter(|name| *name != "warm") {
        fs::remove_file(small.root.join(name)).expect("it is there");
    }
    small.assert_given_back(before);
    small.server.stop();
}

#[test]
#[ignore = "job disk"]
fn what_is_fetched_has_no_room() {
    let place = Place::new();
    place.serve("large", &content(8, 8 << 20));
    let server = Server::new(&place.root());
    let to = place.path().join("to");
    fs::create_dir(&to).expect("a folder");
    // What it leaves is seen only in its own namespace.
    let mut command = on_tmpfs(&to, "size=4M");
    command.args(["sh", "-c", r#""$@"; code=$?; find "$0" -mindepth 1 >&2; exit $code"#]).arg(&to);
    let ran = Sampan::under(command, &["get", "--json", "--from", server.url(), "large", "-o"])
        .args(&[to.join("large")])
        .run();
    ran.assert_exit(8);
    ran.assert_failed("local-file");
    assert!(!ran.stderr.contains("/to/"), "{}", ran.stderr);
    server.stop();
}
