//! The command `sampan` (`docs/cli.md`).

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
