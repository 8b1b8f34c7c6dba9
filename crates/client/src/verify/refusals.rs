//! Refusals of tampered requests: each signed by the signer it names, for the reason it names.

use super::Report;
use super::journal::Replayed;
use crate::member;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_journal::follower::Follower;
use strongroom_types::{Digest, digest};
use strongroom_wire::{JournalBatch, Role, SignerMessage, decode, open};

pub(super) fn verify(
    (replayed, batches): (&Replayed, &[JournalBatch]),
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
            Err(what) => report.problem(format!("refusals.jsonl line {number}: {what}")),
        }
    }
}

/// Digest of the bytes that the signer signed, by which a second copy is noticed.
fn verify_line(replayed: &Replayed, line: &Value) -> Result<Digest, String> {
    let text = |e: crate::ClientError| e.to_string();
    let sealed = member::bytes(line, "envelope").map_err(text)?;
    let code = member::text(line, "code").map_err(text)?;
    let claimed = line
        .get("signer")
        .and_then(Value::as_u64)
        .ok_or("member `signer` is missing")?;

    // Senders come from the pinned genesis: a key that the folder's author made up is not in it.
    let state = replayed.follower.state();
    let envelope =
        open(&sealed, state.registered().as_ref(), &[Role::Signer]).map_err(|e| e.to_string())?;

    let seat = state
        .genesis()
        .signer_by_node(envelope.from)
        .ok_or("the sender is not a signer")?;
    // What the line says beside the envelope is not signed.
    if u64::from(seat.index) != claimed {
        return Err(format!("signed by signer {}, not {claimed}", seat.index));
    }

    let SignerMessage::Refused(refusal) = envelope.payload().map_err(|e| e.to_string())? else {
        return Err("the message is not a refusal".to_owned());
    };

    if refusal.code.as_str() != code {
        return Err(format!("the signer said {}, not {code}", refusal.code));
    }

    if refusal.head > replayed.follower.size() {
        return Err("judged by a head that the journal file does not have".to_owned());
    }
    Ok(digest("strongroom/refusal-line/v1", &[&sealed]))
}

/// A hostile writer's batch, if the line names one as what stopped the signer: the log's own key
/// signed it, it follows this journal's entries, and their rules refuse it for the same reason.
fn verify_batch(replayed: &Replayed, batches: &[JournalBatch], line: &Value) -> Result<(), String> {
    if line.get("batch").is_none() {
        return Ok(());
    }
    let text = |e: crate::ClientError| e.to_string();
    let code = member::text(line, "code").map_err(text)?;
    let bytes = member::bytes(line, "batch").map_err(text)?;
    let batch: JournalBatch = decode(&bytes).map_err(|e| e.to_string())?;

    let genesis = Arc::clone(replayed.follower.genesis());
    let mut follower = Follower::new(genesis).map_err(|e| e.to_string())?;
    let before = |known: &&JournalBatch| known.first_seq < batch.first_seq;
    for known in batches.iter().take_while(before) {
        follower.append(known).map_err(|e| e.to_string())?;
    }

    // Only what the log itself signed stops a replica; another's invention is passed over.
    match (follower.append(&batch), follower.halted().is_some()) {
        (Err(refusal), true) if refusal.code.as_str() == code => Ok(()),
        (Err(refusal), _) => Err(format!("the batch is refused otherwise: {refusal}")),
        (Ok(_), _) => Err("the journal's rules take the batch".to_owned()),
    }
}
