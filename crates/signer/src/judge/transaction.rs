//! Whether the transaction does what the intent says, for the attempt that the journal has.

use super::case::{Case, Decoder, found};
use crate::rules::Payment;
use crate::verdict::CheckEnd;
use strongroom_guard::{G, guard};
use strongroom_journal::Body;
use strongroom_ports::chain::within;
use strongroom_replica::{TenantVaults, vault_key};
use strongroom_signing::packages;
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::{Code, Document as _, Intent, Refusal};

/// The request names the key of the vault that the journal has for the intent.
pub(super) fn key_of_vault(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    // The coordinator names a key, but only the journal says which vault it belongs to.
    let vault = &case.grant()?.vault.vault;
    if guard(G::KeyOfVault, case.request.key != vault.key) {
        let detail = format!("{} is signed for by {}", vault.id, vault.key);
        return Err(Refusal::new(Code::PackageInvalid, detail).into());
    }
    Ok(())
}

/// The intent from this signer's disk. The state names it by digest, so a row edited by hand is
/// noticed.
pub(super) fn intent_read_back(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let entry = case.judge.entries.entry(case.grant()?.record.seq)?;
    let Body::Authorized(authorized) = entry.body else {
        return Err(corrupt("the intent's entry is not an authorization"));
    };

    // The state holds the digest under a witnessed root; the text row does not have that
    // protection.
    let digest = Intent::digest_of(&authorized.intent.text);
    if guard(G::ReadBack, digest != case.request.intent) {
        return Err(corrupt("the intent's entry holds another intent"));
    }

    case.intent = Some(Intent::parse(&authorized.intent.text).map_err(Refusal::from)?);
    case.first_attempt = Some(authorized.attempt);
    Ok(())
}

/// The attempt from this signer's disk. The state has its digest, kind and fee; its coins are in
/// the entry alone, and are compared with the transaction below.
pub(super) fn attempt_read_back(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let grant = case.grant()?;
    let attempt = if grant.attempt.seq == grant.record.seq {
        found(case.first_attempt.as_ref())?.clone()
    } else {
        let entry = case.judge.entries.entry(grant.attempt.seq)?;
        let Body::Attempt(further) = entry.body else {
            return Err(corrupt("the attempt's entry is not an attempt"));
        };
        further.attempt
    };

    let record = &grant.attempt;
    let same = attempt.intent == case.request.intent
        && attempt.number == record.number
        && attempt.kind == record.kind
        && attempt.parent == record.parent
        && attempt.unsigned_digest == record.unsigned_digest
        && attempt.fee_max == record.fee_max;
    if guard(G::ReadBack, !same) {
        return Err(corrupt("the attempt's entry is another attempt"));
    }

    case.attempt = Some(attempt);
    Ok(())
}

/// The bytes to sign are the ones whose digest the journal took.
pub(super) fn transaction_of_attempt(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let recorded = case.grant()?.attempt.unsigned_digest;
    let is_same = unsigned_digest(&case.request.unsigned) == recorded;
    if guard(G::AttemptDigest, !is_same) {
        return Err(Code::AttemptDigestMismatch.into());
    }
    Ok(())
}

/// The decoder of the intent's chain: exactly the one that genesis names, which the approvers
/// relied on.
pub(super) fn decoder_of_genesis(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let judge = case.judge;
    let chain = &case.grant()?.record.chain;
    let unknown = || Refusal::new(Code::UnknownChain, chain);
    let seat = judge.identity.genesis.chain(chain).ok_or_else(unknown)?;
    let codec = judge.codecs.get(chain).ok_or_else(unknown)?;

    let manifest = codec.manifest();
    if manifest.decoder != seat.decoder || manifest.native != seat.native {
        let detail = format!(
            "genesis wants {}, this build has {}",
            seat.decoder, manifest.decoder
        );
        return Err(Refusal::new(Code::Unsupported, detail).into());
    }

    case.decoder = Some(Decoder {
        codec: codec.as_ref(),
        seat,
    });
    Ok(())
}

/// Addresses of the vault derive from the journal's public record of its key, and from nothing
/// else.
pub(super) fn key_finished(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let grant = case.grant()?;
    let key = vault_key(&grant.key, grant.vault.vault.account)
        .ok_or_else(|| Refusal::new(Code::UnknownKey, "the ceremony is not finished"))?;
    case.vault_key = Some(key);
    Ok(())
}

/// This signer's own decoding: strict, with every claimed input and output of the vault derived
/// again, and other vaults of the tenant looked up in the same witnessed state that allows the
/// payment.
pub(super) fn decoded(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let view = case.judge.follower.head_view(case.head()?)?;
    let vaults = TenantVaults::new(&view, case.request.tenant);

    // The decoding is strict: one encoding per transaction, and nothing in it that this build does
    // not understand.
    let decoder = found(case.decoder.as_ref())?;
    let key = found(case.vault_key.as_ref())?;
    let inspection = decoder
        .codec
        .inspect(&case.request.unsigned, key, &vaults)?;
    case.evidence.inspection = Some(inspection);
    Ok(())
}

/// Effects that the intent asks for, its internal destinations resolved in the same witnessed
/// state.
pub(super) fn expected_effects(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let view = case.judge.follower.head_view(case.head()?)?;
    let vaults = TenantVaults::new(&view, case.request.tenant);

    let decoder = found(case.decoder.as_ref())?;
    let expected = decoder.codec.expected(case.intent()?, &vaults)?;
    case.evidence.expected = Some(expected);
    Ok(())
}

/// No more and no less than the intent says, within the declared fee.
pub(super) fn within_intent(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let expected = found(case.evidence.expected.as_ref())?;
    let inspection = found(case.evidence.inspection.as_ref())?;

    // The attempt is the journal's record and not what the coordinator or the builder declared.
    let attempt = &case.grant()?.attempt;
    Ok(within(expected, attempt.kind, inspection, attempt.fee_max)?)
}

/// Every attempt of an intent spends its anchor, so the chain itself lets at most one of them pass.
pub(super) fn spends_anchor(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let inspection = found(case.evidence.inspection.as_ref())?;
    let anchor = &case.grant()?.record.anchor;

    // The chain then lets at most one attempt of this intent pass, in whatever order they are
    // broadcast.
    if guard(G::Anchor, !inspection.conflicts.contains(anchor)) {
        return Err(Refusal::new(Code::AnchorMissing, anchor).into());
    }
    Ok(())
}

/// Exactly what the attempt declared: the journal reserved that and nothing else.
pub(super) fn spends_as_declared(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    // An input that was not declared could be another intent's anchor: a signature would cancel
    // that payment.
    let inspection = found(case.evidence.inspection.as_ref())?;
    let declared = &found(case.attempt.as_ref())?.conflict_keys;
    if guard(G::SpendsAsDeclared, inspection.conflicts != *declared) {
        let detail = "it spends something else than the attempt declared";
        return Err(Refusal::new(Code::EffectsMismatch, detail).into());
    }
    Ok(())
}

/// The operator's own rules, counted on this signer's tip.
pub(super) fn operator_rules(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let judge = case.judge;
    let payment = Payment {
        tenant: case.request.tenant,
        intent: case.intent()?,
        kind: case.grant()?.attempt.kind,
        fee_max: case.grant()?.attempt.fee_max,
        native: &found(case.decoder.as_ref())?.seat.native,
        // A clock that is behind the journal must not make a window look emptier.
        at: case.now.max(judge.follower.tip().at),
    };
    if let Err(refusal) = judge.rules.check(judge.follower.state(), &payment)
        && guard(G::OperatorRules, true)
    {
        return Err(refusal.into());
    }
    Ok(())
}

/// Message, path and tweak come from this signer's decoding; of the coordinator's word only the
/// commitments are left.
pub(super) fn packages_of_request(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    // A tweak or path of the coordinator's choosing would sign for another child of the key.
    let slots = &found(case.evidence.inspection.as_ref())?.slots;
    case.packages = Some(packages(case.request, slots, &case.grant()?.key)?);
    Ok(())
}

fn corrupt(detail: &str) -> CheckEnd {
    CheckEnd::Refuse(Refusal::new(Code::StoreCorrupt, detail))
}
