//! Serial ports, and pseudo terminals that stand for them.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, OptionalActions, QueueSelector, ioctl_tiocexcl, ioctl_tiocnxcl, isatty, tcdrain, tcflush,
    tcgetattr, tcsetattr,
};
use serial2::{FlowControl, SerialPort};

use super::url::{Flow, Line, SerialUrl};

/// How long what was written may take to leave beyond what the rate needs, before the port is closed.
const LEAVES_WITHIN: Duration = Duration::from_secs(1);
const LEAVES_AT_MOST: Duration = Duration::from_secs(5);
/// What a system may hold of it, in bytes.
const BUFFERED: u64 = 4096;

/// An open port, which does not block.
#[derive(Debug)]
pub(super) struct Serial {
    port: SerialPort,
    /// Bytes a second.
    rate: u64,
}

impl Serial {
    /// Opens it for this process alone. What has come before is dropped.
    pub(super) fn open(url: &SerialUrl) -> io::Result<Self> {
        let SerialUrl { path, baud, dtr, rts, flow } = url;
        let flow = match flow {
            Flow::None => FlowControl::None,
            Flow::RtsCts => FlowControl::RtsCts,
            Flow::XonXoff => FlowControl::XonXoff,
        };
        let mut port = alone(path).map_err(|error| explain(path, error.into()))?;
        let mut settings = port.get_configuration()?;
        settings.set_raw();
        settings.set_baud_rate(*baud)?;
        settings.set_flow_control(flow);
        port.set_configuration(&settings)?;
        let mut modes = tcgetattr(&port)?;
        // That it is closed is no reason for a board to begin anew.
        modes.control_modes.remove(ControlModes::HUPCL);
        tcsetattr(&port, OptionalActions::Now, &modes)?;
        for (line, set) in
            [(dtr, SerialPort::set_dtr as fn(&SerialPort, bool) -> _), (rts, SerialPort::set_rts)]
        {
            match line {
                Line::AsItIs => {}
                Line::On => set(&port, true)?,
                Line::Off => set(&port, false)?,
            }
        }
        tcflush(&port, QueueSelector::IFlush)?;
        Ok(Self { port, rate: u64::from(*baud) / 10 })
    }

    /// A line whose other end has gone ends, as if it were a connection.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.port, buffer) {
            Err(Errno::IO) => Ok(0),
            result => Ok(result?),
        }
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.port, bytes)?)
    }

    /// Bytes a second.
    pub(super) const fn rate(&self) -> u64 {
        self.rate
    }

    pub(super) const fn port(&self) -> &SerialPort {
        &self.port
    }
}

impl Drop for Serial {
    /// What was written leaves first, if it does so in time: closing a port would drop it.
    fn drop(&mut self) {
        let Ok(port) = rustix::io::dup(&self.port) else { return };
        let (done, left) = channel();
        let thread = thread::Builder::new().name("drain".into()).spawn(move || {
            let _ = tcdrain(port);
            let _ = done.send(());
        });
        if thread.is_ok() {
            let needs = Duration::from_secs(BUFFERED / self.rate.max(1));
            if left.recv_timeout((needs + LEAVES_WITHIN).min(LEAVES_AT_MOST)).is_err() {
                // Nobody takes it: who waits for it goes on, and lets go of the port too.
                let _ = tcflush(&self.port, QueueSelector::OFlush);
                let _ = left.recv_timeout(LEAVES_WITHIN);
            }
        }
        // Others may have it open, and would keep it so.
        let _ = ioctl_tiocnxcl(&self.port);
    }
}

/// Opens a port for this process alone, without a change to what another has set. Whom the system lets in whoever else is there, as root, the lock keeps out.
fn alone(path: &Path) -> rustix::io::Result<SerialPort> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let port = rustix::fs::open(path, flags, Mode::empty())?;
    if !isatty(&port) {
        return Err(Errno::NOTTY);
    }
    flock(&port, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        Errno::WOULDBLOCK => Errno::BUSY,
        error => error,
    })?;
    ioctl_tiocexcl(&port)?;
    Ok(SerialPort::from(port))
}

/// What is wrong, and what to do.
fn explain(path: &Path, error: io::Error) -> io::Error {
    let what = match error.kind() {
        ErrorKind::PermissionDenied => match fs::metadata(path).map(|found| found.gid()) {
            Ok(gid) => {
                let group = group(gid).unwrap_or_else(|| gid.to_string());
                format!(
                    "permission denied; it belongs to the group {group}: sudo usermod -aG {group} $USER, then log in again"
                )
            }
            Err(_) => return error,
        },
        ErrorKind::NotFound => "there is no such port; list them with: sampan ports".to_owned(),
        ErrorKind::ResourceBusy => "another program has it open".to_owned(),
        _ if error.raw_os_error() == Some(Errno::NOTTY.raw_os_error()) => {
            return io::Error::new(ErrorKind::InvalidInput, "it is not a serial port");
        }
        _ => return error,
    };
    io::Error::new(error.kind(), what)
}

fn group(gid: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

/// The serial ports of this computer.
///
/// # Errors
///
/// If the system does not say.
pub fn serial_ports() -> io::Result<Vec<PathBuf>> {
    let mut ports = SerialPort::available_ports()?;
    ports.sort();
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_port_is_named() {
        let place = tempfile::tempdir().unwrap();
        let url = |path: &Path| SerialUrl::new(path.to_owned());
        let none = Serial::open(&url(&place.path().join("none"))).unwrap_err();
        assert!(none.to_string().contains("sampan ports"), "{none}");
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let file = Serial::open(&url(&file)).unwrap_err();
        assert_eq!(file.kind(), ErrorKind::InvalidInput, "{file}");
    }
}
