//! `sampan ls`.

use sampan::client::ls;

use super::cli::LsArguments;
use super::display::Style;
use super::ending::Ending;
use super::{stop_at_signals, work};

pub(crate) fn run(arguments: &LsArguments, style: Style) -> Result<(), Ending> {
    let url = work::dialled(&arguments.from.url())?;
    let options = work::options(url, &arguments.link, None, stop_at_signals()?);
    work::show(style, &options.stop, |reports| ls(&arguments.prefix, &options, reports))
}
