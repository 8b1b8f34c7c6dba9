//! Pauses by single admins: each gains at most four hours in 24, and by a time that witnesses vouch
//! for.

use super::change::Change;
use super::opened::VerifiedAct;
use super::waiting;
use crate::genesis::HOUR_MS;
use crate::keyspace as ks;
use crate::model::{AdminPause, TenantRecord, WaitingOf};
use crate::state::Lookup as _;
use strongroom_guard::{G, kept};
use strongroom_types::{Code, Refusal, TenantId, UnixMs, VaultId};

/// Longest pause, milliseconds.
const MAX_MS: u64 = 4 * HOUR_MS;
/// Time in which an admin may pause once, milliseconds.
const EVERY_MS: u64 = 24 * HOUR_MS;

/// A pause as it is asked for.
#[derive(Clone, Copy)]
pub(super) struct Pause {
    /// Vault that pays nothing; the whole tenant for `None`.
    pub(super) vault: Option<VaultId>,
    /// End, journal and clock time.
    pub(super) until: UnixMs,
}

/// Pauses a vault or a tenant, by one admin.
pub(super) fn put(
    change: &mut Change<'_>,
    tenant: TenantId,
    asked: Pause,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let at = opened.at;
    let mut record = change.tenant(tenant)?;
    opened.need_one(&record.admins)?;

    // A pause that is over is refused: it pauses nothing, and a writer that held it back would have
    // used up the admin's one pause.
    if asked.until <= at {
        return Err(Refusal::new(Code::AuthorityExpired, "the pause is over"));
    }

    // One admin alone can gain time, at most four hours in 24, but cannot hold the tenant's funds.
    // The 24 hours count from a time that witnesses vouch for: by the writer's stamps, an older
    // pause that it had withheld would take the place of the one that is needed now.
    forget_old(&mut record, at);
    if asked.until > at.plus(MAX_MS) {
        return Err(Code::PauseTooLong.into());
    }
    let until = latest_end(&record, asked.until, opened);
    if until <= at {
        return Err(Code::PauseTooLong.into());
    }

    // A tightening is never refused for lack of room: a pause for which no item can wait does not
    // begin the admin's 24 hours.
    for admin in &record.admins.members {
        let is_counted = record.pauses.iter().any(|pause| pause.admin == *admin);
        if !opened.people.contains(admin) || is_counted || !waiting::has_room(change)? {
            continue;
        }
        record.pauses.push(AdminPause {
            admin: *admin,
            witnessed_at: None,
        });
        let of = WaitingOf::Pause(tenant, *admin);
        waiting::add(change, opened.waiting_item(of))?;
    }

    // The end never becomes earlier: a second pause must not end the first one.
    match asked.vault {
        Some(id) => {
            let mut vault = change.vault(tenant, id)?;
            vault.paused_until = vault.paused_until.max(until);
            change.put(ks::vault(tenant, id), &vault);
        }
        None => record.paused_until = record.paused_until.max(until),
    }
    change.put(ks::tenant(tenant), &record);
    Ok(())
}

/// Whether a pause whose text is in the journal would hold longer under these signatures: of one who
/// has more of their hours left.
pub(super) fn pauses_longer(
    change: &Change<'_>,
    tenant: TenantId,
    asked: Pause,
    opened: &VerifiedAct,
) -> Result<bool, Refusal> {
    let mut record = change.tenant(tenant)?;
    forget_old(&mut record, opened.at);
    let paused_until = match asked.vault {
        Some(id) => change.vault(tenant, id)?.paused_until,
        None => record.paused_until,
    };
    Ok(latest_end(&record, asked.until, opened) > paused_until)
}

fn forget_old(record: &mut TenantRecord, at: UnixMs) {
    record.pauses.retain(|pause| {
        let is_old = |when: UnixMs| at.since(when) >= EVERY_MS;
        !pause.witnessed_at.is_some_and(is_old)
    });
}

/// End of a pause that these people ask for, in journal time: the latest that one of them alone could
/// reach. With the earliest, one whose hours are over would cut the pause of another by signing it.
fn latest_end(record: &TenantRecord, until: UnixMs, opened: &VerifiedAct) -> UnixMs {
    let admins = record.admins.members.iter();
    let ends = admins
        .filter(|admin| opened.people.contains(admin))
        .map(|admin| {
            let counted = record.pauses.iter().find(|pause| pause.admin == *admin);
            let hours_end = counted.and_then(|pause| pause.witnessed_at);

            // A further pause of the same admin adds no time. It is cut and not refused when it
            // reaches beyond the first hours: else an older pause, of another vault, would displace
            // the wider or longer one.
            hours_end.map_or(until, |begun| {
                let cut = begun.plus(MAX_MS).min(until);
                kept!(G::PauseCut, cut, instead if cut < until { UnixMs(0) } else { cut })
            })
        });
    ends.max().unwrap_or_default()
}
