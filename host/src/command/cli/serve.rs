//! The options of `sampan serve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use sampan::store::OnConflict;

use super::{DEFAULT_URL, DigestChoice, TEMPLATE, VoiceArguments};
use crate::command::display::{Progress, Role, Style};
use crate::command::output::Stream;
use crate::command::values::{Size, Time};

const EXAMPLES: &str = "\
Examples:
  sampan serve                                       Take files from this computer into ./received
  sampan serve --listen 0.0.0.0 --allow put inbox    Take files from anybody into inbox, and give none
  sampan serve --listen unix:/run/user/1000/s share  On a Unix socket
  sampan serve --listen tcp://127.0.0.1:0            On any free port, which is printed";

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES)]
pub(crate) struct ServeArguments {
    /// Where files are put and offered; made if it is missing
    #[arg(value_name = "DIR", default_value = "received", value_hint = ValueHint::DirPath)]
    pub(crate) directory: PathBuf,

    /// Where to listen; may be repeated: tcp://HOST:PORT, HOST:PORT, HOST, udp://HOST:PORT, unix:PATH, serial:DEVICE or stdio:
    ///
    /// The port is 50000 if none is given; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "URL", default_value = DEFAULT_URL)]
    pub(crate) listen: Vec<String>,

    /// What clients may do, separated by commas: put, get, list, classic, attach
    ///
    /// Everything is allowed on loopback addresses, Unix sockets and stdio; for any other address it must be said.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum, hide_possible_values = true)]
    pub(crate) allow: Option<Vec<Permission>>,

    /// Where `sampan ctl` speaks to everyone connected: unix:PATH, or none
    ///
    /// Without it: a path of its own in the user's runtime directory; none for a server of stdio: alone.
    #[arg(long, value_name = "URL")]
    pub(crate) control: Option<String>,

    /// What happens to a name that exists
    ///
    /// Without it: replace on loopback addresses, Unix sockets and stdio; keep elsewhere, and for classic clients. What is
    /// there already with the same contents is never kept twice.
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) on_conflict: Option<Conflict>,

    /// The digest that senders are asked for
    #[arg(long, value_name = "KIND", value_enum, default_value_t = DigestChoice::Crc64)]
    pub(crate) digest: DigestChoice,

    /// Refuses names that Windows cannot hold
    #[arg(long)]
    pub(crate) portable_names: bool,

    /// Further connections are told that the server is busy; over UDP they are not answered
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: u32,

    /// Refuses larger files, such as 500M
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_file_size: Option<Size>,

    /// How long a client may take until it has said what it wants
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub(crate) handshake_timeout: Time,

    /// Closes a connection that moved no contents for so long
    #[arg(long, value_name = "TIME", default_value = "300s")]
    pub(crate) idle_timeout: Time,

    /// Bytes a second that a client must take or give, over 10 seconds; 0 for none
    #[arg(long, value_name = "SIZE", default_value = "16")]
    pub(crate) min_rate: Size,

    #[command(flatten)]
    pub(crate) voice: VoiceArguments,
}

/// What clients may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Permission {
    /// Send files
    Put,
    /// Fetch files
    Get,
    /// List names
    List,
    /// Send files with the classic handshake
    Classic,
    /// Stay attached as nodes
    Attach,
}

/// What happens to a name that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Conflict {
    /// The new file replaces it at once
    Replace,
    /// Both are kept, the new one as `name (1).ext`
    Keep,
    /// The new file is refused
    Refuse,
}

impl From<Conflict> for OnConflict {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Replace => Self::Replace,
            Conflict::Keep => Self::Keep,
            Conflict::Refuse => Self::Refuse,
        }
    }
}

impl ServeArguments {
    pub(super) fn style(&self) -> Style {
        let stdio = |url: &String| url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("stdio:"));
        let events = if self.listen.iter().any(stdio) { Stream::Stderr } else { Stream::Stdout };
        Style {
            role: Role::Server,
            voice: self.voice.voice(),
            format: self.voice.format(events),
            progress: Progress::Hidden,
        }
    }
}
