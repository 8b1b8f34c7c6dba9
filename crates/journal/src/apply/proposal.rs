//! Proposals: a loosening waits for its delay, counted from a time that witnesses vouch for, and
//! then for a positive release. Silence is not consent.

use super::change::Change;
use super::opened::VerifiedAct;
use super::record::{Released, put_released};
use super::{check_not_stopped, waiting};
use crate::genesis::HOUR_MS;
use crate::keyspace as ks;
use crate::model::{ActStanding, ProposalRecord, WaitingChange, WaitingOf};
use crate::state::Lookup as _;
use strongroom_guard::{G, guard, kept};
use strongroom_types::{Code, Digest, Refusal, RegistryRecord, TenantId, UnixMs};

/// Longest time in which a proposal is witnessed, for the memory of how it stands, milliseconds.
const WITNESSES_MS: u64 = 24 * HOUR_MS;

/// Milliseconds in a second: cosignatures are dated in whole seconds.
const SECOND_MS: u64 = 1_000;

/// Time after its delay in which a proposal can be released, milliseconds.
const PROPOSAL_LIFE_MS: u64 = 30 * 24 * HOUR_MS;

impl ProposalRecord {
    /// The proposal of a record, which waits for its witnesses first.
    #[must_use]
    pub fn new(record: &RegistryRecord, delay_ms: u64) -> Self {
        Self {
            record: record.clone(),
            delay_ms,
            // The delay has not begun: from a stamp of the writer's choice it could have passed
            // before anyone saw the proposal.
            witnessed_at: None,
        }
    }

    /// Without the rule, the delay begins at the entry's stamp.
    #[cfg(mutants)]
    pub(super) fn stamped(mut self, at: UnixMs) -> Self {
        self.witnessed_at = kept!(G::DelayFromWitnessed, self.witnessed_at, instead Some(at));
        self
    }

    /// Journal time from which it can be released; none before it is witnessed.
    #[must_use]
    pub fn from(&self) -> Option<UnixMs> {
        // The delay does not count from the entry's own stamp, which the writer chooses.
        self.witnessed_at.map(|at| at.plus(self.delay_ms))
    }

    /// Journal time from which it can no longer be released; none before it is witnessed.
    #[must_use]
    pub fn until(&self) -> Option<UnixMs> {
        // This time counts from the end of the delay: a long delay must not use up the time to
        // release.
        self.from().map(|from| from.plus(PROPOSAL_LIFE_MS))
    }
}

/// Opens a proposal under the digest of the act that makes it.
pub(super) fn open(
    change: &mut Change<'_>,
    tenant: TenantId,
    opened: &VerifiedAct,
    proposal: &ProposalRecord,
) -> Result<ActStanding, Refusal> {
    let mut current = check_not_stopped(&*change, tenant)?;
    waiting::check_none(current.waiting.as_ref())?;

    // Each open proposal is held by every replica; one committee must not fill their memory. Those
    // that have expired are not counted.
    let max = change.state().genesis().bounds.proposals_open_max;
    if current.proposals_open >= max {
        let is_proposal = |due: &[u8], _: &[u8]| ks::kind(due) == ks::Kind::Proposal;
        change.forget_counted(tenant.into(), opened.at, is_proposal)?;
        current = change.tenant(tenant)?;
    }
    if current.proposals_open >= max {
        return Err(Refusal::new(Code::QuotaExceeded, "open proposals"));
    }
    current.proposals_open += 1;
    change.put(ks::tenant(tenant), &current);

    #[cfg(mutants)]
    let proposal = &proposal.clone().stamped(opened.at);
    change.put(ks::proposal(tenant, &opened.digest), proposal);
    let of = WaitingOf::Proposal(tenant, opened.digest);
    waiting::add(change, opened.waiting_item(of))?;
    Ok(ActStanding::Proposed)
}

/// Journal time until which the standing of the act that proposes is kept: as long as the proposal
/// can live, with a day for its witnesses, and never less than the act itself.
pub(super) fn standing_kept_until(opened: &VerifiedAct, delay_ms: u64) -> UnixMs {
    let life_ms = delay_ms.saturating_add(PROPOSAL_LIFE_MS);
    let proposal_ends = opened.at.plus(life_ms).plus(WITNESSES_MS);

    // An act that is forgotten before its end could be used a second time.
    opened.act.expires.max(proposal_ends)
}

/// Begins a proposal's delay. From now on it is forgotten by itself, too.
pub(super) fn set_witnessed(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
    time: UnixMs,
) -> Result<(), Refusal> {
    let Some(mut proposal) = change.proposal(tenant, act)? else {
        return Ok(());
    };
    proposal.witnessed_at = kept!(G::DelayFromWitnessed, Some(time), instead proposal.witnessed_at);

    // The proposal is kept a little beyond its end. A release that was stamped just before the end
    // takes effect up to the skew after it, and a witness whose clock has reached the end must
    // still find what its veto is about.
    let key = ks::proposal(tenant, act);
    let grace_ms = change
        .state()
        .genesis()
        .bounds
        .skew_ms
        .saturating_add(SECOND_MS);
    if let Some(until) = proposal.until() {
        change.expire(tenant, until.plus(grace_ms), &key);
    }
    change.put(key, &proposal);
    Ok(())
}

/// Releases a proposal after its delay, by the committee. It takes effect when the release itself
/// is witnessed: then everyone has had the chance to see it.
pub(super) fn release(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
    opened: &VerifiedAct,
) -> Result<ActStanding, Refusal> {
    let current = change.tenant(tenant)?;
    opened.need(&current.committee)?;
    check_not_stopped(&*change, tenant)?;

    let proposal = find(change, tenant, act)?;
    let (Some(from), Some(until)) = (proposal.from(), proposal.until()) else {
        return Err(Refusal::new(Code::NotWitnessed, act));
    };

    // The delay is the time in which the others can veto.
    if guard(G::LooseningDelay, opened.at < from) {
        let detail = format!("{} ms too early", from.since(opened.at));
        return Err(Refusal::new(Code::ReleaseTooEarly, detail));
    }

    // A proposal that its committee has forgotten must not come into force years later.
    if opened.at >= until {
        return Err(Refusal::new(
            Code::AuthorityExpired,
            "the proposal's time has passed",
        ));
    }

    // The record is judged at the release, too, so that those who release what cannot take effect
    // are told now.
    let released = Released {
        by: opened.digest,
        at: opened.at,
    };
    change.trial(|change| put_released(change, tenant, &proposal.record, released))?;

    // Without the rule, it takes effect by its own stamp.
    #[cfg(mutants)]
    if !guard(G::ReleaseWaits, true) {
        take(change, tenant, act, ActStanding::InForce)?;
        put_released(change, tenant, &proposal.record, released)?;
        return Ok(ActStanding::InForce);
    }

    // The proposal is not consumed: until the release takes effect, a veto must still find it.
    set_open_standing(change, tenant, act, ActStanding::Released)?;
    waiting::act(change, tenant, opened, WaitingChange::Release(*act))?;
    Ok(ActStanding::Released)
}

/// An open proposal, by the digest of the act that made it.
pub(super) fn find(
    change: &Change<'_>,
    tenant: TenantId,
    act: &Digest,
) -> Result<ProposalRecord, Refusal> {
    change
        .proposal(tenant, act)?
        .ok_or_else(|| Refusal::new(Code::UnknownProposal, act))
}

/// Sets the standing of the act that proposed it, as long as the proposal is open.
pub(super) fn set_open_standing(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
    standing: ActStanding,
) -> Result<(), Refusal> {
    if change.proposal(tenant, act)?.is_some() {
        change.set_standing(tenant, act, standing);
    }
    Ok(())
}

/// Removes an open proposal and returns it; the act that made it stands like this from now on.
pub(super) fn take(
    change: &mut Change<'_>,
    tenant: TenantId,
    act: &Digest,
    standing: ActStanding,
) -> Result<ProposalRecord, Refusal> {
    let proposal = find(change, tenant, act)?;
    change.set_standing(tenant, act, standing);

    let mut current = change.tenant(tenant)?;
    current.proposals_open = current.proposals_open.saturating_sub(1);
    change.put(ks::tenant(tenant), &current);
    change.remove(ks::proposal(tenant, act));
    Ok(proposal)
}
