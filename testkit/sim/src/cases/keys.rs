//! Keys that must receive nothing, and ceremonies that end without one.

use super::{Case, NOTHING, Shows, base, payment};
use crate::kinds::{Fault, Hostile, NodeName, Situation};
use crate::plan::{Chaos, Move, Payee, Plan, PlannedAct, PlannedIntent};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "key_of_a_paid_vault_is_revoked",
        meaning: "A payment into a vault of a second key is authorized and not signed yet when \
                  that key is revoked. Every quorum of signers is asked for it, and no money goes \
                  where others may hold the key.",
        shows: Shows {
            situations: &[Situation::VaultPaid],
            hostile: &[Hostile::TwoQuorums],
            refuses: &["key_revoked"],
            ..NOTHING
        },
        plan: key_of_a_paid_vault_is_revoked,
    },
    Case {
        name: "key_of_a_vault_is_not_finished",
        meaning: "A vault is asked for, and paid into, while the ceremony of its key waits for a \
                  signer that is cut off. There is no such vault and no address of it; once the \
                  ceremony has ended, a next vault receives.",
        shows: Shows {
            situations: &[Situation::VaultPaid],
            faults: &[Fault::Partition],
            refuses: &["invalid_reference", "unknown_vault"],
            signs: 2,
            ..NOTHING
        },
        plan: key_of_a_vault_is_not_finished,
    },
    Case {
        name: "participant_of_a_ceremony_is_silent",
        meaning: "A signer is cut off through the whole life of a released ceremony. The others \
                  end it with its reason, and a next ceremony makes a key that receives.",
        shows: Shows {
            situations: &[Situation::VaultPaid],
            faults: &[Fault::Partition],
            refuses: &["authority_expired"],
            ..NOTHING
        },
        plan: participant_of_a_ceremony_is_silent,
    },
    Case {
        name: "result_of_a_ceremony_is_late",
        meaning: "A ceremony is certified in time, and its result reaches the journal after its \
                  life. It makes no key, and a next ceremony does.",
        shows: Shows {
            situations: &[Situation::VaultPaid],
            hostile: &[Hostile::GoQuiet],
            faults: &[Fault::Partition],
            ..NOTHING
        },
        plan: result_of_a_ceremony_is_late,
    },
];

const LONG: u64 = 1_000_000;
/// Life of a released ceremony: far above what one takes.
const LIFE_MS: u64 = 40_000;

fn into_vault(at_ms: u64) -> PlannedIntent {
    PlannedIntent {
        to: Payee::Vault,
        ..payment(at_ms)
    }
}

/// A further key and a vault of it, from a moment on.
fn further_vault(at_ms: u64) -> [(u64, PlannedAct); 3] {
    [
        (at_ms, PlannedAct::NewKey),
        (at_ms + 2_000, PlannedAct::Release(LONG)),
        (at_ms + 8_000, PlannedAct::NewVault),
    ]
}

fn key_of_a_paid_vault_is_revoked() -> Plan {
    let mut plan = base(501);
    plan.acts = further_vault(1_000).into();
    plan.acts.push((21_000, PlannedAct::RevokeKey));
    plan.intents = [14_000, 18_000, 27_000].map(into_vault).into();
    plan.chaos = vec![(17_000, Chaos::Partition(NodeName::Coordinator, 14_000))];
    for n in 0..5 {
        let asked = Chaos::Act(Hostile::TwoQuorums);
        plan.chaos.push((24_000 + 1_000 * n, asked));
    }
    plan.calm_ms = 36_000;
    plan
}

/// The third signer is back after the vault was asked for, in time for a run.
fn key_of_a_vault_is_not_finished() -> Plan {
    let mut plan = base(504);
    plan.acts = further_vault(1_000).into();
    plan.acts.push((50_000, PlannedAct::NewVault));
    plan.chaos = vec![(500, Chaos::Partition(NodeName::Signer3, 20_000))];
    plan.intents = vec![
        PlannedIntent {
            to: Payee::NewVault,
            ..payment(12_000)
        },
        into_vault(60_000),
    ];
    plan.calm_ms = 65_000;
    plan
}

/// A ceremony from the start of the plan on, and a next one after its life.
fn two_ceremonies(seed: u64) -> Plan {
    let mut plan = base(seed);
    plan.ceremony_life_ms = Some(LIFE_MS);
    plan.acts = vec![
        (1_000, PlannedAct::NewKey),
        (3_000, PlannedAct::Release(LONG)),
    ];
    plan.acts.extend(further_vault(66_000));
    plan.intents = vec![into_vault(80_000)];
    plan.calm_ms = 88_000;
    plan
}

fn participant_of_a_ceremony_is_silent() -> Plan {
    let mut plan = two_ceremonies(502);
    plan.chaos = vec![(500, Chaos::Partition(NodeName::Signer3, 60_000))];
    // By the journal's time a ceremony ends with the first entry after its life.
    plan.intents.push(payment(50_000));
    plan
}

/// The third signer is back in time for a run, and the writer appends nothing from before that until
/// the ceremony's life is over.
fn result_of_a_ceremony_is_late() -> Plan {
    let mut plan = two_ceremonies(503);
    plan.chaos = vec![
        (500, Chaos::Partition(NodeName::Signer3, 14_500)),
        (12_000, Chaos::Writer(Move::Quiet(46_000))),
    ];
    plan
}
