//! The options of `sampan ctl`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::clients::{FetchArguments, LinkArguments, ShowArguments};
use super::{TEMPLATE, VoiceArguments};
use crate::command::display::{Progress, Role, Style};
use crate::command::output::Stream;
use crate::command::values::{AtNode, Time};

const EXAMPLES: &str = "\
Examples:
  sampan ctl status --watch                    Who is connected, and what is under way
  sampan ctl notify 'Restart at noon'          A notice to everyone
  sampan ctl push firmware.bin                 A file to all nodes that are attached
  sampan ctl get board-7:logs -o logs/board-7  A directory of one node
  sampan ctl drain                             Let everyone finish, then stop

Nodes are what has attached itself with: sampan attach";

const STATUS_EXAMPLES: &str = "\
Examples:
  sampan ctl status                     A table, and totals
  sampan ctl status --watch             The same, renewed every second, until q is pressed
  sampan ctl status --watch --every 1m >> log
                                        A line for whatever has changed";

const NOTIFY_EXAMPLES: &str = "\
Examples:
  sampan ctl notify 'Restart at noon'       To everyone connected
  sampan ctl notify --to board-7 --to '#12' 'Please finish'
                                            To a node, and to the connection of this number";

const PUSH_EXAMPLES: &str = "\
Examples:
  sampan ctl push firmware.bin                          To all nodes that are attached now
  sampan ctl push conf/a.toml --name conf/node.toml --to board-7
                                                        To one, under another name
  sampan ctl push update.img --within 10m --parallel 8  With patience, and not to all at once";

const GET_EXAMPLES: &str = "\
Examples:
  sampan ctl get board-7:report.pdf                Into this directory
  sampan ctl get board-7:logs board-7:conf -o b7/  Directories, into another one
  sampan ctl get board-7:dump -o - | strings       To the standard output";

const LS_EXAMPLES: &str = "\
Examples:
  sampan ctl ls board-7        All that it has
  sampan ctl ls board-7:logs/  What is in a directory there";

const DISCONNECT_EXAMPLES: &str = "\
Examples:
  sampan ctl disconnect board-7  A node, which dials again
  sampan ctl disconnect '#12'    The connection of this number in: sampan ctl status
  sampan ctl disconnect all";

const DRAIN_EXAMPLES: &str = "\
Examples:
  sampan ctl drain && sampan serve  Renew a server without breaking anything off";

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct CtlArguments {
    /// The server's control socket: unix:PATH; needed if several servers of this user run
    #[arg(long, value_name = "URL", global = true)]
    pub(crate) control: Option<String>,

    #[command(subcommand)]
    pub(crate) command: CtlCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CtlCommand {
    /// Lists who is connected, and what is under way
    Status(StatusArguments),
    /// Sends a notice to everyone connected
    Notify(NotifyArguments),
    /// Sends files to all nodes, or to some
    Push(PushArguments),
    /// Fetches files and directories from a node
    Get(NodeGetArguments),
    /// Lists what a node has
    Ls(NodeLsArguments),
    /// Ends connections
    Disconnect(DisconnectArguments),
    /// Lets those who are connected finish, takes nobody any more, and stops the server
    Drain(DrainArguments),
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = STATUS_EXAMPLES)]
pub(crate) struct StatusArguments {
    /// Shows it again and again: on a terminal until q is pressed, in a pipe as lines for what has changed
    #[arg(long)]
    pub(crate) watch: bool,

    /// How often it is shown again: seconds, or 500ms, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "1s", requires = "watch")]
    pub(crate) every: Time,

    #[command(flatten)]
    voice: VoiceArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = NOTIFY_EXAMPLES)]
pub(crate) struct NotifyArguments {
    /// What to say: at most 1024 bytes
    pub(crate) text: String,

    #[command(flatten)]
    pub(crate) to: ToWhom,

    /// How long an answer is waited for: seconds, or 500ms, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(crate) within: Time,

    #[command(flatten)]
    voice: VoiceArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = PUSH_EXAMPLES)]
pub(crate) struct PushArguments {
    /// Files of this computer
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) to: ToWhom,

    /// The name at the nodes, for a single file; without, the last part of its path
    #[arg(long)]
    pub(crate) name: Option<String>,

    /// To how many nodes at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) parallel: u32,

    /// How long a node may be away, or not come further, before it is given up: seconds, or 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) within: Time,

    #[command(flatten)]
    show: ShowArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = GET_EXAMPLES)]
pub(crate) struct NodeGetArguments {
    /// Files and directories of one node, by the names that `sampan ctl ls` shows
    #[arg(value_name = "NODE:NAME", required = true)]
    pub(crate) names: Vec<AtNode>,

    #[command(flatten)]
    pub(crate) fetch: FetchArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = LS_EXAMPLES)]
pub(crate) struct NodeLsArguments {
    /// The node; behind the colon, how the names begin that are listed
    #[arg(value_name = "NODE[:PREFIX]", value_parser = AtNode::or_all)]
    pub(crate) prefix: AtNode,

    #[command(flatten)]
    pub(crate) link: LinkArguments,

    #[command(flatten)]
    show: ShowArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = DISCONNECT_EXAMPLES)]
pub(crate) struct DisconnectArguments {
    /// Names of nodes, #ID of connections (in quotes, for the shell), or all
    #[arg(value_name = "WHO", required = true)]
    pub(crate) who: Vec<String>,

    #[command(flatten)]
    voice: VoiceArguments,
}

#[derive(Args, Debug)]
#[command(help_template = TEMPLATE, before_help = DRAIN_EXAMPLES)]
pub(crate) struct DrainArguments {
    #[command(flatten)]
    voice: VoiceArguments,
}

/// Whom it is for.
#[derive(Args, Debug)]
pub(crate) struct ToWhom {
    /// The name of a node, #ID of a connection (in quotes, for the shell), or all; may be repeated
    #[arg(long = "to", value_name = "WHO", default_value = "all")]
    pub(crate) who: Vec<String>,
}

impl CtlArguments {
    pub(super) fn style(&self) -> Style {
        let plain = |voice: VoiceArguments| Style {
            role: Role::Client,
            voice: voice.voice(),
            format: voice.format(Stream::Stdout),
            progress: Progress::Hidden,
        };
        match &self.command {
            CtlCommand::Status(arguments) => plain(arguments.voice),
            CtlCommand::Notify(arguments) => plain(arguments.voice),
            CtlCommand::Push(arguments) => arguments.show.style(Stream::Stdout),
            CtlCommand::Get(arguments) => arguments.fetch.style(),
            CtlCommand::Ls(arguments) => arguments.show.without_progress(),
            CtlCommand::Disconnect(arguments) => plain(arguments.voice),
            CtlCommand::Drain(arguments) => plain(arguments.voice),
        }
    }
}
