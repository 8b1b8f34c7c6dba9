//! The conditions of a signature share, judged at the head that the signer acts under.
//!
//! `authorized` is judged at its position; a share is judged at the head: everything the intent
//! relies on is *still* in force there. A tightening in the signer's own tip, or handed to it,
//! counts at once.

use crate::asked::{self, Again};
use crate::genesis::Genesis;
use crate::model::{AttemptRecord, IntentRecord, KeyRecord, VaultRecord};
use crate::state::{Lookup as _, View};
use strongroom_guard::{G, guard};
use strongroom_policy::Moment;
use strongroom_types::{AttemptKind, Code, Digest, Refusal, TenantId, UnixMs};

/// A share that a signer is asked for.
#[derive(Clone, Copy, Debug)]
pub struct ShareRequest {
    /// Tenant of the intent.
    pub tenant: TenantId,
    /// Digest of the intent text.
    pub intent: Digest,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The asked signer's roster index.
    pub signer: u16,
    /// The signer's own clock.
    pub now: UnixMs,
}

/// Journal records behind an attempt that may be signed.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Record of the intent, authorized and not cancelled.
    pub record: IntentRecord,
    /// Record of the attempt that was asked for.
    pub attempt: AttemptRecord,
    /// The vault that pays.
    pub vault: VaultRecord,
    /// The key that signs.
    pub key: KeyRecord,
}

/// Checks that the journal, seen at one moment, still allows a share for this attempt.
///
/// # Errors
/// One code for each rule.
pub fn check(view: &dyn View, genesis: &Genesis, asked: &ShareRequest) -> Result<Grant, Refusal> {
    let tenant = asked.tenant;
    let unknown = || {
        let detail = format!("{} attempt {}", asked.intent, asked.attempt);
        Refusal::new(Code::AttemptUnknown, detail)
    };

    // Only what the journal authorized can be signed: the request itself proves nothing.
    let record = view.intent(tenant, &asked.intent)?.ok_or_else(unknown)?;
    let attempt = record
        .attempts
        .iter()
        .find(|known| known.number == asked.attempt)
        .cloned()
        .ok_or_else(unknown)?;

    // An earlier attempt could still confirm beside a replacement that its client agreed to.
    let last = record.attempts.last();
    let is_superseded = last.is_some_and(|last| last.number != attempt.number);
    if guard(G::LastAttempt, is_superseded) {
        return Err(Code::AttemptSuperseded.into());
    }
    check_age(&record, &attempt, genesis, asked.now)?;

    let vault = view.vault(tenant, record.vault)?;
    match attempt.kind {
        AttemptKind::Pay | AttemptKind::Bump => {
            check_live(&record, asked.now)?;
            check_counted(&record, genesis)?;
            let question = question(view, asked, &record, &attempt)?;
            if let Err(denied) = asked::ask_again(view, genesis, &question)
                && guard(G::AskedAtHead, true)
            {
                return Err(denied);
            }
        }
        // A cancel makes no payment, so neither a revoked approval nor a window concerns it. But it
        // costs a fee and moves coins: an incident stops that, too, because a share that has left
        // cannot be taken back.
        AttemptKind::Cancel => {
            check_cancel_allowed(&record, asked.now)?;
            if let Err(held) = asked::check_not_held(view, tenant, record.vault, asked.now)
                && guard(G::CancelHeld, true)
            {
                return Err(held);
            }
            check_cancel_fee(view, tenant, &record, &attempt)?;
        }
        // No child is ever recorded, because `apply` refuses it.
        AttemptKind::Child => return Err(Refusal::new(Code::Unsupported, "child attempts")),
    }

    let key = usable_key(view, tenant, &vault, asked.signer)?;
    Ok(Grant {
        record,
        attempt,
        vault,
        key,
    })
}

/// An attempt lives for minutes: a transaction found years later is signed by no one. One from the
/// future says that this signer's clock is wrong, and then its other checks of time are too.
fn check_age(
    record: &IntentRecord,
    attempt: &AttemptRecord,
    genesis: &Genesis,
    now: UnixMs,
) -> Result<(), Refusal> {
    let latest = now.plus(genesis.bounds.skew_ms);
    if guard(G::AttemptNotAhead, attempt.at > latest) {
        return Err(Code::ClockSkew.into());
    }

    // The life counts from the end of the lock: until then no share can leave, however long that
    // is. No lock holds a cancel back, whose coins are kept for its own life alone.
    let from = match attempt.kind {
        AttemptKind::Cancel => attempt.at,
        AttemptKind::Pay | AttemptKind::Bump | AttemptKind::Child => {
            attempt.at.max(record.locked_until)
        }
    };
    let life_ms = genesis.bounds.attempt_life_ms;
    if guard(G::AttemptLife, now.since(from) > life_ms) {
        return Err(Code::AttemptTooOld.into());
    }
    Ok(())
}

/// The intent has not ended and its lock has passed, by this signer's own clock: journal time
/// stands still when the writer withholds entries.
fn check_live(record: &IntentRecord, now: UnixMs) -> Result<(), Refusal> {
    if let Some(code) = record.standing.ended() {
        return Err(code.into());
    }
    if guard(G::IntentExpiry, now >= record.expires) {
        return Err(Code::IntentExpired.into());
    }
    if guard(G::TimeLock, now < record.locked_until) {
        let detail = format!("until {}", record.locked_until);
        return Err(Refusal::new(Code::TimeLocked, detail));
    }
    Ok(())
}

/// Limits hold of the time in which shares leave. The locks of payments whose stamps lie windows
/// apart can end in one second, when the writer or the witnesses were away for that long.
fn check_counted(record: &IntentRecord, genesis: &Genesis) -> Result<(), Refusal> {
    let is_counted = record.is_counted_in_time(genesis.bounds.skew_ms);
    if !guard(G::CountedInTime, !is_counted) {
        return Ok(());
    }
    let detail = format!(
        "its windows were asked at {}, long before its lock was witnessed, and had no room then; a \
         further attempt counts from {} on",
        record.spend.at, record.counts_from
    );
    Err(Refusal::new(Code::AttemptTooOld, detail))
}

/// All that can deny the payment, asked at this moment of the journal: authorization was judged at
/// its own position, and people change their minds, lose their keys and leave between then and now.
fn question<'a>(
    view: &dyn View,
    asked: &ShareRequest,
    record: &'a IntentRecord,
    attempt: &AttemptRecord,
) -> Result<Again<'a>, Refusal> {
    Ok(Again {
        tenant: asked.tenant,
        intent: asked.intent,
        record,
        moment: Moment::Head {
            at: view.position()?.last_at,
            // A locked payment leaves when its lock ends: hours that are closed then are closed
            // for it.
            hours: attempt.at.max(record.locked_until),
            windows: false,
        },
        now: asked.now,
    })
}

/// Only an ended or expired intent returns its anchor to the vault: else a hostile service could
/// keep a live payment from ever confirming.
fn check_cancel_allowed(record: &IntentRecord, now: UnixMs) -> Result<(), Refusal> {
    let is_live = record.standing.ended().is_none() && now < record.expires;
    if !guard(G::CancelOnlyEnded, is_live) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::EffectsMismatch,
        "the intent is neither cancelled, rejected nor expired",
    ))
}

/// The policy in force bounds what a way home costs as it bounds the fee of a payment: its intent
/// can have ended long ago, under another policy.
fn check_cancel_fee(
    view: &dyn View,
    tenant: TenantId,
    record: &IntentRecord,
    attempt: &AttemptRecord,
) -> Result<(), Refusal> {
    let owner = view.tenant(tenant)?;
    let most = view.policy(tenant, &owner)?.fee_most(&record.chain);
    match most {
        Some(most) if guard(G::CancelFee, attempt.fee_max > most) => {
            let detail = format!("the policy in force allows {most}");
            Err(Refusal::new(Code::FeeCapExceeded, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// The vault's key, if it still signs and this signer still belongs to its roster.
fn usable_key(
    view: &dyn View,
    tenant: TenantId,
    vault: &VaultRecord,
    signer: u16,
) -> Result<KeyRecord, Refusal> {
    let key = view.threshold_key(tenant, vault.vault.key)?;
    if guard(G::KeyRevoked, key.revoked) {
        return Err(Code::KeyRevoked.into());
    }
    if key.public.is_none() {
        return Err(Refusal::new(
            Code::UnknownKey,
            "the ceremony is not finished",
        ));
    }

    // A quarantined signer is one that is believed to be in hostile hands: this very process must
    // not help it.
    let is_quarantined = view.platform()?.quarantined.contains(&signer);
    let is_quarantined = guard(G::PeersInService, is_quarantined);
    if is_quarantined || !key.plan.roster.contains(&signer) {
        return Err(Refusal::new(Code::NotInRoster, format!("signer {signer}")));
    }
    Ok(key)
}
