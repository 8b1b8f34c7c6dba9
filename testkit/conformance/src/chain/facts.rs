//! Facts that a network may report, true and false ones.

use super::ChainFixture;
use super::kit::{Payment, Wallet, flips, noise, other_lengths};
use strongroom_ports::chain::{Fact, Holding, within};
use strongroom_types::{AttemptKind, Code, MinorUnits};

/// A fact that cannot be true is refused, so that a watcher can leave it out and go on.
pub fn impossible_facts_are_refused(fixture: &impl ChainFixture) {
    let codec = fixture.codec();
    let facts = fixture.impossible_facts();
    assert!(!facts.is_empty(), "the fixture knows no impossible fact");
    for fact in facts {
        assert!(codec.check_fact(&fact).is_err(), "{fact:?}");
    }
    for (seed, length) in [(1, 0), (2, 1), (3, 64), (4, 100_000)] {
        let fees = Fact::Fees(noise(seed, length));
        assert!(codec.check_fact(&fees).is_err(), "{length} bytes of noise");
    }
}

/// The largest amounts give a view or a refusal, and never a transaction of more than there is.
pub fn amounts_up_to_256_bits_never_panic(fixture: &impl ChainFixture) {
    let amounts = [
        MinorUnits::from_be_bytes([0xff; 32]),
        u64::MAX.into(),
        (1_u64 << 63).into(),
        MinorUnits::ZERO,
    ];
    for amount in amounts {
        let mut wallet = Wallet::funded(fixture);
        for holding in &mut wallet.holdings {
            match holding {
                Holding::Coin(coin) => coin.amount = amount,
                Holding::Account(account) => account.amount = amount,
            }
        }
        let effects = wallet.effects(&fixture.addresses()[..1], fixture.amount());
        if let Ok(built) = wallet.build(&wallet.plan(&effects)) {
            assert!(wallet.inspect(&built.unsigned).is_ok(), "{amount}");
        }
    }
}

/// A vault that holds nothing pays nothing: the answer may change with the next deposit.
pub fn an_empty_vault_pays_nothing(fixture: &impl ChainFixture) {
    let wallet = Wallet::empty(fixture);
    let effects = wallet.effects(&fixture.addresses()[..1], fixture.amount());
    let refusal = wallet.build(&wallet.plan(&effects)).unwrap_err();
    assert_eq!(refusal.code, Code::InsufficientBalance);
}

/// A vault pays what it has and no more.
pub fn more_than_the_vault_holds_is_refused(fixture: &impl ChainFixture) {
    let mut wallet = Wallet::funded(fixture);
    wallet.fee_max = MinorUnits::from_be_bytes([0xff; 32]);
    let to = vec![fixture.addresses()[0].clone(); 32];
    let effects = wallet.effects(&to, fixture.amount());
    let refusal = wallet.build(&wallet.plan(&effects)).unwrap_err();
    assert_eq!(refusal.code, Code::InsufficientBalance);
}

/// A view of another codec, a damaged and an empty one are refused.
pub fn a_view_that_is_not_this_codecs_is_refused(fixture: &impl ChainFixture) {
    let Payment {
        wallet, effects, ..
    } = Payment::built(fixture);
    let (codec, plan) = (&wallet.codec, wallet.plan(&effects));
    let view = wallet.view().unwrap();
    assert!(codec.build(&plan, &view).is_ok());
    for other in other_lengths(&view) {
        assert!(codec.build(&plan, &other).is_err(), "{} bytes", other.len());
    }
    for (seed, length) in [(1, 16), (2, view.len()), (3, 10_000)] {
        let noise = noise(seed, length);
        assert!(
            codec.build(&plan, &noise).is_err(),
            "{length} bytes of noise"
        );
    }

    // The first byte names the codec of the view, and its version.
    for (bit, changed) in flips(&view).take(8) {
        assert!(codec.build(&plan, &changed).is_err(), "bit {bit}");
    }
}

/// A damaged view may name other coins or fees; what is built from it still does what was planned.
pub fn a_damaged_view_changes_no_payment(fixture: &impl ChainFixture) {
    let Payment {
        wallet, effects, ..
    } = Payment::built(fixture);
    let plan = wallet.plan(&effects);
    let view = wallet.view().unwrap();
    for (bit, changed) in flips(&view).step_by(3) {
        let Ok(built) = wallet.codec.build(&plan, &changed) else {
            continue;
        };
        let inspection = wallet.inspect(&built.unsigned).unwrap();
        let judged = within(&effects, AttemptKind::Pay, &inspection, plan.fee_max);
        assert_eq!(judged, Ok(()), "bit {bit}");
    }
}
