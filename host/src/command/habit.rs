//! A habit of other tools: the server as the last argument.

use std::path::{Path, PathBuf};

use sampan::failure::{ErrorName, Failure};

use super::values::Host;

/// If one of `paths` is no file, and looks as `scp` would have a server: what to type instead.
pub(crate) fn hint_of_habit(paths: &[PathBuf]) -> Option<Failure> {
    let missing = |path: &&PathBuf| path.symlink_metadata().is_err();
    paths.iter().filter(missing).find_map(|path| hint(path))
}

fn hint(path: &Path) -> Option<Failure> {
    let server = server(path.to_str()?)?;
    let what = format!("there is no file {path:?}; if a server is meant, say so with --to {server}");
    Some(Failure::new(ErrorName::Usage, what).with_advice("--name chooses the name that a file gets there"))
}

/// The server that was meant by `HOST:`, `HOST:PATH`, `USER@HOST:PATH` or a URL, as `--to` takes it.
fn server(typed: &str) -> Option<String> {
    if ["tcp://", "unix:", "exec:"].iter().any(|scheme| typed.starts_with(scheme)) {
        return typed.chars().all(is_harmless).then(|| typed.to_owned());
    }
    let (_, after_user) = typed.split_once('@').unwrap_or(("", typed));
    let (host, rest) = match after_user.split_once("]:") {
        Some((host, rest)) if host.starts_with('[') => (format!("{host}]"), rest),
        _ => after_user.split_once(':').map(|(host, rest)| (host.to_owned(), rest))?,
    };
    let is_drive = cfg!(windows) && host.len() == 1;
    let is_host = !is_drive && host.chars().all(is_of_a_host);
    let host = is_host.then(|| host.parse::<Host>().ok())??;
    Some(match rest.parse::<u16>() {
        Ok(port) => format!("{host}:{port}"),
        Err(_) => host.to_string(),
    })
}

/// What a shell takes as it is.
fn is_harmless(c: char) -> bool {
    is_of_a_host(c) || c == '/'
}

fn is_of_a_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hinted(path: &str) -> Option<String> {
        hint_of_habit(&[PathBuf::from(path)]).map(|failure| {
            assert_eq!(failure.error, ErrorName::Usage);
            let text = failure.to_string();
            let (_, after) = text.split_once("--to ").unwrap();
            after.split_once("; ").unwrap().0.to_owned()
        })
    }

    #[test]
    fn what_looks_like_a_server_is_hinted_at() {
        for typed in ["host:", "host:/path", "host:path", "user@host:", "user@host:~/in"] {
            assert_eq!(hinted(typed).as_deref(), Some("host"), "{typed}");
        }
        assert_eq!(hinted("example.org:50001").as_deref(), Some("example.org:50001"));
        assert_eq!(hinted("me@[fe80::1]:/tmp").as_deref(), Some("[fe80::1]"));
        assert_eq!(hinted("tcp://example.org:1").as_deref(), Some("tcp://example.org:1"));
        assert_eq!(hinted("unix:/run/s").as_deref(), Some("unix:/run/s"));
    }

    #[test]
    fn what_does_not_is_not() {
        for typed in ["host", ":", ":x", "a b:", "dir/host:", "-", "@:", "a\n:", "exec:$(id)", "[::1:"] {
            assert_eq!(hinted(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn files_with_colons_are_files() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("host:");
        std::fs::write(&file, b"x").unwrap();
        assert_eq!(hint_of_habit(std::slice::from_ref(&file)), None);
        let mixed = hint_of_habit(&[file, PathBuf::from("nowhere:/x")]);
        assert!(mixed.unwrap().to_string().contains("\"nowhere:/x\""));
    }
}
