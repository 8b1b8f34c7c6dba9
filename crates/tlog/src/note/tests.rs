#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

const SIGNER: &str =
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
const VERIFIER: &str =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
const GOLDEN: &str = "example.com/log/testdata\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\
    — example.com/log/testdata M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgtQc=\n";

fn keys(name: &str, seed: u8) -> (NoteSigner, NoteVerifier) {
    let signer = NoteSigner::new(name, &[seed; 32]).unwrap();
    let verifier = signer.verifier().clone();
    (signer, verifier)
}

fn body_of(note: &str) -> &str {
    &note[..note.find("\n\n").unwrap() + 1]
}

#[test]
fn note_bytes_do_not_change() {
    let signer = NoteSigner::parse(SIGNER).unwrap();
    assert_eq!(sign_note(body_of(GOLDEN), &signer).unwrap(), GOLDEN);
    let verifier = NoteVerifier::parse(VERIFIER).unwrap();
    assert_eq!(
        (verifier.to_vkey().as_str(), verifier.key_id()),
        (VERIFIER, 0x33d7_b496)
    );
    assert_eq!(signer.verifier(), &verifier);
    let verified = verify_note(GOLDEN, &[verifier]).unwrap();
    assert_eq!(
        (verified.body.as_str(), verified.signers, verified.others),
        (body_of(GOLDEN), vec![0], vec![])
    );
}

#[test]
fn signed_note_crate_accepts_our_notes_and_we_accept_its_keys() {
    use signed_note::{StandardVerifier, VerifierList};
    let (signer, verifier) = keys("log.example", 7);
    let note = sign_note("text\n\nmore\n", &signer).unwrap();
    let theirs = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let known = VerifierList::new(vec![Box::new(
        StandardVerifier::new(&verifier.to_vkey()).unwrap(),
    )]);
    assert_eq!(theirs.verify(&known).unwrap().0.len(), 1);
    assert_eq!(
        verify_note(&note, &[verifier]).unwrap().body,
        "text\n\nmore\n"
    );
}

#[test]
fn the_specification_example_is_read() {
    let note = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\
        — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let parsed = Note::parse(note).unwrap();
    assert!(parsed.body().ends_with("\n\ned è subito sera.\n"));
    assert_eq!(parsed.to_text(), note);
}

#[test]
fn a_note_needs_a_known_key_and_refuses_a_bad_or_doubled_one() {
    let (signer, verifier) = keys("log.example", 7);
    let (_, other) = keys("log.example", 8);
    let good = sign_note("text\n", &signer).unwrap();
    assert_eq!(
        verify_note(&good, std::slice::from_ref(&other)),
        Err(NoteError::Unsigned)
    );
    assert_eq!(verify_note(&good, &[]), Err(NoteError::Unsigned));
    assert_eq!(
        verify_note(&good, &[other, verifier.clone()])
            .unwrap()
            .signers,
        [1]
    );
    let tampered = good.replace("text", "Text");
    assert_eq!(
        verify_note(&tampered, std::slice::from_ref(&verifier)),
        Err(NoteError::BadSignature)
    );
    let mut doubled = Note::parse(&good).unwrap();
    doubled.add(doubled.signatures()[0].clone()).unwrap();
    assert_eq!(
        verify_note(&doubled.to_text(), std::slice::from_ref(&verifier)),
        Err(NoteError::BadSignature)
    );
    let mut short = Note::parse(&good).unwrap().signatures()[0].clone();
    short.payload.pop();
    let short = format!("text\n\n{}", short.to_line());
    assert_eq!(
        verify_note(&short, &[verifier]),
        Err(NoteError::BadSignature)
    );
}

#[test]
fn one_good_key_does_not_excuse_a_bad_signature_of_another() {
    let ((first, first_key), (second, second_key)) = (keys("a", 1), keys("b", 2));
    let mut note = Note::parse(&sign_note("text\n", &first).unwrap()).unwrap();
    let foreign = sign_note("other\n", &second).unwrap();
    note.add(Note::parse(&foreign).unwrap().signatures()[0].clone())
        .unwrap();
    assert_eq!(
        verify_note(&note.to_text(), &[first_key, second_key]),
        Err(NoteError::BadSignature)
    );
}

#[test]
fn malformed_notes_are_refused() {
    let line = GOLDEN.split_once("\n\n").unwrap().1;
    for bad in [
        String::new(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\n{line}"),
        format!("\n{line}"),
        format!("text\n\n{line}x"),
        format!("text\n\n{line}\n"),
        format!("te\rxt\n\n{line}"),
        format!("te\0xt\n\n{line}"),
        format!("text\n\n{}", line.trim_end()),
        format!("text\n\n{}", line.replace("c=\n", "c=\r\n")),
        format!("text\n\n{}", line.replace("c=\n", "d=\n")),
        format!("text\n\n{}", line.replace("c=\n", "c\n")),
        format!("text\n\n{}", line.replace("— ", "- ")),
        format!("text\n\n{}", line.replace("— ", "—  ")),
        format!("text\n\n{}", line.replace("example.com", "example+com")),
        format!(
            "text\n\n{}",
            line.replace("example.com", "example\u{a0}com")
        ),
        "text\n\n— name AAAAAA==\n".to_owned(),
    ] {
        assert!(Note::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn notes_are_bounded() {
    let line = GOLDEN.split_once("\n\n").unwrap().1;
    assert!(Note::parse(&format!("text\n\n{}", line.repeat(SIGNATURES_MAX))).is_ok());
    let many = format!("text\n\n{}", line.repeat(SIGNATURES_MAX + 1));
    assert_eq!(Note::parse(&many), Err(NoteError::TooLarge));
    let long = format!("{}\n\n{line}", "x".repeat(NOTE_LEN_MAX));
    assert_eq!(Note::parse(&long), Err(NoteError::TooLarge));
    let signer = NoteSigner::parse(SIGNER).unwrap();
    let body = format!("{}\n", "x".repeat(NOTE_LEN_MAX - 10));
    assert_eq!(sign_note(&body, &signer), Err(NoteError::TooLarge));
    let mut full = Note::parse(&format!("text\n\n{}", line.repeat(SIGNATURES_MAX))).unwrap();
    assert_eq!(
        full.add(full.signatures()[0].clone()),
        Err(NoteError::TooLarge)
    );
}

#[test]
fn a_text_that_looks_like_a_cosignature_or_is_not_a_note_text_is_not_signed() {
    let (signer, _) = keys("log.example", 7);
    let foreign = sign_note("cosignature/v1\ntime 1\no\n", &signer);
    assert_eq!(foreign, Err(NoteError::ForeignText));
    for bad in ["", "no newline", "tab\t\n"] {
        assert_eq!(sign_note(bad, &signer), Err(NoteError::Malformed));
    }
}

#[test]
fn key_strings_are_read_only_when_canonical() {
    let body = VERIFIER.rsplit_once('+').unwrap().0;
    for bad in [
        VERIFIER.replace("33d7b496", "33D7B496"),
        VERIFIER.replace("33d7b496", "33d7b497"),
        VERIFIER.replace("33d7b496", "033d7b496"),
        VERIFIER.replace("testdata", "testdatb"),
        VERIFIER.replace("+Ae", "+Be"),
        VERIFIER.replace("kkSx", "kkS"),
        format!("{VERIFIER}\n"),
        body.to_owned(),
        String::new(),
    ] {
        assert!(NoteVerifier::parse(&bad).is_err(), "{bad:?}");
    }
    assert_eq!(
        key::Verifier::<0x04>::parse(VERIFIER),
        Err(KeyError::WrongType)
    );
    for bad in [
        SIGNER.replace("33d7b496", "33d7b497"),
        SIGNER.replace("PRIVATE", "PUBLIC"),
        format!("{SIGNER} "),
    ] {
        assert!(NoteSigner::parse(&bad).is_err(), "{bad:?}");
    }
    for name in [
        "",
        "a b",
        "a+b",
        "a\u{2003}b",
        "a\nb",
        "a\u{1}b",
        &"x".repeat(256),
    ] {
        assert_eq!(
            NoteSigner::new(name, &[1; 32]).err(),
            Some(KeyError::Name),
            "{name:?}"
        );
    }
}

#[test]
fn small_order_and_undecodable_public_keys_are_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(NoteVerifier::new("a", &identity), Err(KeyError::BadPoint));
    assert_eq!(NoteVerifier::new("a", &[0; 32]), Err(KeyError::BadPoint));
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert_eq!(NoteVerifier::new("a", &no_point), Err(KeyError::BadPoint));
}

#[test]
fn a_signature_with_s_plus_the_group_order_is_refused() {
    let (signer, verifier) = keys("log.example", 7);
    let mut note = Note::parse(&sign_note("text\n", &signer).unwrap()).unwrap();
    let order =
        hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0u16;
    for (byte, add) in note.signatures[0].payload[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(
        verify_note(&note.to_text(), &[verifier]),
        Err(NoteError::BadSignature)
    );
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "shows what plain verification lets through"
)]
fn a_signature_with_a_small_order_point_is_refused() {
    use curve25519_dalek::Scalar;
    use ed25519_dalek::Verifier as _;
    use sha2::Digest as _;
    // R = identity and s = k·a satisfy the plain verification equation, but not the strict one.
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let mut identity = [0; 32];
    identity[0] = 1;
    let public = key.verifying_key();
    let hash = sha2::Sha512::new()
        .chain_update(identity)
        .chain_update(public)
        .chain_update(b"text\n");
    let s = Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * key.to_scalar();
    let payload = [identity, s.to_bytes()].concat();
    let plain = ed25519_dalek::Signature::from_slice(&payload).unwrap();
    assert!(
        public.verify(b"text\n", &plain).is_ok(),
        "the forgery must fool plain verification"
    );
    let (_, verifier) = keys("log.example", 7);
    let line = NoteSignature {
        name: "log.example".to_owned(),
        key_id: verifier.key_id(),
        payload,
    };
    let note = format!("text\n\n{}", line.to_line());
    assert_eq!(
        verify_note(&note, &[verifier]),
        Err(NoteError::BadSignature)
    );
}

#[test]
fn a_signing_key_never_prints_its_seed() {
    let signer = NoteSigner::new("log.example", &[0x5a; 32]).unwrap();
    assert_eq!(format!("{signer:?}"), "SecretKey log.example(..)");
}

proptest! {
    #[test]
    fn parse_accepts_only_what_to_text_writes(text in "(\\PC|\n|— a AAAAAAA=\n){0,40}(— (a|b|é) AAAAA[A-Z]A=\n){0,3}") {
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.to_text(), text);
        }
    }

    #[test]
    fn any_changed_byte_of_a_note_is_refused(at in 0usize..GOLDEN.len(), bit in 0u8..8) {
        let mut bytes = GOLDEN.as_bytes().to_vec();
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            let verifier = NoteVerifier::parse(VERIFIER).unwrap();
            prop_assert!(verify_note(&text, &[verifier]).is_err());
        }
    }

    #[test]
    fn key_parsers_never_panic(text in "\\PC{0,80}") {
        let _ = (NoteVerifier::parse(&text), NoteSigner::parse(&text), NoteSignature::parse_line(&text));
    }
}
