//! One file over TCP, or another link that has a URL, with the library: the loop that `sampan` itself runs, in a page.
//!
//! ```text
//! cargo run --release -p sampan-examples --example tcp_copy -- receive 127.0.0.1:50000 some/directory
//! cargo run --release -p sampan-examples --example tcp_copy -- send 127.0.0.1:50000 some.file
//! ```
//!
//! The receiver takes one connection and ends with it.

use std::error::Error;
use std::path::Path;

use sampan::clock::Clock;
use sampan::link::{Link, Listener, StreamLink, TcpOptions, Url};
use sampan::memory::{Memory, Opening};
use sampan::run::Connection;
use sampan::sink::FileSink;
use sampan::source::FileSource;
use sampan_core::driver::Turn;
use sampan_core::wire::Code;
use sampan_core::{Engine, Event, Speaks, Storage};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, url, path] = args.as_slice() else {
        return Err("usage: tcp_copy receive URL DIRECTORY | tcp_copy send URL FILE".into());
    };
    let url: Url = url.parse()?;
    match what.as_str() {
        "receive" => receive(&url, Path::new(path)),
        "send" => send(&url, Path::new(path)),
        other => Err(format!("{other}: it is either receive or send").into()),
    }
}

fn receive(url: &Url, directory: &Path) -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind(url, &TcpOptions::default())?;
    println!("listening on {}", listener.url());
    let (link, clock, mut memory) = (listener.accept_within(None)?, Clock::start(), Memory::new()?);
    let session = memory.receiver(Opening::new(Speaks::Second, clock)?)?;
    run(Connection::new(session, link, FileSink::new(directory), clock))
}

fn send(url: &Url, file: &Path) -> Result<(), Box<dyn Error>> {
    let (clock, mut memory) = (Clock::start(), Memory::new()?);
    let mut session = memory.sender(Opening::new(Speaks::First, clock)?)?;
    let mut source = FileSource::new();
    let transfer = session.offer().ok_or("no transfer can be queued")?;
    source.add(transfer, file)?;
    session.close(Code::Ok);
    let link = StreamLink::dial(url, &TcpOptions::default())?;
    run(Connection::new(session, link, source, clock))
}

fn run<E: Engine, L: Link, S: Storage>(mut connection: Connection<E, L, S>) -> Result<(), Box<dyn Error>> {
    loop {
        match connection.turn()? {
            Turn::Worked => {}
            Turn::Event(Event::SendFailed(failure) | Event::ReceiveFailed(failure)) => {
                return Err(format!("transfer {}: {}", failure.transfer, failure.code).into());
            }
            Turn::Event(event) => println!("{event:?}"),
            Turn::Closed => return Ok(()),
        }
    }
}
