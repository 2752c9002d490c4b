//! The control socket of a server (`docs/cli.md` §13), asked by hand.

use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Events, Framed, PATIENCE, Raw, Server, until};

/// A request that was made; the connection is closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    stream: UnixStream,
    /// What is answered, as it comes.
    pub(crate) answers: Events,
}

impl Asked {
    /// Says this at the control socket.
    #[track_caller]
    pub(crate) fn saying(path: &Path, said: &[u8]) -> Self {
        let mut stream = UnixStream::connect(path).expect("the control socket is there");
        stream.set_write_timeout(Some(PATIENCE)).expect("an option of every socket");
        // Who has heard enough may have closed.
        let _ = stream.write_all(said);
        let answers = Events::of(stream.try_clone().expect("a descriptor"));
        Self { stream, answers }
    }

    /// Says no more.
    pub(crate) fn fin(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Every answer, once the server has closed.
    #[track_caller]
    pub(crate) fn finish(self) -> Answers {
        self.finish_within(2 * PATIENCE)
    }

    /// The same with another deadline.
    #[track_caller]
    pub(crate) fn finish_within(self, within: Duration) -> Answers {
        self.answers.whole_bytes(within);
        Answers(self.answers.since(0))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// What a request was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answers(pub(crate) Vec<Value>);

impl Answers {
    /// Those of this kind.
    pub(crate) fn named(&self, name: &str) -> Vec<&Value> {
        self.0.iter().filter(|answer| answer["event"] == name).collect()
    }

    /// The one of this kind.
    #[track_caller]
    pub(crate) fn one(&self, name: &str) -> &Value {
        let found = self.named(name);
        assert_eq!(found.len(), 1, "{name}: {:#?}", self.0);
        found[0]
    }

    /// The one of this kind about this node.
    #[track_caller]
    pub(crate) fn of_node(&self, name: &str, node: &str) -> &Value {
        let mut found = self.named(name);
        found.retain(|answer| answer["node"] == node);
        assert_eq!(found.len(), 1, "{name} of {node}: {:#?}", self.0);
        found[0]
    }

    /// It ends with a summary, in which so many succeeded and so many failed.
    #[track_caller]
    pub(crate) fn assert_total(&self, succeeded: u64, failed: u64) -> &Value {
        let total = self.one("summary");
        let found = (&total["asked"], &total["succeeded"], &total["failed"]);
        let wanted = (&json!(succeeded + failed), &json!(succeeded), &json!(failed));
        assert_eq!(found, wanted, "{:#?}", self.0);
        assert_eq!(self.0.last(), Some(total), "{:#?}", self.0);
        total
    }

    /// It was refused altogether, with this error; the words.
    #[track_caller]
    pub(crate) fn assert_failed(&self, error: &str) -> &str {
        let [failed] = &*self.0 else { panic!("{error} alone was expected: {:#?}", self.0) };
        assert_eq!((&failed["event"], &failed["error"]), (&json!("failed"), &json!(error)), "{failed}");
        failed["message"].as_str().expect("words")
    }
}

impl Server {
    /// Where its control socket is, if nobody has said so.
    pub(crate) fn control(&self) -> PathBuf {
        self.runtime().join(format!("sampan/{}.control", self.pid()))
    }

    /// Makes a request.
    #[track_caller]
    pub(crate) fn ask(&self, request: &Value) -> Asked {
        Asked::saying(&self.control(), format!("{request}\n").as_bytes())
    }

    /// Tells a notice to these within 10 s.
    #[track_caller]
    pub(crate) fn notify(&self, text: &str, to: &[&str]) -> Asked {
        self.ask(&json!({ "request": "notify", "text": text, "to": to, "within": 10 }))
    }

    /// Pushes files under their own names to these, 32 at a time, within 20 s.
    #[track_caller]
    pub(crate) fn push(&self, files: &[&Path], to: &[&str]) -> Asked {
        self.push_as(files, to, &json!({}))
    }

    /// The same with these fields instead of, or beside, those that it has.
    #[track_caller]
    pub(crate) fn push_as(&self, files: &[&Path], to: &[&str], fields: &Value) -> Asked {
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        let files: Vec<_> = files.iter().map(|path| json!({ "path": path, "name": name(path) })).collect();
        let mut request =
            json!({ "request": "push", "files": files, "to": to, "parallel": 32, "within": 20 });
        for (field, value) in fields.as_object().expect("fields") {
            request[field] = value.clone();
        }
        self.ask(&request)
    }

    /// The connections, and the server as a whole.
    #[track_caller]
    pub(crate) fn status(&self) -> (Vec<Value>, Value) {
        let answers = self.ask(&json!({ "request": "status" })).finish();
        let connections = answers.named("connection").into_iter().cloned().collect();
        (connections, answers.one("status").clone())
    }

    /// Waits until a connection is as wanted.
    #[track_caller]
    pub(crate) fn await_connection(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        until(what, PATIENCE, || self.status().0.into_iter().find(&wanted))
    }

    /// The connection of this node, once it is attached.
    #[track_caller]
    pub(crate) fn await_node(&self, node: &str) -> Value {
        self.await_connection("the node is attached", |connection| connection["node"] == node)
    }

    /// A session with this node through the server.
    #[track_caller]
    pub(crate) fn reach(&self, node: &str) -> Framed {
        let mut raw = Raw::dial(&format!("unix:{}", self.control().display()));
        raw.write(format!("{}\n", json!({ "request": "reach", "node": node })).as_bytes());
        let line = line(&mut raw).expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer, json!({ "v": 1, "event": "reached", "node": node }));
        Framed::open(raw, Framed::hello())
    }
}

/// One line, and not a byte more.
fn line(raw: &mut Raw) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while raw.try_read(&mut byte, PATIENCE)? == 1 && byte != *b"\n" {
        line.extend(byte);
    }
    String::from_utf8(line).map_err(io::Error::other)
}
