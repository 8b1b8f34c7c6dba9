//! Signatures of people: the forms of a proof, and assertions of passkeys.

use super::{Target, same};
use std::sync::OnceLock;
use strongroom_types::credential::{BackupPolicy, PublicKey, RelyingParty};
use strongroom_types::proof::{self, Assertion};
use strongroom_types::{Credential, CredentialClass, CredentialId, Digest, Proof, UserId};
use strongroom_wire::{decode, encode};

/// Published assertions of authenticators, each with its key and challenge.
const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../crates/types/vectors/webauthn-l3-es256.json"
));

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "proof",
        run: proof,
        seeds: |_| seeds(),
    }]
}

/// A passkey, a digest, and the assertion by which the one signed the other.
struct Asserted {
    credential: Credential,
    digest: Digest,
    assertion: Assertion,
}

/// The vectors that a signer accepts.
fn asserted() -> &'static [Asserted] {
    static ASSERTED: OnceLock<Vec<Asserted>> = OnceLock::new();
    ASSERTED.get_or_init(|| {
        let file: serde_json::Value = serde_json::from_str(VECTORS).unwrap_or_default();
        let cases = file.get("authentications").and_then(|c| c.as_array());
        let read = cases.into_iter().flatten().filter_map(of_vector);
        read.filter(|case| {
            let proof = Proof::WebAuthn(case.assertion.clone());
            proof::verify(&case.credential, &case.digest, &proof)
        })
        .collect()
    })
}

fn of_vector(case: &serde_json::Value) -> Option<Asserted> {
    let text = |member: &str| case.get(member)?.as_str();
    let proof = Proof::webauthn(
        text("authenticator_data")?,
        text("client_data")?,
        text("signature")?,
    );
    let Proof::WebAuthn(assertion) = proof.ok()? else {
        return None;
    };
    let credential = Credential {
        id: CredentialId([1; 16]),
        user: Some(UserId([2; 16])),
        class: CredentialClass::Passkey,
        key: PublicKey::from_text("p256", text("public_key")?).ok()?,
        web: Some(RelyingParty {
            rp_id: "example.org".to_owned(),
            origins: vec!["https://example.org".to_owned()],
            backup: BackupPolicy::SyncedAllowed,
        }),
    };
    Some(Asserted {
        credential,
        digest: text("challenge")?.parse().ok()?,
        assertion,
    })
}

/// A proof has one encoding. An assertion that verifies says what the authenticator said: its
/// signature may have a second form (n − s), the two signed parts may not.
fn proof(data: &[u8]) -> bool {
    let Ok(proof) = decode::<Proof>(data) else {
        return false;
    };
    for case in asserted() {
        let verified = proof::verify(&case.credential, &case.digest, &proof);
        if let Proof::WebAuthn(found) = &proof
            && verified
        {
            same(
                found.authenticator_data(),
                case.assertion.authenticator_data(),
            );
            same(found.client_data(), case.assertion.client_data());
        } else {
            assert!(!verified, "a bare signature for a passkey's");
        }
    }
    same(&encode(&proof), data)
}

fn seeds() -> Vec<Vec<u8>> {
    let assertions = asserted().iter().map(|case| case.assertion.clone());
    assertions
        .map(Proof::WebAuthn)
        .chain([Proof::Ed25519([1; 64]), Proof::P256([2; 64])])
        .map(|proof| encode(&proof))
        .collect()
}
