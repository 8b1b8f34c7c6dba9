use super::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use strongroom_types::Code;
use strongroom_wire::{Who, ended_as};

/// Every event: each verdict that a refusal of the policy can lead to, each state that a report can
/// name.
fn events() -> Vec<(String, RowEvent)> {
    let ends: BTreeSet<u8> = Code::ALL
        .iter()
        .map(|code| ended_as(*code, Who::Policy) as u8)
        .collect();
    let ends = ends
        .into_iter()
        .filter_map(|number| TransactionState::from_number(number.into()));
    let verdicts: Vec<EarlyDecision> = [EarlyDecision::Pending, EarlyDecision::Approved]
        .into_iter()
        .chain(ends.map(EarlyDecision::Ended))
        .collect();
    let mut events = Vec::new();
    for verdict in &verdicts {
        let name = verdict.state().name();
        events.push((format!("decided {name}"), RowEvent::Decided(*verdict)));
        let again = RowEvent::DecidedAgain(*verdict);
        events.push((format!("decided again {name}"), again));
    }
    for state in TransactionState::ALL {
        let event = RowEvent::Changed(*state);
        events.push((format!("changed {}", state.name()), event));
    }
    events.push(("timed out".to_owned(), RowEvent::TimedOut));
    events
}

/// One line per edge; what is not listed is an illegal transition.
fn table() -> String {
    let mut text = String::new();
    for (name, event) in events() {
        for state in TransactionState::ALL {
            if let Ok(next) = apply(*state, event) {
                let _ = writeln!(text, "{name}: {} -> {}", state.name(), next.name());
            }
        }
    }
    text
}

#[test]
fn the_table_of_states_and_events_does_not_change() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/life-cycle.txt");
    strongroom_golden::snapshot(path, &table());
}

#[test]
fn nothing_follows_an_end() {
    for state in TransactionState::ALL.iter().filter(|s| s.is_terminal()) {
        for (name, event) in events() {
            assert!(apply(*state, event).is_err(), "{name} after {state:?}");
        }
    }
}

#[test]
fn a_signature_is_never_taken_back() {
    for state in TransactionState::ALL.iter().filter(|s| s.is_signed()) {
        for (name, event) in events() {
            if let Ok(next) = apply(*state, event) {
                assert!(
                    next.is_signed() || next.is_terminal(),
                    "{name}: {state:?} to {next:?}"
                );
            }
        }
    }
}

#[test]
fn only_a_decision_or_a_return_leads_to_approvers() {
    for state in TransactionState::ALL {
        for (name, event) in events() {
            let to_approvers = apply(*state, event) == Ok(TransactionState::PendingApproval);
            assert!(
                !to_approvers || name.ends_with("pending_approval"),
                "{name} from {state:?}"
            );
        }
    }
}

#[test]
fn every_end_reaches_whatever_is_waited_for() {
    for state in TransactionState::ALL.iter().filter(|s| s.is_terminal()) {
        for wanted in TransactionState::ALL {
            assert!(has_reached(*state, *wanted));
        }
    }
}
