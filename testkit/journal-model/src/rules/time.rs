//! The rules of time.

use super::{Rule, rule};

/// One row for each sentence that has a counterexample when it is left out.
pub const TIME: [Rule; 20] = [
    rule(
        "old_stamps_taken",
        "A witness does not refuse an entry for an old stamp: one that is late through an outage \
         could neither be cosigned nor replaced",
        "time, delay, witnesses refuse old stamps",
    ),
    rule(
        "cosignatures",
        "A `witnessed` entry carries k cosignatures, not f + 1: else one honest witness has seen the \
         proposal while all others are kept on the older head",
        "time, delay, f + 1 cosignatures",
    ),
    rule(
        "cosignatures",
        "With fewer than f + 1 cosignatures a liar makes the entry alone",
        "time, delay, f cosignatures",
    ),
    rule(
        "statistic",
        "`witnessed_at` is the largest of the k times, not the (f + 1)-th smallest",
        "time, delay, (f + 1)-th smallest of k",
    ),
    rule(
        "statistic",
        "With the smallest time a liar chooses it alone",
        "time, delay, smallest time",
    ),
    rule(
        "times_bounded",
        "Every time in a `witnessed` entry is at most the entry's own `at` + skew: else one liar puts \
         a delay's end in the year 3000",
        "time, delay, times without upper bound",
    ),
    rule(
        "delay_from_witnessed",
        "A proposal's delay begins at its `witnessed_at`, not at the writer's stamp",
        "time, delay from the writer's stamp",
    ),
    rule(
        "release_waits",
        "A release takes effect at the `witnessed` entry over it, not at its position",
        "time, release at its position",
    ),
    rule(
        "expiry_by_witnessed",
        "A release takes effect only if its `witnessed_at` is at most its expiry + skew",
        "time, release, expiry by the stamp",
    ),
    rule(
        "version_kept",
        "A release takes effect only if the scope's version is still the one that it left: else it \
         undoes a stop, a revocation or a tighter policy in between",
        "time, tightening between, version not looked at",
    ),
    rule(
        "failed_is_void",
        "An item that fails is void and never makes the `witnessed` entry fail: else the journal \
         could not go on",
        "time, release, refused instead of void",
    ),
    rule(
        "lock_from_witnessed",
        "A time lock begins at the payment's `witnessed_at`, not at the writer's stamp",
        "time, lock from the writer's stamp",
    ),
    rule(
        "cosignatures",
        "The lock's `witnessed` entry carries k cosignatures, too",
        "time, lock, f + 1 cosignatures",
    ),
    rule(
        "veto_while_waiting",
        "The proposal stays while its release waits, and a veto still applies",
        "time, handed veto, none while the release waits",
    ),
    rule(
        "release_waits",
        "A waiting release does not consume its proposal, so a witness that holds the veto still \
         owes it",
        "time, handed veto, release at its position",
    ),
    rule(
        "cosignatures",
        "The `witnessed` entry needs k cosignatures over a head with the release: w − k + 1 honest \
         witnesses that held the veto before keep it from having them",
        "time, handed veto, f + 1 cosignatures",
    ),
    rule(
        "refused_at_once",
        "A head in which a release waits that a handed veto forbids is refused at once, without the \
         grace of the duty",
        "time, handed veto, grace for a waiting release",
    ),
    rule(
        "duty_end",
        "A handed tightening ends when it no longer applies at the witness's tip: \"nothing but \
         inclusion ends it\" wedges",
        "time, handed veto, nothing but inclusion ends it",
    ),
    rule(
        "ticks",
        "A head is stale when its newest entry is older than `tick_max`",
        "time, no ticks",
    ),
    rule(
        "waiting_is_stale",
        "A head is stale when its oldest waiting item is older than `tick_max`",
        "time, waiting is not stale",
    ),
];
