//! JSON that clients send and get.

use crate::store::TxRow;
use serde::Deserialize;
use serde_json::{Value, json};
use strongroom_types::text::lower_hex;
use strongroom_types::words::words;
use strongroom_types::{
    Approval, Code, DecisionCore, Digest, Document as _, Endorsement, Intent, Refusal, Signed,
    TransactionId,
};
use strongroom_wire::Layer;

/// A signed container as clients send it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignedBody {
    text: String,
    endorsements: Vec<EndorsementBody>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndorsementBody {
    credential: String,
    signature: String,
}

impl SignedBody {
    pub(crate) fn signed(self) -> Result<Signed, Refusal> {
        let invalid = |what: &str| Refusal::new(Code::Malformed, what.to_owned());
        let endorsement = |e: EndorsementBody| {
            let signature = lower_hex(&e.signature)
                .ok_or_else(|| invalid("signature: 128 lower-case hex digits"))?;
            let credential = e
                .credential
                .parse()
                .map_err(|e| Refusal::new(Code::Malformed, e))?;
            Ok(Endorsement {
                credential,
                signature,
            })
        };
        let endorsements = self
            .endorsements
            .into_iter()
            .map(endorsement)
            .collect::<Result<_, Refusal>>()?;
        Ok(Signed {
            text: self.text,
            endorsements,
        })
    }
}

pub(crate) fn signed_json(signed: &Signed) -> Value {
    let endorsement = |e: &Endorsement| {
        let signature: String = e
            .signature
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        json!({"credential": e.credential.to_string(), "signature": signature})
    };
    let endorsements: Vec<Value> = signed.endorsements.iter().map(endorsement).collect();
    json!({"text": signed.text, "endorsements": endorsements})
}

/// A transaction as clients see it. Clients recompute digest and words from `intent.text`.
pub(crate) fn transaction(row: &TxRow, answers: &[Signed]) -> Value {
    let core = DecisionCore::parse(&row.core).ok();
    let reason = (!row.code.is_empty()).then(|| json!({"code": row.code, "detail": row.detail}));
    let refusals: Vec<Value> = row
        .refusals
        .iter()
        .map(|r| {
            json!({"code": r.code.as_str(), "detail": r.detail, "request": r.request.to_string(),
                   "evidence": r.evidence.to_string(), "head": r.head})
        })
        .collect();
    let raw: String = row.raw.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "id": TransactionId::from(row.intent).to_string(),
        "state": row.state.name(),
        "version": row.version,
        "reason": reason,
        "tenant": row.tenant.to_string(),
        "vault": row.vault.to_string(),
        "external_id": row.external_id,
        "digest": row.intent.to_string(),
        "words": words(&row.intent),
        "intent": signed_json(&row.signed),
        "decision": core.map(|core| json!({
            "text": row.core, "digest": core.digest().to_string(), "tier": core.tier.to_string(), "rule": core.rule,
        })),
        "approvals": answers.iter().map(signed_json).collect::<Vec<_>>(),
        "refusals": refusals,
        "network_id": (!row.network_id.is_empty()).then_some(&row.network_id),
        "signed_transaction": (!raw.is_empty()).then_some(raw),
        "created_ms": row.created_ms,
        "changed_ms": row.changed_ms,
        "expires_ms": row.expires_ms,
    })
}

/// Layer by layer: when it finished, how long it took after the one before, and its budget
/// (microseconds).
pub(crate) fn timeline(row: &TxRow) -> Value {
    let mut before = row.marks.at(Layer::Received);
    let mut layers = Vec::new();
    for layer in Layer::ALL.into_iter().skip(1) {
        let Some(at) = row.marks.at(layer) else {
            continue;
        };
        let took = before.map(|before| at.saturating_sub(before));
        before = Some(at.max(before.unwrap_or(0)));
        let over = took.is_some_and(|took| took > layer.budget_us());
        layers.push(json!({"layer": layer.name(), "at_us": at, "took_us": took,
                           "budget_us": layer.budget_us(), "over_budget": over}));
    }
    let total = before
        .zip(row.marks.at(Layer::Received))
        .map(|(end, start)| end.saturating_sub(start));
    json!({"id": TransactionId::from(row.intent).to_string(), "received_us": row.marks.at(Layer::Received),
           "layers": layers, "total_us": total})
}

/// What an approver needs: the intent's exact text and the core's exact text; he recomputes both
/// digests.
pub(crate) fn approval_item(row: &TxRow, answers: &[Signed]) -> Value {
    let item = transaction(row, answers);
    let intent = Intent::parse(&row.signed.text).ok();
    json!({
        "transaction": item,
        "purpose": intent.and_then(|intent| intent.purpose).map(|purpose| purpose.to_string()),
        "answered": answers.iter().filter_map(|a| Approval::parse(&a.text).ok()).map(|a| json!({
            "approver": a.approver.to_string(), "answer": a.answer.to_string(),
        })).collect::<Vec<_>>(),
    })
}

/// Digest or transaction id in a path.
pub(crate) fn transaction_id(text: &str) -> Result<[u8; 16], Refusal> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Ok(TransactionId::from(digest).0);
    }
    let id: Result<TransactionId, _> = text.parse();
    id.map(|id| id.0)
        .map_err(|e| Refusal::new(Code::Malformed, e))
}
