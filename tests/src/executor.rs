//! Tasks in virtual time, and pipes between them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use embedded_io::{ErrorKind, ErrorType};
use embedded_io_async::{Read, Write};
use sampan_core::Instant;
use sampan_core::driver::asynch::Clock;

/// Runs tasks; where none can go on, the time moves to the next timer.
#[derive(Clone, Debug, Default)]
pub struct Executor(Rc<Time>);

#[derive(Debug, Default)]
struct Time {
    now: Cell<u64>,
    timers: RefCell<BTreeMap<(u64, u64), Waker>>,
    made: Cell<u64>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Executor {
    /// Runs the tasks to their ends.
    ///
    /// # Panics
    ///
    /// If they wait and nothing will ever wake them.
    pub fn run<'t>(&self, tasks: impl IntoIterator<Item = Pin<Box<dyn Future<Output = ()> + 't>>>) {
        let woken = || Arc::new(Flag(AtomicBool::new(true)));
        let mut tasks: Vec<_> = tasks.into_iter().map(|task| (task, woken())).collect();
        while !tasks.is_empty() {
            let mut any = false;
            tasks.retain_mut(|(task, flag)| {
                if !flag.0.swap(false, Ordering::Relaxed) {
                    return true;
                }
                any = true;
                let waker = Waker::from(Arc::clone(flag));
                task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
            });
            if !any {
                let first = self.0.timers.borrow_mut().pop_first();
                let ((at, _), waker) = first.expect("the tasks wait, and nothing will wake them");
                self.0.now.set(at);
                waker.wake();
            }
        }
    }
}

impl Clock for Executor {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.now.get())
    }

    async fn until(&self, instant: Instant) {
        self.0.made.set(self.0.made.get() + 1);
        let timer = Timer { time: &self.0, key: (instant.as_micros(), self.0.made.get()) };
        poll_fn(|cx| {
            if self.now() >= instant {
                return Poll::Ready(());
            }
            self.0.timers.borrow_mut().insert(timer.key, cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A timer that is dropped wakes nobody.
struct Timer<'t> {
    time: &'t Time,
    key: (u64, u64),
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.time.timers.borrow_mut().remove(&self.key);
    }
}

/// One direction of a link. Whoever drops a read or a write is not woken for it any more.
#[derive(Debug)]
pub struct Pipe {
    bytes: VecDeque<u8>,
    capacity: usize,
    closed: bool,
    wakers: [Option<Waker>; 2],
}

/// The end of a pipe that is read.
#[derive(Clone, Debug)]
pub struct Rx(Rc<RefCell<Pipe>>);

/// The end of a pipe that is written.
#[derive(Clone, Debug)]
pub struct Tx(Rc<RefCell<Pipe>>);

const READER: usize = 0;
const WRITER: usize = 1;

/// A pipe that holds so many bytes.
pub fn pipe(capacity: usize) -> (Tx, Rx) {
    let pipe = Pipe { bytes: VecDeque::new(), capacity, closed: false, wakers: [None, None] };
    let pipe = Rc::new(RefCell::new(pipe));
    (Tx(Rc::clone(&pipe)), Rx(pipe))
}

impl Pipe {
    fn wake(&mut self, side: usize) {
        if let Some(waker) = self.wakers[side].take() {
            waker.wake();
        }
    }
}

/// Forgets whom to wake.
struct Waiting<'p>(&'p RefCell<Pipe>, usize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().wakers[self.1] = None;
    }
}

impl Tx {
    /// Ends the stream.
    pub fn close(&self) {
        let mut pipe = self.0.borrow_mut();
        pipe.closed = true;
        pipe.wake(READER);
    }
}

impl ErrorType for Rx {
    type Error = ErrorKind;
}

impl Read for Rx {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(!into.is_empty(), "a read into nothing looks like the end of the stream");
        let _waiting = Waiting(&self.0, READER);
        poll_fn(|cx| {
            let mut pipe = self.0.borrow_mut();
            if pipe.bytes.is_empty() && !pipe.closed {
                pipe.wakers[READER] = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let n = into.len().min(pipe.bytes.len());
            for (to, byte) in into.iter_mut().zip(pipe.bytes.drain(..n)) {
                *to = byte;
            }
            pipe.wake(WRITER);
            Poll::Ready(Ok(n))
        })
        .await
    }
}

impl ErrorType for Tx {
    type Error = ErrorKind;
}

impl Write for Tx {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let _waiting = Waiting(&self.0, WRITER);
        poll_fn(|cx| {
            let mut pipe = self.0.borrow_mut();
            let n = bytes.len().min(pipe.capacity - pipe.bytes.len());
            if n == 0 {
                pipe.wakers[WRITER] = Some(cx.waker().clone());
                return Poll::Pending;
            }
            pipe.bytes.extend(&bytes[..n]);
            pipe.wake(READER);
            Poll::Ready(Ok(n))
        })
        .await
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
