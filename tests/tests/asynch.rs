//! The driver for executors: two tasks, pipes that hold little, and virtual time.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use sampan_core::driver::Turn;
use sampan_core::driver::asynch::{Clock, turn};
use sampan_core::wire::Code;
use sampan_core::{Error, Event, Instant, Limits, LinkError, Speaks};
use sampan_tests::executor::{Executor, Rx, Tx, pipe};
use sampan_tests::{Disk, MemoryStorage, Node, Offer, content, session};

struct Task {
    node: Node,
    storage: MemoryStorage,
    link: (Rx, Tx),
    clock: Executor,
    /// A turn that takes longer, in microseconds, is dropped and another one begun.
    patience: Option<u64>,
    /// Transfers that are to end before it says goodbye, in both directions.
    awaits: usize,
    finish: Option<Result<(), Error>>,
    dropped: usize,
}

impl Task {
    fn new(clock: &Executor, link: (Rx, Tx), speaks: Speaks, disk: &Disk) -> Self {
        let nonce = if speaks == Speaks::First { 2 } else { 3 };
        Self {
            node: session(Limits { window: 300, ..Limits::SMALL }, (120, 120, 2), (speaks, nonce), 0),
            storage: MemoryStorage::on(disk),
            link,
            clock: clock.clone(),
            patience: None,
            awaits: 0,
            finish: None,
            dropped: 0,
        }
    }

    fn send(&mut self, file: &Offer) {
        let id = self.node.offer().unwrap();
        self.storage.put(id, file.clone());
        self.awaits += 1;
    }

    async fn run(&mut self) {
        while self.finish.is_none() {
            let (rx, tx) = &mut self.link;
            let until = self.patience.map(|span| Instant::from_micros(self.clock.now().as_micros() + span));
            let turn = turn(&mut self.node, (rx, tx), &mut self.storage, &self.clock);
            match within(turn, until, &self.clock).await {
                None => self.dropped += 1,
                Some(Ok(Turn::Event(Event::Sent { .. } | Event::Received { .. }))) => {
                    self.awaits -= 1;
                    if self.awaits == 0 {
                        self.node.close(Code::Ok);
                    }
                }
                Some(Ok(Turn::Worked | Turn::Event(_))) => {}
                Some(Ok(Turn::Closed)) => self.finish = Some(Ok(())),
                Some(Err(error)) => self.finish = Some(Err(error)),
            }
        }
        self.link.1.close();
    }
}

/// What a future comes to until then; later it is dropped.
async fn within<T>(future: impl Future<Output = T>, until: Option<Instant>, clock: &Executor) -> Option<T> {
    let mut future = pin!(future);
    let mut time = pin!(clock.until(until.unwrap_or(Instant::from_micros(u64::MAX))));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => time.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// Both ends send two files at once; how long it took.
fn both_ways(capacity: usize, prepare: impl Fn(&mut Task)) -> (Instant, [Task; 2]) {
    let clock = Executor::default();
    let disks = [Disk::default(), Disk::default()];
    let ((tx_a, rx_b), (tx_b, rx_a)) = (pipe(capacity), pipe(capacity));
    let mut a = Task::new(&clock, (rx_a, tx_a), Speaks::First, &disks[0]);
    let mut b = Task::new(&clock, (rx_b, tx_b), Speaks::Second, &disks[1]);
    let files =
        |seed| [Offer::file("one", content(seed, 5_000)), Offer::file("two", content(seed + 1, 3_000))];
    for (task, seed) in [(&mut a, 1), (&mut b, 3)] {
        files(seed).iter().for_each(|file| task.send(file));
        task.awaits += 2;
        prepare(task);
    }
    clock.run([Box::pin(a.run()) as std::pin::Pin<Box<dyn Future<Output = ()>>>, Box::pin(b.run())]);
    assert_eq!((a.finish, b.finish), (Some(Ok(())), Some(Ok(()))));
    for (disk, seed) in [(&disks[0], 3), (&disks[1], 1)] {
        for file in files(seed) {
            assert_eq!(disk.file(&file.name), Some(file.data));
        }
    }
    (clock.now(), [a, b])
}

#[test]
fn two_sessions_send_to_each_other_at_once_over_links_that_hold_little() {
    for capacity in [1, 7, 64] {
        let (took, _) = both_ways(capacity, |_| ());
        // 16 KB byte by byte, and a pause for some of the writes that wait.
        assert!(took < Instant::from_millis(30_000), "{capacity}: {took:?}");
    }
}

#[test]
fn what_is_woken_by_the_link_takes_no_time() {
    let (took, _) = both_ways(1 << 20, |_| ());
    assert_eq!(took, Instant::ZERO);
}

#[test]
fn a_turn_may_be_dropped_whenever_it_waits() {
    let (_, tasks) = both_ways(16, |task| {
        task.patience = Some(300);
        task.storage.policy.busy_every = Some(2);
    });
    assert!(tasks.iter().all(|task| task.dropped > 50), "{:?}", tasks.map(|task| task.dropped));
}

#[test]
fn a_busy_sink_a_dry_source_and_late_answers_are_asked_again() {
    let (took, _) = both_ways(200, |task| {
        task.storage.policy.busy_every = Some(3);
        task.storage.policy.dry = 0x5A5A;
        task.storage.policy.late_sync = true;
        task.storage.policy.late_commit = true;
    });
    assert!(took > Instant::ZERO, "it did not let other tasks run meanwhile");
}

fn alone(prepare: impl FnOnce(&Tx)) -> (Option<Result<(), Error>>, Instant) {
    let clock = Executor::default();
    let ((tx, _theirs), (their_tx, rx)) = (pipe(1_000), pipe(1_000));
    prepare(&their_tx);
    let mut task = Task::new(&clock, (rx, tx), Speaks::First, &Disk::default());
    task.send(&Offer::file("one", content(1, 500)));
    clock.run([Box::pin(task.run()) as std::pin::Pin<Box<dyn Future<Output = ()>>>]);
    (task.finish, clock.now())
}

#[test]
fn a_deadline_ends_a_wait_to_the_microsecond() {
    let (finish, now) = alone(|_| ());
    assert_eq!(finish, Some(Err(Error::Link(LinkError::Handshake))));
    assert_eq!(now, Instant::ZERO.after(Limits::SMALL.handshake));
}

#[test]
fn the_end_of_the_stream_is_a_lost_link() {
    let (finish, now) = alone(Tx::close);
    assert_eq!(finish, Some(Err(Error::Link(LinkError::Lost))));
    assert_eq!(now, Instant::ZERO);
}
