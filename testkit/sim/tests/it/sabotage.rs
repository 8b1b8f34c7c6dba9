//! Real machines with a guard of their surroundings taken away: the property goes red.

use strongroom_sim::plan::{Chaos, PlannedAct, Sabotage};
use strongroom_sim::run::run_plan;
use strongroom_sim::{NodeName, Plan, Settings};

fn broken(sabotage: Option<Sabotage>, node: NodeName, seed: u64) -> Option<&'static str> {
    let mut plan = Plan::quiet(seed, 6);
    plan.calm_ms = 20_000;
    plan.chaos = vec![
        (1_000, Chaos::Snapshot(node)),
        (12_000, Chaos::Restore(node)),
    ];
    // Something to put in the journal between the copy and its return, and after.
    plan.acts = [
        3_000, 6_000, 12_400, 12_600, 12_800, 13_200, 13_900, 14_700, 15_600, 16_600,
    ]
    .map(|at| (at, PlannedAct::RevokeApprover(0)))
    .into();
    plan.sabotage = sabotage;
    run_plan(
        plan,
        &Settings {
            intents: 6,
            trace: false,
        },
    )
    .violation
    .map(|(violation, _)| violation.property.name())
}

#[test]
fn a_witness_whose_marker_is_put_back_with_its_disk_is_noticed() {
    assert_eq!(broken(None, NodeName::Signer2, 31), None);
    assert_eq!(
        broken(Some(Sabotage::MarkerWithDisk), NodeName::Signer2, 31),
        Some("d")
    );
}

#[test]
fn a_writer_that_orders_on_after_its_disk_was_put_back_is_noticed() {
    assert_eq!(broken(None, NodeName::Writer, 32), None);
    assert_eq!(
        broken(Some(Sabotage::WriterOrdersOn), NodeName::Writer, 32),
        Some("d")
    );
}

#[test]
fn an_api_that_forgets_what_it_accepted_is_noticed() {
    assert_eq!(
        broken(Some(Sabotage::ForgetfulApi), NodeName::Approvals, 33),
        Some("lost")
    );
}
