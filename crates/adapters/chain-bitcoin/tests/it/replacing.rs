//! Bump and cancel on the anchor.

use crate::setup::{Ask, FOREIGN, TestVault, code, coin, effects, regtest, request};
use strongroom_chain_bitcoin::BitcoinCodec;
use strongroom_ports::chain::{Built, ChainCodec, Effects, NoRegistry, OwnCoin};
use strongroom_types::{AttemptKind, Code, ConflictKey};

struct Case {
    codec: BitcoinCodec,
    vault: TestVault,
    effects: Effects,
    coins: Vec<OwnCoin>,
    first: Built,
}

impl Case {
    fn new(coins: Vec<OwnCoin>) -> Self {
        let (codec, vault) = (regtest(), TestVault::new(1, 0));
        let effects = effects(&codec, &[(FOREIGN, 70_000)]);
        let first = request(&effects, &vault.key, &coins[..1])
            .build(&codec)
            .unwrap();
        Self {
            codec,
            vault,
            effects,
            coins,
            first,
        }
    }

    fn request(&self) -> Ask<'_> {
        let request = request(&self.effects, &self.vault.key, &self.coins);
        Ask {
            anchor: Some(&self.first.anchor),
            ..request
        }
    }

    fn replace(&self, kind: AttemptKind, request: &Ask<'_>) -> Built {
        request
            .replace(&self.codec, kind, &self.first.unsigned)
            .unwrap()
    }
}

#[test]
fn a_bump_pays_the_same_for_a_higher_fee_from_less_change() {
    let case = Case::new(vec![coin(1, 100_000), coin(2, 100_000)]);
    let bump = case.replace(AttemptKind::Bump, &case.request());
    let inspection = case
        .codec
        .inspect(&bump.unsigned, &case.vault.key, &NoRegistry)
        .unwrap();
    assert_eq!(inspection.moves, case.effects.moves);
    assert_eq!(
        (bump.anchor, bump.conflicts),
        (case.first.anchor.clone(), case.first.conflicts.clone())
    );
    // The asked rate is the old one, but BIP-125 rule 4 adds 1 sat/vB for 153.5 virtual bytes.
    let more = bump.fee.checked_sub(case.first.fee).unwrap();
    assert!(more >= 140.into() && more <= 160.into(), "{more}");
}

#[test]
fn a_bump_adds_coins_when_the_change_does_not_suffice() {
    let case = Case::new(vec![coin(1, 70_600), coin(2, 100_000)]);
    let bump = case.replace(
        AttemptKind::Bump,
        &Ask {
            fee_rate: 50_000,
            ..case.request()
        },
    );
    assert_eq!(bump.conflicts.len(), 2);
    assert!(bump.conflicts.contains(&case.first.anchor));
    let alone = Ask {
        coins: &case.coins[..1],
        fee_rate: 50_000,
        ..case.request()
    };
    let refusal = alone.replace(&case.codec, AttemptKind::Bump, &case.first.unsigned);
    assert_eq!(code(refusal), Code::InsufficientBalance);
}

#[test]
fn a_cancel_moves_the_anchor_back_to_the_vault() {
    let case = Case::new(vec![coin(1, 100_000), coin(2, 100_000)]);
    let cancel = case.replace(AttemptKind::Cancel, &case.request());
    let inspection = case
        .codec
        .inspect(&cancel.unsigned, &case.vault.key, &NoRegistry)
        .unwrap();
    assert!(inspection.moves.is_empty());
    assert_eq!(cancel.conflicts, vec![case.first.anchor.clone()]);
    assert!(cancel.fee > case.first.fee);
    assert_eq!(
        inspection.returned.checked_add(cancel.fee),
        Some(100_000.into())
    );
}

#[test]
fn a_bump_that_pays_otherwise_is_refused() {
    let case = Case::new(vec![coin(1, 100_000)]);
    for other in [
        &[(FOREIGN, 70_001)][..],
        &[(FOREIGN, 70_000), (FOREIGN, 1_000)],
        &[],
    ] {
        let other = effects(&case.codec, other);
        let request = Ask {
            effects: &other,
            ..case.request()
        };
        let refusal = request.replace(&case.codec, AttemptKind::Bump, &case.first.unsigned);
        assert_eq!(code(refusal), Code::EffectsMismatch);
    }
}

#[test]
fn a_replacement_without_the_anchor_is_refused() {
    let case = Case::new(vec![coin(1, 100_000), coin(2, 100_000)]);
    let other: ConflictKey = case.coins[1].key.clone();
    for anchor in [None, Some(&other)] {
        let request = Ask {
            anchor,
            ..case.request()
        };
        let refusal = request.replace(&case.codec, AttemptKind::Cancel, &case.first.unsigned);
        assert_eq!(code(refusal), Code::AnchorMissing);
    }
    let refusal = case
        .request()
        .replace(&case.codec, AttemptKind::Pay, &case.first.unsigned);
    assert_eq!(code(refusal), Code::Unsupported);
    for kind in [AttemptKind::Bump, AttemptKind::Cancel] {
        let refusal = case.request().plan(&case.codec, kind, None);
        assert_eq!(code(refusal), Code::Malformed);
    }
}

#[test]
fn a_coin_that_is_merely_added_is_not_an_anchor() {
    let case = Case::new(vec![coin(1, 70_600), coin(2, 100_000)]);
    let other = &case.coins[1].key;
    let request = Ask {
        anchor: Some(other),
        fee_rate: 50_000,
        ..case.request()
    };
    let refusal = request.replace(&case.codec, AttemptKind::Bump, &case.first.unsigned);
    assert_eq!(code(refusal), Code::AnchorMissing);
}

#[test]
fn a_replacement_above_the_cap_is_refused() {
    let case = Case::new(vec![coin(1, 100_000)]);
    let request = Ask {
        fee_max: case.first.fee,
        ..case.request()
    };
    let refusal = request.replace(&case.codec, AttemptKind::Bump, &case.first.unsigned);
    assert_eq!(code(refusal), Code::FeeCapTooLow);
}
