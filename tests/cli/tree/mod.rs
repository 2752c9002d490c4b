//! Whole trees, there and back.

mod grown;
mod listing;
mod pipes;
mod round_trip;
mod seen;
mod skipped;
mod wholes;

use grown::grow;
use seen::{Directories, Seen};
