//! The command: what was typed, who does it, and how it ends.

mod attach;
mod cli;
mod completions;
mod ctl;
mod demo;
mod display;
mod ending;
mod get;
mod habit;
mod limits;
mod logs;
mod ls;
mod made_up;
mod man;
mod output;
mod ping;
mod ports;
mod send;
mod serve;
mod values;
mod work;

use std::process::ExitCode;

use clap::Parser as _;
use sampan::failure::{ErrorName, Failure};
use sampan::stop::Stop;

use cli::{Arguments, Command};
use display::Style;
use ending::Ending;

/// Does what was typed, and says how it went. Mistakes that the parser of arguments finds end the process with 2.
pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let style = arguments.style();
    logs::install(&style);
    match run(&arguments.command, style) {
        Ok(()) => ExitCode::SUCCESS,
        Err(ending) => ending.conclude(style),
    }
}

fn run(command: &Command, style: Style) -> Result<(), Ending> {
    match command {
        Command::Serve(arguments) => serve::run(arguments, style),
        Command::Send(arguments) => send::run(arguments, style),
        Command::Get(arguments) => get::run(arguments, style),
        Command::Ls(arguments) => ls::run(arguments, style),
        Command::Attach(arguments) => attach::run(arguments, style),
        Command::Ctl(arguments) => ctl::run(arguments, style),
        Command::Ping(arguments) => ping::run(arguments, style),
        Command::Ports(_) => Ok(ports::run(style)?),
        Command::Demo(arguments) => Ok(demo::run(arguments, style)?),
        Command::Completions { shell } => Ok(completions::run(*shell)?),
        Command::Man { command } => Ok(man::run(command.as_deref())?),
    }
}

/// From now on signals ask the command to stop; once in a process.
fn stop_at_signals() -> Result<Stop, Failure> {
    Stop::install().map_err(|error| Failure::new(ErrorName::Other, format!("cannot handle signals: {error}")))
}
