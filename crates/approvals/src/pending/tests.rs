//! The whole table, so that a new edge is a line in a review.

use super::*;

const EVENTS: [PendingEvent; 12] = [
    PendingEvent::Submit(OutlookKind::Waits),
    PendingEvent::Submit(OutlookKind::Passes),
    PendingEvent::Submit(OutlookKind::Refused),
    PendingEvent::SubmitAgain,
    PendingEvent::Return(OutlookKind::Waits),
    PendingEvent::Return(OutlookKind::Passes),
    PendingEvent::Return(OutlookKind::Refused),
    PendingEvent::Yes,
    PendingEvent::LastYes,
    PendingEvent::Expire,
    PendingEvent::EndInJournal,
    PendingEvent::Settle,
];

/// Compiles only while the lists can be complete: a new variant must be added here.
fn is_listed(state: PendingState, event: PendingEvent) -> bool {
    let state = match state {
        PendingState::Absent | PendingState::Waiting | PendingState::Approved => {
            PendingState::ALL.contains(&state)
        }
    };
    let event = match event {
        PendingEvent::Submit(_)
        | PendingEvent::SubmitAgain
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
    let states = PendingState::ALL.map(PendingState::name);
    let table = strongroom_golden::life_cycle::table(
        &states,
        &EVENTS.map(PendingEvent::name),
        |state, event| {
            let (state, event) = (PendingState::ALL[state], EVENTS[event]);
            assert!(is_listed(state, event));
            state.apply(event).ok().map(|next| next.name().to_owned())
        },
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/life-cycle.txt");
    strongroom_golden::snapshot(path, &table);
}

#[test]
fn state_numbers_do_not_change() {
    let numbers = PendingState::ALL.map(|state| (state.number(), state.name()));
    assert_eq!(numbers, [(0, "absent"), (1, "waiting"), (2, "approved")]);
    assert_eq!(PendingState::from_number(2), Some(PendingState::Approved));
    assert_eq!(PendingState::from_number(3), None);
}

#[test]
fn an_event_a_state_does_not_take_names_both() {
    let error = PendingState::Absent.apply(PendingEvent::Yes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a pending intent that is absent does not take yes"
    );
}
