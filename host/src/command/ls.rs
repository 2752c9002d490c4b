//! `sampan ls`.

use sampan::client::ls;

use super::cli::LsArguments;
use super::display::Style;
use super::ending::Ending;
use super::work;

pub(crate) fn run(arguments: &LsArguments, style: Style) -> Result<(), Ending> {
    let options = work::options(&arguments.from.url(), &arguments.link, None)?;
    work::show(style, &options.stop, |reports| ls(&arguments.prefix, &options, reports))
}
