//! `sampan ctl push`.

use std::path::{Path, PathBuf};

use sampan::ctl::{Answer, FileToPush, Request};
use sampan::failure::{ErrorName, Failure};

use super::progress::Bars;
use super::results::Results;
use super::{Server, wording};
use crate::command::cli::ctl::PushArguments;
use crate::command::display::Style;
use crate::command::ending::Ending;
use crate::command::output::Voice;

pub(super) fn run(server: &Server<'_>, arguments: &PushArguments, style: Style) -> Result<(), Ending> {
    let request = Request::Push {
        files: files(&arguments.files, arguments.name.as_deref())?,
        to: arguments.to.who.clone(),
        parallel: arguments.parallel,
        within: arguments.within.seconds(),
    };
    let mut results = Results::new(style);
    let mut bars = Bars::new(style);
    let result = server.show(&request, &mut results, |answer, results| show(answer, results, &mut bars));
    bars.clear();
    results.end_after(result)
}

fn show(answer: &Answer, results: &mut Results, bars: &mut Bars) {
    match answer {
        Answer::Progress { node, name, bytes, size } => {
            bars.at(node, name, *bytes, *size);
            // People see bars, or wait for the end.
            results.event(answer);
        }
        Answer::Waiting { node } => {
            bars.beside(|| results.tell(answer, Voice::Normal, || wording::waiting(node)));
        }
        Answer::Pushed(pushed) => {
            bars.beside(|| results.tell(answer, Voice::Verbose, || wording::pushed(pushed)));
        }
        Answer::Result(result) => {
            bars.over(&result.node);
            bars.beside(|| results.count(answer, result.error, || wording::node(result)));
        }
        Answer::Summary(total) => {
            bars.clear();
            let from = if total.asked > 1 { Voice::Normal } else { Voice::Verbose };
            results.tell(answer, from, || wording::all_pushed(total));
        }
        _ => {}
    }
}

/// What the server is to open, and under which names it goes.
fn files(paths: &[PathBuf], name: Option<&str>) -> Result<Vec<FileToPush>, Failure> {
    if name.is_some() && paths.len() > 1 {
        return Err(
            Failure::new(ErrorName::Usage, "--name is for a single file").with_advice("push them one by one")
        );
    }
    paths.iter().map(|path| file(path, name)).collect()
}

fn file(path: &Path, name: Option<&str>) -> Result<FileToPush, Failure> {
    let usage = |what: String| Failure::new(ErrorName::Usage, what);
    if path.as_os_str() == "-" {
        return Err(usage(
            "the standard input cannot be pushed: every node reads it from its beginning".to_owned(),
        )
        .with_advice("push a file"));
    }
    if path.is_dir() {
        return Err(usage(format!("{} is a directory", path.display()))
            .with_advice("push the files in it, or an archive of it"));
    }
    let absolute = std::path::absolute(path)
        .map_err(|error| Failure::new(ErrorName::LocalFile, format!("{}: {error}", path.display())))?;
    // The server is asked in text.
    if absolute.to_str().is_none() {
        return Err(usage(format!("the path of {path:?} is not UTF-8")).with_advice("rename it"));
    }
    let name = name.or_else(|| path.file_name()?.to_str());
    let name = name.ok_or_else(|| usage(format!("{} has no name of its own", path.display())))?;
    Ok(FileToPush { path: absolute, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_under_the_last_parts_of_their_paths() {
        let file = |typed: &str, name| files(&[typed.into()], name).map(|mut files| files.remove(0));
        let found = file("a/b.bin", None).unwrap();
        assert!(found.path.is_absolute() && found.path.ends_with("a/b.bin"));
        assert_eq!(found.name, "b.bin");
        assert_eq!(file("a/b.bin", Some("c/d")).unwrap().name, "c/d");
        for typed in ["-", "/", ".."] {
            assert_eq!(file(typed, None).unwrap_err().error, ErrorName::Usage, "{typed}");
        }
        assert_eq!(files(&["a".into(), "b".into()], Some("c")).unwrap_err().error, ErrorName::Usage);
    }
}
