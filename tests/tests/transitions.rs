//! Every state against every event, as a table that a diff shows (§8.1, §9.1, §10.1).

use std::fmt::Write;

use sampan_core::session::transitions::{
    ReceiveEvent, ReceiveState, SendEvent, SendState, SessionEvent, SessionState,
};
use sampan_tests::assert_snapshot;

macro_rules! table {
    ($state:ident, $event:ident) => {{
        let mut text = format!("{:14}", "");
        for state in $state::ALL {
            write!(text, "{state:12}").expect("text");
        }
        text.push('\n');
        for event in $event::ALL {
            write!(text, "{event:14}").expect("text");
            for state in $state::ALL {
                let after = state.after(*event).map_or("-".to_string(), |after| after.to_string());
                write!(text, "{after:12}").expect("text");
            }
            text.push('\n');
        }
        text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>()
    }};
}

#[test]
fn the_tables_are_as_kept() {
    assert_snapshot("transitions-session.txt", &table!(SessionState, SessionEvent));
    assert_snapshot("transitions-sender.txt", &table!(SendState, SendEvent));
    assert_snapshot("transitions-receiver.txt", &table!(ReceiveState, ReceiveEvent));
}

#[test]
fn every_state_can_be_reached_and_left() {
    macro_rules! check {
        ($state:ident, $event:ident, $first:expr, $last:expr) => {
            let mut reached = vec![$first];
            let mut index = 0;
            while index < reached.len() {
                for event in $event::ALL {
                    if let Some(after) = reached[index].after(*event) {
                        if !reached.contains(&after) {
                            reached.push(after);
                        }
                    }
                }
                index += 1;
            }
            assert_eq!(reached.len(), $state::ALL.len());
            for state in $state::ALL {
                let leaves =
                    $event::ALL.iter().any(|event| state.after(*event).is_some_and(|after| after != *state));
                assert!(leaves || *state == $last, "{state} is never left");
            }
        };
    }
    check!(SessionState, SessionEvent, SessionState::Opening, SessionState::Closed);
    check!(SendState, SendEvent, SendState::Free, SendState::Free);
    check!(ReceiveState, ReceiveEvent, ReceiveState::Free, ReceiveState::Free);
}
