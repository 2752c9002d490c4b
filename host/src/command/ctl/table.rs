//! Connections in columns.

use sampan::server::ConnectionStatus;
use unicode_width::UnicodeWidthStr as _;

use super::wording;
use crate::command::display::{Size, Text, cut_end};

/// Between two columns.
const GAP: usize = 2;
/// What is under way is worth so many columns.
const LAST: usize = 28;
/// The widest node, where the width is limited.
const NODE: usize = 24;

/// Columns of cells, of which the last takes what is left.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    heading: &'static str,
    side: Side,
    /// Where there is no room, those with the lowest number go first, and those without one stay.
    worth: Option<u8>,
    cells: Vec<String>,
}

/// Where a cell stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Table {
    pub(super) fn of(connections: &[ConnectionStatus], now: f64) -> Self {
        let column = |heading, side, worth, cell: &dyn Fn(&ConnectionStatus) -> String| Column {
            heading,
            side,
            worth,
            cells: connections.iter().map(cell).collect(),
        };
        let node = |connection: &ConnectionStatus| {
            connection.node.as_deref().map_or_else(|| "-".to_owned(), |node| Text(node).to_string())
        };
        let columns = vec![
            column("ID", Side::Right, None, &|connection| format!("#{}", connection.id)),
            column("NODE", Side::Left, None, &node),
            column("ADDRESS", Side::Left, Some(3), &|connection| Text(&connection.peer).to_string()),
            column("PROTOCOL", Side::Left, Some(0), &|connection| {
                wording::protocol(connection.protocol).to_owned()
            }),
            column("FOR", Side::Right, Some(1), &|connection| wording::age(now - connection.since)),
            column("RECEIVED", Side::Right, Some(2), &|connection| Size(connection.received).to_string()),
            column("IN", Side::Right, Some(4), &|connection| wording::rate(connection.receive_rate)),
            column("SENT", Side::Right, Some(2), &|connection| Size(connection.sent).to_string()),
            column("OUT", Side::Right, Some(4), &|connection| wording::rate(connection.send_rate)),
            column("UNDER WAY", Side::Left, None, &wording::under_way),
        ];
        Self { columns }
    }

    /// A heading and a line for each connection, none of them wider than `width`; nothing if there is no connection.
    pub(super) fn lines(mut self, width: Option<usize>) -> Vec<String> {
        let rows = self.columns.first().map_or(0, |column| column.cells.len());
        if rows == 0 {
            return Vec::new();
        }
        if let Some(width) = width {
            self.fit(width);
        }
        let mut lines = vec![String::new(); rows + 1];
        for (at, column) in self.columns.iter().enumerate() {
            let widest = column.width();
            let cells = std::iter::once(column.heading).chain(column.cells.iter().map(String::as_str));
            for (line, cell) in lines.iter_mut().zip(cells) {
                let pad = " ".repeat(widest.saturating_sub(cell.width()));
                let gap = " ".repeat(if at == 0 { 0 } else { GAP });
                line.push_str(&match column.side {
                    Side::Left => format!("{gap}{cell}{pad}"),
                    Side::Right => format!("{gap}{pad}{cell}"),
                });
            }
        }
        for line in &mut lines {
            line.truncate(line.trim_end().len());
            if let Some(width) = width {
                *line = cut_end(line, width);
            }
        }
        lines
    }

    /// Gives up columns until the others have room.
    fn fit(&mut self, width: usize) {
        for column in self.columns.iter_mut().filter(|column| column.heading == "NODE") {
            column.cells.iter_mut().for_each(|cell| *cell = cut_end(cell, NODE));
        }
        while self.needed() > width {
            let Some(least) = self.columns.iter().filter_map(|column| column.worth).min() else { return };
            self.columns.retain(|column| column.worth != Some(least));
        }
    }

    fn needed(&self) -> usize {
        let Some((last, others)) = self.columns.split_last() else { return 0 };
        others.iter().map(|column| column.width() + GAP).sum::<usize>() + last.width().min(LAST)
    }
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| cell.width()).chain([self.heading.width()]).max().unwrap_or(0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use sampan::report::Protocol;
    use sampan::server::{TransferStatus, Way};

    pub(in crate::command::ctl) fn connection(id: u64, node: Option<&str>) -> ConnectionStatus {
        ConnectionStatus {
            id,
            node: node.map(str::to_owned),
            peer: "192.0.2.7:5123".to_owned(),
            protocol: Some(Protocol::Framed),
            since: 0.0,
            received: 12_345_678,
            sent: 20,
            receive_rate: 2e6,
            send_rate: 0.0,
            transfers: Vec::new(),
        }
    }

    pub(in crate::command::ctl) fn transfer(name: &str, bytes: u64, size: Option<u64>) -> TransferStatus {
        TransferStatus { name: name.to_owned(), way: Way::Receive, bytes, size }
    }

    #[test]
    fn columns_are_aligned() {
        let transfers = vec![transfer("한\n", 1, Some(3)), transfer("b", 2_000_000, None)];
        let busy = ConnectionStatus { transfers, ..connection(12, None) };
        let lines = Table::of(&[connection(3, Some("boat-7")), busy], 61.0).lines(None);
        let expected = [
            " ID  NODE    ADDRESS         PROTOCOL    FOR  RECEIVED        IN      SENT  OUT  UNDER WAY",
            " #3  boat-7  192.0.2.7:5123  framed    1 min   12.3 MB  2.0 MB/s  20 bytes    -",
            "#12  -       192.0.2.7:5123  framed    1 min   12.3 MB  2.0 MB/s  20 bytes    -  \
             receives \"한\\n\" 33 %, receives \"b\" 2.0 MB",
        ];
        assert_eq!(lines, expected);
        assert!(Table::of(&[], 0.0).lines(Some(80)).is_empty());
    }

    #[test]
    fn no_line_is_wider_than_allowed_and_what_is_worth_most_stays() {
        let busy = ConnectionStatus {
            transfers: vec![transfer(&"한".repeat(60), 1, Some(2))],
            ..connection(7, Some(&"n".repeat(64)))
        };
        for width in 1..200 {
            let lines = Table::of(&[busy.clone(), connection(8, None)], 0.0).lines(Some(width));
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:#?}");
        }
        let lines = Table::of(&[busy], 0.0).lines(Some(80));
        assert!(lines[1].contains("#7") && lines[1].contains("receives \"한"), "{lines:#?}");
    }
}
