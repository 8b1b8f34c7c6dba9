//! Which signatures this thread has verified: one simulated installation runs on one thread, and
//! each of its replicas verifies the same ones again.
//!
//! Verification is a pure function, so remembering changes no result. Only what the strict rule
//! accepted is kept: whatever is false is judged again each time.

use crate::Claim;
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Most that is remembered, some 50 bytes each; then all is forgotten at once.
const MOST: usize = 1 << 16;

thread_local! {
    static VERIFIED: RefCell<BTreeSet<[u8; 32]>> = const { RefCell::new(BTreeSet::new()) };
}

/// Whether the claim was verified here before, or `verify` says so now.
pub(crate) fn known_or(claim: Claim<'_>, verify: impl FnOnce() -> bool) -> bool {
    // The two fields of fixed length come first: no two claims are hashed as the same bytes.
    let name: [u8; 32] = Sha256::new()
        .chain_update(claim.key)
        .chain_update(claim.signature)
        .chain_update(claim.message)
        .finalize()
        .into();
    if VERIFIED.with_borrow(|verified| verified.contains(&name)) {
        return true;
    }

    let holds = verify();
    if holds {
        VERIFIED.with_borrow_mut(|verified| {
            if verified.len() >= MOST {
                verified.clear();
            }
            verified.insert(name);
        });
    }
    holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_true_is_judged_once_and_what_is_false_each_time() {
        let claim = Claim {
            key: &[1; 32],
            message: b"message",
            signature: &[2; 64],
        };
        assert!(!known_or(claim, || false));
        assert!(known_or(claim, || true));
        assert!(known_or(claim, || false), "it was judged again");

        let other = Claim {
            message: b"messagf",
            ..claim
        };
        assert!(!known_or(other, || false));
    }
}
