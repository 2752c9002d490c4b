//! What else the board does.

use board::BOARD;
use embassy_time::{Duration, Instant, Ticker};

use crate::text::say;

const EVERY: Duration = Duration::from_millis(100);

/// Work that wants to be done ten times a second. Once a second it says how often it was, and how late at most.
#[embassy_executor::task]
pub async fn work() {
    let mut due = Instant::now() + EVERY;
    let mut ticker = Ticker::every(EVERY);
    let (mut times, mut latest) = (0u32, Duration::MIN);
    loop {
        ticker.next().await;
        times += 1;
        latest = latest.max(Instant::now().saturating_duration_since(due));
        due += EVERY;
        if times.is_multiple_of(10) {
            say(format_args!(
                "{BOARD}: other work done {times} times, late by at most {} us",
                latest.as_micros()
            ));
        }
    }
}
