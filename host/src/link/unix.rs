//! Unix sockets.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use socket2::{Domain, SockAddr, Socket, Type};

use super::TcpOptions;
use super::tcp::BACKLOG;

/// How long another process may take to set up a socket in the same directory.
const LOCKED_FOR: Duration = Duration::from_secs(2);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(5);

/// A connection to the socket at `path`.
pub(crate) fn dial(path: &Path, options: &TcpOptions) -> io::Result<UnixStream> {
    let begun = Instant::now();
    loop {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        options.apply_to_unix(&socket);
        socket.set_nonblocking(true)?;
        match socket.connect(&SockAddr::unix(path)?) {
            Ok(()) => return Ok(socket.into()),
            // The server has not yet accepted those who came before.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if begun.elapsed() >= options.connect_within {
                    return Err(ErrorKind::TimedOut.into());
                }
                thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}

/// A socket in the file system that takes connections. It is removed when this is dropped, unless another is in its place.
#[derive(Debug)]
pub(super) struct UnixSocket {
    pub(super) listener: UnixListener,
    whole_path: PathBuf,
    inode: Inode,
}

/// Device and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inode(u64, u64);

impl UnixSocket {
    /// Listens at `path`. A socket there that nobody listens at is replaced.
    pub(super) fn bind(path: &Path, options: &TcpOptions) -> io::Result<Self> {
        let whole_path = std::path::absolute(path)?;
        let _lock = lock(&whole_path);
        match fs::symlink_metadata(path) {
            Ok(found) => clear(path, &found)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        options.apply_to_unix(&socket);
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let inode = Inode::of(&fs::symlink_metadata(path)?);
        let bound = Self { listener: socket.into(), whole_path, inode };
        rustix::net::listen(&bound.listener, BACKLOG)?;
        Ok(bound)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let _lock = lock(&self.whole_path);
        if fs::symlink_metadata(&self.whole_path).is_ok_and(|found| Inode::of(&found) == self.inode) {
            let _ = fs::remove_file(&self.whole_path);
        }
    }
}

impl Inode {
    fn of(found: &Metadata) -> Self {
        Self(found.dev(), found.ino())
    }
}

/// Keeps others from setting up or removing sockets in the directory of `path`; where that cannot be had, nothing.
fn lock(path: &Path) -> Option<File> {
    let directory = File::open(path.parent()?).ok()?;
    let until = Instant::now() + LOCKED_FOR;
    loop {
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Some(directory),
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) if Instant::now() < until => {
                thread::sleep(PAUSE);
            }
            Err(_) => return None,
        }
    }
}

/// Removes the socket at `path` if nobody listens at it; whether it is gone now.
pub(crate) fn sweep(path: &Path) -> bool {
    let _lock = lock(path);
    fs::symlink_metadata(path)
        .map_or_else(|error| error.kind() == ErrorKind::NotFound, |found| clear(path, &found).is_ok())
}

/// Removes what a server that is gone has left at `path`.
fn clear(path: &Path, found: &Metadata) -> io::Result<()> {
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is something else than a socket"));
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    probe.set_nonblocking(true)?;
    match probe.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(error),
        // Also where it is a socket of another type, or too many wait to be accepted.
        Ok(()) | Err(_) => Err(ErrorKind::AddrInUse.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    fn bind(path: &Path) -> io::Result<UnixSocket> {
        UnixSocket::bind(path, &TcpOptions::default())
    }

    #[test]
    fn one_left_behind_is_replaced_and_one_in_use_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boat");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the system was to leave it");
        let first = bind(&path).unwrap();
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        assert!(dial(&path, &TcpOptions::default()).is_ok());
        drop(first);
        assert!(!path.exists());
        let other = dir.path().join("datagrams");
        let _datagrams = UnixDatagram::bind(&other).unwrap();
        assert_eq!(bind(&other).unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "precious").unwrap();
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
        for path in [&file, &link] {
            assert_eq!(bind(path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(&file).unwrap(), b"precious");
        assert_eq!(bind(&dir.path().join("none/boat")).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn only_what_is_still_its_own_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boat");
        let first = bind(&path).unwrap();
        // It stays alive beside the other one, so that they cannot have the same number.
        fs::rename(&path, dir.path().join("elsewhere")).unwrap();
        let second = bind(&path).unwrap();
        drop(first);
        assert!(dial(&path, &TcpOptions::default()).is_ok());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn of_many_who_replace_one_at_once_one_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boat");
        for _ in 0..20 {
            drop(UnixListener::bind(&path).unwrap());
            let bound: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| bind(&path))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(bound.iter().filter(|bound| bound.is_ok()).count(), 1);
            assert!(dial(&path, &TcpOptions::default()).is_ok());
        }
    }

    #[test]
    fn a_server_that_accepts_nobody_is_waited_for_no_longer_than_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("boat");
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        socket.listen(0).unwrap();
        let options = TcpOptions { connect_within: Duration::from_millis(60), ..TcpOptions::default() };
        let first = dial(&path, &options).unwrap();
        let begun = Instant::now();
        assert_eq!(dial(&path, &options).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= options.connect_within);
        assert_eq!(bind(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(first);
    }
}
