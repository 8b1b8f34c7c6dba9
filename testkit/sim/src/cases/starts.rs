//! Starts of signers and of the writer that went wrong: deaths around the boot marker, a database that
//! was put back, and what is lost for good.

use super::{Case, NOTHING, Shows, base};
use crate::kinds::{Fault, NodeName, WritePoint};
use crate::plan::{Chaos, Death, Plan, PlannedAct, Stream};

/// Cases of this file.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "signer_dies_around_its_marker",
        meaning: "A signer dies after its boot marker moved and before that is confirmed, then at \
                  its next start after a further generation is announced and before the marker \
                  moves. No disk was put back, so its key must not retire.",
        shows: Shows {
            faults: &[Fault::Kill],
            deaths: &[
                WritePoint::SignerBeforeCommit,
                WritePoint::SignerAfterCommit,
                WritePoint::SignerAtStart,
            ],
            ..NOTHING
        },
        plan: signer_dies_around_its_marker,
    },
    Case {
        name: "signer_dies_at_five_starts",
        meaning: "As before, with deaths at the very start and before a generation is announced in \
                  between: five starts fail one after the other. Its key must not retire.",
        shows: Shows {
            faults: &[Fault::Kill],
            deaths: &[
                WritePoint::SignerAtStart,
                WritePoint::SignerAtStart,
                WritePoint::SignerBeforeCommit,
                WritePoint::SignerBeforeCommit,
                WritePoint::SignerAfterCommit,
            ],
            ..NOTHING
        },
        plan: signer_dies_at_five_starts,
    },
    Case {
        name: "writer_put_back_reads_submissions_first",
        meaning: "The writer's database is put back while the bus shows it neither its own topic \
                  nor the witnesses. It must not order on: no position is published twice.",
        shows: Shows {
            faults: &[Fault::BusDrop, Fault::BusDrop, Fault::WriterRestored],
            ended: &[NO_END, "writer_database_behind"],
            ..NOTHING
        },
        plan: writer_put_back_reads_submissions_first,
    },
    Case {
        name: "writer_put_back_hides_its_newest_batch",
        meaning: "As before, and what an earlier start published again stands behind the newer \
                  batches, so that the topic's last record is an old one. It must not order on.",
        shows: Shows {
            faults: &[Fault::BusDrop, Fault::BusDrop, Fault::WriterRestored],
            ended: &[NO_END, "writer_database_behind"],
            ..NOTHING
        },
        plan: writer_put_back_hides_its_newest_batch,
    },
    Case {
        name: "writer_put_back_while_its_last_batch_is_late",
        meaning: "The writer's database is put back while the batch that it lacks is still on its \
                  way, unknown to every witness. It must not order on.",
        shows: Shows {
            faults: &[Fault::BusDelay, Fault::WriterRestored],
            ended: &["writer_database_behind"],
            ..NOTHING
        },
        plan: writer_put_back_while_its_last_batch_is_late,
    },
    Case {
        name: "database_and_marker_are_lost",
        meaning: "A signer's database and its boot marker are lost together. Its key \
                  must not begin a second history.",
        shows: Shows {
            faults: &[Fault::WitnessLost],
            refuses: &["signer_retired"],
            ..NOTHING
        },
        plan: database_and_marker_are_lost,
    },
];

/// A start of a service that the bus shows nothing of its topic.
const NO_END: &str = "start: the end of the entries topic cannot be read";

fn death(node: NodeName, start: u64, (point, pass): (WritePoint, u64)) -> Death {
    Death {
        node,
        start,
        point,
        pass,
    }
}

// A start commits twice: it announces a generation, moves the marker, and confirms.
const NOT_ANNOUNCED: (WritePoint, u64) = (WritePoint::SignerBeforeCommit, 1);
const MARKER_NOT_MOVED: (WritePoint, u64) = (WritePoint::SignerAfterCommit, 1);
const NOT_CONFIRMED: (WritePoint, u64) = (WritePoint::SignerBeforeCommit, 2);
const AT_ONCE: (WritePoint, u64) = (WritePoint::SignerAtStart, 1);

/// Seed 77123878 of commit 5c3df2c.
fn signer_dies_around_its_marker() -> Plan {
    let node = NodeName::Signer1;
    let mut plan = base(77_123_878);
    plan.chaos = vec![(2_000, Chaos::Kill(node, 200))];
    plan.deaths = vec![
        death(node, 2, NOT_CONFIRMED),
        death(node, 3, MARKER_NOT_MOVED),
        death(node, 4, AT_ONCE),
    ];
    plan
}

/// Seed 77124375 of commit 5c3df2c.
fn signer_dies_at_five_starts() -> Plan {
    let node = NodeName::Signer3;
    let mut plan = base(77_124_375);
    plan.chaos = vec![(2_000, Chaos::Kill(node, 200))];
    plan.deaths = vec![
        death(node, 2, AT_ONCE),
        death(node, 3, NOT_CONFIRMED),
        death(node, 4, AT_ONCE),
        death(node, 5, NOT_ANNOUNCED),
        death(node, 6, MARKER_NOT_MOVED),
    ];
    plan
}

/// Acts that put an entry into the journal each, or are refused there.
fn acts_at(times: &[u64]) -> Vec<(u64, PlannedAct)> {
    let act = |at: &u64| (*at, PlannedAct::RevokeApprover(0));
    times.iter().map(act).collect()
}

/// Seed 77124324 of commit 5c3df2c: two batches after the copy, and a start whose topic is hidden.
fn writer_put_back_reads_submissions_first() -> Plan {
    let mut plan = base(77_124_324);
    plan.chaos = vec![
        (1_000, Chaos::Snapshot(NodeName::Writer)),
        (7_900, Chaos::Hide(NodeName::Writer, Stream::Entries, 1_500)),
        (
            7_900,
            Chaos::Hide(NodeName::Writer, Stream::Cosignatures, 1_500),
        ),
        (8_000, Chaos::Restore(NodeName::Writer)),
    ];
    plan.acts = acts_at(&[3_000, 6_000, 8_050, 8_100, 8_300]);
    plan
}

/// Seed 77123821 of commit 5c3df2c: the first start publishes the old batches behind the newer
/// ones, meets the witnesses and ends; a later one meets the submissions first.
fn writer_put_back_hides_its_newest_batch() -> Plan {
    let mut plan = base(77_123_821);
    plan.chaos = vec![
        (1_000, Chaos::Snapshot(NodeName::Writer)),
        (7_900, Chaos::Hide(NodeName::Writer, Stream::Entries, 650)),
        (8_000, Chaos::Restore(NodeName::Writer)),
        (
            8_600,
            Chaos::Hide(NodeName::Writer, Stream::Cosignatures, 4_000),
        ),
    ];
    plan.acts = acts_at(&[3_000, 6_000, 8_700, 9_000, 9_500, 10_000]);
    plan
}

/// No seed: the topic's end and all witnesses agree with the old database.
fn writer_put_back_while_its_last_batch_is_late() -> Plan {
    let mut plan = base(5);
    plan.chaos = vec![
        (5_900, Chaos::Snapshot(NodeName::Writer)),
        (5_950, Chaos::HoldEntries(2_500)),
        (6_500, Chaos::Restore(NodeName::Writer)),
    ];
    plan.acts = acts_at(&[3_000, 6_000, 6_600, 6_700]);
    plan
}

/// A signer loses everything but its keys; beside it an honest quorum is left.
fn database_and_marker_are_lost() -> Plan {
    let mut plan = base(6);
    plan.chaos = vec![(6_000, Chaos::Lose(NodeName::Signer2))];
    plan.acts = acts_at(&[3_000, 9_000, 12_000]);
    plan
}
