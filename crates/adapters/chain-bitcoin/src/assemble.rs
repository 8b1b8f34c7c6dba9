//! Assembly of the signed transaction. Each signature is verified with libsecp256k1 under the
//! derived output key before it is put in.

use crate::inspect::{Reading, inspect};
use crate::{BitcoinCodec, wallet::Wallet};
use bitcoin::consensus::encode;
use bitcoin::secp256k1::{Message, schnorr::Signature};
use bitcoin::{Transaction, Witness};
use strongroom_guard::{G, guard};
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_types::{Code, Refusal};

/// Puts the signatures into the transaction and returns its network bytes.
pub fn assemble(
    codec: &BitcoinCodec,
    unsigned: &[u8],
    signatures: &[Vec<u8>],
    vault: &VaultKey,
) -> Result<Vec<u8>, Refusal> {
    let Reading {
        unsigned,
        inspection,
        ..
    } = inspect(codec, unsigned, vault)?;
    let wallet = codec.wallet(vault)?;

    if signatures.len() != inspection.slots.len() {
        let detail = format!(
            "{} signatures for {} inputs",
            signatures.len(),
            inspection.slots.len()
        );
        return Err(Refusal::new(Code::BadSignature, detail));
    }

    let mut transaction = unsigned.transaction;
    let claims = unsigned
        .inputs
        .iter()
        .zip(&inspection.slots)
        .zip(signatures);
    for (input, ((claim, slot), signature)) in transaction.input.iter_mut().zip(claims) {
        // libsecp256k1 verifies the signatures that the FROST library made. A bug in either library
        // then leads to a refusal and not to a broadcast of an invalid transaction.
        let valid = verify(codec, &wallet, claim.path, &slot.message, signature)?;
        if guard(G::SignatureVerified, !valid) {
            let detail = format!(
                "the signature for {} does not verify",
                input.previous_output
            );
            return Err(Refusal::new(Code::BadSignature, detail));
        }

        // A signature of 64 bytes, without a type byte, means SIGHASH_DEFAULT (BIP-341).
        input.witness = Witness::from_slice(&[signature]);
    }
    Ok(encode::serialize(&transaction))
}

/// Proves that network bytes are the unsigned transaction with valid signatures, and nothing else.
pub fn verify_signed(
    codec: &BitcoinCodec,
    unsigned: &[u8],
    signed: &[u8],
    vault: &VaultKey,
) -> Result<String, Refusal> {
    let transaction = decode(signed)?;
    let signatures = transaction
        .input
        .iter()
        .map(|input| key_path_signature(&input.witness))
        .collect::<Result<Vec<_>, _>>()?;

    // Only the signatures are taken from the signed bytes. Put into the approved transaction, they
    // must give exactly these bytes, so that no output, script or annex can hide beside them.
    if assemble(codec, unsigned, &signatures, vault)? != signed {
        let detail = "the signed bytes are another transaction";
        return Err(Refusal::new(Code::AttemptDigestMismatch, detail));
    }
    Ok(transaction.compute_txid().to_string())
}

/// The signature of a key-path witness, which must be its only item (BIP-341; no annex).
fn key_path_signature(witness: &Witness) -> Result<Vec<u8>, Refusal> {
    match (witness.len(), witness.nth(0)) {
        (1, Some(signature)) => Ok(signature.to_vec()),
        _ => Err(Refusal::new(
            Code::Malformed,
            "not a transaction of key-path spends",
        )),
    }
}

/// Decodes network bytes strictly.
pub fn decode(signed: &[u8]) -> Result<Transaction, Refusal> {
    let malformed = |detail: &str| Refusal::new(Code::Malformed, detail);
    let transaction: Transaction =
        encode::deserialize(signed).map_err(|_| malformed("not a Bitcoin transaction"))?;

    // The library's decoder is strict today. The comparison keeps this function strict if the
    // library changes.
    if guard(G::StrictCodec, encode::serialize(&transaction) != signed) {
        return Err(malformed("the transaction is not in its one encoding"));
    }
    Ok(transaction)
}

fn verify(
    codec: &BitcoinCodec,
    wallet: &Wallet<'_>,
    path: OwnPath,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, Refusal> {
    let key = wallet.output_key(path)?.to_x_only_public_key();
    let message =
        Message::from_digest_slice(message).map_err(|e| Refusal::new(Code::Internal, e))?;

    let Ok(signature) = Signature::from_slice(signature) else {
        return Ok(false);
    };
    Ok(codec
        .secp
        .verify_schnorr(&signature, &message, &key)
        .is_ok())
}
