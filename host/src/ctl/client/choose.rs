//! Which server is meant.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Conversation;
use crate::ctl::{Answer, Request, running};
use crate::failure::{ErrorName, Failure};
use crate::link::{Url, sweep};
use crate::stop::Stop;

/// How long a server may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(1);

/// The control socket of the server that is meant: the one that was given, or that of the only server of this user's that runs. What
/// servers that are gone have left is removed.
///
/// # Errors
///
/// [`ErrorName::Usage`] if several run, with a list of them, or if what was given is no Unix socket; [`ErrorName::Connect`] if none runs.
pub fn choose(given: Option<&Url>, stop: &Stop) -> Result<PathBuf, Failure> {
    match given {
        Some(Url::Unix(path)) => return Ok(path.clone()),
        Some(url) => {
            return Err(Failure::new(ErrorName::Usage, format!("{url} is no control socket"))
                .with_advice("use unix:PATH"));
        }
        None => {}
    }
    let found = running()
        .map_err(|error| Failure::new(ErrorName::Connect, format!("cannot look for servers: {error}")))?;
    only(found.into_iter().filter(|path| !sweep(path)).collect(), stop)
}

fn only(mut running: Vec<PathBuf>, stop: &Stop) -> Result<PathBuf, Failure> {
    match running.len() {
        0 => Err(Failure::new(ErrorName::Connect, "no server of this user is running")
            .with_advice("start one with: sampan serve")),
        1 => Ok(running.swap_remove(0)),
        _ => {
            let mut what =
                "several servers of this user are running: say which one with --control".to_owned();
            for path in running {
                stop.check()?;
                let _ = write!(what, "\n  --control unix:{}", path.display());
                if let Some(urls) = urls(&path, stop) {
                    let _ = write!(what, "  listens at {}", super::escaped(&urls.join(", ")));
                }
            }
            Err(Failure::new(ErrorName::Usage, what))
        }
    }
}

/// Where a server listens.
fn urls(path: &Path, stop: &Stop) -> Option<Vec<String>> {
    let mut conversation =
        Conversation::within(path, &Request::Status { every: None }, stop, PATIENCE).ok()?;
    loop {
        if let Answer::Status(status) = conversation.next_answer().ok()?? {
            return Some(status.urls);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_given_is_taken_if_it_is_a_unix_socket() {
        let stop = Stop::new();
        assert_eq!(choose(Some(&Url::Unix("/nowhere".into())), &stop).unwrap(), Path::new("/nowhere"));
        assert_eq!(choose(Some(&Url::default()), &stop).unwrap_err().error, ErrorName::Usage);
    }

    #[test]
    fn one_is_taken_several_are_listed_and_left_overs_are_removed() {
        let (place, stop) = (tempfile::tempdir().unwrap(), Stop::new());
        let path = |name: &str| place.path().join(name);
        assert_eq!(only(Vec::new(), &stop).unwrap_err().error, ErrorName::Connect);
        drop(UnixListener::bind(path("gone")).unwrap());
        assert!(sweep(&path("gone")) && !path("gone").exists());
        let listeners = ["a", "b"].map(|name| UnixListener::bind(path(name)).unwrap());
        assert!(!sweep(&path("a")) && path("a").exists());
        assert_eq!(only(vec![path("a")], &stop).unwrap(), path("a"));
        drop(listeners);
        let failure = only(vec![path("a"), path("b")], &stop).unwrap_err();
        assert_eq!(failure.error, ErrorName::Usage);
        assert!(
            failure.to_string().contains(&format!("--control unix:{}", path("b").display())),
            "{failure}"
        );
    }
}
