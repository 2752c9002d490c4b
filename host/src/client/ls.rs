//! Listing what a server has.

use std::sync::Arc;

use sampan_core::wire::FileName;

use super::fetching::Fetching;
use super::{ClientOptions, Outcome};
use crate::control::Control;
use crate::failure::{ErrorName, Failure};
use crate::link::Waker;
use crate::reports::Reports;

/// Reports an [`Entry`](crate::report::Report::Entry) for everything whose name begins with `prefix`.
///
/// # Errors
///
/// If the prefix is not valid, the server cannot be reached or refuses, or at an interruption.
pub fn ls(prefix: &str, options: &ClientOptions, reports: &Reports) -> Result<Outcome, Failure> {
    // `dir/` means what is in it, but a name never ends so: what lies beside it is left out here.
    let wire = prefix.strip_suffix('/').unwrap_or(prefix);
    if !wire.is_empty() {
        FileName::new(wire).map_err(|error| {
            Failure::new(
                ErrorName::Usage,
                format!("{prefix:?} cannot be the beginning of a name there: {error}"),
            )
        })?;
    }
    let waker = Waker::new().map_err(|error| Failure::new(ErrorName::Other, error.to_string()))?;
    let control = Arc::new(Control::new(waker));
    Fetching::listing(prefix, wire, options, reports, control).run()
}
