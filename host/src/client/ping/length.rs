//! How long a frame may be.

use std::time::{Duration, Instant};

use super::session::Pinging;
use crate::failure::Failure;
use crate::link::Nature;

/// How long all tries may take.
const WITHIN: Duration = Duration::from_secs(10);
/// How often one is tried where it may be lost for another reason than its length.
const TRIES: u32 = 3;
/// What usual paths carry, in bytes of a frame: loopback over IPv6, jumbo frames, Ethernet, Ethernet over IPv6, tunnels, and what IPv6 promises.
const USUAL: [usize; 9] = [65_488, 16_384, 8_972, 8_952, 1_472, 1_452, 1_400, 1_232, 548];
/// A ping that is no longer than it must be.
const SHORTEST: usize = 10;

/// Tries frames until the longest is known that passes; `largest` is what has passed so far.
pub(super) fn measure(
    pinging: &mut Pinging<'_>,
    nature: Nature,
    largest: &mut Option<usize>,
) -> Result<(), Failure> {
    let until = Instant::now() + WITHIN;
    let longest = pinging.longest();
    let search = Search::new(longest);
    let tries = if nature == Nature::Stream { 1 } else { TRIES };
    search.run(|length| {
        if Instant::now() >= until {
            return Ok(None);
        }
        let passes = passes(pinging, (length, nature, tries))?;
        if passes {
            *largest = Some(largest.map_or(length, |largest| largest.max(length)));
        }
        Ok(Some(passes))
    })?;
    largest.get_or_insert(SHORTEST.min(longest));
    Ok(())
}

/// Whether an answer comes to a frame of so many bytes.
fn passes(pinging: &mut Pinging<'_>, (length, nature, tries): (usize, Nature, u32)) -> Result<bool, Failure> {
    // A long frame takes its time on a slow line.
    let patience = match nature {
        Nature::Stream => pinging.options.timeout.into(),
        Nature::Datagrams { .. } => pinging.patience(),
        Nature::Line { rate } => {
            pinging.patience() + Duration::from_micros(2_000_000 * length as u64 / rate.max(1))
        }
    };
    for _ in 0..tries {
        let until = Instant::now() + patience;
        let Some(sent) = pinging.ping(length) else {
            pinging.answer(until)?;
            continue;
        };
        while let Some(number) = pinging.answer(until)? {
            if number == sent.number {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Which lengths are tried, one after the other.
struct Search {
    longest: usize,
}

impl Search {
    const fn new(longest: usize) -> Self {
        Self { longest }
    }

    /// `passes` says whether a length does, or nothing if it is enough.
    fn run(self, mut passes: impl FnMut(usize) -> Result<Option<bool>, Failure>) -> Result<(), Failure> {
        if self.longest <= SHORTEST || passes(self.longest)? != Some(false) {
            return Ok(());
        }
        let (mut good, mut bad) = (SHORTEST, self.longest);
        for length in USUAL.into_iter().filter(|length| *length < self.longest) {
            match passes(length)? {
                None => return Ok(()),
                Some(true) => {
                    good = length;
                    break;
                }
                Some(false) => bad = length,
            }
        }
        // What is usual is often all.
        let mut length = good + 1;
        while good + 1 < bad {
            match passes(length)? {
                None => return Ok(()),
                Some(true) => good = length,
                Some(false) => bad = length,
            }
            length = good + (bad - good) / 2;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found where no more than so many bytes pass, and after how many tries.
    fn found(longest: usize, path: usize) -> (usize, u32) {
        let (mut best, mut tries) = (SHORTEST, 0);
        let run = Search::new(longest).run(|length| {
            tries += 1;
            let passes = length <= path;
            best = if passes { best.max(length) } else { best };
            Ok(Some(passes))
        });
        run.unwrap();
        (best, tries)
    }

    #[test]
    fn the_longest_that_passes_is_found() {
        assert_eq!(found(65_507, 65_507), (65_507, 1));
        for path in [65_506, 65_488, 30_000, 8_972, 1_473, 1_472, 1_280, 600, 100, 11, 10] {
            let (length, tries) = found(65_507, path);
            assert_eq!(length, path);
            assert!(tries <= 28, "{path}: {tries}");
        }
        assert!(found(65_507, 1_472).1 <= 7);
        assert_eq!(found(60, 20).0, 20);
        assert_eq!(found(10, 10).1, 0);
    }
}
