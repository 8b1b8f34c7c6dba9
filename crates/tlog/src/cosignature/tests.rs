#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::note::{NoteSigner, NoteVerifier};

const BODY: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
const SPEC_LINE: &str = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn key(seed: u8) -> CosignKey {
    CosignKey::new("witness.example/w1", &[seed; 32]).unwrap()
}

#[test]
fn cosignature_bytes_do_not_change() {
    assert_eq!(
        cosigned_message(BODY, 1_679_315_147),
        "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
         CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    );
    let cosignature = cosign(BODY, 1_679_315_147, &key(1)).unwrap();
    assert_eq!(
        key(1).verifier().to_vkey(),
        "witness.example/w1+0ad7d35e+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
    );
    // Another implementation (Python's cryptography package) made this line.
    let line = "— witness.example/w1 CtfTXgAAAABkGFDL0l0pFwTk9MykvW0AWQ7aj3wlQOPdkH/U6S+pa35ceaScuEzSwKfIeJ7i4Fxp8hH+ardr70qwEBhCA4/FskmwAg==\n";
    assert_eq!(cosignature.to_line(), line);
    let bytes = "120000007769746e6573732e6578616d706c652f77315ed3d70acb50186400000000d25d291704e4f4cca4bd6d00590eda8f7c2540e3dd907fd4e92fa96b7e5c79a49cb84cd2c0a7c8789ee2e05c69f211fe6ab76bef4ab0101842038fc5b249b002";
    assert_eq!(hex::encode(borsh::to_vec(&cosignature).unwrap()), bytes);
}

#[test]
fn the_specification_example_line_is_read_with_its_time() {
    let cosignature = Cosignature::parse_line(SPEC_LINE).unwrap();
    assert_eq!(
        (cosignature.time_s, cosignature.key_id),
        (1_679_315_147, 0x8d66_cf3f)
    );
    assert_eq!(cosignature.to_line(), SPEC_LINE);
}

#[test]
fn a_cosignature_verifies_only_for_its_body_time_name_and_key() {
    let (mine, other) = (key(1), key(2));
    let good = cosign(BODY, 100, &mine).unwrap();
    assert_eq!(verify_cosignature(BODY, &good, mine.verifier()), Ok(()));
    assert_eq!(
        verify_cosignature(BODY, &good, other.verifier()),
        Err(CosignatureError::UnknownKey)
    );
    let later = Cosignature {
        time_s: 101,
        ..good.clone()
    };
    assert_eq!(
        verify_cosignature(BODY, &later, mine.verifier()),
        Err(CosignatureError::BadSignature)
    );
    let body = BODY.replace("20852163", "20852164");
    assert_eq!(
        verify_cosignature(&body, &good, mine.verifier()),
        Err(CosignatureError::BadSignature)
    );
    let renamed = Cosignature {
        name: "w2".to_owned(),
        ..good.clone()
    };
    assert_eq!(
        verify_cosignature(BODY, &renamed, mine.verifier()),
        Err(CosignatureError::UnknownKey)
    );
    let posed = Cosignature {
        key_id: other.verifier().key_id(),
        ..good
    };
    assert_eq!(
        verify_cosignature(BODY, &posed, other.verifier()),
        Err(CosignatureError::BadSignature)
    );
}

#[test]
fn only_a_checkpoint_is_cosigned_and_only_at_a_time_the_format_has() {
    for body in [
        "",
        "text\n",
        "o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    ] {
        assert!(matches!(
            cosign(body, 1, &key(1)),
            Err(CosignatureError::NotACheckpoint(_))
        ));
    }
    assert_eq!(
        cosign(BODY, TIME_S_MAX + 1, &key(1)),
        Err(CosignatureError::Time)
    );
    assert!(cosign(BODY, TIME_S_MAX, &key(1)).is_ok());
    let mut late = cosign(BODY, 1, &key(1)).unwrap();
    late.time_s = TIME_S_MAX + 1;
    assert_eq!(
        Cosignature::parse_line(&late.to_line()),
        Err(CosignatureError::Time)
    );
    assert_eq!(
        verify_cosignature(BODY, &late, key(1).verifier()),
        Err(CosignatureError::Time)
    );
    assert!(borsh::from_slice::<Cosignature>(&borsh::to_vec(&late).unwrap()).is_err());
}

#[test]
fn note_and_cosignature_keys_of_one_seed_are_different_keys() {
    let note = NoteSigner::new("witness.example/w1", &[1; 32]).unwrap();
    assert_ne!(note.verifier().key_id(), key(1).verifier().key_id());
    assert!(NoteVerifier::parse(&key(1).verifier().to_vkey()).is_err());
}

#[test]
fn lines_with_another_payload_length_are_refused() {
    let good = cosign(BODY, 1, &key(1)).unwrap().to_note_signature();
    for len in [1, 7, 8, 64, 71, 73] {
        let mut line = good.clone();
        line.payload.resize(len, 0);
        assert_eq!(
            Cosignature::parse_line(&line.to_line()),
            Err(CosignatureError::Malformed)
        );
    }
}

#[test]
fn borsh_refuses_a_bad_name_and_trailing_bytes() {
    let good = cosign(BODY, 1, &key(1)).unwrap();
    let bytes = borsh::to_vec(&good).unwrap();
    assert_eq!(borsh::from_slice::<Cosignature>(&bytes).unwrap(), good);
    assert!(borsh::from_slice::<Cosignature>(&[bytes.as_slice(), &[0]].concat()).is_err());
    for name in [String::new(), "a b".to_owned(), "x".repeat(256)] {
        let bad = borsh::to_vec(&Cosignature {
            name,
            ..good.clone()
        })
        .unwrap();
        assert!(borsh::from_slice::<Cosignature>(&bad).is_err());
    }
    assert!(borsh::from_slice::<Cosignature>(&[0xff; 200]).is_err());
    let mut not_utf8 = bytes;
    not_utf8[4] = 0xff;
    assert!(borsh::from_slice::<Cosignature>(&not_utf8).is_err());
}

proptest! {
    #[test]
    fn borsh_accepts_only_what_it_writes(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(cosignature) = borsh::from_slice::<Cosignature>(&bytes) {
            prop_assert_eq!(borsh::to_vec(&cosignature).unwrap(), bytes);
        }
    }

    #[test]
    fn lines_never_panic(text in "(— [a-z]{1,3} )?[A-Za-z0-9+/=]{0,120}\n?") {
        if let Ok(cosignature) = Cosignature::parse_line(&text) {
            prop_assert_eq!(cosignature.to_line(), text);
        }
    }
}
