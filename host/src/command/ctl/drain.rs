//! `sampan ctl drain`.

use sampan::ctl::{Answer, Request};

use super::results::Results;
use super::{Server, wording};
use crate::command::display::Style;
use crate::command::ending::Ending;
use crate::command::output::Voice;

pub(super) fn run(server: &Server<'_>, style: Style) -> Result<(), Ending> {
    let mut results = Results::new(style);
    let result = server.show(&Request::Drain, &mut results, |answer, results| match answer {
        Answer::Draining { connections, transfers } => {
            results.tell(answer, Voice::Normal, || wording::draining(*connections, *transfers));
        }
        Answer::Drained => {
            results.tell(answer, Voice::Normal, || "everyone has finished; the server stops".to_owned());
        }
        _ => {}
    });
    results.end_after(result)
}
