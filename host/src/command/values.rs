//! Values that people type (`docs/cli.md` §7).

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use sampan_core::Millis;

/// Bytes, typed as `1000`, `64k`, `10M`, `2GiB`: in units of 1024, as in curl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

/// A span of time above zero, typed as `10`, `500ms`, `10s`, `5m` or `1h`; what is longer than 49 days becomes that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Millis);

/// A host's name or address, with no port: as it is written in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host(String);

/// The name of a node: 1 to 64 ASCII letters, digits, `.`, `_` and `-`; not `all`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeName(String);

impl NodeName {
    /// The name of this computer, with `-` for what a node's name cannot have.
    pub(crate) fn of_this_computer() -> Self {
        Self::near(&rustix::system::uname().nodename().to_string_lossy())
    }

    fn near(name: &str) -> Self {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name: String = name.chars().map(|c| if fits(c) { c } else { '-' }).take(64).collect();
        name.parse().unwrap_or_else(|_| Self("node".to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeName {
    type Err = ValueError;

    fn from_str(typed: &str) -> Result<Self, ValueError> {
        match sampan_core::wire::NodeName::new(typed) {
            Ok(name) if !typed.is_empty() => Ok(Self(name.as_str().to_owned())),
            _ => Err(ValueError::NodeName),
        }
    }
}

/// What a node has, or the beginning of names there: `NODE:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtNode {
    pub(crate) node: String,
    pub(crate) name: String,
}

impl AtNode {
    /// The same, where a node alone stands for all that it has.
    pub(crate) fn or_all(typed: &str) -> Result<Self, ValueError> {
        match typed.parse::<NodeName>() {
            Ok(NodeName(node)) => Ok(Self { node, name: String::new() }),
            Err(_) => typed.parse(),
        }
    }
}

impl FromStr for AtNode {
    type Err = ValueError;

    fn from_str(typed: &str) -> Result<Self, ValueError> {
        let (node, name) = typed.split_once(':').ok_or(ValueError::AtNode)?;
        let NodeName(node) = node.parse()?;
        Ok(Self { node, name: name.to_owned() })
    }
}

/// Why something typed is not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueError {
    Size,
    SizeTooLarge,
    RateZero,
    Time,
    TimeZero,
    HostEmpty,
    HostWithPort,
    HostCharacter,
    NodeName,
    AtNode,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "not a size: type a number of bytes, or one with k, M, G or T, such as 500k or 2G",
            Self::SizeTooLarge => "too large: the largest size is 2^64 - 1 bytes, a little under 16777216T",
            Self::RateZero => "nothing would ever move: type at least 1",
            Self::Time => {
                "not a time: type whole seconds, or a number with ms, s, m or h, such as 500ms or 5m"
            }
            Self::TimeZero => "too short: type at least 1ms",
            Self::HostEmpty => "no host: type a name or an address",
            Self::HostWithPort => "not a host alone: give the port with --port",
            Self::HostCharacter => "not a host: type a name or an address; URLs go with --to or --from",
            Self::AtNode => "no node is named: type NODE:NAME, such as board-7:logs/today",
            Self::NodeName => {
                "not the name of a node: type up to 64 ASCII letters, digits, ., _ and -, but not all"
            }
        })
    }
}

impl std::error::Error for ValueError {}

/// Splits what was typed into digits, of which there is one at least, and the unit after them in lower case.
fn split(typed: &str) -> Option<(&str, String)> {
    let end = typed.find(|c: char| !c.is_ascii_digit()).unwrap_or(typed.len());
    let (digits, unit) = typed.split_at_checked(end)?;
    (!digits.is_empty()).then(|| (digits, unit.to_ascii_lowercase()))
}

impl FromStr for Size {
    type Err = ValueError;

    fn from_str(typed: &str) -> Result<Self, ValueError> {
        let (digits, unit) = split(typed).ok_or(ValueError::Size)?;
        let unit: u64 = match unit.as_str() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            _ => return Err(ValueError::Size),
        };
        let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        bytes.map(Self).ok_or(ValueError::SizeTooLarge)
    }
}

impl Size {
    /// For rates that must let something through.
    pub(crate) fn positive(typed: &str) -> Result<Self, ValueError> {
        match typed.parse()? {
            Self(0) => Err(ValueError::RateZero),
            size => Ok(size),
        }
    }
}

impl Time {
    pub(crate) fn seconds(self) -> f64 {
        f64::from(self.0.0) / 1e3
    }
}

impl FromStr for Time {
    type Err = ValueError;

    fn from_str(typed: &str) -> Result<Self, ValueError> {
        let (digits, unit) = split(typed).ok_or(ValueError::Time)?;
        let unit: u64 = match unit.as_str() {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(ValueError::Time),
        };
        let number = digits.parse::<u64>().unwrap_or(u64::MAX);
        match u32::try_from(number.saturating_mul(unit)).unwrap_or(u32::MAX) {
            0 => Err(ValueError::TimeZero),
            millis => Ok(Self(Millis(millis))),
        }
    }
}

impl FromStr for Host {
    type Err = ValueError;

    fn from_str(typed: &str) -> Result<Self, ValueError> {
        let bare = typed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(typed);
        let address = bare.split_once('%').map_or(bare, |(address, _)| address);
        let forbidden =
            |c: char| matches!(c, '/' | '@' | '[' | ']' | '"' | '\\') || c.is_whitespace() || c.is_control();
        if bare.is_empty() {
            Err(ValueError::HostEmpty)
        } else if bare.contains(forbidden) {
            Err(ValueError::HostCharacter)
        } else if address.parse::<Ipv6Addr>().is_ok() {
            Ok(Self(format!("[{bare}]")))
        } else if bare.contains(':') {
            Err(ValueError::HostWithPort)
        } else {
            Ok(Self(bare.to_owned()))
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_units_of_1024() {
        let size = |typed: &str| typed.parse::<Size>().map(|Size(bytes)| bytes);
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("1000"), Ok(1000));
        assert_eq!(size("7B"), Ok(7));
        for (unit, bytes) in [("k", 1 << 10), ("M", 1 << 20), ("g", 1 << 30), ("T", 1_u64 << 40)] {
            for after in ["", "b", "B", "iB", "IB"] {
                assert_eq!(size(&format!("3{unit}{after}")), Ok(3 * bytes), "{unit}{after}");
            }
        }
        for typed in ["", "k", "-1", "+1", "1.5M", "1 k", "1x", "1ki", "0x10", "1e3", "1kk", "٣", "1é"] {
            assert_eq!(size(typed), Err(ValueError::Size), "{typed:?}");
        }
    }

    #[test]
    fn no_size_overflows() {
        let size = |typed: &str| typed.parse::<Size>().map(|Size(bytes)| bytes);
        assert_eq!(size("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(size("00018446744073709551615b"), Ok(u64::MAX));
        assert_eq!(size("16777215T"), Ok(16_777_215 << 40));
        for typed in
            ["18446744073709551616", "16777216T", "18446744073709551615k", "99999999999999999999999999"]
        {
            assert_eq!(size(typed), Err(ValueError::SizeTooLarge), "{typed:?}");
        }
    }

    #[test]
    fn rates_let_something_through() {
        assert_eq!(Size::positive("0k"), Err(ValueError::RateZero));
        assert_eq!(Size::positive("1"), Ok(Size(1)));
        assert_eq!(Size::positive("x"), Err(ValueError::Size));
    }

    #[test]
    fn times_have_units_and_are_seconds_without() {
        let time = |typed: &str| typed.parse::<Time>().map(|Time(Millis(millis))| millis);
        assert_eq!([time("10"), time("10s"), time("10S")], [Ok(10_000); 3]);
        assert_eq!([time("500ms"), time("5m"), time("1h")], [Ok(500), Ok(300_000), Ok(3_600_000)]);
        for typed in ["", "s", "-1", "1.5", "1d", "1 s", "5min", "∞"] {
            assert_eq!(time(typed), Err(ValueError::Time), "{typed:?}");
        }
    }

    #[test]
    fn times_are_more_than_zero_and_clamped() {
        let time = |typed: &str| typed.parse::<Time>().map(|Time(Millis(millis))| millis);
        assert_eq!([time("0"), time("0ms"), time("000h")], [Err(ValueError::TimeZero); 3]);
        assert_eq!([time("1ms"), time("4294967295ms")], [Ok(1), Ok(u32::MAX)]);
        assert_eq!([time("4294967296ms"), time("9999999999999999999999h")], [Ok(u32::MAX); 2]);
    }

    #[test]
    fn hosts_are_written_as_in_urls() {
        let host = |typed: &str| typed.parse::<Host>().map(|Host(host)| host);
        assert_eq!(host("example.org").as_deref(), Ok("example.org"));
        assert_eq!(host("192.0.2.1").as_deref(), Ok("192.0.2.1"));
        assert_eq!([host("::1"), host("[::1]")], [Ok("[::1]".to_owned()), Ok("[::1]".to_owned())]);
        assert_eq!(host("fe80::1%eth0").as_deref(), Ok("[fe80::1%eth0]"));
        assert_eq!([host(""), host("[]")], [Err(ValueError::HostEmpty), Err(ValueError::HostEmpty)]);
        assert_eq!(host("example.org:50000"), Err(ValueError::HostWithPort));
        for typed in ["tcp://a", "a b", "a\n", "me@a"] {
            assert_eq!(host(typed), Err(ValueError::HostCharacter), "{typed:?}");
        }
    }

    #[test]
    fn what_a_node_has_is_named_behind_it() {
        let at = |node: &str, name: &str| Ok(AtNode { node: node.to_owned(), name: name.to_owned() });
        assert_eq!("board-7:logs/a:b".parse::<AtNode>(), at("board-7", "logs/a:b"));
        assert_eq!("board-7".parse::<AtNode>(), Err(ValueError::AtNode));
        assert_eq!([AtNode::or_all("b"), AtNode::or_all("b:")], [at("b", ""), at("b", "")]);
        assert_eq!(AtNode::or_all("b:logs/"), at("b", "logs/"));
        for typed in ["", ":", ":a", "a b:c", "all:c", "é:c"] {
            assert!(typed.parse::<AtNode>().is_err() && AtNode::or_all(typed).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn a_computer_may_have_a_name_that_no_node_can_have() {
        let near = |name| NodeName::near(name).0;
        assert_eq!(near("bo\u{e4}t 7.local"), "bo-t-7.local");
        assert_eq!((near(""), near("all")), ("node".into(), "node".into()));
        assert_eq!(near(&"x".repeat(99)).len(), 64);
        assert!("a:b".parse::<NodeName>().is_err() && "".parse::<NodeName>().is_err());
    }
}
