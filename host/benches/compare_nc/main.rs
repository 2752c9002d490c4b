//! Sampan beside netcat: one file from and to memory-backed storage over loopback TCP.
//!
//! `scripts/compare-nc.sh [MIB] [ROUNDS]` runs it, once as the machine is and once with everything on reno.
//!
//! Every round runs each case once, one after the other, so that a slow moment of the machine hits all of them. A round that is not
//! counted goes before; it compares what has arrived, byte by byte, in the others the size is looked at. Each destination is deleted
//! before it is written again. Processor time is that of both ends; peak memory is the highest that a process of any round had.

mod cases;
mod ground;
mod process;
mod table;

use std::env;
use std::process::ExitCode;

use cases::{Case, Comparison};
use ground::Ground;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare_nc: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), Failure> {
    // Cargo adds `--bench`.
    let mut numbers = env::args().skip(1).filter(|argument| argument != "--bench").map(|argument| {
        argument.parse::<u64>().map_err(|_| format!("{argument:?} is not a number; give [MIB] [ROUNDS]"))
    });
    let mib = numbers.next().transpose()?.unwrap_or(2048).max(1);
    let rounds = numbers.next().transpose()?.unwrap_or(7).max(1);
    process::stop_when_interrupted()?;

    let ground = Ground::prepare(mib << 20)?;
    let mut comparison = Comparison::start(&ground)?;
    for case in Case::ALL {
        comparison.run(case)?;
        ground.compare()?;
    }
    let mut costs = Case::ALL.map(|case| (case, Vec::new()));
    for _ in 0..rounds {
        for (case, costs) in &mut costs {
            costs.push(comparison.run(*case)?);
        }
    }
    table::print(&ground, &costs);
    Ok(())
}
