//! `apply`: the rules of every entry. Pure, total, deterministic.
//!
//! What `apply` refuses is never appended; a replica that is shown a refused entry stops.

pub mod act;
mod approvals;
mod attempt;
mod authorize;
pub mod ceremony;
mod change;
mod record;
mod tighten;
mod windows;

pub use approvals::{Ballot, check_answer, check_approvals};
pub use authorize::{evaluate, initiator};
pub use windows::TenantView;

use crate::entry::{Body, Entry, VERSION};
use crate::keyspace as ks;
use crate::model::{CredentialRecord, PlatformRecord};
use crate::state::{Delta, Lookup as _, State};
use change::Change;
use strongroom_types::{Code, Digest, Refusal, Scope, TenantId, UnixMs};

/// Keys of a tenant forgotten with each of its entries, so that memory of the past stays bounded by
/// retention.
const FORGET_MAX: usize = 16;
/// Milliseconds in a minute.
const MINUTE_MS: u64 = 60_000;

/// What the entry changes, or why it must not be appended.
///
/// # Errors
/// Each rule has its own stable code; see `docs/errors/`.
pub fn apply(state: &State, entry: &Entry) -> Result<Delta, Refusal> {
    let mut position = state.position()?;
    if entry.version != VERSION {
        return Err(Refusal::new(
            Code::UnknownEntry,
            format!("entry version {}", entry.version),
        ));
    }
    if entry.seq != position.next_seq {
        let detail = format!(
            "entry {} where {} was expected",
            entry.seq, position.next_seq
        );
        return Err(Refusal::new(Code::Malformed, detail));
    }
    if entry.at < position.last_at {
        return Err(Code::TimeWentBack.into());
    }
    if (entry.seq == 0) != matches!(entry.body, Body::Genesis(_)) {
        return Err(Refusal::new(
            Code::Malformed,
            "genesis is entry 0 and nothing else is",
        ));
    }
    let mut change = Change::new(state);
    // Before the rules: a tenant whose quota is full of what has expired must not be refused for
    // it.
    if let Scope::Tenant(tenant) = entry.scope {
        change.forget_expired(tenant, entry.at, FORGET_MAX)?;
    }
    dispatch(&mut change, entry)?;
    position.next_seq = entry.seq + 1;
    position.last_at = entry.at;
    change.put(ks::position(), &position);
    Ok(change.finish())
}

fn dispatch(change: &mut Change<'_>, entry: &Entry) -> Result<(), Refusal> {
    match &entry.body {
        Body::Genesis(hash) => {
            platform_scope(entry)?;
            genesis(change, *hash)
        }
        Body::Tick => platform_scope(entry),
        Body::Act(signed) => act::apply(change, entry, signed),
        Body::Authorized(authorization) => {
            let tenant = count(change, entry)?;
            authorize::apply(change, tenant, entry, authorization)
        }
        Body::Attempt(attempt) => {
            let tenant = count(change, entry)?;
            attempt::apply(change, tenant, entry, attempt)
        }
        Body::Rejected {
            intent,
            core,
            approval,
        } => {
            let tenant = tenant_scope(entry)?;
            authorize::reject(change, tenant, entry, intent, core, approval)
        }
        Body::Finished(finished) => {
            let tenant = tenant_scope(entry)?;
            ceremony::finish(change, tenant, finished)
        }
    }
}

fn platform_scope(entry: &Entry) -> Result<(), Refusal> {
    match entry.scope {
        Scope::Platform => Ok(()),
        Scope::Tenant(_) => Err(Code::WrongScope.into()),
    }
}

fn tenant_scope(entry: &Entry) -> Result<TenantId, Refusal> {
    match entry.scope {
        Scope::Tenant(tenant) => Ok(tenant),
        Scope::Platform => Err(Code::WrongScope.into()),
    }
}

/// Entry 0: the hash is this build's genesis; its admins' credentials come into force.
fn genesis(change: &mut Change<'_>, hash: Digest) -> Result<(), Refusal> {
    let genesis = std::sync::Arc::clone(change.state().genesis());
    if genesis.hash() != hash {
        return Err(Code::WrongGenesis.into());
    }
    change.put(
        ks::platform(),
        &PlatformRecord {
            version: 1,
            ..PlatformRecord::default()
        },
    );
    for credential in &genesis.admin_credentials {
        let record = CredentialRecord {
            credential: credential.clone(),
            revoked: false,
        };
        change.put(ks::platform_credential(credential.id), &record);
    }
    Ok(())
}

/// Counts an entry against the tenant's quota of this minute of journal time.
fn count(change: &mut Change<'_>, entry: &Entry) -> Result<TenantId, Refusal> {
    let tenant = tenant_scope(entry)?;
    count_for(change, tenant, entry.at)?;
    Ok(tenant)
}

fn count_for(change: &mut Change<'_>, tenant: TenantId, at: UnixMs) -> Result<(), Refusal> {
    let mut record = change.tenant(tenant)?;
    let minute = at.0 / MINUTE_MS;
    let used = if record.minute.0 == minute {
        record.minute.1
    } else {
        0
    };
    if used >= change.state().genesis().bounds.entries_per_minute {
        return Err(Refusal::new(Code::QuotaExceeded, "entries per minute"));
    }
    record.minute = (minute, used + 1);
    change.put(ks::tenant(tenant), &record);
    Ok(())
}
