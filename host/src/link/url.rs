//! Names of links (`docs/cli.md` §1).

mod parse;

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// The port where none is given.
pub const DEFAULT_PORT: u16 = 50000;

/// What can be typed for a link.
const KNOWN: &str =
    "tcp://HOST:PORT, HOST:PORT, udp://HOST:PORT, unix:PATH, serial:DEVICE, stdio: and exec:COMMAND";

/// The longest path of a Unix socket, in bytes.
const LONGEST_PATH: usize = if cfg!(any(target_os = "linux", target_os = "android")) { 107 } else { 103 };

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Url {
    /// TCP.
    Tcp {
        /// A name, or an address without brackets.
        host: String,
        /// Its port; 0 to listen at any that is free.
        port: u16,
    },
    /// UDP, each datagram a frame.
    Udp {
        /// A name, or an address without brackets.
        host: String,
        /// Its port; 0 to listen at any that is free.
        port: u16,
    },
    /// A Unix socket at this path.
    Unix(PathBuf),
    /// This process's standard input and output.
    Stdio,
    /// The standard streams of a program, which the shell starts by this command.
    Exec(String),
    /// A serial port.
    Serial(SerialUrl),
    /// A node that is attached to a server, through the server's control socket (`docs/cli.md` §13); nobody can type it.
    Node {
        /// The path of the control socket.
        control: PathBuf,
        /// The node's name.
        node: String,
    },
}

/// A serial port and how it is set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SerialUrl {
    /// Its device.
    pub path: PathBuf,
    /// Bits a second.
    pub baud: u32,
    /// Data terminal ready: on many boards it resets.
    pub dtr: Line,
    /// Request to send: likewise.
    pub rts: Line,
    /// Flow control.
    pub flow: Flow,
}

/// What a modem line is set to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Line {
    /// It is left as the system has it.
    #[default]
    AsItIs,
    /// Asserted.
    On,
    /// Not asserted.
    Off,
}

/// How the ends of a serial line stop each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Not at all.
    #[default]
    None,
    /// By the lines RTS and CTS.
    RtsCts,
    /// By the bytes XON and XOFF.
    XonXoff,
}

impl SerialUrl {
    /// The speed where none is given.
    pub const BAUD: u32 = 115_200;

    /// This port, at the usual speed.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, baud: Self::BAUD, dtr: Line::AsItIs, rts: Line::AsItIs, flow: Flow::None }
    }
}

impl fmt::Display for SerialUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, baud, dtr, rts, flow } = self;
        write!(f, "serial:{}", path.display())?;
        let mut divider = '?';
        let line = |line: &Line| match line {
            Line::AsItIs => None,
            Line::On => Some("on".to_owned()),
            Line::Off => Some("off".to_owned()),
        };
        let flow = match flow {
            Flow::None => None,
            Flow::RtsCts => Some("rtscts".to_owned()),
            Flow::XonXoff => Some("xonxoff".to_owned()),
        };
        let baud = (*baud != Self::BAUD).then(|| baud.to_string());
        for (key, value) in [("baud", baud), ("dtr", line(dtr)), ("rts", line(rts)), ("flow", flow)] {
            if let Some(value) = value {
                write!(f, "{divider}{key}={value}")?;
                divider = '&';
            }
        }
        Ok(())
    }
}

impl Default for Url {
    /// TCP on this computer, at [`DEFAULT_PORT`].
    fn default() -> Self {
        Self::Tcp { host: "127.0.0.1".into(), port: DEFAULT_PORT }
    }
}

impl Url {
    /// Whether only this host can be at the other end: loopback, Unix sockets and standard streams.
    ///
    /// Of names only `localhost` counts, of addresses only those that are written in full.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp { host, .. } | Self::Udp { host, .. } => {
                let address = host.split_once('%').map_or(host.as_str(), |(address, _)| address);
                host.eq_ignore_ascii_case("localhost")
                    || address.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
            }
            Self::Unix(_) | Self::Stdio | Self::Exec(_) | Self::Serial(_) | Self::Node { .. } => true,
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Self::Udp { host, port } if host.contains(':') => write!(f, "udp://[{host}]:{port}"),
            Self::Udp { host, port } => write!(f, "udp://{host}:{port}"),
            // A path that begins so would be taken for the form with an empty host.
            Self::Unix(path) if path.as_os_str().as_encoded_bytes().starts_with(b"//") => {
                write!(f, "unix://{}", path.display())
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Stdio => f.write_str("stdio:"),
            Self::Exec(command) => write!(f, "exec:{command}"),
            Self::Serial(serial) => serial.fmt(f),
            Self::Node { node, .. } => write!(f, "node:{node}"),
        }
    }
}

/// Why a text names no link.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// There is no host.
    NoHost,
    /// This is neither a name nor an address.
    BadHost(String),
    /// This is not a port.
    BadPort(String),
    /// This follows the port.
    AfterPort(String),
    /// It names a user.
    User,
    /// It contains a control character.
    ControlCharacter,
    /// The slashes after this scheme are missing.
    NoSlashes(&'static str),
    /// A Unix socket without a path.
    NoPath,
    /// A Unix socket on a host.
    PathOnHost,
    /// The path of a Unix socket is longer than the system takes.
    PathTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// `exec:` without a command.
    NoCommand,
    /// Something follows `stdio:`.
    AfterStdio,
    /// `serial:` without a device.
    NoDevice,
    /// This is no setting of a serial port.
    BadSetting(String),
    /// Nobody knows this scheme.
    UnknownScheme(String),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => write!(f, "no host is given; possible are {KNOWN}"),
            Self::BadHost(host) => {
                write!(f, "{host:?} is neither a host name nor an address (IPv6 with a port: [V6]:PORT)")
            }
            Self::BadPort(port) => {
                write!(f, "{port:?} is not a port, which is a number up to 65535; possible are {KNOWN}")
            }
            Self::AfterPort(rest) => {
                write!(f, "{rest:?} is too much: nothing follows the port")
            }
            Self::User => f.write_str("a user cannot be named: leave out what precedes the @"),
            Self::ControlCharacter => f.write_str("it contains a control character"),
            Self::NoSlashes(scheme) => {
                write!(f, "after {scheme}: two slashes are missing: {scheme}://HOST:PORT")
            }
            Self::NoPath => f.write_str("no path is given: use unix:PATH"),
            Self::PathOnHost => f.write_str("a Unix socket has no host: use unix:PATH, or unix:///PATH"),
            Self::PathTooLong { bytes } => write!(
                f,
                "a path of {bytes} bytes is too long for a Unix socket, which takes {LONGEST_PATH}: use a shorter one"
            ),
            Self::NoCommand => f.write_str("no command is given: use exec:COMMAND"),
            Self::AfterStdio => f.write_str("nothing can follow stdio:"),
            Self::NoDevice => f.write_str("no device is given: use serial:/dev/ttyUSB0, for instance"),
            Self::BadSetting(setting) => write!(
                f,
                "{setting:?} is no setting of a serial port; possible are baud=N, dtr=on|off, rts=on|off and flow=none|rtscts|xonxoff"
            ),
            Self::UnknownScheme(scheme) => write!(f, "{scheme:?} is no known scheme; possible are {KNOWN}"),
        }
    }
}

impl Error for UrlError {}
