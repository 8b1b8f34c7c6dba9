//! What waits until witnesses have vouched for its entry. The writer stamps entries, so a delay or
//! lock that counted from a stamp could be zero.

use super::change::{Change, Place};
use crate::keyspace as ks;
use crate::model::{
    ActStanding, TenantRecord, WAITING_MAX, WaitingAct, WaitingChange, WaitingItem, WaitingOf,
};
use crate::state::Lookup as _;
use strongroom_types::{ActId, Code, Refusal, TenantId, UnixMs};

/// Adds an item that waits from this position on.
///
/// # Errors
/// `quota_exceeded` when [`WAITING_MAX`] items wait.
pub(super) fn add(
    change: &mut Change<'_>,
    (seq, at): (u64, UnixMs),
    of: WaitingOf,
) -> Result<(), Refusal> {
    let mut waiting = change.waiting()?;

    // One `witnessed` entry settles them all: their number bounds its cost, and a replica's memory.
    if waiting.items.len() >= WAITING_MAX {
        return Err(Refusal::new(Code::QuotaExceeded, "items that wait"));
    }
    waiting.items.push(WaitingItem { seq, at, of });
    change.put(ks::waiting(), &waiting);
    Ok(())
}

/// Whether an item more may wait.
pub(super) fn has_room(change: &Change<'_>) -> Result<bool, Refusal> {
    Ok(change.waiting()?.items.len() < WAITING_MAX)
}

/// Refuses a second act, other than a tightening, while one waits to take effect: it would be judged on
/// a state that is about to change.
pub(super) fn check_none(waiting: Option<&WaitingAct>) -> Result<(), Refusal> {
    waiting.map_or(Ok(()), |act| {
        Err(Refusal::new(
            Code::ActWaiting,
            format!("act {}", act.digest),
        ))
    })
}

/// Lets a tenant's act wait until its entry is witnessed. The caller has judged it already, so that
/// its signers hear at once what is wrong with it.
pub(super) fn act(
    change: &mut Change<'_>,
    place: Place,
    opened: &super::opened::VerifiedAct,
    what: WaitingChange,
) -> Result<(), Refusal> {
    let mut record: TenantRecord = change.tenant(place.tenant)?;
    check_none(record.waiting.as_ref())?;
    record.waiting = Some(WaitingAct {
        id: opened.act.id,
        digest: opened.digest,
        // The version that this act itself leaves behind.
        version: record.version + 1,
        expires: opened.act.expires,
        what,
    });
    change.put(ks::tenant(place.tenant), &record);
    let scope = strongroom_types::Scope::Tenant(place.tenant);
    add(change, (place.seq, place.at), WaitingOf::Act(scope))
}

/// How an act of a scope stands from now on; nothing once its id has been forgotten.
pub(super) fn set_standing(
    change: &mut Change<'_>,
    tenant: Option<TenantId>,
    id: ActId,
    standing: ActStanding,
) {
    let key = ks::used_act(tenant, id);
    if change.has(&key) {
        change.put(key, &standing);
    }
}
