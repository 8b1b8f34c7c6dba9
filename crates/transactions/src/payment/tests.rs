//! The table of the life cycle, printed from `apply` itself.

use super::*;
use proptest::prelude::*;
use strongroom_matrix::every;
use strongroom_types::{AttemptKind, ConflictKey, Digest};

fn proposal() -> Proposal {
    let anchor = ConflictKey::Coin("coin:0".to_owned());
    Proposal {
        attempt: Attempt {
            intent: Digest([1; 32]),
            number: 1,
            kind: AttemptKind::Pay,
            parent: None,
            anchor: anchor.clone(),
            conflict_keys: vec![anchor],
            unsigned_digest: Digest([2; 32]),
            fee_max: 1_u64.into(),
        },
        unsigned: vec![1],
        slots: Vec::new(),
    }
}

fn offered() -> Offered {
    let Proposal {
        attempt,
        unsigned,
        slots,
    } = proposal();
    Offered {
        builds: 1,
        attempt,
        unsigned,
        slots,
        failures: 0,
    }
}

fn assembled() -> Assembled {
    Assembled {
        offered: offered(),
        raw: vec![2],
        failures: 0,
    }
}

fn states() -> Vec<PaymentState> {
    every!(PaymentState {
        PaymentState::Building(_) => PaymentState::Building(Waiting::default()),
        PaymentState::Signing(_) => PaymentState::Signing(offered()),
        PaymentState::Signed(_) => PaymentState::Signed(assembled()),
        PaymentState::Broadcast(_) => PaymentState::Broadcast(assembled()),
        PaymentState::Returned(_) => PaymentState::Returned(offered()),
        PaymentState::TooLate(_) => PaymentState::TooLate(offered()),
        PaymentState::Ended(_) => PaymentState::Ended(TransactionState::Completed),
    })
    .into()
}

fn events() -> Vec<PaymentEvent> {
    every!(PaymentEvent {
        PaymentEvent::Offer(_) => PaymentEvent::Offer(proposal()),
        PaymentEvent::Postpone => PaymentEvent::Postpone,
        PaymentEvent::Wait(_) => PaymentEvent::Wait(Code::InsufficientBalance),
        PaymentEvent::Remind => PaymentEvent::Remind,
        PaymentEvent::RefusalReported => PaymentEvent::RefusalReported,
        PaymentEvent::EndedTooLate => PaymentEvent::EndedTooLate,
        PaymentEvent::Accept => PaymentEvent::Accept,
        PaymentEvent::AnchorTaken => PaymentEvent::AnchorTaken,
        PaymentEvent::Return => PaymentEvent::Return,
        PaymentEvent::Resume => PaymentEvent::Resume,
        PaymentEvent::Refuse(..) => PaymentEvent::Refuse(Code::IntentExpired, Who::Journal),
        PaymentEvent::Assemble(_) => PaymentEvent::Assemble(vec![2]),
        PaymentEvent::NodeSilent => PaymentEvent::NodeSilent,
        PaymentEvent::NodeAccepted => PaymentEvent::NodeAccepted,
        PaymentEvent::NodeRejected => PaymentEvent::NodeRejected,
        PaymentEvent::Confirm => PaymentEvent::Confirm,
    })
    .into()
}

fn shown(state: &PaymentState) -> String {
    let name = state.state_name().name();
    match state {
        PaymentState::Ended(end) => format!("{name} ({})", end.name()),
        PaymentState::Building(_)
        | PaymentState::Signing(_)
        | PaymentState::Signed(_)
        | PaymentState::Broadcast(_)
        | PaymentState::Returned(_)
        | PaymentState::TooLate(_) => name.to_owned(),
    }
}

#[test]
fn life_cycle_table_is_the_committed_one() {
    let (states, events) = (states(), events());
    let names: Vec<_> = states
        .iter()
        .map(|state| state.state_name().name())
        .collect();
    let event_names: Vec<_> = events.iter().map(PaymentEvent::name).collect();
    let table = strongroom_golden::life_cycle::table(&names, &event_names, |state, event| {
        let next = states[state].clone().apply(events[event].clone());
        next.ok().map(|next| shown(&next))
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/life-cycle.txt");
    strongroom_golden::snapshot(path, &table);
}

#[test]
fn event_that_a_state_does_not_take_names_both() {
    let ended = PaymentState::Ended(TransactionState::Completed);
    let error = ended.apply(PaymentEvent::Confirm).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a payment that is ended does not take confirm"
    );
}

/// From a signature on only the chain ends a payment: no word of a node, a service or a clock.
#[test]
fn hole_no_event_takes_a_signature_back() {
    for state in states().iter().filter(|state| state.shown().is_signed()) {
        for event in events() {
            if let Ok(next) = state.clone().apply(event.clone()) {
                assert!(next.shown().is_signed(), "{} {next:?}", event.name());
            }
        }
    }
}

#[test]
fn state_numbers_read_back() {
    for name in PaymentStateName::ALL {
        assert_eq!(PaymentStateName::from_number(name.number()), Some(name));
    }
    assert_eq!(PaymentStateName::from_number(7), None);
}

#[test]
fn state_numbers_do_not_change() {
    let numbers = PaymentStateName::ALL.map(|name| format!("{} {}", name.number(), name.name()));
    assert_eq!(
        numbers.join(", "),
        "0 signing, 1 signed, 2 broadcast, 3 ended, 4 building, 5 returned, 6 too_late"
    );
}

#[test]
fn pauses_double_and_are_bounded() {
    let pauses: Vec<u64> = (0..5).map(back_off_ms).collect();
    assert_eq!(pauses, [0, 250, 500, 1_000, 2_000]);
    assert_eq!(back_off_ms(8), BACK_OFF_LAST_MS);
    assert_eq!(back_off_ms(u32::MAX), BACK_OFF_LAST_MS);
}

proptest! {
    /// Whatever happens in whatever order: a signature is never taken back, an end is final, and
    /// builds only count up.
    #[test]
    fn no_order_of_events_takes_a_signature_back(order in prop::collection::vec(0..events().len(), 0..60)) {
        let mut state = PaymentState::Building(Waiting::default());
        let mut builds = 0;
        for at in order {
            let before = state.clone();
            state = before.clone().apply(events()[at].clone()).unwrap_or_else(|_| before.clone());

            let was_signed = before.shown().is_signed();
            prop_assert!(!was_signed || state.shown().is_signed());
            prop_assert!(!before.shown().is_terminal() || state == before);

            let now = match &state {
                PaymentState::Building(waiting) => waiting.builds,
                PaymentState::Signing(offered)
                | PaymentState::Returned(offered)
                | PaymentState::TooLate(offered) => offered.builds,
                PaymentState::Signed(held) | PaymentState::Broadcast(held) => held.offered.builds,
                PaymentState::Ended(_) => builds,
            };
            prop_assert!(now >= builds);
            builds = now;
        }
    }
}
