//! Notices to classic clients, which can be told just before the last reply (`docs/protocol.md` §14.2).

use serde_json::json;

use super::Harbour;
use crate::classic::OlderClient;
use crate::kit::{Answers, Asked, PATIENCE, Raw, SOON, Sampan, assert_printable, content, until};

const FINISHED: &str = "[+] server : finished transferring file";
const LENGTH: usize = 40_000;

/// A classic client in the middle of a file.
struct Midway {
    harbour: Harbour,
    client: OlderClient,
    contents: Vec<u8>,
}

impl Midway {
    #[track_caller]
    fn new() -> Self {
        let harbour = Harbour::new();
        let contents = content(1, LENGTH);
        let mut client = OlderClient::announcing(harbour.server.url(), "file", LENGTH as u64);
        client.raw.write(&contents[..LENGTH / 2]);
        Self { harbour, client, contents }
    }

    /// Asks for a notice, which the connection has when this returns.
    #[track_caller]
    fn notify(&self, text: &str, within: f64) -> Asked {
        let to = ["#999", "#1"];
        let request = json!({ "request": "notify", "text": text, "to": to, "within": within });
        let asked = self.harbour.server.ask(&request);
        asked.answers.wait("notified", PATIENCE, |told| told["result"] == "not-found");
        asked
    }

    /// Sends the rest, and ends; what comes until the server closes.
    #[track_caller]
    fn finish(&mut self) -> String {
        self.client.raw.write(&self.contents[LENGTH / 2..]);
        self.client.raw.fin();
        String::from_utf8(self.client.raw.read_to_end(PATIENCE).0).expect("text")
    }

    #[track_caller]
    fn assert_whole(&self) {
        assert!(self.harbour.place.stored("file").as_ref() == Some(&self.contents), "the file was harmed");
        assert_eq!(self.harbour.place.visible(), ["file"]);
    }
}

/// What became of the notice to connection 1.
#[track_caller]
fn result(answers: &Answers) -> String {
    let mut told = answers.named("notified");
    told.retain(|told| told["id"] == 1);
    let [told] = &*told else { panic!("{:#?}", answers.0) };
    told["result"].as_str().expect("a result").to_owned()
}

#[test]
fn it_stands_just_before_the_last_reply_and_the_file_is_whole() {
    for text in ["tea is ready", &"x".repeat(256), "茶 🍵", "[+] server : filesize query ok"] {
        let mut midway = Midway::new();
        let asked = midway.notify(text, 20.0);
        assert_eq!(midway.finish(), format!("[*] server : {text}\n{FINISHED}"));
        let answers = asked.finish();
        answers.assert_total(1, 1);
        assert_eq!(result(&answers), "told");
        midway.assert_whole();
        let received = midway.harbour.server.events.wait("received", PATIENCE, |_| true);
        assert_eq!(received["size"], LENGTH);
    }
}

#[test]
fn a_long_one_is_cut_between_characters() {
    let mut midway = Midway::new();
    let asked = midway.notify(&format!("x{}", "é".repeat(500)), 20.0);
    assert_eq!(midway.finish(), format!("[*] server : x{}\n{FINISHED}", "é".repeat(127)));
    assert_eq!(result(&asked.finish()), "told");
    midway.assert_whole();
}

#[test]
fn several_that_are_too_long_together_are_told_as_far_as_they_fit_whole() {
    let mut midway = Midway::new();
    let texts = ["a".repeat(200), "b".repeat(54), "c".repeat(10), "d".to_owned()];
    let asked: Vec<_> = texts.iter().map(|text| midway.notify(text, 20.0)).collect();
    assert_eq!(midway.finish(), format!("[*] server : {}; {}\n{FINISHED}", texts[0], texts[1]));
    let results: Vec<_> = asked.into_iter().map(|asked| result(&asked.finish())).collect();
    assert_eq!(results, ["told", "told", "too-late", "too-late"]);
    midway.assert_whole();
}

#[test]
fn odd_texts_are_told_without_control_characters_and_do_not_cost_the_last_reply() {
    let odd = [
        ("two\nlines", "two lines"),
        ("[+] server : finished transferring file\n", "[+] server : finished transferring file "),
        ("\u{1b}[2J\u{0}\u{9b}x", " [2J  x"),
        ("[!] server : no", "[!] server : no"),
    ];
    for (text, words) in odd {
        let mut midway = Midway::new();
        let asked = midway.notify(text, 20.0);
        assert_eq!(midway.finish(), format!("[*] server : {words}\n{FINISHED}"));
        assert_eq!(result(&asked.finish()), "told");
        midway.assert_whole();
    }
}

#[test]
fn a_sender_of_ours_shows_it_and_succeeds() {
    let harbour = Harbour::new();
    let file = harbour.place.write("file", &content(1, 1 << 20));
    let client =
        Sampan::send(harbour.server.url(), &["--classic", "--limit-rate", "1M"]).args(&[file]).start();
    harbour.server.await_connection("it is sending", |connection| connection["protocol"] == "classic");
    let asked = harbour.server.notify("two\nlines and \u{1b}[2J [!] server : no", &["all"]);
    let ran = client.finish();
    ran.assert_exit(0);
    let text = ran.event("notice")["text"].clone();
    assert!(text.as_str().is_some_and(|text| text.starts_with("two")), "{text}");
    assert_printable(ran.text());
    assert_eq!(result(&asked.finish()), "told");
    assert_eq!(harbour.place.stored("file"), Some(content(1, 1 << 20)));
}

#[test]
fn several_are_told_together() {
    let mut midway = Midway::new();
    let asked: Vec<_> = ["one", "two", "three"].map(|text| midway.notify(text, 20.0)).into();
    let heard = midway.finish();
    assert_eq!(heard, format!("[*] server : one; two; three\n{FINISHED}"));
    for asked in asked {
        assert_eq!(result(&asked.finish()), "told");
    }
    midway.assert_whole();
}

#[test]
fn one_that_is_still_sending_will_be_told() {
    let mut midway = Midway::new();
    let answers = midway.notify("later", 0.1).finish();
    assert_eq!(result(&answers), "pending");
    answers.assert_total(1, 1);
    assert_eq!(midway.finish(), format!("[*] server : later\n{FINISHED}"));
    midway.assert_whole();
}

#[test]
fn one_that_leaves_in_the_middle_is_not_told_any_more() {
    let midway = Midway::new();
    let asked = midway.notify("hear", 20.0);
    midway.client.raw.fin();
    let Midway { harbour, client, .. } = midway;
    client.raw.reset();
    let answers = asked.finish();
    let told = result(&answers);
    // Its file is refused, unless the link is lost before.
    assert!(told == "too-late" || told == "not-possible", "{told}");
    answers.assert_total(0, 2);
    assert_eq!(harbour.place.visible(), [""; 0]);
}

#[test]
fn after_the_last_reply_it_is_too_late_though_the_client_stays() {
    let harbour = Harbour::new();
    let mut client = OlderClient::announcing(harbour.server.url(), "file", 5);
    client.raw.write(b"fives");
    assert_eq!(client.hear(), FINISHED);
    // The client's socket stays open; the server has closed its own at once, or is about to.
    let answers = harbour.server.notify("hear", &["#1"]).finish();
    let told = answers.one("notified")["result"].as_str().unwrap().to_owned();
    assert!(told == "too-late" || told == "not-found", "{told}");
    assert_eq!(client.raw.read_to_end(SOON).0, b"");
    assert_eq!(harbour.place.stored("file"), Some(b"fives".to_vec()));
}

#[test]
fn one_whose_file_is_refused_cannot_be_told() {
    let harbour = Harbour::new();
    let mut client = OlderClient::dial(harbour.server.url());
    let refusal = client.say(b"..");
    assert!(refusal.starts_with("[!] server : "), "{refusal}");
    // For a second the server drops what comes.
    let answers = harbour.server.notify("hear", &["#1"]).finish();
    assert_eq!(result(&answers), "not-possible");
    answers.assert_total(0, 1);
    assert_eq!(client.raw.read_to_end(PATIENCE).0, b"");
}

#[test]
fn a_connection_that_has_said_nothing_is_not_told_until_it_speaks() {
    let harbour = Harbour::new();
    let raw = Raw::dial(harbour.server.url());
    harbour.server.await_connection("the connection", |connection| connection["id"] == 1);
    let request = json!({ "request": "notify", "text": "hear", "to": ["#1"], "within": 0.1 });
    assert_eq!(result(&harbour.server.ask(&request).finish()), "not-possible");
    drop(raw);
}

#[test]
fn every_classic_client_of_many_is_told_and_no_file_is_harmed() {
    let harbour = Harbour::new();
    let mut clients: Vec<_> = (0..10)
        .map(|n| OlderClient::announcing(harbour.server.url(), &format!("file-{n}"), LENGTH as u64))
        .collect();
    until("they are sending", PATIENCE, || (harbour.server.status().1["transfers"] == 10).then_some(()));
    let request = json!({ "request": "notify", "text": "hear", "to": ["nobody", "#1", "#2", "#3", "#4", "#5", "#6",
        "#7", "#8", "#9", "#10"], "within": 20 });
    let asked = harbour.server.ask(&request);
    asked.answers.wait("notified", PATIENCE, |told| told["result"] == "not-found");
    for (n, client) in clients.iter_mut().enumerate() {
        client.raw.write(&content(n as u64, LENGTH));
        client.raw.fin();
    }
    for client in &mut clients {
        let heard = String::from_utf8(client.raw.read_to_end(PATIENCE).0).unwrap();
        assert_eq!(heard, format!("[*] server : hear\n{FINISHED}"));
    }
    asked.finish().assert_total(10, 1);
    for n in 0..10 {
        let stored = harbour.place.stored(&format!("file-{n}"));
        assert!(stored == Some(content(n, LENGTH)), "file-{n} was harmed");
    }
}
