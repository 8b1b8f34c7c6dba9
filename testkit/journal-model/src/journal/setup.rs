//! One situation of the journal: who takes part, what may happen, and which guards hold.

use super::SEATS;
use super::entry::Entry;
use crate::log::Log;
use crate::seats::SeatSet;

/// Witnesses and their quorum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WitnessSet {
    /// Seats in force.
    pub members: SeatSet,
    /// Cosignatures that make a head witnessed (k).
    pub quorum: u32,
}

impl WitnessSet {
    /// From bits, seat 0 lowest, and a quorum.
    pub const fn new(members: u8, quorum: u32) -> WitnessSet {
        WitnessSet {
            members: SeatSet(members),
            quorum,
        }
    }
}

/// Inputs that a later attempt of an intent must spend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConflictRule {
    /// The anchor of attempt 1.
    Anchor,
    /// Any input of attempt 1.
    AnyInput,
    /// Anything.
    None,
}

/// A signer's rule for tightenings that its own replica has and no quorum has cosigned yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnTip {
    /// Nothing, and no property asks for more: all other properties hold with this weaker rule.
    NotAsked,
    /// Nothing, although (c3) asks for more.
    Ignored,
    /// They count at once.
    Tightens,
}

/// One situation, which a search goes through completely.
#[derive(Clone, PartialEq, Debug)]
pub struct JournalModel {
    /// Witnesses before a change of the witness set.
    pub witnesses: WitnessSet,
    /// Witnesses after it.
    pub witnesses_after: WitnessSet,
    /// Seats of the adversary.
    pub hostile: SeatSet,
    /// Entries that the writer may offer.
    pub alphabet: &'static [Entry],
    /// Size of the longest log.
    pub size_max: u32,
    /// Log with which every node starts, freshly cosigned.
    pub start: Log,
    /// Age up to which a cosignature is fresh (F).
    pub freshness: i8,
    /// How far each seat's clock runs ahead of the true time.
    pub clock_ahead: [i8; SEATS],
    /// Age of a witnessed tightening from which on (c) allows no share against it.
    pub staleness_max: i8,
    /// Time goes on.
    pub has_clock: bool,
    /// Signers also act under heads without a share.
    pub signers_follow: bool,
    /// Witnesses and signers crash and start again.
    pub crashes: bool,
    /// A signature needs both honest shares (3 of 3 instead of 2 of 3).
    pub both_shares_needed: bool,
    /// The disk of one witness can be put back to an older state.
    pub disks_put_back: bool,
    /// Tightenings can be handed to a witness directly.
    pub tightenings_handed: bool,
    /// Signers 0 and 1 are alike: of two states that mirror each other one is kept.
    pub signers_alike: bool,
    /// The rules.
    pub guards: Guards,
}

/// The guards; each can be switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guards {
    /// Attempt 1 names an anchor, and every later attempt must spend *that* anchor: to share
    /// another input with attempt 1 is not enough ▲.
    pub conflict: ConflictRule,
    /// Windows sum what is authorized at worst-case spend.
    pub windows_sum: bool,
    /// An amount leaves its window by age only; no statement gives it back ▲.
    pub settled_gives_nothing_back: bool,
    /// A share follows from the journal. Off: each signer trusts its own memory alone.
    pub journal_first: bool,
    /// A share leaves only under a witnessed head ▲. Off: under whatever the signer's replica has.
    pub head_first: bool,
    /// The head is fresh: one quorum has cosigned it within F of the signer's clock ▲.
    pub freshness: bool,
    /// The head of a signer never goes back ▲.
    pub head_never_back: bool,
    /// After a start a signer shares nothing until a head covers its own last cosigned size ▲.
    pub restart_floor: bool,
    /// A witness persists a log, then cosigns it ▲.
    pub persist_first: bool,
    /// Approvals, cancel and stop are judged at the head that the signer acts under ▲. Off: at the
    /// entry's position only.
    pub judged_at_head: bool,
    /// The first head with a change of the witness set needs a quorum of the old set, too ▲.
    pub joint_change: bool,
    /// A loosening needs a positive release: silence is not consent ▲.
    pub positive_release: bool,
    /// A ceremony needs the signatures of the tenant's committee ▲.
    pub committee_asked: bool,
    /// A signer's new share is on disk before it certifies ▲.
    pub durable_before_certified: bool,
    /// The old share is erased only under a witnessed `finished` ▲.
    pub erased_when_finished: bool,
    /// An authority's signature is good for one entry: a used id or an older version of the scope
    /// is refused, so an old enrolment never comes back ▲.
    pub single_use: bool,
    /// The key of a witness whose disk was put back never cosigns again, however far it catches up ▲.
    pub put_back_key_retired: bool,
    /// A witness with a handed tightening cosigns nothing without it, and the signer of that seat
    /// shares nothing that it forbids ▲.
    pub inclusion_duty: bool,
    /// A tightening in the replica's own log counts at once, even before it is witnessed ▲.
    pub own_tip: OwnTip,
}

impl Guards {
    /// Every guard in force, but for `own_tip`, which only (c3) asks for.
    pub const ALL: Guards = Guards {
        conflict: ConflictRule::Anchor,
        windows_sum: true,
        settled_gives_nothing_back: true,
        journal_first: true,
        head_first: true,
        freshness: true,
        head_never_back: true,
        restart_floor: true,
        persist_first: true,
        judged_at_head: true,
        joint_change: true,
        positive_release: true,
        committee_asked: true,
        durable_before_certified: true,
        erased_when_finished: true,
        single_use: true,
        put_back_key_retired: true,
        inclusion_duty: true,
        own_tip: OwnTip::NotAsked,
    };

    /// Every guard with its name and whether it is in force.
    fn table(&self) -> [(&'static str, bool); 19] {
        // The pattern has no `..`, so that a new guard does not compile until it is here.
        let Guards {
            conflict,
            windows_sum,
            settled_gives_nothing_back,
            journal_first,
            head_first,
            freshness,
            head_never_back,
            restart_floor,
            persist_first,
            judged_at_head,
            joint_change,
            positive_release,
            committee_asked,
            durable_before_certified,
            erased_when_finished,
            single_use,
            put_back_key_retired,
            inclusion_duty,
            own_tip,
        } = *self;
        [
            ("conflict", conflict == ConflictRule::Anchor),
            ("windows_sum", windows_sum),
            ("settled_gives_nothing_back", settled_gives_nothing_back),
            ("journal_first", journal_first),
            ("head_first", head_first),
            ("freshness", freshness),
            ("head_never_back", head_never_back),
            ("restart_floor", restart_floor),
            ("persist_first", persist_first),
            ("judged_at_head", judged_at_head),
            ("joint_change", joint_change),
            ("positive_release", positive_release),
            ("committee_asked", committee_asked),
            ("durable_before_certified", durable_before_certified),
            ("erased_when_finished", erased_when_finished),
            ("single_use", single_use),
            ("put_back_key_retired", put_back_key_retired),
            ("inclusion_duty", inclusion_duty),
            ("own_tip", own_tip != OwnTip::Ignored),
        ]
    }

    /// Names of all guards.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.table().iter().map(|(name, _)| *name).collect()
    }
}

impl JournalModel {
    /// Three signers, of which number 2 is hostile, and one independent witness, number 3; 3 of 4
    /// make a quorum. No clock, and every guard in force.
    pub fn new(alphabet: &'static [Entry], size_max: u32) -> JournalModel {
        JournalModel {
            witnesses: WitnessSet::new(0b1111, 3),
            witnesses_after: WitnessSet::new(0b1111, 3),
            hostile: SeatSet(0b0100),
            alphabet,
            size_max,
            start: Log::EMPTY,
            freshness: 1,
            clock_ahead: [0; SEATS],
            staleness_max: 1,
            has_clock: false,
            signers_follow: false,
            crashes: true,
            both_shares_needed: false,
            disks_put_back: false,
            tightenings_handed: false,
            signers_alike: false,
            guards: Guards::ALL,
        }
    }

    /// Names of the guards that are switched off, and of the bounds that are not kept.
    pub fn off(&self) -> Vec<&'static str> {
        let suffices = |set: WitnessSet| {
            // Two quorums share more seats than are hostile: k = ⌊(w + f) / 2⌋ + 1 ▲.
            let hostile = set.members.and(self.hostile).count();
            set.quorum > (set.members.count() + hostile) / 2
        };
        let bounds = [
            (
                "quorum",
                suffices(self.witnesses) && suffices(self.witnesses_after),
            ),
            (
                "staleness_bound",
                self.staleness_max >= self.freshness + self.clock_spread(),
            ),
        ];
        crate::rules::off(&[&self.guards.table()[..], &bounds].concat())
    }

    /// Largest difference between two clocks.
    pub(super) fn clock_spread(&self) -> i8 {
        let ahead = self.clock_ahead.into_iter();
        ahead.clone().max().unwrap_or(0) - ahead.min().unwrap_or(0)
    }

    /// The same with one witness set that never changes.
    pub fn with_witnesses(self, members: u8, quorum: u32) -> JournalModel {
        let witnesses = WitnessSet::new(members, quorum);
        JournalModel {
            witnesses,
            witnesses_after: witnesses,
            ..self
        }
    }

    /// The same with guards changed.
    pub fn but(mut self, change: impl FnOnce(&mut Guards)) -> JournalModel {
        change(&mut self.guards);
        self
    }

    /// The same, with signers 0 and 1 as mirror images where they are: their clocks are equal, and
    /// each witness set has both of them or neither.
    pub fn with_signers_alike(self) -> JournalModel {
        let both_or_neither = |set: WitnessSet| set.members.has(0) == set.members.has(1);
        let alike = self.clock_ahead == [0; SEATS]
            && both_or_neither(self.witnesses)
            && both_or_neither(self.witnesses_after);
        JournalModel {
            signers_alike: alike,
            ..self
        }
    }

    /// Honest seats of either witness set.
    pub(super) fn honest(&self) -> SeatSet {
        let members = self.witnesses.members.or(self.witnesses_after.members);
        members.without(self.hostile)
    }

    /// May the writer offer this entry?
    pub(super) fn offers(&self, entry: Entry) -> bool {
        self.alphabet.contains(&entry)
    }
}
