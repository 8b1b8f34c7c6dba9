//! Builds and replacements.

use super::ChainFixture;
use super::kit::{Payment, Wallet};
use std::thread;
use strongroom_ports::chain::{Authority, AuthorityKind, Effects, Move, Plan, within};
use strongroom_types::{AttemptKind, Code, ConflictKey};

/// What was built reads back as what was planned: slots, conflict keys, fee, effects.
pub fn what_is_built_is_what_was_planned(fixture: &impl ChainFixture) {
    let wallet = Wallet::funded(fixture);
    let effects = wallet.effects(&fixture.addresses(), fixture.amount());
    let built = wallet.build(&wallet.plan(&effects)).unwrap();
    let inspection = wallet.inspect(&built.unsigned).unwrap();

    within(&effects, AttemptKind::Pay, &inspection, wallet.fee_max).unwrap();
    assert_eq!(inspection.moves, effects.moves);
    assert_eq!(inspection.slots, built.slots);
    assert_eq!(inspection.conflicts, built.conflicts);
    assert_eq!(inspection.fee, built.fee);
    assert!(inspection.opaque.is_empty(), "{:?}", inspection.opaque);
    assert!(built.conflicts.contains(&built.anchor));
    assert!(built.conflicts.is_sorted_by(|a, b| a < b));
    assert!(!built.slots.is_empty());
    let suites = wallet.codec.manifest().suites;
    assert!(built.slots.iter().all(|slot| suites.contains(&slot.suite)));
}

/// Signers, services and clients come to the same bytes.
pub fn the_same_arguments_give_the_same_answer(fixture: &impl ChainFixture) {
    let first = Payment::built(fixture);
    let again = Payment::built(fixture);
    assert_eq!(again.built, first.built);
    let view = first.wallet.view().unwrap();
    let plan = first.wallet.plan(&first.effects);
    thread::scope(|scope| {
        for _ in 0..4 {
            let codec = fixture.codec();
            let (view, built, vault) = (&view, &first.built, &first.wallet.vault);
            scope.spawn(move || {
                assert_eq!(codec.build(&plan, view).as_ref(), Ok(built));
                let registry = strongroom_ports::chain::NoRegistry;
                let reading = codec.inspect(&built.unsigned, vault, &registry);
                assert_eq!(reading.unwrap().slots, built.slots);
            });
        }
    });
}

/// The cap of the plan is kept exactly.
pub fn a_fee_above_the_plan_is_refused(fixture: &impl ChainFixture) {
    let Payment {
        wallet,
        effects,
        built,
    } = Payment::built(fixture);
    let exact = Plan {
        fee_max: built.fee,
        ..wallet.plan(&effects)
    };
    assert_eq!(wallet.build(&exact).unwrap().fee, built.fee);
    let fee_max = built.fee.checked_sub(1.into()).unwrap();
    let refusal = wallet.build(&Plan { fee_max, ..exact }).unwrap_err();
    assert_eq!(refusal.code, Code::FeeCapTooLow);
}

/// A plan that pays no one, gives rights, or leaves the amount open is not guessed at.
pub fn plans_that_cannot_be_built_are_refused(fixture: &impl ChainFixture) {
    let Payment {
        wallet, effects, ..
    } = Payment::built(fixture);
    let refused = |effects: &Effects| wallet.build(&wallet.plan(effects)).is_err();
    assert!(refused(&Effects::default()), "nothing to pay");

    let mut twice = effects.clone();
    twice.authorities.push(Authority {
        kind: AuthorityKind::Ownership,
        subject: effects.moves[0].asset.to_string(),
        to: effects.moves[0].to.clone(),
        at_most: None,
    });
    assert!(
        refused(&twice),
        "a right that no intent of this build asks for"
    );

    let wrong = |change: &dyn Fn(&mut Move)| {
        let mut effects = effects.clone();
        change(&mut effects.moves[0]);
        assert!(refused(&effects), "{effects:?}");
    };
    wrong(&|m| m.asset = format!("{}/other:asset", m.asset.chain()).parse().unwrap());
    wrong(&|m| m.to.push(' '));
    // No amount fits this range.
    wrong(&|m| m.at_least = m.at_most.checked_add(1.into()).unwrap());
}

/// Two intents never use up the same thing.
pub fn taken_conflict_keys_are_not_used_again(fixture: &impl ChainFixture) {
    let Payment {
        mut wallet,
        effects,
        built: first,
    } = Payment::built(fixture);
    wallet.reserve(&first);
    let second = wallet.build(&wallet.plan(&effects)).unwrap();
    for key in &second.conflicts {
        assert!(!first.conflicts.contains(key), "{key:?}");
    }
}

fn replacement<'a>(payment: &'a Payment, kind: AttemptKind) -> Plan<'a> {
    Plan {
        kind,
        anchor: Some(&payment.built.anchor),
        previous: Some(&payment.built.unsigned),
        ..payment.wallet.plan(&payment.effects)
    }
}

/// A bump pays the same, a cancel nothing; both use up the anchor and cost more.
pub fn a_replacement_uses_up_the_anchor_and_adds_no_recipient(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    for kind in [AttemptKind::Bump, AttemptKind::Cancel] {
        let next = payment.wallet.build(&replacement(&payment, kind)).unwrap();
        let inspection = payment.wallet.inspect(&next.unsigned).unwrap();
        let fee_max = payment.wallet.fee_max;
        within(&payment.effects, kind, &inspection, fee_max).unwrap();
        assert_eq!(next.anchor, payment.built.anchor);
        assert!(inspection.conflicts.contains(&payment.built.anchor));
        assert!(next.fee > payment.built.fee, "{kind:?}");
    }
}

/// A replacement on another conflict key would confirm beside what it replaces.
pub fn a_replacement_without_the_anchor_is_refused(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    let other = ConflictKey::Coin("not of this transaction".to_owned());
    for kind in [AttemptKind::Bump, AttemptKind::Cancel] {
        for anchor in [None, Some(&other)] {
            let plan = Plan {
                anchor,
                ..replacement(&payment, kind)
            };
            let refusal = payment.wallet.build(&plan).unwrap_err();
            assert_eq!(refusal.code, Code::AnchorMissing, "{kind:?}");
        }
        let plan = Plan {
            previous: None,
            ..replacement(&payment, kind)
        };
        assert!(payment.wallet.build(&plan).is_err(), "{kind:?} of nothing");
    }
}

/// A second payment beside the first, and a bump that pays otherwise, are not replacements.
pub fn a_replacement_that_pays_otherwise_is_refused(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    let pay = replacement(&payment, AttemptKind::Pay);
    let refusal = payment.wallet.build(&pay).unwrap_err();
    assert_eq!(refusal.code, Code::Unsupported);

    let wallet = &payment.wallet;
    let more = fixture.amount().checked_add(1.into()).unwrap();
    for effects in [
        wallet.effects(&fixture.addresses()[..1], more),
        wallet.effects(&fixture.addresses()[1..2], fixture.amount()),
        wallet.effects(&fixture.addresses()[..2], fixture.amount()),
        Effects::default(),
    ] {
        let plan = Plan {
            effects: &effects,
            ..replacement(&payment, AttemptKind::Bump)
        };
        let refusal = wallet.build(&plan).unwrap_err();
        assert_eq!(refusal.code, Code::EffectsMismatch);
    }
}

/// The bytes of the replaced transaction come from a table; damaged ones are refused.
pub fn a_replacement_of_damaged_bytes_is_refused(fixture: &impl ChainFixture) {
    let payment = Payment::built(fixture);
    for previous in super::kit::other_lengths(&payment.built.unsigned) {
        let plan = Plan {
            previous: Some(&previous),
            ..replacement(&payment, AttemptKind::Cancel)
        };
        assert!(payment.wallet.build(&plan).is_err());
    }
}
