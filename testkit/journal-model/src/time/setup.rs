//! One situation of time: what may happen, how long things take, and which rules hold.

use super::entry::{Entry, START};
use super::{FAR, HONEST, QUORUM};

/// Entries that the adversary may append besides ticks and `witnessed` ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Proposals and releases.
    Loosen,
    /// Vetoes.
    Veto,
    /// Another tightening of the scope.
    Stop,
    /// A payment under a time lock, and a further attempt.
    Pay,
}

/// The one of several cosignatures' times that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statistic {
    /// The largest.
    Largest,
    /// The (f + 1)-th smallest, so that some honest time is not larger.
    Honest,
    /// The smallest.
    Smallest,
}

/// Event by which a witness no longer owes a handed veto that its tip lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DutyEnd {
    /// When the veto no longer applies at its tip.
    NoLongerApplies,
    /// Never: only inclusion ends it.
    Inclusion,
}

/// One situation. Times and lengths are units of the freshness.
#[derive(Clone, PartialEq, Debug)]
pub struct TimeModel {
    /// Log with which every node starts, freshly cosigned.
    pub start: &'static [Entry],
    /// Entries that the adversary may append.
    pub acts: &'static [Act],
    /// Size of the longest log.
    pub entries_max: usize,
    /// Ticks that the adversary appends at most.
    pub ticks_max: usize,
    /// True time at which a run ends.
    pub horizon: u8,
    /// How far each honest clock runs ahead of the true time; ascending.
    pub clock_ahead: [u8; HONEST],
    /// Difference of clocks that rules allow for.
    pub skew: u8,
    /// Delay of a loosening.
    pub delay: u8,
    /// Last moment at which the adversary's release may be seen first.
    pub release_expiry: u8,
    /// Time lock of the payment.
    pub lock: u8,
    /// Life of an attempt.
    pub attempt_life: u8,
    /// Age of the newest entry, and of the oldest that waits, from which on a head is stale.
    pub tick_max: u8,
    /// Age up to which a witness cosigns a new head's last entry.
    pub entry_age_max: u8,
    /// Age up to which a cosignature is fresh.
    pub freshness: u8,
    /// Time after which a witness cosigns nothing without a handed veto.
    pub duty: u8,
    /// People can hand a veto to a witness directly.
    pub vetoes_handed: bool,
    /// (o) counts a veto from its handing over. Off: from the end of the duty's grace.
    pub held_from_handing: bool,
    /// The rules.
    pub rules: TimeRules,
}

/// The rules; each can be switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeRules {
    /// A `witnessed` entry carries k cosignatures, so that no reader can be shown a fresh head
    /// without the item ▲. Off: f + 1 ▲, or only f, which a liar makes alone ▲.
    pub cosignatures: usize,
    /// The item's `witnessed_at` is the largest of their times ▲.
    pub statistic: Statistic,
    /// Every time in it is at most the entry's own `at` + skew, else one liar puts a delay's end in
    /// the year 3000 ▲.
    pub times_bounded: bool,
    /// A proposal's delay begins at its `witnessed_at` ▲. Off: at the writer's stamp.
    pub delay_from_witnessed: bool,
    /// A release takes effect at the `witnessed` entry over it and does not consume its proposal
    /// before, so a witness that holds a veto still owes it ▲. Off: at its own position.
    pub release_waits: bool,
    /// A release takes effect only if its `witnessed_at` is at most its expiry + skew ▲. Off: its
    /// stamp alone is compared.
    pub expiry_by_witnessed: bool,
    /// A release takes effect only if the scope's version is still the one that it left ▲.
    pub version_kept: bool,
    /// A waiting item that fails is void ▲. Off: it makes the `witnessed` entry fail.
    pub failed_is_void: bool,
    /// A payment's lock ends at its `witnessed_at` + lock ▲. Off: at the writer's stamp + lock.
    pub lock_from_witnessed: bool,
    /// A veto still applies while the release waits ▲.
    pub veto_while_waiting: bool,
    /// A head is stale when its newest entry is older than `tick_max`, so that a quiet writer has
    /// to tick ▲.
    pub ticks: bool,
    /// A head is stale when something has waited for longer than `tick_max` ▲.
    pub waiting_is_stale: bool,
    /// A head in which a release waits that a handed veto forbids is refused at once, without the
    /// grace of the duty ▲.
    pub refused_at_once: bool,
    /// A handed veto ends when it no longer applies; "nothing but inclusion ends it" wedges ▲.
    pub duty_end: DutyEnd,
    /// A witness takes entries with an old stamp: one that is late through an outage could neither
    /// be cosigned nor replaced ▲.
    pub old_stamps_taken: bool,
}

impl TimeRules {
    /// Every rule in force.
    pub const ALL: TimeRules = TimeRules {
        cosignatures: QUORUM,
        statistic: Statistic::Largest,
        times_bounded: true,
        delay_from_witnessed: true,
        release_waits: true,
        expiry_by_witnessed: true,
        version_kept: true,
        failed_is_void: true,
        lock_from_witnessed: true,
        veto_while_waiting: true,
        ticks: true,
        waiting_is_stale: true,
        refused_at_once: true,
        duty_end: DutyEnd::NoLongerApplies,
        old_stamps_taken: true,
    };

    /// Every rule with its name and whether it is in force.
    fn table(&self) -> [(&'static str, bool); 15] {
        // The pattern has no `..`, so that a new rule does not compile until it is here.
        let TimeRules {
            cosignatures,
            statistic,
            times_bounded,
            delay_from_witnessed,
            release_waits,
            expiry_by_witnessed,
            version_kept,
            failed_is_void,
            lock_from_witnessed,
            veto_while_waiting,
            ticks,
            waiting_is_stale,
            refused_at_once,
            duty_end,
            old_stamps_taken,
        } = *self;
        [
            ("cosignatures", cosignatures == QUORUM),
            ("statistic", statistic == Statistic::Largest),
            ("times_bounded", times_bounded),
            ("delay_from_witnessed", delay_from_witnessed),
            ("release_waits", release_waits),
            ("expiry_by_witnessed", expiry_by_witnessed),
            ("version_kept", version_kept),
            ("failed_is_void", failed_is_void),
            ("lock_from_witnessed", lock_from_witnessed),
            ("veto_while_waiting", veto_while_waiting),
            ("ticks", ticks),
            ("waiting_is_stale", waiting_is_stale),
            ("refused_at_once", refused_at_once),
            ("duty_end", duty_end == DutyEnd::NoLongerApplies),
            ("old_stamps_taken", old_stamps_taken),
        ]
    }

    /// Names of all rules.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.table().iter().map(|(name, _)| *name).collect()
    }

    /// Names of the rules that are switched off.
    pub fn off(&self) -> Vec<&'static str> {
        crate::rules::off(&self.table())
    }
}

impl TimeModel {
    /// Equal clocks, no limit on quiet or waiting, and every rule in force.
    pub fn new(acts: &'static [Act]) -> TimeModel {
        TimeModel {
            start: START,
            acts,
            entries_max: 6,
            ticks_max: 1,
            horizon: 6,
            clock_ahead: [0; HONEST],
            skew: 0,
            delay: 3,
            release_expiry: FAR,
            lock: 3,
            attempt_life: 2,
            tick_max: FAR,
            entry_age_max: 1,
            freshness: 1,
            duty: 1,
            vetoes_handed: false,
            held_from_handing: true,
            rules: TimeRules::ALL,
        }
    }

    /// The same with rules changed.
    pub fn but(mut self, change: impl FnOnce(&mut TimeRules)) -> TimeModel {
        change(&mut self.rules);
        self
    }

    /// May the adversary append this?
    pub(super) fn has_act(&self, act: Act) -> bool {
        self.acts.contains(&act)
    }
}
