//! Somebody who looks at a folder all the time.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Looks whether anything is visible in a folder but one whole file, until it is stopped.
pub(super) struct Watcher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), String>>>,
    seeing: Seeing,
}

#[derive(Clone)]
struct Seeing {
    root: PathBuf,
    name: String,
    /// What the file must be like.
    original: PathBuf,
}

impl Watcher {
    /// Nothing may be seen in `root` but `name`, and that only if it is what `original` is.
    pub(super) fn start(root: &Path, name: &str, original: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seeing = Seeing { root: root.to_owned(), name: name.to_owned(), original: original.to_owned() };
        let (stopped, watching) = (Arc::clone(&stop), seeing.clone());
        let thread = thread::spawn(move || {
            let mut compared = false;
            while !stopped.load(Ordering::SeqCst) {
                if watching.look()? && !compared {
                    watching.compare()?;
                    compared = true;
                }
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        });
        Self { stop, thread: Some(thread), seeing }
    }

    /// Stops; nothing else was seen all the time, and now the file is there.
    #[track_caller]
    pub(super) fn assert_whole(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let seen = self.thread.take().expect("it was started").join().expect("no panic there");
        assert_eq!(seen, Ok(()));
        assert_eq!(self.seeing.look(), Ok(true));
        assert_eq!(self.seeing.compare(), Ok(()));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

impl Seeing {
    /// Whether the file is there.
    fn look(&self) -> Result<bool, String> {
        let mut found = false;
        for entry in fs::read_dir(&self.root).map_err(|error| error.to_string())?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            found |= name == self.name;
            if name != self.name && !name.starts_with(".sampan") {
                return Err(format!("{name:?} was visible"));
            }
        }
        let wanted = fs::metadata(&self.original).map_err(|error| error.to_string())?.len();
        match fs::metadata(self.root.join(&self.name)) {
            Ok(there) if there.len() == wanted => Ok(true),
            Ok(there) => Err(format!("{} of {wanted} bytes were visible", there.len())),
            Err(_) => Ok(found),
        }
    }

    fn compare(&self) -> Result<(), String> {
        let open = |path: &Path| File::open(path).map_err(|error| error.to_string());
        let (mut there, mut wanted) = (open(&self.root.join(&self.name))?, open(&self.original)?);
        let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        loop {
            let n = wanted.read(&mut a).map_err(|error| error.to_string())?;
            if n == 0 {
                return Ok(());
            }
            there.read_exact(&mut b[..n]).map_err(|error| error.to_string())?;
            if a[..n] != b[..n] {
                return Err("what was visible is not what was sent".into());
            }
        }
    }
}

#[test]
fn it_sees_what_it_watches_for() {
    let place = crate::kit::Place::new();
    let original = place.write("original", b"contents");
    for (name, contents, seen) in [
        ("moved", b"conte".as_slice(), "5 of 8 bytes were visible"),
        ("moved", b"contentz", "what was visible is not what was sent"),
        ("other", b"contents", "\"other\" was visible"),
    ] {
        let watcher = Watcher::start(&place.root(), "moved", &original);
        let path = place.serve(name, contents);
        let finished = || watcher.thread.as_ref().is_some_and(JoinHandle::is_finished);
        crate::kit::until("it is seen", crate::kit::PATIENCE, || finished().then_some(()));
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| watcher.assert_whole()));
        let told = told.expect_err("it was seen");
        let told = told.downcast_ref::<String>().expect("words");
        // Whoever looks while it is being written may see less of it.
        assert!(told.contains(seen) || told.contains("of 8 bytes were visible"), "{told}");
        fs::remove_file(path).expect("it is there");
    }
}
