//! `sampan ports`.

use std::fs;
use std::path::{Path, PathBuf};

use sampan::failure::{ErrorName, Failure};
use sampan::link::serial_ports;
use serde::Serialize;

use super::display::{Format, Style, Text, event_line};
use super::output::{Output, Stream};

/// A serial port, and what is known of what is plugged in there.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "port")]
struct Port {
    path: PathBuf,
    what: Option<String>,
}

pub(crate) fn run(style: Style) -> Result<(), Failure> {
    let paths = serial_ports().map_err(|error| {
        Failure::new(ErrorName::Other, format!("the system does not say which serial ports it has: {error}"))
    })?;
    let mut output = Output::new(Stream::Stdout);
    for path in paths {
        let port = Port { what: what(&path), path };
        output.write(port.line(style.format).as_bytes());
    }
    output.finish()
}

impl Port {
    fn line(&self, format: Format) -> String {
        let path = self.path.display().to_string();
        match (format, &self.what) {
            (Format::Json(_), _) => event_line(self),
            (Format::People, Some(what)) => format!("{}  {}\n", Text(&path), Text(what)),
            (Format::People, None) => format!("{}\n", Text(&path)),
        }
    }
}

/// What the system knows of the device behind a port: maker and product of a USB adapter, or the driver.
fn what(path: &Path) -> Option<String> {
    let device = Path::new("/sys/class/tty").join(path.file_name()?).join("device");
    let usb = fs::canonicalize(&device).ok()?.ancestors().find_map(|folder| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let product = read("product")?;
        let maker = read("manufacturer").unwrap_or_default();
        Some(format!("{} {}", maker.trim(), product.trim()).trim().to_owned())
    });
    usb.or_else(|| {
        let driver = fs::read_link(device.join("driver")).ok()?;
        Some(driver.file_name()?.to_string_lossy().into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_a_line_or_an_event() {
        let port = Port { path: "/dev/ttyUSB0".into(), what: Some("Acme\u{7} UART".into()) };
        assert_eq!(port.line(Format::People), "/dev/ttyUSB0  Acme\\u{7} UART\n");
        let event = r#"{"v":1,"event":"port","path":"/dev/ttyUSB0","what":"Acme\u0007 UART"}"#;
        assert_eq!(port.line(Format::Json(Stream::Stdout)), format!("{event}\n"));
        assert_eq!(Port { path: "/dev/ttyS0".into(), what: None }.line(Format::People), "/dev/ttyS0\n");
    }
}
