//! What a transaction does, and the rule that compares it with what was approved.

use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::{
    AssetId, AttemptKind, Code, ConflictKey, MinorUnits, Refusal, Slot, UnixMs,
};

/// Value that leaves the vault's own addresses. Payments have one amount; a move whose amount is
/// known only when it happens (a sweep) has a range.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Move {
    /// The asset, CAIP-19.
    pub asset: AssetId,
    /// Address of the recipient, canonical text.
    pub to: String,
    /// Least amount, base units.
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
            // An empty range allows nothing, and so would lie within every other one.
            && self.at_least <= self.at_most
            && self.at_most <= other.at_most
    }
}

/// A right over the vault's assets that a transaction gives to others, without moving value itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
pub struct Authority {
    /// Kind of the right.
    pub kind: AuthorityKind,
    /// The asset, account or contract that the right is about, in the chain's text form.
    pub subject: String,
    /// Address that gets the right, canonical text.
    pub to: String,
    /// Largest amount that the right can move, base units; `None` without a bound.
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
    /// Effects that move value and give no rights.
    #[must_use]
    pub fn of_moves(mut moves: Vec<Move>) -> Self {
        moves.sort();
        Self {
            moves,
            authorities: Vec::new(),
        }
    }
}

/// The end of the time in which the network takes a transaction.
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
    /// Value to addresses that are not derived and compared as the paying vault's own, ascending.
    pub moves: Vec<Move>,
    /// Rights over the vault's assets that it gives to others, ascending.
    pub authorities: Vec<Authority>,
    /// Parts whose effect this codec does not understand, for people; not empty means refused.
    pub opaque: Vec<String>,
    /// Value that returns to the paying vault, each output derived and compared.
    pub returned: MinorUnits,
    /// The fee, or the most it can be, in the native asset.
    pub fee: MinorUnits,
    /// Everything it uses up, ascending.
    pub conflicts: Vec<ConflictKey>,
    /// End of its validity; `None` when it stays valid until a conflict key is used up.
    pub expiry: Option<Expiry>,
    /// The signatures it needs, in the order in which `assemble` takes them.
    pub slots: Vec<Slot>,
}

/// The chain-independent rule every signer enforces: the transaction does what the intent says, no
/// more and no less, within the attempt's declared fee.
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
        // A cancel returns everything to the vault: whatever else it does was never approved.
        // Neither does a child: it spends what the parent returned.
        AttemptKind::Cancel | AttemptKind::Child => &nothing,
    };

    // Bytes that the decoder does not understand may do anything, so the rest proves nothing.
    if let Some(part) = inspection.opaque.first() {
        return Err(Refusal::new(Code::OpaqueEffects, part));
    }

    // A hidden approval moves nothing now and empties the vault tomorrow.
    if inspection.authorities != wanted.authorities {
        let detail = format!(
            "expected {} rights given to others, found {}",
            wanted.authorities.len(),
            inspection.authorities.len()
        );
        return Err(Refusal::new(Code::EffectsMismatch, detail));
    }

    moves_match(&wanted.moves, &inspection.moves)?;

    // The fee goes to others too: without a cap it drains the vault through the miner.
    if inspection.fee > fee_max {
        let detail = format!("fee {} above the attempt's {fee_max}", inspection.fee);
        return Err(Refusal::new(Code::FeeCapExceeded, detail));
    }
    Ok(())
}

/// Pairs both lists in ascending order. Two moves of one asset to one recipient with crossing
/// ranges might match in another order too; that is refused rather than searched.
fn moves_match(wanted: &[Move], found: &[Move]) -> Result<(), Refusal> {
    // Both ascend by contract. Sorted all the same: the pairing decides what is signed.
    let (mut wanted, mut found) = (wanted.to_vec(), found.to_vec());
    wanted.sort();
    found.sort();

    // An additional recipient is a theft, a missing one a payment that never happens.
    if wanted.len() != found.len() {
        let detail = format!("expected {} payments, found {}", wanted.len(), found.len());
        return Err(Refusal::new(Code::EffectsMismatch, detail));
    }
    for (wanted, found) in wanted.iter().zip(&found) {
        if !found.is_within(wanted) {
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
    fn a_right_that_nobody_approved_is_refused_and_an_approved_one_must_be_there() {
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
