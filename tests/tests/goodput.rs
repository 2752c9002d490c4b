//! What is left of a link's rate for the contents of files, in virtual time, beside what is possible at all. A change shows as a diff of the table in
//! `tests/snapshots/goodput.txt`.

use std::fmt::Write;

use sampan_core::{Cobs, Datagrams, Framing, Limits, Stream};
use sampan_tests::{Carries, Conditions, Faults, Heard, Laid, Offer, Setup, assert_snapshot, content};

/// One line of the table.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Bytes a second.
    rate: u64,
    /// Round trip in milliseconds.
    trip: u64,
    window: u32,
    /// The longest payload that the receiver's buffer allows.
    payload: usize,
    /// In percent of the frames, either way.
    loss: u32,
    /// How much is sent.
    length: usize,
}

/// What it came to.
struct Outcome {
    /// Bytes of the file a second, from the first HELLO to the last DONE.
    goodput: f64,
    /// Bytes that went out for each of the file.
    cost: f64,
}

/// Kind, transfer, offset and check of a DATA frame.
const FRAME: usize = 1 + 1 + 3 + 4;

/// What the framing adds.
fn around(carries: Carries, payload: usize) -> usize {
    FRAME
        + match carries {
            Carries::Stream => 3,
            Carries::Line => 2 + (payload + FRAME) / 254,
            Carries::Datagrams => 0,
        }
}

/// A receive buffer that holds a frame of this payload and no longer one.
fn buffer<F: Framing>(payload: usize) -> usize {
    (64..).find(|length| F::largest(*length) >= payload + FRAME).expect("some length")
}

fn run<F: Laid>(case: Case) -> Outcome {
    let delay = case.trip * 500;
    // Twice what fits into the round trip.
    let queue = (2 * case.rate * case.trip / 1_000).max(20_000) as usize;
    let limits = Limits { window: case.window, ..Limits::LARGE };
    let setup = Setup {
        limits: [limits; 2],
        memory: [(buffer::<F>(case.payload), 2 * case.payload + 100, 1); 2],
        conditions: Conditions { delay, rate: case.rate, queue, ..Conditions::default() },
        ..Setup::default()
    };
    let chance = f64::from(case.loss) / 100.0;
    let mut pair = setup.join_with::<F>([Faults::drops(chance, 1), Faults::drops(chance, 2)]);
    let id = pair.a.send(Offer::file("file", content(1, case.length)));
    pair.run_until(20_000, |pair| pair.a.heard.contains(&Heard::Sent(id)));
    let seconds = pair.now() as f64 / 1e6;
    Outcome {
        goodput: case.length as f64 / seconds,
        cost: pair.wire.channel(0).carried as f64 / case.length as f64,
    }
}

/// What the rate, or the window and the round trip, leave for contents, less overhead and loss.
fn limit<F: Laid>(case: Case) -> f64 {
    let frame = (case.payload + around(F::CARRIES, case.payload)) as f64;
    let rate = case.rate as f64 * case.payload as f64 / frame;
    let window = f64::from(case.window) * 1e3 / case.trip as f64;
    rate.min(window) * (1.0 - f64::from(case.loss) / 100.0)
}

fn line<F: Laid>(table: &mut String, case: Case) {
    let Outcome { goodput, cost } = run::<F>(case);
    let limit = limit::<F>(case);
    let Case { rate, trip, window, payload, loss, .. } = case;
    let kind = format!("{:?}", F::CARRIES).to_lowercase();
    writeln!(
        table,
        "{kind:10}{rate:10}{trip:6}{window:10}{payload:9}{loss:6}{goodput:12.0}{limit:12.0}{:7.1}{cost:8.3}",
        goodput / limit * 100.0
    )
    .expect("text");
}

#[test]
fn goodput_is_as_kept() {
    let mut table = format!(
        "{:10}{:>10}{:>6}{:>10}{:>9}{:>6}{:>12}{:>12}{:>7}{:>8}\n",
        "link", "bytes/s", "ms", "window", "payload", "loss%", "goodput", "possible", "%", "cost"
    );
    for rate in [1_250_000, 12_500_000] {
        for trip in [1, 40] {
            for window in [64 << 10, 1 << 20] {
                let case = Case { rate, trip, window, payload: 16_000, loss: 0, length: 4 << 20 };
                line::<Stream>(&mut table, case);
            }
        }
    }
    for (rate, length) in [(11_520, 64 << 10), (92_160, 256 << 10)] {
        for trip in [20, 100] {
            for window in [256, 1_024, 4_096] {
                for loss in [0, 1, 10] {
                    line::<Cobs>(&mut table, Case { rate, trip, window, payload: 250, loss, length });
                }
            }
        }
    }
    for (rate, most) in [(1_250_000, 2 << 20), (6_250_000, 8 << 20)] {
        for trip in [10, 40, 200] {
            for (window, length) in [(64 << 10, 1 << 20), (4 << 20, most)] {
                for loss in [0, 1, 10] {
                    let case = Case { rate, trip, window, payload: 1_191, loss, length };
                    line::<Datagrams>(&mut table, case);
                }
            }
        }
    }
    println!("{table}");
    assert_snapshot("goodput.txt", &table);
}

/// 115,200 baud, 20 ms, nothing lost.
fn serial(payload: usize, window: u32) -> (f64, Outcome) {
    let case = Case { rate: 11_520, trip: 20, window, payload, loss: 0, length: 256 << 10 };
    (11_520.0, run::<Cobs>(case))
}

#[test]
fn a_serial_line_is_used_well() {
    let (rate, Outcome { goodput, cost }) = serial(250, 1_024);
    println!(
        "window 1 KiB, payloads of 250: {:.1} % of the line, {cost:.4} bytes for each",
        goodput / rate * 100.0
    );
    assert!(goodput >= 0.92 * rate, "{goodput} of {rate}");
    assert!(cost <= 1.05, "{cost} bytes for each of the file");
    let (rate, Outcome { goodput, cost }) = serial(4_096, 16 << 10);
    println!(
        "window 16 KiB, payloads of 4 KiB: {:.1} % of the line, {cost:.4} bytes for each",
        goodput / rate * 100.0
    );
    assert!(cost <= 1.01, "{cost} bytes for each of the file");
}
