//! What `defmt` shows of a session: not the memory that was lent.

use defmt::{Format, Formatter, write};

use super::{Buffers, Receiver, Sender, Session};

impl Format for Buffers<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "Buffers {{ receive: {=usize}, transmit: {=usize} }}",
            self.receive.len(),
            self.transmit.len()
        );
    }
}

impl<R, F, C> Format for Session<'_, R, F, C> {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "Session {{ nonce: {=u64:#x}, state: {}, error: {} }}",
            self.opening.nonce, self.state, self.error
        );
    }
}

impl Format for Sender<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "Sender {{ active: {=bool} }}", self.is_active());
    }
}

impl Format for Receiver<'_> {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "Receiver {{ slots: {=u32}, gaps: {=u32}, active: {=bool} }}",
            self.capacity(),
            self.gaps(),
            self.is_active()
        );
    }
}
