//! Properties that must never fail, tried with random tables and questions.

use crate::edits::{apply, edit};
use crate::random;
use crate::world::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use strongroom_policy::*;
use strongroom_types::*;

/// Whether `new` asks every group of `old` for at least as many approvals, in the same order.
fn asks_as_much(old: &DecisionCore, new: &DecisionCore) -> bool {
    let place =
        |core: &DecisionCore, group| core.groups.iter().position(|need| need.group == group);
    let covered = old.groups.iter().all(|need| {
        new.groups
            .iter()
            .any(|other| other.group == need.group && other.approvals >= need.approvals)
    });
    let places: Vec<_> = old
        .groups
        .iter()
        .map(|need| place(new, need.group))
        .collect();
    covered && (!old.ordered || (new.ordered && places.is_sorted()))
}

/// Whether `old` asked for no more than `new` of every intent that `new` lets out.
fn as_strict(old: &Decision, new: &Decision) -> bool {
    let let_out = || {
        old.block.is_none()
            && new.core.tier >= old.core.tier
            && new.core.time_lock_seconds >= old.core.time_lock_seconds
            && asks_as_much(&old.core, &new.core)
            && old
                .relied_on
                .iter()
                .all(|entry| new.relied_on.contains(entry))
    };
    new.block.is_some() || let_out()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tighter_policy_is_at_least_as_strict(
        old in random::policy(),
        edits in vec(edit(), 1..4),
        world in random::world(),
        asked in vec(random::asked(), 8),
    ) {
        let new = edits.into_iter().fold(old.clone(), apply);
        if is_tighter(&old, &new) {
            for (intent, at) in asked {
                let (before, after) = (ask_at(&old, &world, &intent, at), ask_at(&new, &world, &intent, at));
                prop_assert!(as_strict(&before, &after), "{before:?}\n{after:?}");
            }
        }
    }

    #[test]
    fn adding_a_guard_never_loosens(
        old in random::policy(),
        guard in random::guard_with("new".to_owned()),
        at in 0..2usize,
        world in random::world(),
        (intent, when) in random::asked(),
    ) {
        let mut new = old.clone();
        new.guards.insert(at.min(old.guards.len()), guard);
        let (before, after) = (ask_at(&old, &world, &intent, when), ask_at(&new, &world, &intent, when));
        prop_assert!(as_strict(&before, &after));
        // A guard can only block; it changes nothing else.
        if after.block.is_none() {
            prop_assert_eq!(after.core.rule, before.core.rule);
        }
        prop_assert!(is_tighter(&old, &new));
    }

    #[test]
    fn raising_a_tier_never_loosens(
        old in random::policy(),
        at in 0..5usize,
        world in random::world(),
        (intent, when) in random::asked(),
    ) {
        let raised = |tier| match tier {
            Tier::Auto => Tier::OneOfN,
            Tier::OneOfN => Tier::MOfN,
            Tier::MOfN => Tier::Committee,
            Tier::Committee | Tier::Block => Tier::Block,
        };
        let mut new = old.clone();
        edit_rules(&mut new, |rules| {
            rules.get_mut(at).into_iter().for_each(|rule| rule.then.tier = raised(rule.then.tier));
        });
        let (before, after) = (ask_at(&old, &world, &intent, when), ask_at(&new, &world, &intent, when));
        prop_assert!(as_strict(&before, &after));
        prop_assert!(is_tighter(&old, &new));
    }

    #[test]
    fn a_window_that_is_read_and_not_known_blocks(
        policy in random::policy(),
        world in random::world(),
        (intent, at) in random::asked(),
    ) {
        let blind = World { windows_unknown: true, ..world };
        let payment = Payment::from(&intent);
        let moment = Moment::Entry(at);
        let question = Question { payment: &payment, intent_digest: intent.digest(), moment, decoder: "d" };
        let (decision, evidence) = explain(&policy, policy.digest(), &blind, &question);
        prop_assert!(evidence.windows.iter().all(|window| window.within.is_none()));
        prop_assert!(evidence.windows.is_empty() || decision.block.is_some());
    }

    #[test]
    fn a_fuller_ledger_or_a_lost_listing_is_never_read_as_less(
        policy in random::policy(),
        world in random::world(),
        (intent, at) in random::asked(),
    ) {
        let again = ask_at(&policy, &world, &intent, at);
        prop_assert_eq!(&ask_at(&policy, &world.clone(), &intent, at), &again);
        // A decision that relies on no entry must be the same without the allow-list.
        let unlisted = World { listed: Default::default(), ..world };
        let without = ask_at(&policy, &unlisted, &intent, at);
        if again.block.is_none() && again.relied_on.is_empty() {
            // The reason for which an earlier rule was passed over may differ, because it is not
            // part of the text that approvers sign.
            let limited = again.limited;
            prop_assert_eq!(Decision { limited, ..without }, again);
        }
    }

    #[test]
    fn nothing_goes_out_beyond_a_ceiling(
        mut policy in random::policy(),
        limit in 1..600u64,
        asked in vec(random::asked(), 12),
    ) {
        let window = Window {
            scope: VelocityScope::Tenant,
            window_seconds: 60,
            amount_lte: Some(units(limit)),
            count_lte: None,
        };
        policy.guards.push(guard("ceiling", GuardKind::Ceiling { asset: asset(), window }));
        let mut world = crate::world::world();
        let mut out = MinorUnits::ZERO;
        for (intent, _) in asked {
            if ask(&policy, &world, &intent).block.is_none() {
                let amount = intent.total().unwrap().checked_add(intent.fee_max).unwrap();
                out = out.checked_add(amount).unwrap();
                let user = world.users[&intent.initiator];
                world.ledger.push(Spend { at: NOW, vault: intent.vault, user, amount });
            }
        }
        prop_assert!(out <= units(limit));
    }
}

#[test]
fn the_search_meets_what_it_looks_for() {
    // The properties above are worth nothing if tables, edits and questions never meet.
    let mut runner = TestRunner::deterministic();
    let case = (
        random::policy(),
        vec(edit(), 1..4),
        random::world(),
        random::asked(),
    );
    let (mut let_out, mut tighter, mut stricter, mut loosened) = (0, 0, 0, 0);
    for _ in 0..4000 {
        let (old, edits, world, (intent, at)) = case.new_tree(&mut runner).unwrap().current();
        let new = edits.into_iter().fold(old.clone(), apply);
        let (before, after) = (
            ask_at(&old, &world, &intent, at),
            ask_at(&new, &world, &intent, at),
        );
        let called_tighter = is_tighter(&old, &new);
        let_out += usize::from(before.block.is_none());
        tighter += usize::from(called_tighter);
        stricter +=
            usize::from(called_tighter && before.block.is_none() && before.core != after.core);
        loosened += usize::from(!as_strict(&before, &after));
    }
    println!(
        "{let_out} let out, {tighter} tighter, {stricter} of them changed a decision, {loosened} loosened"
    );
    assert!(let_out > 400 && tighter > 400 && stricter > 50 && loosened > 200);
}
