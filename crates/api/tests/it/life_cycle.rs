//! Whatever arrives in whatever order: a row takes no way that the committed table of its life cycle
//! does not have, and no way around it.

use crate::desk::Desk;
use std::collections::BTreeSet;
use strongroom_golden::life_cycle::{Edge, collect, edges, taken};
use strongroom_types::{Code, Document as _};
use strongroom_wire::{Decided, TransactionState};

/// The committed table.
const TABLE: &str = include_str!("../../life-cycle.txt");

/// Something that may arrive.
#[derive(Clone, Copy, Debug)]
enum Arriving {
    Pending,
    Approved,
    Blocked,
    /// A decision with another core.
    Again,
    Changed(TransactionState),
    Expiry,
}

fn arrive(desk: &mut Desk, intent: &strongroom_types::Intent, arriving: Arriving) {
    match arriving {
        Arriving::Pending => desk.decided(intent, Decided::Pending),
        Arriving::Approved => desk.decided(intent, Decided::Approved),
        Arriving::Blocked => {
            let code = Code::PolicyBlocked;
            desk.decided(intent, Decided::Refused(code, code.meaning().to_owned()));
        }
        Arriving::Again => {
            let mut core = desk.journal.ledger.core(intent);
            core.rule = format!("rule {}", desk.row(intent).version);
            desk.decided_with(intent, core.to_text(), Decided::Pending);
        }
        Arriving::Changed(state) => desk.changed(intent, state),
        Arriving::Expiry => {
            let life = intent.expires.0 - intent.created.0;
            desk.wait(life + 10_000);
            desk.tick();
            desk.witness();
            desk.wait(2_000);
        }
    }
}

/// Every pair of records that may follow a way into a state.
#[test]
fn every_transition_of_a_row_is_in_the_table() {
    let signing = [
        Arriving::Approved,
        Arriving::Changed(TransactionState::Signing),
    ];
    let signed = Arriving::Changed(TransactionState::Signed);
    let ways: [&[Arriving]; 5] = [
        &[],
        &[Arriving::Pending],
        &signing,
        &[signing[0], signing[1], signed],
        &[Arriving::Blocked],
    ];
    let mut next = vec![
        Arriving::Pending,
        Arriving::Approved,
        Arriving::Blocked,
        Arriving::Again,
        Arriving::Expiry,
    ];
    next.extend(TransactionState::ALL.iter().copied().map(Arriving::Changed));

    collect();
    let edges = edges(TABLE);
    let mut all: BTreeSet<Edge> = BTreeSet::new();
    let mut desk = Desk::new();
    let mut number = 0;
    for way in ways {
        for last in &next {
            // Time that runs out would end the intents of later pairs too.
            if matches!(last, Arriving::Expiry) {
                desk = Desk::new();
            }
            number += 1;
            let intent = desk.intent(500_000, &format!("order {number}"));
            desk.submit(&intent).unwrap();
            for arriving in way.iter().chain([last]) {
                arrive(&mut desk, &intent, *arriving);
            }

            // What was logged is in the table, and starts where the row was.
            let mut state = TransactionState::Received.name().to_owned();
            let of = intent.digest().to_string();
            for taken in taken().into_iter().filter(|taken| taken.of == of) {
                let edge = taken.edge;
                assert_eq!(edge.0, state, "{way:?}, {last:?}");
                assert!(edges.contains(&edge), "{edge:?} is not in the table");
                state.clone_from(&edge.2);
                all.insert(edge);
            }
            // Nothing else was written.
            assert_eq!(desk.row(&intent).state.name(), state, "{way:?}, {last:?}");
            if matches!(last, Arriving::Expiry) {
                desk = Desk::new();
            }
        }
    }
    assert!(all.len() > 30, "{} edges were taken", all.len());
}
