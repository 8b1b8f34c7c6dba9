//! The end of a ceremony: all n signers certified the same public result.

use super::change::{Change, Place};
use crate::entry::Finished;
use crate::keyspace as ks;
use crate::model::{KeyRecord, PublicKey};
use crate::state::{Lookup as _, View};
use strongroom_guard::{G, guard};
use strongroom_mpc_core::{PublicKeyRecord, SuiteId};
use strongroom_types::ceremony::{certificate_digest, key_name};
use strongroom_types::signed::verify_digest;
use strongroom_types::{Code, Refusal, TenantId, UnixMs};

/// Whether a released ceremony can still finish at a journal time. What says no here says so
/// permanently: journal time, a revocation and a quarantine never go back.
///
/// # Errors
/// `already_exists` (finished, or revoked), `authority_expired`, `invalid_reference` (a member of
/// the roster is in quarantine).
pub fn check_open(view: &dyn View, record: &KeyRecord, at: UnixMs) -> Result<(), Refusal> {
    // A second result would move the vaults of this key to another group key.
    let key = record.plan.key;
    if record.public.is_some() || record.revoked {
        return Err(Refusal::new(Code::AlreadyExists, key));
    }

    // Without an end a writer could keep n certificates back until a signer's old disk is in other
    // hands, and no signer could ever erase its share.
    if at >= record.until {
        let detail = format!("the ceremony of {key} ended at {}", record.until);
        return Err(Refusal::new(Code::AuthorityExpired, detail));
    }

    // All n hold a share of the result. One put in quarantine since the release would make it a key
    // with a share in hostile hands from the start.
    let quarantined = view.platform()?.quarantined;
    let mut roster = record.plan.roster.iter();
    match roster.find(|index| guard(G::PeersInService, quarantined.contains(index))) {
        Some(index) => {
            let detail = format!("signer {index} of the roster is in quarantine");
            Err(Refusal::new(Code::InvalidReference, detail))
        }
        None => Ok(()),
    }
}

pub(super) fn finish(
    change: &mut Change<'_>,
    place: Place,
    finished: &Finished,
) -> Result<(), Refusal> {
    let tenant = place.tenant;
    let mut record = change.threshold_key(tenant, finished.key)?;
    check_open(&*change, &record, place.at)?;
    let public = check_public(tenant, &record, finished)?;
    check_certificates(change, &record, finished)?;

    record.public = Some(PublicKey {
        group_key: public.group_key.clone(),
        chain_code: public.chain_code,
        record: finished.public.clone(),
        transcript: finished.transcript,
    });
    change.put(ks::threshold_key(tenant, finished.key), &record);
    Ok(())
}

/// The result is what the committee released: suite, key, epoch, t and exactly the roster. A lower
/// t or another roster would put the key into fewer, or other, hands.
fn check_public(
    tenant: TenantId,
    record: &KeyRecord,
    finished: &Finished,
) -> Result<PublicKeyRecord, Refusal> {
    let invalid = |detail: &str| Refusal::new(Code::CeremonyFault, detail);
    let public =
        PublicKeyRecord::from_bytes(&finished.public).map_err(|e| invalid(&e.to_string()))?;

    let fits = public.suite == SuiteId::from(record.plan.suite)
        && public.key_id == key_name(tenant, finished.key)
        && public.epoch == record.epoch
        && public.min_signers == record.plan.min_signers
        && public.verifying_shares.keys().eq(&record.plan.roster);
    if fits {
        Ok(public)
    } else {
        Err(invalid("the result is not what was released"))
    }
}

/// One certificate of every roster member over this transcript and this public result: one that is
/// missing may be a signer that holds no share, or was told another key.
fn check_certificates(
    change: &Change<'_>,
    record: &KeyRecord,
    finished: &Finished,
) -> Result<(), Refusal> {
    let genesis = change.state().genesis();
    let certified_by = finished.certificates.iter().map(|(index, _)| index);
    if !certified_by.eq(&record.plan.roster) {
        return Err(Refusal::new(
            Code::QuorumMissing,
            "one certificate of every signer, ascending",
        ));
    }

    let certified = certificate_digest(&finished.transcript, &finished.public);
    for (index, signature) in &finished.certificates {
        let seat = genesis
            .signer(*index)
            .ok_or_else(|| Refusal::new(Code::NotInRoster, index))?;
        if !verify_digest(&seat.signing_key, &certified, signature) {
            let detail = format!("certificate of signer {index}");
            return Err(Refusal::new(Code::BadSignature, detail));
        }
    }
    Ok(())
}
