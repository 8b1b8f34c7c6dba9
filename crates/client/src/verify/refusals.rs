//! Refusals of tampered requests: each signed by the signer it names, for the reason it names.

use super::Report;
use super::journal::{Batches, Replayed};
use crate::error::{SourceError, with_causes};
use crate::member;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_journal::follower::Follower;
use strongroom_types::{Code, Digest, Refusal, digest};
use strongroom_wire::{JournalBatch, Role, SignerMessage, decode, open};

pub(super) fn verify(
    (replayed, batches): (&Replayed, Batches<'_>),
    lines: &[(usize, Value)],
    report: &mut Report,
) {
    let mut seen = BTreeSet::new();
    for (number, line) in lines {
        // A copied line would raise the count of refused requests without another refusal.
        let verified = verify_line(replayed, line)
            .and_then(|refused| verify_batch(replayed, batches, line).map(|()| refused));
        match verified {
            Ok(refused) if seen.insert(refused) => report.refused_tampered += 1,
            Ok(_) => report.problem(format!(
                "refusals.jsonl line {number}: this refusal is there twice"
            )),
            Err(cause) => {
                let why = with_causes(cause.as_ref());
                report.problem(format!("refusals.jsonl line {number}: {why}"));
            }
        }
    }
}

/// Digest of the bytes that the signer signed, by which a second copy is noticed.
fn verify_line(replayed: &Replayed, line: &Value) -> Result<Digest, SourceError> {
    let sealed = member::bytes(line, "envelope")?;
    let code = member::text(line, "code")?;
    let claimed = line
        .get("signer")
        .and_then(Value::as_u64)
        .ok_or("member `signer` is missing")?;

    // Senders come from the pinned genesis: a key that the folder's author made up is not in it.
    let state = replayed.follower.state();
    let envelope = open(&sealed, state.registered().as_ref(), &[Role::Signer])?;

    let seat = state
        .genesis()
        .signer_by_node(envelope.from)
        .ok_or("the sender is not a signer")?;
    // What the line says beside the envelope is not signed.
    if u64::from(seat.index) != claimed {
        return Err(format!("signed by signer {}, not {claimed}", seat.index).into());
    }

    let SignerMessage::Refused(refusal) = envelope.payload()? else {
        return Err("the message is not a refusal".into());
    };

    if refusal.code.as_str() != code {
        return Err(format!("the signer said {}, not {code}", refusal.code).into());
    }

    if refusal.head > replayed.follower.size() {
        return Err("judged by a head that the journal file does not have".into());
    }
    Ok(digest("strongroom/refusal-line/v1", &[&sealed]))
}

/// A batch that is refused for another reason than the signer named.
#[derive(Debug, thiserror::Error)]
#[error("the batch is refused otherwise")]
struct RefusedOtherwise(#[source] Refusal);

/// A hostile writer's batch, if the line names one as what stopped the signer: the log's own key
/// signed it, it follows this journal's entries, and their rules refuse it for the same reason; or
/// it is taken by itself and is the other half of a split view.
fn verify_batch(
    replayed: &Replayed,
    batches: Batches<'_>,
    line: &Value,
) -> Result<(), SourceError> {
    if line.get("batch").is_none() {
        return Ok(());
    }
    let code = member::text(line, "code")?;
    let bytes = member::bytes(line, "batch")?;
    let batch: JournalBatch = decode(&bytes)?;

    let genesis = Arc::clone(replayed.follower.genesis());
    let mut follower = Follower::new(genesis)?;
    let before = |known: &&JournalBatch| known.first_seq < batch.first_seq;
    for known in batches.all().take_while(before) {
        follower.append(known)?;
    }

    // The replica must have stopped: only what the log itself signed does that, and another
    // sender's invention is passed over.
    match (follower.append(&batch), follower.halted().is_some()) {
        (Err(refusal), true) if refusal.code.as_str() == code => Ok(()),
        (Err(refusal), _) => Err(RefusedOtherwise(refusal).into()),
        (Ok(_), _) if code == Code::Conflict.as_str() => {
            // Two trees of one size under one log key: a signer that saw both acts on neither.
            let tip = follower.tip();
            match replayed.bodies.get(&tip.size) {
                Some(ours) if *ours != tip.body => Ok(()),
                Some(_) => Err("the batch is the journal's own".into()),
                None => Err("the journal has no other head of the batch's size".into()),
            }
        }
        (Ok(_), _) => Err("the journal's rules take the batch".into()),
    }
}
