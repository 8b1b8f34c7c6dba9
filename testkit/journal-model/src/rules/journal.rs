//! The rules of the journal, its witnesses and its signers.

use super::{Rule, rule};

/// One row for each sentence that has a counterexample when it is left out.
pub const JOURNAL: [Rule; 34] = [
    rule(
        "persist_first",
        "A witness persists a log, then cosigns it",
        "pay, cosign before persist",
    ),
    rule("quorum", "k = ⌊(w + f) / 2⌋ + 1", "pay 2-of-4 f=1"),
    rule("quorum", "The same for three seats", "pay 2-of-3 f=1"),
    rule(
        "quorum",
        "f counts the t − 1 hostile signers, which are witnesses too: k > w / 2 is not the test",
        "pay 3-of-5 signers, 4-of-6 witnesses, t-1 hostile",
    ),
    rule(
        "quorum",
        "With more than f hostile seats nothing holds",
        "pay 3-of-4 f=2, beyond the bound",
    ),
    rule(
        "quorum",
        "A quorum below k leaves a revocation behind, too",
        "tighten 2-of-4",
    ),
    rule(
        "journal_first",
        "A share follows from the journal, not from the signer's own memory alone",
        "pay, own memory only",
    ),
    rule(
        "head_first",
        "A share leaves only under a witnessed head",
        "pay, share before the head",
    ),
    rule(
        "head_first",
        "The same where every signer must sign",
        "tighten, share before the head, 3-of-3 signers",
    ),
    rule(
        "freshness",
        "The head is fresh: the same quorum has cosigned it within F of the signer's clock",
        "tighten, no freshness",
    ),
    rule(
        "staleness_bound",
        "A tightening binds F + 2 × skew after it was witnessed, not F",
        "tighten, skewed clocks, bound F",
    ),
    rule(
        "staleness_bound",
        "F + skew is not enough either",
        "tighten, skewed clocks, bound F + skew",
    ),
    rule(
        "judged_at_head",
        "A share is judged at the head that the signer acts under, not at the authorization's \
         position",
        "tighten, judged at the entry only",
    ),
    rule(
        "head_never_back",
        "The head of a signer never goes back",
        "tighten, head may go back",
    ),
    rule(
        "restart_floor",
        "After a start a signer shares nothing until a head covers its own last cosigned size",
        "tighten, no floor after restart",
    ),
    rule(
        "own_tip",
        "A tightening in the replica's own log counts at once, even before it is witnessed",
        "tighten, own tip ignored",
    ),
    rule(
        "single_use",
        "An authority's signature is good for one entry: a used id or a late version is refused",
        "tighten, old enrolment replayed",
    ),
    rule(
        "conflict",
        "Every attempt spends the anchor that attempt 1 names: any other common input is not enough",
        "pay, any common input",
    ),
    rule(
        "conflict",
        "Attempts of one intent conflict",
        "pay, no common input",
    ),
    rule(
        "windows_sum",
        "Windows sum what is authorized",
        "pay, no windows",
    ),
    rule(
        "settled_gives_nothing_back",
        "An amount leaves its window by age only: no statement gives it back",
        "pay, settled believed",
    ),
    rule(
        "positive_release",
        "A loosening needs a positive release: silence is not consent",
        "loosening, silence is consent",
    ),
    rule(
        "committee_asked",
        "A ceremony needs the signatures of the tenant's committee",
        "refresh, no committee",
    ),
    rule(
        "durable_before_certified",
        "A signer's new share is on disk before it certifies",
        "refresh, certified before it is on disk",
    ),
    rule(
        "erased_when_finished",
        "The old share is erased only under a witnessed `finished`",
        "refresh, erased before it is finished",
    ),
    rule(
        "inclusion_duty",
        "A witness with a handed tightening cosigns nothing without it, and its signer shares nothing \
         that it forbids",
        "tighten, withheld by the writer",
    ),
    rule(
        "joint_change",
        "The first head with a change of the witness set has k of the old *and* k of the new set",
        "witness set, new set alone",
    ),
    rule(
        "put_back_key_retired",
        "The key of a witness whose disk was put back never cosigns again, however far it catches up",
        "disk put back, caught up",
    ),
    rule(
        "base_possible",
        "After an equivocation, the next epoch's base is not just any cosigned tip",
        "failover 3-of-4, equivocated, any tip",
    ),
    rule(
        "base_possible",
        "Nor the longest reported tip: it is the longest *possible* head, and none if two are in \
         conflict",
        "failover 3-of-4, equivocated, longest of k",
    ),
    rule(
        "last_entry_young",
        "Beyond the last witnessed head only the last offered entry must be young: else an outage \
         wedges the journal",
        "lateness of every entry, 3-of-4, no one hostile",
    ),
    rule(
        "burned_first",
        "A nonce on disk is gone before its share leaves",
        "nonce, disk, burn after share",
    ),
    rule(
        "never_recomputed",
        "A retry of the same package returns the stored share or is refused, and is never computed \
         again",
        "nonce, retry recognised by message only",
    ),
    rule(
        "memory_not_snapshotted",
        "No one resumes a snapshot of a signer's memory (an assumption that no rule replaces)",
        "nonce, memory snapshot resumed",
    ),
];
