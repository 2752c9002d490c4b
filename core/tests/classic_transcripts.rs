//! The transcripts of `tests/vectors/classic.txt` (§14.6), whole, cut and glued in every way that must make no difference.

mod classic_kit;

use classic_kit::{Driver, Rig, START, Shelf, Told, buffers};
use sampan_core::wire::Code;
use sampan_core::{By, Engine, Error, Limits, LinkError, Verdict, classic};

const TRANSCRIPTS: &str = include_str!("../../tests/vectors/classic.txt");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Bytes(Role, Vec<u8>),
    End(Role),
    Reset(Role),
    Wait(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Received(Vec<u8>, Vec<u8>),
    Sent,
    Notice(String),
    Refused(Code, String),
    Failed(Code, String),
    Error(LinkError),
}

#[derive(Clone, Debug)]
struct Transcript {
    role: Role,
    name: &'static str,
    shelf: Shelf,
    notice: bool,
    lines: Vec<Line>,
    outcome: Outcome,
}

/// How the bytes of a transcript arrive and go.
#[derive(Clone, Copy, Debug)]
struct Manner {
    driver: Driver,
    read: usize,
    write: usize,
    take: usize,
    glue: bool,
    buffer: usize,
}

const WHOLE: Manner = Manner {
    driver: Driver::Nb,
    read: usize::MAX,
    write: usize::MAX,
    take: usize::MAX,
    glue: false,
    buffer: classic::MIN_BUFFER,
};

// Reading.

fn unquoted(text: &str) -> Vec<u8> {
    let inner = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect(text);
    let mut out = Vec::new();
    let mut rest = inner.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if let [b'\\', b'x', high, low, tail @ ..] = rest {
            let digits = [*high, *low];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            rest = tail;
        } else {
            assert!(matches!(first, b' '..=b'~') && first != b'"' && first != b'\\', "{text}");
            out.push(first);
            rest = tail;
        }
    }
    out
}

fn string(text: &str) -> String {
    String::from_utf8(unquoted(text)).unwrap()
}

fn code(text: &str) -> Code {
    *Code::ALL.iter().find(|code| code.name() == text.trim()).expect(text)
}

/// A code and words.
fn refusal(text: &str) -> (Code, String) {
    let (name, words) = text.split_at(text.find('"').expect(text));
    (code(name), string(words))
}

fn leaked((code, words): (Code, String)) -> sampan_core::Refusal {
    sampan_core::Refusal { code, words: words.leak() }
}

fn outcome(text: &str, role: Role) -> Outcome {
    let (what, rest) = text.split_once(' ').unwrap_or((text, ""));
    match (what, role) {
        ("received", _) => {
            let (name, contents) = rest.split_once("\" \"").unwrap();
            Outcome::Received(unquoted(&format!("{name}\"")), unquoted(&format!("\"{contents}")))
        }
        ("sent", _) => Outcome::Sent,
        ("notice", _) => Outcome::Notice(string(rest)),
        ("refused", Role::Server) => {
            let (code, words) = refusal(rest);
            Outcome::Refused(code, words)
        }
        ("refused", Role::Client) => Outcome::Refused(Code::Other, string(rest)),
        ("failed", _) => {
            let (code, words) = refusal(rest);
            Outcome::Failed(code, words)
        }
        ("error", _) => Outcome::Error(match rest {
            "lost" => LinkError::Lost,
            "handshake" => LinkError::Handshake,
            "silent" => LinkError::Silent,
            "stalled" => LinkError::Stalled,
            _ => panic!("{text}"),
        }),
        _ => panic!("{text}"),
    }
}

fn transcripts() -> Vec<Transcript> {
    let mut all: Vec<Transcript> = Vec::new();
    for line in TRANSCRIPTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').expect(line);
        if let "server" | "client" = word {
            let role = if word == "server" { Role::Server } else { Role::Client };
            all.push(Transcript {
                role,
                name: rest,
                shelf: Shelf::new(),
                notice: false,
                lines: vec![],
                outcome: Outcome::Sent,
            });
            continue;
        }
        let transcript = all.last_mut().expect(line);
        match word {
            "file" => {
                let (name, contents) = rest.split_once("\" \"").unwrap();
                let name = string(&format!("{name}\""));
                transcript.shelf = Shelf::with(&name, &unquoted(&format!("\"{contents}")));
            }
            "store" => transcript.shelf.verdict = Verdict::Decline(leaked(refusal(rest))),
            "commit" => transcript.shelf.commit = Err(leaked(refusal(rest))),
            "notice" => {
                transcript.shelf.words = string(rest).leak();
                transcript.notice = true;
            }
            "wait" => transcript.lines.push(Line::Wait(rest.parse().unwrap())),
            "C" | "S" => {
                let role = if word == "S" { Role::Server } else { Role::Client };
                transcript.lines.push(match rest {
                    "end" => Line::End(role),
                    "reset" => Line::Reset(role),
                    _ => Line::Bytes(role, unquoted(rest)),
                });
            }
            "outcome" => transcript.outcome = outcome(rest, transcript.role),
            _ => panic!("{line}"),
        }
    }
    all
}

// Running.

fn glued(lines: &[Line], peer: Role) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    for line in lines {
        match (out.last_mut(), line) {
            (Some(Line::Bytes(before, bytes)), Line::Bytes(role, more))
                if *before == peer && *role == peer =>
            {
                bytes.extend(more);
            }
            _ => out.push(line.clone()),
        }
    }
    out
}

fn play<E: Engine>(transcript: &Transcript, manner: Manner, mut rig: Rig<E>) -> Rig<E> {
    let peer = if transcript.role == Role::Server { Role::Client } else { Role::Server };
    rig.driver = manner.driver;
    rig.link.read = manner.read;
    rig.link.write = manner.write;
    rig.shelf.take = manner.take;
    rig.shelf.give = manner.take;
    rig.run();
    let lines = if manner.glue { glued(&transcript.lines, peer) } else { transcript.lines.clone() };
    let mut lines = lines.iter().peekable();
    while let Some(line) = lines.next() {
        match line {
            Line::Bytes(role, bytes) if *role == peer => {
                rig.link.inbox.extend(bytes);
                let together = matches!(lines.peek(), Some(Line::End(role)) if *role == peer);
                let more = manner.glue && together;
                if !more && !rig.is_closed() {
                    rig.run();
                }
            }
            Line::Bytes(_, bytes) => {
                rig.expect(bytes);
                let more =
                    matches!(lines.peek(), Some(Line::Bytes(role, _) | Line::End(role)) if *role != peer);
                assert!(more || rig.link.outbox.is_empty());
            }
            Line::End(role) if *role == peer => rig.end(),
            Line::Reset(role) => {
                assert_eq!(*role, peer);
                rig.link.reset = true;
                rig.end();
            }
            Line::End(_) => assert_eq!(rig.told, [Told::EndOfStream]),
            Line::Wait(millis) => {
                assert!(rig.link.outbox.is_empty());
                rig.wait(*millis);
            }
        }
    }
    rig.wait(1_050);
    assert!(rig.is_closed(), "{:?}", rig.told);
    assert_eq!(String::from_utf8_lossy(&rig.written()), "");
    rig
}

fn check<E: Engine>(transcript: &Transcript, rig: Rig<E>) {
    let receiving = transcript.role == Role::Server;
    let failed =
        |code: &Code, words: &String, by| Told::Failed { receiving, code: *code, words: words.clone(), by };
    let mut expected = match &transcript.outcome {
        Outcome::Received(..) => vec![Told::Received],
        Outcome::Sent => vec![Told::Sent],
        Outcome::Notice(words) => vec![Told::Notice(words.clone()), Told::Sent],
        Outcome::Refused(code, words) => {
            vec![failed(code, words, if receiving { By::Us } else { By::Peer })]
        }
        Outcome::Failed(code, words) => vec![failed(code, words, By::Us)],
        Outcome::Error(_) => vec![],
    };
    expected.push(Told::Closed(match &transcript.outcome {
        Outcome::Error(error) => Err(Error::Link(*error)),
        _ => Ok(()),
    }));
    if transcript.lines.contains(&Line::End(transcript.role)) {
        expected.insert(0, Told::EndOfStream);
    }
    assert_eq!(rig.told, expected);
    assert!(!rig.shelf.is_open());
    if let Outcome::Received(name, contents) = &transcript.outcome {
        assert_eq!((rig.shelf.name.as_ref(), &rig.shelf.stored), (Some(name), contents));
        assert_eq!(rig.shelf.committed, 1);
    } else {
        assert_eq!(rig.shelf.committed, 0);
    }
}

fn run(transcript: &Transcript, manner: Manner) {
    let buffers = buffers(manner.buffer, manner.buffer);
    let limits = &Limits::LARGE;
    match transcript.role {
        Role::Server => {
            let mut engine = classic::Receiver::new(buffers, limits, START).unwrap();
            if transcript.notice {
                assert_eq!((engine.notify(), engine.notify()), (Some(1), None));
            }
            check(transcript, play(transcript, manner, Rig::new(engine, transcript.shelf.clone())));
        }
        Role::Client => {
            let engine = classic::Sender::new(buffers, limits, START).unwrap();
            check(transcript, play(transcript, manner, Rig::new(engine, transcript.shelf.clone())));
        }
    }
}

#[test]
fn there_are_transcripts_of_both_ends() {
    let all = transcripts();
    let mut names: Vec<_> =
        all.iter().map(|transcript| (transcript.role == Role::Server, transcript.name)).collect();
    assert!(names.iter().filter(|(server, _)| *server).count() > 30);
    assert!(names.iter().filter(|(server, _)| !*server).count() > 20);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
}

fn run_all(manner: Manner) {
    for transcript in transcripts() {
        let name = transcript.name;
        let result = std::panic::catch_unwind(|| run(&transcript, manner));
        assert!(result.is_ok(), "{:?} {name}: {manner:?}", transcript.role);
    }
}

#[test]
fn whole() {
    run_all(WHOLE);
    run_all(Manner { driver: Driver::Blocking, ..WHOLE });
    run_all(Manner { buffer: 4096, ..WHOLE });
}

#[test]
fn byte_by_byte() {
    for driver in [Driver::Nb, Driver::Blocking] {
        run_all(Manner { driver, read: 1, ..WHOLE });
        run_all(Manner { driver, read: 1, write: 1, take: 1, ..WHOLE });
    }
}

#[test]
fn glued_as_far_as_one_end_may() {
    for driver in [Driver::Nb, Driver::Blocking] {
        run_all(Manner { driver, glue: true, ..WHOLE });
        run_all(Manner { driver, glue: true, read: 3, ..WHOLE });
    }
}

#[test]
fn with_reads_and_writes_of_every_size() {
    for size in 1..=40 {
        run_all(Manner { read: size, ..WHOLE });
        run_all(Manner { write: size, ..WHOLE });
        run_all(Manner { take: size, glue: true, ..WHOLE });
    }
}
