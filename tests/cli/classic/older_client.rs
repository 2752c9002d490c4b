//! The older client as it is: one read for each acknowledgement, whatever that says, and none for the last.

use crate::kit::{PATIENCE, Raw};

use super::{NAME_OK, SIZE_OK};

/// A connection of the older client.
#[derive(Debug)]
pub(crate) struct OlderClient {
    /// To say what the older client does not.
    pub(crate) raw: Raw,
}

impl OlderClient {
    /// Dials, and says nothing yet.
    #[track_caller]
    pub(crate) fn dial(url: &str) -> Self {
        Self { raw: Raw::dial(url) }
    }

    /// Has told name and size, and been answered as it expects.
    #[track_caller]
    pub(crate) fn announcing(url: &str, name: &str, size: u64) -> Self {
        let mut client = Self::dial(url);
        assert_eq!(client.say(name.as_bytes()), NAME_OK);
        assert_eq!(client.say(size.to_string().as_bytes()), SIZE_OK);
        client
    }

    /// Sends one message, and takes what one read brings for its acknowledgement.
    #[track_caller]
    pub(crate) fn say(&mut self, message: &[u8]) -> String {
        self.raw.write(message);
        self.hear()
    }

    /// What one read brings.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> String {
        let mut buffer = [0; 1024];
        let n = self.raw.try_read(&mut buffer, PATIENCE).expect("the server answers");
        String::from_utf8(buffer[..n].to_vec()).expect("text")
    }

    /// All of it: name, size, contents, and it closes at once.
    #[track_caller]
    pub(crate) fn send_file(url: &str, name: &str, contents: &[u8]) {
        let mut client = Self::announcing(url, name, contents.len() as u64);
        client.raw.write(contents);
    }
}
