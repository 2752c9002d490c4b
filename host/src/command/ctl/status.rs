//! `sampan ctl status`.

use std::io::IsTerminal as _;
use std::time::SystemTime;

use sampan::ctl::{Answer, Request};

use super::changes::Changes;
use super::results::Results;
use super::screen::Watched;
use super::table::Table;
use super::{Server, screen, wording};
use crate::command::cli::ctl::StatusArguments;
use crate::command::display::{Format, Style, can_redraw, cut_end};
use crate::command::ending::Ending;
use crate::command::output::{Stream, Voice, complain};

pub(super) fn run(server: &Server<'_>, arguments: &StatusArguments, style: Style) -> Result<(), Ending> {
    let request = Request::Status { every: arguments.watch.then(|| arguments.every.seconds()) };
    if arguments.watch && style.format == Format::People && can_redraw(Stream::Stdout) {
        if screen::watch(server.ask(&request)?)? == Watched::ToTheEnd {
            has_stopped(style);
        }
        return Ok(());
    }
    let mut connections = Vec::new();
    let mut changes = Changes::default();
    let mut results = Results::new(style);
    let result = server.show(&request, &mut results, |answer, results| {
        if let Format::Json(_) = style.format {
            // It is what was asked for, whatever the voice.
            results.tell(answer, Voice::Quiet, String::new);
            return;
        }
        match answer {
            Answer::Connection(connection) => connections.push(connection.clone()),
            Answer::Status(_) if arguments.watch => {
                changes
                    .lines(std::mem::take(&mut connections), now())
                    .iter()
                    .for_each(|line| results.print(line));
            }
            Answer::Status(status) => {
                let columns = columns();
                Table::of(&connections, now()).lines(columns).iter().for_each(|line| results.print(line));
                let totals = wording::totals(status, now());
                results.print(&columns.map_or(totals.clone(), |columns| cut_end(&totals, columns)));
            }
            _ => {}
        }
    });
    if arguments.watch && result.is_ok() && !results.is_unread() {
        has_stopped(style);
    }
    results.end_after(result)
}

fn has_stopped(style: Style) {
    if style.voice != Voice::Quiet && style.format == Format::People {
        complain(format_args!("sampan: the server has stopped"));
    }
}

/// Seconds since 1970.
pub(super) fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// How wide the terminal is, if there is one.
fn columns() -> Option<usize> {
    if std::io::stdout().is_terminal() { screen::size().map(|size| size.columns) } else { None }
}
