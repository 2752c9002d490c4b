//! The options of `sampan ping`.

use clap::Args;

use super::{DEFAULT_URL, TEMPLATE, VoiceArguments};
use crate::command::display::{Progress, Role, Style};
use crate::command::output::Stream;
use crate::command::values::Time;

const EXAMPLES: &str = "\
Examples:
  sampan ping                              A server on this computer
  sampan ping udp://example.org -c 100     A hundred pings over UDP
  sampan ping serial:/dev/ttyUSB0 --json   A serial line, for programs";

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES)]
pub(crate) struct PingArguments {
    /// The server: tcp://HOST:PORT, HOST, udp://HOST:PORT, unix:PATH, serial:DEVICE or exec:COMMAND; port 50000 if none is given
    #[arg(value_name = "URL", default_value = DEFAULT_URL)]
    pub(crate) url: String,

    /// How many pings
    #[arg(short, long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,

    /// From one ping to the next: seconds, or 500ms, 5m, 1h
    #[arg(short, long, value_name = "TIME", default_value = "200ms")]
    pub(crate) interval: Time,

    /// How long a session may take to open, and an answer to come
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(crate) timeout: Time,

    #[command(flatten)]
    pub(crate) voice: VoiceArguments,
}

impl PingArguments {
    pub(super) fn style(&self) -> Style {
        Style {
            role: Role::Client,
            voice: self.voice.voice(),
            format: self.voice.format(Stream::Stdout),
            progress: Progress::Hidden,
        }
    }
}
