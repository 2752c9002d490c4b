//! Storage that ends: nobody is told that a file is there that is not, nothing is left over, and the server goes on.

mod full;
mod limited;

use crate::kit::Ran;

/// The peer's storage is the reason that it failed.
#[track_caller]
fn assert_no_room(ran: &Ran) {
    ran.assert_exit(5);
    assert!(ran.events("sent").is_empty(), "{}", ran.text());
    let failed = ran.event("failed");
    let error = failed["error"].as_str().unwrap_or_default();
    assert!(["no-space", "storage", "too-large"].contains(&error), "{failed}");
}
