//! The table that renews itself, on a terminal of its own for as long.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use sampan::ctl::{Answer, Conversation, Heard};
use sampan::failure::{ErrorName, Failure};
use sampan::server::{ConnectionStatus, ServerStatus};

use super::status::now;
use super::table::Table;
use super::wording;
use crate::command::display::cut_end;
use crate::command::ending::Ending;
use crate::command::output::{Output, Stream};

/// How often keys are looked for.
const TICK: Duration = Duration::from_millis(50);
/// Where the terminal does not say.
const USUAL: Space = Space { columns: 80, rows: 24 };

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// How large the terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// How large the terminal of the standard output is, if it is one that says so.
pub(super) fn size() -> Option<Space> {
    let size = tcgetwinsize(rustix::stdio::stdout()).ok()?;
    let space = Space { columns: size.ws_col.into(), rows: size.ws_row.into() };
    (space.columns > 0 && space.rows > 0).then_some(space)
}

/// Shows what is answered until the server ends, or the user has seen enough.
pub(super) fn watch(mut conversation: Conversation) -> Result<Watched, Ending> {
    let mut screen = Screen::enter()?;
    let (mut coming, mut shown) = (Vec::new(), None);
    let mut space = size().unwrap_or(USUAL);
    loop {
        let is_due = match conversation.next_within(TICK) {
            Ok(Heard::Answer(Answer::Connection(connection))) => {
                coming.push(connection);
                false
            }
            Ok(Heard::Answer(Answer::Status(status))) => {
                shown = Some((std::mem::take(&mut coming), status));
                true
            }
            Ok(Heard::Answer(_) | Heard::Nothing) => false,
            Ok(Heard::End) => return Ok(Watched::ToTheEnd),
            Err(failure) if failure.error == ErrorName::Interrupted => {
                return Err(Ending::Said(failure.error));
            }
            Err(failure) => return Err(failure.into()),
        };
        let space_now = size().unwrap_or(USUAL);
        let is_new = std::mem::replace(&mut space, space_now) != space_now;
        if let Some((connections, status)) = &shown
            && (is_due || is_new)
        {
            screen.draw(&frame(connections, status, now(), space));
        }
        if screen.is_left() {
            return Ok(Watched::Enough);
        }
    }
}

/// Why nothing is shown any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// The server has ended.
    ToTheEnd,
    /// The user has left.
    Enough,
}

/// What is to be seen: at most as many lines as there is space for, none of which reaches the last column.
fn frame(connections: &[ConnectionStatus], status: &ServerStatus, now: f64, space: Space) -> Vec<String> {
    let columns = space.columns.saturating_sub(1);
    // The heading, what is left out, the totals and how to leave.
    let fit = space.rows.saturating_sub(4);
    let mut chosen: Vec<&ConnectionStatus> = connections.iter().collect();
    let hidden = chosen.len().saturating_sub(fit);
    if hidden > 0 {
        // Where something is under way there is more to be seen.
        chosen.sort_by_key(|connection| connection.transfers.is_empty());
        chosen.truncate(fit);
    }
    let chosen: Vec<ConnectionStatus> = chosen.into_iter().cloned().collect();
    let mut lines = Table::of(&chosen, now).lines(Some(columns));
    if hidden > 0 {
        lines.push(format!("... and {hidden} more"));
    }
    lines.push(wording::totals(status, now));
    lines.push("q: leave".to_owned());
    lines.truncate(space.rows);
    lines.iter().map(|line| cut_end(line, columns)).collect()
}

/// A terminal that was set up for this, and is what it was when this is dropped.
#[derive(Debug)]
struct Screen {
    output: Output,
    /// How its keys were read, if they come from a terminal.
    keys: Option<Termios>,
}

impl Screen {
    fn enter() -> Result<Self, Failure> {
        let cannot =
            |error: io::Error| Failure::new(ErrorName::Other, format!("cannot set up the terminal: {error}"));
        let stdin = rustix::stdio::stdin();
        let mut screen = Self { output: Output::new(Stream::Stdout), keys: None };
        if io::stdin().is_terminal() {
            let before = tcgetattr(stdin).map_err(|error| cannot(error.into()))?;
            let mut modes = before.clone();
            // Keys come at once and are not shown; Ctrl-C still interrupts. Being suspended, or held with Ctrl-S, would leave the
            // terminal as it is now.
            modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN;
            modes.input_modes -= InputModes::IXON;
            modes.special_codes[SpecialCodeIndex::VSUSP] = 0;
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(stdin, OptionalActions::Now, &modes).map_err(|error| cannot(error.into()))?;
            screen.keys = Some(before);
        }
        screen.output.write(ENTER.as_bytes());
        Ok(screen)
    }

    fn draw(&mut self, lines: &[String]) {
        let mut whole = "\x1b[H".to_owned();
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                whole.push_str("\r\n");
            }
            whole.push_str(line);
            whole.push_str("\x1b[K");
        }
        whole.push_str("\x1b[J");
        self.output.write(whole.as_bytes());
    }

    /// Whether the user has pressed a key that leaves, or the terminal is gone.
    fn is_left(&mut self) -> bool {
        if self.output.is_gone() {
            return true;
        }
        let stdin = rustix::stdio::stdin();
        while self.keys.is_some() {
            let mut fds = [PollFd::from_borrowed_fd(stdin, PollFlags::IN)];
            if !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(ready) if ready > 0) {
                return false;
            }
            let mut pressed = [0; 64];
            match rustix::io::read(stdin, &mut pressed) {
                Ok(0) => return true,
                Ok(n) if pressed.iter().take(n).any(|key| matches!(key, b'q' | b'Q')) => return true,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return true,
            }
        }
        false
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.output.write(LEAVE.as_bytes());
        if let Some(before) = &self.keys {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::ctl::table::tests::{connection, transfer};
    use unicode_width::UnicodeWidthStr as _;

    fn status() -> ServerStatus {
        ServerStatus {
            urls: vec!["tcp://127.0.0.1:50000".to_owned()],
            pid: 7,
            since: 0.0,
            connections: 9,
            nodes: 9,
            transfers: 1,
            received: 0,
            sent: 0,
            receive_rate: 0.0,
            send_rate: 0.0,
            draining: false,
        }
    }

    #[test]
    fn a_frame_fits_whatever_the_space() {
        let connections: Vec<_> = (1..10).map(|id| connection(id, Some("boat"))).collect();
        for rows in 1..20 {
            for columns in [1, 2, 20, 80, 300] {
                let lines = frame(&connections, &status(), 9.0, Space { columns, rows });
                assert!(lines.len() <= rows, "{rows}: {lines:#?}");
                assert!(lines.iter().all(|line| line.width() < columns.max(2)), "{columns}: {lines:#?}");
            }
        }
    }

    #[test]
    fn where_not_all_have_room_those_that_do_something_come_first() {
        let mut connections: Vec<_> = (1..10).map(|id| connection(id, None)).collect();
        connections[8].transfers.push(transfer("a", 1, Some(2)));
        let lines = frame(&connections, &status(), 9.0, Space { columns: 100, rows: 7 });
        assert_eq!(lines.len(), 7);
        assert!(lines[1].starts_with("#9 ") && lines[2].starts_with("#1 "), "{lines:#?}");
        assert_eq!(lines[4], "... and 6 more");
        let lines = frame(&connections, &status(), 9.0, Space { columns: 100, rows: 13 });
        assert!(lines[1].starts_with("#1 ") && lines[9].starts_with("#9 "), "{lines:#?}");
    }
}
