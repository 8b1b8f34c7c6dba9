//! What a seed does: a pure function of the number, so that a replay is exact.

use crate::clock::{HONEST_MS, NodeClock};
use crate::hub::{below, between};
use crate::kinds::{Fault, Hostile, NodeName};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_journal::Bounds;
use strongroom_policy::{VelocityScope, Window};
use strongroom_types::digest;
use strongroom_world::{PolicyOptions, START, WorldOptions};

/// A head is fresh this long: above the 15 s after which witnesses cosign anew, and short, so that
/// it is missed often.
pub const FRESHNESS_MS: u64 = 25_000;
/// Largest difference between honest clocks.
pub const SKEW_MS: u64 = 5_000;
/// A handed tightening is owed after this long.
pub const DUTY_MS: u64 = 10_000;

/// How the people answer an intent that asks them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answers {
    /// One approver says yes.
    Yes,
    /// One approver says no.
    No,
    /// Nobody answers: it expires.
    Silence,
    /// The initiator himself approves: that does not count.
    Own,
    /// An approver says yes and is revoked at about the same time.
    YesAndRevoked,
}

/// One intent of the workload.
#[derive(Clone, Copy, Debug)]
pub struct PlannedIntent {
    /// When it is made, milliseconds after the vault is ready.
    pub at_ms: u64,
    /// Satoshi.
    pub amount: u64,
    /// Life, milliseconds.
    pub life_ms: u64,
    /// To the known address, or to one that nobody knows.
    pub known: bool,
    /// How people answer.
    pub answers: Answers,
    /// The initiator cancels it this long after making it.
    pub cancel_after_ms: Option<u64>,
}

/// An act of an admin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlannedAct {
    /// Revokes an approver's credential.
    RevokeApprover(usize),
    /// Takes an approver out of his group.
    LeaveGroup(usize),
    /// Revokes the initiator's credential: nothing is paid any more.
    RevokeInitiator,
    /// Stops the tenant.
    Stop,
    /// Ends the stop.
    Resume,
    /// Pauses the vault for some seconds.
    Pause(u64),
    /// Proposes a looser policy that nobody releases.
    LooserPolicy,
    /// The admins cancel the n-th intent.
    Cancel(usize),
}

/// A guard of the installation taken away, to see that its property is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sabotage {
    /// The boot marker lies beside the database, so a backup puts it back too.
    MarkerWithDisk,
    /// A writer whose database was put back orders on.
    WriterOrdersOn,
    /// The API forgets what it accepted.
    ForgetfulApi,
}

/// What happens to one node, or what a hostile part does once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chaos {
    /// It reaches nobody for so many milliseconds.
    Partition(NodeName, u64),
    /// It sees nothing of the journal for so many milliseconds (signers and the witness).
    HideJournal(NodeName, u64),
    /// Its process dies and starts again after so many milliseconds.
    Kill(NodeName, u64),
    /// Its disk is full for so many milliseconds.
    DiskFull(NodeName, u64),
    /// A copy of its disk is kept.
    Snapshot(NodeName),
    /// The copy is put in place of the disk.
    Restore(NodeName),
    /// Its clock jumps to this honest offset.
    ClockJump(NodeName, i64),
    /// Its clock is wrong by this much for so many milliseconds.
    ClockOff(NodeName, i64, u64),
    /// Its operator stops a signer for so many milliseconds.
    LocalStop(NodeName, u64),
    /// A hostile part acts once.
    Act(Hostile),
}

/// A seed's whole plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// True time at the start.
    pub start_ms: u64,
    /// Rates of small faults, per 10 000 occasions.
    pub rates: BTreeMap<Fault, u64>,
    /// Rate of deaths at write points, per 100 000 occasions.
    pub crash_rate: u64,
    /// Clocks of the nodes.
    pub(crate) clocks: Vec<NodeClock>,
    /// Most satoshi within the window.
    pub limit: u64,
    /// The window, seconds.
    pub window_seconds: u64,
    /// Hostile parts at work the whole time.
    pub hostile: BTreeSet<Hostile>,
    /// The intents.
    pub intents: Vec<PlannedIntent>,
    /// Admins' acts, by time after the vault is ready.
    pub acts: Vec<(u64, PlannedAct)>,
    /// Whether the writer leaves tightenings out for so many milliseconds.
    pub withhold_ms: Option<u64>,
    /// Faults by time after the vault is ready.
    pub chaos: Vec<(u64, Chaos)>,
    /// When faults stop, milliseconds after the vault is ready.
    pub calm_ms: u64,
    /// A guard that is missing.
    pub sabotage: Option<Sabotage>,
}

fn tune(bounds: &mut Bounds) {
    bounds.freshness_ms = FRESHNESS_MS;
    bounds.skew_ms = SKEW_MS;
    bounds.duty_ms = DUTY_MS;
    bounds.attempt_life_ms = 90_000;
}

type Rng = ChaCha20Rng;

impl Plan {
    /// The plan of a seed. `intents` is how many the workload makes.
    #[must_use]
    pub fn new(seed: u64, intents: usize) -> Self {
        let bytes = digest("strongroom/sim-plan/v1", &[&seed.to_be_bytes()]);
        let rng = &mut Rng::from_seed(bytes.0);
        let calm_ms = between(rng, 30_000, 50_000);
        let intents = (0..intents)
            .map(|n| intent(rng, n, calm_ms))
            .collect::<Vec<_>>();
        let hostile = hostile(rng);
        let acts = acts(rng, calm_ms, intents.len(), &hostile);
        let withhold_ms = hostile
            .contains(&Hostile::WithholdTightening)
            .then(|| between(rng, 2_000, 20_000));
        let tight = below(rng, 3) == 0;
        Self {
            seed,
            start_ms: START.0 + 3_600_000,
            rates: rates(rng),
            crash_rate: [0, 200, 800, 2_500][below(rng, 4) as usize],
            clocks: clocks(rng),
            limit: if tight {
                between(rng, 1_500_000, 4_000_000)
            } else {
                500_000_000
            },
            window_seconds: if below(rng, 2) == 0 { 60 } else { 3_600 },
            chaos: chaos(rng, calm_ms, &hostile),
            hostile,
            intents,
            acts,
            withhold_ms,
            calm_ms,
            sabotage: None,
        }
    }

    /// A plan without any fault or attack, whose intents are all paid.
    #[must_use]
    pub fn quiet(seed: u64, intents: usize) -> Self {
        let mut plan = Self::new(seed, intents);
        plan.rates.clear();
        plan.crash_rate = 0;
        plan.limit = 500_000_000;
        plan.hostile.clear();
        plan.acts.clear();
        plan.withhold_ms = None;
        plan.chaos.clear();
        for intent in &mut plan.intents {
            (intent.answers, intent.cancel_after_ms, intent.life_ms) = (Answers::Yes, None, 90_000);
        }
        plan
    }

    /// The installation of this plan.
    #[must_use]
    pub fn world_options(&self) -> WorldOptions {
        let window = Window {
            scope: VelocityScope::Tenant,
            window_seconds: self.window_seconds,
            amount_lte: Some(self.limit.into()),
            count_lte: None,
        };
        let policy = PolicyOptions {
            ceilings: vec![window],
            ..PolicyOptions::default()
        };
        WorldOptions {
            delay_ms: 300,
            policy,
            tune,
            ..WorldOptions::default()
        }
    }
}

fn intent(rng: &mut Rng, number: usize, calm_ms: u64) -> PlannedIntent {
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
        // The first ones while little has gone wrong yet.
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

fn acts(
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

fn hostile(rng: &mut Rng) -> BTreeSet<Hostile> {
    let all = Hostile::ALL;
    (0..below(rng, 4))
        .map(|_| all[below(rng, all.len() as u64) as usize])
        .collect()
}

fn clocks(rng: &mut Rng) -> Vec<NodeClock> {
    let clock = |rng: &mut Rng| {
        let offset = below(rng, 2 * HONEST_MS as u64) as i64 - HONEST_MS;
        let drift = below(rng, 400) as i64 - 200;
        NodeClock::new(offset, drift, START.0)
    };
    NodeName::ALL.iter().map(|_| clock(rng)).collect()
}

/// Each seed has some kinds of small faults, at its own rates: all at once would only ever show the
/// same picture.
fn rates(rng: &mut Rng) -> BTreeMap<Fault, u64> {
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

/// Single events. At most one of those that cost a witness for good: the quorum bears one.
fn chaos(rng: &mut Rng, calm_ms: u64, hostile: &BTreeSet<Hostile>) -> Vec<(u64, Chaos)> {
    let mut events = Vec::new();
    for _ in 0..below(rng, 12) {
        let (at, node) = (below(rng, calm_ms), any(rng, NodeName::ALL));
        events.push((at, Chaos::Kill(node, between(rng, 50, 6_000))));
    }
    for _ in 0..below(rng, 4) {
        let (at, node) = (below(rng, calm_ms), any(rng, NodeName::ALL));
        let long = below(rng, 4) == 0;
        let ms = if long {
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
    for _ in 0..below(rng, 4) {
        let offset = below(rng, 2 * HONEST_MS as u64) as i64 - HONEST_MS;
        events.push((
            below(rng, calm_ms),
            Chaos::ClockJump(any(rng, NodeName::ALL), offset),
        ));
    }
    if below(rng, 4) == 0 {
        let wrong = if below(rng, 2) == 0 {
            600_000
        } else {
            -600_000
        };
        let node = any(rng, NodeName::ALL);
        events.push((
            below(rng, calm_ms),
            Chaos::ClockOff(node, wrong, between(rng, 2_000, 20_000)),
        ));
    }
    if below(rng, 4) == 0 {
        let signer = any(
            rng,
            &[NodeName::Signer1, NodeName::Signer2, NodeName::Signer3],
        );
        events.push((
            below(rng, calm_ms),
            Chaos::LocalStop(signer, between(rng, 1_000, 10_000)),
        ));
    }
    let restored = match below(rng, 5) {
        0 => Some(any(
            rng,
            &[
                NodeName::Approvals,
                NodeName::Transactions,
                NodeName::Coordinator,
                NodeName::Api,
            ],
        )),
        1 => Some(NodeName::Writer),
        // The forked log costs a witness as well.
        2 if !hostile.contains(&Hostile::ForkedLog) => Some(any(rng, &NodeName::SEATS)),
        _ => None,
    };
    if let Some(node) = restored {
        let kept = below(rng, calm_ms * 2 / 3);
        events.push((kept, Chaos::Snapshot(node)));
        events.push((
            kept + between(rng, 2_000, calm_ms / 3),
            Chaos::Restore(node),
        ));
    }
    for what in hostile {
        let times = match what {
            Hostile::ReplayRequests | Hostile::TwoQuorums | Hostile::ReuseNonce => 6,
            Hostile::UnapprovedCeremony | Hostile::OtherAnchor => 3,
            Hostile::ForkedLog => 1,
            // At work all the time.
            Hostile::SwapTransaction
            | Hostile::PaySomebodyElse
            | Hostile::ForeignChange
            | Hostile::WithholdTightening => 0,
        };
        for _ in 0..times {
            events.push((between(rng, 1_000, calm_ms), Chaos::Act(*what)));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events
}
