use super::*;
use crate::link::{Link as _, Url};
use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// A server that answers one request with these bytes, and then waits for the other end if it is to be silent.
struct Double {
    place: TempDir,
    thread: JoinHandle<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Closes,
    IsSilent,
}

impl Double {
    fn new(says: impl Into<Vec<u8>>, then: Then) -> Self {
        let (place, says) = (tempfile::tempdir().unwrap(), says.into());
        let listener = UnixListener::bind(place.path().join("s")).unwrap();
        let thread = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut request = String::new();
            reader.read_line(&mut request).unwrap();
            let _ = stream.write_all(&says);
            if then == Then::IsSilent {
                let _ = reader.read_to_string(&mut request);
            }
            request
        });
        Self { place, thread }
    }

    fn asked(&self, request: &Request) -> Conversation {
        Conversation::begin(&self.place.path().join("s"), request, &Stop::new()).unwrap()
    }
}

const ONCE: Request = Request::Status { every: None };
const STATUS: &str = r#"{"v":1,"event":"status","urls":["tcp://[::1]:5"],"pid":7,"since":1.5,"connections":0,"nodes":0,
"transfers":0,"received":0,"sent":0,"receive_rate":0.0,"send_rate":0.0,"draining":false}"#;

fn status() -> String {
    format!("{}\n", STATUS.replace('\n', ""))
}

fn error_of(says: impl Into<Vec<u8>>, request: &Request) -> Failure {
    let double = Double::new(says, Then::Closes);
    let failure = double.asked(request).next_answer().unwrap_err();
    double.thread.join().unwrap();
    failure
}

#[test]
fn answers_come_until_the_last_and_what_is_not_known_is_passed_over() {
    let says = format!("{}{}{}", "{\"v\":1,\"event\":\"later\",\"x\":[1]}\n", status(), "rubbish\n");
    let double = Double::new(says, Then::Closes);
    let mut conversation = double.asked(&ONCE);
    let Some(Answer::Status(status)) = conversation.next_answer().unwrap() else { panic!() };
    assert_eq!((status.pid, &*status.urls), (7, &["tcp://[::1]:5".to_owned()][..]));
    assert_eq!(conversation.next_answer().unwrap(), None);
    assert_eq!(double.thread.join().unwrap(), "{\"request\":\"status\",\"every\":null}\n");
}

#[test]
fn what_goes_on_ends_when_the_server_ends_it_between_two_lines() {
    let every = Request::Status { every: Some(1.0) };
    let double = Double::new(status().repeat(3), Then::Closes);
    let mut conversation = double.asked(&every);
    for _ in 0..3 {
        assert!(matches!(conversation.next_answer(), Ok(Some(Answer::Status(_)))));
    }
    assert_eq!(conversation.next_answer().unwrap(), None);
    let half = &status()[..20];
    assert_eq!(error_of(half, &every).error, ErrorName::LinkLost);
}

#[test]
fn what_is_no_answer_is_a_failure() {
    for says in [
        "HTTP/1.1 400 Bad Request\r\n\r\n".as_bytes(),
        b"\n",
        b"[]\n",
        b"{\"event\":\"drained\"}\n",
        b"{\"v\":2,\"event\":\"drained\"}\n",
        b"{\"v\":1,\"event\":\"status\"}\n",
        b"\xff\xfe\n",
    ] {
        let failure = error_of(says, &Request::Drain);
        assert_eq!(failure.error, ErrorName::Protocol, "{failure}");
    }
    let long = vec![b'x'; LONGEST_ANSWER + READ + 1];
    let failure = error_of(long, &ONCE);
    assert!(failure.to_string().contains("too long"), "{failure}");
}

#[test]
fn an_early_end_is_a_failure_that_can_be_resumed() {
    for says in
        [String::new(), "{\"v\":1".to_owned(), "{\"v\":1,\"event\":\"reached\",\"node\":\"a\"}".to_owned()]
    {
        let failure = error_of(says, &ONCE);
        assert_eq!(failure.error, ErrorName::LinkLost, "{failure}");
    }
}

#[test]
fn what_the_server_says_of_a_failure_is_escaped() {
    let says =
        "{\"v\":1,\"event\":\"failed\",\"error\":\"not-found\",\"message\":\"no \\\"a\\\" \\u001b[2J\"}\n";
    let failure = error_of(says, &ONCE);
    assert_eq!((failure.error, &*failure.to_string()), (ErrorName::NotFound, "no \"a\" \\u{1b}[2J"));
}

#[test]
fn silence_is_waited_for_no_longer_than_allowed_and_an_interruption_ends_it() {
    let double = Double::new("", Then::IsSilent);
    let path = double.place.path().join("s");
    let mut conversation =
        Conversation::within(&path, &ONCE, &Stop::new(), Duration::from_millis(60)).unwrap();
    assert_eq!(conversation.next_within(Duration::ZERO).unwrap(), Heard::Nothing);
    assert_eq!(conversation.next_answer().unwrap_err().error, ErrorName::Timeout);
    drop(conversation);
    double.thread.join().unwrap();

    let double = Double::new("", Then::IsSilent);
    let stop = Stop::new();
    let mut conversation =
        Conversation::begin(&double.place.path().join("s"), &Request::Drain, &stop).unwrap();
    let asking = thread::spawn(move || stop.ask());
    assert_eq!(conversation.next_answer().unwrap_err().error, ErrorName::Interrupted);
    asking.join().unwrap();
    drop(conversation);
    double.thread.join().unwrap();
}

#[test]
fn where_nobody_listens_the_failure_says_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("s");
    for _ in 0..2 {
        let failure = Conversation::begin(&path, &ONCE, &Stop::new()).unwrap_err();
        assert_eq!(failure.error, ErrorName::Connect);
        assert!(failure.to_string().contains("sampan serve"), "{failure}");
        drop(UnixListener::bind(&path));
    }
}

#[test]
fn a_request_that_no_server_takes_is_not_sent() {
    let request = Request::Disconnect { who: vec!["x".repeat(LONGEST_REQUEST)] };
    let failure = Conversation::begin(Path::new("/nowhere"), &request, &Stop::new()).unwrap_err();
    assert_eq!(failure.error, ErrorName::Usage);
}

#[test]
fn the_link_to_a_node_begins_right_behind_the_answer() {
    let says = "{\"v\":1,\"event\":\"reached\",\"node\":\"boat\"}\nhello";
    let double = Double::new(says, Then::IsSilent);
    let mut link = reach(&double.place.path().join("s"), "boat", PATIENCE).unwrap();
    assert_eq!(link.peer(), "node:boat");
    assert_eq!(link.peek(5, PATIENCE).unwrap(), b"hello");
    link.close_sending();
    drop(link);
    assert_eq!(double.thread.join().unwrap(), "{\"request\":\"reach\",\"node\":\"boat\"}\n");
    let url = Url::Node { control: "/s".into(), node: "boat".into() };
    assert!(url.is_local() && url.to_string() == "node:boat");
    assert_eq!(StreamLink::dial(&url, &TcpOptions::default()).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_node_that_is_not_there_cannot_be_reached() {
    let says = "{\"v\":1,\"event\":\"failed\",\"error\":\"not-found\",\"message\":\"no node\"}\n";
    let double = Double::new(says, Then::Closes);
    let failure = reach(&double.place.path().join("s"), "boat", PATIENCE).unwrap_err();
    assert_eq!(failure.error, ErrorName::NotFound);
    let double = Double::new(status(), Then::Closes);
    let failure = reach(&double.place.path().join("s"), "boat", PATIENCE).unwrap_err();
    assert_eq!(failure.error, ErrorName::Protocol);
}
