//! Borsh bytes, in hex, of the types that services exchange.

use crate::texts::intent;
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::attempt::unsigned_digest;
use strongroom_types::credential::{BackupPolicy, PublicKey, RelyingParty};
use strongroom_types::json::TEXT_BYTES_MAX;
use strongroom_types::proof::Assertion;
use strongroom_types::signed::{SIGNED_JSON_BYTES_MAX, SignedError};
use strongroom_types::*;

fn golden<T: BorshSerialize + BorshDeserialize + PartialEq + std::fmt::Debug>(
    value: &T,
    hex: &str,
) {
    let bytes = borsh::to_vec(value).unwrap();
    assert_eq!(hex::encode(&bytes), hex);
    assert_eq!(T::try_from_slice(&bytes).unwrap(), *value);
}

fn repeat(byte: u8, times: usize) -> String {
    hex::encode(vec![byte; times])
}

#[test]
fn signed_bytes_do_not_change() {
    let endorsement = |n: u8| Endorsement {
        credential: CredentialId([n; 16]),
        proof: Proof::Ed25519([n + 16; 64]),
    };
    let signed = Signed {
        text: "{}".to_owned(),
        endorsements: vec![endorsement(1), endorsement(2)],
    };
    let expected = [
        "02000000".to_owned(),
        "7b7d".to_owned(),
        "02000000".to_owned(),
        repeat(1, 16),
        repeat(0, 1),
        repeat(17, 64),
        repeat(2, 16),
        repeat(0, 1),
        repeat(18, 64),
    ];
    golden(&signed, &expected.concat());
}

#[test]
fn proof_bytes_do_not_change() {
    let p256 = Proof::P256([5; 64]);
    golden(&p256, &["01".to_owned(), repeat(5, 64)].concat());
    let assertion = Assertion::new(vec![6; 37], vec![7; 2], vec![8; 9]).unwrap();
    let expected = [
        "02".to_owned(),
        "25000000".to_owned(),
        repeat(6, 37),
        "02000000".to_owned(),
        repeat(7, 2),
        "09000000".to_owned(),
        repeat(8, 9),
    ];
    golden(&Proof::WebAuthn(assertion), &expected.concat());
}

#[test]
fn credential_bytes_do_not_change() {
    let credential = Credential {
        id: CredentialId([1; 16]),
        user: Some(UserId([2; 16])),
        class: CredentialClass::Passkey,
        key: PublicKey::P256([3; 33]),
        web: Some(RelyingParty {
            rp_id: "a".to_owned(),
            origins: vec!["b".to_owned()],
            backup: BackupPolicy::SyncedAllowed,
        }),
    };
    let expected = [
        repeat(1, 16),
        "01".to_owned(),
        repeat(2, 16),
        "02".to_owned(),
        "01".to_owned(),
        repeat(3, 33),
        "01".to_owned(),
        "0100000061".to_owned(),
        "010000000100000062".to_owned(),
        "01".to_owned(),
    ];
    golden(&credential, &expected.concat());
}

#[test]
fn signed_json_does_not_change() {
    let endorsement = Endorsement {
        credential: CredentialId([1; 16]),
        proof: Proof::Ed25519([2; 64]),
    };
    let signed = Signed {
        text: "{\"a\":\"b\"}".to_owned(),
        endorsements: vec![endorsement],
    };
    let expected = format!(
        "{{\"endorsements\":[{{\"credential\":\"crd_{}\",\"proof\":{{\"algorithm\":\"ed25519\",\"signature\":\"{}\"}}}}],\"text\":\"{{\\\"a\\\":\\\"b\\\"}}\"}}",
        repeat(1, 16),
        repeat(2, 64)
    );
    assert_eq!(signed.to_json().to_text(), expected);
    assert_eq!(Signed::from_json(&expected), Ok(signed));
}

/// A full board of passkeys, each proof of the largest size, under a text of the largest size of
/// which every character is escaped.
#[test]
fn the_largest_signed_container_is_within_the_bound_of_its_json() {
    let part = |bytes| vec![0xff; bytes];
    let assertion = Assertion::new(part(256), part(1_024), part(72)).unwrap();
    let endorsements = (0..32).map(|n| Endorsement {
        credential: CredentialId([n; 16]),
        proof: Proof::WebAuthn(assertion.clone()),
    });
    let largest = Signed {
        text: "\"".repeat(TEXT_BYTES_MAX),
        endorsements: endorsements.collect(),
    };
    let json = largest.to_json().to_text();
    assert!(json.len() <= SIGNED_JSON_BYTES_MAX, "{}", json.len());
    assert_eq!(Signed::from_json(&json), Ok(largest));

    // To the byte. A text this long cannot be a document, but the container reads.
    let frame = Signed {
        text: String::new(),
        endorsements: Vec::new(),
    };
    let spare = SIGNED_JSON_BYTES_MAX - frame.to_json().to_text().len();
    for (bytes, is_read) in [(spare, true), (spare + 1, false)] {
        let signed = Signed {
            text: "a".repeat(bytes),
            ..frame.clone()
        };
        let json = signed.to_json().to_text();
        assert_eq!(Signed::from_json(&json).is_ok(), is_read, "{bytes}");
    }
}

/// A reader must refuse a member that it does not know: otherwise it would pass it on as if it had
/// checked it.
#[test]
fn a_signed_container_with_a_member_more_does_not_read() {
    let credential = SigningCredential::new(CredentialId([4; 16]), &[7; 32]);
    let text = Signed::by(&intent(), &credential).to_json().to_text();
    assert!(Signed::from_json(&text).is_ok());
    for (from, to) in [
        ("{\"endorsements\"", "{\"a\":\"b\",\"endorsements\""),
        ("{\"credential\"", "{\"a\":\"b\",\"credential\""),
        ("{\"algorithm\"", "{\"a\":\"b\",\"algorithm\""),
    ] {
        assert!(text.contains(from), "{from}");
        let more = text.replacen(from, to, 1);
        assert!(Signed::from_json(&more).is_err(), "{from}");
    }
}

/// A doubled signature could count twice, and another order would be a second encoding of one
/// container.
#[test]
fn a_signed_container_has_its_signatures_once_each_and_in_one_order() {
    let mut signed = Signed::draft(&intent());
    let open = |signed: &Signed| signed.open::<Intent>().map(drop);
    assert_eq!(open(&signed), Err(SignedError::Order), "none");

    let sign = |signed: &mut Signed, n: u8| {
        signed.endorse::<Intent>(&SigningCredential::new(CredentialId([n; 16]), &[n; 32]));
    };
    (1..=32).for_each(|n| sign(&mut signed, n));
    assert_eq!(open(&signed), Ok(()));
    let mut swapped = signed.clone();
    swapped.endorsements.swap(0, 1);
    assert_eq!(open(&swapped), Err(SignedError::Order));
    let mut doubled = signed.clone();
    doubled.endorsements[1] = doubled.endorsements[0].clone();
    assert_eq!(open(&doubled), Err(SignedError::Order));
    sign(&mut signed, 33);
    assert_eq!(open(&signed), Err(SignedError::Order), "33");
}

/// Ed25519 (RFC 8032) is deterministic, so key and text fix the signature.
#[test]
fn a_signature_over_an_intent_does_not_change() {
    let credential = SigningCredential::new(CredentialId([4; 16]), &[7; 32]);
    let signed = Signed::by(&intent(), &credential);
    let Proof::Ed25519(signature) = signed.endorsements[0].proof else {
        panic!("a seed signs with Ed25519");
    };
    assert!(strongroom_types::signed::verify_digest(
        &credential.public_key(),
        &intent().digest(),
        &signature
    ));
    let golden = digest(
        "test",
        &[&credential.public_key(), signed.text.as_bytes(), &signature],
    );
    assert_eq!(golden.to_string(), SIGNATURE);
}
const SIGNATURE: &str = "7b677f44348c35817fb1c68471e1c74b50e6bde4b33d1fc0a5af087f588af02f";

#[test]
fn attempt_bytes_do_not_change() {
    let key = |text: &str| ConflictKey::Coin(text.to_owned());
    let attempt = Attempt {
        intent: Digest([1; 32]),
        number: 258,
        kind: AttemptKind::Cancel,
        parent: None,
        anchor: key("a:0"),
        conflict_keys: vec![key("a:0"), key("b:1")],
        unsigned_digest: Digest([2; 32]),
        fee_max: 772.into(),
    };
    let expected = [
        repeat(1, 32),
        "02010000".to_owned(),
        "02".to_owned(),
        "00".to_owned(),
        "0003000000613a30".to_owned(),
        "02000000".to_owned(),
        "0003000000613a30".to_owned(),
        "0003000000623a31".to_owned(),
        repeat(2, 32),
        repeat(0, 30),
        "0304".to_owned(),
    ];
    golden(&attempt, &expected.concat());
    assert_eq!(
        [
            AttemptKind::Pay,
            AttemptKind::Bump,
            AttemptKind::Cancel,
            AttemptKind::Child
        ]
        .map(|kind| kind as u8),
        [0, 1, 2, 3]
    );
    golden(&Some(258_u32), "0102010000");
    assert_eq!(
        unsigned_digest(b"tx").to_string(),
        digest("strongroom/unsigned-transaction/v1", &[b"tx"]).to_string()
    );
}

#[test]
fn conflict_key_bytes_do_not_change() {
    golden(&ConflictKey::Coin("a".to_owned()), "000100000061");
    let sequence = ConflictKey::Sequence {
        account: "a".to_owned(),
        number: 258,
    };
    golden(&sequence, "0101000000610201000000000000");
    let once = ConflictKey::Once(Digest([1; 32]));
    golden(&once, &format!("02{}", repeat(1, 32)));
}

#[test]
fn refusal_bytes_do_not_change() {
    golden(&Refusal::new(Code::Dust, "x"), "04000000647573740100000078");
}

#[test]
fn scope_bytes_do_not_change() {
    golden(&Scope::Platform, "00");
    golden(
        &Scope::Tenant(TenantId([9; 16])),
        &format!("01{}", repeat(9, 16)),
    );
}

#[test]
fn ids_and_texts_that_are_not_valid_do_not_decode() {
    let text = |text: &str| borsh::to_vec(text).unwrap();
    assert!(Name::try_from_slice(&text(" x")).is_err());
    assert!(ChainId::try_from_slice(&text("bitcoin")).is_err());
    assert!(AssetId::try_from_slice(&text("bip122:0f91")).is_err());
    assert!(Code::try_from_slice(&text("no_such_code")).is_err());
    assert!(AttemptKind::try_from_slice(&[4]).is_err());
}
