//! `sampan ctl`: speaking to everyone connected to a server, from outside the server's process.

mod changes;
mod disconnect;
mod drain;
mod node;
mod notify;
mod progress;
mod push;
mod results;
mod screen;
mod status;
mod table;
mod wording;

use std::path::PathBuf;

use sampan::ctl::{Answer, Conversation, Request, choose};
use sampan::failure::Failure;
use sampan::stop::Stop;

use super::cli::CtlArguments;
use super::cli::ctl::CtlCommand;
use super::display::Style;
use super::ending::Ending;
use super::{stop_at_signals, work};
use results::Results;

pub(crate) fn run(arguments: &CtlArguments, style: Style) -> Result<(), Ending> {
    let server = Server { typed: arguments.control.as_deref(), stop: stop_at_signals()? };
    match &arguments.command {
        CtlCommand::Status(arguments) => status::run(&server, arguments, style),
        CtlCommand::Notify(arguments) => notify::run(&server, arguments, style),
        CtlCommand::Push(arguments) => push::run(&server, arguments, style),
        CtlCommand::Get(arguments) => node::get(&server, arguments, style),
        CtlCommand::Ls(arguments) => node::ls(&server, arguments, style),
        CtlCommand::Disconnect(arguments) => disconnect::run(&server, arguments, style),
        CtlCommand::Drain(_) => drain::run(&server, style),
    }
}

/// The server that is meant.
struct Server<'a> {
    typed: Option<&'a str>,
    stop: Stop,
}

impl Server<'_> {
    fn control(&self) -> Result<PathBuf, Failure> {
        let url = self.typed.map(work::url).transpose()?;
        choose(url.as_ref(), &self.stop)
    }

    fn ask(&self, request: &Request) -> Result<Conversation, Failure> {
        Conversation::begin(&self.control()?, request, &self.stop)
    }

    /// Asks, and shows what is answered as long as somebody reads it.
    fn show(
        &self,
        request: &Request,
        results: &mut Results,
        mut show: impl FnMut(&Answer, &mut Results),
    ) -> Result<(), Failure> {
        let mut conversation = self.ask(request)?;
        while !results.is_unread()
            && let Some(answer) = conversation.next_answer()?
        {
            show(&answer, results);
        }
        Ok(())
    }
}
