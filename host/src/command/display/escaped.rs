//! Names and texts of others, as they may be shown: on one line, and unable to move, hide or reorder anything.

use std::fmt::{self, Write as _};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// A text: what is no plain character is escaped.
pub(crate) struct Text<'a>(pub(crate) &'a str);

/// A name without quotes: backslashes are escaped too, so that no two names look alike.
pub(super) struct Name<'a>(pub(super) &'a str);

/// A name in quotes, which are escaped within.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, "", f)
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, "\\", f)
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        escape(self.0, "\"\\", f)?;
        f.write_char('"')
    }
}

fn escape(text: &str, also: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if also.contains(c) => write!(f, "\\{c}")?,
            c if is_plain(c) => f.write_char(c)?,
            c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
        }
    }
    Ok(())
}

/// Whether it shows as what it is. Joiners and variation selectors do: emoji and many scripts need them.
pub(super) fn is_plain(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// Marks that override or isolate directions, separators of lines, fillers, tags and other characters without a shape.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180E | 0x200B | 0x200E | 0x200F
        | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xFFFE | 0xFFFF
        | 0x1D173..=0x1D17A | 0xE0000..=0xE00FF | 0xE01F0..)
}

/// The end of `text`, in at most `columns`: of a path that is what tells most.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        start = at;
    }
    format!("…{}", text.get(start..).unwrap_or_default())
}

/// The beginning of `text`, in at most `columns`.
pub(crate) fn cut_end(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let width = c.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        end = at + c.len_utf8();
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_disturb_a_terminal_is_escaped() {
        let text =
            Text("a\n\r\t\u{1b}[2J\0\u{7f}\u{9b}1m\u{202e}txt\u{2066}\u{200f}\u{feff}\u{2028}").to_string();
        let escaped =
            "a\\n\\r\\t\\u{1b}[2J\\u{0}\\u{7f}\\u{9b}1m\\u{202e}txt\\u{2066}\\u{200f}\\u{feff}\\u{2028}";
        assert_eq!(text, escaped);
        for c in ('\0'..='\u{9f}').chain('\u{202a}'..='\u{202e}').filter(|c| !(' '..='~').contains(c)) {
            assert!(!Text(&c.to_string()).to_string().contains(c), "{c:?}");
        }
    }

    #[test]
    fn what_people_write_is_not() {
        for text in [
            "report.pdf",
            "보고서",
            "é e\u{301}",
            "👩\u{200d}👧",
            "❤\u{fe0f}",
            "می\u{200c}خواهم",
            "עברית",
            "a'b`$(id)",
        ] {
            assert_eq!(Text(text).to_string(), text);
            assert_eq!(Name(text).to_string(), text);
            assert_eq!(Quoted(text).to_string(), format!("\"{text}\""));
        }
    }

    #[test]
    fn no_two_names_look_alike() {
        assert_eq!((Name("a\\n").to_string(), Name("a\n").to_string()), ("a\\\\n".into(), "a\\n".into()));
        assert_eq!(Quoted("a\" from \"b\\").to_string(), "\"a\\\" from \\\"b\\\\\"");
    }

    #[test]
    fn names_are_cut_to_columns_from_their_front() {
        assert_eq!(cut("dir/file", 8), "dir/file");
        assert_eq!(cut("dir/file", 6), "…/file");
        assert_eq!(cut("한국어", 5), "…국어");
        assert_eq!(cut("한국어", 4), "…어");
        assert_eq!([cut("abc", 1), cut("abc", 0)], ["…", "…"]);
        assert_eq!([cut_end("dir/file", 8), cut_end("dir/file", 6)], ["dir/file", "dir/f…"]);
        assert_eq!([cut_end("한국어", 5), cut_end("한국어", 4)], ["한국…", "한…"]);
    }
}
