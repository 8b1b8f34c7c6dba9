//! Proposals: a loosening waits for its delay in journal time and then for a positive release.
//! Silence is not consent.

use super::change::{Change, Place};
use super::check_not_stopped;
use super::opened::VerifiedAct;
use super::record::put_released;
use crate::keyspace as ks;
use crate::model::ProposalRecord;
use crate::state::Lookup as _;
use strongroom_types::{Code, Digest, Refusal, RegistryRecord, TenantId};

/// Time after its delay in which a proposal can be released, milliseconds.
const PROPOSAL_LIFE_MS: u64 = 30 * 24 * crate::genesis::HOUR_MS;

/// Opens a proposal under the digest of the act that makes it.
pub(super) fn open(
    change: &mut Change<'_>,
    place: Place,
    act: &Digest,
    (record, delay_ms): (&RegistryRecord, u64),
) -> Result<(), Refusal> {
    let tenant = place.tenant;
    let mut current = check_not_stopped(&*change, tenant)?;

    // Each open proposal is held by every replica; one committee must not fill their memory.
    if current.proposals_open >= change.state().genesis().bounds.proposals_open_max {
        return Err(Refusal::new(Code::QuotaExceeded, "open proposals"));
    }
    current.proposals_open += 1;
    change.put(ks::tenant(tenant), &current);

    let from = place.at.plus(delay_ms);
    let proposal = ProposalRecord {
        record: record.clone(),
        from,
        until: from.plus(PROPOSAL_LIFE_MS),
    };
    let key = ks::proposal(tenant, act);
    change.expire(tenant, proposal.until, &key);
    change.put(key, &proposal);
    Ok(())
}

/// Puts a proposal in force: after its delay in journal time, by the committee's release.
pub(super) fn release(
    change: &mut Change<'_>,
    place: Place,
    act: &Digest,
    opened: &VerifiedAct,
) -> Result<(), Refusal> {
    opened.need(&change.tenant(place.tenant)?.committee)?;
    check_not_stopped(&*change, place.tenant)?;
    let proposal = take(change, place.tenant, act)?;

    // The delay is the time in which the others can veto; by the clock of the journal, which a
    // hostile machine cannot turn forward beyond the witnesses' skew.
    if place.at < proposal.from {
        let detail = format!("{} ms too early", proposal.from.since(place.at));
        return Err(Refusal::new(Code::ReleaseTooEarly, detail));
    }

    // A proposal that its committee has forgotten must not come into force years later.
    if place.at >= proposal.until {
        return Err(Refusal::new(
            Code::AuthorityExpired,
            "the proposal's time has passed",
        ));
    }
    put_released(change, place, &proposal.record, opened.digest)
}

/// Removes an open proposal and returns it.
pub(super) fn take(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
) -> Result<ProposalRecord, Refusal> {
    let proposal = change
        .proposal(tenant, act)?
        .ok_or_else(|| Refusal::new(Code::UnknownProposal, act))?;

    let mut current = change.tenant(tenant)?;
    current.proposals_open = current.proposals_open.saturating_sub(1);
    change.put(ks::tenant(tenant), &current);
    change.remove(ks::proposal(tenant, act));
    Ok(proposal)
}
