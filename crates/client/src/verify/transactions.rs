//! Signed transactions: each belongs to an attempt of the journal and does what its intent says.

use super::Report;
use super::journal::Replayed;
use crate::error::{SourceError, with_causes};
use crate::member;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_ports::chain::{ChainCodec, Registry as _, within};
use strongroom_replica::TenantVaults;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Code, Digest, Document as _, Intent, Refusal};

/// Journal and codecs that transactions are compared with.
struct Known<'a> {
    replayed: &'a Replayed,
    codecs: &'a [Arc<dyn ChainCodec>],
}

/// A line of the file, parsed.
struct Claim {
    intent_text: String,
    attempt: u64,
    unsigned: Vec<u8>,
    signed: Vec<u8>,
}

pub(super) fn verify(
    replayed: &Replayed,
    codecs: &[Arc<dyn ChainCodec>],
    lines: &[(usize, Value)],
    report: &mut Report,
) {
    let known = Known { replayed, codecs };
    let mut seen = BTreeSet::new();
    for (number, line) in lines {
        match known.verify_line(line) {
            // The same transaction on two lines would count twice.
            Ok(network_id) if seen.insert(network_id.clone()) => report.signed += 1,
            Ok(network_id) => {
                report.problem(format!(
                    "transactions.jsonl line {number}: {network_id} is there twice"
                ));
            }
            Err(cause) => {
                let why = with_causes(cause.as_ref());
                report.problem(format!("transactions.jsonl line {number}: {why}"));
            }
        }
    }
}

fn claim(line: &Value) -> Result<Claim, SourceError> {
    let intent = member::signed(line, "intent")?;
    let attempt = line.get("attempt").and_then(Value::as_u64);
    Ok(Claim {
        intent_text: intent.text,
        attempt: attempt.ok_or("member `attempt` is missing")?,
        unsigned: member::bytes(line, "unsigned")?,
        signed: member::bytes(line, "signed")?,
    })
}

impl Known<'_> {
    fn verify_line(&self, line: &Value) -> Result<String, SourceError> {
        let network_id = self.prove(&claim(line)?)?;

        // The id is recomputed from the signed bytes; the line's own is checked so that a reader
        // who looks it up on the chain finds this transaction.
        match line.get("network_id").and_then(Value::as_str) {
            Some(claimed) if claimed != network_id => {
                Err(format!("it is {network_id}, not {claimed}").into())
            }
            Some(_) | None => Ok(network_id),
        }
    }

    /// The attempt named these unsigned bytes; they do what the intent says; every signature
    /// verifies under the vault's own key; nothing else is in the signed bytes.
    fn prove(&self, claim: &Claim) -> Result<String, Refusal> {
        let digest: Digest = Intent::digest_of(&claim.intent_text);
        let unknown = |what: &str| Refusal::new(Code::AttemptUnknown, format!("{digest}: {what}"));

        let payment = self
            .replayed
            .payments
            .get(&digest)
            .ok_or_else(|| unknown("not authorized in the journal"))?;
        let attempt = payment
            .attempts
            .iter()
            .find(|attempt| u64::from(attempt.number) == claim.attempt)
            .ok_or_else(|| unknown("no such attempt"))?;

        // Signers were asked for exactly these bytes; others may have the same effects and other
        // inputs.
        if attempt.unsigned_digest != unsigned_digest(&claim.unsigned) {
            return Err(Code::AttemptDigestMismatch.into());
        }

        let tenant = self
            .replayed
            .tenant_of(&digest)
            .ok_or_else(|| unknown("tenant"))?;
        let vaults = TenantVaults::new(self.replayed.follower.state(), tenant);
        let vault = vaults
            .vault_key(payment.intent.vault)
            .ok_or(Code::UnknownVault)?;
        let codec = self.codec(&payment.intent)?;

        // The signers' own checks are made again: no signer should have signed anything else.
        let inspection = codec.inspect(&claim.unsigned, &vault, &vaults)?;
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
        codec.verify_signed(&claim.unsigned, &claim.signed, &vault)
    }

    fn codec(&self, intent: &Intent) -> Result<&dyn ChainCodec, Refusal> {
        let reads = |codec: &&Arc<dyn ChainCodec>| codec.manifest().chain == intent.chain;
        let codec = self.codecs.iter().find(reads);
        let codec = codec.ok_or_else(|| Refusal::new(Code::UnknownChain, &intent.chain))?;
        Ok(codec.as_ref())
    }
}
