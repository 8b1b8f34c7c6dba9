//! Signatures in: each is verified with libsecp256k1 against the derived output key before it
//! counts.

use crate::inspect::{Reading, inspect};
use crate::{BitcoinCodec, wallet::Wallet};
use bitcoin::Witness;
use bitcoin::consensus::encode;
use bitcoin::secp256k1::{Message, schnorr::Signature};
use strongroom_ports::chain::{OwnPath, VaultKey};
use strongroom_types::{Code, Refusal};

/// The network bytes of the signed transaction.
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
        let valid = verify(codec, &wallet, claim.path, &slot.message, signature)?;
        if !valid {
            let detail = format!(
                "the signature for {} does not verify",
                input.previous_output
            );
            return Err(Refusal::new(Code::BadSignature, detail));
        }
        // 64 bytes without a type byte is SIGHASH_DEFAULT (BIP-341).
        input.witness = Witness::from_slice(&[signature]);
    }
    Ok(encode::serialize(&transaction))
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
