//! Published vectors of RFC 6979 and W3C WebAuthn Level 3.

use super::*;
use serde_json::Value;

/// RFC 6979 Appendix A.2.5 with SHA-256. The s of "sample" is above n / 2.
#[test]
fn rfc_6979_signatures_verify() {
    let x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
    let key = lower_hex(&format!("03{x}")).unwrap();
    let signature = |r: &str, s: &str| {
        let bytes = hex::decode(format!("{r}{s}")).unwrap();
        Signature::from_slice(&bytes).unwrap()
    };
    let sample = signature(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );
    let test = signature(
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    );
    assert!(verify_p256(&key, b"sample", &sample));
    assert!(verify_p256(&key, b"test", &test));
    assert!(!verify_p256(&key, b"test", &sample));
}

/// All ES256 authentications of the specification. Their signatures verify, and exactly those are
/// accepted that a verified person made outside of another site's frame.
#[test]
fn webauthn_level_3_vectors() {
    let file: Value = serde_json::from_str(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/vectors/webauthn-l3-es256.json"
    )))
    .unwrap();
    let mut accepted = Vec::new();
    let cases = file["authentications"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let text = |member: &str| case[member].as_str().unwrap();
        let key = PublicKey::from_text("p256", text("public_key")).unwrap();
        let data = ["authenticator_data", "client_data", "signature"].map(text);
        let proof = Proof::webauthn(data[0], data[1], data[2]).unwrap();

        let (PublicKey::P256(point), Proof::WebAuthn(assertion)) = (key, &proof) else {
            panic!()
        };
        assert!(webauthn::is_signed(&point, assertion), "{}", text("anchor"));

        let digest = Digest(lower_hex(text("challenge")).unwrap());
        let mut credential = passkey(key, BackupPolicy::SyncedAllowed);
        credential.web.as_mut().unwrap().rp_id = file["rp_id"].as_str().unwrap().to_owned();
        if verify(&credential, &digest, &proof) {
            accepted.push(text("anchor").replace("sctn-test-vectors-", ""));
        }
    }
    let wanted = ["none-es256-long-credential-id", "packed-es256", "tpm-es256"];
    assert_eq!(accepted, wanted);
}
