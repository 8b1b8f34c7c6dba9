//! Whose room an entry uses: quotas in journal time, and bounds on what is kept.
//!
//! A tenant has room for entries and their bytes, each credential of a person has room for
//! tightenings beside that: those get in when everything else is used up, perhaps by an intruder.

use super::change::{Change, Place};
use super::opened::VerifiedAct;
use super::tenant_place;
use crate::entry::Entry;
use crate::keyspace as ks;
use crate::model::CredentialRecord;
use crate::state::Lookup as _;
use strongroom_guard::{G, guard};
use strongroom_types::{Code, CredentialId, Refusal, UnixMs};

/// Counts an entry against the tenant's quotas of this minute of journal time: one tenant must not
/// be able to fill the journal for all others.
pub(super) fn count_entry(change: &mut Change<'_>, entry: &Entry) -> Result<Place, Refusal> {
    let place = tenant_place(entry)?;
    let bounds = &change.state().genesis().bounds;
    let mut record = change.tenant(place.tenant)?;

    let mut count = record.minute.at(place.at);
    if guard(G::EntryQuota, count.entries >= bounds.entries_per_minute) {
        return Err(Refusal::new(Code::QuotaExceeded, "entries per minute"));
    }

    // The length is that of the bytes that are hashed and stored, measured without encoding them
    // again.
    let length = borsh::object_length(entry).map_err(|e| Refusal::new(Code::Internal, e))?;
    let before = if count.entries == 0 {
        0
    } else {
        record.minute_bytes
    };
    let bytes = before.saturating_add(length as u64);
    if guard(G::EntryQuota, bytes > bounds.entry_bytes_per_minute) {
        let detail = "bytes of entries per minute";
        return Err(Refusal::new(Code::QuotaExceeded, detail));
    }

    count.entries += 1;
    (record.minute, record.minute_bytes) = (count, bytes);
    change.put(ks::tenant(place.tenant), &record);
    Ok(place)
}

/// Charges a tightening to one of its signers, for this minute of journal time.
///
/// This rule comes after every other one: a refusal by quota passes with time, and a witness that
/// holds the act waits for that. It must not come before a refusal that does not pass.
pub(super) fn charge_tightening(
    change: &mut Change<'_>,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    let max = change.state().genesis().bounds.tightenings_per_minute;
    let has_room = |record: &CredentialRecord| {
        let charged = record.tightenings.at(opened.at).entries;
        !guard(G::TighteningsPerMinute, charged >= max)
    };
    let detail = "tightenings per minute of each signer";
    let (id, mut record) = first_with_room(change, opened, has_room, detail)?;

    record.tightenings = record.tightenings.at(opened.at);
    record.tightenings.entries += 1;
    change.put(ks::credential(opened.act.scope, id), &record);
    Ok(())
}

/// Charges the id of a tightening that ends no authorized intent, or of any that changes nothing:
/// they can be made of any digest, or without end.
pub(super) fn charge_id(change: &mut Change<'_>, opened: &VerifiedAct) -> Result<(), Refusal> {
    let id = ks::used_act(opened.act.scope, &opened.digest);
    charge_kept(change, opened, &id, opened.used_until())
}

/// Charges the record under a key, which a tightening leaves, to one of its signers until it is
/// forgotten.
pub(super) fn charge_kept(
    change: &mut Change<'_>,
    opened: &VerifiedAct,
    key: &[u8],
    until: UnixMs,
) -> Result<(), Refusal> {
    let max = change.state().genesis().bounds.ended_open_max;
    let has_room = |record: &CredentialRecord| !guard(G::KeptRoom, record.kept >= max);
    let detail = "records of cancels and noes of each signer";
    if first_with_room(change, opened, has_room, detail).is_err() {
        // The signer's room is full, but some of its records may be due: they are forgotten first.
        let is_theirs = |_: &[u8], charged: &[u8]| {
            let mut ids = charged.as_chunks().0.iter();
            ids.any(|id| opened.signers.contains(&CredentialId(*id)))
        };
        change.forget_counted(opened.act.scope, opened.at, is_theirs)?;
    }
    let (id, mut record) = first_with_room(change, opened, has_room, detail)?;

    let scope = opened.act.scope;
    record.kept += 1;
    change.put(ks::credential(scope, id), &record);
    change.expire_charged(ks::expiry(scope, until, key), id.0);
    Ok(())
}

/// The first of the signers who has room. No one pays for what they did not sign, and a further
/// signature by one whose room is used up keeps no act out.
fn first_with_room(
    change: &Change<'_>,
    opened: &VerifiedAct,
    has_room: impl Fn(&CredentialRecord) -> bool,
    detail: &str,
) -> Result<(CredentialId, CredentialRecord), Refusal> {
    for id in &opened.signers {
        // The credential is read from the stored state, because the act itself may have revoked it.
        let key = ks::credential(opened.act.scope, *id);
        let record: CredentialRecord = change.record(&key)?.ok_or(Code::Internal)?;
        if has_room(&record) {
            return Ok((*id, record));
        }
    }
    Err(Refusal::new(Code::QuotaExceeded, detail))
}
