//! What may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sampan_core::wire::DigestKind;

use crate::demo;
use crate::exit::Failure;

/// Carries files between desktops, servers and the smallest boards.
#[derive(Debug, Parser)]
#[command(name = "sampan", version, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends a file from one end to another on this computer, over real TCP, and checks that it arrived
    ///
    /// Nothing is left behind: what was received lies in a temporary folder, which is removed.
    Demo(DemoArguments),
}

#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// The file to send; 256 MiB are made up if none is named
    pub(crate) file: Option<PathBuf>,

    /// How the whole file is checked, beside the CRC-32 of every frame
    #[arg(long, value_enum, default_value_t = DigestChoice::Crc64)]
    pub(crate) digest: DigestChoice,

    /// Says nothing unless it fails
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Shows no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// A digest, by the name that people type.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DigestChoice {
    /// Nothing beyond the frames' own checks
    Crc32,
    /// CRC-64/NVME: as good as free
    Crc64,
    /// BLAKE3: also against tampering at rest
    Blake3,
    /// SHA-256: to compare with `sha256sum`; slow
    Sha256,
}

impl From<DigestChoice> for DigestKind {
    fn from(choice: DigestChoice) -> Self {
        match choice {
            DigestChoice::Crc32 => Self::Crc32,
            DigestChoice::Crc64 => Self::Crc64Nvme,
            DigestChoice::Blake3 => Self::Blake3,
            DigestChoice::Sha256 => Self::Sha256,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Demo(arguments) => demo::run(arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_digest_can_be_named() {
        for choice in DigestChoice::value_variants() {
            let name = choice.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(name, DigestKind::from(*choice).name());
        }
        assert_eq!(DigestChoice::value_variants().len(), DigestKind::ALL.len());
    }
}
