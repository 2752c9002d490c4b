use super::*;
use std::collections::BTreeSet;
use std::string::{String, ToString};
use std::vec::Vec;

/// The tables of §14.2 and §14.3: from, and what leads where.
const RECEIVER: &str = "
    Name        Bytes:MoreName Refuse:Refusing
    MoreName    NameEnds:Size Refuse:Refusing
    Size        Bytes:MoreSize Refuse:Refusing
    MoreSize    SizeEnds:Deciding Refuse:Refusing
    Deciding    Accept:Receiving Refuse:Refusing
    Receiving   AllBytes:Full Refuse:Refusing
    Full        StreamEnds:Complete Refuse:Refusing
    Complete    Commit:Committing Refuse:Refusing
    Committing  Committed:Finishing Notice:Saying Refuse:Refusing
    Saying      Said:Finishing
    Finishing   Over:Closed
    Refusing    Drain:Draining Over:Closed
    Draining    Over:Closed
    Closed
";

const SENDER: &str = "
    Describing  Described:Name Over:Closed
    Name        Text:NameReply Acked:Size Refusal:Refused Over:Closed
    NameReply   Acked:Size Refusal:Refused Over:Closed
    Size        Text:SizeReply Acked:Sending Refusal:Refused Over:Closed
    SizeReply   Acked:Sending Refusal:Refused Over:Closed
    Sending     AllFetched:Finishing Refusal:Refused Lose:Listening Over:Closed
    Finishing   Finished:Flushing Refusal:Refused Lose:Listening Over:Closed
    Flushing    Flushed:Closing Refusal:Refused Lose:Listening Over:Closed
    Closing     HalfClosed:Ending Over:Closed
    Ending      Text:LastReply Acked:Closed Refusal:Refused Over:Closed
    LastReply   Acked:Closed Refusal:Refused Over:Closed
    Refused     Over:Closed
    Listening   Refusal:Refused Over:Closed
    Closed
";

/// What leads from where to where, and every state in order.
fn expected(table: &str) -> (BTreeSet<(String, String, String)>, Vec<String>) {
    let mut edges = BTreeSet::new();
    let mut states = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let mut words = line.split_whitespace();
        let from = words.next().unwrap();
        states.push(from.to_string());
        for edge in words {
            let (event, to) = edge.split_once(':').unwrap();
            assert!(edges.insert((from.to_string(), event.to_string(), to.to_string())));
        }
    }
    (edges, states)
}

fn check(table: &str, actual: &BTreeSet<(String, String, String)>, states: &[String], events: &[String]) {
    let (edges, rows) = expected(table);
    assert_eq!(rows, states);
    assert_eq!(*actual, edges);
    assert!(events.iter().all(|event| edges.iter().any(|(_, on, _)| on == event)));
    let step = |found: &BTreeSet<String>, forwards: bool| -> BTreeSet<String> {
        let ends = edges.iter().map(|(from, _, to)| if forwards { (from, to) } else { (to, from) });
        ends.filter(|(from, _)| found.contains(*from)).map(|(_, to)| to.clone()).collect()
    };
    for (start, forwards) in [(&states[0], true), (&states[states.len() - 1], false)] {
        let mut found = BTreeSet::from([start.clone()]);
        for _ in states {
            let more = step(&found, forwards);
            found.extend(more);
        }
        assert_eq!(found.len(), states.len(), "every state is reached, and leads to the last");
    }
}

macro_rules! every_step {
    ($state:ident, $event:ident, $table:expr) => {{
        let mut actual = BTreeSet::new();
        for state in $state::ALL {
            for event in $event::ALL {
                if let Some(after) = state.after(*event) {
                    actual.insert((state.to_string(), event.to_string(), after.to_string()));
                }
            }
        }
        let states: Vec<_> = $state::ALL.iter().map(ToString::to_string).collect();
        let events: Vec<_> = $event::ALL.iter().map(ToString::to_string).collect();
        check($table, &actual, &states, &events);
    }};
}

#[test]
fn every_state_and_event_of_a_receiver_is_in_the_table() {
    every_step!(ReceiverState, ReceiverEvent, RECEIVER);
}

#[test]
fn every_state_and_event_of_a_sender_is_in_the_table() {
    every_step!(SenderState, SenderEvent, SENDER);
}
