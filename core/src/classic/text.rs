//! The texts of a server, byte for byte (§14.1), and how a client takes them (§14.3).

use crate::action::Refusal;
use crate::wire::NameError;

/// The name is good.
pub(super) const NAME_OK: &[u8] = b"[+] server : filename query ok";
/// The size is good.
pub(super) const SIZE_OK: &[u8] = b"[+] server : filesize query ok";
/// The file is in its place.
pub(super) const FINISHED: &[u8] = b"[+] server : finished transferring file";
/// What a refusal of ours begins with.
pub(super) const REFUSAL: &[u8] = b"[!] server : ";
/// What a notice of ours begins with.
pub(super) const NOTICE: &[u8] = b"[*] server : ";
/// What tells a refusal from an acknowledgement.
const REFUSES: &[u8] = b"[!]";
/// Longest words, as in §3.3.
pub(super) const MAX_WORDS: usize = 256;

/// What a server has said so far, compared with the text that is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    /// It begins with `[!]`.
    Refusal,
    /// It may yet become a refusal.
    Bracket,
    /// It begins with the expected text.
    Expected,
    /// It is any other text, so far.
    Other,
}

impl Reply {
    pub(super) fn of(text: &[u8], expected: &[u8]) -> Self {
        if text.is_empty() {
            Self::Nothing
        } else if text.starts_with(REFUSES) {
            Self::Refusal
        } else if text.starts_with(expected) {
            Self::Expected
        } else if REFUSES.starts_with(text) {
            Self::Bracket
        } else {
            Self::Other
        }
    }
}

/// The words of a refusal that came from a server.
pub(super) fn words_of_refusal(text: &[u8]) -> &str {
    let text = valid(text).trim_start_matches("[!]").trim();
    text.strip_prefix("server :").unwrap_or(text).trim_start()
}

/// The words of a notice, if that is what came before the last reply.
pub(super) fn words_of_notice(text: &[u8]) -> Option<&str> {
    let words = text.strip_prefix(NOTICE)?;
    Some(valid(words.strip_suffix(FINISHED).unwrap_or(words)).trim_end())
}

/// The text up to its first byte that is not UTF-8.
fn valid(text: &[u8]) -> &str {
    text.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}

/// The words that tell the client why, cut to `room` bytes.
pub(super) fn words(refusal: Refusal, room: usize) -> &'static str {
    let words = if refusal.words.is_empty() { refusal.code.name() } else { refusal.words };
    let mut length = words.len().min(room).min(MAX_WORDS);
    while !words.is_char_boundary(length) {
        length = length.saturating_sub(1);
    }
    words.get(..length).unwrap_or_default()
}

/// The words for a name that breaks a rule of §6.
pub(super) fn words_of_name(error: NameError) -> &'static str {
    match error {
        NameError::Empty | NameError::EmptyPart => "the name is empty",
        NameError::TooLong { .. } | NameError::PartTooLong { .. } => "the name is too long",
        NameError::NotUtf8 => "the name is not UTF-8",
        NameError::DotPart => "the name is . or ..",
        NameError::Reserved => "the name begins with .sampan",
        NameError::Control => "the name has a control character",
        NameError::Direction => "the name has a character that changes the direction of text",
        NameError::Backslash => "the name has a backslash",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Code;

    #[test]
    fn texts_have_the_lengths_of_the_older_server() {
        assert_eq!([NAME_OK.len(), SIZE_OK.len(), FINISHED.len()], [30, 30, 39]);
    }

    #[test]
    fn any_text_is_told_from_a_refusal() {
        for (text, reply) in [
            (&b""[..], Reply::Nothing),
            (b"[", Reply::Bracket),
            (b"[!", Reply::Bracket),
            (b"[!]", Reply::Refusal),
            (b"[!] server : no", Reply::Refusal),
            (b"[+", Reply::Other),
            (b"[+] server : filename query o", Reply::Other),
            (b"[+] server : filename query ok", Reply::Expected),
            (b"[+] server : filename query ok[+]", Reply::Expected),
            (b"ok", Reply::Other),
            (b"ok [!]", Reply::Other),
            (b"\xff", Reply::Other),
        ] {
            assert_eq!(Reply::of(text, NAME_OK), reply, "{text:?}");
        }
    }

    #[test]
    fn words_of_a_refusal_are_what_follows_its_mark() {
        assert_eq!(words_of_refusal(b"[!] server : no space"), "no space");
        assert_eq!(words_of_refusal(b"[!]no"), "no");
        assert_eq!(words_of_refusal(b"[!] go away \r\n"), "go away");
        assert_eq!(words_of_refusal(b"[!] server : a\xffb"), "a");
        assert_eq!(words_of_refusal(b"[!]"), "");
    }

    #[test]
    fn words_of_a_notice_stand_between_its_mark_and_the_last_reply() {
        let text = b"[*] server : tea is ready\n[+] server : finished transferring file";
        assert_eq!(words_of_notice(text), Some("tea is ready"));
        assert_eq!(words_of_notice(b"[*] server : cut"), Some("cut"));
        assert_eq!(words_of_notice(FINISHED), None);
    }

    #[test]
    fn words_are_cut_at_a_character() {
        let refusal = Refusal { code: Code::Other, words: "a\u{fc}b" };
        assert_eq!(words(refusal, 2), "a");
        assert_eq!(words(refusal, 3), "a\u{fc}");
        assert_eq!(words(refusal, 0), "");
        assert_eq!(words(Code::NoSpace.into(), 100), "no space");
    }
}
