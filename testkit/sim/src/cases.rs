//! Plans made by hand, each for one situation that random plans meet seldom.
//!
//! A case is a history that once broke a property. It names who dies where and whose disk is put
//! back when, and has no rates: what it does is in its plan and not in the draws of a seed, so it
//! means the same after any change of the simulator.

use crate::kinds::{NodeName, WritePoint};
use crate::plan::{Chaos, Death, Plan, PlannedAct, Stream};
use std::fmt;
use std::str::FromStr;

/// A plan with a name.
#[derive(Clone, Copy)]
pub struct Case {
    /// Stable name, the argument of `--case`.
    pub name: &'static str,
    /// The situation, and what must hold in it.
    pub meaning: &'static str,
    plan: fn() -> Plan,
}

/// Every case.
pub const CASES: &[Case] = &[
    Case {
        name: "signer_dies_around_its_marker",
        meaning: "A signer dies after its boot marker moved and before that is confirmed, then at \
                  its next start after a further generation is announced and before the marker \
                  moves. No disk was put back, so its key must not retire.",
        plan: signer_dies_around_its_marker,
    },
    Case {
        name: "signer_dies_at_five_starts",
        meaning: "As before, with deaths at the very start and before a generation is announced in \
                  between: five starts fail one after the other. Its key must not retire.",
        plan: signer_dies_at_five_starts,
    },
    Case {
        name: "writer_put_back_reads_submissions_first",
        meaning: "The writer's database is put back while the bus shows it neither its own topic \
                  nor the witnesses. It must not order on: no position is published twice.",
        plan: writer_put_back_reads_submissions_first,
    },
    Case {
        name: "writer_put_back_hides_its_newest_batch",
        meaning: "As before, and what an earlier start published again stands behind the newer \
                  batches, so that the topic's last record is an old one. It must not order on.",
        plan: writer_put_back_hides_its_newest_batch,
    },
    Case {
        name: "writer_put_back_while_its_last_batch_is_late",
        meaning: "The writer's database is put back while the batch that it lacks is still on its \
                  way, unknown to every witness. It must not order on.",
        plan: writer_put_back_while_its_last_batch_is_late,
    },
];

/// Base of the cases: nothing goes wrong but what a case adds.
fn base(seed: u64) -> Plan {
    let mut plan = Plan::quiet(seed, 4);
    plan.calm_ms = 20_000;
    plan
}

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

impl Case {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        (self.plan)()
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// A name that is not a case's.
#[derive(Debug)]
pub struct UnknownCase(String);

impl fmt::Display for UnknownCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = CASES.iter().map(|case| case.name).collect();
        write!(f, "no case {:?}; cases are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownCase {}

impl FromStr for Case {
    type Err = UnknownCase;

    fn from_str(name: &str) -> Result<Self, UnknownCase> {
        let found = CASES.iter().find(|case| case.name == name);
        found.copied().ok_or_else(|| UnknownCase(name.to_owned()))
    }
}
