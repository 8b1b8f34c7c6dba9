//! Drawing the parts of a plan.

use super::Rng;
use crate::clock::{HONEST_MS, NodeClock};
use crate::dice::{below, between};
use crate::kinds::{Fault, Hostile, NodeName};
use crate::script::{Answers, Chaos, Move, Payee, PlannedAct, PlannedIntent};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_world::{ONE_OF_N_MAX, START};

/// Terms of a seed that its intents and acts depend on.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) calm_ms: u64,
    pub(super) loosen_delay_ms: u64,
    /// When a looser policy is proposed. Its release is taken at the end of the delay.
    pub(super) proposed_ms: u64,
    /// Whether large payments are under a lock.
    pub(super) has_lock: bool,
}

pub(super) fn intent(rng: &mut Rng, number: usize, terms: Terms) -> PlannedIntent {
    let calm_ms = terms.calm_ms;

    // The policy has a step at 0.01 BTC (one approver) and one at 1 BTC (two, and the lock): a
    // third of the payments is above the first, so that people have something to answer in nearly
    // every seed.
    let medium = below(rng, 3) == 0;
    let large = terms.has_lock && below(rng, 3) == 0;
    let amount = if large {
        between(rng, ONE_OF_N_MAX + 1, ONE_OF_N_MAX * 5 / 4)
    } else if medium {
        between(rng, 1_000_001, 5_000_000)
    } else {
        between(rng, 50_000, 1_000_000)
    };

    // Half are approved as they should be: a seed in which little is signed shows little. Each way
    // in which an approval can be missing or lapse gets a tenth or two.
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
        // A lock (16 s) and a `witnessed` entry kept back (16 s) come before a large one's shares.
        life_ms: between(rng, if large { 35_000 } else { 15_000 }, 60_000),
        // `Payee::Vault` pays a stranger until a further vault exists.
        to: match below(rng, 4) {
            0 | 1 => Payee::Vault,
            2 => Payee::Friend,
            _ => Payee::Stranger,
        },
        from_new: false,
        by_approver: None,
        answers,
        // Within the time that approval, authorization and shares take: it overtakes some of them.
        cancel_after_ms: (below(rng, 8) == 0).then(|| below(rng, 2_000)),
    }
}

/// A policy is proposed, released when its time has come or asked for much earlier, and perhaps
/// vetoed before.
fn loosening(rng: &mut Rng, terms: Terms) -> Vec<(u64, PlannedAct)> {
    let at = terms.proposed_ms;
    let due = at + terms.loosen_delay_ms;

    // A release that is asked for long before its time shows that the delay holds; asked for again
    // until it is taken, it also meets the first moment at which the journal allows it.
    let is_eager = below(rng, 2) == 0;

    // Long enough for a hold of 16 s, short enough that an outage lets it expire (property k).
    let life_ms = between(rng, 20_000, 60_000);
    let mut acts = vec![
        (at, PlannedAct::LooserPolicy),
        (
            if is_eager { at + 500 } else { due + 1_500 },
            PlannedAct::Release(life_ms),
        ),
    ];

    // Rarely: a veto ends the story of a release, which is what the writer's conducts are for.
    if below(rng, 12) == 0 {
        let early = at + between(rng, 1_000, terms.loosen_delay_ms);
        acts.push((early, PlannedAct::Veto));
    }
    acts
}

/// What vetoes or undoes a release that waits, and what waits beside it.
pub(super) fn on_release(rng: &mut Rng) -> Vec<PlannedAct> {
    let mut acts = Vec::new();
    if below(rng, 4) == 0 {
        acts.push(PlannedAct::Pause(between(rng, 1_000, 3_000)));
    }

    // Two in twelve leave the release alone, else none would ever take effect after a hold. A veto
    // (property o) or a tightening of the scope (property n) meets it in the others.
    match below(rng, 12) {
        0 | 1 => {}
        2..=8 => acts.push(PlannedAct::Veto),
        _ => acts.push(PlannedAct::LeaveGroup(2)),
    }
    acts
}

pub(super) fn acts(
    rng: &mut Rng,
    terms: Terms,
    intents: usize,
    hostile: &BTreeSet<Hostile>,
) -> Vec<(u64, PlannedAct)> {
    let calm_ms = terms.calm_ms;
    let mut acts = Vec::new();

    // Most conducts of a hostile writer bend a delay, so they need one that runs.
    if has_writer(hostile) || below(rng, 4) == 0 {
        acts.extend(loosening(rng, terms));
    }

    // A writer that leaves tightenings out shows nothing where people make none.
    let withheld = hostile.contains(&Hostile::WithholdTightening);
    for _ in 0..below(rng, 4) + u64::from(withheld) {
        let at = below(rng, calm_ms);
        let stop_from = at;
        let act = match below(rng, 11) {
            0 | 1 => PlannedAct::RevokeApprover(below(rng, 2) as usize),
            2 => PlannedAct::LeaveGroup(below(rng, 2) as usize),
            3 => PlannedAct::RevokeInitiator,
            4 | 8 => PlannedAct::Stop,
            5 => PlannedAct::Pause(between(rng, 1_000, 8_000)),
            6 => PlannedAct::LooserPolicy,
            7 => PlannedAct::NewVault,
            _ => PlannedAct::Cancel(below(rng, intents as u64) as usize),
        };

        // Three of four stops end: under a stop that stays the rest of the seed signs nothing.
        if act == PlannedAct::Stop && below(rng, 4) > 0 {
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

    // People take them from the front as time passes.
    acts.sort_by_key(|(at, _)| *at);
    acts
}

/// Conducts of the writer that orders entries.
const WRITER: [Hostile; 6] = [
    Hostile::BackDate,
    Hostile::RunAhead,
    Hostile::GoQuiet,
    Hostile::HoldWitnessed,
    Hostile::LateCosignatures,
    Hostile::LyingWitness,
];

pub(super) fn has_writer(hostile: &BTreeSet<Hostile>) -> bool {
    WRITER.iter().any(|what| hostile.contains(what))
}

pub(super) fn hostile(rng: &mut Rng) -> BTreeSet<Hostile> {
    let is_other = |what: &&Hostile| !WRITER.contains(what);
    let others: Vec<Hostile> = Hostile::ALL.iter().filter(is_other).copied().collect();
    let any = |rng: &mut Rng, of: &[Hostile]| of[below(rng, of.len() as u64) as usize];

    // Few at once: which of many attacks a refusal answers could not be told.
    let count = below(rng, 4);
    let mut drawn: BTreeSet<Hostile> = (0..count).map(|_| any(rng, &others)).collect();

    // These happen once in a seed at most; the others several times. A further draw makes up for
    // it, so that each kind is seen about equally often (60 times in 1000 seeds, ADR 0009).
    for what in [Hostile::ForkedLog, Hostile::WithholdTightening] {
        if below(rng, 16) == 0 {
            drawn.insert(what);
        }
    }

    // Three seeds of five: it is the strongest part, and the only one that can bend time.
    if below(rng, 5) < 3 {
        let count = between(rng, 1, 4);
        drawn.extend((0..count).map(|_| any(rng, &WRITER)));
        // What it is for is a release that waits.
        if below(rng, 8) > 0 {
            drawn.insert(Hostile::HoldWitnessed);
        }
    }

    // Each costs a witness, and the quorum bears the loss of one.
    if drawn.contains(&Hostile::ForkedLog) {
        drawn.remove(&Hostile::LyingWitness);
    }
    drawn
}

pub(super) fn clocks(rng: &mut Rng) -> Vec<NodeClock> {
    // Offset anywhere within what is honest, drift up to 200 ppm, more than a quartz clock has.
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
    // Most per 10,000 occasions. What only delays one record by milliseconds may be frequent; what
    // hides a topic or breaks a connection is rare, else nothing gets through and nothing is shown.
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

    // One broadcast per payment is few occasions: this one in every seed, at one rate.
    let mut rates = BTreeMap::from([(Fault::NodeRejects, 2_000)]);

    // Each other kind in half of the seeds, at a rate of its own.
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
    events.extend(wrong_clocks(rng, calm_ms, hostile));
    events.extend(restored_disk(rng, calm_ms, hostile));
    events.extend(hostile_acts(rng, calm_ms, hostile));

    events.sort_by_key(|(at, _)| *at);
    events
}

/// Processes, connections and disks that are away for a while.
fn outages(rng: &mut Rng, calm_ms: u64) -> Vec<(u64, Chaos)> {
    let mut events = Vec::new();

    // Pauses from half a tick to nearly a whole try of the coordinator (6.5 s): the others wait for
    // the process, or go on without it.
    for _ in 0..below(rng, 12) {
        let (at, node) = (below(rng, calm_ms), any(rng, NodeName::ALL));
        events.push((at, Chaos::Kill(node, between(rng, 50, 6_000))));
    }

    // A quarter lasts longer than a head is fresh (25 s): a signer that comes back must not share
    // under what it knew (property c).
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

    // A signer that gets every request and no entry: its head grows stale while it is asked.
    if below(rng, 2) == 0 {
        let (at, node) = (below(rng, calm_ms), any(rng, &NodeName::SEATS));
        events.push((at, Chaos::HideJournal(node, between(rng, 5_000, 45_000))));
    }
    events
}

/// Clocks that jump or are wrong, and a signer that its operator stops.
fn wrong_clocks(rng: &mut Rng, calm_ms: u64, hostile: &BTreeSet<Hostile>) -> Vec<(u64, Chaos)> {
    let mut events = Vec::new();

    // A jump stays honest: it may turn an order of times around, and must break nothing.
    for _ in 0..below(rng, 4) {
        let offset = below(rng, 2 * HONEST_MS as u64) as i64 - HONEST_MS;
        let jump = Chaos::ClockJump(any(rng, NodeName::ALL), offset);
        events.push((below(rng, calm_ms), jump));
    }

    // Ten minutes are far beyond every delay, lock and life of a plan, so that an error shows.
    if below(rng, 4) == 0 {
        let is_ahead = below(rng, 2) == 0;
        let wrong_ms = if is_ahead { 600_000 } else { -600_000 };

        // A seat whose clock is wrong is one fault of f, and a witness that lies another.
        let lies = hostile.contains(&Hostile::LyingWitness);
        let nodes = if lies {
            &NodeName::SERVICES[..]
        } else {
            NodeName::ALL
        };

        let node = any(rng, nodes);
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

    // The quorum bears the permanent loss of one witness, and each of these costs one too.
    let costs = [Hostile::ForkedLog, Hostile::LyingWitness];
    let may_lose = !costs.iter().any(|what| hostile.contains(what));
    let node = match below(rng, 6) {
        0 => any(rng, &services),
        1 => NodeName::Writer,
        2 if may_lose => any(rng, &NodeName::SEATS),
        3 if may_lose => {
            let at = below(rng, calm_ms);
            return vec![(at, Chaos::Lose(any(rng, &NodeName::SEATS)))];
        }
        _ => return Vec::new(),
    };

    // Two seconds or more are missing from the copy, so that there is something to lose; and it is
    // back before faults stop, so that what follows meets it.
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
        // Tries per seed. One that comes before the wire has shown what it needs (a request, a
        // commitment) does nothing, so there are several.
        let times = match what {
            Hostile::ReplayRequests | Hostile::TwoQuorums | Hostile::ReuseNonce => 6,
            Hostile::UnapprovedCeremony | Hostile::OtherAnchor => 3,
            Hostile::OpenAttempts | Hostile::TakeCoins => 8,
            Hostile::ForkedLog => 1,
            // At work all the time.
            Hostile::SwapTransaction
            | Hostile::PayStranger
            | Hostile::ForeignChange
            | Hostile::WithholdTightening => 0,
            Hostile::BackDate
            | Hostile::RunAhead
            | Hostile::GoQuiet
            | Hostile::HoldWitnessed
            | Hostile::LateCosignatures
            | Hostile::LyingWitness => {
                // A proposal that comes late to the journal, or is never witnessed, is never
                // released; and most holds begin at a release.
                let (least, most) = match what {
                    Hostile::HoldWitnessed => (0, 1),
                    Hostile::GoQuiet => (1, 2),
                    _ => (1, 3),
                };
                for _ in 0..between(rng, least, most) {
                    let at = below(rng, calm_ms * 3 / 4);
                    events.push((at, Chaos::Writer(writer_move(rng, *what))));
                }
                0
            }
        };

        for _ in 0..times {
            events.push((between(rng, 1_000, calm_ms), Chaos::Act(*what)));
        }
    }
    events
}

fn writer_move(rng: &mut Rng, what: Hostile) -> Move {
    // From less than a delay or lock (11 s and more) to twice one.
    let ms = between(rng, 4_000, 25_000);
    match what {
        Hostile::RunAhead => Move::RunAhead(ms),
        // Shorter: people and services send again all the while, and nothing else is seen.
        Hostile::GoQuiet => Move::Quiet(between(rng, 2_000, 14_000)),
        Hostile::HoldWitnessed => Move::HoldWitnessed(ms),
        Hostile::LateCosignatures => Move::LateCosignatures(ms),
        // Long ago, or as late as can be: one second within the skew.
        Hostile::LyingWitness => {
            let is_past = below(rng, 2) == 0;
            Move::Lie(if is_past { -1_000_000 } else { 4 }, ms)
        }
        _ => Move::BackDate(ms),
    }
}
