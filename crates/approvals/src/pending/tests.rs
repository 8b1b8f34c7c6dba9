//! The whole table, so that a new edge is a line in a review.

use super::*;

const STATES: [PendingState; 3] = [
    PendingState::Absent,
    PendingState::Waiting,
    PendingState::Approved,
];

const EVENTS: [PendingEvent; 11] = [
    PendingEvent::Submit(OutlookKind::Waits),
    PendingEvent::Submit(OutlookKind::Passes),
    PendingEvent::Submit(OutlookKind::Refused),
    PendingEvent::Return(OutlookKind::Waits),
    PendingEvent::Return(OutlookKind::Passes),
    PendingEvent::Return(OutlookKind::Refused),
    PendingEvent::Yes,
    PendingEvent::LastYes,
    PendingEvent::Expire,
    PendingEvent::EndInJournal,
    PendingEvent::Settle,
];

/// Compiles only while [`EVENTS`] and [`STATES`] can be complete: a new variant must be added here.
fn is_listed(state: PendingState, event: PendingEvent) -> bool {
    let state = match state {
        PendingState::Absent | PendingState::Waiting | PendingState::Approved => {
            STATES.contains(&state)
        }
    };
    let event = match event {
        PendingEvent::Submit(_)
        | PendingEvent::Return(_)
        | PendingEvent::Yes
        | PendingEvent::LastYes
        | PendingEvent::Expire
        | PendingEvent::EndInJournal
        | PendingEvent::Settle => EVENTS.contains(&event),
    };
    state && event
}

#[test]
fn the_life_cycle_is_as_committed() {
    let mut table = format!("{:<9} {:<16} next state\n", "state", "event");
    for state in STATES {
        for event in EVENTS {
            assert!(is_listed(state, event));
            let next = match state.apply(event) {
                Ok(next) => format!("{next:?}"),
                Err(_) => "-".to_owned(),
            };
            table += &format!(
                "{:<9} {:<16} {next}\n",
                format!("{state:?}"),
                format!("{event:?}")
            );
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/life-cycle.txt");
    strongroom_golden::snapshot(path, &table.to_lowercase());
}

#[test]
fn an_event_a_state_does_not_take_names_both() {
    let error = PendingState::Absent.apply(PendingEvent::Yes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an intent that is Absent does not take Yes"
    );
}
