//! The older server as it is, and as others of its kind are.
//!
//! A name and a size are what one read of 1,024 bytes brings. The size is acknowledged and never looked at. The file is opened as it was named,
//! when the first contents come; if that fails, the server falls silent. It never closes a connection.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::{FINISHED, NAME_OK, SIZE_OK};
use crate::kit::{PATIENCE, until};

/// What a server does where it has to answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply {
    /// Says this.
    Text(&'static str),
    /// Says it after so long.
    Late(Duration, &'static str),
    /// Nothing, and keeps the connection.
    Silence,
    /// Nothing, and closes.
    Close,
    /// Says this and closes.
    Last(&'static str),
}

/// How a server finds the size.
#[derive(Clone, Copy, Debug)]
pub(super) enum SizeIs {
    /// What one read brings, contents that came with it included.
    OneRead,
    /// So many digits.
    Digits(usize),
}

/// How a server answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) name: Reply,
    /// How much of what comes then is the size.
    pub(super) size_is: SizeIs,
    pub(super) size: Reply,
    /// After so many bytes of contents.
    pub(super) contents: Option<(usize, Reply)>,
    pub(super) end: Reply,
}

impl Manner {
    /// Of the older server.
    pub(super) const KNOWN: Self = Self {
        name: Reply::Text(NAME_OK),
        size_is: SizeIs::OneRead,
        size: Reply::Text(SIZE_OK),
        contents: None,
        end: Reply::Text(FINISHED),
    };
}

/// A connection, by what came over it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) size: String,
    /// Bytes of contents.
    pub(super) contents: u64,
    /// The client has ended its stream.
    pub(super) ended: bool,
}

/// A server in threads of the test.
pub(super) struct OlderServer {
    folder: TempDir,
    port: u16,
    told: Arc<Mutex<Vec<Told>>>,
    _kept: Arc<Mutex<Vec<TcpStream>>>,
}

impl OlderServer {
    pub(super) fn new() -> Self {
        Self::of(Manner::KNOWN)
    }

    pub(super) fn of(manner: Manner) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let told = Arc::default();
        let kept: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let here = (folder.path().to_owned(), Arc::clone(&told), Arc::clone(&kept));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (folder, told, kept) = here.clone();
                thread::spawn(move || {
                    let mut connection = Connection::new(stream, folder, &told);
                    if connection.exchange(&manner) == Over::Kept {
                        kept.lock().expect("no panic there").push(connection.stream);
                    }
                });
            }
        });
        Self { folder, port, told, _kept: kept }
    }

    pub(super) fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}", self.port)
    }

    /// What it has stored under this name.
    pub(super) fn stored(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join(name)).ok()
    }

    /// Every connection so far, in order.
    pub(super) fn told(&self) -> Vec<Told> {
        self.told.lock().expect("no panic there").clone()
    }

    /// Every connection, when all have been ended by their clients.
    #[track_caller]
    pub(super) fn all_ended(&self) -> Vec<Told> {
        until("every stream ends", PATIENCE, || {
            let told = self.told();
            told.iter().all(|told| told.ended).then_some(told)
        })
    }
}

struct Connection<'a> {
    stream: TcpStream,
    folder: PathBuf,
    all: &'a Mutex<Vec<Told>>,
    index: usize,
}

/// Nothing more happens on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// The server keeps its end, as the older one does.
    Kept,
    Closed,
}

impl<'a> Connection<'a> {
    fn new(stream: TcpStream, folder: PathBuf, all: &'a Mutex<Vec<Told>>) -> Self {
        let mut told = all.lock().expect("no panic there");
        told.push(Told::default());
        Self { stream, folder, all, index: told.len() - 1 }
    }

    fn note(&self, note: impl FnOnce(&mut Told)) {
        note(&mut self.all.lock().expect("no panic there")[self.index]);
    }

    fn exchange(&mut self, manner: &Manner) -> Over {
        let (Ok(over) | Err(over)) = self.try_exchange(manner);
        over
    }

    fn try_exchange(&mut self, manner: &Manner) -> Result<Over, Over> {
        let name = String::from_utf8_lossy(&self.read()?).into_owned();
        self.note(|told| told.name.clone_from(&name));
        self.reply(manner.name)?;
        let size = match manner.size_is {
            SizeIs::OneRead => self.read()?,
            SizeIs::Digits(digits) => self.read_exactly(digits)?,
        };
        let size = String::from_utf8_lossy(&size).into_owned();
        self.note(|told| told.size = size);
        self.reply(manner.size)?;
        let mut file = None;
        let mut received = 0;
        while let Ok(piece) = self.read() {
            if file.is_none() {
                match File::create(self.folder.join(&name)) {
                    Ok(made) => file = Some(made),
                    Err(_) => return self.reply(Reply::Silence).map(|()| Over::Kept),
                }
            }
            let stored = file.as_mut().is_some_and(|file| file.write_all(&piece).is_ok());
            assert!(stored, "the folder takes what is written");
            let before = received;
            received += piece.len();
            self.note(|told| told.contents = received as u64);
            if let Some((after, reply)) = manner.contents
                && (before..received).contains(&after)
            {
                self.reply(reply)?;
            }
        }
        // Of an empty file it knows nothing: no file, no answer.
        if file.take().is_some() {
            self.reply(manner.end)?;
        }
        Ok(Over::Kept)
    }

    fn reply(&mut self, reply: Reply) -> Result<(), Over> {
        let written = match reply {
            Reply::Text(text) | Reply::Last(text) => self.stream.write_all(text.as_bytes()),
            Reply::Late(after, text) => {
                thread::sleep(after);
                self.stream.write_all(text.as_bytes())
            }
            Reply::Silence => {
                while self.read().is_ok() {}
                return Err(Over::Kept);
            }
            Reply::Close => return Err(Over::Closed),
        };
        match (written, reply) {
            (Err(_), _) | (_, Reply::Last(_)) => Err(Over::Closed),
            (Ok(()), _) => Ok(()),
        }
    }

    fn read_exactly(&mut self, length: usize) -> Result<Vec<u8>, Over> {
        let mut buffer = vec![0; length];
        self.stream.read_exact(&mut buffer).map_err(|_| Over::Closed)?;
        Ok(buffer)
    }

    /// What one read brings.
    fn read(&mut self) -> Result<Vec<u8>, Over> {
        let mut buffer = [0; 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) | Err(_) => {
                self.note(|told| told.ended = true);
                Err(Over::Closed)
            }
            Ok(n) => Ok(buffer[..n].to_vec()),
        }
    }
}

#[test]
fn it_understands_the_older_client() {
    let server = OlderServer::new();
    let contents = crate::kit::content(1, 100_000);
    super::OlderClient::send_file(&server.url(), "file.bin", &contents);
    super::OlderClient::send_file(&server.url(), "empty", b"");
    let told = until("both have ended", PATIENCE, || Some(server.all_ended()).filter(|told| told.len() == 2));
    let told: Vec<_> = told.iter().map(|told| (&*told.name, &*told.size, told.contents)).collect();
    assert_eq!(told, [("file.bin", "100000", 100_000), ("empty", "0", 0)]);
    assert_eq!(server.stored("file.bin"), Some(contents));
    assert_eq!(server.stored("empty"), None);
}
