//! What the attempts of an intent spend, kept from every other intent of its vault.
//!
//! A transaction that spends a coin of another payment excludes that payment for good, once it
//! confirms. Attempts need no signature of people, so without this any submitter could undo what
//! people signed, by one attempt of another intent.

use super::change::{Change, Place};
use crate::keyspace as ks;
use crate::model::{HeldRecord, HolderRecord, IntentRecord};
use crate::state::{Lookup as _, View};
use strongroom_guard::{G, guard};
use strongroom_types::attempt::CONFLICT_KEYS_MAX;
use strongroom_types::{Attempt, AttemptKind, ChainId, Code, ConflictKey, Refusal, VaultId};

/// An attempt that is offered, with the vault whose coins it declares.
pub(super) struct Claim<'a> {
    pub(super) place: Place,
    pub(super) vault: VaultId,
    pub(super) chain: &'a ChainId,
    pub(super) attempt: &'a Attempt,
}

impl Claim<'_> {
    /// Refuses a conflict key that another intent holds. Not its anchor alone: a transaction is
    /// excluded by any coin of it that another one spends.
    pub(super) fn check_free(&self, view: &dyn View) -> Result<(), Refusal> {
        for conflict in &self.attempt.conflict_keys {
            let held = self.held(view, conflict)?;
            let is_kept =
                held.is_some_and(|held| held.keeps_from(&self.attempt.intent, self.place.at));

            // As an anchor it is kept by the rule for anchors, too.
            let is_taken = if *conflict == self.attempt.anchor {
                guard(G::AnchorTaken, is_kept)
            } else {
                is_kept
            };
            if guard(G::CoinHeld, is_taken) {
                return Err(Refusal::new(Code::AnchorTaken, conflict));
            }
        }
        Ok(())
    }

    /// Refuses a conflict key that is not this intent's. A way home needs no signature of people, so
    /// it takes no further coin of the vault with it.
    pub(super) fn check_own(&self, view: &dyn View) -> Result<(), Refusal> {
        self.check_free(view)?;
        for conflict in &self.attempt.conflict_keys {
            let held = self.held(view, conflict)?;
            let is_held = held.is_some_and(|held| self.place.at < held.until);

            // The anchor stays this intent's own when its other keys are free again.
            if !is_held && *conflict != self.attempt.anchor {
                let detail = format!("a cancel spends {conflict}, which its intent does not hold");
                return Err(Refusal::new(Code::EffectsMismatch, detail));
            }
        }
        Ok(())
    }

    fn held(&self, view: &dyn View, conflict: &ConflictKey) -> Result<Option<HeldRecord>, Refusal> {
        let conflict = ks::conflict(self.vault, self.chain, conflict);
        view.record(&ks::held(self.place.tenant, &conflict))
    }
}

/// Keeps the conflict keys of an attempt from every other intent, until no share of this one has left
/// for an attempt's life, and none of its cancels can leave any more.
pub(super) fn hold(
    change: &mut Change<'_>,
    place: Place,
    record: &IntentRecord,
    attempt: &Attempt,
) -> Result<(), Refusal> {
    let (tenant, intent) = (place.tenant, &attempt.intent);
    let bounds = &change.state().genesis().bounds;
    let life = bounds.attempt_life_ms;
    let mut until = record.expires.plus(life);
    let is_cancel = attempt.kind == AttemptKind::Cancel;
    if is_cancel {
        // It is opened after the end, and a coin that is free by then must not be promised to
        // another payment while its shares leave. A stamp may be ahead of the clock of a signer.
        let skews = bounds.skew_ms.saturating_mul(2);
        until = until.max(place.at.plus(life).plus(skews));
    }
    let ours = HeldRecord {
        intent: *intent,
        until,
    };
    let by_intent = ks::holder(tenant, intent);
    let known: Option<HolderRecord> = change.record(&by_intent)?;

    // All of them have one marker, and one for each cancel: a flood of markers would hide what else
    // is due.
    if known.is_none() || is_cancel {
        change.expire(tenant, until, &by_intent);
    }
    let mut holder = known.unwrap_or_default();
    for conflict in &attempt.conflict_keys {
        let conflict = ks::conflict(record.vault, &record.chain, conflict);
        let key = ks::held(tenant, &conflict);
        if change.record(&key)? != Some(ours) {
            change.put(key, &ours);
            if !holder.keys.contains(&conflict) {
                holder.keys.push(conflict);
            }
        }
    }
    // The bound is over all attempts of an intent, because every replica holds these keys and frees
    // them in one entry.
    if holder.keys.len() > CONFLICT_KEYS_MAX {
        let detail = "conflict keys of an intent";
        return Err(Refusal::new(Code::QuotaExceeded, detail));
    }
    change.put(by_intent, &holder);
    Ok(())
}
