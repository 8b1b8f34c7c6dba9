//! What a payment rests on is taken away while it is under way: an address, a person, a place in a
//! group, an approval; or an admin pauses the tenant.

use super::{Case, NOTHING, Shows, base, every_pair, large, payment};
use crate::kinds::{Fault, Hostile, NodeName, Situation};
use crate::plan::{Answers, Chaos, Plan, PlannedAct, PlannedIntent};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "address_is_taken_off_the_list",
        meaning: "A payment that asks no one, because its address is on the allow-list, is \
                  authorized and not signed yet when the address is taken off. Every quorum is \
                  asked for it, and it gets no share; the next one asks an approver. Once the \
                  committee has listed the address again, payments ask no one again.",
        shows: Shows {
            hostile: &[Hostile::TwoQuorums],
            faults: &[Fault::Partition],
            refuses: &["allow_list_no_longer_in_force"],
            // Three before, one with an approver, one after, the last one.
            signs: 6,
            ..NOTHING
        },
        plan: address_is_taken_off_the_list,
    },
    Case {
        name: "approver_is_revoked_during_a_lock",
        meaning: "One of the two who approved a locked payment is revoked as a person. It gets no \
                  share when its lock ends; one that two others approved does.",
        shows: Shows {
            situations: &[Situation::LockEnded],
            hostile: &[Hostile::TwoQuorums],
            refuses: &["approval_no_longer_in_force"],
            signs: 2,
            ..NOTHING
        },
        plan: approver_is_revoked_during_a_lock,
    },
    Case {
        name: "tenant_is_paused",
        meaning: "An admin pauses the whole tenant while a payment is authorized and not signed \
                  yet. Every quorum is asked for it and nothing leaves until the pause is over; then it \
                  is signed.",
        shows: Shows {
            hostile: &[Hostile::TwoQuorums],
            faults: &[Fault::Partition],
            refuses: &["paused"],
            // All but the one that is asked for during the pause.
            signs: 5,
            ..NOTHING
        },
        plan: tenant_is_paused,
    },
    Case {
        name: "initiator_leaves_the_group_of_the_rule",
        meaning: "A payment asks no one, because an approver asks for it, and is not signed yet \
                  when that approver leaves the group. The journal takes no further attempt of \
                  it, and every quorum that is asked refuses. One that another approver asks for \
                  is signed.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::OpenAttempts, Hostile::TwoQuorums],
            refuses: &["decision_changed", "attempt_unknown"],
            // The other approver's, the last one.
            signs: 2,
            ..NOTHING
        },
        plan: initiator_leaves_the_group_of_the_rule,
    },
    Case {
        name: "approval_ends_before_a_further_attempt",
        meaning: "An approver agrees to a payment for 16 s, and it is not signed by then. The \
                  journal takes no further attempt of it, and every quorum that is asked \
                  refuses. One that was approved for longer is signed.",
        shows: Shows {
            hostile: &[Hostile::OpenAttempts, Hostile::TwoQuorums],
            refuses: &["approval_no_longer_in_force", "attempt_unknown"],
            // The other one, the last one.
            signs: 2,
            ..NOTHING
        },
        plan: approval_ends_before_a_further_attempt,
    },
];

const LONG: u64 = 1_000_000;

/// The coordinator is away from 6 s to 20 s, with a payment under way, and another part asks in its
/// place from 12 s on.
fn asked_past_the_coordinator(seed: u64) -> Plan {
    let mut plan = base(seed);
    plan.intents = [500, 1_000, 1_500, 7_000].map(payment).into();
    plan.chaos = vec![(6_000, Chaos::Partition(NodeName::Coordinator, 14_000))];
    let asked = [12_000, 13_000, 14_000, 15_000, 16_000, 17_000];
    plan.chaos.extend(every_pair(&asked));
    plan
}

fn address_is_taken_off_the_list() -> Plan {
    let mut plan = asked_past_the_coordinator(721);
    plan.listed_only = true;
    plan.acts = vec![
        (10_000, PlannedAct::Unlist),
        (24_000, PlannedAct::List),
        (26_000, PlannedAct::Release(LONG)),
    ];
    plan.intents.extend([21_000, 36_000].map(payment));
    plan.calm_ms = 42_000;
    plan
}

fn approver_is_revoked_during_a_lock() -> Plan {
    let mut plan = base(702);
    plan.lock_seconds = 12;
    plan.acts = vec![(6_000, PlannedAct::RevokePerson(1))];
    // Approvers 2 and 1 approve the first one, 2 and 0 the second.
    plan.intents = vec![large(1_000), large(1_200)];
    plan.chaos = every_pair(&[15_000, 16_000, 17_000, 18_000]);
    plan.calm_ms = 30_000;
    plan
}

fn tenant_is_paused() -> Plan {
    let mut plan = asked_past_the_coordinator(703);
    plan.acts = vec![(10_000, PlannedAct::PauseAll(18_000))];
    plan.intents.push(payment(14_000));
    plan.calm_ms = 34_000;
    plan
}

/// As [`asked_past_the_coordinator`], for longer: other parts open further attempts, and then ask
/// for the one of the authorization.
fn attempted_again(seed: u64, intents: [PlannedIntent; 2]) -> Plan {
    let mut plan = base(seed);
    plan.intents = intents.into();
    plan.chaos = vec![(6_000, Chaos::Partition(NodeName::Coordinator, 40_000))];
    let opened = [32_000, 33_000, 34_000, 35_000, 36_000];
    let opened = opened.map(|at| (at, Chaos::Act(Hostile::OpenAttempts)));
    plan.chaos.extend(opened);
    let asked = [38_000, 39_000, 40_000, 41_000, 42_000, 43_000];
    plan.chaos.extend(every_pair(&asked));
    plan.calm_ms = 60_000;
    plan
}

fn initiator_leaves_the_group_of_the_rule() -> Plan {
    let by = |number, at_ms| PlannedIntent {
        amount: 2_000_000,
        by_approver: Some(number),
        ..payment(at_ms)
    };
    let mut plan = attempted_again(704, [by(0, 8_000), by(1, 48_000)]);
    plan.acts = vec![
        (500, PlannedAct::ApproversPolicy),
        (1_500, PlannedAct::Release(LONG)),
        (16_000, PlannedAct::LeaveGroup(0)),
    ];
    plan
}

fn approval_ends_before_a_further_attempt() -> Plan {
    let approved = |at_ms, answers| PlannedIntent {
        amount: 2_000_000,
        answers,
        ..payment(at_ms)
    };
    let briefly = approved(8_000, Answers::YesFor(16_000));
    attempted_again(705, [briefly, approved(48_000, Answers::Yes)])
}
