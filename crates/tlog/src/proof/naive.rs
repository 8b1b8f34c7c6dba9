//! RFC 6962 §2.1, transcribed word for word, as the oracle for the tests.
#![allow(clippy::indexing_slicing)]

use crate::hash::{Hash, node_hash};

fn k(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

pub fn mth(d: &[Hash]) -> Hash {
    match d {
        [] => Hash::EMPTY_ROOT,
        [leaf] => *leaf,
        _ => node_hash(mth(&d[..k(d.len())]), mth(&d[k(d.len())..])),
    }
}

pub fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    let n = d.len();
    if n == 1 {
        return Vec::new();
    }
    let k = k(n);
    let (mut proof, last) = if m < k {
        (path(m, &d[..k]), mth(&d[k..]))
    } else {
        (path(m - k, &d[k..]), mth(&d[..k]))
    };
    proof.push(last);
    proof
}

pub fn subproof(m: usize, d: &[Hash], whole: bool) -> Vec<Hash> {
    let n = d.len();
    if m == n {
        return if whole { Vec::new() } else { vec![mth(d)] };
    }
    let k = k(n);
    let (mut proof, last) = if m <= k {
        (subproof(m, &d[..k], whole), mth(&d[k..]))
    } else {
        (subproof(m - k, &d[k..], false), mth(&d[..k]))
    };
    proof.push(last);
    proof
}
