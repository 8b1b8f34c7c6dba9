//! Comparison of a server's answer with what was recomputed from the client's own bytes.

use crate::error::ClientError;
use std::fmt;
use strongroom_api_types::{DecisionInfo, SignedText, StateName, TransactionInfo};
use strongroom_guard::{G, guard, kept};
use strongroom_journal::apply::turn;
use strongroom_ports::chain::{ChainCodec, Effects, Registry};
use strongroom_types::words::words;
use strongroom_types::{
    Act, ActBody, ActId, Approval, ApprovalNonce, DecisionCore, Digest, Document, Intent,
    PlatformId, Scope, Signed, SigningCredential, Tighten, TransactionId, UnixMs, digest,
};

/// A member of an answer that must be exactly this.
pub(crate) fn same<T: PartialEq + fmt::Display>(
    member: &str,
    theirs: &T,
    own: &T,
) -> Result<(), ClientError> {
    if guard(G::ClientRecomputes, theirs != own) {
        return Err(ClientError::untrue(format!(
            "`{member}` is {theirs}, recomputed {own}"
        )));
    }
    Ok(())
}

/// A signed container as the API shows it.
///
/// # Errors
/// [`ClientError::Untrue`] when it is not one.
pub fn signed(shown: &SignedText) -> Result<Signed, ClientError> {
    shown.clone().try_into().map_err(ClientError::untrue)
}

fn document<D: Document>(text: &str) -> Result<D, ClientError> {
    D::parse(text).map_err(ClientError::untrue)
}

/// A decision as this client read it.
#[derive(Clone, Debug)]
pub struct ShownDecision {
    /// Part of the decision that approvers sign.
    pub core: DecisionCore,
    /// Digest of the core, recomputed from its text; an approval names it.
    pub digest: Digest,
}

/// A transaction whose digests, words and names were recomputed from its texts.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Intent, parsed from its signed text.
    pub intent: Intent,
    /// Digest of the intent, recomputed from its text.
    pub digest: Digest,
    /// Text and client's signature (the signature is for journal and signers to verify).
    pub signed: Signed,
    /// The decision, once there is one.
    pub decision: Option<ShownDecision>,
    /// The state the server claims.
    pub state: StateName,
}

/// Recomputes every member of a transaction that follows from its own texts.
///
/// # Errors
/// [`ClientError::Untrue`] on the first difference.
pub fn transaction(info: &TransactionInfo) -> Result<Shown, ClientError> {
    let signed = signed(&info.intent)?;
    let intent: Intent = document(&signed.text)?;

    // Only the text counts; every other member is the server's summary of it. A member that differs
    // would show people another payment than the one they sign.
    let digest = kept!(
        G::ClientRecomputes,
        Intent::digest_of(&signed.text),
        instead info.digest.0
    );
    same("digest", &info.digest, &digest.into())?;
    same("id", &info.id, &TransactionId::from(digest).into())?;
    same("tenant", &info.tenant, &intent.tenant.into())?;
    same("vault", &info.vault, &intent.vault.into())?;
    let external_id = intent.external_id.to_string();
    same("external_id", &info.external_id, &external_id)?;

    // People compare the words by eye with those on another screen.
    if guard(G::ClientRecomputes, info.words != words(&digest)) {
        return Err(ClientError::untrue("the words are not those of the digest"));
    }

    let decision = info.decision.as_ref();
    let decision = decision
        .map(|shown| read_decision(shown, &digest))
        .transpose()?;
    Ok(Shown {
        intent,
        digest,
        signed,
        decision,
        state: info.state,
    })
}

fn read_decision(shown: &DecisionInfo, intent: &Digest) -> Result<ShownDecision, ClientError> {
    let core: DecisionCore = document(&shown.text)?;
    let digest = kept!(
        G::ClientRecomputes,
        DecisionCore::digest_of(&shown.text),
        instead shown.digest.0
    );

    same("digest", &shown.digest, &digest.into())?;
    same("tier", &shown.tier, &core.tier.into())?;
    same("rule", &shown.rule, &core.rule.to_string())?;

    // An approver who signs this core would approve what it says about that other intent.
    if guard(G::ClientRecomputes, core.intent != *intent) {
        return Err(ClientError::untrue("the decision is about another intent"));
    }
    Ok(ShownDecision { core, digest })
}

/// The answer to an intent that was sent repeats exactly that intent.
///
/// # Errors
/// [`ClientError::Untrue`] on the first difference.
pub fn echo(info: &TransactionInfo, sent: &Signed) -> Result<Shown, ClientError> {
    let shown = transaction(info)?;

    // Only the text is compared: a signature that was exchanged is refused by the journal, not
    // here.
    if guard(G::ClientRecomputes, shown.signed.text != sent.text) {
        return Err(ClientError::untrue(
            "the answer is about another intent than the one sent",
        ));
    }
    Ok(shown)
}

/// Subject of an approver's signature, as this client read it from the texts.
#[derive(Clone, Debug)]
pub struct PendingApproval {
    /// Transaction that the approval is about.
    pub shown: Shown,
    /// The decision to be approved.
    pub decision: ShownDecision,
    /// Effects of the intent, by the codec linked here.
    pub effects: Effects,
    /// The yeses so far, with their digests.
    pub answered: Vec<(Digest, Approval)>,
}

/// Reads what waits for approval: both digests recomputed, effects by the codec linked here.
///
/// # Errors
/// [`ClientError::Untrue`] on a difference, another installation, or a decoder this client does not
/// have; the codec's refusals.
pub fn pending(
    info: &TransactionInfo,
    platform: PlatformId,
    codec: &dyn ChainCodec,
    vaults: &dyn Registry,
) -> Result<PendingApproval, ClientError> {
    let shown = transaction(info)?;

    // The signature would count in the installation that the text names, not in the pinned one.
    if guard(G::ClientRecomputes, shown.intent.platform != platform) {
        return Err(ClientError::untrue(
            "the intent is for another installation",
        ));
    }

    let decision = shown
        .decision
        .clone()
        .ok_or_else(|| ClientError::untrue("there is no decision yet"))?;

    // Signers read the transaction with the decoder that the core names. Another one may understand
    // the same intent differently, and the approver would be shown what signers do not enforce.
    let is_other = decision.core.decoder != codec.manifest().decoder;
    if guard(G::ClientRecomputes, is_other) {
        let detail = format!(
            "the decision was read by {}, here is {}",
            decision.core.decoder,
            codec.manifest().decoder
        );
        return Err(ClientError::untrue(detail));
    }

    let effects = codec.expected(&shown.intent, vaults)?;

    let mut answered = Vec::new();
    for answer in &info.approvals {
        let text = signed(answer)?.text;
        let approval: Approval = document(&text)?;
        // A yes to an earlier core counts no more. If `after` named it, it would spoil this
        // approval: the journal compares that list with the approvals it counts.
        let fits = approval.intent == shown.digest && approval.core == decision.digest;
        if fits {
            answered.push((Approval::digest_of(&text), approval));
        }
    }
    Ok(PendingApproval {
        shown,
        decision,
        effects,
        answered,
    })
}

/// Digest of a written reason. The reason itself stays with the approver's institution.
#[must_use]
pub fn rationale(reason: &str) -> Digest {
    digest("strongroom/rationale/v1", &[reason.as_bytes()])
}

impl PendingApproval {
    /// Digests of the approvals of earlier groups, which an approval of an ordered decision names.
    /// When no group is left to answer the server refuses whatever is named.
    fn after(&self) -> Vec<Digest> {
        let turn = turn(&self.decision.core, &self.answered);
        turn.map_or_else(Vec::new, |turn| turn.after)
    }

    /// The yes of one person, signed over both digests as recomputed here, valid as long as the
    /// intent.
    #[must_use]
    pub fn approval(&self, reason: &str, nonce: ApprovalNonce, by: &SigningCredential) -> Signed {
        let approval = Approval {
            platform: self.shown.intent.platform,
            tenant: self.shown.intent.tenant,
            intent: self.shown.digest,
            core: self.decision.digest,
            after: self.after(),
            approver: by.id,
            rationale: rationale(reason),
            nonce,
            // An approval expires no earlier than the intent: one approval that lapsed while others
            // are awaited would have to be asked for again.
            expires: self.shown.intent.expires,
        };
        Signed::by(&approval, by)
    }
}

/// The no of one person: a tightening of the intent alone, so that no other decision on it lets it
/// pass.
#[must_use]
pub fn rejection(shown: &Shown, id: ActId, expires: UnixMs, by: &SigningCredential) -> Signed {
    let act = Act {
        platform: shown.intent.platform,
        scope: Scope::Tenant(shown.intent.tenant),
        id,
        // A tightening names a lowest version: 0 fits every state of the scope.
        version: 0,
        expires,
        body: ActBody::Tighten(Tighten::Reject(shown.digest)),
    };
    Signed::by(&act, by)
}

#[cfg(test)]
mod tests;
