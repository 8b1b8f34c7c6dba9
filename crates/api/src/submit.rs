//! Records that the API puts on the bus.

use strongroom_journal::entry::Body;
use strongroom_ports::bus::Record;
use strongroom_stage::StageError;
use strongroom_stage::post::{Cause, Post, first_half};
use strongroom_types::{
    Act, Approval, Digest, Document as _, Intent, Scope, Signed, UnixMs, VaultId,
};
use strongroom_wire::{
    ApprovalSubmitted, IntentSubmitted, JournalSubmitted, Marks, encode, topics,
};

pub(crate) fn intent_digest(signed: &Signed) -> Digest {
    Intent::digest_of(&signed.text)
}

/// The intent on its way to policy. Made twice it has the same message id.
pub(crate) fn intent_record(
    post: &mut Post,
    now: UnixMs,
    signed: &Signed,
    vault: VaultId,
    expires: UnixMs,
    marks: Marks,
) -> Result<Record, StageError> {
    let digest = intent_digest(signed);
    let mut cause = Cause::own(&[b"intent", &digest.0], expires);
    cause.session = first_half(digest);
    cause.traceparent = traceparent(&digest);
    cause.marks = marks;
    let payload = IntentSubmitted {
        intent: signed.clone(),
    };
    post.record(
        now,
        (topics::INTENT_SUBMITTED, &vault.0),
        None,
        &payload,
        &cause,
    )
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
    signed: &Signed,
    vault: VaultId,
    intent: Digest,
    expires: UnixMs,
) -> Result<Record, StageError> {
    let digest = Approval::digest_of(&signed.text);
    let mut cause = Cause::own(&[b"approval", &digest.0], expires);
    cause.session = first_half(intent);
    cause.traceparent = traceparent(&intent);
    let payload = ApprovalSubmitted {
        approval: signed.clone(),
    };
    post.record(
        now,
        (topics::APPROVAL_SUBMITTED, &vault.0),
        None,
        &payload,
        &cause,
    )
}

/// An act on its way to the journal.
pub(crate) fn act_record(
    post: &mut Post,
    now: UnixMs,
    signed: &Signed,
    submission: [u8; 16],
) -> Result<Record, StageError> {
    let scope = Act::parse(&signed.text).map(|act| act.scope);
    let key = match scope {
        Ok(Scope::Tenant(tenant)) => tenant.0,
        Ok(Scope::Platform) | Err(_) => [0; 16],
    };
    let payload = JournalSubmitted {
        submission,
        body: encode(&Body::Act(signed.clone())),
    };
    let cause = Cause::own(&[b"act", &submission], now.plus(60_000));
    post.record(
        now,
        (topics::JOURNAL_SUBMITTED, &key),
        None,
        &payload,
        &cause,
    )
}
