//! Rules that a well-formed text must also satisfy.

use crate::form::FULL;
use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

#[test]
fn what_this_build_does_not_evaluate_is_named() {
    let other_then = r#""groups":[],"ordered":false,"#;
    for (from, to, path) in [
        (
            r#""amount":{"#,
            r#""amount":{"currency":"EUR","#,
            "rules[0].match.amount.currency",
        ),
        (
            r#""assets":["eip155:1/slip44:60"],"destinations""#,
            r#""assets":{"tiers":["C"]},"destinations""#,
            "rules[0].match.assets.tiers",
        ),
        (
            r#""kinds":["transfer"]"#,
            r#""kinds":["contract_call"]"#,
            "rules[0].match.kinds[0] = contract_call",
        ),
        (
            r#""kinds":["transfer"]"#,
            r#""kinds":["transfer"],"modes":["price_stale"]"#,
            "rules[0].match.modes",
        ),
        (
            r#""kinds":["transfer"]"#,
            r#""kinds":["transfer"],"screening":"required""#,
            "rules[0].match.screening",
        ),
        (
            r#""types":["allow_listed"]"#,
            r#""types":["exchange"]"#,
            "rules[0].match.destinations.types[0] = exchange",
        ),
        (
            r#""scope":"initiator""#,
            r#""scope":"destination""#,
            "rules[0].match.velocity[0].scope = destination",
        ),
        (
            r#"{"groups":["grp_01"#,
            r#"{"api_keys":["k"],"groups":["grp_01"#,
            "rules[0].match.initiators.api_keys",
        ),
        (
            r#""to":"24:00""#,
            r#""to":"24:00","tz":"Europe/Berlin""#,
            "rules[0].match.time.tz",
        ),
        (
            other_then,
            r#""groups":[],"ordered":false,"price_max_age_seconds":"60","#,
            "rules[0].then.price_max_age_seconds",
        ),
        (
            other_then,
            r#""groups":[],"ordered":false,"simulation":true,"#,
            "rules[0].then.simulation",
        ),
        (
            r#""then":{"fee_max""#,
            r#""then":{"expires_in_seconds":"60","fee_max""#,
            "rules[0].then.expires_in_seconds",
        ),
        (
            r#""kind":"chains""#,
            r#""kind":"screening""#,
            "guards[3].kind = screening",
        ),
    ] {
        assert!(FULL.contains(from), "{from}");
        let text = FULL.replacen(from, to, 1);
        let refusal = Policy::load(&text).unwrap_err();
        assert_eq!(refusal.code, Code::Unsupported, "{refusal}");
        assert!(refusal.detail.contains(&format!("`{path}`")), "{refusal}");
    }
}

#[test]
fn labels_and_ids_may_be_any_word() {
    let text = FULL.replacen(r#"["exchange"]"#, r#"["screening"]"#, 1);
    assert!(Policy::load(&text).is_ok());
}

fn check(guards: Vec<Guard>, rules: Vec<Rule>) -> Result<(), String> {
    let policy = policy(guards, rules);
    let (checked, loaded) = (
        policy.check(),
        Policy::load(&policy.to_text()).map(|(policy, _)| policy),
    );
    assert_eq!(checked.clone().map(|()| policy), loaded, "loading checks");
    checked.map_err(|refusal| {
        assert_eq!(refusal.code, Code::Malformed);
        refusal.detail
    })
}

#[test]
fn ids_are_unique_and_not_reserved() {
    let stop = |id: &str| every(id, then(Tier::Block, &[]));
    let only = |id: &str| guard(id, GuardKind::Chains(vec![chain()]));
    assert_eq!(check(vec![only("a")], vec![stop("b"), stop("c")]), Ok(()));
    assert!(check(vec![], vec![stop("b"), stop("b")]).is_err());
    assert!(check(vec![only("a"), only("a")], vec![]).is_err());
    assert!(check(vec![only("a")], vec![stop("a")]).is_err());
    for id in [
        NO_MATCH,
        INVALID_INTENT,
        UNKNOWN_VAULT,
        UNKNOWN_INITIATOR,
        UNSUPPORTED_ASSET,
    ] {
        assert!(
            check(vec![], vec![stop(id)]).is_err() && check(vec![only(id)], vec![]).is_err(),
            "{id}"
        );
    }
}

fn tier(then: Then) -> Result<(), String> {
    let amount = Some(Box::new(AmountRange {
        gt: None,
        lte: Some(units(1)),
    }));
    check(
        vec![],
        vec![rule(
            "r",
            Match {
                amount,
                ..Match::default()
            },
            then,
        )],
    )
}

#[test]
fn each_tier_asks_what_it_must() {
    use Tier::{Auto, Block, Committee, MOfN, OneOfN};
    let free = |then: Then| Then {
        fee_max: Some(units(1)),
        ..then
    };
    let lock = |then: Then, time_lock_seconds| Then {
        time_lock_seconds,
        ..then
    };
    for good in [
        free(auto()),
        then(OneOfN, &[(1, 1)]),
        lock(then(OneOfN, &[(1, 1)]), 2_592_000),
        then(MOfN, &[(1, 2)]),
        then(MOfN, &[(1, 1), (2, 1)]),
        Then {
            ordered: true,
            ..then(MOfN, &[(2, 1), (1, 1)])
        },
        then(MOfN, &[(1, 256)]),
        lock(then(Committee, &[(1, 1), (2, 1)]), 1),
        then(Block, &[]),
    ] {
        assert_eq!(tier(good.clone()), Ok(()), "{good:?}");
    }
    for bad in [
        auto(),
        free(then(Auto, &[(1, 1)])),
        free(lock(auto(), 1)),
        free(Then {
            ordered: true,
            ..auto()
        }),
        then(OneOfN, &[]),
        then(OneOfN, &[(1, 2)]),
        then(OneOfN, &[(1, 1), (2, 1)]),
        then(OneOfN, &[(1, 0)]),
        lock(then(OneOfN, &[(1, 1)]), 2_592_001),
        then(MOfN, &[]),
        then(MOfN, &[(1, 1)]),
        then(MOfN, &[(1, 1), (1, 1)]),
        then(MOfN, &[(1, 2), (2, 0)]),
        then(MOfN, &[(1, 257)]),
        Then {
            ordered: true,
            ..then(MOfN, &[(1, 2)])
        },
        then(Committee, &[(1, 1), (2, 1)]),
        lock(then(Committee, &[(1, 1)]), 1),
        then(Block, &[(1, 1)]),
        lock(then(Block, &[]), 1),
        free(then(Block, &[])),
    ] {
        assert!(tier(bad.clone()).is_err(), "{bad:?}");
    }
}

#[test]
fn automatic_rules_have_a_cap_on_amount_and_fee() {
    let auto = Then {
        fee_max: Some(units(1)),
        ..auto()
    };
    let amount = |gt, lte| Match {
        amount: Some(Box::new(AmountRange { gt, lte })),
        ..Match::default()
    };
    assert!(check(vec![], vec![every("r", auto.clone())]).is_err());
    assert!(
        check(
            vec![],
            vec![rule("r", amount(Some(units(1)), None), auto.clone())]
        )
        .is_err()
    );
    assert_eq!(
        check(vec![], vec![rule("r", amount(None, Some(units(1))), auto)]),
        Ok(())
    );
}

#[test]
fn the_groups_of_a_policy_are_all_named() {
    let (policy, _) = Policy::load(FULL).unwrap();
    assert_eq!(
        policy.groups().collect::<Vec<_>>(),
        [group(1), group(1), group(2)]
    );
}
