//! Signed transactions: each belongs to an attempt of the journal and does what its intent says.

use super::Report;
use super::journal::Replayed;
use crate::check;
use serde_json::Value;
use std::collections::BTreeSet;
use strongroom_ports::chain::{ChainCodec, Registry as _, within};
use strongroom_replica::TenantVaults;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Code, Digest, Document as _, Intent, Refusal};

pub(super) fn verify(
    replayed: &Replayed,
    codec: &dyn ChainCodec,
    lines: &[(usize, Value)],
    report: &mut Report,
) {
    let mut seen = BTreeSet::new();
    for (number, line) in lines {
        match one(replayed, codec, line) {
            Ok(network_id) if seen.insert(network_id.clone()) => report.signed += 1,
            Ok(network_id) => {
                report.problem(format!(
                    "transactions.jsonl line {number}: {network_id} is there twice"
                ));
            }
            Err(what) => report.problem(format!("transactions.jsonl line {number}: {what}")),
        }
    }
}

fn one(replayed: &Replayed, codec: &dyn ChainCodec, line: &Value) -> Result<String, String> {
    let text = |e: crate::ClientError| e.to_string();
    let intent = check::signed(line.get("intent").unwrap_or(&Value::Null)).map_err(text)?;
    let (unsigned, signed) = (
        check::bytes(line, "unsigned").map_err(text)?,
        check::bytes(line, "signed").map_err(text)?,
    );
    let attempt = line
        .get("attempt")
        .and_then(Value::as_u64)
        .ok_or("member `attempt` is missing")?;
    let network_id = proved(replayed, codec, &intent.text, attempt, &unsigned, &signed)
        .map_err(|e| e.to_string())?;
    match line.get("network_id").and_then(Value::as_str) {
        Some(claimed) if claimed != network_id => Err(format!("it is {network_id}, not {claimed}")),
        Some(_) | None => Ok(network_id),
    }
}

/// The attempt named these unsigned bytes; they do what the intent says; every signature verifies
/// under the vault's own key; nothing else is in the signed bytes.
fn proved(
    replayed: &Replayed,
    codec: &dyn ChainCodec,
    intent_text: &str,
    number: u64,
    unsigned: &[u8],
    signed: &[u8],
) -> Result<String, Refusal> {
    let digest: Digest = Intent::digest_of(intent_text);
    let unknown = |what: &str| Refusal::new(Code::AttemptUnknown, format!("{digest}: {what}"));
    let payment = replayed
        .payments
        .get(&digest)
        .ok_or_else(|| unknown("not authorized in the journal"))?;
    let attempt = payment
        .attempts
        .iter()
        .find(|attempt| u64::from(attempt.number) == number);
    let attempt = attempt.ok_or_else(|| unknown("no such attempt"))?;
    if attempt.unsigned_digest != unsigned_digest(unsigned) {
        return Err(Code::AttemptDigestMismatch.into());
    }
    let tenant = replayed
        .tenant_of(&digest)
        .ok_or_else(|| unknown("tenant"))?;
    let vaults = TenantVaults::new(replayed.follower.state(), tenant);
    let vault = vaults
        .vault_key(payment.intent.vault)
        .ok_or(Code::UnknownVault)?;
    let inspection = codec.inspect(unsigned, &vault, &vaults)?;
    if inspection.conflicts != attempt.conflict_keys {
        return Err(Refusal::new(
            Code::EffectsMismatch,
            "it spends other coins than the attempt names",
        ));
    }
    within(
        &codec.expected(&payment.intent, &vaults)?,
        attempt.kind,
        &inspection,
        attempt.fee_max,
    )?;
    codec.verify_signed(unsigned, signed, &vault)
}
