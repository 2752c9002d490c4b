//! `sampan send`.

use sampan::failure::{ErrorName, Failure};

use super::cli::SendArguments;
use super::display::Style;
use super::ending::Ending;

pub(crate) fn run(arguments: &SendArguments, _style: Style) -> Result<(), Ending> {
    arguments.check()?;
    let _ = arguments;
    Err(Failure::new(ErrorName::Other, "not built yet").into())
}
