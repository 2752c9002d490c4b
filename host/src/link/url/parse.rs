//! From text.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use super::{DEFAULT_PORT, Flow, LONGEST_PATH, Line, SerialUrl, Url, UrlError};

/// The longest name that the domain name system knows.
const LONGEST_HOST: usize = 253;

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        if text.chars().any(char::is_control) {
            return Err(UrlError::ControlCharacter);
        }
        if let Some((scheme, rest)) = text.split_once(':') {
            match scheme.to_ascii_lowercase().as_str() {
                "tcp" => return tcp(rest.strip_prefix("//").ok_or(UrlError::NoSlashes("tcp"))?),
                "udp" => {
                    let (host, port) = place(rest.strip_prefix("//").ok_or(UrlError::NoSlashes("udp"))?)?;
                    return Ok(Self::Udp { host, port });
                }
                "unix" => return unix(rest),
                "stdio" if rest.is_empty() => return Ok(Self::Stdio),
                "stdio" => return Err(UrlError::AfterStdio),
                "exec" if rest.trim().is_empty() => return Err(UrlError::NoCommand),
                "exec" => return Ok(Self::Exec(rest.to_owned())),
                "serial" => return serial(rest),
                _ if rest.starts_with("//") => return Err(UrlError::UnknownScheme(scheme.to_owned())),
                _ => {}
            }
        }
        tcp(text)
    }
}

fn tcp(text: &str) -> Result<Url, UrlError> {
    let (host, port) = place(text)?;
    Ok(Url::Tcp { host, port })
}

/// A host and a port.
fn place(text: &str) -> Result<(String, u16), UrlError> {
    let (authority, rest) = text.split_at(text.find(['/', '?', '#']).unwrap_or(text.len()));
    if authority.contains('@') {
        return Err(UrlError::User);
    }
    let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
        let bad = || UrlError::BadHost(authority.to_owned());
        let (host, after) = inner.split_once(']').ok_or_else(bad)?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return Err(bad()),
        };
        if !is_v6(host) {
            return Err(bad());
        }
        (host, port)
    } else if is_v6(authority) {
        (authority, None)
    } else {
        match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(UrlError::BadHost(authority.to_owned())),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    if !is_v6(host) && !is_name(host) {
        return Err(UrlError::BadHost(host.to_owned()));
    }
    let port = port.map_or(Ok(DEFAULT_PORT), port_of)?;
    if !rest.is_empty() {
        return Err(UrlError::AfterPort(rest.to_owned()));
    }
    Ok((host.to_owned(), port))
}

fn port_of(port: &str) -> Result<u16, UrlError> {
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| port.parse().ok()).flatten().ok_or_else(|| UrlError::BadPort(port.to_owned()))
}

/// An IPv6 address, perhaps with a zone.
fn is_v6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "0"));
    let zone_fits =
        !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    zone_fits && address.parse::<Ipv6Addr>().is_ok()
}

fn is_name(host: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    host.len() <= LONGEST_HOST
        && host.chars().all(plain)
        && !host.starts_with(['.', '-'])
        // What consists of numbers is an address, or a mistake.
        && (host.parse::<Ipv4Addr>().is_ok() || !host.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn serial(rest: &str) -> Result<Url, UrlError> {
    let (path, settings) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() {
        return Err(UrlError::NoDevice);
    }
    let mut serial = SerialUrl::new(PathBuf::from(path));
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        let bad = || UrlError::BadSetting(setting.to_owned());
        let line = |value| match value {
            "on" => Ok(Line::On),
            "off" => Ok(Line::Off),
            _ => Err(bad()),
        };
        match setting.split_once('=').ok_or_else(bad)? {
            ("baud", value) => {
                serial.baud = value.parse().ok().filter(|baud| *baud > 0).ok_or_else(bad)?;
            }
            ("dtr", value) => serial.dtr = line(value)?,
            ("rts", value) => serial.rts = line(value)?,
            ("flow", "none") => serial.flow = Flow::None,
            ("flow", "rtscts") => serial.flow = Flow::RtsCts,
            ("flow", "xonxoff") => serial.flow = Flow::XonXoff,
            _ => return Err(bad()),
        }
    }
    Ok(Url::Serial(serial))
}

fn unix(rest: &str) -> Result<Url, UrlError> {
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(_) => return Err(UrlError::PathOnHost),
        None => rest,
    };
    if path.is_empty() {
        return Err(UrlError::NoPath);
    }
    if path.len() > LONGEST_PATH {
        return Err(UrlError::PathTooLong { bytes: path.len() });
    }
    Ok(Url::Unix(PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Url, UrlError> {
        text.parse()
    }

    fn is_tcp(text: &str, host: &str, port: u16) {
        let url = Url::Tcp { host: host.to_owned(), port };
        assert_eq!(parsed(text).as_ref(), Ok(&url), "{text}");
        assert_eq!(parsed(&url.to_string()), Ok(url), "{text}");
    }

    #[test]
    fn tcp_in_all_its_forms() {
        is_tcp("tcp://boat.example:7", "boat.example", 7);
        is_tcp("TCP://boat", "boat", DEFAULT_PORT);
        is_tcp("boat", "boat", DEFAULT_PORT);
        is_tcp("boat:0", "boat", 0);
        is_tcp("10.0.0.1:65535", "10.0.0.1", 65535);
        is_tcp("[::1]:9", "::1", 9);
        is_tcp("tcp://[fe80::1%eth0]", "fe80::1%eth0", DEFAULT_PORT);
        is_tcp("2001:db8::2", "2001:db8::2", DEFAULT_PORT);
        is_tcp("abc::", "abc::", DEFAULT_PORT);
        assert_eq!(parsed("::1").unwrap().to_string(), "tcp://[::1]:50000");
    }

    #[test]
    fn udp_in_all_its_forms() {
        for (text, shown) in [
            ("udp://boat", "udp://boat:50000"),
            ("UDP://127.0.0.1:9", "udp://127.0.0.1:9"),
            ("udp://::1", "udp://[::1]:50000"),
            ("udp://[fe80::1%eth0]:7", "udp://[fe80::1%eth0]:7"),
        ] {
            let url = parsed(text).unwrap();
            assert!(matches!(url, Url::Udp { .. }) && url.to_string() == shown, "{text}: {url}");
            assert_eq!(parsed(shown), Ok(url));
        }
    }

    #[test]
    fn paths_commands_and_standard_streams() {
        for (text, path, shown) in [
            ("unix:/run/boat", "/run/boat", "unix:/run/boat"),
            ("unix:boat", "boat", "unix:boat"),
            ("unix:///run/boat", "/run/boat", "unix:/run/boat"),
            ("unix:////run", "//run", "unix:////run"),
        ] {
            let url = parsed(text).unwrap();
            assert_eq!((&url, url.to_string().as_str()), (&Url::Unix(path.into()), shown), "{text}");
        }
        assert_eq!(parsed("stdio:"), Ok(Url::Stdio));
        let exec = parsed("exec:ssh a@b sampan serve --listen stdio:").unwrap();
        assert_eq!(exec, Url::Exec("ssh a@b sampan serve --listen stdio:".into()));
        assert_eq!(parsed(&exec.to_string()), Ok(exec));
    }

    #[test]
    fn what_names_no_link_is_refused() {
        for text in ["", ":5", "tcp://", "tcp://:5", "/path"] {
            assert_eq!(parsed(text), Err(UrlError::NoHost), "{text:?}");
        }
        for port in ["", "65536", "-1", "+1", "x", "1 ", "99999999999999999999"] {
            assert_eq!(parsed(&format!("boat:{port}")), Err(UrlError::BadPort(port.into())));
            assert_eq!(parsed(&format!("[::1]:{port}")), Err(UrlError::BadPort(port.into())));
        }
        for host in ["a b", "[::1", "[boat]", "[::1]5", "a:b:c", "1:2:3", "256.1.1.1", "127.1", "-a", "a%b"] {
            assert_eq!(parsed(host), Err(UrlError::BadHost(host.into())));
        }
        assert!(matches!(parsed(&"a".repeat(254)), Err(UrlError::BadHost(_))));
        assert_eq!(parsed("tcp://boat:5/file"), Err(UrlError::AfterPort("/file".into())));
        assert_eq!(parsed("boat:5?framing=cobs"), Err(UrlError::AfterPort("?framing=cobs".into())));
        assert_eq!(parsed("tcp://me@boat:5"), Err(UrlError::User));
        for scheme in ["tcp", "udp"] {
            assert_eq!(parsed(&format!("{scheme}:boat")), Err(UrlError::NoSlashes(scheme)));
        }
        assert_eq!(parsed("udp://"), Err(UrlError::NoHost));
        for text in ["boat\n", "unix:/a\0b", "exec:a\x1b[2J", "tcp://a\u{85}"] {
            assert_eq!(parsed(text), Err(UrlError::ControlCharacter), "{text:?}");
        }
        assert_eq!(parsed("unix:"), Err(UrlError::NoPath));
        assert_eq!(parsed("unix://boat/path"), Err(UrlError::PathOnHost));
        assert_eq!(parsed("exec: "), Err(UrlError::NoCommand));
        assert_eq!(parsed("stdio:1"), Err(UrlError::AfterStdio));
    }

    #[test]
    fn a_serial_port_has_settings() {
        let serial = parsed("serial:/dev/ttyUSB0?baud=9600&dtr=off&rts=on&flow=rtscts").unwrap();
        let expected = SerialUrl {
            baud: 9600,
            dtr: Line::Off,
            rts: Line::On,
            flow: Flow::RtsCts,
            ..SerialUrl::new("/dev/ttyUSB0".into())
        };
        assert_eq!(serial, Url::Serial(expected));
        assert_eq!(serial.to_string(), "serial:/dev/ttyUSB0?baud=9600&dtr=off&rts=on&flow=rtscts");
        for text in ["serial:/dev/ttyS0", "serial:COM1?dtr=off"] {
            assert_eq!(parsed(text).unwrap().to_string(), text);
        }
        assert_eq!(parsed("serial:"), Err(UrlError::NoDevice));
        for setting in ["baud=0", "baud=-1", "baud", "dtr=1", "flow=hard", "bits=7"] {
            assert_eq!(
                parsed(&format!("serial:/dev/a?{setting}")),
                Err(UrlError::BadSetting(setting.into()))
            );
        }
    }

    #[test]
    fn a_path_that_the_system_does_not_take_is_too_long() {
        let path = |bytes| format!("unix:{}", "a".repeat(bytes));
        assert!(parsed(&path(LONGEST_PATH)).is_ok());
        let bytes = LONGEST_PATH + 1;
        assert_eq!(parsed(&path(bytes)), Err(UrlError::PathTooLong { bytes }));
    }

    #[test]
    fn errors_say_what_is_possible() {
        let error = parsed("http://boat").unwrap_err().to_string();
        assert!(error.contains("\"http\" is no known scheme") && error.contains("unix:PATH"), "{error}");
    }

    #[test]
    fn what_leads_to_this_host_is_local() {
        let local = [
            "127.0.0.1",
            "127.9.9.9:1",
            "::1",
            "[::1%lo]:5",
            "::ffff:127.0.0.1",
            "LocalHost:5",
            "udp://[::1]:5",
        ];
        for text in local.into_iter().chain(["unix:a", "stdio:", "exec:true"]) {
            assert!(parsed(text).unwrap().is_local(), "{text}");
        }
        for text in
            ["0.0.0.0", "udp://0.0.0.0", "::", "10.0.0.1", "boat", "localhost.example", "::ffff:10.0.0.1"]
        {
            assert!(!parsed(text).unwrap().is_local(), "{text}");
        }
    }
}
