//! What the board is told when it is switched on.

use core::net::SocketAddrV4;

use heapless::String;
use sampan_core::Millis;
use sampan_core::wire::NodeName;

use crate::semihosting;

/// The settings, which stand on the command line of the emulated program: `dial=10.0.2.2:50000 name=board-7`.
#[derive(Debug)]
pub struct Settings {
    /// The server that is dialled, if any is.
    pub dial: Option<SocketAddrV4>,
    /// What the board is called there; if it is empty the server gives it a name.
    pub name: String<{ NodeName::MAX_LEN }>,
    /// From one frame to the next, as if the network were slower: for those who want to see it at work.
    pub pace: Millis,
}

impl Settings {
    /// Reads them. What cannot be understood ends the program: nobody would miss it otherwise.
    pub fn read() -> Self {
        let mut settings = Self { dial: None, name: String::new(), pace: Millis(0) };
        let mut text = [0; 256];
        for word in semihosting::command(&mut text).split_ascii_whitespace() {
            match word.split_once('=') {
                Some(("dial", to)) => match to.parse() {
                    Ok(to) => settings.dial = Some(to),
                    Err(_) => semihosting::fail(c"dial: an IPv4 address and a port are wanted\n"),
                },
                Some(("name", name)) => {
                    match NodeName::new(name).ok().and_then(|_| String::try_from(name).ok()) {
                        Some(name) => settings.name = name,
                        None => semihosting::fail(c"name: this is no name of a node\n"),
                    }
                }
                Some(("pace", millis)) => match millis.parse() {
                    Ok(millis) => settings.pace = Millis(millis),
                    Err(_) => semihosting::fail(c"pace: milliseconds are wanted\n"),
                },
                // The program's own name comes first.
                _ => {}
            }
        }
        settings
    }
}
