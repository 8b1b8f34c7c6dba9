use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

#[test]
fn the_core_says_what_the_rule_asks() {
    let committee = Then {
        time_lock_seconds: 60,
        ordered: true,
        fee_max: Some(units(10)),
        ..then(Tier::Committee, &[(2, 1), (1, 2)])
    };
    let table = policy(vec![], vec![every("big", committee.clone())]);
    let decision = ask(&table, &world(), &plain());
    let core = DecisionCore {
        intent: plain().digest(),
        policy: table.digest(),
        rule: "big".into(),
        tier: Tier::Committee,
        time_lock_seconds: 60,
        ordered: true,
        groups: committee.groups,
        obligations: Vec::new(),
        decoder: "bitcoin/1".into(),
    };
    assert_eq!(
        decision,
        Decision {
            core,
            relied_on: vec![],
            limited: false,
            block: None
        }
    );
}

#[test]
fn a_fee_cap_above_the_rules_blocks() {
    let capped = |most| {
        policy(
            vec![],
            vec![every(
                "r",
                Then {
                    fee_max: Some(units(most)),
                    ..auto()
                },
            )],
        )
    };
    assert!(ask(&capped(10), &world(), &plain()).block.is_none());
    assert_eq!(
        blocked(&capped(9), &world(), &plain()),
        ("r".into(), Code::FeeCapExceeded)
    );
}

#[test]
fn a_block_rule_blocks_by_its_name() {
    let table = policy(
        vec![],
        vec![every("stop", then(Tier::Block, &[])), every("r", auto())],
    );
    assert_eq!(
        blocked(&table, &world(), &plain()),
        ("stop".into(), Code::PolicyBlocked)
    );
}

#[test]
fn a_blocked_core_asks_no_group_and_relies_on_nothing() {
    let listed = Destinations {
        types: vec![DestinationType::AllowListed],
        min_age_seconds: None,
        labels: None,
    };
    let wanted = Match {
        destinations: Some(Box::new(listed)),
        ..Match::default()
    };
    let strict = Then {
        fee_max: Some(units(1)),
        time_lock_seconds: 9,
        ..then(Tier::MOfN, &[(1, 2)])
    };
    let decision = ask(
        &policy(vec![], vec![rule("r", wanted, strict)]),
        &world(),
        &plain(),
    );
    assert_eq!(
        (decision.core.groups.len(), decision.core.time_lock_seconds),
        (0, 0)
    );
    assert_eq!(decision.relied_on, []);
}

/// Terms that were met cover later ones only if they are enough in every respect at once.
#[test]
fn terms_cover_no_more_than_was_met() {
    let core = |change: fn(&mut DecisionCore)| {
        let mut core = ask(
            &policy(
                vec![],
                vec![every("r", then(Tier::OneOfN, &[(1, 2), (2, 1)]))],
            ),
            &world(),
            &plain(),
        )
        .core;
        core.tier = Tier::MOfN;
        core.time_lock_seconds = 60;
        change(&mut core);
        core
    };
    let met = Terms::from(&core(|_| {}));
    let covered: [fn(&mut DecisionCore); 5] = [
        |_| {},
        |core| core.tier = Tier::OneOfN,
        |core| core.time_lock_seconds = 59,
        |core| core.groups[0].approvals = 1,
        |core| core.groups.truncate(1),
    ];
    for change in covered {
        assert!(met.cover(&core(change)));
    }
    let more: [fn(&mut DecisionCore); 7] = [
        |core| core.tier = Tier::Committee,
        |core| core.tier = Tier::Block,
        |core| core.time_lock_seconds = 61,
        |core| core.ordered = true,
        |core| core.groups[0].approvals = 3,
        |core| core.groups[1].group = group(3),
        |core| {
            let third = GroupNeed {
                group: group(3),
                approvals: 1,
            };
            core.groups.push(third);
        },
    ];
    for change in more {
        assert!(!met.cover(&core(change)));
    }

    // No approvals can have met a block.
    let block = Terms {
        tier: Tier::Block,
        ..met
    };
    assert!(!block.cover(&core(|core| core.tier = Tier::Block)));
}
