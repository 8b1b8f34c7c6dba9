#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;
use crate::{cosign, cosignature::CosignKey};

const BODY: &str = "o\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

fn keys(n: u8) -> Vec<CosignKey> {
    (0..n)
        .map(|i| CosignKey::new(&format!("w{i}"), &[i + 1; 32]).unwrap())
        .collect()
}

fn verifiers(keys: &[CosignKey]) -> Vec<CosignVerifier> {
    keys.iter().map(|key| key.verifier().clone()).collect()
}

#[test]
fn the_default_rosters_have_the_quorums_of_the_journal() {
    // Each row is (t, signers, independent witnesses, quorum).
    let table = [
        (2, 3, 1, 3),
        (2, 3, 3, 4),
        (3, 5, 2, 5),
        (5, 7, 2, 7),
        (10, 15, 5, 15),
        (18, 24, 6, 24),
    ];
    for (t, signers, independent, k) in table {
        assert_eq!(
            quorum(signers + independent, faults_assumed(t)),
            k,
            "{t}-of-{signers} + {independent}"
        );
    }
    assert_eq!(
        (
            faults_assumed(0),
            faults_assumed(1),
            faults_assumed(2),
            faults_assumed(3)
        ),
        (1, 1, 1, 2)
    );
}

#[test]
fn only_distinct_known_valid_and_not_future_cosignatures_count() {
    let keys = keys(4);
    let known = verifiers(&keys[..3]);
    let good = |i: usize, time| cosign(BODY, time, &keys[i]).unwrap();
    let mut broken = good(1, 100);
    broken.signature[0] ^= 1;
    let unknown = good(3, 100);
    let list = [
        good(0, 90),
        good(0, 95),
        good(0, 80),
        broken,
        good(2, 121),
        unknown,
    ];
    assert_eq!(valid_cosignatures(BODY, &list, &known, 120), [(0, 95)]);
    assert_eq!(
        valid_cosignatures(BODY, &list, &known, 121),
        [(0, 95), (2, 121)]
    );
    assert_eq!(
        valid_cosignatures(&BODY.replace('7', "8"), &list, &known, 121),
        []
    );
}

#[test]
fn an_invalid_newer_cosignature_does_not_hide_a_valid_older_one() {
    let keys = keys(1);
    let old = cosign(BODY, 90, &keys[0]).unwrap();
    let forged = Cosignature {
        time_s: 100,
        ..old.clone()
    };
    assert_eq!(
        valid_cosignatures(BODY, &[forged, old], &verifiers(&keys), 200),
        [(0, 90)]
    );
}

#[test]
fn one_key_under_two_names_is_one_witness() {
    let (a, b) = (
        CosignKey::new("a", &[1; 32]).unwrap(),
        CosignKey::new("b", &[1; 32]).unwrap(),
    );
    let list = [cosign(BODY, 10, &a).unwrap(), cosign(BODY, 11, &b).unwrap()];
    let roster = [a.verifier().clone(), b.verifier().clone()];
    assert_eq!(valid_cosignatures(BODY, &list, &roster, 20), [(0, 11)]);
}

#[test]
fn witnessed_at_is_the_kth_newest_time_of_distinct_witnesses() {
    let cosigned = [(0, 100), (1, 90), (2, 80), (0, 70), (3, 60)];
    let expected = [None, Some(100), Some(90), Some(80), Some(60), None];
    for (k, time) in expected.into_iter().enumerate() {
        assert_eq!(
            witnessed_at(u32::try_from(k).unwrap(), &cosigned),
            time,
            "{k}"
        );
    }
    assert_eq!(witnessed_at(u32::MAX, &cosigned), None);
    assert_eq!(witnessed_at(1, &[]), None);
    assert_eq!(witnessed_at(2, &[(5, 1), (5, 2)]), None);
}

proptest! {
    #[test]
    fn two_quorums_share_more_witnesses_than_may_lie(w: u16, f: u16) {
        let k = u64::from(quorum(w, f));
        let overlap_min = (2 * k).saturating_sub(u64::from(w));
        prop_assert!(overlap_min > u64::from(f));
        // One less would not be enough.
        let smaller = (2 * (k - 1)).saturating_sub(u64::from(w));
        prop_assert!(smaller <= u64::from(f));
    }
}
