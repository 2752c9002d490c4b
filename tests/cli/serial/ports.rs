//! Ports that cannot be opened.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::line::{Conditions, Line};
use super::shore::Shore;
use crate::kit::{PATIENCE, Place, Ran, Sampan, content};

/// `send` as a user that is not root, if this is one who can become another.
fn send_as_another(url: &str, file: &str) -> Ran {
    let arguments = ["send", "--json", "--retries", "0", "--timeout", "2s", "--to", url, file];
    if !rustix::process::geteuid().is_root() {
        return Sampan::new(&arguments).run();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    Sampan::under(command, &arguments).run()
}

#[test]
fn what_is_typed_wrong_is_named() {
    for (url, says) in [
        ("serial:", "no device"),
        ("serial:/dev/ttyUSB0?baud=fast", "baud=fast"),
        ("serial:/dev/ttyUSB0?baud=0", "baud=0"),
        ("serial:/dev/ttyUSB0?parity=even", "parity=even"),
        ("serial:/dev/ttyUSB0?dtr=maybe", "dtr=maybe"),
        ("serial:/dev/ttyUSB0?flow=hard", "flow=hard"),
    ] {
        let ran = Sampan::send(url, &["/etc/hostname"]).run();
        ran.assert_exit(2);
        assert!(ran.stderr.contains(says), "{url}: {}", ran.stderr);
    }
}

#[test]
fn a_port_that_is_not_there_and_a_file_that_is_no_port_are_named() {
    let place = Place::new();
    let file = place.write("file", b"x");
    let file = file.to_str().expect("text");
    for (path, says) in
        [("/dev/ttyNONE9", "sampan ports"), (file, "serial port"), ("/dev/null", "serial port")]
    {
        let ran = Sampan::send(&format!("serial:{path}"), &[file]).run();
        ran.assert_exit(3);
        assert!(ran.stderr.contains(says), "{path}: {} {}", ran.stderr, ran.text());
    }
}

#[test]
fn without_permission_it_is_said_which_group_has_it() {
    let line = Line::new(Conditions::CLEAN);
    fs::set_permissions(line.device(), Permissions::from_mode(0o000)).expect("a device");
    let ran = send_as_another(&line.near(), "/etc/hostname");
    ran.assert_exit(3);
    let said = format!("{}{}", ran.stderr, ran.text());
    assert!(said.contains("usermod -aG ") && said.contains("log in again"), "{said}");
}

/// It is refused at once, and the words say why.
#[track_caller]
fn assert_busy(ran: &Ran) {
    ran.assert_exit(3);
    let said = format!("{}{}", ran.stderr, ran.text());
    assert!(said.contains("another program"), "{said}");
}

#[test]
fn a_port_that_is_in_use_is_refused_to_others() {
    let mut shore = Shore::new(Conditions::CLEAN);
    assert_busy(&send_as_another(&shore.line.far(), "/etc/hostname"));
    shore.server().assert_alive();
}

#[test]
fn a_port_that_is_in_use_is_refused_to_the_same_user() {
    let mut shore = Shore::new(Conditions::CLEAN);
    let arguments = ["--retries", "0", "--timeout", "2s", "/etc/hostname"];
    assert_busy(&Sampan::send(&shore.line.far(), &arguments).run());
    shore.server().assert_alive();
}

#[test]
fn a_port_is_free_when_its_server_has_ended_though_somebody_has_it_open() {
    let mut shore = Shore::new(Conditions::CLEAN);
    let url = shore.line.far();
    shore.assert_serves("file", &content(1, 1_000));
    let said = shore.server.take().expect("it serves").stop();
    let free = send_as_another(&url, "/etc/hostname");
    assert_eq!(free.code, Some(7), "{said}{}{}", free.stderr, free.text());
}

#[test]
fn several_clients_at_once_do_not_mix() {
    let shore = Shore::new(Conditions::at(50_000));
    let file = shore.place.write("file", &content(3, 100_000));
    let client = shore.send(&[&file]).start();
    client.stdout.wait("connected", PATIENCE, |_| true);
    let second = Sampan::ls(&shore.line.near(), &["--retries", "0", "--timeout", "2s"]).run();
    second.assert_exit(3);
    client.finish().assert_exit(0);
    assert!(shore.place.stored("file") == Some(content(3, 100_000)));
}

#[test]
fn a_server_with_a_line_stops_when_it_is_asked_to() {
    let mut shore = Shore::new(Conditions::CLEAN);
    shore.assert_serves("file", b"x");
    shore.server.take().expect("it serves").stop();
}
