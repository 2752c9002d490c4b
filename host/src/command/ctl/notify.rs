//! `sampan ctl notify`.

use sampan::ctl::{Answer, Request};
use sampan::failure::ErrorName;
use sampan::server::NoticeResult;

use super::results::Results;
use super::{Server, wording};
use crate::command::cli::ctl::NotifyArguments;
use crate::command::display::Style;
use crate::command::ending::Ending;
use crate::command::output::Voice;

pub(super) fn run(server: &Server<'_>, arguments: &NotifyArguments, style: Style) -> Result<(), Ending> {
    let request = Request::Notify {
        text: arguments.text.clone(),
        to: arguments.to.who.clone(),
        within: arguments.within.seconds(),
    };
    let mut results = Results::new(style);
    let result = server.show(&request, &mut results, |answer, results| match answer {
        Answer::Notified(notified) => {
            results.count(answer, error_of(notified.result), || wording::notified(notified));
        }
        Answer::Summary(total) => {
            // Of a single one its own line tells all.
            let from = if total.asked > 1 { Voice::Normal } else { Voice::Verbose };
            results.tell(answer, from, || wording::told(total));
        }
        _ => {}
    });
    results.end_after(result)
}

/// What a result that is no success counts as.
const fn error_of(result: NoticeResult) -> Option<ErrorName> {
    match result {
        NoticeResult::Taken | NoticeResult::Told | NoticeResult::Pending => None,
        NoticeResult::TooLate | NoticeResult::NotPossible => Some(ErrorName::NotAllowed),
        NoticeResult::Timeout => Some(ErrorName::Timeout),
        NoticeResult::LinkLost => Some(ErrorName::LinkLost),
        NoticeResult::NotFound => Some(ErrorName::NotFound),
    }
}
