//! The options of `sampan send`, `get` and `ls`.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use sampan::failure::{ErrorName, Failure};

use super::{DEFAULT_URL, DigestChoice, TEMPLATE, VoiceArguments};
use crate::command::display::{Progress, Role, Style};
use crate::command::habit::hint_of_habit;
use crate::command::output::Stream;
use crate::command::values::{Host, Size, Time};

const SEND_EXAMPLES: &str = "\
Examples:
  sampan send report.pdf                     To a server on this computer
  sampan send --to example.org a.iso photos  A file and a directory, over TCP port 50000
  sampan send photos/.                       What is in the directory, without its name
  tar c src | sampan send - --name src.tar   The standard input
  sampan send --to 'exec:ssh host sampan serve --listen stdio:' a.iso
                                             Through ssh
  sampan send -H 192.0.2.7 -P 50001 --classic -F a.iso
                                             To a server that speaks the classic handshake only";

const GET_EXAMPLES: &str = "\
Examples:
  sampan get report.pdf                    From a server on this computer, into this directory
  sampan get --from example.org photos     A directory, with all that is in it
  sampan get a.iso b.iso -o ~/Downloads    Into another directory
  sampan get src.tar -o - | tar x          To the standard output";

const LS_EXAMPLES: &str = "\
Examples:
  sampan ls                             What the server on this computer has
  sampan ls --from example.org photos/  What is in a directory there
  sampan ls --json                      For programs";

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = SEND_EXAMPLES)]
pub(crate) struct SendArguments {
    /// Files, directories with all that is in them, or - for the standard input
    #[arg(value_name = "FILE|DIR|-", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// A file to send; may be repeated, and mixed with the others
    #[arg(short = 'F', long = "file", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) to: ToArguments,

    /// The name at the server, for one file or directory
    ///
    /// Without it: the last part of its path; stdin for -.
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// Speaks the classic handshake: a connection for each file, no directories, no -
    #[arg(long, conflicts_with = "digest")]
    pub(crate) classic: bool,

    /// Bytes a second at most, such as 500k
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    pub(crate) limit_rate: Option<Size>,

    #[command(flatten)]
    pub(crate) link: LinkArguments,

    #[command(flatten)]
    pub(crate) show: ShowArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = GET_EXAMPLES)]
pub(crate) struct GetArguments {
    /// Files and directories, by the names that `sampan ls` shows
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,

    #[command(flatten)]
    pub(crate) from: FromArguments,

    #[command(flatten)]
    pub(crate) fetch: FetchArguments,
}

/// Where what is fetched goes, and how.
#[derive(Args, Debug)]
pub(crate) struct FetchArguments {
    /// A directory to put them into, another name for a single one, or - for the standard output
    ///
    /// It is taken for a directory if it is one, ends with / or several names are given.
    #[arg(short, long, value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(crate) output: PathBuf,

    /// Bytes a second at most, such as 500k
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    pub(crate) limit_rate: Option<Size>,

    #[command(flatten)]
    pub(crate) link: LinkArguments,

    #[command(flatten)]
    pub(crate) show: ShowArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = LS_EXAMPLES)]
pub(crate) struct LsArguments {
    /// Lists only names that begin with it
    #[arg(default_value = "", hide_default_value = true)]
    pub(crate) prefix: String,

    #[command(flatten)]
    pub(crate) from: FromArguments,

    #[command(flatten)]
    pub(crate) link: LinkArguments,

    #[command(flatten)]
    pub(crate) show: ShowArguments,
}

/// The server that files are sent to.
#[derive(Args, Debug)]
pub(crate) struct ToArguments {
    /// The server: tcp://HOST:PORT, HOST, udp://HOST:PORT, unix:PATH, serial:DEVICE or exec:COMMAND; port 50000 if none is given
    /// [default: tcp://127.0.0.1:50000]
    #[arg(long, value_name = "URL", conflicts_with_all = ["host", "port"])]
    to: Option<String>,

    #[command(flatten)]
    address: AddressArguments,
}

/// The server that files are fetched from.
#[derive(Args, Debug)]
pub(crate) struct FromArguments {
    /// The server: tcp://HOST:PORT, HOST, udp://HOST:PORT, unix:PATH, serial:DEVICE or exec:COMMAND; port 50000 if none is given
    /// [default: tcp://127.0.0.1:50000]
    #[arg(long, value_name = "URL", conflicts_with_all = ["host", "port"])]
    from: Option<String>,

    #[command(flatten)]
    address: AddressArguments,
}

/// A server in two parts.
#[derive(Args, Debug)]
struct AddressArguments {
    /// The server's name or address, if it is reached over TCP [default: 127.0.0.1]
    #[arg(short = 'H', long, value_hint = ValueHint::Hostname)]
    host: Option<Host>,

    /// The server's port [default: 50000]
    #[arg(short = 'P', long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
}

/// How a client deals with its link.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LinkArguments {
    /// The digest to make of every file; without, the one that the other end asks for
    #[arg(long, value_name = "KIND", value_enum)]
    pub(crate) digest: Option<DigestChoice>,

    /// How often a lost link is dialled again before anything has come further
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) retries: u32,

    /// Silence after which a link counts as lost: seconds, or 500ms, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub(crate) timeout: Time,
}

/// How a client shows what it does.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ShowArguments {
    /// Shows no progress
    #[arg(long)]
    no_progress: bool,

    #[command(flatten)]
    voice: VoiceArguments,
}

impl ToArguments {
    /// The server's URL, as it was typed.
    pub(crate) fn url(&self) -> String {
        self.address.url(self.to.as_deref())
    }
}

impl FromArguments {
    /// The server's URL, as it was typed.
    pub(crate) fn url(&self) -> String {
        self.address.url(self.from.as_deref())
    }
}

impl AddressArguments {
    fn url(&self, url: Option<&str>) -> String {
        match (url, &self.host, self.port) {
            (Some(url), ..) => url.to_owned(),
            (None, None, None) => DEFAULT_URL.to_owned(),
            (None, Some(host), port) => format!("tcp://{host}:{}", port.unwrap_or(50_000)),
            (None, None, Some(port)) => format!("tcp://127.0.0.1:{port}"),
        }
    }
}

impl ShowArguments {
    pub(super) fn style(self, events: Stream) -> Style {
        Style {
            role: Role::Client,
            voice: self.voice.voice(),
            format: self.voice.format(events),
            progress: if self.no_progress { Progress::Hidden } else { Progress::Shown },
        }
    }

    pub(super) fn without_progress(self) -> Style {
        Style { progress: Progress::Hidden, ..self.style(Stream::Stdout) }
    }
}

impl SendArguments {
    pub(super) fn style(&self) -> Style {
        self.show.style(Stream::Stdout)
    }

    /// What is to be sent.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().chain(&self.paths).map(PathBuf::as_path)
    }

    /// What the parser cannot see.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Usage`], with what to type instead.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if let Some(hint) = hint_of_habit(&self.paths) {
            return Err(hint);
        }
        let usage = |what: &str, advice| Err(Failure::new(ErrorName::Usage, what).with_advice(advice));
        let inputs = self.sources().filter(|path| is_stdin(path)).count();
        match self.sources().count() {
            0 => usage("nothing to send", "name files or directories, or - for the standard input"),
            2.. if self.name.is_some() => {
                usage("--name is for one file or directory", "send them one by one")
            }
            _ if inputs > 1 => usage("the standard input can be sent once only", "name - once"),
            _ if inputs > 0 && self.classic => {
                usage("--classic cannot send the standard input: its size is not known", "send a file")
            }
            _ if self.classic && self.sources().any(Path::is_dir) => {
                usage("--classic cannot send directories", "name the files in it")
            }
            _ => Ok(()),
        }
    }
}

/// Whether it means the standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl GetArguments {
    pub(super) fn style(&self) -> Style {
        self.fetch.style()
    }

    /// What the parser cannot see.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Usage`], with what to type instead.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.fetch.check(self.names.len())
    }
}

impl FetchArguments {
    pub(super) fn style(&self) -> Style {
        let (events, to_terminal) = match self.is_to_stdout() {
            true => (Stream::Stderr, io::stdout().is_terminal()),
            false => (Stream::Stdout, false),
        };
        let style = self.show.style(events);
        if to_terminal { Style { progress: Progress::Hidden, ..style } } else { style }
    }

    /// Whether what is fetched goes to the standard output.
    pub(crate) fn is_to_stdout(&self) -> bool {
        self.output.as_os_str() == "-"
    }

    /// What the parser cannot see, of so many names.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Usage`], with what to type instead.
    pub(crate) fn check(&self, names: usize) -> Result<(), Failure> {
        match names {
            2.. if self.is_to_stdout() => Err(Failure::new(ErrorName::Usage, "-o - is for one file")
                .with_advice("fetch them one by one, or into a directory")),
            _ => Ok(()),
        }
    }
}

impl LsArguments {
    pub(super) fn style(&self) -> Style {
        self.show.without_progress()
    }
}
