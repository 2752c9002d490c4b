//! What has changed since the last time, in lines for a log.

use std::collections::BTreeMap;

use sampan::server::ConnectionStatus;

use super::wording;
use crate::command::display::{Text, Utc};

/// What was told last of each connection.
#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<u64, ConnectionStatus>);

impl Changes {
    /// A line for each connection that is new, is not what it was, or has gone.
    pub(super) fn lines(&mut self, connections: Vec<ConnectionStatus>, now: f64) -> Vec<String> {
        let mut gone = std::mem::take(&mut self.0);
        let mut lines = Vec::new();
        for connection in connections {
            match gone.remove(&connection.id) {
                None => lines.push(line("new", &connection, now)),
                Some(before) if !is_same(&before, &connection) => {
                    lines.push(line("changed", &connection, now));
                }
                Some(_) => {}
            }
            self.0.insert(connection.id, connection);
        }
        lines.extend(gone.values().map(|before| line("gone", before, now)));
        lines
    }
}

/// Bytes that keep a connection alive are no news.
fn is_same(before: &ConnectionStatus, now: &ConnectionStatus) -> bool {
    (&before.node, before.protocol, &before.transfers) == (&now.node, now.protocol, &now.transfers)
}

fn line(what: &str, connection: &ConnectionStatus, now: f64) -> String {
    let node = connection.node.as_deref().unwrap_or("-");
    let under_way = match wording::under_way(connection) {
        _ if what == "gone" => String::new(),
        idle if idle.is_empty() => "  idle".to_owned(),
        under_way => format!("  {under_way}"),
    };
    format!(
        "{}  {what:<7}  #{}  {}  {}  {}{under_way}",
        Utc(now),
        connection.id,
        Text(node),
        Text(&connection.peer),
        wording::protocol(connection.protocol),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::ctl::table::tests::{connection, transfer};

    #[test]
    fn what_is_new_has_changed_or_has_gone_is_told_of_once() {
        let mut changes = Changes::default();
        let idle = connection(3, Some("boat"));
        let lines = changes.lines(vec![idle.clone()], 1e9);
        assert_eq!(lines, ["2001-09-09 01:46:40  new      #3  boat  192.0.2.7:5123  framed  idle"]);
        let alive = ConnectionStatus { received: 99, sent: 9, ..idle.clone() };
        assert!(changes.lines(vec![alive.clone()], 1e9).is_empty());
        let busy = ConnectionStatus { transfers: vec![transfer("a\u{1b}", 5, Some(10))], ..idle };
        let lines = changes.lines(vec![busy.clone(), connection(4, None)], 1e9);
        assert!(
            lines[0].ends_with("  changed  #3  boat  192.0.2.7:5123  framed  receives \"a\\u{1b}\" 50 %")
        );
        assert!(lines[1].contains("  new      #4  -  "), "{lines:?}");
        let lines = changes.lines(vec![connection(4, None)], 1e9);
        assert_eq!(lines, ["2001-09-09 01:46:40  gone     #3  boat  192.0.2.7:5123  framed"]);
        assert!(changes.lines(vec![connection(4, None)], 1e9).is_empty());
    }
}
