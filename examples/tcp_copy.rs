//! A file over TCP: a server that stores it in a directory, and a client that sends it, both from the library.
//!
//! ```text
//! cargo run -p sampan-examples --example tcp_copy -- FILE DIRECTORY
//! ```

use std::error::Error;
use std::path::Path;

use sampan::Reports;
use sampan::client::{ClientOptions, Plan, send};
use sampan::report::Report;
use sampan::server::{Server, ServerOptions};
use sampan::store::{Store, StoreOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(directory)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tcp_copy FILE DIRECTORY".into());
    };
    let store = Store::open(Path::new(&directory), StoreOptions::default())?;
    let listen = vec!["tcp://127.0.0.1:0".parse()?];
    let (server, heard) = Server::start(store, ServerOptions { listen, ..ServerOptions::default() })?;
    let url = server.urls().first().cloned().ok_or("it listens nowhere")?;

    // What the client has to tell is not looked at here: the outcome says enough.
    let (reports, _) = Reports::new();
    let outcome = send(Plan::new(&[file.into()], None)?, &ClientOptions::new(url), &reports)?;
    println!("sent {} bytes in {:.3} s", outcome.summary.bytes, outcome.summary.seconds);

    server.ask_to_stop();
    for report in heard {
        if let Report::Received(file) = report {
            println!("received {:?}, {}", file.name, file.digest.unwrap_or_default());
        }
    }
    match outcome.error {
        Some(error) => Err(error.name().into()),
        None => Ok(()),
    }
}
