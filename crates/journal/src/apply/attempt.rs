//! Attempts: the anchor, the numbering, the fee cap.

use super::change::Change;
use super::windows;
use crate::entry::Entry;
use crate::keyspace as ks;
use crate::model::{AttemptRecord, IntentRecord, IntentStanding, Spend};
use crate::state::{Lookup as _, View};
use strongroom_types::{Attempt, AttemptKind, Code, Digest, Intent, Refusal, TenantId};

/// `cancel` attempts beyond the intent's own number: the first, and bumps of it.
const HOMECOMINGS_MAX: u32 = 3;

fn remembered(attempt: &Attempt, entry: &Entry) -> AttemptRecord {
    AttemptRecord {
        number: attempt.number,
        kind: attempt.kind,
        seq: entry.seq,
        at: entry.at,
        unsigned_digest: attempt.unsigned_digest,
        fee_max: attempt.fee_max,
    }
}

/// Attempt 1: pays, names a free anchor it spends, and uses at most half of the fee cap.
pub(super) fn first(
    view: &dyn View,
    tenant: TenantId,
    intent: &Intent,
    digest: &Digest,
    attempt: &Attempt,
    entry: &Entry,
) -> Result<AttemptRecord, Refusal> {
    if attempt.intent != *digest || attempt.number != 1 || attempt.kind != AttemptKind::Pay {
        return Err(Code::AttemptNumberWrong.into());
    }
    if !attempt.well_formed() {
        return Err(Code::AnchorMissing.into());
    }
    if view
        .get(&ks::anchor(tenant, &intent.chain, &attempt.anchor))
        .is_some()
    {
        return Err(Refusal::new(Code::AnchorTaken, &attempt.anchor.0));
    }
    if attempt.fee_max > intent.fee_max.half() {
        let detail = format!(
            "attempt 1 costs up to {}, half of the cap is {}",
            attempt.fee_max,
            intent.fee_max.half()
        );
        return Err(Refusal::new(Code::FeeCapTooLow, detail));
    }
    Ok(remembered(attempt, entry))
}

/// A further attempt: contains *the* anchor, so that at most one attempt of an intent ever
/// confirms.
pub(super) fn apply(
    change: &mut Change<'_>,
    tenant: TenantId,
    entry: &Entry,
    attempt: &Attempt,
) -> Result<(), Refusal> {
    let record = change.intent(tenant, &attempt.intent)?;
    let mut record = record.ok_or_else(|| Refusal::new(Code::UnknownIntent, attempt.intent))?;
    let last = record.attempts.last().map_or(0, |last| last.number);
    if attempt.number != last + 1 {
        return Err(Refusal::new(
            Code::AttemptNumberWrong,
            format!("expected {}", last + 1),
        ));
    }
    // Bringing the anchor home is not one of the client's attempts, but it is bounded too.
    let spare = if attempt.kind == AttemptKind::Cancel {
        HOMECOMINGS_MAX
    } else {
        0
    };
    if last >= record.attempts_max.saturating_add(spare) {
        return Err(Code::AttemptsExhausted.into());
    }
    if !attempt.well_formed() || attempt.anchor != record.anchor {
        return Err(Refusal::new(Code::AnchorMissing, &record.anchor.0));
    }
    if attempt.fee_max > record.fee_max {
        return Err(Refusal::new(
            Code::FeeCapExceeded,
            format!("the cap is {}", record.fee_max),
        ));
    }
    open(change, tenant, entry, attempt, &record)?;
    windows::take(
        change,
        tenant,
        record.vault,
        record.initiator_user,
        &record.spend,
    )?;
    record.spend = Spend {
        amounts: record.spend.amounts,
        at: entry.at,
    };
    windows::add(
        change,
        tenant,
        record.vault,
        record.initiator_user,
        &record.spend,
    )?;
    record.attempts.push(remembered(attempt, entry));
    change.put(ks::intent(tenant, &attempt.intent), &record);
    Ok(())
}

/// A live intent pays or bumps; a cancelled or expired one may only bring its anchor home.
fn open(
    change: &Change<'_>,
    tenant: TenantId,
    entry: &Entry,
    attempt: &Attempt,
    record: &IntentRecord,
) -> Result<(), Refusal> {
    let expired = entry.at >= record.expires;
    let cancelled = record.standing == IntentStanding::Cancelled;
    match attempt.kind {
        AttemptKind::Cancel if cancelled || expired => Ok(()),
        AttemptKind::Cancel => Err(Refusal::new(
            Code::AttemptNumberWrong,
            "only a cancelled or expired intent",
        )),
        AttemptKind::Pay | AttemptKind::Bump if cancelled => Err(Code::IntentCancelled.into()),
        AttemptKind::Pay | AttemptKind::Bump if expired => Err(Code::IntentExpired.into()),
        AttemptKind::Pay | AttemptKind::Bump if change.platform()?.stopped => {
            Err(Code::PlatformStopped.into())
        }
        AttemptKind::Pay | AttemptKind::Bump if change.tenant(tenant)?.stopped => {
            Err(Code::TenantStopped.into())
        }
        AttemptKind::Pay | AttemptKind::Bump => Ok(()),
    }
}
