//! The list of checks, as an auditor reads it.

use super::case::Case;
use super::{journal, local, quorum, transaction};
use crate::verdict::CheckEnd;

/// One check before a share.
pub(super) struct Check {
    /// Stable name, for the snapshot and for people.
    pub(super) name: &'static str,
    /// The attack or fault that it stops.
    pub(super) stops: &'static str,
    pub(super) run: fn(&mut Case<'_>) -> Result<(), CheckEnd>,
}

const fn check(
    name: &'static str,
    run: fn(&mut Case<'_>) -> Result<(), CheckEnd>,
    stops: &'static str,
) -> Check {
    Check { name, stops, run }
}

/// Every check, in the order in which they run: this machine, the head, the journal, the
/// transaction. Later ones build on what earlier ones found.
pub(super) const CHECKS: &[Check] = &[
    // This machine is judged before anything is read that a request could make expensive.
    check(
        "not_stopped_locally",
        local::not_stopped,
        "A signer that its operator took out of service goes on signing.",
    ),
    check(
        "not_retired",
        local::not_retired,
        "A disk that was put back or cloned has forgotten what it cosigned, and signs beside itself.",
    ),
    check(
        "replica_follows",
        local::replica_follows,
        "A forked or damaged journal is taken for the true one after the replica has noticed.",
    ),
    check(
        "holds_shares",
        local::holds_shares,
        "An independent witness is made to act as a signer.",
    ),
    check(
        "attempt_on_record",
        journal::attempt_on_record,
        "A refusal cannot be traced to what the signer knew, or a damaged row is decided by.",
    ),
    // The head is judged before anything is asked at it: at a stale one every later answer is about
    // the past.
    check(
        "fresh_head",
        journal::fresh_head,
        "A signer that was cut off signs what the journal has forbidden since.",
    ),
    check(
        "head_not_below_floor",
        journal::head_not_below_floor,
        "An old head, replayed to this signer, hides a stop that it has already acted under.",
    ),
    check(
        "few_heads_beyond",
        journal::few_heads_beyond,
        "A writer makes thousands of heads that no witness has seen, and every request is judged at each.",
    ),
    // The same question is asked four times: of what is witnessed, received, in between, and
    // handed. A stop counts in the first of these in which it is seen.
    check(
        "allowed_at_head",
        journal::allowed_at_head,
        "An intent that is cancelled, expired, locked or stopped, or that lost an approval, is paid.",
    ),
    check(
        "allowed_at_tip",
        journal::allowed_at_tip,
        "A stop that this signer has received is ignored until enough witnesses have cosigned it.",
    ),
    // This check is before the heads in between: what waits is asked at the head and the tip, and
    // at no other.
    check(
        "attempt_witnessed",
        journal::attempt_witnessed,
        "An attempt that only this signer has seen, and that a fork may not have, is signed.",
    ),
    check(
        "allowed_in_between",
        journal::allowed_in_between,
        "A stop is hidden behind its own resume, both not witnessed yet.",
    ),
    check(
        "allowed_under_tightenings",
        journal::allowed_under_tightenings,
        "A writer keeps back a stop that was handed to this signer directly.",
    ),
    check(
        "peers_in_service",
        quorum::peers_in_service,
        "A signer in quarantine is made one of the t by another quorum member's share.",
    ),
    check(
        "key_of_vault",
        transaction::key_of_vault,
        "A payment of one vault is signed with the key of another.",
    ),
    // What was approved is read back and compared by digest before the transaction is judged by it.
    check(
        "intent_read_back",
        transaction::intent_read_back,
        "An intent edited on this signer's disk takes the place of the one that was approved.",
    ),
    check(
        "attempt_read_back",
        transaction::attempt_read_back,
        "An attempt edited on this signer's disk declares other coins or a higher fee.",
    ),
    check(
        "transaction_of_attempt",
        transaction::transaction_of_attempt,
        "A coordinator swaps the transaction after the journal took its digest.",
    ),
    check(
        "decoder_of_genesis",
        transaction::decoder_of_genesis,
        "A build with another decoder reads the same bytes as another payment.",
    ),
    check(
        "key_finished",
        transaction::key_finished,
        "A key that no ceremony has finished is used.",
    ),
    // The transaction is judged by this signer's own decoding and never by the coordinator's
    // description.
    check(
        "decoded",
        transaction::decoded,
        "Bytes that this signer cannot account for, or change that is not the vault's, are signed.",
    ),
    check(
        "expected_effects",
        transaction::expected_effects,
        "A destination named by vault is resolved to a stranger's address.",
    ),
    check(
        "within_intent",
        transaction::within_intent,
        "The transaction pays another recipient, another amount, or a higher fee than declared.",
    ),
    check(
        "spends_anchor",
        transaction::spends_anchor,
        "Two attempts of one intent spend different coins, and the intent is paid twice.",
    ),
    check(
        "spends_as_declared",
        transaction::spends_as_declared,
        "A coin that another intent has reserved is spent as well.",
    ),
    // The operator's rules come after the decoding, because they limit amounts.
    check(
        "operator_rules",
        transaction::operator_rules,
        "A quorum of the institution's people is coerced; this operator's own limits still bind.",
    ),
    check(
        "packages",
        transaction::packages_of_request,
        "A share is made for a message, path or quorum that the coordinator chose.",
    ),
];

#[cfg(test)]
mod tests {
    use super::CHECKS;
    use std::collections::BTreeSet;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/checks.txt");

    #[test]
    fn checks_and_their_order_are_the_reviewed_ones() {
        let lines = CHECKS.iter().enumerate();
        let table: String = lines
            .map(|(n, check)| format!("{:2} {:26} {}\n", n + 1, check.name, check.stops))
            .collect();
        strongroom_golden::snapshot(FILE, &table);
    }

    #[test]
    fn names_are_distinct() {
        let names: BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
    }
}
