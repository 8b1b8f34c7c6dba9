//! Plans made by hand, each for one situation that random plans meet seldom.
//!
//! A case is a history that once broke a property. It names who dies where and whose disk is put
//! back when, and has no rates: what it does is in its plan and not in the draws of a seed, so it
//! means the same after any change of the simulator. A case that could not fail would show nothing:
//! each says what its history must contain, and its table in ADR 0009 says which rule's absence it
//! was seen to notice.

mod handed;
mod keys;
mod locks;
mod money;
mod platform;
mod quota;
mod seats;
mod starts;
mod time;
mod trust;
mod waiting;
mod windows;

use crate::event::Counts;
use crate::kinds::{Fault, Hostile, Situation, WritePoint};
use crate::plan::{Answers, Chaos, Payee, Plan, PlannedIntent};
use crate::run::Outcome;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A plan with a name.
#[derive(Clone, Copy)]
pub struct Case {
    /// Stable name, the argument of `--case`.
    pub name: &'static str,
    /// The situation, and what must hold in it.
    pub meaning: &'static str,
    /// What its history must contain, else it is another situation.
    shows: Shows,
    plan: fn() -> Plan,
}

/// What a history must contain, and a harmless one does not. What stands in a list twice must have
/// happened twice.
#[derive(Clone, Copy)]
struct Shows {
    /// Situations that the observer saw.
    situations: &'static [Situation],
    /// Acts of hostile parts that had an effect.
    hostile: &'static [Hostile],
    /// Faults of the surroundings.
    faults: &'static [Fault],
    /// Write points at which a process died.
    deaths: &'static [WritePoint],
    /// Reasons for which a process ended or did not start.
    ended: &'static [&'static str],
    /// Codes with which some intent ends or waits, or with which the API, a signer or the journal
    /// refuses.
    refuses: &'static [&'static str],
    /// Least number of payments that are signed, the last one of each tenant included.
    signs: u64,
}

/// Nothing: a case says what it adds.
const NOTHING: Shows = Shows {
    situations: &[],
    hostile: &[],
    faults: &[],
    deaths: &[],
    ended: &[],
    refuses: &[],
    signs: 0,
};

/// The tables of the files, in the order in which cases are run.
const TABLES: [&[Case]; 12] = [
    starts::CASES,
    time::CASES,
    locks::CASES,
    handed::CASES,
    money::CASES,
    keys::CASES,
    seats::CASES,
    platform::CASES,
    quota::CASES,
    waiting::CASES,
    windows::CASES,
    trust::CASES,
];

/// Every case.
pub fn all() -> impl Iterator<Item = &'static Case> {
    TABLES.into_iter().flatten()
}

/// Those of starts, the shortest ones.
pub fn starts() -> impl Iterator<Item = &'static Case> {
    starts::CASES.iter()
}

/// Base of the cases: nothing goes wrong but what a case adds.
fn base(seed: u64) -> Plan {
    let mut plan = Plan::quiet(seed, 4);
    plan.calm_ms = 20_000;
    plan
}

/// A payment that asks no one.
fn payment(at_ms: u64) -> PlannedIntent {
    PlannedIntent {
        at_ms,
        amount: 400_000,
        life_ms: 60_000,
        to: Payee::Friend,
        from_new: false,
        by_approver: None,
        answers: Answers::Yes,
        cancel_after_ms: None,
    }
}

/// A payment that two approve, under the lock if there is one.
fn large(at_ms: u64) -> PlannedIntent {
    PlannedIntent {
        amount: 110_000_000,
        life_ms: 120_000,
        ..payment(at_ms)
    }
}

/// All three pairs of signers are asked for the newest payments, again and again.
fn every_pair(times: &[u64]) -> Vec<(u64, Chaos)> {
    let asked = |at: &u64| (*at, Chaos::Act(Hostile::TwoQuorums));
    times.iter().map(asked).collect()
}

/// A moment by which every act and payment of a plan was made.
fn after_all(plan: &Plan) -> u64 {
    let acts = plan.acts.iter().map(|(at, _)| *at);
    let intents = plan.intents.iter().map(|intent| intent.at_ms);
    acts.chain(intents).max().unwrap_or(0) + 5_000
}

impl Case {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        (self.plan)()
    }

    /// The plan without what goes wrong in it; none of a case in which nothing does. Its history
    /// must not be the case's, else what goes wrong has no part in what the case shows.
    #[must_use]
    pub fn harmless(&self) -> Option<Plan> {
        let plan = Some(self.plan()).filter(Plan::has_faults);
        plan.map(Plan::without_faults)
    }

    /// What is missing in its history, if something is.
    #[must_use]
    pub fn missing(&self, outcome: &Outcome) -> Option<&'static str> {
        let Counts {
            situations,
            hostile,
            faults,
            points,
            ended,
            ..
        } = &outcome.counts;
        let shows = &self.shows;

        let count = |code: &&str| refusals(outcome, code);
        lacking(shows.situations, |what| of(situations, what))
            .map(Situation::name)
            .or_else(|| lacking(shows.hostile, |what| of(hostile, what)).map(Hostile::name))
            .or_else(|| lacking(shows.faults, |what| of(faults, what)).map(Fault::name))
            .or_else(|| lacking(shows.deaths, |what| of(points, what)).map(WritePoint::name))
            .or_else(|| lacking(shows.ended, |code| of(ended, *code)))
            .or_else(|| lacking(shows.refuses, count))
            .or((outcome.signed < shows.signs).then_some("signatures"))
    }
}

/// The first of a list that happened less often than it stands there.
fn lacking<K: Copy + PartialEq>(list: &[K], count: impl Fn(&K) -> u64) -> Option<K> {
    let stands = |kind: &K| list.iter().filter(|other| *other == kind).count() as u64;
    list.iter().copied().find(|kind| count(kind) < stands(kind))
}

fn of<K: Borrow<Q> + Ord, Q: Ord + ?Sized>(counts: &BTreeMap<K, u64>, kind: &Q) -> u64 {
    counts.get(kind).copied().unwrap_or(0)
}

/// How often anyone refused with a code, or ended or put off a payment with it.
fn refusals(outcome: &Outcome, code: &str) -> u64 {
    let counts = &outcome.counts;
    let kept = [
        &outcome.unsigned,
        &counts.refusals_shown,
        &counts.refused,
        &counts.acts,
        &counts.submissions,
    ];
    kept.into_iter().map(|by| of(by, code)).sum()
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
        let names: Vec<_> = all().map(|case| case.name).collect();
        write!(f, "no case {:?}; cases are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownCase {}

impl FromStr for Case {
    type Err = UnknownCase;

    fn from_str(name: &str) -> Result<Self, UnknownCase> {
        let found = all().find(|case| case.name == name);
        found.copied().ok_or_else(|| UnknownCase(name.to_owned()))
    }
}
