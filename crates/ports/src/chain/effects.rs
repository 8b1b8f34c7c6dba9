//! Effects of a transaction, and the rule that compares them with the approved ones.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_guard::{G, guard};
use strongroom_types::{
    AssetId, AttemptKind, Code, ConflictKey, MinorUnits, Refusal, Slot, UnixMs,
};

/// Value that leaves the vault's own addresses. Payments have one amount; a move whose amount is
/// known only when it happens (a sweep) has a range.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Move {
    /// Asset that moves, CAIP-19.
    pub asset: AssetId,
    /// Address of the recipient, canonical text.
    pub to: String,
    /// Smallest amount, base units.
    pub at_least: MinorUnits,
    /// Largest amount, base units; limits and windows count this one.
    pub at_most: MinorUnits,
}

impl Move {
    /// A move of exactly this amount.
    #[must_use]
    pub fn exact(asset: AssetId, to: String, amount: MinorUnits) -> Self {
        Self {
            asset,
            to,
            at_least: amount,
            at_most: amount,
        }
    }

    /// Whether every amount that `self` allows is one that `other` allows, for the same asset and
    /// recipient.
    fn is_within(&self, other: &Self) -> bool {
        self.asset == other.asset
            && self.to == other.to
            && other.at_least <= self.at_least
            // An empty range would be within every other one, so it is refused.
            && self.at_least <= self.at_most
            && self.at_most <= other.at_most
    }
}

/// A right over the vault's assets that a transaction gives to others, without moving value itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Authority {
    /// Kind of right that is given.
    pub kind: AuthorityKind,
    /// Asset, account or contract to which the right applies, in the chain's text form.
    pub subject: String,
    /// Address that gets the right, canonical text.
    pub to: String,
    /// Largest amount that the right can move, base units; `None` when it is unbounded.
    pub at_most: Option<MinorUnits>,
}

/// Kinds of rights over assets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum AuthorityKind {
    /// Others may move the asset later (ERC-20 approve and permit, SPL delegate).
    Allowance = 0,
    /// Code or an account acts for the vault's account (EIP-7702).
    Delegation = 1,
    /// The owner of an account or contract changes.
    Ownership = 2,
}

/// Effects of an intent, as shown to approvers before a transaction exists. Both lists ascend.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// Every payment, ascending.
    pub moves: Vec<Move>,
    /// Every right given to others, ascending.
    pub authorities: Vec<Authority>,
}

impl Effects {
    /// Effects with these moves, sorted, and without rights.
    #[must_use]
    pub fn of_moves(mut moves: Vec<Move>) -> Self {
        moves.sort();
        Self {
            moves,
            authorities: Vec::new(),
        }
    }
}

/// Last point at which the network accepts a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Expiry {
    /// Last block height that may include it.
    Height(u64),
    /// Last block time that may include it.
    Time(UnixMs),
}

/// Everything that an unsigned transaction will really do, from a strict canonical decode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inspection {
    /// Value to all addresses that were not proven by derivation to be the paying vault's,
    /// ascending.
    pub moves: Vec<Move>,
    /// Rights over the vault's assets that it gives to others, ascending.
    pub authorities: Vec<Authority>,
    /// Parts whose effect this codec does not understand, for people. If there is one, the
    /// transaction is refused.
    pub opaque: Vec<String>,
    /// Value that returns to the paying vault, base units; each output was checked by derivation.
    pub returned: MinorUnits,
    /// Largest fee that it can cost, base units of the native asset.
    pub fee: MinorUnits,
    /// Conflict keys that it uses up, ascending.
    pub conflicts: Vec<ConflictKey>,
    /// End of its validity; `None` when it stays valid until a conflict key is used up.
    pub expiry: Option<Expiry>,
    /// Signatures that it needs, in the order in which `assemble` takes them.
    pub slots: Vec<Slot>,
}

/// The rule that every signer enforces on every chain: the transaction has exactly the effects of
/// the intent, within the attempt's declared fee.
///
/// # Errors
/// `opaque_effects`, `effects_mismatch`, `fee_cap_exceeded`.
pub fn within(
    expected: &Effects,
    kind: AttemptKind,
    inspection: &Inspection,
    fee_max: MinorUnits,
) -> Result<(), Refusal> {
    let nothing = Effects::default();
    let wanted = match kind {
        AttemptKind::Pay | AttemptKind::Bump => expected,
        // A cancel returns everything to the vault, and a child spends what its parent returned.
        // Neither may have an effect: none was approved for it.
        AttemptKind::Cancel | AttemptKind::Child => &nothing,
    };

    // Bytes that the decoder does not understand may have any effect, so the comparison of the rest
    // would prove nothing.
    if let Some(part) = inspection.opaque.first()
        && guard(G::Effects, true)
    {
        return Err(Refusal::new(Code::OpaqueEffects, part));
    }

    // A right that is hidden in the transaction moves nothing now, but lets its holder empty the
    // vault later.
    if guard(G::Effects, inspection.authorities != wanted.authorities) {
        let detail = format!(
            "expected {} rights given to others, found {}",
            wanted.authorities.len(),
            inspection.authorities.len()
        );
        return Err(Refusal::new(Code::EffectsMismatch, detail));
    }

    moves_match(&wanted.moves, &inspection.moves)?;

    // The fee leaves the vault too: without this cap a hostile service could drain the vault
    // through fees.
    if guard(G::FeeDeclared, inspection.fee > fee_max) {
        let detail = format!("fee {} above the attempt's {fee_max}", inspection.fee);
        return Err(Refusal::new(Code::FeeCapExceeded, detail));
    }
    Ok(())
}

/// Pairs both lists in ascending order. Two moves of one asset to one recipient with overlapping
/// ranges might match in another order only; they are refused, and no other order is tried.
fn moves_match(wanted: &[Move], found: &[Move]) -> Result<(), Refusal> {
    // Both lists ascend by contract. They are sorted all the same, because the pairing decides
    // whether a transaction is signed.
    let (mut wanted, mut found) = (wanted.to_vec(), found.to_vec());
    wanted.sort();
    found.sort();

    // The numbers must be equal: an additional payment would be a theft, and a missing one would
    // never be made.
    if guard(G::Effects, wanted.len() != found.len()) {
        let detail = format!("expected {} payments, found {}", wanted.len(), found.len());
        return Err(Refusal::new(Code::EffectsMismatch, detail));
    }
    for (wanted, found) in wanted.iter().zip(&found) {
        if guard(G::Effects, !found.is_within(wanted)) {
            let detail = format!("a payment to {} is not the approved one", found.to);
            return Err(Refusal::new(Code::EffectsMismatch, detail));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEE_MAX: u64 = 500;

    fn pays(to: &str, at_least: u64, at_most: u64) -> Move {
        Move {
            asset: "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:1"
                .parse()
                .unwrap(),
            to: to.to_owned(),
            at_least: at_least.into(),
            at_most: at_most.into(),
        }
    }

    fn does(moves: Vec<Move>) -> Inspection {
        Inspection {
            moves,
            authorities: Vec::new(),
            opaque: Vec::new(),
            returned: MinorUnits::ZERO,
            fee: FEE_MAX.into(),
            conflicts: vec![ConflictKey::Coin("a".into())],
            expiry: None,
            slots: Vec::new(),
        }
    }

    fn code(expected: &Effects, kind: AttemptKind, inspection: &Inspection) -> Option<Code> {
        within(expected, kind, inspection, FEE_MAX.into())
            .err()
            .map(|refusal| refusal.code)
    }

    fn pay(expected: Vec<Move>, found: Vec<Move>) -> Option<Code> {
        code(&Effects::of_moves(expected), AttemptKind::Pay, &does(found))
    }

    #[test]
    fn the_approved_moves_are_allowed_in_any_order() {
        let (a, b) = (pays("a", 5, 5), pays("b", 7, 7));
        assert_eq!(pay(vec![b.clone(), a.clone()], vec![a, b]), None);
    }

    #[test]
    fn another_amount_recipient_or_number_of_moves_is_refused() {
        let approved = || vec![pays("a", 5, 5)];
        let refused = Some(Code::EffectsMismatch);
        assert_eq!(pay(approved(), vec![pays("a", 4, 4)]), refused);
        assert_eq!(pay(approved(), vec![pays("a", 6, 6)]), refused);
        assert_eq!(pay(approved(), vec![pays("b", 5, 5)]), refused);
        assert_eq!(pay(approved(), vec![]), refused);
        assert_eq!(
            pay(approved(), vec![pays("a", 5, 5), pays("a", 5, 5)]),
            refused
        );
    }

    #[test]
    fn a_ranged_move_bounds_what_is_found_on_both_sides() {
        let approved = || vec![pays("a", 5, 9)];
        for found in [(5, 5), (9, 9), (6, 8), (5, 9)] {
            assert_eq!(
                pay(approved(), vec![pays("a", found.0, found.1)]),
                None,
                "{found:?}"
            );
        }
        for found in [(4, 4), (10, 10), (4, 6), (8, 10), (8, 6)] {
            let code = pay(approved(), vec![pays("a", found.0, found.1)]);
            assert_eq!(code, Some(Code::EffectsMismatch), "{found:?}");
        }
    }

    #[test]
    fn a_cancel_that_still_pays_is_refused() {
        let expected = Effects::of_moves(vec![pays("a", 5, 5)]);
        let still = does(expected.moves.clone());
        assert_eq!(
            code(&expected, AttemptKind::Cancel, &still),
            Some(Code::EffectsMismatch)
        );
        assert_eq!(code(&expected, AttemptKind::Cancel, &does(vec![])), None);
    }

    #[test]
    fn a_part_that_is_not_understood_is_refused() {
        let expected = Effects::of_moves(vec![pays("a", 5, 5)]);
        let mut found = does(expected.moves.clone());
        found.opaque.push("call data of an unknown function".into());
        assert_eq!(
            code(&expected, AttemptKind::Pay, &found),
            Some(Code::OpaqueEffects)
        );
    }

    #[test]
    fn an_unapproved_right_is_refused_and_an_approved_one_must_be_there() {
        let right = Authority {
            kind: AuthorityKind::Allowance,
            subject: "token".into(),
            to: "b".into(),
            at_most: None,
        };
        let mut expected = Effects::of_moves(vec![pays("a", 5, 5)]);
        let mut found = does(expected.moves.clone());
        found.authorities.push(right.clone());
        assert_eq!(
            code(&expected, AttemptKind::Pay, &found),
            Some(Code::EffectsMismatch)
        );
        expected.authorities.push(right.clone());
        assert_eq!(code(&expected, AttemptKind::Pay, &found), None);
        found.authorities[0].at_most = Some(9.into());
        assert_eq!(
            code(&expected, AttemptKind::Pay, &found),
            Some(Code::EffectsMismatch)
        );
        found.authorities.clear();
        assert_eq!(
            code(&expected, AttemptKind::Pay, &found),
            Some(Code::EffectsMismatch)
        );
        let mut cancel = does(vec![]);
        cancel.authorities.push(right);
        assert_eq!(
            code(&expected, AttemptKind::Cancel, &cancel),
            Some(Code::EffectsMismatch)
        );
    }

    #[test]
    fn a_fee_above_the_attempt_is_refused() {
        let expected = Effects::of_moves(vec![pays("a", 5, 5)]);
        let mut found = does(expected.moves.clone());
        found.fee = (FEE_MAX + 1).into();
        assert_eq!(
            code(&expected, AttemptKind::Pay, &found),
            Some(Code::FeeCapExceeded)
        );
    }
}
