//! Rows as clients see them.

use crate::store::{Answer, TxRow};
use strongroom_api_types::{
    AnswerInfo, DecisionInfo, Hex, LayerInfo, PendingInfo, Reason, RefusalInfo, SignedText,
    StateName, TimelineInfo, TransactionInfo,
};
use strongroom_types::words::words;
use strongroom_types::{Code, Digest, Refusal, TransactionId};
use strongroom_wire::{Layer, SignerRefusal};

/// A transaction as clients see it.
pub(crate) fn transaction(row: &TxRow, answers: &[Answer]) -> TransactionInfo {
    let decision = row.core.as_ref().map(|core| DecisionInfo {
        digest: core.digest().into(),
        rule: core.document.rule.to_string(),
        text: core.text.clone(),
        tier: core.document.tier.into(),
    });
    let approvals = answers
        .iter()
        .map(|answer| SignedText::from(&answer.signed));
    TransactionInfo {
        approvals: approvals.collect(),
        changed_ms: row.changed_ms,
        created_ms: row.created_ms,
        decision,
        digest: row.intent.into(),
        expires_ms: row.expires_ms,
        external_id: row.external_id.clone(),
        id: TransactionId::from(row.intent).into(),
        intent: SignedText::from(&row.signed),
        network_id: (!row.network_id.is_empty()).then(|| row.network_id.clone()),
        reason: reason(&row.code, &row.detail),
        refusals: row.refusals.iter().map(refusal).collect(),
        signed_transaction: (!row.raw.is_empty()).then(|| Hex(row.raw.clone())),
        state: StateName(row.state()),
        tenant: row.tenant.into(),
        vault: row.vault.into(),
        version: row.version,
        words: words(&row.intent).map(str::to_owned).to_vec(),
    }
}

/// A stored reason; an empty code is none.
pub(crate) fn reason(code: &str, detail: &str) -> Option<Reason> {
    (!code.is_empty()).then(|| Reason {
        code: code.to_owned(),
        detail: detail.to_owned(),
    })
}

fn refusal(refusal: &SignerRefusal) -> RefusalInfo {
    RefusalInfo {
        code: refusal.code.as_str().to_owned(),
        detail: refusal.detail.clone(),
        evidence: refusal.evidence.into(),
        head: refusal.head,
        request: refusal.request.into(),
    }
}

/// Layer by layer: when it finished, how long it took after the one before, and its budget
/// (microseconds).
pub(crate) fn timeline(row: &TxRow) -> TimelineInfo {
    let received_us = row.marks.at(Layer::Received);
    let mut before = received_us;
    let mut layers = Vec::new();
    for layer in Layer::ALL.into_iter().skip(1) {
        let Some(at) = row.marks.at(layer) else {
            continue;
        };
        let took = before.map(|before| at.saturating_sub(before));
        // The clocks are those of several machines: a layer that seems to end before the one before
        // it does not make the next one longer.
        before = Some(at.max(before.unwrap_or(0)));
        layers.push(LayerInfo {
            at_us: at,
            budget_us: layer.budget_us(),
            layer: layer.name().to_owned(),
            over_budget: took.is_some_and(|took| took > layer.budget_us()),
            took_us: took,
        });
    }

    TimelineInfo {
        id: TransactionId::from(row.intent).into(),
        layers,
        received_us,
        total_us: before
            .zip(received_us)
            .map(|(end, start)| end.saturating_sub(start)),
    }
}

/// A transaction as its approvers see it.
pub(crate) fn pending(row: &TxRow, answers: &[Answer]) -> PendingInfo {
    let answered = answers.iter().map(|answer| AnswerInfo {
        approver: answer.document.approver.into(),
    });

    PendingInfo {
        answered: answered.collect(),
        purpose: row.document.purpose.as_ref().map(ToString::to_string),
        transaction: transaction(row, answers),
    }
}

/// Transaction id or digest in a path.
pub(crate) fn transaction_id(text: &str) -> Result<TransactionId, Refusal> {
    if let Ok(digest) = text.parse::<Digest>() {
        return Ok(digest.into());
    }
    text.parse()
        .map_err(|e: strongroom_types::id::NotAnId| Refusal::new(Code::Malformed, e))
}
