//! Policies that can be put in force here.

use crate::genesis::Bounds;
use strongroom_guard::{G, guard};
use strongroom_policy::Policy;
use strongroom_types::{Code, Digest, Refusal, Tier};

/// Reads a policy that can be kept under these bounds, and its digest.
///
/// # Errors
/// As [`Policy::load`]; `time_lock_too_long` when a rule's payments could never be signed.
pub(super) fn load(bounds: &Bounds, text: &str) -> Result<(Policy, Digest), Refusal> {
    let (policy, digest) = Policy::load(text)?;

    // A share leaves between the end of the lock and the end of the attempt's life. If the intent
    // is over by then, the rule blocks and looks as if it did not.
    let paying = policy
        .rules
        .iter()
        .filter(|rule| rule.then.tier != Tier::Block);
    for rule in paying {
        let lock_ms = rule.then.time_lock_ms();
        let ends_ms = lock_ms.saturating_add(bounds.attempt_life_ms);
        if guard(G::LockTooLong, ends_ms > bounds.intent_life_ms) {
            let most = bounds.intent_life_ms.saturating_sub(bounds.attempt_life_ms) / 1000;
            let detail = format!("rule `{}`: at most {most} seconds here", rule.id);
            return Err(Refusal::new(Code::TimeLockTooLong, detail));
        }
    }
    Ok((policy, digest))
}
