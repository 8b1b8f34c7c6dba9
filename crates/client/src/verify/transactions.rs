//! Signed transactions: each belongs to an attempt of the journal and does what its intent says.

use super::Report;
use super::journal::Replayed;
use crate::check;
use serde_json::Value;
use std::collections::BTreeSet;
use strongroom_ports::chain::{ChainCodec, VaultKeys as _, within};
use strongroom_replica::TenantVaults;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Code, Digest, Document as _, Intent, Refusal};

/// A 64-byte key-path signature as the only witness item of an input: count, length, signature
/// (BIP-141, BIP-341).
const WITNESS_BYTES: usize = 66;
/// Lock time at the end of a transaction.
const LOCK_TIME_BYTES: usize = 4;

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
    let inspection = codec.inspect(unsigned, &vault)?;
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
    let signatures = signatures(signed, inspection.slots.len())?;
    if codec.assemble(unsigned, &signatures, &vault)? != signed {
        return Err(Refusal::new(
            Code::AttemptDigestMismatch,
            "the signed bytes are another transaction",
        ));
    }
    codec.transaction_id(signed)
}

/// The signatures of a transaction that spends key paths only. Where they are found proves nothing:
/// putting them into the unsigned transaction must give the signed bytes again.
fn signatures(signed: &[u8], count: usize) -> Result<Vec<Vec<u8>>, Refusal> {
    let other = || Refusal::new(Code::Malformed, "not a transaction of key-path spends");
    let end = signed
        .len()
        .checked_sub(LOCK_TIME_BYTES)
        .ok_or_else(other)?;
    let start = end
        .checked_sub(WITNESS_BYTES.saturating_mul(count))
        .ok_or_else(other)?;
    let witnesses = signed.get(start..end).ok_or_else(other)?;
    let one = |witness: &[u8]| witness.get(2..).map(<[u8]>::to_vec).ok_or_else(other);
    witnesses.chunks(WITNESS_BYTES).map(one).collect()
}
