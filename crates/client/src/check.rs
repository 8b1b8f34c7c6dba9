//! Comparing what a server says with what was recomputed from the client's own bytes.

use crate::error::ClientError;
use serde_json::Value;
use strongroom_ports::chain::{ChainCodec, Effects, Registry};
use strongroom_types::text::lower_hex;
use strongroom_types::words::words;
use strongroom_types::{
    Answer, Approval, ApprovalNonce, DecisionCore, Digest, Document, Endorsement, Intent,
    PlatformId, Signed, SigningCredential, TransactionId, digest,
};

/// The text member `name`.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, ClientError> {
    let found = value.get(name).and_then(Value::as_str);
    found.ok_or_else(|| ClientError::untrue(format!("member `{name}` is missing")))
}

/// Lower-case hex of any length in the text member `name`.
pub(crate) fn bytes(value: &Value, name: &str) -> Result<Vec<u8>, ClientError> {
    hex::decode(text(value, name)?)
        .map_err(|e| ClientError::untrue(format!("member `{name}`: {e}")))
}

/// A member that must be exactly this text.
pub(crate) fn same(
    value: &Value,
    name: &str,
    own: impl std::fmt::Display,
) -> Result<(), ClientError> {
    let (theirs, own) = (text(value, name)?, own.to_string());
    if theirs == own {
        return Ok(());
    }
    Err(ClientError::untrue(format!(
        "`{name}` is {theirs}, recomputed {own}"
    )))
}

/// A signed container as the API shows it.
///
/// # Errors
/// When it is none.
pub fn signed(value: &Value) -> Result<Signed, ClientError> {
    let endorsement = |e: &Value| {
        let signature =
            lower_hex(text(e, "signature")?).ok_or_else(|| ClientError::untrue("signature"))?;
        let credential = text(e, "credential")?
            .parse()
            .map_err(ClientError::untrue)?;
        Ok(Endorsement {
            credential,
            signature,
        })
    };
    let list = value.get("endorsements").and_then(Value::as_array);
    let list = list.ok_or_else(|| ClientError::untrue("member `endorsements` is missing"))?;
    Ok(Signed {
        text: text(value, "text")?.to_owned(),
        endorsements: list
            .iter()
            .map(endorsement)
            .collect::<Result<_, ClientError>>()?,
    })
}

fn document<D: Document>(text: &str) -> Result<D, ClientError> {
    D::parse(text).map_err(ClientError::untrue)
}

/// A decision as this client read it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The core.
    pub core: DecisionCore,
    /// Its digest, recomputed from the text: what an approval names.
    pub digest: Digest,
}

/// A transaction whose digests, words and names were recomputed from its texts.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The intent.
    pub intent: Intent,
    /// Its digest.
    pub digest: Digest,
    /// Text and client's signature (the signature is for journal and signers to verify).
    pub signed: Signed,
    /// The decision, once there is one.
    pub decision: Option<Decision>,
    /// The state the server claims.
    pub state: String,
}

/// Recomputes everything of a transaction that follows from its own texts.
///
/// # Errors
/// [`ClientError::Untrue`] on the first difference.
pub fn transaction(value: &Value) -> Result<Shown, ClientError> {
    let signed = signed(value.get("intent").unwrap_or(&Value::Null))?;
    let intent: Intent = document(&signed.text)?;
    let digest = Intent::digest_of(&signed.text);
    same(value, "digest", digest)?;
    same(value, "id", TransactionId::from(digest))?;
    same(value, "tenant", intent.tenant)?;
    same(value, "vault", intent.vault)?;
    same(value, "external_id", &intent.external_id)?;
    let shown: Vec<&str> = value
        .get("words")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if shown != words(&digest) {
        return Err(ClientError::untrue("the words are not those of the digest"));
    }
    let decision = value.get("decision").filter(|value| !value.is_null());
    let decision = decision.map(|value| decided(value, &digest)).transpose()?;
    Ok(Shown {
        intent,
        digest,
        signed,
        decision,
        state: text(value, "state")?.to_owned(),
    })
}

fn decided(value: &Value, intent: &Digest) -> Result<Decision, ClientError> {
    let core_text = text(value, "text")?;
    let core: DecisionCore = document(core_text)?;
    let digest = DecisionCore::digest_of(core_text);
    same(value, "digest", digest)?;
    same(value, "tier", core.tier)?;
    same(value, "rule", &core.rule)?;
    if core.intent != *intent {
        return Err(ClientError::untrue("the decision is about another intent"));
    }
    Ok(Decision { core, digest })
}

/// The answer to an intent that was sent repeats exactly that intent.
///
/// # Errors
/// [`ClientError::Untrue`] on the first difference.
pub fn echo(value: &Value, sent: &Signed) -> Result<Shown, ClientError> {
    let shown = transaction(value)?;
    if shown.signed.text == sent.text {
        Ok(shown)
    } else {
        Err(ClientError::untrue(
            "the answer is about another intent than the one sent",
        ))
    }
}

/// What an approver signs, as this client read it from the texts.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The transaction.
    pub shown: Shown,
    /// The decision to be approved.
    pub decision: Decision,
    /// What the intent will do, by the codec linked here.
    pub effects: Effects,
    /// Digests of the yes answers so far, in the order they came.
    pub answered: Vec<Digest>,
}

/// Reads what waits for approval: both digests recomputed, effects by the own codec.
///
/// # Errors
/// [`ClientError::Untrue`] on a difference, another installation, or a decoder this client does not
/// have; the codec's refusals.
pub fn pending(
    value: &Value,
    platform: PlatformId,
    codec: &dyn ChainCodec,
    vaults: &dyn Registry,
) -> Result<Pending, ClientError> {
    let shown = transaction(value)?;
    if shown.intent.platform != platform {
        return Err(ClientError::untrue(
            "the intent is for another installation",
        ));
    }
    let decision = shown
        .decision
        .clone()
        .ok_or_else(|| ClientError::untrue("there is no decision yet"))?;
    if decision.core.decoder != codec.manifest().decoder {
        let detail = format!(
            "the decision was read by {}, here is {}",
            decision.core.decoder,
            codec.manifest().decoder
        );
        return Err(ClientError::untrue(detail));
    }
    let effects = codec.expected(&shown.intent, vaults)?;
    let mut answered = Vec::new();
    for answer in value
        .get("approvals")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = signed(answer)?.text;
        let approval: Approval = document(&text)?;
        let fits = approval.intent == shown.digest && approval.core == decision.digest;
        if fits && approval.answer == Answer::Yes {
            answered.push(Approval::digest_of(&text));
        }
    }
    Ok(Pending {
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

impl Pending {
    /// Digests of the approvals of earlier groups, which an approval of an ordered decision names.
    fn after(&self) -> Vec<Digest> {
        if !self.decision.core.ordered {
            return Vec::new();
        }
        let mut earlier = 0;
        for need in &self.decision.core.groups {
            let full = earlier + need.approvals as usize;
            if self.answered.len() < full {
                break;
            }
            earlier = full;
        }
        self.answered.iter().take(earlier).copied().collect()
    }

    /// The answer of one person, signed over both digests as recomputed here, valid as long as the
    /// intent.
    #[must_use]
    pub fn answer(
        &self,
        answer: Answer,
        reason: &str,
        nonce: ApprovalNonce,
        by: &SigningCredential,
    ) -> Signed {
        let approval = Approval {
            platform: self.shown.intent.platform,
            tenant: self.shown.intent.tenant,
            intent: self.shown.digest,
            core: self.decision.digest,
            after: self.after(),
            answer,
            approver: by.id,
            rationale: rationale(reason),
            nonce,
            expires: self.shown.intent.expires,
        };
        Signed::by(&approval, by)
    }
}

#[cfg(test)]
mod tests;
