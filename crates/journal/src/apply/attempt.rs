//! Attempts: the anchor, the numbering, the fee cap.

use super::change::{Change, Place};
use super::held::{self, Claim};
use super::intent::Evaluated;
use super::waiting::WitnessedTimes;
use super::windows;
use crate::asked::{self, Again};
use crate::entry::{FACTS_MAX, FurtherAttempt};
use crate::keyspace as ks;
use crate::model::{AttemptRecord, IntentRecord};
use crate::state::{Lookup as _, View};
use std::sync::Arc;
use strongroom_guard::{G, guard};
use strongroom_policy::Moment;
use strongroom_types::{Attempt, AttemptKind, Code, Digest, Refusal, Signed, TenantId, UnixMs};

/// Most `cancel` attempts beyond the intent's own number: the first, and bumps of it.
const CANCEL_ATTEMPTS_MAX: u32 = 3;

fn recorded(attempt: &Attempt, place: Place) -> AttemptRecord {
    AttemptRecord {
        number: attempt.number,
        kind: attempt.kind,
        parent: attempt.parent,
        seq: place.seq,
        at: place.at,
        unsigned_digest: attempt.unsigned_digest,
        fee_max: attempt.fee_max,
    }
}

/// Checks attempt 1: it pays, names an anchor that is free and that it spends, spends nothing that
/// another intent holds, and uses at most half of the fee cap.
pub(super) fn first(
    view: &dyn View,
    place: Place,
    evaluated: &Evaluated,
    attempt: &Attempt,
) -> Result<AttemptRecord, Refusal> {
    let intent = &evaluated.intent;

    // The transaction in the entry must be this intent's, not one that was offered for another.
    if attempt.intent != evaluated.digest || attempt.number != 1 || attempt.kind != AttemptKind::Pay
    {
        return Err(Code::AttemptNumberWrong.into());
    }
    if !attempt.well_formed() {
        return Err(Code::AnchorMissing.into());
    }

    // Two live intents on one anchor could only conflict, and a replacement of one would look like
    // the end of the other.
    let anchor = ks::conflict(intent.vault, &intent.chain, &attempt.anchor);
    let is_taken = view.get(&ks::anchor(place.tenant, &anchor)).is_some();
    if guard(G::AnchorTaken, is_taken) {
        return Err(Refusal::new(Code::AnchorTaken, &attempt.anchor));
    }
    let claim = Claim {
        place,
        vault: intent.vault,
        chain: &intent.chain,
        attempt,
    };
    claim.check_free(view)?;

    // The other half is head room for replacements when fees rise.
    if guard(G::FeeHalf, attempt.fee_max > intent.fee_max.half()) {
        let detail = format!(
            "attempt 1 costs up to {}, half of the cap is {}",
            attempt.fee_max,
            intent.fee_max.half()
        );
        return Err(Refusal::new(Code::FeeCapTooLow, detail));
    }
    Ok(recorded(attempt, place))
}

/// No rule reads facts yet. One that was ignored would look as if the decision rested on it.
pub(super) fn check_no_facts(facts: &[Signed]) -> Result<(), Refusal> {
    if facts.len() > FACTS_MAX {
        let detail = format!("{} facts, at most {FACTS_MAX}", facts.len());
        return Err(Refusal::new(Code::Malformed, detail));
    }
    if !facts.is_empty() {
        return Err(Refusal::new(Code::Unsupported, "facts"));
    }
    Ok(())
}

/// A child spends no anchor: only the chain's codec can say that its parent does, and none does
/// yet.
fn check_not_child(kind: AttemptKind) -> Result<(), Refusal> {
    match kind {
        AttemptKind::Child => Err(Refusal::new(Code::Unsupported, "child attempts")),
        AttemptKind::Pay | AttemptKind::Bump | AttemptKind::Cancel => Ok(()),
    }
}

/// Opens a further attempt: it contains *the* anchor, so that at most one attempt of an intent ever
/// confirms.
pub(super) fn apply(
    change: &mut Change<'_>,
    place: Place,
    further: &FurtherAttempt,
) -> Result<(), Refusal> {
    let FurtherAttempt {
        attempt,
        facts,
        reopen,
    } = further;

    // Facts are refused before anything else: what is not understood must change nothing.
    check_no_facts(facts)?;
    if reopen.is_some() {
        let detail = "an intent whose record was dropped stays closed";
        return Err(Refusal::new(Code::Unsupported, detail));
    }
    check_not_child(attempt.kind)?;

    let tenant = place.tenant;
    let mut record = change
        .intent(tenant, &attempt.intent)?
        .ok_or_else(|| Refusal::new(Code::UnknownIntent, attempt.intent))?;

    check_number(attempt, &record)?;

    // Sharing another coin of attempt 1 is not enough: both could confirm after the anchor is
    // spent elsewhere.
    if !attempt.well_formed() || guard(G::Anchor, attempt.anchor != record.anchor) {
        return Err(Refusal::new(Code::AnchorMissing, &record.anchor));
    }
    if guard(G::FeeCap, attempt.fee_max > record.fee_max) {
        let detail = format!("the cap is {}", record.fee_max);
        return Err(Refusal::new(Code::FeeCapExceeded, detail));
    }
    let intent_life_ms = change.state().genesis().bounds.intent_life_ms;
    check_open(place, attempt.kind, &record, intent_life_ms)?;
    let claim = Claim {
        place,
        vault: record.vault,
        chain: &record.chain,
        attempt,
    };
    match attempt.kind {
        AttemptKind::Pay | AttemptKind::Bump => {
            claim.check_free(change)?;
            held::hold(change, place, &record, attempt)?;
            if let Err(denied) = ask_again(change, place, &attempt.intent, &record)
                && guard(G::AttemptAsksAgain, true)
            {
                return Err(denied);
            }
            move_spend(change, tenant, &mut record, place.at)?;
        }
        // A cancel pays nothing and must stay possible under every policy. It stays counted where
        // the last attempt that pays is.
        AttemptKind::Cancel => {
            claim.check_own(change)?;
            check_cancel_fee(attempt, &record)?;
            held::hold(change, place, &record, attempt)?;
        }
        AttemptKind::Child => check_not_child(attempt.kind)?,
    }

    record.attempts.push(recorded(attempt, place));
    change.put(ks::intent(tenant, &attempt.intent), &record);
    Ok(())
}

/// The number follows that of the last attempt, and the intent permits it.
fn check_number(attempt: &Attempt, record: &IntentRecord) -> Result<(), Refusal> {
    // Shares are given for the last attempt only: two attempts of one number, or a gap, would make
    // "the last" a matter of opinion.
    let last = record.attempts.last().map_or(0, |last| last.number);
    if attempt.number != last + 1 {
        let detail = format!("expected {}", last + 1);
        return Err(Refusal::new(Code::AttemptNumberWrong, detail));
    }

    // Returning the anchor is not one of the client's attempts, but it is bounded too.
    let spare = if attempt.kind == AttemptKind::Cancel {
        CANCEL_ATTEMPTS_MAX
    } else {
        0
    };
    let most = record.attempts_max.saturating_add(spare);
    if guard(G::AttemptsMax, last >= most) {
        return Err(Code::AttemptsExhausted.into());
    }
    Ok(())
}

/// A replacement has to pay more than what it replaces, and a relay's own price beside it (BIP-125,
/// rules 3 and 4): twice that is one step. Not the whole cap, as far as it was never offered: no
/// one signs a cancel, so ended intents would be worth their caps to a miner.
fn check_cancel_fee(attempt: &Attempt, record: &IntentRecord) -> Result<(), Refusal> {
    let pays = |attempt: &&AttemptRecord| attempt.kind != AttemptKind::Cancel;
    let offered = record.attempts.iter().filter(pays);
    let largest = offered.map(|attempt| attempt.fee_max).max();
    let largest = largest.unwrap_or_default();
    if guard(G::CancelFee, attempt.fee_max.half() > largest) {
        let detail = format!("a cancel costs at most twice {largest}");
        return Err(Refusal::new(Code::FeeCapExceeded, detail));
    }
    Ok(())
}

/// A live intent pays or bumps; an ended one may only return its anchor to the vault.
fn check_open(
    place: Place,
    kind: AttemptKind,
    record: &IntentRecord,
    intent_life_ms: u64,
) -> Result<(), Refusal> {
    let is_expired = place.at >= record.expires;
    let ended = record.standing.ended();
    match kind {
        // People sign no cancel, so its time is bounded: those of years together, opened in one
        // hour, would be a fortune in fees.
        AttemptKind::Cancel if place.at >= record.expires.plus(intent_life_ms) => {
            Err(Code::IntentExpired.into())
        }
        // The anchor of a live intent is not returned.
        AttemptKind::Cancel if guard(G::CancelOnlyEnded, ended.is_none() && !is_expired) => {
            Err(Refusal::new(
                Code::AttemptNumberWrong,
                "only an intent that is cancelled, rejected or expired",
            ))
        }
        // A cancel makes no payment, so stops and pauses are asked before its share.
        AttemptKind::Cancel => Ok(()),

        AttemptKind::Pay | AttemptKind::Bump => match ended {
            Some(code) => Err(code.into()),
            None if guard(G::IntentExpiry, is_expired) => Err(Code::IntentExpired.into()),
            None => Ok(()),
        },
        AttemptKind::Child => check_not_child(kind),
    }
}

/// Asks everything that the authorization was asked: an attempt needs no signature of people, so
/// without this a series of payments held back for hours could go out in one second.
fn ask_again(
    change: &Change<'_>,
    place: Place,
    intent: &Digest,
    record: &IntentRecord,
) -> Result<(), Refusal> {
    let again = Again {
        tenant: place.tenant,
        intent: *intent,
        record,
        moment: Moment::Entry(place.at),
        now: place.at,
    };
    asked::ask_again(change, change.state().genesis(), &again)
}

/// Begins the lock of a payment where it is both witnessed and counted.
///
/// Its windows were asked at the writer's stamps, which can lie hours apart while all their locks
/// begin, and end, in one second. Where stamp and witnesses differ by more than clocks do, it is
/// counted again, at the time of the entry that says so. Without room there it stays counted where
/// it was, and gets no share before a further attempt is counted at the end of the lock: it leaves
/// there with all others that had no room here, in whatever windows they count before.
pub(super) fn begin_lock(
    change: &mut Change<'_>,
    tenant: TenantId,
    intent: &Digest,
    times: WitnessedTimes,
) -> Result<(), Refusal> {
    let Some(mut record) = change.intent(tenant, intent)? else {
        return Ok(());
    };

    // Without the rule, it has begun at its stamp.
    #[cfg(mutants)]
    if strongroom_guard::is_off(G::LockFromWitnessed) {
        return Ok(());
    }

    let genesis = Arc::clone(change.state().genesis());
    let before = record.clone();
    record.counts_from = times.witnessed;
    begin_where_counted(&mut record);

    // It is asked as a new authorization would be, but its hours as before a share.
    let is_counted = record.is_counted_in_time(genesis.bounds.skew_ms);
    if guard(G::CountedInTime, !is_counted) {
        let mut moved = record.clone();
        moved.spend.at = times.entry;
        begin_where_counted(&mut moved);
        let again = Again {
            tenant,
            intent: *intent,
            record: &record,
            moment: Moment::Head {
                at: times.entry,
                hours: moved.locked_until,
                windows: true,
            },
            now: times.entry,
        };
        if asked::check_room(&*change, &genesis, &again).is_ok() {
            record = moved;
        } else {
            record.counts_from = record.locked_until;
        }
    }
    windows::recount(change, tenant, &before, &record)?;
    change.put(ks::intent(tenant, intent), &record);
    Ok(())
}

/// Without the rule, a lock begins at the stamp of the payment's entry.
#[cfg(mutants)]
pub(super) fn begin_at_stamp(mut record: IntentRecord) -> IntentRecord {
    if record.lock_ms > 0 && !guard(G::LockFromWitnessed, true) {
        record.counts_from = UnixMs(0);
        record.locked_until = record.spend.at.plus(record.lock_ms);
    }
    record
}

/// The lock begins when the payment is witnessed, or counted if that is later. Cosignatures can be
/// as old as their writer likes: locks that began with them would let payments of many windows
/// leave together.
fn begin_where_counted(record: &mut IntentRecord) {
    let from = record.counts_from.max(record.spend.at);
    record.locked_until = from.plus(record.lock_ms);
}

/// Counts the spend at this time. It leaves its window by age only, counted from the last attempt
/// that pays: without the move, one held back for a day would pay outside every window.
fn move_spend(
    change: &mut Change<'_>,
    tenant: TenantId,
    record: &mut IntentRecord,
    at: UnixMs,
) -> Result<(), Refusal> {
    let before = record.clone();
    record.spend.at = at;
    windows::recount(change, tenant, &before, record)
}
