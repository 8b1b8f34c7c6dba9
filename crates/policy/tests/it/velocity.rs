use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

fn window(scope: VelocityScope, amount_lte: Option<u64>, count_lte: Option<u64>) -> Window {
    Window {
        scope,
        window_seconds: 60,
        amount_lte: amount_lte.map(units),
        count_lte,
    }
}

fn within(windows: &[Window], world: &World, intent: &Intent) -> bool {
    matches(
        &Match {
            velocity: windows.to_vec(),
            ..Match::default()
        },
        world,
        intent,
    )
}

#[test]
fn a_window_counts_the_worst_case_and_holds_at_its_edge() {
    let world = world().spent_before(1000, 1);
    for scope in [
        VelocityScope::Vault,
        VelocityScope::Tenant,
        VelocityScope::Initiator,
    ] {
        // The sum is 1000 spent + 100 paid + fee cap 10.
        assert!(
            within(&[window(scope, Some(1110), None)], &world, &plain()),
            "{scope}"
        );
        assert!(
            !within(&[window(scope, Some(1109), None)], &world, &plain()),
            "{scope}"
        );
        assert!(
            within(&[window(scope, None, Some(2))], &world, &plain()),
            "{scope}"
        );
        assert!(
            !within(&[window(scope, None, Some(1))], &world, &plain()),
            "{scope}"
        );
    }
}

#[test]
fn every_window_of_a_rule_holds() {
    let (wide, narrow) = (
        window(VelocityScope::Tenant, Some(110), None),
        window(VelocityScope::Tenant, Some(109), None),
    );
    assert!(within(&[wide.clone(), wide.clone()], &world(), &plain()));
    assert!(!within(&[wide.clone(), narrow.clone()], &world(), &plain()));
    assert!(!within(&[narrow, wide], &world(), &plain()));
}

#[test]
fn an_amount_leaves_its_window_by_age() {
    let tight = [window(VelocityScope::Vault, Some(110), None)];
    assert!(!within(&tight, &world().spent_before(1, 59_999), &plain()));
    assert!(within(&tight, &world().spent_before(1, 60_000), &plain()));
}

#[test]
fn scopes_sum_what_they_say() {
    let world = world().spent_before(1, 1);
    let fits = |scope, intent: &Intent| within(&[window(scope, Some(110), None)], &world, intent);
    let other_vault = Intent {
        vault: vault(2),
        ..plain()
    };
    assert!(fits(VelocityScope::Vault, &other_vault));
    assert!(!fits(VelocityScope::Tenant, &other_vault));
    assert!(!fits(VelocityScope::Initiator, &other_vault));
    let other_user = Intent {
        initiator: credential(2),
        ..plain()
    };
    assert!(!fits(VelocityScope::Vault, &other_user));
    assert!(!fits(VelocityScope::Tenant, &other_user));
    assert!(fits(VelocityScope::Initiator, &other_user));
}

#[test]
fn a_second_credential_of_the_same_human_gives_no_second_window() {
    let mut world = world().spent_before(1, 1);
    world.users.insert(credential(3), user(1));
    let second = Intent {
        initiator: credential(3),
        ..plain()
    };
    assert!(!within(
        &[window(VelocityScope::Initiator, Some(110), None)],
        &world,
        &second
    ));
}

#[test]
fn a_rule_whose_window_is_full_gives_way_to_the_next() {
    let full = Match {
        velocity: vec![window(VelocityScope::Vault, Some(109), None)],
        ..Match::default()
    };
    let rules = vec![
        rule("quick", full.clone(), auto()),
        every("slow", then(Tier::OneOfN, &[(1, 1)])),
    ];
    assert_eq!(
        outcome(&policy(vec![], rules), &world(), &plain()),
        ("slow".into(), Tier::OneOfN)
    );
    let alone = policy(vec![], vec![rule("quick", full, auto())]);
    assert_eq!(
        blocked(&alone, &world(), &plain()),
        (NO_MATCH.into(), Code::LimitExceeded)
    );
}

#[test]
fn amounts_beyond_64_bits_are_summed() {
    let mut world = world();
    let amount = most().checked_sub(units(110)).unwrap();
    world.ledger.push(Spend {
        at: NOW,
        vault: vault(1),
        user: user(1),
        amount,
    });
    let limit = |amount_lte| Window {
        amount_lte: Some(amount_lte),
        ..window(VelocityScope::Vault, None, None)
    };
    assert!(within(&[limit(most())], &world, &plain()));
    assert!(!within(
        &[limit(most().checked_sub(units(1)).unwrap())],
        &world,
        &plain()
    ));
}
