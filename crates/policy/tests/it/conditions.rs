use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

#[test]
fn an_absent_condition_means_any() {
    assert!(matches(&Match::default(), &world(), &plain()));
}

#[test]
fn the_first_rule_that_matches_decides() {
    let small = Match {
        amount: Some(Box::new(AmountRange {
            gt: None,
            lte: Some(units(50)),
        })),
        ..Match::default()
    };
    let table = policy(
        vec![],
        vec![
            rule("small", small, auto()),
            every("rest", then(Tier::OneOfN, &[(1, 1)])),
        ],
    );
    assert_eq!(
        outcome(&table, &world(), &intent(50, &[to(FRIEND)])),
        ("small".into(), Tier::Auto)
    );
    assert_eq!(
        outcome(&table, &world(), &intent(51, &[to(FRIEND)])),
        ("rest".into(), Tier::OneOfN)
    );
}

#[test]
fn no_match_blocks() {
    let expected = (NO_MATCH.to_owned(), Code::PolicyBlocked);
    assert_eq!(
        blocked(&policy(vec![], vec![]), &world(), &plain()),
        expected
    );
    let never = Match {
        sources: Some(Box::new(Sources {
            vaults: Some(vec![vault(7)]),
            tags: None,
        })),
        ..Match::default()
    };
    assert_eq!(
        blocked(
            &policy(vec![], vec![rule("r", never, auto())]),
            &world(),
            &plain()
        ),
        expected
    );
}

#[test]
fn kinds_are_compared() {
    assert!(matches(
        &Match {
            kinds: Some(vec![Kind::Transfer]),
            ..Match::default()
        },
        &world(),
        &plain()
    ));
    // A text cannot express an empty set of kinds, but the condition must not mean "any".
    assert!(!matches(
        &Match {
            kinds: Some(vec![]),
            ..Match::default()
        },
        &world(),
        &plain()
    ));
}

#[test]
fn initiators_are_users_or_members_of_groups() {
    let of = |users: Option<Vec<UserId>>, groups: Option<Vec<GroupId>>| Match {
        initiators: Some(Box::new(Initiators { users, groups })),
        ..Match::default()
    };
    for (wanted, expected) in [
        (of(Some(vec![user(1)]), None), true),
        (of(Some(vec![user(2), user(3)]), None), false),
        (of(None, Some(vec![group(1)])), true),
        (of(None, Some(vec![group(2)])), false),
        (of(None, Some(vec![group(2), group(1)])), true),
        (of(Some(vec![user(2)]), Some(vec![group(1)])), true),
        (of(Some(vec![user(1)]), Some(vec![group(2)])), true),
        (of(Some(vec![user(2)]), Some(vec![group(2)])), false),
    ] {
        assert_eq!(matches(&wanted, &world(), &plain()), expected, "{wanted:?}");
    }
}

#[test]
fn sources_are_vaults_or_tags() {
    let of = |vaults: Option<Vec<VaultId>>, tags: Option<Vec<Name>>| Match {
        sources: Some(Box::new(Sources { vaults, tags })),
        ..Match::default()
    };
    for (wanted, expected) in [
        (of(Some(vec![vault(1)]), None), true),
        (of(Some(vec![vault(2)]), None), false),
        (of(None, Some(vec![name("hot")])), true),
        (of(None, Some(vec![name("cold")])), false),
        (of(Some(vec![vault(2)]), Some(vec![name("hot")])), true),
        (of(Some(vec![vault(2)]), Some(vec![name("cold")])), false),
    ] {
        assert_eq!(matches(&wanted, &world(), &plain()), expected, "{wanted:?}");
    }
}

#[test]
fn assets_are_compared() {
    let of = |asset: &str| Match {
        assets: Some(vec![asset.parse().unwrap()]),
        ..Match::default()
    };
    assert!(matches(&of(ASSET), &world(), &plain()));
    assert!(!matches(
        &of("bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0"),
        &world(),
        &plain()
    ));
}

#[test]
fn amount_bounds_are_exclusive_below_and_inclusive_above() {
    let wanted = Match {
        amount: Some(Box::new(AmountRange {
            gt: Some(units(10)),
            lte: Some(units(20)),
        })),
        ..Match::default()
    };
    for (amount, expected) in [(10, false), (11, true), (20, true), (21, false)] {
        assert_eq!(
            matches(&wanted, &world(), &intent(amount, &[to(FRIEND)])),
            expected,
            "{amount}"
        );
    }
    let above = Match {
        amount: Some(Box::new(AmountRange {
            gt: Some(units(10)),
            lte: None,
        })),
        ..Match::default()
    };
    assert!(matches(&above, &world(), &intent(u64::MAX, &[to(FRIEND)])));
}

#[test]
fn amounts_beyond_64_bits_are_compared_in_full() {
    let beyond: MinorUnits = "18446744073709551616".parse().unwrap();
    let pays = |amount| {
        let mut transfer = plain().transfers()[0].clone();
        transfer.amount = amount;
        Intent {
            kind: IntentKind::Transfer(vec![transfer]),
            ..plain()
        }
    };
    let next = beyond.checked_add(units(1)).unwrap();
    let wanted = |gt, lte| Match {
        amount: Some(Box::new(AmountRange { gt, lte })),
        ..Match::default()
    };
    assert!(matches(&wanted(Some(beyond), None), &world(), &pays(next)));
    assert!(!matches(
        &wanted(Some(beyond), None),
        &world(),
        &pays(beyond)
    ));
    assert!(matches(
        &wanted(None, Some(beyond)),
        &world(),
        &pays(beyond)
    ));
    assert!(!matches(&wanted(None, Some(beyond)), &world(), &pays(next)));
    assert!(!matches(
        &wanted(None, Some(units(u64::MAX))),
        &world(),
        &pays(beyond)
    ));
}

#[test]
fn the_amount_is_the_sum_of_all_transfers() {
    let wanted = Match {
        amount: Some(Box::new(AmountRange {
            gt: None,
            lte: Some(units(20)),
        })),
        ..Match::default()
    };
    assert!(matches(
        &wanted,
        &world(),
        &intent(10, &[to(FRIEND), to(STRANGER)])
    ));
    assert!(!matches(
        &wanted,
        &world(),
        &intent(11, &[to(FRIEND), to(STRANGER)])
    ));
}

fn destinations(types: &[DestinationType], age: Option<u64>, labels: Option<&str>) -> Match {
    let labels = labels.map(|label| vec![name(label)]);
    let destinations = Destinations {
        types: types.to_vec(),
        min_age_seconds: age,
        labels,
    };
    Match {
        destinations: Some(Box::new(destinations)),
        ..Match::default()
    }
}

#[test]
fn destinations_are_told_apart() {
    use DestinationType::{AllowListed, AllowListedNew, Internal, Unknown};
    let (friend, stranger, own) = (to(FRIEND), to(STRANGER), Destination::Vault(vault(2)));
    let table = [
        (
            destinations(&[AllowListed], None, None),
            [true, false, false],
        ),
        (destinations(&[Unknown], None, None), [false, true, false]),
        (destinations(&[Internal], None, None), [false, false, true]),
        (
            destinations(&[AllowListed, Internal], None, None),
            [true, false, true],
        ),
        // The entry is one hour old.
        (
            destinations(&[AllowListed], Some(3600), None),
            [true, false, false],
        ),
        (
            destinations(&[AllowListed], Some(3601), None),
            [false, false, false],
        ),
        (
            destinations(&[AllowListedNew], Some(3600), None),
            [false, false, false],
        ),
        (
            destinations(&[AllowListedNew], Some(3601), None),
            [true, false, false],
        ),
        (
            destinations(&[AllowListed, AllowListedNew], Some(3601), None),
            [true, false, false],
        ),
        (
            destinations(&[AllowListed], None, Some("exchange")),
            [true, false, false],
        ),
        (
            destinations(&[AllowListed], None, Some("bank")),
            [false, false, false],
        ),
    ];
    for (wanted, expected) in table {
        let got = [&friend, &stranger, &own]
            .map(|d| matches(&wanted, &world(), &intent(1, std::slice::from_ref(d))));
        assert_eq!(got, expected, "{wanted:?}");
    }
}

#[test]
fn every_transfer_must_go_where_the_rule_says() {
    let wanted = destinations(&[DestinationType::AllowListed], None, None);
    assert!(matches(
        &wanted,
        &world(),
        &intent(1, &[to(FRIEND), to(FRIEND)])
    ));
    assert!(!matches(
        &wanted,
        &world(),
        &intent(1, &[to(FRIEND), to(STRANGER)])
    ));
    assert!(!matches(
        &wanted,
        &world(),
        &intent(1, &[to(STRANGER), to(FRIEND)])
    ));
}

#[test]
fn an_entry_whose_time_has_not_come_does_not_count() {
    let mut world = world();
    world.listed.get_mut(FRIEND).unwrap().since = NOW.plus(1);
    assert!(!matches(
        &destinations(&[DestinationType::AllowListed], None, None),
        &world,
        &plain()
    ));
    assert!(matches(
        &destinations(&[DestinationType::Unknown], None, None),
        &world,
        &plain()
    ));
}

#[test]
fn rules_keep_their_hours() {
    // NOW is Thursday midnight UTC.
    let hours = |day| Hours {
        utc_offset_minutes: 0,
        days: vec![day],
        from: "00:00".parse().unwrap(),
        to: "00:01".parse().unwrap(),
    };
    let wanted = |day| Match {
        time: Some(Box::new(hours(day))),
        ..Match::default()
    };
    assert!(matches(&wanted(Day::Thursday), &world(), &plain()));
    assert!(!matches(&wanted(Day::Wednesday), &world(), &plain()));
}

#[test]
fn a_decision_relies_on_the_entries_that_made_it() {
    let listed = destinations(&[DestinationType::AllowListed], None, None);
    let either = destinations(
        &[DestinationType::AllowListed, DestinationType::Unknown],
        None,
        None,
    );
    let unknown = destinations(&[DestinationType::Unknown], None, None);
    let relied =
        |rules: Vec<Rule>, intent: &Intent| ask(&policy(vec![], rules), &world(), intent).relied_on;
    assert_eq!(
        relied(vec![rule("r", listed.clone(), auto())], &plain()),
        [entry(1)]
    );
    assert_eq!(relied(vec![rule("r", either, auto())], &plain()), []);
    assert_eq!(relied(vec![every("r", auto())], &plain()), []);
    // Two transfers to one address rely on one entry.
    let twice = intent(1, &[to(FRIEND), to(FRIEND)]);
    assert_eq!(
        relied(vec![rule("r", listed.clone(), auto())], &twice),
        [entry(1)]
    );
    // Without the entry the first rule would have blocked.
    let passed_over = vec![
        rule("strangers", unknown, then(Tier::Block, &[])),
        every("r", auto()),
    ];
    assert_eq!(relied(passed_over, &plain()), [entry(1)]);
    // The decision does not rely on an entry because of a rule after the match.
    assert_eq!(
        relied(
            vec![every("r", auto()), rule("later", listed, auto())],
            &plain()
        ),
        []
    );
}

/// An intent may pay 500 addresses: an entry that is removed must count, whichever transfer pays
/// it.
#[test]
fn decision_relies_on_every_listed_destination_of_many() {
    let mut world = world();
    let address = |n: u16| format!("bcrt1p{n}");
    let id = |n: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        AllowListId(id)
    };
    for n in 0..200 {
        let listed = Listed {
            id: id(n),
            label: name("exchange"),
            since: UnixMs(0),
        };
        world.listed.insert(address(n), listed);
    }
    let to_all: Vec<_> = (0..200).map(|n| to(&address(n))).collect();
    let destinations = Destinations {
        types: vec![DestinationType::AllowListed],
        min_age_seconds: None,
        labels: None,
    };
    let wanted = Match {
        destinations: Some(Box::new(destinations)),
        ..Match::default()
    };
    let table = policy(vec![], vec![rule("r", wanted, auto())]);
    let decision = ask(&table, &world, &intent(1, &to_all));
    let all: Vec<_> = (0..200).map(id).collect();
    assert_eq!(decision.relied_on, all);
}
