#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
mod vectors;

use super::*;
use crate::credential::{BackupPolicy, CredentialClass, RelyingParty};
use crate::id::{CredentialId, UserId};
use base64::Engine as _;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use sha2::{Digest as _, Sha256};

const DIGEST: Digest = Digest([7; 32]);
const ORIGIN: &str = "https://example.org";
const UP_UV: u8 = 0x05;

fn key() -> SigningKey {
    SigningKey::from_slice(&[9; 32]).unwrap()
}

fn public(key: &SigningKey) -> PublicKey {
    let point = key.verifying_key().to_encoded_point(true);
    PublicKey::P256(point.as_bytes().try_into().unwrap())
}

fn held(class: CredentialClass, key: PublicKey) -> Credential {
    Credential {
        id: CredentialId([1; 16]),
        user: Some(UserId([2; 16])),
        class,
        key,
        web: None,
    }
}

fn passkey(key: PublicKey, backup: BackupPolicy) -> Credential {
    Credential {
        web: Some(RelyingParty {
            rp_id: "example.org".to_owned(),
            origins: vec![ORIGIN.to_owned(), "https://sign.example.org".to_owned()],
            backup,
        }),
        ..held(CredentialClass::Passkey, key)
    }
}

/// An assertion in the making. It is valid unless a test changes a part of it before the key signs.
struct Made {
    rp_id: String,
    flags: u8,
    counter: u32,
    client_data: String,
}

fn challenge(digest: &Digest) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.0)
}

impl Made {
    fn new() -> Self {
        Self {
            rp_id: "example.org".to_owned(),
            flags: UP_UV,
            counter: 1,
            client_data: format!(
                r#"{{"type":"webauthn.get","challenge":"{}","origin":"{ORIGIN}","crossOrigin":false}}"#,
                challenge(&DIGEST)
            ),
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Proof {
        let mut made = Self::new();
        change(&mut made);
        made.sign()
    }

    fn replaced(from: &str, to: &str) -> Proof {
        Self::with(|made| {
            assert!(made.client_data.contains(from), "{from}");
            made.client_data = made.client_data.replace(from, to);
        })
    }

    fn sign(&self) -> Proof {
        let mut data = Sha256::digest(&self.rp_id).to_vec();
        data.push(self.flags);
        data.extend(self.counter.to_be_bytes());
        let mut message = data.clone();
        message.extend(Sha256::digest(&self.client_data));
        let signature: Signature = key().sign(&message);
        let der = signature.to_der().as_bytes().to_vec();
        let client_data = self.client_data.clone().into_bytes();
        Proof::WebAuthn(Assertion::new(data, client_data, der).unwrap())
    }
}

fn accepted(proof: &Proof) -> bool {
    let credential = passkey(public(&key()), BackupPolicy::DeviceBound);
    credential.check().unwrap();
    verify(&credential, &DIGEST, proof)
}

fn parts(proof: &Proof) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let Proof::WebAuthn(a) = proof else { panic!() };
    (
        a.authenticator_data.clone(),
        a.client_data.clone(),
        a.signature.clone(),
    )
}

fn p256(signature: &Signature) -> Proof {
    Proof::P256(signature.to_bytes().as_slice().try_into().unwrap())
}

/// The other form of an ECDSA signature: (r, n − s).
fn mirrored(signature: &Signature) -> Signature {
    let (r, s) = signature.split_scalars();
    Signature::from_scalars(r, -*s).unwrap()
}

// The tests below change the client data.

#[test]
fn an_assertion_over_the_digest_is_accepted() {
    assert!(accepted(&Made::new().sign()));
    let other_page = Made::replaced(ORIGIN, "https://sign.example.org");
    assert!(accepted(&other_page), "any of the credential's origins");
}

#[test]
fn an_assertion_over_another_challenge_is_refused() {
    let other = challenge(&Digest([8; 32]));
    assert!(!accepted(&Made::replaced(&challenge(&DIGEST), &other)));
    let padded = format!("{}=", challenge(&DIGEST));
    assert!(!accepted(&Made::replaced(&challenge(&DIGEST), &padded)));
    let proof = Made::new().sign();
    let credential = passkey(public(&key()), BackupPolicy::DeviceBound);
    assert!(!verify(&credential, &Digest([8; 32]), &proof));
}

#[test]
fn a_registration_is_not_an_assertion() {
    assert!(!accepted(&Made::replaced(
        "webauthn.get",
        "webauthn.create"
    )));
}

#[test]
fn an_assertion_for_another_origin_is_refused() {
    for origin in [
        "https://evil.org",
        "https://example.org.evil.org",
        "http://example.org",
        "https://example.org:8443",
        "https://example.orga",
        "https://Example.org",
    ] {
        assert!(!accepted(&Made::replaced(ORIGIN, origin)), "{origin}");
    }
}

#[test]
fn an_assertion_in_a_frame_of_another_site_is_refused() {
    for cross in [
        r#""crossOrigin":true"#,
        r#""crossOrigin":true,"topOrigin":"https://evil.org""#,
        r#""crossOrigin":"false""#,
        r#""other":1,"crossOrigin":true"#,
        r#""crossOrigin":falsey"#,
    ] {
        let proof = Made::replaced(r#""crossOrigin":false"#, cross);
        assert!(!accepted(&proof), "{cross}");
    }
}

#[test]
fn a_browser_that_leaves_cross_origin_out_adds_nothing() {
    assert!(accepted(&Made::replaced(r#","crossOrigin":false"#, "")));
    let hidden = r#","other":1,"crossOrigin":true"#;
    assert!(!accepted(&Made::replaced(
        r#","crossOrigin":false"#,
        hidden
    )));
}

#[test]
fn members_of_later_browsers_may_follow_and_text_after_the_object_may_not() {
    let more = r#""crossOrigin":false,"extra":"x"}"#;
    assert!(accepted(&Made::replaced(r#""crossOrigin":false}"#, more)));
    for rest in ["", "}}", "} ", "} {}", ",", " }"] {
        let text = format!(r#""crossOrigin":false{rest}"#);
        let proof = Made::replaced(r#""crossOrigin":false}"#, &text);
        assert!(!accepted(&proof), "{rest:?}");
    }
}

#[test]
fn client_data_in_another_order_or_spacing_is_refused() {
    let reordered = Made::with(|made| {
        made.client_data = format!(
            r#"{{"challenge":"{}","type":"webauthn.get","origin":"{ORIGIN}","crossOrigin":false}}"#,
            challenge(&DIGEST)
        );
    });
    assert!(!accepted(&reordered));
    assert!(!accepted(&Made::replaced(r#"{"type":"#, r#"{ "type":"#)));
    // The member is doubled, and readers differ on which of the two counts.
    let doubled = r#"{"type":"webauthn.create","type":"webauthn.get""#;
    assert!(!accepted(&Made::replaced(
        r#"{"type":"webauthn.get""#,
        doubled
    )));
}

// The tests below change the authenticator data.

#[test]
fn an_assertion_for_another_relying_party_is_refused() {
    for rp_id in ["evil.org", "sign.example.org", ORIGIN] {
        let proof = Made::with(|made| made.rp_id = rp_id.to_owned());
        assert!(!accepted(&proof), "{rp_id}");
    }
}

#[test]
fn an_assertion_without_a_present_person_is_refused() {
    assert!(!accepted(&Made::with(|made| made.flags = 0x04)));
}

#[test]
fn an_assertion_without_a_verified_person_is_refused() {
    assert!(!accepted(&Made::with(|made| made.flags = 0x01)));
}

#[test]
fn a_key_that_may_be_copied_is_accepted_only_where_its_policy_allows_it() {
    let device = passkey(public(&key()), BackupPolicy::DeviceBound);
    let synced = passkey(public(&key()), BackupPolicy::SyncedAllowed);
    // The flag 0x08 means eligible for backup, 0x10 backed up. Both policies refuse backed up
    // without eligible.
    for (flags, device_ok, synced_ok) in [
        (0x00, true, true),
        (0x08, false, true),
        (0x18, false, true),
        (0x10, false, false),
    ] {
        let proof = Made::with(|made| made.flags = UP_UV | flags);
        assert_eq!(verify(&device, &DIGEST, &proof), device_ok, "{flags:#x}");
        assert_eq!(verify(&synced, &DIGEST, &proof), synced_ok, "{flags:#x}");
    }
}

#[test]
fn any_signature_counter_is_accepted() {
    for counter in [0, 1, u32::MAX] {
        assert!(accepted(&Made::with(|made| made.counter = counter)));
    }
}

// The tests below change the signature.

#[test]
fn no_byte_of_an_assertion_can_be_changed_after_it_was_signed() {
    let (data, client, signature) = parts(&Made::new().sign());
    let flips = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let flip = |at: usize| {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1;
            changed
        };
        (0..bytes.len()).map(flip).collect()
    };
    let forged =
        |d: Vec<u8>, c: Vec<u8>, s: Vec<u8>| Proof::WebAuthn(Assertion::new(d, c, s).unwrap());
    for changed in flips(&data) {
        assert!(!accepted(&forged(
            changed,
            client.clone(),
            signature.clone()
        )));
    }
    for changed in flips(&client) {
        assert!(!accepted(&forged(data.clone(), changed, signature.clone())));
    }
    for changed in flips(&signature) {
        assert!(!accepted(&forged(data.clone(), client.clone(), changed)));
    }
}

/// The checks accept any members after `crossOrigin` and extensions after the counter; only the
/// signature protects those bytes.
#[test]
fn nothing_can_be_appended_to_what_was_signed() {
    let (data, client, signature) = parts(&Made::new().sign());
    let longer = [data.clone(), vec![0]].concat();
    let proof = Assertion::new(longer, client.clone(), signature.clone()).unwrap();
    assert!(!accepted(&Proof::WebAuthn(proof)));

    let text = String::from_utf8(client).unwrap();
    let more = text.replace("false}", r#"false,"extra":"x"}"#);
    let proof = Assertion::new(data, more.into_bytes(), signature).unwrap();
    assert!(!accepted(&Proof::WebAuthn(proof)));
}

#[test]
fn an_assertion_by_another_key_is_refused() {
    let other = SigningKey::from_slice(&[10; 32]).unwrap();
    let credential = passkey(public(&other), BackupPolicy::DeviceBound);
    assert!(!verify(&credential, &DIGEST, &Made::new().sign()));
}

/// Each key has one form of proof. Of all combinations of key and proof three are valid. A key of
/// another algorithm with a relying party, which no text of a credential has, is valid with no
/// proof.
#[test]
fn a_key_signs_in_its_own_form_only() {
    let ed = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let by_ed = Proof::Ed25519(ed25519_dalek::Signer::sign(&ed, &DIGEST.0).to_bytes());
    let by_p256 = p256(&key().sign(&DIGEST.0));
    let by_passkey = Made::new().sign();
    let ed = held(
        CredentialClass::Key,
        PublicKey::Ed25519(ed.verifying_key().to_bytes()),
    );
    let with_page = passkey(ed.key, BackupPolicy::DeviceBound);
    let hardware = held(CredentialClass::Key, public(&key()));
    let passkey = passkey(public(&key()), BackupPolicy::DeviceBound);
    for (at, credential) in [ed, hardware, passkey, with_page].iter().enumerate() {
        for (form, proof) in [&by_ed, &by_p256, &by_passkey].into_iter().enumerate() {
            assert_eq!(
                verify(credential, &DIGEST, proof),
                at == form,
                "{credential:?} {proof:?}"
            );
        }
    }
}

#[test]
fn an_ed25519_signature_over_another_digest_or_by_another_key_is_refused() {
    let [key, other] = [3, 4].map(|n| ed25519_dalek::SigningKey::from_bytes(&[n; 32]));
    let proof = Proof::Ed25519(ed25519_dalek::Signer::sign(&key, &DIGEST.0).to_bytes());
    let by = |key: &ed25519_dalek::SigningKey| {
        let public = PublicKey::Ed25519(key.verifying_key().to_bytes());
        held(CredentialClass::Key, public)
    };
    assert!(verify(&by(&key), &DIGEST, &proof));
    assert!(!verify(&by(&key), &Digest([8; 32]), &proof));
    assert!(!verify(&by(&other), &DIGEST, &proof));
}

#[test]
fn both_forms_of_an_ecdsa_signature_are_accepted() {
    let credential = held(CredentialClass::Key, public(&key()));
    let signature: Signature = key().sign(&DIGEST.0);
    assert!(verify(&credential, &DIGEST, &p256(&signature)));
    assert!(verify(&credential, &DIGEST, &p256(&mirrored(&signature))));

    let (data, client, der) = parts(&Made::new().sign());
    let other = mirrored(&Signature::from_der(&der).unwrap()).to_der();
    let proof = Assertion::new(data, client, other.as_bytes().to_vec()).unwrap();
    assert!(accepted(&Proof::WebAuthn(proof)));
}

#[test]
fn an_ecdsa_signature_out_of_range_is_refused() {
    let credential = held(CredentialClass::Key, public(&key()));
    let signature: Signature = key().sign(&DIGEST.0);
    let good: [u8; 64] = signature.to_bytes().as_slice().try_into().unwrap();
    let n = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let n = n.unwrap();
    for half in [0, 32] {
        for value in [vec![0; 32], n.clone(), vec![0xff; 32]] {
            let mut bad = good;
            bad[half..half + 32].copy_from_slice(&value);
            assert!(!verify(&credential, &DIGEST, &Proof::P256(bad)));
        }
    }
    assert!(!verify(&credential, &Digest([8; 32]), &Proof::P256(good)));
}

#[test]
fn der_in_another_encoding_is_refused() {
    let (data, client, der) = parts(&Made::new().sign());
    let (r, s) = Signature::from_der(&der).unwrap().split_bytes();
    let integer = |bytes: &[u8], zeros: usize| {
        let minimal: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
        let sign = usize::from(minimal[0] & 0x80 != 0);
        let value = [vec![0; sign + zeros], minimal].concat();
        [vec![2, u8::try_from(value.len()).unwrap()], value].concat()
    };
    let sequence = |zeros: usize, tail: &[u8]| {
        let body = [integer(&r, zeros), integer(&s, 0), tail.to_vec()].concat();
        [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
    };
    let with = |signature: Vec<u8>| {
        Assertion::new(data.clone(), client.clone(), signature)
            .is_ok_and(|assertion| accepted(&Proof::WebAuthn(assertion)))
    };
    assert_eq!(sequence(0, &[]), der);
    assert!(with(der.clone()));
    assert!(!with(sequence(1, &[])), "a leading zero too many");
    assert!(!with(sequence(0, &[0])), "a byte inside of the sequence");
    assert!(!with([der.clone(), vec![0]].concat()), "a byte after it");
    assert!(!with(der[..der.len() - 1].to_vec()), "cut off");
    let raw = [r.as_slice(), s.as_slice()].concat();
    assert!(!with(raw), "r ‖ s is not DER");
}

// The tests below read and write the encodings.

#[test]
fn an_assertion_of_impossible_lengths_does_not_read() {
    let with = |data: usize, client: usize, signature: usize| {
        let parts = [data, client, signature].map(|n| vec![1; n]);
        let bytes = borsh::to_vec(&(2_u8, &parts[0], &parts[1], &parts[2])).unwrap();
        let read = Proof::try_from_slice(&bytes).is_ok();
        let [data, client, signature] = parts;
        assert_eq!(read, Assertion::new(data, client, signature).is_ok());
        read
    };
    assert!(with(37, 1, 8) && with(256, 1024, 72));
    for (data, client, signature) in [
        (36, 100, 70),
        (257, 100, 70),
        (37, 0, 70),
        (37, 1025, 70),
        (37, 100, 7),
        (37, 100, 73),
    ] {
        assert!(!with(data, client, signature));
    }
}

#[test]
fn the_json_of_each_proof_reads_back_and_nothing_else_does() {
    for proof in [
        Proof::Ed25519([1; 64]),
        Proof::P256([2; 64]),
        Made::new().sign(),
    ] {
        let text = proof.to_json().to_text();
        let read = |text: &str| -> Result<Proof, FormError> {
            let mut fields = Fields::of(Json::parse(text)?, "proof")?;
            let proof = Proof::read(&mut fields)?;
            fields.end().map(|()| proof)
        };
        assert_eq!(read(&text).unwrap(), proof);
        assert!(read(&text.replace(proof.algorithm(), "rsa")).is_err());
        assert!(read(&text.replace("\"signature\"", "\"sig\"")).is_err());
    }
    let (upper, lower) = ("AB".repeat(64), "ab".repeat(64));
    assert!(Proof::ed25519(&lower).is_ok() && Proof::ed25519(&upper).is_err());
    assert!(Proof::p256(&lower).is_ok() && Proof::p256(&upper).is_err());
    assert!(Proof::webauthn(&lower, &lower, &lower).is_ok());
    assert!(Proof::webauthn(&upper, &lower, &lower).is_err());
    assert!(Proof::webauthn(&lower, &upper, &lower).is_err());
    assert!(Proof::webauthn(&lower, &lower, &upper).is_err());
    assert!(Proof::ed25519(&"ab".repeat(63)).is_err());
}
