//! Boards change by an act, and none is left with fewer people than its quorum.

use crate::{HOUR_MS, act_body, code, ready, ready_with};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::{
    Act, ActBody, Code, Credential, Digest, Document as _, Refusal, RegistryRecord, Revocable,
    Tighten, User, UserId,
};
use strongroom_world::{Ledger, Who};

const DELAY_MS: u64 = 1000;

fn board(ledger: &Ledger, name: BoardName, members: &[Who], quorum: u32) -> NamedBoard {
    let board = ledger.world.tenant.board(members, quorum);
    NamedBoard { name, board }
}

fn id(ledger: &Ledger, who: Who) -> UserId {
    ledger.world.person(who).user.id
}

fn propose(ledger: &mut Ledger, new: NamedBoard, who: &[Who]) -> Result<Digest, Refusal> {
    let act = ledger.signed_act(ActBody::Put(RegistryRecord::Board(new)), who);
    let digest = Act::digest_of(&act.text);
    ledger.push(Body::Act(act), ledger.now)?;
    ledger.witness();
    Ok(digest)
}

fn release(ledger: &mut Ledger, act: Digest, who: &[Who]) -> Result<u64, Refusal> {
    ledger.act_in_force(ActBody::Release(act), who)
}

/// Whether a committee's act signed by these people would be accepted.
fn is_committee(ledger: &Ledger, who: &[Who]) -> bool {
    let user = User {
        id: UserId([8; 16]),
        name: "Eve".parse().unwrap(),
    };
    let put = ActBody::Put(RegistryRecord::User(user));
    ledger.refused(act_body(ledger, put, who, |_| {})).is_none()
}

const OLD: [Who; 2] = [Who::Committee(0), Who::Committee(1)];
const NEW: [Who; 2] = [Who::Committee(2), Who::Clerk];

#[test]
fn a_board_changes_after_its_delay_by_a_release_of_the_old_committee() {
    let mut ledger = ready_with(|o| o.delay_ms = DELAY_MS);
    let new = board(&ledger, BoardName::Committee, &NEW, 2);
    let act = propose(&mut ledger, new, &OLD).unwrap();
    assert_eq!(code(release(&mut ledger, act, &OLD)), Code::ReleaseTooEarly);
    ledger.wait(DELAY_MS);
    assert_eq!(
        code(release(&mut ledger, act, &NEW)),
        Code::QuorumMissing,
        "who is not on it yet does not let themselves in"
    );
    release(&mut ledger, act, &OLD).unwrap();
    assert!(is_committee(&ledger, &NEW));
    assert!(!is_committee(&ledger, &OLD));
}

#[test]
fn admins_are_replaced_by_the_committee_and_not_by_themselves() {
    let mut ledger = ready();
    let new = board(&ledger, BoardName::Admins, &[Who::Clerk], 1);
    let refused = propose(&mut ledger, new.clone(), &[Who::Admin(0), Who::Admin(1)]);
    assert_eq!(code(refused), Code::QuorumMissing);

    let act = propose(&mut ledger, new, &OLD).unwrap();
    release(&mut ledger, act, &OLD).unwrap();
    assert_eq!(
        code(ledger.tighten(Tighten::Stop, &[Who::Admin(0)])),
        Code::QuorumMissing
    );
    ledger.tighten(Tighten::Stop, &[Who::Clerk]).unwrap();
}

#[test]
fn a_board_has_no_member_who_could_not_sign() {
    let mut ledger = ready();
    let mut unknown = board(&ledger, BoardName::Committee, &OLD, 2);
    unknown.board.members.push(UserId([0xff; 16]));
    assert_eq!(code(propose(&mut ledger, unknown, &OLD)), Code::UnknownUser);

    // A human who has only program credentials cannot stand on a board.
    let program = board(&ledger, BoardName::Committee, &NEW, 2);
    let clerk = ledger.world.person(Who::Clerk).credential.id;
    ledger
        .tighten(Tighten::revoke(clerk), &[Who::Admin(0)])
        .unwrap();
    assert_eq!(
        code(propose(&mut ledger, program, &OLD)),
        Code::InvalidReference
    );
}

#[test]
fn a_board_is_judged_again_at_its_release() {
    let mut ledger = ready();
    let new = board(&ledger, BoardName::Committee, &NEW, 2);
    let act = propose(&mut ledger, new, &OLD).unwrap();
    let clerk = id(&ledger, Who::Clerk);
    ledger
        .tighten(Tighten::revoke(clerk), &[Who::Admin(0)])
        .unwrap();
    assert_eq!(code(release(&mut ledger, act, &OLD)), Code::UnknownUser);
}

// Revocations.

/// A revocation of a member that names these boards.
fn revoke(ledger: &Ledger, who: Who, boards: Vec<NamedBoard>) -> Tighten {
    let id = id(ledger, who);
    Tighten::Revoke(Revocable::User { id, boards })
}

/// A tenant whose committee is two of two.
fn two_of_two() -> Ledger {
    ready_with(|o| o.committee = (2, 2))
}

#[test]
fn hole_a_revocation_leaves_no_board_below_its_quorum() {
    let mut ledger = ready();
    let first = revoke(&ledger, Who::Committee(0), vec![]);
    ledger.tighten(first, &[Who::Admin(0)]).unwrap();
    let second = revoke(&ledger, Who::Committee(1), vec![]);
    assert_eq!(
        code(ledger.tighten(second, &[Who::Admin(0)])),
        Code::BoardBelowQuorum,
        "two of three, and one of them has gone"
    );
    let admins = ready_with(|o| o.admins = (1, 1));
    let only = revoke(&admins, Who::Admin(0), vec![]);
    assert_eq!(
        code(admins.clone().tighten(only, &[Who::Admin(0)])),
        Code::BoardBelowQuorum
    );
}

#[test]
fn a_member_whose_keys_are_revoked_is_not_counted_as_remaining() {
    let mut ledger = ready();
    let key = ledger.world.person(Who::Committee(0)).credential.id;
    for _ in 0..2 {
        ledger
            .tighten(Tighten::revoke(key), &[Who::Admin(0)])
            .unwrap();
    }
    let other = revoke(&ledger, Who::Committee(1), vec![]);
    assert_eq!(
        code(ledger.tighten(other, &[Who::Admin(0)])),
        Code::BoardBelowQuorum
    );
}

#[test]
fn a_key_that_is_revoked_twice_counts_once() {
    let mut ledger = ready();
    let member = ledger.world.person(Who::Committee(0));
    let spare = ledger.world.person(Who::Stranger).credential;
    let user = Some(member.user.id);
    ledger.put_and_release(RegistryRecord::Credential(Credential { user, ..spare }));
    for _ in 0..2 {
        ledger
            .tighten(Tighten::revoke(member.credential.id), &[Who::Admin(0)])
            .unwrap();
    }

    // The spare member is left, who with the third one makes the quorum of two.
    let other = revoke(&ledger, Who::Committee(1), vec![]);
    ledger.tighten(other, &[Who::Admin(0)]).unwrap();
}

#[test]
fn a_key_in_wrong_hands_is_revoked_whatever_it_costs() {
    let mut ledger = two_of_two();
    let key = ledger.world.person(Who::Committee(0)).credential.id;
    ledger
        .tighten(Tighten::revoke(key), &[Who::Admin(0)])
        .unwrap();
}

#[test]
fn a_board_that_lost_its_quorum_keeps_no_one_else_from_being_revoked() {
    let mut ledger = two_of_two();
    let key = ledger.world.person(Who::Committee(0)).credential.id;
    ledger
        .tighten(Tighten::revoke(key), &[Who::Admin(0)])
        .unwrap();
    for who in [Who::Clerk, Who::Committee(1)] {
        let act = revoke(&ledger, who, vec![]);
        ledger.tighten(act, &[Who::Admin(0)]).unwrap();
    }
}

#[test]
fn one_act_of_both_boards_revokes_a_member_and_names_the_next() {
    let mut ledger = two_of_two();
    let next = board(
        &ledger,
        BoardName::Committee,
        &[Who::Committee(1), Who::Clerk],
        2,
    );
    let act = revoke(&ledger, Who::Committee(0), vec![next]);
    let both = [Who::Admin(0), Who::Committee(0), Who::Committee(1)];
    for who in [&both[..1], &both[1..], &[both[0], both[2]]] {
        assert_eq!(
            code(ledger.clone().tighten(act.clone(), who)),
            Code::QuorumMissing,
            "the boards as they were until now: {who:?}"
        );
    }
    ledger.tighten(act, &both).unwrap();
    assert!(is_committee(&ledger, &[Who::Committee(1), Who::Clerk]));
    assert!(!is_committee(&ledger, &OLD));
}

#[test]
fn a_replacement_has_able_members_as_many_as_before_and_is_needed() {
    let ledger = two_of_two();
    let both = [Who::Admin(0), Who::Committee(0), Who::Committee(1)];
    let replaced = |name, members: &[Who], quorum| {
        let next = board(&ledger, name, members, quorum);
        let act = revoke(&ledger, Who::Committee(0), vec![next]);
        ledger.clone().tighten(act, &both).map_err(|r| r.code)
    };
    let committee = BoardName::Committee;
    let with_revoked = [Who::Committee(0), Who::Committee(1)];
    assert_eq!(
        replaced(committee, &with_revoked, 2),
        Err(Code::UnknownUser)
    );
    let fewer = replaced(committee, &[Who::Committee(1), Who::Clerk], 1);
    assert_eq!(fewer, Err(Code::InvalidReference));
    let other_board = replaced(BoardName::Admins, &[Who::Clerk], 1);
    assert_eq!(other_board, Err(Code::InvalidReference));
}

#[test]
fn a_replacement_that_was_held_back_does_not_bring_its_board_back() {
    let mut ledger = two_of_two();
    let next = board(
        &ledger,
        BoardName::Committee,
        &[Who::Committee(1), Who::Clerk],
        2,
    );
    let act = ActBody::Tighten(revoke(&ledger, Who::Committee(0), vec![next]));
    let both = [Who::Admin(0), Who::Committee(0), Who::Committee(1)];
    let held_back = ledger.signed_act(act, &both);
    let until = ledger.now.plus(HOUR_MS);
    let pause = Tighten::Pause { vault: None, until };
    ledger.tighten(pause, &[Who::Admin(1)]).unwrap();
    let other = revoke(&ledger, Who::Risk(0), vec![]);
    ledger.tighten(other, &[Who::Admin(0)]).unwrap();
    assert_eq!(
        ledger.refused(Body::Act(held_back)),
        Some(Code::WrongScopeVersion)
    );
}

#[test]
fn a_member_may_leave_while_the_board_keeps_its_quorum() {
    let mut ledger = ready();
    let act = revoke(&ledger, Who::Committee(2), vec![]);
    ledger.tighten(act, &[Who::Admin(0)]).unwrap();
    let tenant = ledger.world.tenant.id;
    let member = id(&ledger, Who::Committee(2));
    assert!(ledger.state.user(tenant, member).is_err());
    assert!(is_committee(&ledger, &OLD));
}

#[test]
fn text_of_a_revocation_names_each_board_once() {
    let ledger = two_of_two();
    let next = |name| board(&ledger, name, &[Who::Clerk], 1);
    let (admins, committee) = (next(BoardName::Admins), next(BoardName::Committee));
    let parsed = |boards| {
        let act = ActBody::Tighten(revoke(&ledger, Who::Committee(0), boards));
        let act = ledger.world.act(ledger.now, ledger.world.scope(), act, 1);
        Act::parse(&act.to_text()).is_ok()
    };
    assert!(parsed(vec![]) && parsed(vec![admins.clone(), committee.clone()]));
    assert!(!parsed(vec![admins.clone(), admins.clone()]));
    assert!(!parsed(vec![committee, admins]));
}

#[test]
fn a_board_without_a_possible_quorum_is_refused() {
    let ledger = ready();
    for (members, quorum) in [(vec![], 0), (vec![Who::Clerk], 0), (vec![Who::Clerk], 2)] {
        let board: Board = ledger.world.tenant.board(&members, quorum);
        let name = BoardName::Admins;
        let record = RegistryRecord::Board(NamedBoard { name, board });
        let act = ledger.world.act(
            ledger.now,
            ledger.world.scope(),
            ActBody::Put(record),
            ledger.version(),
        );
        assert!(Act::parse(&act.to_text()).is_err(), "{quorum}");
    }
}

/// A doubled member would allow a quorum that its people cannot meet, and another order would be a
/// second text of one board.
#[test]
fn a_board_names_each_member_once_and_in_order() {
    let ledger = ready();
    let [a, b] = [Who::Clerk, Who::Admin(0)].map(|who| id(&ledger, who));
    let (a, b) = (a.min(b), a.max(b));
    let parses = |members: [UserId; 2]| {
        let members = members.to_vec();
        let board = Board { members, quorum: 2 };
        let name = BoardName::Admins;
        let record = RegistryRecord::Board(NamedBoard { name, board });
        let act = ActBody::Put(record);
        let act = ledger.world.act(ledger.now, ledger.world.scope(), act, 1);
        Act::parse(&act.to_text()).is_ok()
    };
    assert!(parses([a, b]));
    assert!(!parses([b, a]) && !parses([a, a]));
}
