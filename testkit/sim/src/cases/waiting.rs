//! What waits for the witnesses alone or beside others, and what becomes stricter until then.

use super::{Case, NOTHING, Shows, base, large, payment};
use crate::kinds::{Hostile, Situation};
use crate::plan::{Chaos, Move, OtherTenant, Payee, Plan, PlannedAct, PlannedIntent};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "several_scopes_wait",
        meaning: "A proposal and a locked payment of each of two tenants, a vault and a resume of \
                  the platform wait for one witnessed entry. The vault is void, by the stop that \
                  the resume ends; each of the others gets through.",
        shows: Shows {
            situations: &[
                Situation::SeveralWitnessed,
                Situation::ReleaseUndone,
                Situation::ResumeInForce,
                Situation::ReleaseInForce,
                Situation::LooserPolicyUsed,
                Situation::LockEnded,
            ],
            hostile: &[Hostile::HoldWitnessed],
            // All, with the last one of each tenant.
            signs: 7,
            ..NOTHING
        },
        plan: several_scopes_wait,
    },
    Case {
        name: "vault_waits",
        meaning: "A vault is in the journal, and its witnessed entry is kept back. Nothing is \
                  paid into or out of it until then; afterwards it is.",
        shows: Shows {
            hostile: &[Hostile::HoldWitnessed],
            refuses: &["unknown_vault"],
            // One into it, one out of it, the last one.
            signs: 3,
            ..NOTHING
        },
        plan: vault_waits,
    },
    Case {
        name: "tighter_policy_during_a_lock",
        meaning: "A policy that is provably tighter is put in force while two payments under the \
                  looser one are locked. The one that it forbids gets no share, the other is \
                  signed.",
        shows: Shows {
            situations: &[Situation::LockEnded],
            refuses: &["policy_blocked"],
            signs: 2,
            ..NOTHING
        },
        plan: tighter_policy_during_a_lock,
    },
];

const LONG: u64 = 1_000_000;

/// A payment into the new vault.
fn into_new(at_ms: u64) -> PlannedIntent {
    PlannedIntent {
        to: Payee::NewVault,
        ..payment(at_ms)
    }
}

/// A payment by the new vault.
fn out_of_new(at_ms: u64) -> PlannedIntent {
    PlannedIntent {
        from_new: true,
        ..payment(at_ms)
    }
}

/// What waits: from 1 s on, until 16 s.
fn several_scopes_wait() -> Plan {
    let mut plan = base(601);
    plan.loosen_delay_ms = 12_000;
    plan.lock_seconds = 10;
    plan.chaos = vec![(800, Chaos::Writer(Move::HoldWitnessed(15_000)))];
    plan.intents = vec![large(1_000), payment(45_000), into_new(46_000)];
    plan.acts = vec![
        (2_000, PlannedAct::LooserPolicy),
        (3_500, PlannedAct::NewVault),
        (35_000, PlannedAct::Release(LONG)),
    ];
    plan.other = Some(OtherTenant {
        intents: vec![large(1_000), payment(45_000)],
        acts: vec![
            (2_000, PlannedAct::LooserPolicy),
            (6_000, PlannedAct::PlatformStop),
            (8_000, PlannedAct::PlatformResume),
            (35_000, PlannedAct::Release(LONG)),
        ],
    });
    plan.calm_ms = 50_000;
    plan
}

/// A vault alone.
fn vault_waits() -> Plan {
    let mut plan = base(602);
    plan.acts = vec![(2_000, PlannedAct::NewVault)];
    plan.chaos = vec![(1_500, Chaos::Writer(Move::HoldWitnessed(12_000)))];
    plan.intents = vec![
        into_new(5_000),
        out_of_new(6_000),
        into_new(20_000),
        out_of_new(30_000),
    ];
    plan.intents[2].amount = 900_000;
    plan.calm_ms = 35_000;
    plan
}

/// Two locked payments, one of them above what the tighter policy allows.
fn tighter_policy_during_a_lock() -> Plan {
    let mut plan = base(603);
    plan.lock_seconds = 12;
    plan.acts = vec![(6_000, PlannedAct::TighterPolicy)];
    plan.intents = vec![large(1_000), large(1_200)];
    plan.intents[1].amount = 120_000_000;
    plan.calm_ms = 30_000;
    plan
}
