//! What else is said on a line.

use std::time::{Duration, Instant};

use super::line::Conditions;
use super::shore::Shore;
use crate::kit::{PATIENCE, Sampan, content, until};

/// Processor time of a process so far.
fn worked(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("its fields").split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

#[test]
fn a_server_that_hears_noise_alone_does_next_to_nothing_and_serves_afterwards() {
    let mut shore = Shore::new(Conditions::CLEAN);
    let pid = shore.server().pid();
    let (before, mark) = (worked(pid), shore.server().events.mark());
    let begun = Instant::now();
    let mut said = 0_u64;
    while begun.elapsed() < Duration::from_secs(12) {
        shore.line.say_far(&content(said + 1, 64));
        said += 64;
        std::thread::sleep(Duration::from_millis(10));
    }
    let work = worked(pid) - before;
    assert!(work < Duration::from_secs(2), "{work:?} for {said} bytes");
    assert_eq!(shore.server().failures(mark).len(), 0, "{:?}", shore.server().failures(mark));
    shore.server().assert_alive();
    shore.assert_serves("file", &content(1, 10_000));
}

#[test]
fn an_idle_server_does_nothing() {
    let mut shore = Shore::new(Conditions::CLEAN);
    shore.assert_serves("file", b"x");
    let pid = shore.server().pid();
    let before = worked(pid);
    std::thread::sleep(Duration::from_secs(5));
    let work = worked(pid) - before;
    assert!(work < Duration::from_millis(300), "{work:?}");
}

#[test]
fn a_boot_log_in_the_middle_is_shown_line_by_line_and_harms_nothing() {
    let shore = Shore::new(Conditions::at(50_000));
    let file = shore.place.write("file", &content(3, 100_000));
    let url = shore.line.near();
    let client = Sampan::new(&["send", "-v", "--to", &url]).args(&[&file]).start();
    until("it is under way", PATIENCE, || (shore.line.sent() > 20_000).then_some(()));
    shore.line.say_near(b"\0[    0.1] booting\r\n[    0.2] \x1b[31mready\r\n\0");
    let ran = client.finish();
    ran.assert_exit(0);
    assert!(shore.place.stored("file") == Some(content(3, 100_000)));
    for said in ["[    0.1] booting", "[    0.2] \\u{1b}[31mready"] {
        assert!(ran.stderr.lines().any(|line| line.ends_with(said)), "{said:?} in {}", ran.stderr);
    }
    crate::kit::assert_printable(&ran.stderr);
}

#[test]
fn bytes_without_frames_are_said_to_be_none() {
    let shore = Shore::new(Conditions::CLEAN);
    shore.line.cut();
    let file = shore.place.write("file", b"x");
    let client = shore.send(&[&file]).args(&["--retries", "0", "--timeout", "3s"]).start();
    until("it speaks", PATIENCE, || (shore.line.sent() > 0).then_some(()));
    shore.line.say_near(b"login: \r\nlogin: ");
    let ran = client.finish();
    let failed = ran.assert_exit(7).assert_failed("timeout");
    assert!(failed["message"].as_str().is_some_and(|it| it.contains("is the baud rate right?")), "{failed}");
}
