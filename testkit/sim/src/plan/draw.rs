//! Drawing the parts of a plan.

use super::Rng;
use crate::clock::{HONEST_MS, NodeClock};
use crate::dice::{below, between};
use crate::kinds::{Fault, Hostile, NodeName};
use crate::script::{Answers, Chaos, PlannedAct, PlannedIntent};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_world::START;

pub(super) fn intent(rng: &mut Rng, number: usize, calm_ms: u64) -> PlannedIntent {
    let medium = below(rng, 3) == 0;
    let amount = if medium {
        between(rng, 1_000_001, 5_000_000)
    } else {
        between(rng, 50_000, 1_000_000)
    };
    let answers = match below(rng, 10) {
        0 => Answers::No,
        1 => Answers::Silence,
        2 => Answers::Own,
        3 | 4 => Answers::YesAndRevoked,
        _ => Answers::Yes,
    };
    PlannedIntent {
        // The first one comes while little has gone wrong yet.
        at_ms: if number == 0 {
            200
        } else {
            below(rng, calm_ms)
        },
        amount,
        life_ms: between(rng, 15_000, 60_000),
        known: below(rng, 2) == 0,
        answers,
        cancel_after_ms: (below(rng, 8) == 0).then(|| below(rng, 2_000)),
    }
}

pub(super) fn acts(
    rng: &mut Rng,
    calm_ms: u64,
    intents: usize,
    hostile: &BTreeSet<Hostile>,
) -> Vec<(u64, PlannedAct)> {
    let mut acts = Vec::new();
    let withheld = hostile.contains(&Hostile::WithholdTightening);
    for _ in 0..below(rng, 4) + u64::from(withheld) {
        let at = below(rng, calm_ms);
        let stop_from = at;
        let act = match below(rng, 9) {
            0 | 1 => PlannedAct::RevokeApprover(below(rng, 2) as usize),
            2 => PlannedAct::LeaveGroup(below(rng, 2) as usize),
            3 => PlannedAct::RevokeInitiator,
            4 => PlannedAct::Stop,
            5 => PlannedAct::Pause(between(rng, 1_000, 8_000)),
            6 => PlannedAct::LooserPolicy,
            _ => PlannedAct::Cancel(below(rng, intents as u64) as usize),
        };
        if act == PlannedAct::Stop && below(rng, 2) == 0 {
            acts.push((stop_from + between(rng, 3_000, 12_000), PlannedAct::Resume));
        }
        // Losing the initiator early would leave little to see.
        let at = if act == PlannedAct::RevokeInitiator {
            calm_ms - below(rng, 8_000)
        } else {
            at
        };
        acts.push((at, act));
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

pub(super) fn hostile(rng: &mut Rng) -> BTreeSet<Hostile> {
    let all = Hostile::ALL;
    (0..below(rng, 4))
        .map(|_| all[below(rng, all.len() as u64) as usize])
        .collect()
}

pub(super) fn clocks(rng: &mut Rng) -> Vec<NodeClock> {
    let clock = |rng: &mut Rng| {
        let offset = below(rng, 2 * HONEST_MS as u64) as i64 - HONEST_MS;
        let drift = below(rng, 400) as i64 - 200;
        NodeClock::new(offset, drift, START.0)
    };
    NodeName::ALL.iter().map(|_| clock(rng)).collect()
}

/// Each seed has some kinds of small faults, at its own rates: all at once would only ever show the
/// same picture.
pub(super) fn rates(rng: &mut Rng) -> BTreeMap<Fault, u64> {
    let small = [
        (Fault::BusDrop, 150),
        (Fault::BusDuplicate, 600),
        (Fault::BusReorder, 1_500),
        (Fault::BusDelay, 300),
        (Fault::BusReplay, 400),
        (Fault::BusFlip, 400),
        (Fault::BusFull, 300),
        (Fault::BusUnknown, 300),
        (Fault::LinkDrop, 300),
        (Fault::LinkDuplicate, 600),
        (Fault::LinkDelay, 500),
        (Fault::LinkFlip, 400),
    ];
    let mut rates = BTreeMap::new();
    for (fault, most) in small {
        if below(rng, 2) == 0 {
            rates.insert(fault, between(rng, most / 6, most));
        }
    }
    rates
}

fn any(rng: &mut Rng, of: &[NodeName]) -> NodeName {
    of[below(rng, of.len() as u64) as usize]
}

/// Single faults and hostile acts by time.
pub(super) fn chaos(rng: &mut Rng, calm_ms: u64, hostile: &BTreeSet<Hostile>) -> Vec<(u64, Chaos)> {
    let mut events = outages(rng, calm_ms);
    events.extend(wrong_clocks(rng, calm_ms));
    events.extend(restored_disk(rng, calm_ms, hostile));
    events.extend(hostile_acts(rng, calm_ms, hostile));
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Processes, connections and disks that are away for a while.
fn outages(rng: &mut Rng, calm_ms: u64) -> Vec<(u64, Chaos)> {
    let mut events = Vec::new();
    for _ in 0..below(rng, 12) {
        let (at, node) = (below(rng, calm_ms), any(rng, NodeName::ALL));
        events.push((at, Chaos::Kill(node, between(rng, 50, 6_000))));
    }
    for _ in 0..below(rng, 4) {
        let (at, node) = (below(rng, calm_ms), any(rng, NodeName::ALL));
        let is_long = below(rng, 4) == 0;
        let ms = if is_long {
            between(rng, 25_000, 45_000)
        } else {
            between(rng, 500, 6_000)
        };
        events.push((at, Chaos::Partition(node, ms)));
    }
    for _ in 0..below(rng, 5) {
        let (at, node) = (below(rng, calm_ms), any(rng, NodeName::ALL));
        events.push((at, Chaos::DiskFull(node, between(rng, 200, 5_000))));
    }
    if below(rng, 2) == 0 {
        let (at, node) = (below(rng, calm_ms), any(rng, &NodeName::SEATS));
        events.push((at, Chaos::HideJournal(node, between(rng, 5_000, 45_000))));
    }
    events
}

/// Clocks that jump or are wrong, and a signer that its operator stops.
fn wrong_clocks(rng: &mut Rng, calm_ms: u64) -> Vec<(u64, Chaos)> {
    let mut events = Vec::new();
    for _ in 0..below(rng, 4) {
        let offset = below(rng, 2 * HONEST_MS as u64) as i64 - HONEST_MS;
        let jump = Chaos::ClockJump(any(rng, NodeName::ALL), offset);
        events.push((below(rng, calm_ms), jump));
    }
    if below(rng, 4) == 0 {
        let is_ahead = below(rng, 2) == 0;
        let wrong_ms = if is_ahead { 600_000 } else { -600_000 };
        let node = any(rng, NodeName::ALL);
        let (at, ms) = (below(rng, calm_ms), between(rng, 2_000, 20_000));
        events.push((at, Chaos::ClockOff(node, wrong_ms, ms)));
    }
    if below(rng, 4) == 0 {
        let signer = any(rng, &NodeName::SIGNERS);
        let (at, ms) = (below(rng, calm_ms), between(rng, 1_000, 10_000));
        events.push((at, Chaos::LocalStop(signer, ms)));
    }
    events
}

/// At most one disk is put back.
fn restored_disk(rng: &mut Rng, calm_ms: u64, hostile: &BTreeSet<Hostile>) -> Vec<(u64, Chaos)> {
    let services = [
        NodeName::Approvals,
        NodeName::Transactions,
        NodeName::Coordinator,
        NodeName::Api,
    ];
    let node = match below(rng, 5) {
        0 => any(rng, &services),
        1 => NodeName::Writer,
        // The quorum bears the permanent loss of one witness, and the forked log costs one too.
        2 if !hostile.contains(&Hostile::ForkedLog) => any(rng, &NodeName::SEATS),
        _ => return Vec::new(),
    };
    let kept_at = below(rng, calm_ms * 2 / 3);
    let back_at = kept_at + between(rng, 2_000, calm_ms / 3);
    vec![
        (kept_at, Chaos::Snapshot(node)),
        (back_at, Chaos::Restore(node)),
    ]
}

fn hostile_acts(rng: &mut Rng, calm_ms: u64, hostile: &BTreeSet<Hostile>) -> Vec<(u64, Chaos)> {
    let mut events = Vec::new();
    for what in hostile {
        let times = match what {
            Hostile::ReplayRequests | Hostile::TwoQuorums | Hostile::ReuseNonce => 6,
            Hostile::UnapprovedCeremony | Hostile::OtherAnchor => 3,
            Hostile::ForkedLog => 1,
            // At work all the time.
            Hostile::SwapTransaction
            | Hostile::PayStranger
            | Hostile::ForeignChange
            | Hostile::WithholdTightening => 0,
        };
        for _ in 0..times {
            events.push((between(rng, 1_000, calm_ms), Chaos::Act(*what)));
        }
    }
    events
}
