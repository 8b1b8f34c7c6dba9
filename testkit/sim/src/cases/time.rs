//! Delays, locks and expiries against a writer that stamps, hides and withholds as it likes.

use super::{Case, NOTHING, Shows, after_all, base, payment};
use crate::kinds::{Fault, Hostile, NodeName, Situation};
use crate::plan::{Chaos, Move, Plan, PlannedAct};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "proposal_is_back_dated",
        meaning: "A proposal is stamped with the time of a last entry that is old, and \
                  its release follows at once. Its delay begins when witnesses have seen \
                  it.",
        shows: Shows {
            situations: &[
                Situation::OldStamp,
                Situation::ReleaseInForce,
                Situation::LooserPolicyUsed,
            ],
            hostile: &[Hostile::GoQuiet, Hostile::BackDate],
            ..NOTHING
        },
        plan: proposal_is_back_dated,
    },
    Case {
        name: "witness_lies_about_the_past",
        meaning: "A witness vouches for a moment long ago in every witnessed entry. A \
                  delay begins with the largest time of a quorum, so it cannot shorten \
                  it.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::LyingWitness],
            ..NOTHING
        },
        plan: witness_lies_about_the_past,
    },
    Case {
        name: "witness_lies_about_the_future",
        meaning: "A witness vouches for the far future. Such a time is refused, and the \
                  loosening gets through.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::LyingWitness],
            ..NOTHING
        },
        plan: witness_lies_about_the_future,
    },
    Case {
        name: "proposal_is_hidden_from_a_quorum",
        meaning: "A proposal is shown to one honest witness and the hostile one while \
                  the others cosign the head before it. Its delay begins when no quorum \
                  can be shown without it.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::LyingWitness],
            faults: &[
                Fault::JournalHidden,
                Fault::JournalHidden,
                Fault::JournalHidden,
            ],
            ..NOTHING
        },
        plan: proposal_is_hidden_from_a_quorum,
    },
    Case {
        name: "release_waits",
        meaning: "A release is in the journal, and its witnessed entry is kept back. \
                  Nothing relies on it until then.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::HoldWitnessed],
            ..NOTHING
        },
        plan: release_waits,
    },
    Case {
        name: "release_is_back_dated",
        meaning: "A release that expired is appended with a stamp from before. It never \
                  takes effect.",
        shows: Shows {
            situations: &[Situation::OldStamp],
            hostile: &[Hostile::GoQuiet, Hostile::BackDate],
            refuses: &["authority_expired"],
            ..NOTHING
        },
        plan: release_is_back_dated,
    },
    Case {
        name: "revoked_after_a_release",
        meaning: "A credential is revoked between a release and its witnessed entry. The \
                  release is void, and the journal goes on.",
        shows: Shows {
            situations: &[Situation::ReleaseUndone],
            hostile: &[Hostile::HoldWitnessed],
            ..NOTHING
        },
        plan: revoked_after_a_release,
    },
    Case {
        name: "stopped_again_after_a_resume",
        meaning: "The tenant is stopped again between a resume and its witnessed entry. \
                  The resume ends neither stop.",
        shows: Shows {
            situations: &[Situation::ReleaseUndone],
            hostile: &[Hostile::HoldWitnessed],
            refuses: &["tenant_stopped"],
            ..NOTHING
        },
        plan: stopped_again_after_a_resume,
    },
    Case {
        name: "resume_waits",
        meaning: "A resume is in the journal, and its witnessed entry is kept back. The \
                  stop holds until then.",
        shows: Shows {
            situations: &[Situation::ResumeInForce],
            hostile: &[Hostile::HoldWitnessed],
            ..NOTHING
        },
        plan: resume_waits,
    },
    Case {
        name: "oldest_item_is_old",
        meaning: "The writer appends entries and keeps the witnessed entry of a proposal \
                  back. From tick_max on no share leaves.",
        shows: Shows {
            hostile: &[Hostile::HoldWitnessed],
            refuses: &["journal_stale"],
            ..NOTHING
        },
        plan: oldest_item_is_old,
    },
    Case {
        name: "several_items_at_once",
        meaning: "A proposal, a vault, a pause and two locked payments wait for one \
                  witnessed entry. Each gets through.",
        shows: Shows {
            situations: &[
                Situation::SeveralWitnessed,
                Situation::ReleaseInForce,
                Situation::LooserPolicyUsed,
                Situation::LockEnded,
            ],
            hostile: &[Hostile::HoldWitnessed],
            ..NOTHING
        },
        plan: several_items_at_once,
    },
    Case {
        name: "witness_is_put_back_while_a_release_waits",
        meaning: "A witness's disk is put back to before a release that it cosigned. It \
                  never cosigns again, and the release takes effect by the others.",
        shows: Shows {
            situations: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
            hostile: &[Hostile::HoldWitnessed],
            faults: &[Fault::WitnessRestored],
            refuses: &["signer_retired"],
            ..NOTHING
        },
        plan: witness_is_put_back_while_a_release_waits,
    },
];

/// Delay of a loosening: twice the skews on both sides, so that a cut one is seen.
const DELAY_MS: u64 = 20_000;

/// Nothing but a loosening, by acts at these times, and payments that rely on it.
fn loosening(seed: u64, acts: &[(u64, PlannedAct)], payments: &[u64]) -> Plan {
    let mut plan = base(seed);
    plan.loosen_delay_ms = DELAY_MS;
    plan.acts = acts.to_vec();
    plan.intents = payments.iter().map(|at| payment(*at)).collect();
    plan.calm_ms = after_all(&plan);
    plan
}

pub(super) fn writer(at_ms: u64, what: Move) -> (u64, Chaos) {
    (at_ms, Chaos::Writer(what))
}

const LONG: u64 = 1_000_000;
/// How long something is hidden from a quorum: two rounds of cosigning again, and no more than the
/// writer leaves a head without a tick.
const HIDDEN_MS: u64 = 29_500;

/// Proposed while the journal is quiet, stamped with its last entry's time: counted from there the
/// delay is over when it is first seen.
fn proposal_is_back_dated() -> Plan {
    let acts = [
        (20_000, PlannedAct::LooserPolicy),
        (24_500, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(201, &acts, &[26_500, 29_000, 48_000]);
    plan.chaos = vec![
        writer(500, Move::Quiet(23_500)),
        writer(500, Move::BackDate(24_500)),
    ];
    plan
}

/// One witness vouches for a moment long ago.
fn witness_lies_about_the_past() -> Plan {
    let acts = [
        (2_000, PlannedAct::LooserPolicy),
        (4_000, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(202, &acts, &[7_000, 9_000, 30_000]);
    plan.chaos = vec![writer(500, Move::Lie(-1_000_000, LONG))];
    plan
}

/// One witness vouches for the far future. What waits must still get through.
fn witness_lies_about_the_future() -> Plan {
    let acts = [
        (2_000, PlannedAct::LooserPolicy),
        (24_000, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(203, &acts, &[32_000]);
    plan.chaos = vec![writer(500, Move::Lie(400_000_000, 12_000))];
    plan
}

/// Only one honest witness is shown what comes after, for a while in which the others cosign the head
/// before it twice. The hostile one vouches for a moment before.
pub(super) fn hidden_from_a_quorum() -> Vec<(u64, Chaos)> {
    let others = [NodeName::Signer2, NodeName::Signer3, NodeName::Witness];
    let hide = |node: NodeName| (2_500, Chaos::HideJournal(node, HIDDEN_MS));
    let lie = writer(500, Move::Lie(-29, LONG));
    others.map(hide).into_iter().chain([lie]).collect()
}

/// A proposal that is shown to one honest witness and to the hostile one, while the others go on
/// cosigning the head before it.
fn proposal_is_hidden_from_a_quorum() -> Plan {
    let acts = [
        (3_000, PlannedAct::LooserPolicy),
        (35_000, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(204, &acts, &[36_500, 38_000, 72_000]);
    plan.loosen_delay_ms = 30_000;
    plan.chaos = hidden_from_a_quorum();
    plan
}

/// A release in the journal whose `witnessed` entry is kept back: payments until then are decided by
/// the old policy.
fn release_waits() -> Plan {
    let acts = [
        (1_000, PlannedAct::LooserPolicy),
        (23_000, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(205, &acts, &[26_000, 28_000, 45_000]);
    plan.chaos = vec![writer(22_500, Move::HoldWitnessed(15_000))];
    plan
}

/// A release that its committee let expire, appended long after with a stamp from before.
fn release_is_back_dated() -> Plan {
    let acts = [
        (1_000, PlannedAct::LooserPolicy),
        (25_500, PlannedAct::Release(4_000)),
    ];
    let mut plan = loosening(206, &acts, &[23_500, 48_000, 50_000]);
    plan.chaos = vec![
        writer(25_200, Move::Quiet(19_000)),
        writer(25_200, Move::BackDate(21_000)),
    ];
    plan
}

/// A credential is revoked after a release and before it is witnessed: the release is void, and
/// what waits beside it goes on.
fn revoked_after_a_release() -> Plan {
    let acts = [
        (1_000, PlannedAct::LooserPolicy),
        (23_000, PlannedAct::Release(LONG)),
        (26_000, PlannedAct::RevokeApprover(0)),
    ];
    let mut plan = loosening(207, &acts, &[38_000, 41_000]);
    plan.chaos = vec![writer(22_500, Move::HoldWitnessed(10_000))];
    plan
}

/// A resume takes effect when it is witnessed, and undoes no later stop.
fn stopped_again_after_a_resume() -> Plan {
    let mut plan = base(208);
    plan.acts = vec![
        (2_000, PlannedAct::Stop),
        (5_000, PlannedAct::Resume),
        (12_000, PlannedAct::Stop),
    ];
    plan.intents = [8_000, 20_000].map(payment).into();
    plan.chaos = vec![writer(4_500, Move::HoldWitnessed(12_000))];
    plan.calm_ms = 26_000;
    plan
}

/// A resume whose `witnessed` entry is kept back.
fn resume_waits() -> Plan {
    let mut plan = base(209);
    plan.acts = vec![(2_000, PlannedAct::Stop), (5_000, PlannedAct::Resume)];
    plan.intents = [8_000, 20_000].map(payment).into();
    plan.chaos = vec![writer(4_500, Move::HoldWitnessed(10_000))];
    plan.calm_ms = 26_000;
    plan
}

/// A proposal whose `witnessed` entry is kept back for longer than a head may be old.
fn oldest_item_is_old() -> Plan {
    let acts = [(2_000, PlannedAct::LooserPolicy)];
    let mut plan = loosening(213, &acts, &[40_000, 95_000, 100_000]);
    plan.chaos = vec![writer(1_500, Move::HoldWitnessed(110_000))];
    plan.calm_ms = 115_000;
    plan
}

/// A proposal, a vault, a pause and two locked payments under one `witnessed` entry.
fn several_items_at_once() -> Plan {
    let acts = [
        (2_000, PlannedAct::LooserPolicy),
        (4_000, PlannedAct::NewVault),
        (6_000, PlannedAct::Pause(1_500)),
        (37_000, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(214, &acts, &[45_000]);
    plan.lock_seconds = 10;
    plan.intents.extend([2_500, 3_000].map(super::large));
    plan.chaos = vec![writer(1_500, Move::HoldWitnessed(12_000))];
    plan.calm_ms = 50_000;
    plan
}

/// A witness's disk is put back while a release waits that it has cosigned.
fn witness_is_put_back_while_a_release_waits() -> Plan {
    let acts = [
        (1_000, PlannedAct::LooserPolicy),
        (23_000, PlannedAct::Release(LONG)),
    ];
    let mut plan = loosening(217, &acts, &[40_000]);
    plan.chaos = vec![
        (15_000, Chaos::Snapshot(NodeName::Signer3)),
        writer(22_500, Move::HoldWitnessed(10_000)),
        (26_000, Chaos::Restore(NodeName::Signer3)),
    ];
    plan
}
