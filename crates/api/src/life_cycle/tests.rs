use super::*;
use std::collections::BTreeSet;
use strongroom_matrix::every;
use strongroom_types::Code;
use strongroom_wire::{Who, ended_as};

/// Every event: each verdict that a refusal of the policy can lead to, each state that a report can
/// name.
fn events() -> Vec<RowEvent> {
    let ends: BTreeSet<u8> = Code::ALL
        .iter()
        .map(|code| ended_as(*code, Who::Policy) as u8)
        .collect();
    let ends = ends
        .into_iter()
        .filter_map(|number| TransactionState::from_number(number.into()));
    let verdicts = every!(EarlyDecision {
        EarlyDecision::Pending => vec![EarlyDecision::Pending],
        EarlyDecision::Approved => vec![EarlyDecision::Approved],
        EarlyDecision::Ended(_) => ends.map(EarlyDecision::Ended).collect(),
    })
    .concat();

    let states = TransactionState::ALL.iter().copied();
    let [decided, decided_again, changed, timed_out] = every!(RowEvent {
        RowEvent::Decided(_) => verdicts.iter().copied().map(RowEvent::Decided).collect(),
        RowEvent::DecidedAgain(_) => verdicts.iter().copied().map(RowEvent::DecidedAgain).collect(),
        RowEvent::Changed(_) => states.map(RowEvent::Changed).collect(),
        RowEvent::TimedOut => vec![RowEvent::TimedOut],
    });

    // The two events of a verdict stand one above the other in the table.
    let by_verdict = decided.into_iter().zip(decided_again);
    let by_verdict = by_verdict.flat_map(|(first, again)| [first, again]);
    by_verdict.chain(changed).chain(timed_out).collect()
}

#[test]
fn the_table_of_states_and_events_does_not_change() {
    let states: Vec<_> = TransactionState::ALL.iter().map(|s| s.name()).collect();
    let events = events();
    let names: Vec<_> = events.iter().map(|event| event.name()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();

    let table = strongroom_golden::life_cycle::table(&states, &names, |state, event| {
        let next = apply(TransactionState::ALL[state], events[event]);
        next.ok().map(|next| next.name().to_owned())
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/life-cycle.txt");
    strongroom_golden::snapshot(path, &table);
}

#[test]
fn nothing_follows_an_end() {
    for state in TransactionState::ALL.iter().filter(|s| s.is_terminal()) {
        for event in events() {
            assert!(apply(*state, event).is_err(), "{event:?} after {state:?}");
        }
    }
}

#[test]
fn a_signature_is_never_taken_back() {
    for state in TransactionState::ALL.iter().filter(|s| s.is_signed()) {
        for event in events() {
            if let Ok(next) = apply(*state, event) {
                assert!(next.is_signed(), "{event:?}: {state:?} to {next:?}");
            }
        }
    }
}

#[test]
fn only_a_decision_or_a_return_leads_to_approvers() {
    for state in TransactionState::ALL {
        for event in events() {
            let to_approvers = apply(*state, event) == Ok(TransactionState::PendingApproval);
            assert!(
                !to_approvers || event.name().ends_with("(pending_approval)"),
                "{event:?} from {state:?}"
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
