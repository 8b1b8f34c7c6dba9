//! What waits until witnesses have vouched for its entry. The writer stamps entries, so a delay or
//! lock that counted from a stamp could be zero.

use super::change::Change;
use super::opened::VerifiedAct;
use crate::keyspace as ks;
use crate::model::{WAITING_MAX, WaitingAct, WaitingChange, WaitingItem, WaitingOf, WaitingRecord};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard};
use strongroom_types::{Code, Refusal, Scope, TenantId, UnixMs};

/// Most time-locked payments of all tenants that wait at once.
const LOCKS_MAX: usize = WAITING_MAX / 2;
/// Most time-locked payments of one tenant that wait at once.
const TENANT_LOCKS_MAX: usize = WAITING_MAX / 8;

/// Times of a `witnessed` entry.
#[derive(Clone, Copy)]
pub(super) struct WitnessedTimes {
    /// Time at which k witnesses had seen what it settles.
    pub(super) witnessed: UnixMs,
    /// Journal time of the entry itself.
    pub(super) entry: UnixMs,
}

/// Adds an item that waits from this position on.
///
/// # Errors
/// `quota_exceeded` when [`WAITING_MAX`] items wait, or for a lock, fewer.
pub(super) fn add(change: &mut Change<'_>, item: WaitingItem) -> Result<(), Refusal> {
    let mut waiting = change.waiting()?;

    // One `witnessed` entry settles all items: their number bounds its cost, and a replica's
    // memory.
    if guard(G::WaitingMax, waiting.items.len() >= WAITING_MAX) {
        return Err(Refusal::new(Code::QuotaExceeded, "items that wait"));
    }
    if let WaitingOf::Lock(tenant, _) = item.of {
        check_room_for_lock(&waiting, tenant)?;
    }
    waiting.items.push(item);
    change.put(ks::waiting(), &waiting);
    Ok(())
}

/// Locked payments need no quorum: without bounds of their own, one tenant's program could
/// keep the acts of all others from waiting.
fn check_room_for_lock(waiting: &WaitingRecord, tenant: TenantId) -> Result<(), Refusal> {
    let locks = waiting.items.iter().filter_map(|item| match item.of {
        WaitingOf::Lock(tenant, _) => Some(tenant),
        WaitingOf::Proposal(..)
        | WaitingOf::PlatformProposal(_)
        | WaitingOf::Act(_)
        | WaitingOf::Pause(..)
        | WaitingOf::Tenant(_) => None,
    });

    // There are two bounds: one tenant must leave room for the locks of others, and all tenants
    // must leave room for acts.
    let own = locks.clone().filter(|other| *other == tenant).count();
    let is_full = own >= TENANT_LOCKS_MAX || locks.count() >= LOCKS_MAX;
    if guard(G::WaitingMax, is_full) {
        return Err(Refusal::new(
            Code::QuotaExceeded,
            "locked payments that wait",
        ));
    }
    Ok(())
}

/// Whether one more item may wait.
pub(super) fn has_room(change: &Change<'_>) -> Result<bool, Refusal> {
    let is_full = change.waiting()?.items.len() >= WAITING_MAX;
    Ok(!guard(G::WaitingMax, is_full))
}

/// Refuses a second act, other than a tightening, while one waits to take effect: it would be
/// judged on a state that is about to change.
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
    tenant: TenantId,
    opened: &VerifiedAct,
    effect: WaitingChange,
) -> Result<(), Refusal> {
    let mut record = change.tenant(tenant)?;
    check_none(record.waiting.as_ref())?;
    record.waiting = Some(WaitingAct {
        digest: opened.digest,
        // The act waits under the version that it leaves behind itself: any later change makes it
        // void.
        version: record.version + 1,
        expires: opened.act.expires,
        effect,
    });
    change.put(ks::tenant(tenant), &record);
    let of = WaitingOf::Act(Scope::Tenant(tenant));
    add(change, opened.waiting_item(of))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use strongroom_types::Digest;

    #[test]
    fn locks_of_all_tenants_leave_half_of_the_room() {
        let tenants = (0..).map(|n: u8| TenantId([n; 16]));
        let each = tenants.flat_map(|tenant| std::iter::repeat_n(tenant, TENANT_LOCKS_MAX));
        let lock = |tenant| WaitingItem {
            seq: 1,
            at: UnixMs(1),
            of: WaitingOf::Lock(tenant, Digest([1; 32])),
        };
        let mut waiting = WaitingRecord {
            witnessed: 0,
            items: each.take(LOCKS_MAX - 1).map(lock).collect(),
        };
        let other = TenantId([99; 16]);
        check_room_for_lock(&waiting, other).unwrap();
        waiting.items.push(lock(other));
        let refused = check_room_for_lock(&waiting, other).unwrap_err();
        assert_eq!(refused.code, Code::QuotaExceeded);
    }
}
