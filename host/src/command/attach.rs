//! `sampan attach`.

use sampan::client::{AttachOptions, Outcome, attach};
use sampan::report::Summary;
use sampan::store::{Serves, Store, StoreOptions};

use super::cli::AttachArguments;
use super::cli::attach::Permission;
use super::display::Style;
use super::ending::Ending;
use super::values::NodeName;
use super::{stop_at_signals, work};

pub(crate) fn run(arguments: &AttachArguments, style: Style) -> Result<(), Ending> {
    let url = work::dialled(&arguments.url)?;
    let node = arguments.name.clone().unwrap_or_else(NodeName::of_this_computer);
    let allows = |permission| arguments.allow.contains(&permission);
    let options = AttachOptions {
        serves: Serves { get: allows(Permission::Get), list: allows(Permission::List) },
        on_conflict: arguments.on_conflict.into(),
        timeout: arguments.timeout.0,
        stop: stop_at_signals()?,
        ..AttachOptions::new(url, node.as_str())
    };
    let store =
        Store::open(&arguments.dir, StoreOptions::default()).map_err(sampan::failure::Failure::from)?;
    work::show(style, &options.stop, |reports| {
        attach(&store, &options, reports)?;
        Ok(Outcome { summary: Summary::default(), error: None })
    })
}
