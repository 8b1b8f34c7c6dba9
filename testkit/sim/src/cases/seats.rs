//! Signers that must not take part: in quarantine, or in doubt about which line is the true one.

use super::{Case, NOTHING, Shows, base, every_pair, payment};
use crate::kinds::{Fault, Hostile, NodeName};
use crate::plan::{Chaos, Move, Plan, PlannedAct};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "signer_in_quarantine_is_asked_along",
        meaning: "A signer is put in quarantine, and packages with its commitments are asked for. \
                  No other signer shares with it, and payments are signed without it.",
        shows: Shows {
            hostile: &[Hostile::TwoQuorums],
            refuses: &["not_in_roster", "not_ready"],
            ..NOTHING
        },
        plan: signer_in_quarantine_is_asked_along,
    },
    Case {
        name: "quarantine_is_left_out",
        meaning: "As before, and the quarantine is left out of the journal and handed to the \
                  witnesses.",
        shows: Shows {
            hostile: &[Hostile::WithholdTightening, Hostile::TwoQuorums],
            refuses: &["tightening_pending"],
            ..NOTHING
        },
        plan: quarantine_is_left_out,
    },
    Case {
        name: "split_view_outlasts_restarts",
        meaning: "A signer is shown a second tree of one size, freezes, and its process dies \
                  twice. It neither cosigns nor shares again.",
        shows: Shows {
            hostile: &[Hostile::ForkedLog, Hostile::TwoQuorums],
            faults: &[Fault::Kill, Fault::Kill],
            refuses: &["conflict"],
            ..NOTHING
        },
        plan: split_view_outlasts_restarts,
    },
    Case {
        name: "split_view_ends_by_its_evidence",
        meaning: "A signer that followed the true line freezes over another one. Its operator \
                  names the evidence, and it takes part again.",
        shows: Shows {
            hostile: &[Hostile::ForkedLog, Hostile::TwoQuorums],
            faults: &[Fault::Kill],
            refuses: &["conflict"],
            ..NOTHING
        },
        plan: split_view_ends_by_its_evidence,
    },
];

fn signer_in_quarantine_is_asked_along() -> Plan {
    let mut plan = base(511);
    plan.acts = vec![(5_000, PlannedAct::Quarantine(2))];
    plan.intents = [1_000, 2_000, 3_000, 9_000, 10_000, 13_000]
        .map(payment)
        .into();
    plan.chaos = every_pair(&[10_500, 11_000, 12_000, 14_000, 15_000, 16_000]);
    plan
}

fn quarantine_is_left_out() -> Plan {
    let mut plan = base(512);
    plan.acts = vec![(5_000, PlannedAct::Quarantine(2))];
    plan.intents = [1_000, 2_000, 3_000, 7_000, 8_000, 24_000]
        .map(payment)
        .into();
    plan.chaos = vec![(4_000, Chaos::Writer(Move::Withhold(14_000)))];
    plan.chaos
        .extend(every_pair(&[8_500, 9_000, 10_000, 11_000]));
    plan.calm_ms = 30_000;
    plan
}

/// A signer whose disk has the true line freezes. Started again it would follow that as if there were
/// no other.
fn split_view_outlasts_restarts() -> Plan {
    let mut plan = base(513);
    plan.intents = [1_000, 2_000, 3_000, 9_000, 14_000].map(payment).into();
    plan.chaos = vec![(4_000, Chaos::Fork(NodeName::Signer2, 1))];
    plan.chaos.extend(every_pair(&[4_500, 5_000, 6_000]));
    plan.chaos
        .push((7_000, Chaos::Kill(NodeName::Signer2, 500)));
    plan.chaos
        .push((12_000, Chaos::Kill(NodeName::Signer2, 300)));
    plan.calm_ms = 36_000;
    plan
}

/// With another signer cut off, the last payment needs the one that was frozen.
fn split_view_ends_by_its_evidence() -> Plan {
    let mut plan = base(514);
    plan.intents = [1_000, 2_000, 3_000, 8_000, 24_000].map(payment).into();
    plan.chaos = vec![(6_000, Chaos::Fork(NodeName::Signer2, 1))];
    plan.chaos.extend(every_pair(&[8_500, 9_000, 10_000]));
    plan.chaos.extend([
        (12_000, Chaos::Kill(NodeName::Signer2, 300)),
        (18_000, Chaos::Unfreeze(NodeName::Signer2)),
        (23_000, Chaos::Partition(NodeName::Signer1, 20_000)),
    ]);
    plan.calm_ms = 45_000;
    plan
}
