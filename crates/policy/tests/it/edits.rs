//! Random changes of a table: some tighten, some loosen, some do neither.

use crate::random;
use crate::world::*;
use proptest::prelude::*;
use strongroom_policy::*;
use strongroom_types::*;

#[derive(Clone, Debug)]
pub enum Edit {
    AddGuard(Guard),
    DropGuard,
    Insert(usize, Rule),
    BlockInFront(Rule),
    Remove(usize),
    Swap(usize, usize),
    Replace(usize, Then),
    Tier(usize, Tier),
    Lock(usize, u64),
    Ordered(usize, bool),
    Fee(usize, Option<u64>),
    Approvals(usize, u32),
    DropGroup(usize),
    AddGroup(usize),
    Amount(usize, u64),
}

pub fn edit() -> impl Strategy<Value = Edit> {
    let at = || 0..4usize;
    let tier = proptest::sample::select(vec![
        Tier::Auto,
        Tier::OneOfN,
        Tier::MOfN,
        Tier::Committee,
        Tier::Block,
    ]);
    prop_oneof![
        random::guard_with("new guard".to_owned()).prop_map(Edit::AddGuard),
        Just(Edit::DropGuard),
        (at(), random::rule_with("new rule".to_owned()))
            .prop_map(|(at, rule)| Edit::Insert(at, rule)),
        random::rule_with("new rule".to_owned()).prop_map(Edit::BlockInFront),
        at().prop_map(Edit::Remove),
        (at(), at()).prop_map(|(a, b)| Edit::Swap(a, b)),
        (at(), random::obligations()).prop_map(|(at, then)| Edit::Replace(at, then)),
        (at(), tier).prop_map(|(at, tier)| Edit::Tier(at, tier)),
        (at(), 0..4u64).prop_map(|(at, lock)| Edit::Lock(at, lock)),
        (at(), any::<bool>()).prop_map(|(at, ordered)| Edit::Ordered(at, ordered)),
        (at(), proptest::option::of(0..20u64)).prop_map(|(at, fee)| Edit::Fee(at, fee)),
        (at(), 1..5u32).prop_map(|(at, approvals)| Edit::Approvals(at, approvals)),
        at().prop_map(Edit::DropGroup),
        at().prop_map(Edit::AddGroup),
        (at(), 1..300u64).prop_map(|(at, amount)| Edit::Amount(at, amount)),
    ]
}

pub fn apply(mut policy: Policy, edit: Edit) -> Policy {
    let rules = &mut policy.rules.to_vec();
    let then = |rules: &mut Vec<Rule>, at: usize, change: &dyn Fn(&mut Then)| {
        rules
            .get_mut(at)
            .into_iter()
            .for_each(|rule| change(&mut rule.then));
    };
    match edit {
        Edit::AddGuard(guard) => policy.guards.push(guard),
        Edit::DropGuard => policy.guards.clear(),
        Edit::Insert(at, rule) => rules.insert(at.min(rules.len()), rule),
        Edit::BlockInFront(rule) => {
            let blocking = crate::world::then(Tier::Block, &[]);
            rules.insert(
                0,
                Rule {
                    then: blocking,
                    ..rule
                },
            );
        }
        Edit::Remove(at) => rules.retain({
            let id = rules.get(at).map(|rule| rule.id.clone());
            move |rule| Some(&rule.id) != id.as_ref()
        }),
        Edit::Swap(a, b) if a < rules.len() && b < rules.len() => rules.swap(a, b),
        Edit::Swap(..) => {}
        Edit::Replace(at, new) => then(rules, at, &|then| *then = new.clone()),
        Edit::Tier(at, tier) => then(rules, at, &|then| then.tier = tier),
        Edit::Lock(at, lock) => then(rules, at, &|then| then.time_lock_seconds = lock),
        Edit::Ordered(at, ordered) => then(rules, at, &|then| then.ordered = ordered),
        Edit::Fee(at, fee) => then(rules, at, &|then| then.fee_max = fee.map(units)),
        Edit::Approvals(at, n) => then(rules, at, &|then| {
            then.groups
                .iter_mut()
                .take(1)
                .for_each(|need| need.approvals = n);
        }),
        Edit::DropGroup(at) => then(rules, at, &|then| {
            then.groups.pop();
        }),
        Edit::AddGroup(at) => {
            then(rules, at, &|then| {
                then.groups.push(GroupNeed {
                    group: group(4),
                    approvals: 1,
                })
            });
        }
        Edit::Amount(at, lte) => {
            let amount = Some(Box::new(AmountRange {
                gt: None,
                lte: Some(units(lte)),
            }));
            rules
                .get_mut(at)
                .into_iter()
                .for_each(|rule| rule.matches.amount.clone_from(&amount));
        }
    }
    policy.rules = std::mem::take(rules).into();
    policy
}
