//! What is shown.

use std::time::Duration;

use crate::cases::{Case, Cost};
use crate::ground::{self, Ground};

pub(crate) fn print(ground: &Ground, costs: &[(Case, Vec<Cost>)]) {
    let rounds = costs.first().map_or(0, |(_, costs)| costs.len());
    println!(
        "{} MiB, {rounds} rounds, medians; default congestion control: {}",
        ground.bytes >> 20,
        ground::congestion_control()
    );
    println!(
        "{:<30} {:>7} {:>7} {:>7} {:>7} {:>9} {:>16}",
        "", "s", "best s", "MB/s", "to nc", "CPU s/GiB", "peak MiB, s | r"
    );
    let netcat = median(costs.iter().filter(|(case, _)| *case == Case::Netcat).flat_map(|(_, costs)| costs));
    for (case, costs) in costs {
        let wall = median(costs);
        let best = costs.iter().map(|cost| cost.wall).min().unwrap_or_default();
        let mut cpus: Vec<Duration> = costs.iter().map(|cost| cost.cpu).collect();
        cpus.sort();
        let cpu = cpus.get(cpus.len() / 2).copied().unwrap_or_default().as_secs_f64();
        let mib = |peak: fn(&Cost) -> u64| costs.iter().map(peak).max().unwrap_or_default() as f64 / 1024.0;
        println!(
            "{:<30} {:>7.3} {:>7.3} {:>7.0} {:>6.2}x {:>9.2} {:>7.1} | {:>6.1}",
            case.name(),
            wall.as_secs_f64(),
            best.as_secs_f64(),
            ground.bytes as f64 / 1e6 / wall.as_secs_f64(),
            netcat.as_secs_f64() / wall.as_secs_f64(),
            cpu * (1_u64 << 30) as f64 / ground.bytes as f64,
            mib(|cost| cost.sender_peak),
            mib(|cost| cost.receiver_peak),
        );
    }
}

fn median<'a>(costs: impl IntoIterator<Item = &'a Cost>) -> Duration {
    let mut walls: Vec<Duration> = costs.into_iter().map(|cost| cost.wall).collect();
    walls.sort();
    walls.get(walls.len() / 2).copied().unwrap_or_default()
}
