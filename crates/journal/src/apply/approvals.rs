//! Approvals: distinct eligible humans, not the initiator, each for exactly this intent and
//! decision.

use crate::keyspace as ks;
use crate::model::ReliedApproval;
use crate::state::{Lookup as _, View};
use std::collections::BTreeSet;
use strongroom_guard::{G, guard};
use strongroom_types::{
    Approval, ApprovalNonce, Code, Credential, CredentialClass, DecisionCore, Digest,
    Document as _, GroupId, PlatformId, Refusal, Signed, TenantId, Tier, UnixMs, UserId,
};

/// The decision that approvers agree to.
#[derive(Clone, Copy)]
pub struct Ballot<'a> {
    /// Installation that the approvals must name.
    pub platform: PlatformId,
    /// Tenant whose credentials and groups count.
    pub tenant: TenantId,
    /// Digest of the intent.
    pub intent: Digest,
    /// The human who asked.
    pub initiator: UserId,
    /// Decision that the approvals must name.
    pub core: &'a DecisionCore,
    /// Journal time at which they are judged.
    pub at: UnixMs,
}

/// The place that one approval is to fill.
#[derive(Clone, Copy)]
pub struct Seat<'a> {
    /// Group whose member must approve.
    pub group: GroupId,
    /// Digests of the approvals that must come before this one, those of all earlier groups.
    pub after: &'a [Digest],
}

/// One verified approval.
pub struct VerifiedApproval {
    /// Credential and human, for the group of the seat.
    pub relied: ReliedApproval,
    /// Value that makes the approval single-use among those of its approver.
    pub nonce: ApprovalNonce,
    /// Digest of the approval.
    pub digest: Digest,
    /// Class of the credential.
    pub class: CredentialClass,
}

/// Checks one approval for one seat, in every respect that does not depend on the others.
///
/// # Errors
/// One code for each rule.
pub fn check_approval(
    view: &dyn View,
    ballot: &Ballot<'_>,
    seat: &Seat<'_>,
    signed: &Signed,
) -> Result<VerifiedApproval, Refusal> {
    let (approval, digest) = signed.open::<Approval>()?;
    check_subject(ballot, &approval, &digest)?;
    let credential = view.credential(ballot.tenant, approval.approver)?;
    let credential = credential.credential;
    check_signature(view, &credential, &digest, signed)?;

    // Approvals are counted by human: a key of a watching program or a feed has none.
    let user = credential
        .user
        .ok_or_else(|| Refusal::new(Code::WrongCredentialClass, credential.class))?;

    // Four eyes: the person who asked must not also be one of those who agree.
    if guard(G::NotInitiator, user == ballot.initiator) {
        return Err(Code::ApprovalByInitiator.into());
    }

    // Membership is read at this position: someone who left the group approves nothing any more.
    let is_member = view.in_group(ballot.tenant, seat.group, user)?;
    if guard(G::ApproverInGroup, !is_member) {
        return Err(Refusal::new(
            Code::ApprovalNotEligible,
            format!("{user} is not in {}", seat.group),
        ));
    }

    // Where the policy orders groups, a later approver signs the digests of the earlier approvals:
    // no approver can claim that the second pair of eyes looked first. The digests are compared as
    // a set, because within a group approvals come in any order.
    if !is_same_set(&approval.after, seat.after) {
        return Err(Code::ApprovalOutOfOrder.into());
    }
    if approval.rationale == Digest::default() {
        return Err(Refusal::new(
            Code::ApprovalNotEligible,
            "a written reason is required",
        ));
    }

    // A replayed approval must not stand in for a fresh one.
    let used = ks::approval(ballot.tenant, approval.approver, approval.nonce);
    if view.get(&used).is_some() {
        return Err(Refusal::new(Code::UsedAuthority, approval.nonce));
    }

    Ok(VerifiedApproval {
        relied: ReliedApproval {
            credential: credential.id,
            user,
            group: seat.group,
            expires: approval.expires,
        },
        nonce: approval.nonce,
        digest,
        class: credential.class,
    })
}

/// The approval is for exactly this intent under exactly this decision, and has not expired: else
/// one given to one payment, or to the same payment under a laxer rule, would open another.
fn check_subject(ballot: &Ballot<'_>, approval: &Approval, digest: &Digest) -> Result<(), Refusal> {
    if approval.platform != ballot.platform || approval.tenant != ballot.tenant {
        return Err(Code::WrongScope.into());
    }
    let is_other = approval.intent != ballot.intent || approval.core != ballot.core.digest();
    if guard(G::ApprovalSubject, is_other) {
        return Err(Refusal::new(Code::ApprovalWrongDigest, digest));
    }
    if guard(G::ApprovalExpiry, ballot.at >= approval.expires) {
        return Err(Refusal::new(
            Code::AuthorityExpired,
            "the approval has expired",
        ));
    }
    Ok(())
}

/// The approver's signature is on the approval, and no other.
fn check_signature(
    view: &dyn View,
    approver: &Credential,
    digest: &Digest,
    signed: &Signed,
) -> Result<(), Refusal> {
    let [endorsement] = signed.endorsements.as_slice() else {
        return Err(Refusal::new(
            Code::Malformed,
            "an approval has one signature",
        ));
    };

    // The signature must be the named approver's own, not that of some other valid credential.
    let is_own = endorsement.credential == approver.id;
    let is_signed = is_own && view.verify(approver, digest, &endorsement.proof);
    if guard(G::ApprovalSignature, !is_signed) {
        return Err(Refusal::new(Code::BadSignature, approver.id));
    }
    Ok(())
}

/// Checks one approval for the first of the decision's groups in which it counts. For services that
/// see approvals before the others are there: the order of groups is taken as the approval states it,
/// where the decision has one.
///
/// # Errors
/// Why it does not count in the last group; `approval_not_eligible` when the decision asks no
/// group.
pub(super) fn check_for_any_group(
    view: &dyn View,
    ballot: &Ballot<'_>,
    signed: &Signed,
    approval: &Approval,
) -> Result<VerifiedApproval, Refusal> {
    // Only an approval of an ordered decision names those before it. One that names some all the
    // same would be counted here and refused by `check_approvals`, with all the others.
    let after = if ballot.core.ordered {
        approval.after.as_slice()
    } else {
        &[]
    };

    let mut refusal = Refusal::from(Code::ApprovalNotEligible);
    for need in &ballot.core.groups {
        let seat = Seat {
            group: need.group,
            after,
        };
        match check_approval(view, ballot, &seat, signed) {
            Ok(verified) => return Ok(verified),
            Err(why) => refusal = why,
        }
    }
    Err(refusal)
}

/// Whether two lists name the same digests, each of them once.
pub(super) fn is_same_set(one: &[Digest], other: &[Digest]) -> bool {
    let sorted = |list: &[Digest]| {
        let mut list = list.to_vec();
        list.sort_unstable();
        list
    };
    let (one, other) = (sorted(one), sorted(other));
    // A digest that is named twice must not count for one that is missing.
    one == other && one.windows(2).all(|pair| pair.first() != pair.last())
}

/// Detail of a refusal of approvals none of which is by a key that a person holds.
pub(super) const KEY_MISSING: &str = "one approval must be by a credential of class `key`";

/// Whether one approval must be by class `key`: a program's key can be stolen from a disk, and the
/// strong tiers want one that a person holds.
pub(super) const fn needs_key(core: &DecisionCore) -> bool {
    matches!(core.tier, Tier::MOfN | Tier::Committee)
}

/// Checks that `approvals` are exactly what the decision asks, in the order of its groups.
///
/// # Errors
/// `approval_missing` when there are too few or too many, else what is wrong with one of them.
pub fn check_approvals(
    view: &dyn View,
    ballot: &Ballot<'_>,
    approvals: &[Signed],
) -> Result<Vec<VerifiedApproval>, Refusal> {
    let core = ballot.core;

    // The number must be exact: a surplus approval would be used up without having been needed.
    let needed: usize = core.groups.iter().map(|need| need.approvals as usize).sum();
    if guard(G::ApprovalCount, approvals.len() != needed) {
        let detail = format!("{} approvals where {needed} are needed", approvals.len());
        return Err(Refusal::new(Code::ApprovalMissing, detail));
    }

    let mut approvals = approvals.iter();
    let mut verified: Vec<VerifiedApproval> = Vec::new();
    for need in &core.groups {
        let earlier: Vec<Digest> = verified.iter().map(|v| v.digest).collect();
        let seat = Seat {
            group: need.group,
            after: if core.ordered { &earlier } else { &[] },
        };
        for signed in approvals.by_ref().take(need.approvals as usize) {
            verified.push(check_approval(view, ballot, &seat, signed)?);
        }
    }
    check_distinct(&verified)?;

    let has_key = verified.iter().any(|v| v.class == CredentialClass::Key);
    if guard(G::KeyApproval, needs_key(core) && !has_key) {
        return Err(Refusal::new(Code::ApprovalMissing, KEY_MISSING));
    }
    Ok(verified)
}

/// One human counts once, however many credentials and groups they have, and so does one approval.
fn check_distinct(verified: &[VerifiedApproval]) -> Result<(), Refusal> {
    let humans: BTreeSet<_> = verified.iter().map(|v| v.relied.user).collect();
    if guard(G::DistinctHumans, humans.len() != verified.len()) {
        return Err(Code::ApprovalDuplicateHuman.into());
    }
    Ok(())
}
