use crate::world::*;
use strongroom_policy::*;
use strongroom_types::*;

fn old() -> Policy {
    let small = Match {
        amount: Some(Box::new(AmountRange {
            gt: None,
            lte: Some(units(50)),
        })),
        ..Match::default()
    };
    let ordered = Then {
        ordered: true,
        ..then(Tier::MOfN, &[(2, 1), (1, 1)])
    };
    let capped = Then {
        fee_max: Some(units(10)),
        time_lock_seconds: 5,
        ..then(Tier::OneOfN, &[(1, 1)])
    };
    policy(
        vec![guard("chains", GuardKind::Chains(vec![chain()]))],
        vec![rule("small", small, capped), every("rest", ordered)],
    )
}

fn change(edit: impl FnOnce(&mut Policy)) -> bool {
    let mut new = old();
    edit(&mut new);
    is_tighter(&old(), &new)
}

fn rules(edit: impl FnOnce(&mut Vec<Rule>)) -> bool {
    change(|policy| edit_rules(policy, edit))
}

fn small(edit: impl FnOnce(&mut Then)) -> bool {
    rules(|rules| edit(&mut rules[0].then))
}

fn rest(edit: impl FnOnce(&mut Then)) -> bool {
    rules(|rules| edit(&mut rules[1].then))
}

fn need(n: u8, approvals: u32) -> GroupNeed {
    GroupNeed {
        group: group(n),
        approvals,
    }
}

#[test]
fn raising_is_tighter() {
    assert!(change(|_| {}));
    assert!(change(|p| p.guards.push(guard(
        "g",
        GuardKind::AmountMax {
            asset: asset(),
            lte: units(1)
        }
    ))));
    assert!(change(|p| p
        .guards
        .insert(0, guard("g", GuardKind::Assets(vec![asset()])))));
    assert!(rules(|r| r.insert(0, every("stop", then(Tier::Block, &[])))));
    assert!(small(|t| t.tier = Tier::MOfN));
    assert!(small(|t| *t = then(Tier::Block, &[])));
    assert!(small(|t| t.groups[0].approvals = 2));
    assert!(small(|t| t.groups.push(need(2, 1))));
    assert!(small(|t| t.time_lock_seconds = 6));
    assert!(small(|t| t.fee_max = Some(units(9))));
    assert!(rest(|t| t.fee_max = Some(units(9))));
    assert!(rest(|t| t.groups.insert(1, need(3, 1))));
    assert!(rules(|r| {
        r[0].then.groups.push(need(2, 1));
        r[0].then.ordered = true;
    }));
}

#[test]
fn everything_else_is_looser() {
    assert!(!change(|p| p.guards.clear()));
    assert!(!change(|p| p.guards[0].id = name("other")));
    assert!(!change(
        |p| p.guards[0].kind = GuardKind::Chains(vec!["eip155:1".parse().unwrap(), chain()])
    ));
    assert!(!rules(|r| r.insert(0, every("open", auto()))));
    assert!(
        !rules(|r| r.insert(1, every("stop", then(Tier::Block, &[])))),
        "not in front"
    );
    assert!(!rules(|r| r.push(every("stop", then(Tier::Block, &[])))));
    assert!(!rules(|r| r.swap(0, 1)));
    assert!(!rules(|r| r.truncate(1)));
    assert!(!rules(|r| {
        r.remove(0);
    }));
    assert!(!rules(|r| r[0].id = name("other")));
    assert!(!rules(|r| r[0].matches.amount =
        Some(Box::new(AmountRange {
            gt: None,
            lte: Some(units(49))
        }))));
    assert!(!rules(|r| r[0].matches = Match::default()));
    assert!(!small(|t| t.tier = Tier::Auto));
    assert!(!small(|t| t.groups.clear()));
    assert!(!small(|t| t.groups[0] = need(2, 1)));
    assert!(!small(|t| t.time_lock_seconds = 4));
    assert!(!small(|t| t.fee_max = Some(units(11))));
    assert!(!small(|t| t.fee_max = None));
    assert!(!rest(|t| t.ordered = false));
    assert!(!rest(|t| t.groups.swap(0, 1)));
    assert!(!rest(|t| t.groups[1].approvals = 0));
    assert!(!rest(|t| t.tier = Tier::OneOfN));
}

#[test]
fn a_narrower_rule_can_let_more_through() {
    // The block rule is narrowed, so an intent falls through to the open one.
    let mut new = policy(
        vec![],
        vec![every("stop", then(Tier::Block, &[])), every("open", auto())],
    );
    let before = new.clone();
    edit_rules(&mut new, |rules| {
        rules[0].matches.amount = Some(Box::new(AmountRange {
            gt: Some(units(100)),
            lte: None,
        }));
    });
    assert!(ask(&before, &world(), &plain()).block.is_some());
    assert!(ask(&new, &world(), &plain()).block.is_none());
    assert!(!is_tighter(&before, &new));
}
