//! Whatever arrives in whatever order: a row takes no way that the committed table of its life cycle
//! does not have, and no way around it.

use crate::desk::Desk;
use std::collections::BTreeSet;
use strongroom_golden::life_cycle::{Edge, collect, edges, taken};
use strongroom_matrix::every;
use strongroom_types::{Code, Document as _};
use strongroom_wire::{Decided, TransactionState};

/// The committed table.
const TABLE: &str = include_str!("../../life-cycle.txt");

/// Edges that nothing that arrives leads to, and why the table has them: states, events, reason.
const NOT_TAKEN: [(&[&str], &[&str], &str); 2] = [
    (
        &["received", "screening"],
        &[
            "decided_again(pending_approval)",
            "decided_again(approved)",
            "decided_again(rejected)",
            "decided_again(blocked)",
            "decided_again(expired)",
            "decided_again(cancelled)",
        ],
        "the first decision brings the row's core and takes it out of these states, so there is no \
         core that another could differ from",
    ),
    (
        &["screening"],
        &["timed_out"],
        "no service reports this state yet, and the clock does not look for it",
    ),
];

/// What a decision says.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    Pending,
    Approved,
    Refused(Code),
}

impl Verdict {
    /// Each verdict; of the refusals one code for each state in which they can end.
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Approved,
        Self::Refused(Code::IntentRejected),
        Self::Refused(Code::PolicyBlocked),
        Self::Refused(Code::IntentExpired),
        Self::Refused(Code::IntentCancelled),
    ];

    fn decided(self) -> Decided {
        match self {
            Self::Pending => Decided::Pending,
            Self::Approved => Decided::Approved,
            Self::Refused(code) => Decided::Refused(code, code.meaning().to_owned()),
        }
    }
}

/// Something that may arrive.
#[derive(Clone, Copy, Debug)]
enum Arriving {
    Decided(Verdict),
    /// A decision with another core.
    Again(Verdict),
    Changed(TransactionState),
    Expiry,
}

fn arrive(desk: &mut Desk, intent: &strongroom_types::Intent, arriving: Arriving) {
    match arriving {
        Arriving::Decided(verdict) => desk.decided(intent, verdict.decided()),
        Arriving::Again(verdict) => {
            let mut core = desk.journal.ledger.core(intent);
            core.rule = format!("rule {}", desk.row(intent).version);
            desk.decided_with(intent, core.to_text(), verdict.decided());
        }
        Arriving::Changed(state) => desk.changed(intent, state),
        Arriving::Expiry => {
            let life = intent.expires.0 - intent.created.0;
            // With the pause before the end of what was offered.
            desk.wait(life + 70_000);
            desk.tick();
            desk.witness();
            desk.wait(2_000);
        }
    }
}

/// A way into a state from which others lead on. A new state does not compile before it has one.
fn way_into(state: TransactionState) -> Vec<Arriving> {
    let approved = Arriving::Decided(Verdict::Approved);
    match state {
        TransactionState::Received => vec![],
        TransactionState::Screening => vec![Arriving::Changed(state)],
        TransactionState::PendingApproval => vec![Arriving::Decided(Verdict::Pending)],
        TransactionState::Approved => vec![approved],
        TransactionState::TimeLocked
        | TransactionState::WaitingForFunds
        | TransactionState::Signing
        | TransactionState::Signed
        | TransactionState::Broadcasting
        | TransactionState::Confirming
        | TransactionState::Completed
        | TransactionState::Rejected
        | TransactionState::Blocked
        | TransactionState::Expired
        | TransactionState::Cancelled
        | TransactionState::Failed
        | TransactionState::Replaced => vec![approved, Arriving::Changed(state)],
    }
}

/// Everything that may arrive next.
fn next() -> Vec<Arriving> {
    let states = TransactionState::ALL.iter().copied();
    let [decided, again, changed, expiry] = every!(Arriving {
        Arriving::Decided(_) => Verdict::ALL.map(Arriving::Decided).to_vec(),
        Arriving::Again(_) => Verdict::ALL.map(Arriving::Again).to_vec(),
        Arriving::Changed(_) => states.map(Arriving::Changed).collect(),
        Arriving::Expiry => vec![Arriving::Expiry],
    });
    [decided, again, changed, expiry].concat()
}

/// What arrives in each state that it can arrive in.
#[test]
fn every_transition_of_a_row_is_in_the_table_and_is_taken() {
    collect();
    let edges = edges(TABLE);
    let mut all: BTreeSet<Edge> = BTreeSet::new();
    let mut desk = Desk::new();
    let mut number = 0;
    for before in TransactionState::ALL {
        let way = way_into(*before);
        for last in next() {
            // Time that runs out would end the intents of later pairs too.
            if matches!(last, Arriving::Expiry) {
                desk = Desk::new();
            }
            number += 1;
            let intent = desk.intent(500_000, &format!("order {number}"));
            desk.submit(&intent).unwrap();
            for arriving in &way {
                arrive(&mut desk, &intent, *arriving);
            }
            assert_eq!(desk.row(&intent).state, *before);
            arrive(&mut desk, &intent, last);

            // What was logged is in the table, and starts where the row was.
            let mut state = TransactionState::Received.name().to_owned();
            let of = intent.digest().to_string();
            for taken in taken().into_iter().filter(|taken| taken.of == of) {
                let edge = taken.edge;
                assert_eq!(edge.0, state, "{before:?}, {last:?}");
                assert!(edges.contains(&edge), "{edge:?} is not in the table");
                state.clone_from(&edge.2);
                all.insert(edge);
            }
            // Nothing else was written.
            assert_eq!(
                desk.row(&intent).state.name(),
                state,
                "{before:?}, {last:?}"
            );
            if matches!(last, Arriving::Expiry) {
                desk = Desk::new();
            }
        }
    }

    let missed = edges.difference(&all);
    let missed: BTreeSet<_> = missed
        .map(|(state, event, _)| (state.as_str(), event.as_str()))
        .collect();
    let excused = NOT_TAKEN.iter().flat_map(|(states, events, _)| {
        let pairs = states
            .iter()
            .map(|state| events.iter().map(|event| (*state, *event)));
        pairs.flatten()
    });
    assert_eq!(missed, excused.collect());
}
