//! Quorum arithmetic of the journal: witnesses needed, valid cosignatures, and time of the quorum.

use std::collections::BTreeMap;

use crate::cosignature::{CosignVerifier, Cosignature, verify_cosignature};

#[cfg(test)]
mod tests;

/// Number of cosignatures that a head needs among `witnesses`, of which `faulty` may lie: ⌊(w + f)
/// / 2⌋ + 1, so that any two quorums share an honest witness. A result above `witnesses` means that
/// no such quorum exists and the roster must be refused.
#[must_use]
pub fn quorum(witnesses: u16, faulty: u16) -> u32 {
    (u32::from(witnesses) + u32::from(faulty)) / 2 + 1
}

/// Smallest `f` to assume when `min_signers` (t) of the signers can sign: max(1, t − 1), because
/// the t − 1 signers that may be hostile are witnesses too.
#[must_use]
pub fn faults_assumed(min_signers: u16) -> u16 {
    min_signers.saturating_sub(1).max(1)
}

/// Distinct known witnesses with a valid cosignature over `body`, each with the time of its
/// newest one.
///
/// Returns `(index into witnesses, Unix seconds)` in index order. Cosignatures by unknown keys,
/// invalid ones and those later than `latest_s` (the caller's clock plus allowed skew) do not
/// count. Two entries of `witnesses` with the same public key are one witness (the first): the
/// signed message does not name the witness.
#[must_use]
pub fn valid_cosignatures(
    body: &str,
    cosignatures: &[Cosignature],
    witnesses: &[CosignVerifier],
    latest_s: u64,
) -> Vec<(usize, u64)> {
    let mut newest = BTreeMap::<usize, u64>::new();

    // A cosignature with a future time is not counted: it would make a head look fresh until that
    // time has passed.
    for cosignature in cosignatures.iter().filter(|c| c.time_s <= latest_s) {
        let signed_by =
            |w: &CosignVerifier| w.name() == cosignature.name && w.key_id() == cosignature.key_id;
        let Some(witness) = witnesses.iter().find(|w| signed_by(w)) else {
            continue;
        };

        // One key under two names counts as one witness; otherwise one machine could be the whole
        // quorum.
        let same_key = |w: &CosignVerifier| w.public_key() == witness.public_key();
        let Some(index) = witnesses.iter().position(same_key) else {
            continue;
        };

        let time = cosignature.time_s;
        // A cosignature that is older than the newest known one adds nothing, so its signature is
        // not checked.
        if newest.get(&index).is_none_or(|known| *known < time)
            && verify_cosignature(body, cosignature, witness).is_ok()
        {
            newest.insert(index, time);
        }
    }

    newest.into_iter().collect()
}

/// Time of the `k`-th newest cosignature among distinct witnesses: since then `k` witnesses have
/// signed this or a later statement.
///
/// `cosigned` holds `(witness, time)` pairs of *valid* cosignatures over one checkpoint body;
/// several of one witness count once, at the newest time. `None` if fewer than `k` witnesses
/// signed, or `k` is 0.
#[must_use]
pub fn witnessed_at(k: u32, cosigned: &[(usize, u64)]) -> Option<u64> {
    let mut newest = BTreeMap::<usize, u64>::new();
    for (witness, time) in cosigned {
        let known = newest.entry(*witness).or_insert(*time);
        *known = (*known).max(*time);
    }

    // The result is the oldest of the k newest times, so that a single witness cannot make the head
    // look fresher than its quorum.
    let mut times: Vec<u64> = newest.into_values().collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.get(usize::try_from(k.checked_sub(1)?).ok()?).copied()
}
