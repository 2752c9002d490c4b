//! Signals of the system.

use std::io;
use std::sync::Arc;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::Stop;

/// The exit code of a process that was signalled twice.
const INTERRUPTED: i32 = 130;

/// From now on signals ask `stop`.
///
/// The flag is set in the handler itself, so that a second signal always finds it set; a thread then wakes whoever waits.
pub(super) fn install(stop: &Stop) -> io::Result<()> {
    let asking = asking();
    for &signal in &asking {
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stop.0.asked))?;
        flag::register(signal, Arc::clone(&stop.0.asked))?;
    }
    #[cfg(unix)]
    flag::register(signal_hook::consts::SIGXFSZ, Arc::default())?;
    let wait = waiting(&asking, stop)?;
    thread::Builder::new().name("signals".to_owned()).stack_size(64 << 10).spawn(wait)?;
    Ok(())
}

#[cfg(unix)]
fn asking() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    if !is_ignored(signal_hook::consts::SIGHUP) {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

#[cfg(not(unix))]
fn asking() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// Whether whoever started this process had it ignore `signal`; where the system does not say, nobody had.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

#[cfg(unix)]
fn ignores(status: &str, signal: i32) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(unix)]
fn waiting(asking: &[i32], stop: &Stop) -> io::Result<impl FnOnce() + Send + 'static> {
    let mut signals = signal_hook::iterator::Signals::new(asking)?;
    let stop = stop.clone();
    Ok(move || signals.forever().for_each(|_| stop.ask()))
}

#[cfg(not(unix))]
fn waiting(_: &[i32], stop: &Stop) -> io::Result<impl FnOnce() + Send + 'static> {
    const TICK: std::time::Duration = std::time::Duration::from_millis(100);
    let stop = stop.clone();
    Ok(move || {
        while !stop.is_asked() {
            thread::sleep(TICK);
        }
        stop.ask();
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::Waker;
    use super::*;
    use std::io::Write as _;
    use std::process::Command;

    const CHILD: &str = "SAMPAN_TEST_OF_SIGNALS";

    /// Runs the test `name` in a process of its own, which finds `value` in its environment, and says how that ended.
    fn exit_code_of(name: &str, value: i32) -> Option<i32> {
        let mut again = Command::new(std::env::current_exe().unwrap());
        let name = format!("stop::signals::tests::{name}");
        let output = again.args(["--exact", &name]).env(CHILD, value.to_string()).output().unwrap();
        output.status.code()
    }

    fn child() -> Option<i32> {
        std::env::var(CHILD).ok()?.parse().ok()
    }

    #[test]
    fn the_first_signal_asks_and_wakes() {
        let Some(signal) = child() else {
            for signal in [SIGINT, SIGTERM] {
                assert_eq!(exit_code_of("the_first_signal_asks_and_wakes", signal), Some(7));
            }
            return;
        };
        let stop = Stop::install().unwrap();
        let waker = Waker::new().unwrap();
        let _registration = stop.register(waker.clone());
        signal_hook::low_level::raise(signal).unwrap();
        assert!(stop.is_asked());
        crate::link::wait_for_any(&[], &waker, None).unwrap();
        std::process::exit(7);
    }

    #[test]
    fn the_second_signal_ends_the_process() {
        if child().is_none() {
            assert_eq!(exit_code_of("the_second_signal_ends_the_process", 1), Some(INTERRUPTED));
            return;
        }
        let _stop = Stop::install().unwrap();
        signal_hook::low_level::raise(SIGTERM).unwrap();
        signal_hook::low_level::raise(SIGINT).unwrap();
    }

    #[test]
    fn a_limit_of_file_sizes_is_an_error() {
        if child().is_none() {
            assert_eq!(exit_code_of("a_limit_of_file_sizes_is_an_error", 1), Some(7));
            return;
        }
        let _stop = Stop::install().unwrap();
        let limit = rustix::process::Rlimit { current: Some(4), maximum: Some(4) };
        rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(file.write(b"123456").unwrap(), 4);
        assert_eq!(file.write(b"56").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        std::process::exit(7);
    }

    #[test]
    fn what_is_ignored_is_read_from_the_mask() {
        let status = "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(ignores(status, 1) && ignores(status, 13));
        assert!(!ignores(status, 2) && !ignores(status, 64) && !ignores("", 1));
    }
}
