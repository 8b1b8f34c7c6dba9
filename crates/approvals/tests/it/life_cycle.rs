//! Whatever happens in whatever order: the service takes no way that the committed table of the
//! life cycle does not have, and no way around it.

use crate::desk::{Desk, LARGE, MEDIUM, Office};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_golden::life_cycle::{Edge, Taken, collect, edges, taken};
use strongroom_types::{Document as _, Intent, Tighten};
use strongroom_wire::TransactionState;
use strongroom_world::{AUTO_MAX, INTENT_LIFE_MS, Who};

/// The committed table.
const TABLE: &str = include_str!("../../life-cycle.txt");

/// Amounts of the intents here: one that no one approves, one that needs one person, one that needs
/// two.
const AMOUNTS: [u64; 3] = [AUTO_MAX, MEDIUM, LARGE];

/// Something that may happen to the service; the number names the intent.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Submit(usize),
    Return(usize),
    Yes(usize, u8),
    Signing(usize),
    Failed(usize),
    Cancel(usize),
    Reject(usize),
    ChangePolicy,
    RelaxPolicy,
    Witness,
    Tick,
    Expire,
    Restart,
}

fn happening() -> impl Strategy<Value = Happening> {
    let intent = || 0..AMOUNTS.len();
    prop_oneof![
        4 => intent().prop_map(Happening::Submit),
        2 => intent().prop_map(Happening::Return),
        6 => (intent(), 0..3_u8).prop_map(|(intent, who)| Happening::Yes(intent, who)),
        1 => intent().prop_map(Happening::Signing),
        1 => intent().prop_map(Happening::Failed),
        1 => intent().prop_map(Happening::Cancel),
        1 => intent().prop_map(Happening::Reject),
        2 => Just(Happening::Tick),
        1 => Just(Happening::Witness),
        1 => Just(Happening::Expire),
        1 => Just(Happening::Restart),
    ]
}

/// Delivers a record; one that the service refuses changes nothing.
fn happen(desk: &mut Desk, intents: &[Intent; 3], happening: Happening) {
    let office = &desk.office;
    let record = match happening {
        Happening::Submit(at) => office.submitted(&intents[at]),
        Happening::Return(at) => office.returned(&intents[at]),
        Happening::Yes(at, who) => {
            // Without a decision there is nothing to sign.
            let Some(yes) = office.try_answer(Who::Approver(who.into()), &intents[at]) else {
                return;
            };
            office.answered(&yes)
        }
        Happening::Signing(at) => office.changed(&intents[at], TransactionState::Signing),
        Happening::Failed(at) => office.changed(&intents[at], TransactionState::Failed),
        Happening::Cancel(at) => {
            let cancel = Tighten::Cancel(intents[at].digest());
            return office.try_tighten(cancel, Who::Initiator);
        }
        Happening::Reject(at) => {
            let reject = Tighten::Reject(intents[at].digest());
            return office.try_tighten(reject, Who::Approver(1));
        }
        Happening::ChangePolicy => return office.change_policy(),
        Happening::RelaxPolicy => return office.relax_policy(),
        Happening::Witness => return office.witness(),
        // Witnesses vouch for what came before, else no end would be told.
        Happening::Tick => {
            office.witness();
            return drop(desk.tick());
        }
        Happening::Expire => {
            office.live(INTENT_LIFE_MS + 10_000);
            return drop(desk.tick());
        }
        Happening::Restart => return desk.restart(),
    };
    // What does not count becomes a dead letter, and its transaction is not committed.
    if desk.deliver(record).is_err() {
        drop(taken());
    }
}

/// Plays it all; gives the edges that were taken.
fn play(happenings: &[Happening]) -> BTreeSet<Edge> {
    collect();
    let edges = edges(TABLE);
    let mut desk = Desk::new(Office::new());
    let intents = AMOUNTS.map(|amount| desk.office.intent(amount));
    let mut states: BTreeMap<String, String> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for happening in happenings {
        happen(&mut desk, &intents, *happening);

        // What was logged is in the table, and starts where the intent was.
        for Taken { of, edge, .. } in taken() {
            let before = states.insert(of, edge.2.clone());
            assert_eq!(before.as_deref().unwrap_or("absent"), edge.0);
            assert!(edges.contains(&edge), "{edge:?} is not in the table");
            all.insert(edge);
        }

        // Nothing else was written: each row is where its last transition led.
        states.retain(|_, state| state != "absent");
        assert_eq!(desk.states(), states, "written past the life cycle");
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_transition_of_the_service_is_in_the_table(
        happenings in prop::collection::vec(happening(), 1..30),
    ) {
        play(&happenings);
    }
}

/// A table with edges that nothing takes would be a wish, not a description.
#[test]
fn every_edge_of_the_table_is_taken_by_the_service() {
    use Happening::*;
    let plays: [&[Happening]; 8] = [
        // The intent is approved by the rule alone, and sent back.
        &[Submit(0), Return(0), Failed(0), Return(0)],
        &[
            Submit(2),
            Submit(2),
            Yes(2, 0),
            Failed(2),
            ChangePolicy,
            Return(2),
            Return(2),
            Yes(2, 0),
            Yes(2, 1),
            Submit(2),
            Return(2),
        ],
        &[
            Submit(1),
            Yes(1, 0),
            Failed(1),
            Return(1),
            Yes(1, 0),
            Expire,
            Return(1),
        ],
        &[Submit(1), Expire, Submit(1)],
        &[Submit(1), Cancel(1), Tick],
        &[
            Submit(1),
            Yes(1, 0),
            Cancel(1),
            Witness,
            Return(1),
            Submit(2),
            Cancel(2),
            Witness,
            Return(2),
        ],
        &[Submit(1), RelaxPolicy, Return(1)],
        &[Submit(1), Yes(1, 0), RelaxPolicy, Return(1)],
    ];
    let taken: BTreeSet<Edge> = plays.into_iter().flat_map(play).collect();
    let never: Vec<_> = edges(TABLE)
        .into_iter()
        .filter(|edge| !taken.contains(edge))
        .collect();
    assert_eq!(never, []);
}
