//! A push at a terminal: a bar for each node that files go to, as long as there are not too many.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::wording::count;
use crate::command::display::{Style, Text, cut, cut_end};

/// More are told of in sum.
const MOST: usize = 10;
/// The widest names that are shown.
const NODE_COLUMNS: usize = 20;
const NAME_COLUMNS: usize = 60;

const ONE: &str =
    "{prefix:20} {bar:20} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}  {wide_msg}";
const REST: &str = "{wide_msg}";

/// Bars, or nothing where there is no terminal for them.
#[derive(Debug)]
pub(super) struct Bars(Option<Shown>);

#[derive(Debug, Default)]
struct Shown {
    all: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    /// Nodes without a bar.
    others: BTreeSet<String>,
    rest: Option<ProgressBar>,
}

impl Bars {
    pub(super) fn new(style: Style) -> Self {
        Self(style.has_bars().then(Shown::default))
    }

    /// A node has come so far with a file.
    pub(super) fn at(&mut self, node: &str, name: &str, bytes: u64, size: u64) {
        let Some(shown) = &mut self.0 else { return };
        let Some(bar) = shown.bar(node) else { return };
        bar.set_length(size);
        let name = cut(&Text(name).to_string(), NAME_COLUMNS);
        if bar.message() != name {
            bar.set_message(name);
            // What was there already says nothing of the rate.
            bar.set_position(bytes);
            bar.reset_eta();
        }
        bar.set_position(bytes);
    }

    /// A node is done with.
    pub(super) fn over(&mut self, node: &str) {
        let Some(shown) = &mut self.0 else { return };
        shown.others.remove(node);
        if let Some(bar) = shown.bars.remove(node) {
            bar.finish_and_clear();
            shown.all.remove(&bar);
        }
        shown.count_rest();
    }

    /// Writes lines that stay.
    pub(super) fn beside(&self, write: impl FnOnce()) {
        match &self.0 {
            Some(shown) => shown.all.suspend(write),
            None => write(),
        }
    }

    pub(super) fn clear(&mut self) {
        if let Some(shown) = self.0.take() {
            shown.bars.values().chain(&shown.rest).for_each(ProgressBar::finish_and_clear);
            let _ = shown.all.clear();
        }
    }
}

impl Shown {
    /// The node's bar, if there is room for one.
    fn bar(&mut self, node: &str) -> Option<&ProgressBar> {
        if !self.bars.contains_key(node) {
            if self.bars.len() >= MOST {
                if self.others.insert(node.to_owned()) {
                    self.count_rest();
                }
                return None;
            }
            let bar = self.add(ONE);
            bar.set_prefix(cut_end(&Text(node).to_string(), NODE_COLUMNS));
            self.bars.insert(node.to_owned(), bar);
            if self.others.remove(node) {
                self.count_rest();
            }
        }
        self.bars.get(node)
    }

    /// Above that of the rest.
    fn add(&self, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style);
        match &self.rest {
            Some(rest) => self.all.insert_before(rest, bar),
            None => self.all.add(bar),
        }
    }

    fn count_rest(&mut self) {
        match (self.others.len(), &self.rest) {
            (0, None) => {}
            (0, Some(rest)) => {
                rest.finish_and_clear();
                self.all.remove(rest);
                self.rest = None;
            }
            (number, _) => {
                if self.rest.is_none() {
                    self.rest = Some(self.add(REST));
                }
                if let Some(rest) = &self.rest {
                    rest.set_message(format!("... and {}", count(number as u64, "more node")));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    #[test]
    fn a_few_nodes_have_bars_and_the_others_are_counted() {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let mut bars = Bars(Some(Shown { all, ..Shown::default() }));
        let counts = |bars: &Bars| {
            let shown = bars.0.as_ref().unwrap();
            (shown.bars.len(), shown.rest.as_ref().map(|rest| rest.message()))
        };
        for number in 0..13 {
            bars.at(&format!("node-{number}"), "a", 1, 9);
        }
        assert_eq!(counts(&bars), (MOST, Some("... and 3 more nodes".to_owned())));
        bars.over("node-0");
        bars.at("node-12", "a", 2, 9);
        assert_eq!(counts(&bars), (MOST, Some("... and 2 more nodes".to_owned())));
        (1..13).for_each(|number| bars.over(&format!("node-{number}")));
        assert_eq!(counts(&bars), (0, None));
        bars.clear();
        bars.at("node-1", "a", 1, 9);
        bars.beside(|| {});
    }
}
