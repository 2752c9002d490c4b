//! `sampan get`.

use sampan::failure::{ErrorName, Failure};

use super::cli::GetArguments;
use super::display::Style;
use super::ending::Ending;

pub(crate) fn run(arguments: &GetArguments, _style: Style) -> Result<(), Ending> {
    arguments.check()?;
    let _ = arguments;
    Err(Failure::new(ErrorName::Other, "not built yet").into())
}
