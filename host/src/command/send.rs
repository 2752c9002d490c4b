//! `sampan send`.

use std::path::{Path, PathBuf};

use sampan::client::{Plan, send, send_classic};
use sampan::failure::{ErrorName, Failure};

use super::cli::SendArguments;
use super::display::Style;
use super::ending::Ending;
use super::{stop_at_signals, work};

pub(crate) fn run(arguments: &SendArguments, style: Style) -> Result<(), Ending> {
    arguments.check()?;
    let url = work::dialled(&arguments.to.url())?;
    let options = work::options(url, &arguments.link, arguments.limit_rate, stop_at_signals()?);
    if let Some(name) = &arguments.name {
        sampan_core::wire::FileName::new(name).map_err(|error| {
            Failure::new(ErrorName::Usage, format!("{name:?} cannot be the name of a file: {error}"))
        })?;
    }
    let paths: Vec<PathBuf> = arguments.sources().map(Path::to_owned).collect();
    let plan = Plan::new(&paths, arguments.name.as_deref())?;
    work::show(style, &options.stop, |reports| match arguments.classic {
        true => send_classic(plan, &options, reports),
        false => send(plan, &options, reports),
    })
}
