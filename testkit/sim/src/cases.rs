//! Plans made by hand, each for one situation that random plans meet seldom.
//!
//! A case is a history that once broke a property. It names who dies where and whose disk is put
//! back when, and has no rates: what it does is in its plan and not in the draws of a seed, so it
//! means the same after any change of the simulator. A case that could not fail would show nothing:
//! each says what its history must contain, and its table in ADR 0009 says which rule's absence it
//! was seen to notice.

mod handed;
mod money;
mod starts;
mod time;

use crate::kinds::Situation;
use crate::plan::{Answers, Plan, PlannedIntent};
use crate::run::Outcome;
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
    shows: &'static [Situation],
    /// Codes with which some intent must end, or a signer refuse.
    refuses: &'static [&'static str],
    plan: fn() -> Plan,
}

/// Every case.
pub const CASES: &[Case] = &[
    Case {
        name: "signer_dies_around_its_marker",
        meaning: "A signer dies after its boot marker moved and before that is confirmed, then at \
                  its next start after a further generation is announced and before the marker \
                  moves. No disk was put back, so its key must not retire.",
        shows: &[],
        refuses: &[],
        plan: starts::signer_dies_around_its_marker,
    },
    Case {
        name: "signer_dies_at_five_starts",
        meaning: "As before, with deaths at the very start and before a generation is announced in \
                  between: five starts fail one after the other. Its key must not retire.",
        shows: &[],
        refuses: &[],
        plan: starts::signer_dies_at_five_starts,
    },
    Case {
        name: "writer_put_back_reads_submissions_first",
        meaning: "The writer's database is put back while the bus shows it neither its own topic \
                  nor the witnesses. It must not order on: no position is published twice.",
        shows: &[],
        refuses: &[],
        plan: starts::writer_put_back_reads_submissions_first,
    },
    Case {
        name: "writer_put_back_hides_its_newest_batch",
        meaning: "As before, and what an earlier start published again stands behind the newer \
                  batches, so that the topic's last record is an old one. It must not order on.",
        shows: &[],
        refuses: &[],
        plan: starts::writer_put_back_hides_its_newest_batch,
    },
    Case {
        name: "writer_put_back_while_its_last_batch_is_late",
        meaning: "The writer's database is put back while the batch that it lacks is still on its \
                  way, unknown to every witness. It must not order on.",
        shows: &[],
        refuses: &[],
        plan: starts::writer_put_back_while_its_last_batch_is_late,
    },
    Case {
        name: "database_and_marker_are_lost",
        meaning: "A signer's database and its boot marker are lost together. Its key \
                  must not begin a second history.",
        shows: &[],
        refuses: &[],
        plan: starts::database_and_marker_are_lost,
    },
    Case {
        name: "proposal_is_back_dated",
        meaning: "A proposal is stamped with the time of a last entry that is old, and \
                  its release follows at once. Its delay begins when witnesses have seen \
                  it.",
        shows: &[
            Situation::OldStamp,
            Situation::ReleaseInForce,
            Situation::LooserPolicyUsed,
        ],
        refuses: &[],
        plan: time::proposal_is_back_dated,
    },
    Case {
        name: "witness_lies_about_the_past",
        meaning: "A witness vouches for a moment long ago in every witnessed entry. A \
                  delay begins with the largest time of a quorum, so it cannot shorten \
                  it.",
        shows: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
        refuses: &[],
        plan: time::witness_lies_about_the_past,
    },
    Case {
        name: "witness_lies_about_the_future",
        meaning: "A witness vouches for the far future. Such a time is refused, and the \
                  loosening gets through.",
        shows: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
        refuses: &[],
        plan: time::witness_lies_about_the_future,
    },
    Case {
        name: "proposal_is_hidden_from_a_quorum",
        meaning: "A proposal is shown to one honest witness and the hostile one while \
                  the others cosign the head before it. Its delay begins when no quorum \
                  can be shown without it.",
        shows: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
        refuses: &[],
        plan: time::proposal_is_hidden_from_a_quorum,
    },
    Case {
        name: "release_waits",
        meaning: "A release is in the journal, and its witnessed entry is kept back. \
                  Nothing relies on it until then.",
        shows: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
        refuses: &[],
        plan: time::release_waits,
    },
    Case {
        name: "release_is_back_dated",
        meaning: "A release that expired is appended with a stamp from before. It never \
                  takes effect.",
        shows: &[Situation::OldStamp],
        refuses: &[],
        plan: time::release_is_back_dated,
    },
    Case {
        name: "revoked_after_a_release",
        meaning: "A credential is revoked between a release and its witnessed entry. The \
                  release is void, and the journal goes on.",
        shows: &[Situation::ReleaseUndone],
        refuses: &[],
        plan: time::revoked_after_a_release,
    },
    Case {
        name: "stopped_again_after_a_resume",
        meaning: "The tenant is stopped again between a resume and its witnessed entry. \
                  The resume ends neither stop.",
        shows: &[Situation::ReleaseUndone],
        refuses: &["tenant_stopped"],
        plan: time::stopped_again_after_a_resume,
    },
    Case {
        name: "resume_waits",
        meaning: "A resume is in the journal, and its witnessed entry is kept back. The \
                  stop holds until then.",
        shows: &[Situation::ResumeInForce],
        refuses: &[],
        plan: time::resume_waits,
    },
    Case {
        name: "lock_is_back_dated",
        meaning: "A locked payment's authorization is stamped with the time of a last \
                  entry that is old. Its lock begins when witnesses have seen it.",
        shows: &[Situation::OldStamp, Situation::LockEnded],
        refuses: &[],
        plan: time::lock_is_back_dated,
    },
    Case {
        name: "lock_is_hidden_from_a_quorum",
        meaning: "A locked payment is shown to one honest witness and the hostile one. \
                  Its lock begins when no quorum can be shown without it.",
        shows: &[Situation::LockEnded],
        refuses: &[],
        plan: time::lock_is_hidden_from_a_quorum,
    },
    Case {
        name: "newest_entry_is_old",
        meaning: "The writer appends nothing, and witnesses cosign the last head again. \
                  From tick_max on no share leaves.",
        shows: &[],
        refuses: &[],
        plan: time::newest_entry_is_old,
    },
    Case {
        name: "oldest_item_is_old",
        meaning: "The writer appends entries and keeps the witnessed entry of a proposal \
                  back. From tick_max on no share leaves.",
        shows: &[],
        refuses: &[],
        plan: time::oldest_item_is_old,
    },
    Case {
        name: "several_items_at_once",
        meaning: "A proposal, a vault, a pause and two locked payments wait for one \
                  witnessed entry. Each gets through.",
        shows: &[
            Situation::SeveralWitnessed,
            Situation::ReleaseInForce,
            Situation::LooserPolicyUsed,
            Situation::LockEnded,
        ],
        refuses: &[],
        plan: time::several_items_at_once,
    },
    Case {
        name: "too_many_wait",
        meaning: "More locked payments are made than may wait. Those beyond the bound \
                  are refused, the others signed.",
        shows: &[Situation::SeveralWitnessed, Situation::LockEnded],
        refuses: &["quota_exceeded"],
        plan: time::too_many_wait,
    },
    Case {
        name: "nothing_happens_for_long",
        meaning: "An honest writer has nothing to append for minutes. Its ticks keep \
                  every head fresh.",
        shows: &[Situation::LockEnded],
        refuses: &[],
        plan: time::nothing_happens_for_long,
    },
    Case {
        name: "witness_is_put_back_while_a_release_waits",
        meaning: "A witness's disk is put back to before a release that it cosigned. It \
                  never cosigns again, and the release takes effect by the others.",
        shows: &[Situation::ReleaseInForce, Situation::LooserPolicyUsed],
        refuses: &[],
        plan: time::witness_is_put_back_while_a_release_waits,
    },
    Case {
        name: "release_around_a_handed_veto",
        meaning: "A veto is left out and handed to the witnesses; the release that it \
                  forbids is appended at once. The veto wins.",
        shows: &[],
        refuses: &[],
        plan: handed::release_around_a_handed_veto,
    },
    Case {
        name: "veto_while_a_release_waits",
        meaning: "A veto comes between a release and its witnessed entry. It wins.",
        shows: &[Situation::ReleaseVetoed],
        refuses: &[],
        plan: handed::veto_while_a_release_waits,
    },
    Case {
        name: "pause_meets_an_older_one",
        meaning: "A pause is left out and handed; the writer then appends an older one \
                  of the same admin first. The longer one holds.",
        shows: &[],
        refuses: &[],
        plan: handed::pause_meets_an_older_one,
    },
    Case {
        name: "no_is_left_out",
        meaning: "A \"no\" to a locked payment is left out and handed to the witnesses. \
                  No share leaves.",
        shows: &[],
        refuses: &["tightening_pending"],
        plan: handed::no_is_left_out,
    },
    Case {
        name: "approval_lapses_during_a_lock",
        meaning: "An approver's key is revoked while the payment that relies on it is \
                  locked. No share leaves.",
        shows: &[],
        refuses: &[],
        plan: handed::approval_lapses_during_a_lock,
    },
    Case {
        name: "spends_are_dated_anew",
        meaning: "Payments of different windows are left unsigned, then further attempts \
                  are opened for all of them at once. Each counts again where its \
                  attempt is opened.",
        shows: &[],
        refuses: &[],
        plan: money::spends_are_dated_anew,
    },
];

/// Base of the cases: nothing goes wrong but what a case adds.
fn base(seed: u64) -> Plan {
    let mut plan = Plan::quiet(seed, 4);
    plan.calm_ms = 20_000;
    plan
}

/// A payment that asks nobody.
fn payment(at_ms: u64) -> PlannedIntent {
    PlannedIntent {
        at_ms,
        amount: 400_000,
        life_ms: 60_000,
        known: true,
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

    /// What is missing in its history, if something is.
    #[must_use]
    pub fn missing(&self, outcome: &Outcome) -> Option<&'static str> {
        let counts = &outcome.counts.situations;
        let mut shows = self.shows.iter();
        let situation = shows.find(|situation| !counts.contains_key(situation));
        let mut refuses = self.refuses.iter();
        let code = refuses.find(|code| {
            let ended = outcome.unsigned.contains_key(**code);
            !ended && !outcome.counts.refused.contains_key(**code)
        });
        situation
            .map(|situation| situation.name())
            .or(code.copied())
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
