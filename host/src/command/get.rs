//! `sampan get`.

use std::path::Path;

use sampan::client::{Destination, get};
use sampan::link::Url;
use sampan::stop::Stop;

use super::cli::GetArguments;
use super::cli::clients::FetchArguments;
use super::display::Style;
use super::ending::Ending;
use super::{stop_at_signals, work};

pub(crate) fn run(arguments: &GetArguments, style: Style) -> Result<(), Ending> {
    arguments.check()?;
    let url = work::dialled(&arguments.from.url())?;
    fetch_from(url, stop_at_signals()?, &arguments.names, &arguments.fetch, style)
}

/// Fetches what has these names.
pub(super) fn fetch_from(
    url: Url,
    stop: Stop,
    names: &[String],
    arguments: &FetchArguments,
    style: Style,
) -> Result<(), Ending> {
    let options = work::options(url, &arguments.link, arguments.limit_rate, stop);
    let destination = if arguments.is_to_stdout() {
        Destination::Output
    } else {
        destination(&arguments.output, names.len())
    };
    work::show(style, &options.stop, |reports| get(names, &destination, &options, reports))
}

/// Whether so many go into a directory at `path`, or one goes to it.
fn destination(path: &Path, names: usize) -> Destination {
    let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if names > 1 || slash || path.is_dir() {
        Destination::Directory(path.to_owned())
    } else {
        Destination::Path(path.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_known_by_being_one_its_slash_or_several_names() {
        let place = tempfile::tempdir().unwrap();
        let into = |path: &Path, names| matches!(destination(path, names), Destination::Directory(_));
        assert!(into(place.path(), 1));
        assert!(into(Path::new("new/"), 1));
        assert!(into(Path::new("new"), 2));
        assert!(!into(Path::new("new"), 1));
    }
}
