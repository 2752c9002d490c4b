//! What needs gigabytes.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use sampan::digests::AnyDigest;
use sampan_core::Digest as _;
use sampan_core::wire::DigestKind;

use super::{FINISHED, NAME_OK, OlderClient, SIZE_OK};
use crate::kit::{Arena, HostileServer, PATIENCE, Sampan};

const GIB: u64 = 1 << 30;
const LONG: Duration = Duration::from_secs(300);

/// A sparse file of 3 GiB, with something written at places that are easy to lose: about 2 GiB, and at both ends.
fn sparse(path: &Path) -> String {
    let mut file = File::create(path).expect("a file can be made");
    file.set_len(3 * GIB).expect("a sparse file");
    for offset in [0, GIB, 2 * GIB - 4, 2 * GIB + 4096, 3 * GIB - 8] {
        file.seek(SeekFrom::Start(offset)).expect("a place in it");
        file.write_all(&(offset | 1).to_le_bytes()).expect("it can be written");
    }
    digest(&mut File::open(path).expect("it is there"))
}

fn digest(from: &mut impl std::io::Read) -> String {
    let mut digest = AnyDigest::new(DigestKind::Crc64Nvme);
    let mut buffer = vec![0; 1 << 20];
    loop {
        match from.read(&mut buffer).expect("it can be read") {
            0 => break,
            n => digest.update(&buffer[..n]),
        }
    }
    let mut value = [0; 32];
    let n = digest.value(&mut value);
    format!("{:02x?}", &value[..n])
}

#[test]
#[ignore = "job large"]
fn three_gib_from_an_older_client() {
    let mut arena = Arena::new();
    let path = arena.place.path().join("3g.bin");
    let sent = sparse(&path);
    let mut client = OlderClient::announcing(arena.url(), "dir/3g.bin", 3 * GIB);
    let mut file = File::open(&path).expect("it is there");
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).expect("it can be read") {
            0 => break,
            n => client.raw.write(&buffer[..n]),
        }
    }
    drop(client);
    arena.server.events.wait("received", LONG, |received| received["size"] == 3 * GIB);
    let mut stored = File::open(arena.root().join("3g.bin")).expect("it is stored");
    assert_eq!(digest(&mut stored), sent);
    arena.oracle().failures(0).files(&["3g.bin"]).check();
}

#[test]
#[ignore = "job large"]
fn three_gib_to_an_older_server() {
    let place = crate::kit::Place::new();
    let path = place.path().join("3g.bin");
    let sent = sparse(&path);
    let server = HostileServer::new();
    let client = Sampan::send(&server.url(), &["--classic"]).args(&[&path]).within(LONG).start();
    let mut raw = server.accept();
    let mut buffer = [0; 1024];
    let mut expect = |message: &str, answer: &str| {
        let n = raw.try_read(&mut buffer, PATIENCE).expect("a message");
        assert_eq!(&buffer[..n], message.as_bytes());
        raw.write(answer.as_bytes());
    };
    expect("3g.bin", NAME_OK);
    expect("3221225472", SIZE_OK);
    let receiving = thread::spawn(move || {
        let received = digest(&mut Contents(&mut raw));
        raw.write(FINISHED.as_bytes());
        (raw, received)
    });
    client.finish().assert_exit(0);
    let (_, received) = receiving.join().expect("no panic there");
    assert_eq!(received, sent);
}

struct Contents<'a>(&'a mut crate::kit::Raw);

impl std::io::Read for Contents<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.try_read(into, PATIENCE)
    }
}

/// A well-known client announces 2 GiB and sends what one `send(2)` takes of it.
#[test]
#[ignore = "job large"]
fn two_gib_of_which_4096_bytes_are_missing() {
    let mut arena = Arena::new();
    let mut client = OlderClient::announcing(arena.url(), "2g.bin", 2_147_483_648);
    let zeros = vec![0; 4096 * 255];
    let mut left = 2_147_479_552;
    while left > 0 {
        let n = zeros.len().min(left);
        client.raw.write(&zeros[..n]);
        left -= n;
    }
    client.raw.fin();
    assert_eq!(client.hear(), "[!] server : fewer bytes than announced");
    let failed = arena.server.events.wait("failed", PATIENCE, |_| true);
    let message = failed["message"].as_str().unwrap_or_default();
    assert!(message.contains("fewer bytes than announced"), "{failed}");
    arena.oracle().failed("integrity").check();
}
