//! What a signature share needs, judged at the head the signer acts under.
//!
//! `authorized` is judged at its position; a share is judged at the head: everything the intent
//! relies on is *still* in force there. A tightening in the signer's own tip, or handed to it,
//! counts at once.

use crate::genesis::Genesis;
use crate::model::{AttemptRecord, IntentRecord, IntentStanding, KeyRecord, VaultRecord};
use crate::state::{Lookup as _, View};
use strongroom_types::{AttemptKind, Code, Digest, Refusal, TenantId, UnixMs};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The tenant.
    pub tenant: TenantId,
    /// The intent.
    pub intent: Digest,
    /// The attempt's number.
    pub attempt: u32,
    /// The asked signer's roster index.
    pub signer: u16,
    /// The signer's own clock.
    pub now: UnixMs,
}

/// What the journal says about an attempt that may be signed.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The intent.
    pub record: IntentRecord,
    /// The attempt.
    pub attempt: AttemptRecord,
    /// The vault that pays.
    pub vault: VaultRecord,
    /// The key that signs.
    pub key: KeyRecord,
}

/// Whether the journal, seen at one moment, still allows a share for this attempt.
///
/// # Errors
/// One code for each rule.
pub fn check(view: &dyn View, genesis: &Genesis, asked: &Asked) -> Result<Grant, Refusal> {
    let tenant = asked.tenant;
    let unknown = || {
        Refusal::new(
            Code::AttemptUnknown,
            format!("{} attempt {}", asked.intent, asked.attempt),
        )
    };
    let record = view.intent(tenant, &asked.intent)?.ok_or_else(unknown)?;
    let attempt = record
        .attempts
        .iter()
        .find(|a| a.number == asked.attempt)
        .cloned()
        .ok_or_else(unknown)?;
    if record
        .attempts
        .last()
        .is_some_and(|last| last.number != attempt.number)
    {
        return Err(Code::AttemptSuperseded.into());
    }
    age(&attempt, genesis, asked.now)?;
    match attempt.kind {
        AttemptKind::Pay | AttemptKind::Bump => payment(view, tenant, &record, asked.now)?,
        AttemptKind::Cancel => homecoming(&record, asked.now)?,
    }
    let vault = view.vault(tenant, record.vault)?;
    if matches!(attempt.kind, AttemptKind::Pay | AttemptKind::Bump) {
        let paused = view.tenant(tenant)?.paused_until.max(vault.paused_until);
        if asked.now < paused {
            return Err(Code::Paused.into());
        }
    }
    let key = key(view, tenant, &vault, asked.signer)?;
    Ok(Grant {
        record,
        attempt,
        vault,
        key,
    })
}

fn age(attempt: &AttemptRecord, genesis: &Genesis, now: UnixMs) -> Result<(), Refusal> {
    if attempt.at > now.plus(genesis.bounds.skew_ms) {
        return Err(Code::ClockSkew.into());
    }
    if now.since(attempt.at) > genesis.bounds.attempt_life_ms {
        return Err(Code::AttemptTooOld.into());
    }
    Ok(())
}

/// Everything a payment relies on is still in force.
fn payment(
    view: &dyn View,
    tenant: TenantId,
    record: &IntentRecord,
    now: UnixMs,
) -> Result<(), Refusal> {
    if record.standing == IntentStanding::Cancelled {
        return Err(Code::IntentCancelled.into());
    }
    if now >= record.expires {
        return Err(Code::IntentExpired.into());
    }
    if now < record.locked_until {
        return Err(Refusal::new(
            Code::TimeLocked,
            format!("until {}", record.locked_until),
        ));
    }
    if view.platform()?.stopped {
        return Err(Code::PlatformStopped.into());
    }
    if view.tenant(tenant)?.stopped {
        return Err(Code::TenantStopped.into());
    }
    if view.credential(tenant, record.initiator).is_err() {
        return Err(Refusal::new(
            Code::InitiatorNoLongerInForce,
            record.initiator,
        ));
    }
    for relied in &record.approvals {
        let in_force = view.credential(tenant, relied.credential).is_ok();
        if !in_force || !view.in_group(tenant, relied.group, relied.user)? {
            return Err(Refusal::new(
                Code::ApprovalNoLongerInForce,
                relied.credential,
            ));
        }
    }
    for entry in &record.allow_list {
        if view.allow_list(tenant, *entry)?.is_none() {
            return Err(Refusal::new(Code::AllowListNoLongerInForce, entry));
        }
    }
    Ok(())
}

/// Only a cancelled or expired intent brings its anchor home.
fn homecoming(record: &IntentRecord, now: UnixMs) -> Result<(), Refusal> {
    if record.standing == IntentStanding::Cancelled || now >= record.expires {
        Ok(())
    } else {
        Err(Refusal::new(
            Code::EffectsMismatch,
            "the intent is neither cancelled nor expired",
        ))
    }
}

fn key(
    view: &dyn View,
    tenant: TenantId,
    vault: &VaultRecord,
    signer: u16,
) -> Result<KeyRecord, Refusal> {
    let key = view.threshold_key(tenant, vault.vault.key)?;
    if key.revoked {
        return Err(Code::KeyRevoked.into());
    }
    if key.public.is_none() {
        return Err(Refusal::new(
            Code::UnknownKey,
            "the ceremony is not finished",
        ));
    }
    let quarantined = view.platform()?.quarantined.contains(&signer);
    if quarantined || !key.plan.roster.contains(&signer) {
        return Err(Refusal::new(Code::NotInRoster, format!("signer {signer}")));
    }
    Ok(key)
}
