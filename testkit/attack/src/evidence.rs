//! What a run leaves behind: a folder that `strongroom verify` recomputes.

pub use crate::ground::Refused;
use crate::ground::{Ground, Payment};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::path::Path;
use strongroom_types::NodeId;
use strongroom_wire::WitnessCosignature;

/// A transaction that the honest signers signed.
#[derive(Clone)]
pub struct SignedPayment {
    /// What it was signed for.
    pub payment: Payment,
    /// Network bytes.
    pub signed: Vec<u8>,
}

/// Writes a run's folder.
pub fn keep(
    dir: &Path,
    name: &str,
    ground: &Ground,
    signed: &[&SignedPayment],
    refused: &[Refused],
) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    let genesis = &ground.world.genesis;
    std::fs::write(dir.join("genesis.bin"), genesis.to_bytes())?;
    std::fs::write(dir.join("genesis.hash"), format!("{}\n", genesis.hash()))?;
    std::fs::write(dir.join("journal.bin"), borsh::to_vec(&ground.log.batches)?)?;

    let cosignatures: Vec<(NodeId, WitnessCosignature)> = ground
        .cosignatures
        .iter()
        .map(|(seat, cosignature)| (ground.world.seat(*seat).node, cosignature.clone()))
        .collect();
    std::fs::write(dir.join("cosignatures.bin"), borsh::to_vec(&cosignatures)?)?;

    let transactions = signed.iter().map(|one| transaction(ground, one));
    lines(&dir.join("transactions.jsonl"), transactions)?;
    let refusals = refused.iter().map(|one| Ok(refusal(name, one)));
    lines(&dir.join("refusals.jsonl"), refusals)
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
