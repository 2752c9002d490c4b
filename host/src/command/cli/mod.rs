//! What may be typed (`docs/cli.md`).

pub(crate) mod attach;
pub(crate) mod clients;
pub(crate) mod ctl;
pub(crate) mod ping;
pub(crate) mod serve;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use sampan_core::wire::DigestKind;

use super::display::{Format, Progress, Role, Style};
use super::output::{Stream, Voice};

pub(crate) use attach::AttachArguments;
pub(crate) use clients::{GetArguments, LsArguments, SendArguments};
pub(crate) use ctl::CtlArguments;
pub(crate) use ping::PingArguments;
pub(crate) use serve::ServeArguments;

/// Where a server listens, and clients look for it, unless they are told otherwise.
const DEFAULT_URL: &str = "tcp://127.0.0.1:50000";

/// Examples come first.
const TEMPLATE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

const EXAMPLES: &str = "\
Examples:
  sampan serve                          Take files into ./received
  sampan send report.pdf photos/        Send a file and a directory to it
  sampan send --to example.org big.iso  Send to another computer
  sampan ls                             List what the server has
  sampan get report.pdf                 Fetch a file
  sampan attach example.org             Stay connected, for notices and files from there
  sampan ctl push firmware.bin          Send a file to all who stay connected to the server here
  sampan ping example.org               See what the link to a server is like
  sampan demo                           Try it, with nothing else";

const DEMO_EXAMPLES: &str = "\
Examples:
  sampan demo          Send 256 MiB that are made up
  sampan demo big.iso  Send this file";

const PORTS_EXAMPLES: &str = "\
Examples:
  sampan ports                                       One a line
  sampan send --to serial:/dev/ttyUSB0 firmware.bin  What they are good for";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  sampan completions bash > ~/.local/share/bash-completion/completions/sampan
  sampan completions fish > ~/.config/fish/completions/sampan.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  sampan man send | man -l -
  sampan man > ~/.local/share/man/man1/sampan.1";

/// What has a manual page.
const PAGES: [&str; 18] = [
    "serve",
    "send",
    "get",
    "ls",
    "attach",
    "ping",
    "ports",
    "ctl",
    "ctl-status",
    "ctl-notify",
    "ctl-push",
    "ctl-get",
    "ctl-ls",
    "ctl-disconnect",
    "ctl-drain",
    "demo",
    "completions",
    "man",
];

/// Carries files between desktops, servers and the smallest boards
#[derive(Debug, Parser)]
#[command(name = "sampan", version, arg_required_else_help = true, help_template = TEMPLATE)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Takes files into a directory, and offers what is in it
    Serve(ServeArguments),
    /// Sends files and directories to a server
    Send(SendArguments),
    /// Fetches files and directories from a server
    Get(GetArguments),
    /// Lists what a server offers
    Ls(LsArguments),
    /// Stays connected to a server, as a node that can be told and sent something
    Attach(AttachArguments),
    /// Speaks to everyone connected to a server of this computer
    Ctl(CtlArguments),
    /// Tests the link to a server: round trip, loss, largest frame, throughput
    Ping(PingArguments),
    /// Lists the serial ports of this computer
    #[command(help_template = TEMPLATE, before_help = PORTS_EXAMPLES)]
    Ports(PortsArguments),
    /// Sends a file from one end to another on this computer, and checks that it arrived
    ///
    /// It goes over real TCP. Nothing is left behind: what was received lies in a temporary folder, which is removed.
    #[command(help_template = TEMPLATE, before_help = DEMO_EXAMPLES)]
    Demo(DemoArguments),
    /// Writes the completions of a shell
    #[command(help_template = TEMPLATE, before_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Writes a manual page
    #[command(help_template = TEMPLATE, before_help = MAN_EXAMPLES)]
    Man {
        /// The command it is about; without, sampan as a whole
        #[arg(value_parser = PAGES)]
        command: Option<String>,
    },
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct PortsArguments {
    #[command(flatten)]
    voice: VoiceArguments,
}

impl PortsArguments {
    fn style(self) -> Style {
        Style {
            role: Role::Client,
            voice: self.voice.voice(),
            format: self.voice.format(Stream::Stdout),
            progress: Progress::Hidden,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct DemoArguments {
    /// The file to send; 256 MiB are made up if none is named
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// How the whole file is checked, beside the CRC-32 of every frame
    #[arg(long, value_enum, value_name = "KIND", default_value_t = DigestChoice::Crc64)]
    pub(crate) digest: DigestChoice,

    /// Says nothing unless it fails
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Shows no progress
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// How a command speaks.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct VoiceArguments {
    /// Prints events for programs: JSON, one object a line
    #[arg(long)]
    json: bool,

    /// Says more; twice, still more
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,

    /// Says nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

impl VoiceArguments {
    fn voice(self) -> Voice {
        match (self.quiet, self.verbose) {
            (true, _) => Voice::Quiet,
            (false, 0) => Voice::Normal,
            (false, 1) => Voice::Verbose,
            (false, _) => Voice::Trace,
        }
    }

    /// `events` is where events go if they are wanted.
    fn format(self, events: Stream) -> Format {
        if self.json { Format::Json(events) } else { Format::People }
    }
}

/// A digest, by the name that people type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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

impl Arguments {
    /// How the command shows what happens.
    pub(crate) fn style(&self) -> Style {
        match &self.command {
            Command::Serve(arguments) => arguments.style(),
            Command::Send(arguments) => arguments.style(),
            Command::Get(arguments) => arguments.style(),
            Command::Ls(arguments) => arguments.style(),
            Command::Attach(arguments) => arguments.style(),
            Command::Ctl(arguments) => arguments.style(),
            Command::Ping(arguments) => arguments.style(),
            Command::Ports(arguments) => arguments.style(),
            Command::Demo(arguments) => arguments.style(),
            Command::Completions { .. } | Command::Man { .. } => Style {
                role: Role::Client,
                voice: Voice::Normal,
                format: Format::People,
                progress: Progress::Hidden,
            },
        }
    }
}

impl DemoArguments {
    fn style(&self) -> Style {
        Style {
            role: Role::Client,
            voice: if self.quiet { Voice::Quiet } else { Voice::Normal },
            format: Format::People,
            progress: if self.no_progress { Progress::Hidden } else { Progress::Shown },
        }
    }
}

#[cfg(test)]
mod tests;
