#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::{CosignKey, MemoryTree, NoteSigner, cosign, inclusion_proof, leaf_hash, sign_note};

fn leaf(i: u64) -> Hash {
    leaf_hash(&i.to_be_bytes())
}

/// A proof of entry 5 of 11, with cosignatures of three witnesses at 100, 101 and 102 Unix seconds.
fn setup() -> (Proof, LogPolicy) {
    let log = NoteSigner::new("log.example", &[9; 32]).unwrap();
    let witnesses: Vec<CosignKey> = (1..=3)
        .map(|i| CosignKey::new(&format!("w{i}"), &[i; 32]).unwrap())
        .collect();
    let tree: MemoryTree = (0..11).map(leaf).collect();
    let body = Checkpoint::with_state("log.example", 11, tree.root_at(11).unwrap(), leaf(0))
        .unwrap()
        .to_body();
    let mut checkpoint = Note::parse(&sign_note(&body, &log).unwrap()).unwrap();
    for (time, key) in (100..).zip(&witnesses) {
        checkpoint
            .add(cosign(&body, time, key).unwrap().to_note_signature())
            .unwrap();
    }
    let hashes = inclusion_proof(&tree, 5, 11).unwrap();
    let policy = LogPolicy {
        origin: "log.example".to_owned(),
        log: log.verifier().clone(),
        witnesses: witnesses.iter().map(|key| key.verifier().clone()).collect(),
        quorum: 2,
    };
    (
        Proof {
            extra: Vec::new(),
            index: 5,
            hashes,
            checkpoint,
        },
        policy,
    )
}

#[test]
fn a_proof_survives_its_text_and_verifies_offline() {
    let (mut proof, policy) = setup();
    for extra in [Vec::new(), b"not trusted".to_vec()] {
        proof.extra = extra;
        let read = Proof::parse(&proof.to_text()).unwrap();
        assert_eq!(read, proof);
        let proven = read.verify(leaf(5), &policy, 200).unwrap();
        assert_eq!((proven.checkpoint.size(), proven.witnessed_at_s), (11, 101));
        assert_eq!(proven.checkpoint.state_root(), Some(leaf(0)));
    }
}

#[test]
fn proof_text_does_not_change() {
    let (mut proof, _) = setup();
    proof.extra = b"x".to_vec();
    let text = proof.to_text();
    let head = format!(
        "c2sp.org/tlog-proof@v1\nextra eA==\nindex 5\n{}\n{}\n{}\n{}\n\nlog.example\n11\n",
        proof.hashes[0], proof.hashes[1], proof.hashes[2], proof.hashes[3]
    );
    assert!(text.starts_with(&head), "{text}");
    assert!(text.ends_with(&proof.checkpoint.to_text()));
}

#[test]
fn each_check_of_a_proof_refuses_on_its_own() {
    let (proof, policy) = setup();
    let wrong_root = Err(TlogProofError::Inclusion(ProofError::WrongRoot));
    assert_eq!(proof.verify(leaf(6), &policy, 200), wrong_root);
    let moved = Proof {
        index: 4,
        ..proof.clone()
    };
    assert_eq!(moved.verify(leaf(5), &policy, 200), wrong_root);
    let elsewhere = LogPolicy {
        origin: "other.example".to_owned(),
        ..policy.clone()
    };
    assert_eq!(
        proof.verify(leaf(5), &elsewhere, 200),
        Err(TlogProofError::WrongOrigin)
    );
    let stranger = NoteSigner::new("log.example", &[8; 32]).unwrap();
    let other_log = LogPolicy {
        log: stranger.verifier().clone(),
        ..policy.clone()
    };
    assert_eq!(
        proof.verify(leaf(5), &other_log, 200),
        Err(TlogProofError::Note(NoteError::Unsigned))
    );
    for quorum in [0, 4] {
        let strict = LogPolicy {
            quorum,
            ..policy.clone()
        };
        assert_eq!(
            proof.verify(leaf(5), &strict, 200),
            Err(TlogProofError::NotWitnessed)
        );
    }
    assert_eq!(
        proof.verify(leaf(5), &policy, 100),
        Err(TlogProofError::NotWitnessed)
    );
}

#[test]
fn proof_texts_that_are_not_canonical_are_refused() {
    let (proof, _) = setup();
    let text = proof.to_text();
    let hash = format!("{}\n", proof.hashes[0]);
    for bad in [
        String::new(),
        text.replace("@v1", "@v2"),
        text.replace("index 5", "index 05"),
        text.replace("index 5", "index -5"),
        text.replace("index 5", "Index 5"),
        text.replace("index 5\n", ""),
        text.replace("index 5\n", "extra \nindex 5\n"),
        text.replace("index 5\n", "extra eA==\nextra eA==\nindex 5\n"),
        text.replace("index 5\n", "extra eB==\nindex 5\n"),
        text.replace("index 5\n", "index 5\n\n"),
        text.replace(&hash, &hash.replace('=', "")),
        text.replace(&hash, &hash.repeat(64)),
        format!("{text}\n"),
        format!("{text}x"),
        text.replace(
            "index 5\n",
            &format!("extra {}\nindex 5\n", text::base64(&[0; EXTRA_LEN_MAX + 1])),
        ),
    ] {
        assert!(Proof::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_oversized_proof_text_is_refused_before_its_parts_are_read() {
    let text = setup().0.to_text();
    let oversized = format!("{text}{}", "x".repeat(2 * NOTE_LEN_MAX));
    assert_eq!(Proof::parse(&oversized), Err(TlogProofError::Malformed));
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_proof_is_refused_or_leaves_it_the_same(at: prop::sample::Index, bit in 0u8..8) {
        let (proof, mut policy) = setup();
        policy.quorum = 3;
        let mut bytes = proof.to_text().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            let accepted = Proof::parse(&changed).and_then(|proof| proof.verify(leaf(5), &policy, 200));
            prop_assert!(accepted.is_err());
        }
    }

    #[test]
    fn parse_never_panics(tail in "(\\PC|\n){0,120}") {
        let text = format!("{HEADER}{tail}");
        if let Ok(proof) = Proof::parse(&text) {
            prop_assert_eq!(proof.to_text(), text);
        }
    }
}
