//! `sampan ping`.

use sampan::client::{PingOptions, ping};

use super::cli::PingArguments;
use super::display::Style;
use super::ending::Ending;
use super::{stop_at_signals, work};

pub(crate) fn run(arguments: &PingArguments, style: Style) -> Result<(), Ending> {
    let url = work::dialled(&arguments.url)?;
    let options = PingOptions {
        count: arguments.count,
        interval: arguments.interval.0.into(),
        timeout: arguments.timeout.0,
        stop: stop_at_signals()?,
        ..PingOptions::new(url)
    };
    work::show(style, &options.stop, |reports| ping(&options, reports))
}
