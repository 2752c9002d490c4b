//! `sampan ctl disconnect`.

use sampan::ctl::{Answer, Request};
use sampan::failure::ErrorName;

use super::results::Results;
use super::{Server, wording};
use crate::command::cli::ctl::DisconnectArguments;
use crate::command::display::Style;
use crate::command::ending::Ending;
use crate::command::output::Voice;

pub(super) fn run(server: &Server<'_>, arguments: &DisconnectArguments, style: Style) -> Result<(), Ending> {
    let request = Request::Disconnect { who: arguments.who.clone() };
    let mut results = Results::new(style);
    let result = server.show(&request, &mut results, |answer, results| match answer {
        Answer::Disconnected(ended) => results.count(answer, None, || wording::disconnected(ended)),
        Answer::Summary(total) => {
            results.count_failed(ErrorName::NotFound, total.failed);
            let from = if total.failed > 0 { Voice::Quiet } else { Voice::Verbose };
            results.tell(answer, from, || wording::ended(total));
        }
        _ => {}
    });
    results.end_after(result)
}
