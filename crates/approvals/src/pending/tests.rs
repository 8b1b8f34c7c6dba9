//! The whole table, so that a new edge is a line in a review.

use super::*;
use strongroom_matrix::every;

fn states() -> [PendingState; 3] {
    every!(PendingState {
        PendingState::Absent => PendingState::Absent,
        PendingState::Waiting => PendingState::Waiting,
        PendingState::Approved => PendingState::Approved,
    })
}

fn events() -> Vec<PendingEvent> {
    let outlooks = every!(OutlookKind {
        OutlookKind::Waits => OutlookKind::Waits,
        OutlookKind::Passes => OutlookKind::Passes,
        OutlookKind::Refused => OutlookKind::Refused,
    });
    every!(PendingEvent {
        PendingEvent::Submit(_) => outlooks.map(PendingEvent::Submit).to_vec(),
        PendingEvent::SubmitAgain => vec![PendingEvent::SubmitAgain],
        PendingEvent::Return(_) => outlooks.map(PendingEvent::Return).to_vec(),
        PendingEvent::Yes => vec![PendingEvent::Yes],
        PendingEvent::LastYes => vec![PendingEvent::LastYes],
        PendingEvent::Expire => vec![PendingEvent::Expire],
        PendingEvent::EndInJournal => vec![PendingEvent::EndInJournal],
        PendingEvent::Settle => vec![PendingEvent::Settle],
    })
    .concat()
}

#[test]
fn the_life_cycle_is_as_committed() {
    // A state that the enum's own list lacks could not be read back from its number.
    assert_eq!(states(), PendingState::ALL);

    let events = events();
    let names: Vec<_> = events.iter().map(|event| event.name()).collect();
    let states = states().map(PendingState::name);
    let table = strongroom_golden::life_cycle::table(&states, &names, |state, event| {
        let next = PendingState::ALL[state].apply(events[event]);
        next.ok().map(|next| next.name().to_owned())
    });
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
