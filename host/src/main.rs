//! The command `sampan`.

mod cli;
mod demo;
mod exit;
mod interrupt;
mod made_up;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(&cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            failure.exit.into()
        }
    }
}
