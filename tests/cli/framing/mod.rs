//! Bytes that are no frames, frames that are no session, and sessions that end anywhere.

mod cuts;
mod flips;
mod floods;
mod lengths;
mod malformed;
mod silence;
mod strangers;
mod versions;

use sampan_core::wire::{Bye, Code, Data, Frame, Hello};

use crate::kit::framed::{PREAMBLE, content, wrap};
use crate::kit::{Framed, Raw};

/// What a client says of a session with one small file, byte by byte.
struct Said {
    name: String,
    contents: Vec<u8>,
}

impl Said {
    /// What it says before it has heard anything.
    fn opening() -> Vec<u8> {
        [PREAMBLE, &wrap(&content(&Frame::Hello(Framed::hello())), 0)].concat()
    }

    /// Dials, says the opening, and has heard the server's HELLO.
    #[track_caller]
    fn open(url: &str) -> Framed {
        let mut framed = Framed::over(Raw::dial(url), Framed::hello());
        framed.say_bytes(&Self::opening());
        framed.hear_hello();
        framed
    }

    /// What it says after that, and how many bytes of it are up to the end of END.
    fn rest(&self, framed: &Framed) -> (Vec<u8>, usize) {
        let echo = Hello { echo: framed.theirs.nonce, ..Framed::hello() };
        let mut said = wrap(&content(&Frame::Hello(echo)), 0);
        let data = Data { transfer: 1, offset: 0, payload: &self.contents };
        for frame in [
            Frame::Offer(Framed::offer(1, &self.name, self.contents.len() as u64)),
            Frame::Data(data),
            Frame::End(Framed::end_of(1, &self.contents)),
        ] {
            said.extend(framed.sealed(&content(&frame)));
        }
        let end = said.len();
        said.extend(framed.sealed(&content(&Frame::Bye(Bye { code: Code::Ok, words: "" }))));
        (said, end)
    }
}
