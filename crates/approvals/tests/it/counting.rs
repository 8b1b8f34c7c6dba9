//! Which yeses count for which seat, whatever the order in which they arrive.

use strongroom_types::{GroupId, RegistryRecord, Tighten};
use strongroom_wire::Decided;
use strongroom_world::Who;

use crate::desk::{Desk, LARGE, Office, digest_of};

fn leave(desk: &Desk, group: GroupId, who: Who) {
    let user = desk.office.world.person(who).user.id;
    let admins = desk.office.ledger.borrow().admins();
    desk.office
        .tighten(Tighten::LeaveGroup { group, user }, &admins);
}

#[test]
fn yes_of_someone_who_left_the_group_since_does_not_count() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Approver(0), &intent).is_none());
    leave(&desk, desk.office.world.tenant.approvers, Who::Approver(0));

    assert!(desk.yes(Who::Approver(1), &intent).is_none());
    let decided = desk.yes(Who::Approver(2), &intent).unwrap();
    let yeses = [Who::Approver(1), Who::Approver(2)].map(|who| desk.office.answer(who, &intent));
    assert_eq!(decided.approvals.len(), 2);
    assert!(yeses.iter().all(|yes| decided.approvals.contains(yes)));
}

#[test]
fn yes_that_arrives_again_next_to_another_of_its_human_changes_nothing() {
    let mut desk = Desk::new(Office::new());
    let intent = desk.waiting(LARGE);
    for _ in 0..2 {
        assert!(desk.yes(Who::Approver(0), &intent).is_none());
        assert!(desk.yes(Who::ApproverProgram(0), &intent).is_none());
    }
    assert_eq!(desk.rows(), (1, 2));
}

/// After a crash the same answers may be read in another order, and one decision must come out.
#[test]
fn same_yeses_in_any_order_give_the_same_approvals() {
    let collected = |first, second| {
        let mut desk = Desk::new(Office::new());
        let intent = desk.waiting(LARGE);
        assert!(desk.yes(first, &intent).is_none());
        assert!(desk.yes(second, &intent).is_none());
        desk.yes(Who::Approver(1), &intent).unwrap().approvals
    };
    let (key, program) = (Who::Approver(0), Who::ApproverProgram(0));
    assert_eq!(collected(key, program), collected(program, key));
}

#[test]
fn groups_of_an_unordered_decision_answer_in_any_order() {
    let people = [Who::Risk(0), Who::Approver(0)];
    for who in [people, [people[1], people[0]]] {
        let mut desk = Desk::new(Office::ordered());
        desk.office.drop_order();
        let intent = desk.waiting(LARGE);
        assert!(desk.yes(who[0], &intent).is_none());
        let decided = desk.yes(who[1], &intent).unwrap();
        assert_eq!(decided.decided, Decided::Approved);
        let first = desk.office.answer(people[0], &intent);
        assert_eq!(decided.approvals[0], first, "in the decision's order");
    }
}

/// One who was in both groups said yes for the first and has left it since. That yes continues
/// no other: the journal would not take it for the second group.
#[test]
fn ordered_yes_counts_only_for_the_group_it_was_given_for() {
    let mut desk = Desk::new(Office::ordered());
    let tenant = desk.office.world.tenant.clone();
    let members = [Who::Approver(0), Who::Risk(0)];
    let approvers = tenant.group("approvers", tenant.approvers, &members);
    desk.office.put(RegistryRecord::Group(approvers));

    let intent = desk.waiting(LARGE);
    assert!(desk.yes(Who::Risk(0), &intent).is_none());
    leave(&desk, tenant.risk, Who::Risk(0));
    assert!(desk.yes(Who::Risk(1), &intent).is_none());
    let risk = digest_of(&desk.office.answer(Who::Risk(1), &intent));
    let yes = desk.office.answer_with(Who::Approver(0), &intent, |a| {
        a.after = vec![risk];
    });
    let decided = desk.decide(desk.office.answered(&yes)).unwrap();
    assert!(decided.approvals.contains(&yes));
}
