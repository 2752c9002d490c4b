//! Power cuts, restarts, and folders that go away.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::kit::{Arena, PATIENCE, Place, Sampan, Server, content, until};

/// A server that is killed at some moment of an upload over an older file; afterwards either is there whole.
fn kill_server(after: Duration, length: usize, place: &Place) {
    let old = content(31, 100_000);
    place.serve("file", &old);
    let new = content(32, length);
    let file = place.write("file", &new);
    let server = Server::new(&place.root());
    let url = server.url().to_owned();
    let client = Sampan::send(&url, &["--retries", "0"]).args(&[&file]).start();
    std::thread::sleep(after);
    server.kill();
    let cut = client.finish();
    let stored = place.stored("file").expect("a file");
    assert!(stored == old || stored == new, "after {after:?} it is neither the old nor the new file");
    // What was said to be stored is stored.
    if cut.code == Some(0) {
        assert!(stored == new, "after {after:?} the client was told what is not so");
    }
    let server = Server::new(&place.root());
    Sampan::send(server.url(), &[]).args(&[&file]).run().assert_exit(0);
    assert!(place.stored("file") == Some(new), "after {after:?} the second upload differs");
    assert_eq!(place.visible(), ["file"]);
    assert_eq!(place.parts(), [""; 0], "after {after:?} something is left over");
    server.stop();
}

#[test]
fn a_server_killed_at_some_moments_of_an_upload_leaves_the_old_or_the_new_file() {
    for after in [0, 3, 10, 30, 60, 100, 150, 250] {
        kill_server(Duration::from_millis(after), 8 << 20, &Place::new());
    }
}

#[test]
#[ignore = "job kill"]
fn a_server_killed_at_many_moments_of_an_upload_leaves_the_old_or_the_new_file() {
    for after in 0..400 {
        kill_server(Duration::from_micros(after * 700), 8 << 20, &Place::new());
    }
}

/// A server that is killed and started again on the same port in the middle of an upload.
#[test]
fn an_upload_goes_on_by_itself_when_the_server_is_restarted() {
    let place = Place::new();
    let contents = content(33, 24 << 20);
    let file = place.write("file", &contents);
    let server = Server::new(&place.root());
    let url = server.url().to_owned();
    let client = Sampan::send(&url, &["--limit-rate", "12M"]).args(&[&file]).start();
    client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(14 << 20));
    server.kill();
    assert_eq!(place.visible(), [""; 0]);
    let server = Server::listening(&place.root(), &[&url], &[]);
    let sent = client.finish();
    sent.assert_exit(0);
    let resumed = sent.event("sent")["resumed_from"].as_u64().expect("a number");
    assert!(resumed >= 1 << 20, "it began again at {resumed}");
    let received = server.events.wait("received", PATIENCE, |_| true);
    assert_eq!(received["resumed_from"], resumed);
    assert!(place.stored("file") == Some(contents), "what is stored differs");
    assert_eq!(place.parts(), [""; 0]);
    place.sentinel.assert_untouched();
    server.stop();
}

#[test]
fn a_download_goes_on_by_itself_when_the_server_is_restarted() {
    let place = Place::new();
    let contents = content(34, 24 << 20);
    place.serve("file", &contents);
    let to = place.path().join("to");
    let server = Server::new(&place.root());
    let url = server.url().to_owned();
    let client = Sampan::get(&url, &["--limit-rate", "12M", "-o"]).args(&[&to]).args(&["file"]).start();
    client.stdout.wait("progress", PATIENCE, |event| event["bytes"].as_u64() > Some(14 << 20));
    server.kill();
    assert!(!to.exists());
    let server = Server::listening(&place.root(), &[&url], &[]);
    let got = client.finish();
    got.assert_exit(0);
    let resumed = got.event("received")["resumed_from"].as_u64().expect("a number");
    assert!(resumed >= 1 << 20, "it began again at {resumed}");
    assert!(fs::read(&to).ok() == Some(contents), "what was fetched differs");
    assert_eq!(place.visible(), ["file"]);
    server.stop();
}

#[test]
fn a_served_folder_that_is_removed_is_an_error_and_the_server_recovers_when_it_is_back() {
    let mut arena = Arena::new();
    let file = arena.place.write("file", b"contents");
    fs::remove_dir_all(arena.root()).expect("it can be removed");
    let sent = Sampan::send(arena.url(), &["--retries", "0"]).args(&[&file]).run();
    sent.assert_exit(5).assert_failed("storage");
    fs::create_dir(arena.root()).expect("it can be made again");
    until("it takes files again", PATIENCE, || {
        (Sampan::send(arena.url(), &[]).args(&[&file]).run().code == Some(0)).then_some(())
    });
    assert_eq!(arena.place.stored("file"), Some(b"contents".to_vec()));
    arena.oracle().any_failures().files(&["file"]).check();
}

/// Runs `mount` with these arguments in the mount namespace of a process.
fn mount_in(pid: u32, arguments: &[&str]) {
    let status = Command::new("nsenter")
        .args(["--target", &pid.to_string(), "--mount", "--user", "--preserve-credentials", "mount"])
        .args(arguments)
        .status()
        .expect("nsenter runs");
    assert!(status.success(), "mount {arguments:?}");
}

#[test]
fn a_file_system_that_becomes_read_only_is_an_error_and_the_server_recovers() {
    let place = Place::new();
    let root = place.root();
    let root = root.to_str().expect("UTF-8");
    // Its own mounts, so that it needs no rights; where there are no user namespaces there is nothing to try.
    let script = format!("mount -t tmpfs sampan '{root}' && exec \"$0\" \"$@\"");
    let unshare = ["--mount", "--user", "--map-root-user", "sh", "-c"];
    if !Command::new("unshare")
        .args(unshare)
        .arg("mount -t tmpfs sampan /mnt")
        .status()
        .is_ok_and(|ran| ran.success())
    {
        eprintln!("no user namespaces here");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(unshare).arg(script);
    let mut server = Server::under(command, &place.root(), &["tcp://127.0.0.1:0"], &[]);
    let file = place.write("file", b"contents");
    mount_in(server.pid(), &["-o", "remount,ro", root]);
    let began = Instant::now();
    Sampan::send(server.url(), &["--retries", "0"])
        .args(&[&file])
        .run()
        .assert_exit(5)
        .assert_failed("storage");
    assert!(began.elapsed() < PATIENCE);
    server.assert_alive();
    mount_in(server.pid(), &["-o", "remount,rw", root]);
    Sampan::send(server.url(), &[]).args(&[&file]).run().assert_exit(0);
    let to = place.path().join("to");
    Sampan::get(server.url(), &["-o"]).args(&[&to]).args(&["file"]).run().assert_exit(0);
    assert_eq!(fs::read(to).ok(), Some(b"contents".to_vec()));
    place.sentinel.assert_untouched();
    server.stop();
}

#[test]
fn a_second_server_of_the_same_folder_is_refused_or_harmless() {
    let mut arena = Arena::new();
    let root = arena.root();
    let mut second =
        Sampan::new(&["serve", "--json", "--listen", "tcp://127.0.0.1:0"]).args(&[&root]).start();
    let listening = until("it listens or ends", PATIENCE, || {
        let listening = second.stdout.named("listening", 0).pop();
        (listening.is_some() || second.has_ended()).then_some(listening)
    });
    let Some(listening) = listening else {
        let refused = second.finish();
        assert!(matches!(refused.code, Some(3 | 8)), "{refused:?}");
        return arena.oracle().failures(0).check();
    };
    let url = listening["url"].as_str().expect("a URL").to_owned();
    let contents = content(35, 1 << 20);
    let file = arena.place.write("file", &contents);
    for _ in 0..5 {
        let both: Vec<_> = [arena.url(), &url]
            .into_iter()
            .map(|url| Sampan::send(url, &[]).args(&[&file]).start())
            .collect();
        for client in both {
            client.finish().assert_exit(0);
        }
        assert!(arena.place.stored("file").as_ref() == Some(&contents), "what is stored differs");
        fs::remove_file(arena.root().join("file")).expect("it is there");
    }
    second.kill();
    arena.oracle().any_failures().check();
}
