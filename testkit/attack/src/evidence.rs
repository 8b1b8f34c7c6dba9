//! What a run leaves behind: a folder that `strongroom verify` recomputes, with what the attacker
//! brought beside it.

mod complete;

pub use crate::ground::{Refused, SignedPayment};
pub use complete::{complete, recomputes};

use crate::ground::{Ground, HostileRecord};
use crate::row::{Case, Elsewhere, Outcome};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use strongroom_signing::{message_digest, request_digest};
use strongroom_types::{Digest, NodeId, digest};
use strongroom_wire::{CoordinatorMessage, Envelope, JournalBatch, WitnessCosignature};

/// Hostile records of a flood that are kept beside those that a kept refusal answers: thousands are
/// worth as little as a few.
const RECORDS_MAX: usize = 64;
/// Longest bytes that are kept whole; of longer ones their number and digest are.
const BYTES_MAX: usize = 1 << 20;

/// What a folder says of the run itself.
pub struct Run<'a> {
    /// The attack.
    pub case: &'a Case,
    /// `defended` or `guard off`.
    pub what: &'a str,
    /// What the honest signers signed; the honest payment first.
    pub signed: &'a [&'a SignedPayment],
    /// What came of the attempt.
    pub outcome: &'a Outcome,
}

/// Writes a run's folder.
pub fn keep(dir: &Path, ground: &Ground, run: &Run<'_>) -> anyhow::Result<()> {
    // Nothing of an earlier run may stand in for what this one lacks.
    if dir.exists() {
        std::fs::remove_dir_all(dir).with_context(|| dir.display().to_string())?;
    }
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    let genesis = &ground.world.genesis;
    std::fs::write(dir.join("genesis.bin"), genesis.to_bytes())?;
    std::fs::write(dir.join("genesis.hash"), format!("{}\n", genesis.hash()))?;

    let (journal, beyond) = ground.log.batches.split_at(witnessed(ground));
    std::fs::write(dir.join("journal.bin"), borsh::to_vec(journal)?)?;
    if !beyond.is_empty() {
        std::fs::write(dir.join("unwitnessed.bin"), borsh::to_vec(beyond)?)?;
    }
    let cosignatures: Vec<(NodeId, WitnessCosignature)> = ground
        .cosignatures
        .iter()
        .map(|(seat, cosignature)| (ground.world.seat(*seat).node, cosignature.clone()))
        .collect();
    std::fs::write(dir.join("cosignatures.bin"), borsh::to_vec(&cosignatures)?)?;

    let transactions = run.signed.iter().map(|one| transaction(ground, one));
    lines(&dir.join("transactions.jsonl"), transactions)?;
    let name = format!("{}/{}", run.case.id, run.case.name);
    let refused = &run.outcome.refused;
    let refusals = refused.iter().map(|one| Ok(refusal(&name, one)));
    lines(&dir.join("refusals.jsonl"), refusals)?;

    let mut records = ground.hostile_records();
    if let Some(beside) = &ground.beside {
        records.extend(beside.hostile_records());
    }
    let kept = chosen(&records, refused);
    let kept = kept.into_iter().map(|one| Ok(record(one)));
    lines(&dir.join("hostile.jsonl"), kept)?;
    let summary = summary(run, records.len());
    Ok(std::fs::write(
        dir.join("run.json"),
        format!("{summary}\n"),
    )?)
}

/// Number of the writer's batches up to the largest head that a quorum cosigned.
fn witnessed(ground: &Ground) -> usize {
    let mut largest: BTreeMap<u16, usize> = BTreeMap::new();
    for (number, batch) in (1..).zip(&ground.log.batches) {
        let body = body(batch);
        let over = ground.cosignatures.iter();
        let over = over.filter(|(_, cosignature)| cosignature.body == body);
        for (seat, _) in over {
            largest.insert(*seat, number);
        }
    }

    // A word over a larger head covers every head before it.
    let mut numbers: Vec<usize> = largest.into_values().collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let quorum = usize::try_from(ground.world.genesis.quorum).unwrap_or(usize::MAX);
    let place = quorum.checked_sub(1);
    let found = place.and_then(|place| numbers.get(place).copied());
    found.unwrap_or(0)
}

/// The checkpoint of a batch, as witnesses cosign it.
fn body(batch: &JournalBatch) -> String {
    let (body, _) = batch.note.split_once("\n\n").unwrap_or((&batch.note, ""));
    format!("{body}\n")
}

/// The records that are kept: those that a kept refusal answers, those of a kind that does not come
/// in floods, and the first ones of the others.
fn chosen<'a>(records: &'a [HostileRecord], refused: &[Refused]) -> Vec<&'a HostileRecord> {
    let named: BTreeSet<Digest> = refused.iter().map(|one| one.refusal.request).collect();
    let mut first = 0;
    let mut kept = Vec::new();
    for record in records {
        let is_answered = names(&record.bytes).iter().any(|name| named.contains(name));
        let is_kept = is_answered || !record.kind.comes_in_floods();
        if is_kept || first < RECORDS_MAX {
            first += usize::from(!is_kept);
            kept.push(record);
        }
    }
    kept
}

/// The digests by which a signer's refusal may name a record of its inbox: that of the request to
/// sign in it, and that of the whole message.
fn names(record: &[u8]) -> Vec<Digest> {
    let Ok(envelope) = Envelope::unverified(record) else {
        return Vec::new();
    };
    let mut names = vec![message_digest(&envelope.payload)];
    if let Ok(CoordinatorMessage::Sign(request)) = envelope.payload() {
        names.push(request_digest(&request));
    }
    names
}

fn lines(file: &Path, values: impl Iterator<Item = anyhow::Result<Value>>) -> anyhow::Result<()> {
    let mut text = String::new();
    for value in values {
        text.push_str(&value?.to_string());
        text.push('\n');
    }
    Ok(std::fs::write(file, text)?)
}

fn transaction(ground: &Ground, one: &SignedPayment) -> anyhow::Result<Value> {
    // The signed text goes in as it is: the verifier computes every digest from it.
    let intent = ground.world.signed_intent(&one.payment.intent);
    let intent: Value = serde_json::from_str(&intent.to_json().to_text())?;
    Ok(json!({
        "intent": intent,
        "attempt": one.payment.attempt.number,
        "unsigned": hex::encode(&one.payment.built.unsigned),
        "signed": hex::encode(&one.signed),
    }))
}

fn refusal(name: &str, one: &Refused) -> Value {
    let mut line = json!({
        "variant": name,
        "signer": one.seat,
        "code": one.refusal.code.as_str(),
        "detail": one.refusal.detail,
        "envelope": hex::encode(&one.sealed),
    });
    if let (Some(batch), Some(members)) = (&one.stopped_by, line.as_object_mut()) {
        let batch = hex::encode(strongroom_wire::encode(batch));
        members.insert("batch".to_owned(), batch.into());
    }
    line
}

fn record(one: &HostileRecord) -> Value {
    let mut line = json!({"kind": one.kind.name(), "to": one.to, "length": one.bytes.len()});
    let (name, value) = if one.bytes.len() <= BYTES_MAX {
        ("bytes", hex::encode(&one.bytes))
    } else {
        let digest = digest("strongroom/attack-record/v1", &[&one.bytes]);
        ("digest", digest.to_string())
    };
    if let Some(members) = line.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
    line
}

/// What the verifier does not read: the row, and codes that no signer signed.
fn summary(run: &Run<'_>, records: usize) -> Value {
    let unsigned = run.outcome.codes.iter();
    let unsigned: Vec<&str> = unsigned.map(|code| code.as_str()).collect();
    json!({
        "row": run.case.id,
        "guard": run.case.name,
        "run": run.what,
        "code": run.case.code.as_str(),
        "unsigned": unsigned,
        "by": run.outcome.by.map(Elsewhere::name),
        "harm": run.outcome.harm,
        "records": records,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::Kind;

    #[test]
    fn of_a_flood_the_first_are_kept_and_of_what_is_rare_all() {
        let record = |kind| HostileRecord {
            to: None,
            kind,
            bytes: Vec::new(),
        };
        let mut records = vec![record(Kind::Inbox); 3 * RECORDS_MAX];
        records.push(record(Kind::Disk));
        let kept = chosen(&records, &[]);
        assert_eq!(kept.len(), RECORDS_MAX + 1);
        assert!(kept.last().is_some_and(|one| one.kind == Kind::Disk));
    }
}
