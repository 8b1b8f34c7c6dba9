//! Refusals of tampered requests: each signed by the signer it names, for the reason it names.

use super::Report;
use super::journal::Replayed;
use crate::member;
use serde_json::Value;
use std::collections::BTreeSet;
use strongroom_types::{Digest, digest};
use strongroom_wire::{Role, SignerMessage, open};

pub(super) fn verify(replayed: &Replayed, lines: &[(usize, Value)], report: &mut Report) {
    let mut seen = BTreeSet::new();
    for (number, line) in lines {
        // A copied line would raise the count of refused requests without another refusal.
        match verify_line(replayed, line) {
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
