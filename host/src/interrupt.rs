//! Being asked to stop: Ctrl-C, or a signal that means the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::{Exit, Failure};

/// Whether the user has asked the command to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on a signal only asks; once in a process.
    pub(crate) fn install() -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        let to_ask = Arc::clone(&asked);
        ctrlc::set_handler(move || to_ask.store(true, Ordering::Relaxed))
            .map_err(|error| Failure::new(Exit::Other, format!("cannot handle signals: {error}")))?;
        Ok(Self(asked))
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn check(&self) -> Result<(), Failure> {
        if self.is_asked() { Err(Failure::interrupted()) } else { Ok(()) }
    }
}
