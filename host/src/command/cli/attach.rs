//! The options of `sampan attach`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::serve::Conflict;
use super::{DEFAULT_URL, TEMPLATE, VoiceArguments};
use crate::command::display::{Progress, Role, Style};
use crate::command::output::Stream;
use crate::command::values::{NodeName, Time};

const EXAMPLES: &str = "\
Examples:
  sampan attach                                    To a server on this computer; take files into ./received
  sampan attach example.org --name board-7         Under this name
  sampan attach example.org --dir /srv/node --allow get,list
                                                   Let the server's user fetch and list what is there too

What the server's user does: sampan ctl status, notify, push, get, ls";

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES)]
pub(crate) struct AttachArguments {
    /// The server: tcp://HOST:PORT, HOST, udp://HOST:PORT, unix:PATH, serial:DEVICE or exec:COMMAND; port 50000 if none is given
    #[arg(value_name = "URL", default_value = DEFAULT_URL)]
    pub(crate) url: String,

    /// Where files go that are pushed, and what may be fetched; made if it is missing
    #[arg(long, value_name = "DIR", default_value = "received", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,

    /// The node's name at the server: ASCII letters, digits, ., _ and - [default: the name of this computer]
    #[arg(long, value_name = "NODE")]
    pub(crate) name: Option<NodeName>,

    /// What the server's user may do beside pushing, separated by commas: get, list
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum, hide_possible_values = true)]
    pub(crate) allow: Vec<Permission>,

    /// What happens to a name that exists
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Conflict::Replace)]
    pub(crate) on_conflict: Conflict,

    /// Silence after which the link counts as lost: seconds, or 500ms, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) timeout: Time,

    #[command(flatten)]
    pub(crate) voice: VoiceArguments,
}

/// What the server's user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Permission {
    /// Fetch files
    Get,
    /// List names
    List,
}

impl AttachArguments {
    pub(super) fn style(&self) -> Style {
        Style {
            role: Role::Server,
            voice: self.voice.voice(),
            format: self.voice.format(Stream::Stdout),
            progress: Progress::Hidden,
        }
    }
}
