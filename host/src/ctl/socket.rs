//! The server's end of the control socket.

mod asked;
mod line;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::failure::{ErrorName, Failure};
use crate::link::{Listener, TcpOptions, Url, Waker, wait_for_any};
use crate::server::Everyone;
use crate::stop::Stop;

/// More connections than this are closed at once.
const MOST: usize = 64;
/// After the system had no descriptor or thread left.
const PAUSE: Duration = Duration::from_millis(100);
/// How long last answers may take when it is closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// A control socket, which is there until it is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    stop: Stop,
    open: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl ControlSocket {
    /// At this path, which only this user may open.
    ///
    /// # Errors
    ///
    /// [`ErrorName::Connect`] if it cannot be made, or another server has it.
    pub fn start(everyone: Everyone, path: &Path) -> Result<Self, Failure> {
        let cannot = |error: std::io::Error| {
            let what = format!("cannot make the control socket {}: {error}", path.display());
            Failure::new(ErrorName::Connect, what)
        };
        let url = Url::Unix(path.to_owned());
        let listener = Listener::bind(&url, &TcpOptions::default()).map_err(cannot)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(cannot)?;
        let (stop, open) = (Stop::new(), Arc::new(AtomicUsize::new(0)));
        let waker = Waker::new().map_err(cannot)?;
        let (asked, counted) = (stop.clone(), Arc::clone(&open));
        let thread = thread::Builder::new().name("control".into()).spawn(move || {
            let _registration = asked.register(waker.clone());
            accept(&[listener], &everyone, &waker, &asked, &counted);
        });
        Ok(Self { path: path.to_owned(), stop, open, thread: Some(thread.map_err(cannot)?) })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let until = Instant::now() + FAREWELL;
        while self.open.load(Ordering::SeqCst) > 0 && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn accept(listeners: &[Listener], everyone: &Everyone, waker: &Waker, stop: &Stop, open: &Arc<AtomicUsize>) {
    while !stop.is_asked() {
        let Ok(()) = wait_for_any(listeners, waker, None) else { return };
        for listener in listeners {
            while let Some(stream) = listener.accept_unix().unwrap_or_else(|error| {
                tracing::warn!("cannot take a connection to the control socket: {error}");
                thread::sleep(PAUSE);
                None
            }) {
                if open.load(Ordering::SeqCst) >= MOST {
                    continue;
                }
                open.fetch_add(1, Ordering::SeqCst);
                let (everyone, stop, counted) = (everyone.clone(), stop.clone(), Arc::clone(open));
                let thread = thread::Builder::new().name("ctl".into()).spawn(move || {
                    asked::answer(stream, &everyone, &stop);
                    counted.fetch_sub(1, Ordering::SeqCst);
                });
                if thread.is_err() {
                    open.fetch_sub(1, Ordering::SeqCst);
                }
            }
        }
    }
}
