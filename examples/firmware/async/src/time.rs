//! The timers of the executor, by the board's clock. It ticks every 10 ms, so that is how late one may be.

use core::cell::RefCell;
use core::task::Waker;

use critical_section::Mutex;
use embassy_time::Timer;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;
use sampan_core::Instant;
use sampan_core::driver::asynch::Clock;

struct Timers(Mutex<RefCell<Queue>>);

time_driver_impl!(static TIMERS: Timers = Timers(Mutex::new(RefCell::new(Queue::new()))));

impl Driver for Timers {
    fn now(&self) -> u64 {
        board::clock::now().as_micros()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // A tick comes anyway.
        critical_section::with(|cs| self.0.borrow_ref_mut(cs).schedule_wake(at, waker));
    }
}

/// Wakes those whose time has come.
pub fn wake() {
    critical_section::with(|cs| TIMERS.0.borrow_ref_mut(cs).next_expiration(TIMERS.now()));
}

/// The same time for the session.
pub struct Time;

impl Clock for Time {
    fn now(&self) -> Instant {
        board::clock::now()
    }

    async fn until(&self, instant: Instant) {
        Timer::at(embassy_time::Instant::from_micros(instant.as_micros())).await;
    }
}
