//! Records that the API puts on the bus. An answer that is sent again has the message id of the
//! first, so that it is handled once. An intent or act has another each time: it is sent again
//! because no decision or result came, so that must be told again.

use crate::store::TxRow;
use strongroom_journal::entry::Body;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, Post, session_of};
use strongroom_types::{Act, Approval, Digest, Document as _, Intent, Scope, Signed, UnixMs};
use strongroom_wire::{
    ApprovalSubmitted, IntentSubmitted, JournalSubmitted, Marks, encode, topics,
};

pub(crate) fn intent_digest(signed: &Signed) -> Digest {
    Intent::digest_of(&signed.text)
}

/// The intent on its way to policy.
pub(crate) fn intent_record(
    post: &mut Post,
    now: UnixMs,
    row: &TxRow,
    marks: Marks,
) -> Result<Record, StageError> {
    let seed: [&[u8]; 3] = [b"intent", &row.intent.0, &now.0.to_be_bytes()];
    let mut cause = Cause::own(&seed, UnixMs(row.expires_ms));
    cause.session = session_of(row.intent);
    cause.traceparent = traceparent(&row.intent);
    cause.marks = marks;
    let payload = IntentSubmitted {
        intent: row.signed.clone(),
        size: row.size,
    };

    // The record is keyed by vault: a vault's intents reach policy in the order in which they were
    // taken.
    let to = (topics::INTENT_SUBMITTED, row.vault.0.as_slice());
    post.record(now, to, None, &payload, &cause)
}

/// W3C trace context of an intent: trace and span from its digest.
fn traceparent(digest: &Digest) -> String {
    let text = digest.to_string();
    let (trace, rest) = text.split_at(32);
    let span: String = rest.chars().take(16).collect();
    format!("00-{trace}-{span}-01")
}

/// An approver's answer on its way to the approvals service.
pub(crate) fn approval_record(
    post: &mut Post,
    now: UnixMs,
    row: &TxRow,
    signed: &Signed,
) -> Result<Record, StageError> {
    let digest = Approval::digest_of(&signed.text);
    let mut cause = Cause::own(&[b"approval", &digest.0], UnixMs(row.expires_ms));
    cause.session = session_of(row.intent);
    cause.traceparent = traceparent(&row.intent);

    let payload = ApprovalSubmitted {
        approval: signed.clone(),
    };
    // The record is keyed by vault as the intent's is, but the topic is another: no order holds
    // between the two.
    let to = (topics::APPROVAL_SUBMITTED, row.vault.0.as_slice());
    post.record(now, to, None, &payload, &cause)
}

/// An act on its way to the journal.
pub(crate) fn act_record(
    post: &mut Post,
    now: UnixMs,
    signed: &Signed,
    submission: [u8; 16],
) -> Result<Record, StageError> {
    // The journal refuses a text that is not an act, whatever its scope.
    let scope = Act::parse(&signed.text).map_or(Scope::Platform, |act| act.scope);
    // The record is keyed by scope: each act names the version of its scope that it changes, so
    // order counts.
    let key = match scope {
        Scope::Tenant(tenant) => tenant.0,
        Scope::Platform => [0; 16],
    };

    let payload = JournalSubmitted {
        submission,
        scope,
        body: encode(&Body::Act(signed.clone())),
    };

    let seed: [&[u8]; 3] = [b"act", &submission, &now.0.to_be_bytes()];
    let cause = Cause::own(&seed, now.plus(60_000));
    post.record(
        now,
        (topics::JOURNAL_SUBMITTED, &key),
        None,
        &payload,
        &cause,
    )
}
