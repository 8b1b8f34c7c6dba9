//! Admins alone take a person out of a group, or an address off the list, at once. Where the group or
//! the list leads to the stricter rule, that does not tighten.

use super::{refused_again, share};
use crate::{SMALL, ready};
use strongroom_policy::{
    DestinationType, Destinations, Initiators, Match, Rule, VelocityScope, Window,
};
use strongroom_types::{
    AllowListEntry, AllowListId, Code, Destination, Document as _, GroupNeed, Intent, IntentKind,
    RegistryRecord, Tier, Tighten, Transfer,
};
use strongroom_world::{AuthorizationExt as _, FEE_MAX, FRIEND, Ledger, STRANGER, Who};

const UNCONFIRMED: Option<Code> = Some(Code::RemovalNotConfirmed);

/// A rule of this match and tier, which asks one approver where it asks any.
fn rule(ledger: &Ledger, id: &str, matches: Match, tier: Tier) -> Rule {
    let group = ledger.world.tenant.approvers;
    let need = GroupNeed {
        group,
        approvals: 1,
    };
    let groups = if tier == Tier::OneOfN {
        vec![need]
    } else {
        vec![]
    };
    let mut rule = ledger.world.tenant.policy(&Default::default()).rules[0].clone();
    rule.id = id.parse().unwrap();
    let amount = rule.matches.amount.filter(|_| tier == Tier::Auto);
    rule.matches = Match { amount, ..matches };
    rule.then.fee_max = rule.then.fee_max.filter(|_| tier == Tier::Auto);
    (rule.then.tier, rule.then.groups) = (tier, groups);
    rule
}

/// A tenant whose policy has these rules alone: the first for what matches, then the rest.
fn under(matches: impl FnOnce(&Ledger) -> Match, first: Tier, rest: Tier) -> Ledger {
    let mut ledger = ready();
    put_group(&mut ledger, &[Who::Initiator, Who::Risk(0)]);
    let of_match = matches(&ledger);
    let mut policy = ledger.world.tenant.policy(&Default::default());
    let rules = vec![
        rule(&ledger, "first", of_match, first),
        rule(&ledger, "rest", Match::default(), rest),
    ];
    policy.rules = rules.into();
    ledger.put_and_release(RegistryRecord::Policy(policy.to_text()));
    ledger
}

fn put_group(ledger: &mut Ledger, members: &[Who]) {
    let risk = ledger.world.tenant.risk;
    let group = ledger.world.tenant.group("risk", risk, members);
    ledger.put_and_release(RegistryRecord::Group(group));
}

fn of_group(ledger: &Ledger) -> Match {
    let initiators = Initiators {
        users: None,
        groups: Some(vec![ledger.world.tenant.risk]),
    };
    Match {
        initiators: Some(Box::new(initiators)),
        ..Match::default()
    }
}

fn of_type(of: DestinationType) -> Match {
    let destinations = Destinations {
        types: vec![of],
        min_age_seconds: None,
        labels: None,
    };
    Match {
        destinations: Some(Box::new(destinations)),
        ..Match::default()
    }
}

fn leave(ledger: &mut Ledger, who: Who) {
    let leave = Tighten::LeaveGroup {
        group: ledger.world.tenant.risk,
        user: ledger.world.person(who).user.id,
    };
    ledger.tighten(leave, &[Who::Admin(0)]).unwrap();
}

fn unlist(ledger: &mut Ledger) {
    let friend = ledger.world.tenant.friend;
    ledger
        .tighten(Tighten::revoke(friend), &[Who::Admin(0)])
        .unwrap();
}

fn list_again(ledger: &mut Ledger) {
    let listed = ledger.world.tenant.charter().allow_list[0].clone();
    let entry = AllowListEntry {
        id: AllowListId([9; 16]),
        ..listed
    };
    ledger.put_and_release(RegistryRecord::AllowList(entry));
}

fn payment(ledger: &Ledger) -> Intent {
    ledger.world.intent(ledger.now, SMALL, FRIEND)
}

fn refused(ledger: &Ledger, approvers: &[Who]) -> Option<Code> {
    let body = ledger.authorization(&payment(ledger), approvers);
    ledger.refused(body.into_body())
}

const ONE: [Who; 1] = [Who::Approver(0)];

#[test]
fn hole_leaving_a_group_leads_past_no_stricter_rule() {
    let mut ledger = under(of_group, Tier::OneOfN, Tier::Auto);
    assert_eq!(refused(&ledger, &[]), Some(Code::ApprovalMissing));
    let under_way = payment(&ledger);
    ledger.authorize(&under_way, &ONE).unwrap();
    assert_eq!(share(&ledger, &under_way), None);

    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused(&ledger, &[]), UNCONFIRMED);
    assert_eq!(share(&ledger, &under_way), UNCONFIRMED);
    assert_eq!(refused_again(&ledger, &under_way), UNCONFIRMED);

    // The committee releases the group, with the member or without.
    let mut back = ledger.clone();
    put_group(&mut back, &[Who::Initiator]);
    assert_eq!(refused(&back, &[]), Some(Code::ApprovalMissing));
    assert_eq!(share(&back, &under_way), None);
    put_group(&mut ledger, &[Who::Risk(0)]);
    assert_eq!(refused(&ledger, &[]), None);
    assert_eq!(share(&ledger, &under_way), None, "more was met");
}

#[test]
fn hole_leaving_a_group_that_may_not_pay_lets_no_one_pay() {
    let mut ledger = under(of_group, Tier::Block, Tier::Auto);
    assert_eq!(refused(&ledger, &[]), Some(Code::PolicyBlocked));
    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused(&ledger, &[]), UNCONFIRMED);
}

#[test]
fn hole_taking_an_address_off_the_list_leads_past_no_stricter_rule() {
    for (of, first, rest) in [
        (DestinationType::AllowListed, Tier::OneOfN, Tier::Auto),
        (DestinationType::Unknown, Tier::Auto, Tier::OneOfN),
    ] {
        let mut ledger = under(|_| of_type(of), first, rest);
        let under_way = payment(&ledger);
        assert_eq!(refused(&ledger, &[]), Some(Code::ApprovalMissing), "{of}");
        ledger.authorize(&under_way, &ONE).unwrap();

        unlist(&mut ledger);
        assert_eq!(refused(&ledger, &[]), UNCONFIRMED, "{of}");
        let ended = Some(Code::AllowListNoLongerInForce);
        assert_eq!(share(&ledger, &under_way), ended, "{of}");
        list_again(&mut ledger);
        assert_eq!(refused(&ledger, &[]), Some(Code::ApprovalMissing), "{of}");
    }
}

/// A payment of several transfers, all of them to addresses on the list, under a table that lets
/// those off it pass by the same terms.
#[test]
fn hole_each_listed_address_of_a_payment_is_still_listed_at_its_share() {
    let listed = |_: &Ledger| of_type(DestinationType::AllowListed);
    let mut ledger = under(listed, Tier::Auto, Tier::Auto);
    let other = AllowListEntry {
        id: AllowListId([9; 16]),
        address: STRANGER.to_owned(),
        ..ledger.world.tenant.charter().allow_list[0].clone()
    };
    ledger.put_and_release(RegistryRecord::AllowList(other.clone()));

    let world = &ledger.world;
    let under_way = world.intent_with(ledger.now, SMALL, FRIEND, |intent| {
        let mut transfers = intent.transfers().to_vec();
        transfers.push(Transfer {
            destination: Destination::Address(STRANGER.to_owned()),
            amount: 1_000.into(),
            ..transfers[0].clone()
        });
        intent.kind = IntentKind::Transfer(transfers);
    });
    ledger.authorize(&under_way, &[]).unwrap();
    assert_eq!(share(&ledger, &under_way), None);

    for removed in [ledger.world.tenant.friend, other.id] {
        let mut ledger = ledger.clone();
        let revoke = Tighten::revoke(removed);
        ledger.tighten(revoke, &[Who::Admin(0)]).unwrap();
        let ended = Some(Code::AllowListNoLongerInForce);
        assert_eq!(share(&ledger, &under_way), ended, "{removed}");
    }
}

/// That is what removals are for.
#[test]
fn a_removal_that_leads_to_a_stricter_rule_acts_as_before() {
    let mut left = under(of_group, Tier::Auto, Tier::OneOfN);
    assert_eq!(refused(&left, &[]), None);
    leave(&mut left, Who::Risk(0));
    assert_eq!(refused(&left, &[]), None, "someone else left");
    leave(&mut left, Who::Initiator);
    assert_eq!(refused(&left, &[]), Some(Code::ApprovalMissing));
    assert_eq!(refused(&left, &ONE), None);

    let listed = |_: &Ledger| of_type(DestinationType::AllowListed);
    let mut unlisted = under(listed, Tier::Auto, Tier::OneOfN);
    assert_eq!(refused(&unlisted, &[]), None);
    unlist(&mut unlisted);
    assert_eq!(refused(&unlisted, &[]), Some(Code::ApprovalMissing));
    assert_eq!(refused(&unlisted, &ONE), None);

    let mut blocked = under(of_group, Tier::OneOfN, Tier::Block);
    leave(&mut blocked, Who::Initiator);
    assert_eq!(refused(&blocked, &[]), Some(Code::PolicyBlocked));
}

/// No rule reads what was removed.
#[test]
fn a_removal_counts_for_nothing_where_the_table_does_not_ask_for_it() {
    let mut ledger = under(
        |_| of_type(DestinationType::Internal),
        Tier::Auto,
        Tier::Auto,
    );
    leave(&mut ledger, Who::Initiator);
    unlist(&mut ledger);
    assert_eq!(refused(&ledger, &[]), None);
}

#[test]
fn the_state_does_not_depend_on_the_order_of_leaving() {
    let of = |order: [Who; 2]| {
        let mut ledger = under(of_group, Tier::OneOfN, Tier::Auto);
        for who in order {
            leave(&mut ledger, who);
        }
        // Once more: no one leaves twice.
        leave(&mut ledger, Who::Initiator);
        let group =
            strongroom_journal::keyspace::group(ledger.world.tenant.id, ledger.world.tenant.risk);
        ledger.state.map()[&group].clone()
    };
    let people = [Who::Initiator, Who::Risk(0)];
    assert_eq!(of(people), of([people[1], people[0]]));
}

fn an_hour_of_one() -> Vec<Window> {
    vec![Window {
        scope: VelocityScope::Tenant,
        window_seconds: 3_600,
        amount_lte: Some((SMALL + FEE_MAX).into()),
        count_lte: None,
    }]
}

/// Its own spend must not fill the window of the rule that decided before the removal.
#[test]
fn hole_a_payments_own_spend_leads_past_no_rule_of_before_the_removal() {
    let matches = |ledger: &Ledger| Match {
        velocity: an_hour_of_one(),
        ..of_group(ledger)
    };
    let mut ledger = under(matches, Tier::OneOfN, Tier::Auto);
    let under_way = payment(&ledger);
    ledger.authorize(&under_way, &ONE).unwrap();
    assert_eq!(refused_again(&ledger, &under_way), None);
    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused_again(&ledger, &under_way), UNCONFIRMED);
}

/// A share has two answers to choose from, and neither may overlook a removal.
#[test]
fn hole_a_full_window_leads_past_no_rule_of_before_the_removal() {
    let mut ledger = ready();
    put_group(&mut ledger, &[Who::Initiator, Who::Risk(0)]);
    let windowed = Match {
        velocity: an_hour_of_one(),
        ..Match::default()
    };
    let mut two = rule(&ledger, "two", windowed, Tier::OneOfN);
    two.then.tier = Tier::MOfN;
    two.then.groups[0].approvals = 2;
    let rules = vec![
        two,
        rule(&ledger, "group", of_group(&ledger), Tier::OneOfN),
        rule(&ledger, "rest", Match::default(), Tier::Auto),
    ];
    let mut policy = ledger.world.tenant.policy(&Default::default());
    policy.rules = rules.into();
    ledger.put_and_release(RegistryRecord::Policy(policy.to_text()));

    let first = payment(&ledger);
    ledger.authorize(&first, &crate::TWO).unwrap();
    let under_way = payment(&ledger);
    ledger.authorize(&under_way, &ONE).unwrap();
    assert_eq!(share(&ledger, &under_way), None);
    leave(&mut ledger, Who::Initiator);
    assert_eq!(share(&ledger, &under_way), Some(Code::DecisionChanged));
}

/// Members pay a listed address by themselves, what the second rule matches needs another's word, and
/// for all others no word is asked.
fn under_three(second: impl FnOnce(&Ledger) -> Match) -> Ledger {
    let mut ledger = ready();
    put_group(&mut ledger, &[Who::Initiator, Who::Risk(0)]);
    let listed = Match {
        destinations: of_type(DestinationType::AllowListed).destinations,
        ..of_group(&ledger)
    };
    let rules = vec![
        rule(&ledger, "both", listed, Tier::Auto),
        rule(&ledger, "one", second(&ledger), Tier::OneOfN),
        rule(&ledger, "rest", Match::default(), Tier::Auto),
    ];
    let mut policy = ledger.world.tenant.policy(&Default::default());
    policy.rules = rules.into();
    ledger.put_and_release(RegistryRecord::Policy(policy.to_text()));
    ledger
}

/// Two removals that undo each other's effect: members pay the address by themselves while it is
/// listed, and with another's word once it is not; for all others no word is asked.
#[test]
fn hole_a_second_removal_leads_past_no_stricter_rule_of_the_first() {
    let mut ledger = under_three(of_group);
    assert_eq!(refused(&ledger, &[]), None);
    unlist(&mut ledger);
    assert_eq!(refused(&ledger, &[]), Some(Code::ApprovalMissing));
    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused(&ledger, &[]), UNCONFIRMED);

    // In the other order as well, and another member who left changes nothing.
    let mut ledger = under_three(of_group);
    leave(&mut ledger, Who::Risk(0));
    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused(&ledger, &[]), None, "the rest may pay it, too");
    unlist(&mut ledger);
    assert_eq!(refused(&ledger, &[]), UNCONFIRMED);
    put_group(&mut ledger, &[Who::Risk(0)]);
    assert_eq!(refused(&ledger, &[]), None, "the committee's word");
}

/// The same with the kinds of removal changed over: people outside of the group pay a listed address
/// with another's word.
#[test]
fn hole_taking_an_address_off_the_list_undoes_no_one_who_left() {
    let listed = |_: &Ledger| of_type(DestinationType::AllowListed);
    let mut ledger = under_three(listed);
    assert_eq!(refused(&ledger, &[]), None);
    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused(&ledger, &[]), Some(Code::ApprovalMissing));
    unlist(&mut ledger);
    assert_eq!(refused(&ledger, &[]), UNCONFIRMED);

    let mut ledger = under_three(listed);
    unlist(&mut ledger);
    assert_eq!(refused(&ledger, &[]), None, "the rest may be paid, too");
    leave(&mut ledger, Who::Initiator);
    assert_eq!(refused(&ledger, &[]), UNCONFIRMED);
}
