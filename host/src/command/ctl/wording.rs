//! Answers in words.

use std::time::Duration;

use sampan::ctl::{Disconnected, NodeResult, Pushed, Total};
use sampan::report::Protocol;
use sampan::server::{ConnectionStatus, NoticeResult, Notified, ServerStatus, TransferStatus, Way};

use crate::command::display::{Quoted, Rate, Size, Text};

/// So many of something.
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Whom something concerns: the node, or else the number, and the address if there is one.
fn whom(node: Option<&str>, id: Option<u64>, peer: Option<&str>) -> String {
    let name = match (node, id) {
        (Some(node), _) => Text(node).to_string(),
        (None, Some(id)) => format!("#{id}"),
        (None, None) => "-".to_owned(),
    };
    match peer {
        Some(peer) => format!("{name} ({})", Text(peer)),
        None => name,
    }
}

pub(super) fn notified(notified: &Notified) -> String {
    let whom = whom(notified.node.as_deref(), notified.id, notified.peer.as_deref());
    let result = match notified.result {
        NoticeResult::Taken => "taken",
        NoticeResult::Told => "told",
        NoticeResult::Pending => "pending: it will be told when it has sent its file",
        NoticeResult::TooLate => "too-late: its connection has ended, or its last reply was sent",
        NoticeResult::NotPossible => {
            "not-possible: its file was refused, or it has not said yet what it speaks"
        }
        NoticeResult::Timeout => "timeout: it has not answered",
        NoticeResult::LinkLost => "link-lost: it went away before it answered",
        NoticeResult::NotFound => "not-found: nobody of this name or number is connected",
    };
    format!("{whom}: {result}")
}

/// What a notice came to.
pub(super) fn told(total: &Total) -> String {
    format!("{} of {} have it, or will{}", total.succeeded, total.asked, failed(total))
}

pub(super) fn disconnected(ended: &Disconnected) -> String {
    format!("{}: disconnected", whom(ended.node.as_deref(), Some(ended.id), Some(&ended.peer)))
}

pub(super) fn ended(total: &Total) -> String {
    let ended = count(total.succeeded, "connection");
    match total.failed {
        0 => format!("{ended} ended"),
        failed => format!("{ended} ended; {failed} of those that were named are not there"),
    }
}

pub(super) fn draining(connections: u64, transfers: u64) -> String {
    format!("draining: {}, {}", count(connections, "connection"), count(transfers, "transfer"))
}

fn failed(total: &Total) -> String {
    if total.failed > 0 { format!("; {} failed", total.failed) } else { String::new() }
}

pub(super) fn pushed(pushed: &Pushed) -> String {
    let Pushed { node, name, size, resumed_from, seconds, .. } = pushed;
    let moved = moved(*size, *resumed_from, *seconds);
    format!("{}: {} ({}){moved}", Text(node), Quoted(name), Size(*size))
}

pub(super) fn waiting(node: &str) -> String {
    format!("{}: not attached now, it is waited for", Text(node))
}

pub(super) fn node(result: &NodeResult) -> String {
    let node = Text(&result.node);
    let has = format!("{} ({})", count(result.files, "file"), Size(result.bytes));
    match (result.error, &result.message) {
        (None, _) => format!("{node}: {has}{}", moved(result.bytes, result.resumed, result.seconds)),
        (Some(error), message) => {
            let message = message.as_deref().unwrap_or_default();
            let but = if result.files > 0 { format!("; it has {has}") } else { String::new() };
            format!("{node}: {error}: {}{but}", Text(message))
        }
    }
}

/// How long it took, and what was there already.
fn moved(bytes: u64, resumed: u64, seconds: f64) -> String {
    if resumed >= bytes && bytes > 0 {
        return ": all of it was there already".to_owned();
    }
    let span = span(seconds);
    let there = match resumed {
        0 => String::new(),
        resumed => format!(", {} were there already", Size(resumed)),
    };
    format!(" in {:.2} s, {}{there}", span.as_secs_f64(), Rate(bytes.saturating_sub(resumed), span))
}

/// What a push came to.
pub(super) fn all_pushed(total: &Total) -> String {
    let nodes = format!("{} of {}", total.succeeded, count(total.asked, "node"));
    let files = format!("{} ({})", count(total.files, "file"), Size(total.bytes));
    format!("pushed to {nodes}: {files}{}{}", moved(total.bytes, total.resumed, total.seconds), failed(total))
}

fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// How long something has lasted: in the largest unit that it has one of.
pub(super) fn age(seconds: f64) -> String {
    match span(seconds).as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3_600 => format!("{} min", seconds / 60),
        seconds @ 3_600..86_400 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Bytes a second, `-` for none.
pub(super) fn rate(bytes: f64) -> String {
    if bytes >= 0.5 { Rate(bytes as u64, Duration::from_secs(1)).to_string() } else { "-".to_owned() }
}

pub(super) const fn protocol(protocol: Option<Protocol>) -> &'static str {
    match protocol {
        None => "-",
        Some(Protocol::Framed) => "framed",
        Some(Protocol::Classic) => "classic",
    }
}

/// What is under way on a connection; nothing if nothing is.
pub(super) fn under_way(connection: &ConnectionStatus) -> String {
    connection.transfers.iter().map(transfer).collect::<Vec<_>>().join(", ")
}

fn transfer(transfer: &TransferStatus) -> String {
    let way = match transfer.way {
        Way::Receive => "receives",
        Way::Send => "sends",
    };
    let name = Quoted(&transfer.name);
    match transfer.size {
        Some(size) => format!("{way} {name} {} %", per_cent(transfer.bytes, size)),
        None => format!("{way} {name} {}", Size(transfer.bytes)),
    }
}

/// Rounded down, so that 100 is all.
fn per_cent(bytes: u64, size: u64) -> u64 {
    let (bytes, size) = (u128::from(bytes.min(size)), u128::from(size));
    (bytes * 100).checked_div(size).map_or(100, |per_cent| per_cent as u64)
}

/// The server as a whole.
pub(super) fn totals(status: &ServerStatus, now: f64) -> String {
    let draining = if status.draining { "draining: " } else { "" };
    format!(
        "{draining}{}, {}, {}; received {} at {}, sent {} at {}; process {} for {}, at {}",
        count(status.connections, "connection"),
        count(status.nodes, "node"),
        count(status.transfers, "transfer"),
        Size(status.received),
        Rate(status.receive_rate.max(0.0) as u64, Duration::from_secs(1)),
        Size(status.sent),
        Rate(status.send_rate.max(0.0) as u64, Duration::from_secs(1)),
        status.pid,
        age(now - status.since),
        Text(&status.urls.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use sampan::failure::ErrorName;

    #[test]
    fn whoever_is_told_is_named_and_what_peers_say_is_escaped() {
        let told = |id, node: Option<&str>, peer: Option<&str>, result| {
            let (node, peer) = (node.map(str::to_owned), peer.map(str::to_owned));
            notified(&Notified { id, node, peer, result, seconds: 0.0 })
        };
        assert_eq!(told(Some(3), Some("b-7"), Some("h:1"), NoticeResult::Taken), "b-7 (h:1): taken");
        assert_eq!(told(Some(3), None, Some("h:1\n"), NoticeResult::Told), "#3 (h:1\\n): told");
        assert!(told(None, Some("b"), None, NoticeResult::NotFound).starts_with("b: not-found: "));
        let result = NodeResult {
            node: "b".to_owned(),
            files: 0,
            bytes: 0,
            resumed: 0,
            error: Some(ErrorName::NoSpace),
            message: Some("full\u{1b}[2J".to_owned()),
            seconds: 1.0,
        };
        assert_eq!(node(&result), "b: no-space: full\\u{1b}[2J");
        let half = NodeResult { files: 1, bytes: 5, ..result };
        assert!(node(&half).ends_with("; it has 1 file (5 bytes)"));
        let whole = NodeResult { error: None, message: None, ..half };
        assert_eq!(node(&whole), "b: 1 file (5 bytes) in 1.00 s, 0.0 MB/s");
        assert_eq!(
            node(&NodeResult { resumed: 5, ..whole }),
            "b: 1 file (5 bytes): all of it was there already"
        );
    }

    #[test]
    fn ages_and_shares_are_rounded_down() {
        let ages = [-1.0, 59.9, 60.0, 7_199.0, 86_399.0, 1e6, f64::NAN].map(age);
        assert_eq!(ages, ["0 s", "59 s", "1 min", "1 h", "23 h", "11 d", "0 s"]);
        assert_eq!([per_cent(0, 0), per_cent(999, 1_000), per_cent(u64::MAX, u64::MAX)], [100, 99, 100]);
        assert_eq!([rate(0.2), rate(2e6)], ["-", "2.0 MB/s"]);
    }

    #[test]
    fn totals_of_a_push_count_nodes() {
        let total =
            Total { asked: 3, succeeded: 2, failed: 1, files: 4, bytes: 4_000_000, resumed: 0, seconds: 2.0 };
        assert_eq!(
            all_pushed(&total),
            "pushed to 2 of 3 nodes: 4 files (4.0 MB) in 2.00 s, 2.0 MB/s; 1 failed"
        );
        assert_eq!(told(&total), "2 of 3 have it, or will; 1 failed");
        assert_eq!(ended(&total), "2 connections ended; 1 of those that were named are not there");
    }
}
