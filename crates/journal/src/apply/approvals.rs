//! Approvals: distinct eligible humans, not the initiator, each for exactly this intent and
//! decision.

use crate::keyspace as ks;
use crate::model::ReliedApproval;
use crate::state::{Lookup as _, View};
use std::collections::BTreeSet;
use strongroom_types::signed::verify_with;
use strongroom_types::{
    Answer, Approval, ApprovalNonce, Code, CredentialClass, DecisionCore, Digest, Document as _,
    GroupId, PlatformId, Refusal, Signed, TenantId, Tier, UnixMs, UserId,
};

/// What is being decided.
#[derive(Clone, Copy)]
pub struct Ballot<'a> {
    /// The installation.
    pub platform: PlatformId,
    /// The tenant.
    pub tenant: TenantId,
    /// Digest of the intent.
    pub intent: Digest,
    /// The human who asked.
    pub initiator: UserId,
    /// The decision.
    pub core: &'a DecisionCore,
    /// Journal time.
    pub at: UnixMs,
}

/// One verified answer.
pub struct Verified {
    /// Whose, and for which group (the one asked).
    pub relied: ReliedApproval,
    /// Single-use.
    pub nonce: ApprovalNonce,
    /// When the approval itself ends.
    pub expires: UnixMs,
    /// Digest of the approval.
    pub digest: Digest,
    /// Class of the credential.
    pub class: CredentialClass,
}

/// Checks one answer for one group, in every respect that does not depend on the others.
///
/// # Errors
/// One code for each rule.
pub fn check_answer(
    view: &dyn View,
    ballot: &Ballot<'_>,
    signed: &Signed,
    wanted: Answer,
    group: GroupId,
    after: &[Digest],
) -> Result<Verified, Refusal> {
    let (approval, digest) = signed.open::<Approval>()?;
    if approval.platform != ballot.platform || approval.tenant != ballot.tenant {
        return Err(Code::WrongScope.into());
    }
    if approval.intent != ballot.intent
        || approval.core != ballot.core.digest()
        || approval.answer != wanted
    {
        return Err(Refusal::new(Code::ApprovalWrongDigest, digest));
    }
    if ballot.at >= approval.expires {
        return Err(Refusal::new(
            Code::AuthorityExpired,
            "the approval has expired",
        ));
    }
    let credential = view
        .credential(ballot.tenant, approval.approver)?
        .credential;
    let [endorsement] = signed.endorsements.as_slice() else {
        return Err(Refusal::new(
            Code::Malformed,
            "an approval has one signature",
        ));
    };
    let own = endorsement.credential == approval.approver;
    let key = view.public_key(&credential.public_key);
    if !own || !key.is_some_and(|key| verify_with(&key, &digest, &endorsement.signature)) {
        return Err(Refusal::new(Code::BadSignature, approval.approver));
    }
    if credential.user == ballot.initiator {
        return Err(Code::ApprovalByInitiator.into());
    }
    if !view.in_group(ballot.tenant, group, credential.user)? {
        return Err(Refusal::new(
            Code::ApprovalNotEligible,
            format!("{} is not in {group}", credential.user),
        ));
    }
    if approval.after != after {
        return Err(Code::ApprovalOutOfOrder.into());
    }
    if approval.rationale == Digest::default() {
        return Err(Refusal::new(
            Code::ApprovalNotEligible,
            "a written reason is required",
        ));
    }
    if view
        .get(&ks::approval(ballot.tenant, approval.nonce))
        .is_some()
    {
        return Err(Refusal::new(Code::UsedAuthority, approval.nonce));
    }
    let relied = ReliedApproval {
        credential: credential.id,
        user: credential.user,
        group,
    };
    Ok(Verified {
        relied,
        nonce: approval.nonce,
        expires: approval.expires,
        digest,
        class: credential.class,
    })
}

/// Checks that `approvals` are exactly what the decision asks, in the order of its groups.
///
/// # Errors
/// `approval_missing` when there are too few or too many, else what is wrong with one of them.
pub fn check_approvals(
    view: &dyn View,
    ballot: &Ballot<'_>,
    approvals: &[Signed],
) -> Result<Vec<Verified>, Refusal> {
    let core = ballot.core;
    let needed: usize = core.groups.iter().map(|need| need.approvals as usize).sum();
    if approvals.len() != needed {
        let detail = format!("{} approvals where {needed} are needed", approvals.len());
        return Err(Refusal::new(Code::ApprovalMissing, detail));
    }
    let mut answers = approvals.iter();
    let mut verified: Vec<Verified> = Vec::new();
    for need in &core.groups {
        let earlier: Vec<Digest> = verified.iter().map(|v| v.digest).collect();
        let after = if core.ordered { earlier } else { Vec::new() };
        for signed in answers.by_ref().take(need.approvals as usize) {
            verified.push(check_answer(
                view,
                ballot,
                signed,
                Answer::Yes,
                need.group,
                &after,
            )?);
        }
    }
    distinct(&verified)?;
    let strong = matches!(core.tier, Tier::MOfN | Tier::Committee);
    if strong && !verified.iter().any(|v| v.class == CredentialClass::Key) {
        return Err(Refusal::new(
            Code::ApprovalMissing,
            "one approval must be by a credential of class `key`",
        ));
    }
    Ok(verified)
}

/// One human counts once, one approval counts once.
fn distinct(verified: &[Verified]) -> Result<(), Refusal> {
    let humans: BTreeSet<_> = verified.iter().map(|v| v.relied.user).collect();
    if humans.len() != verified.len() {
        return Err(Code::ApprovalDuplicateHuman.into());
    }
    let nonces: BTreeSet<_> = verified.iter().map(|v| v.nonce).collect();
    if nonces.len() == verified.len() {
        Ok(())
    } else {
        Err(Code::UsedAuthority.into())
    }
}
