//! `sampan ls`.

use sampan::failure::{ErrorName, Failure};

use super::cli::LsArguments;
use super::display::Style;
use super::ending::Ending;

pub(crate) fn run(arguments: &LsArguments, _style: Style) -> Result<(), Ending> {
    let _ = arguments;
    Err(Failure::new(ErrorName::Other, "not built yet").into())
}
