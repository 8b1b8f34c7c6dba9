//! The platform's board: what replaces it, and what of its acts is judged when.

use crate::platform::{
    ADMIN, DELAY_MS, act, append, board, fresh, is_enrolled, put, released, standing, two_admins,
    user,
};
use crate::{HOUR_MS, SKEW_MS, code};
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::{ActStanding, CredentialRecord};
use strongroom_journal::state::Lookup as _;
use strongroom_types::charter::{BoardName, NamedBoard};
use strongroom_types::{
    ActBody, Code, Document as _, RegistryRecord, Revocable, Scope, Tighten, UnixMs,
};
use strongroom_world::{Ledger, Who};

fn version(ledger: &Ledger) -> u64 {
    ledger.state.platform().unwrap().version
}

const BOTH: [Who; 2] = [Who::PlatformAdmin, Who::Stranger];

/// A board of two of two, and a clerk who could take a place on it.
fn with_clerk(quorum: u32) -> Ledger {
    let mut ledger = two_admins(quorum);
    let clerk = ledger.world.person(Who::Clerk);
    for record in [
        RegistryRecord::User(clerk.user),
        RegistryRecord::Credential(clerk.credential),
    ] {
        let proposal = act(&mut ledger, ActBody::Put(record), &BOTH).unwrap();
        ledger.wait(DELAY_MS);
        act(&mut ledger, ActBody::Release(proposal), &BOTH).unwrap();
    }
    ledger
}

fn replace(ledger: &Ledger, next: NamedBoard) -> ActBody {
    let id = user(ledger, Who::Stranger).id;
    let boards = vec![next];
    ActBody::Tighten(Tighten::Revoke(Revocable::User { id, boards }))
}

#[test]
fn a_replacement_of_the_platforms_board_is_as_strict_and_is_needed() {
    let ledger = with_clerk(2);
    let replaced = |next: NamedBoard| {
        let body = replace(&ledger, next);
        act(&mut ledger.clone(), body, &BOTH)
            .map(drop)
            .map_err(|r| r.code)
    };
    let members = [Who::PlatformAdmin, Who::Clerk];
    assert_eq!(
        replaced(board(&ledger, &members, 1)),
        Err(Code::InvalidReference),
        "fewer"
    );
    let committee = NamedBoard {
        name: BoardName::Committee,
        ..board(&ledger, &members, 2)
    };
    assert_eq!(
        replaced(committee),
        Err(Code::InvalidReference),
        "none there"
    );
    assert_eq!(replaced(board(&ledger, &members, 2)), Ok(()));

    // One of two remains, and is enough: such a change has its delay.
    let mut one = with_clerk(1);
    let next = board(&one, &members, 1);
    let body = replace(&one, next);
    assert_eq!(code(act(&mut one, body, &ADMIN)), Code::InvalidReference);
}

#[test]
fn a_replacement_of_the_platforms_board_that_was_held_back_is_refused() {
    let mut ledger = with_clerk(2);
    let next = board(&ledger, &[Who::PlatformAdmin, Who::Clerk], 2);
    let body = replace(&ledger, next);
    let version = version(&ledger);
    let old = ledger.world.act(ledger.now, Scope::Platform, body, version);
    let old = ledger.world.sign(&old, &BOTH);
    assert_eq!(ledger.refused(Body::Act(old.clone())), None);

    act(&mut ledger, ActBody::Tighten(Tighten::Quarantine(1)), &BOTH).unwrap();
    assert_eq!(
        ledger.refused(Body::Act(old)),
        Some(Code::WrongScopeVersion)
    );
}

#[test]
fn a_proposed_board_of_the_platform_has_members_who_can_sign() {
    let mut ledger = fresh();
    let unable = RegistryRecord::Board(board(&ledger, &BOTH, 1));
    let proposal = put(&mut ledger, unable).unwrap();
    ledger.wait(DELAY_MS);
    assert_eq!(
        code(act(&mut ledger, ActBody::Release(proposal), &ADMIN)),
        Code::UnknownUser
    );
}

/// Two proposals that can be released.
fn two_proposals() -> (Ledger, [ActBody; 2]) {
    let mut ledger = fresh();
    let releases = [Who::Stranger, Who::Clerk].map(|who| {
        let record = RegistryRecord::User(user(&ledger, who));
        ActBody::Release(put(&mut ledger, record).unwrap())
    });
    ledger.wait(DELAY_MS);
    (ledger, releases)
}

#[test]
fn one_release_of_the_platform_waits_at_a_time() {
    let (mut ledger, [first, second]) = two_proposals();
    append(&mut ledger, first, &ADMIN).unwrap();
    assert_eq!(
        code(append(&mut ledger, second.clone(), &ADMIN)),
        Code::ActWaiting
    );
    ledger.witness();
    append(&mut ledger, second, &ADMIN).unwrap();
}

#[test]
fn a_release_of_the_platform_is_made_for_the_version_in_force() {
    let (mut ledger, [first, second]) = two_proposals();
    let version = version(&ledger);
    let old = ledger
        .world
        .act(ledger.now, Scope::Platform, first, version);
    let old = ledger.world.sign(&old, &ADMIN);
    act(&mut ledger, second, &ADMIN).unwrap();
    assert_eq!(
        ledger.refused(Body::Act(old)),
        Some(Code::WrongScopeVersion)
    );
}

#[test]
fn hole_a_platform_release_that_is_witnessed_after_its_expiry_is_void() {
    for (late_ms, expected) in [(SKEW_MS, true), (SKEW_MS + 1_000, false)] {
        let (mut ledger, [first, _]) = two_proposals();
        let version = version(&ledger);
        let mut release = ledger
            .world
            .act(ledger.now, Scope::Platform, first, version);
        release.expires = ledger.now.plus(60_000);
        let release = ledger.world.sign(&release, &ADMIN);
        ledger.push(Body::Act(release), ledger.now).unwrap();
        ledger.wait(60_000 + late_ms);
        ledger.witness();
        assert_eq!(
            is_enrolled(&ledger),
            expected,
            "{late_ms} ms after its expiry"
        );
    }
}

#[test]
fn a_proposal_of_the_platform_stands_as_its_release_or_its_veto_leaves_it() {
    let (mut ledger, [release, _]) = two_proposals();
    let ActBody::Release(proposal) = release else {
        panic!()
    };
    append(&mut ledger, release, &ADMIN).unwrap();
    assert_eq!(standing(&ledger, proposal), Some(ActStanding::Released));
    let after = |what: Option<Tighten>| {
        let mut ledger = ledger.clone();
        if let Some(what) = what {
            append(&mut ledger, ActBody::Tighten(what), &ADMIN).unwrap();
        }
        ledger.witness();
        standing(&ledger, proposal).unwrap()
    };
    assert_eq!(after(None), ActStanding::InForce);
    let made_void = after(Some(Tighten::Quarantine(1)));
    assert_eq!(made_void, ActStanding::Proposed, "can be released again");
    assert_eq!(after(Some(Tighten::Veto(proposal))), ActStanding::Ended);
}

#[test]
fn a_used_act_of_the_platform_is_kept_until_it_expires_and_a_proposal_as_long_as_it_lives() {
    let mut ledger = fresh();
    let expires = ledger.now.plus(HOUR_MS);
    let push = |ledger: &mut Ledger, body: ActBody| {
        let (world, version) = (&ledger.world, version(ledger));
        let mut act = world.act(ledger.now, Scope::Platform, body, version);
        act.expires = expires;
        let signed = world.sign(&act, &ADMIN);
        ledger.push(Body::Act(signed), ledger.now).unwrap();
        act.digest()
    };
    let quarantine = push(&mut ledger, ActBody::Tighten(Tighten::Quarantine(1)));
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let proposal = push(&mut ledger, ActBody::Put(record));
    ledger.witness();

    let mut at = |now: UnixMs| {
        ledger.now = now;
        ledger.push(Body::Tick, now).unwrap();
        [quarantine, proposal].map(|act| standing(&ledger, act))
    };
    let (used, proposed) = (Some(ActStanding::InForce), Some(ActStanding::Proposed));
    assert_eq!(at(UnixMs(expires.0 - 1)), [used, proposed]);
    assert_eq!(at(expires), [None, proposed]);
    let days_30 = expires.plus(30 * 24 * HOUR_MS);
    assert_eq!(at(days_30), [None, proposed]);
    assert_eq!(at(days_30.plus(24 * HOUR_MS)), [None, None]);
}

#[test]
fn a_tightening_of_the_platform_names_the_lowest_version_it_changes() {
    let ledger = fresh();
    let made_for = |version| {
        let stop = ActBody::Tighten(Tighten::Stop);
        let act = ledger.world.act(ledger.now, Scope::Platform, stop, version);
        ledger.refused(Body::Act(ledger.world.sign(&act, &ADMIN)))
    };
    let current = version(&ledger);
    assert_eq!([0, current].map(made_for), [None, None]);
    assert_eq!(made_for(current + 1), Some(Code::WrongScopeVersion));
}

/// Only the repetition is: that could be made without end.
#[test]
fn a_tightening_of_the_platform_is_charged_if_it_changes_nothing() {
    let ledger = two_admins(1);
    let [admin, stranger] = BOTH.map(|who| ledger.world.person(who).credential.id);
    let kinds = [
        Tighten::Stop,
        Tighten::Quarantine(1),
        Tighten::revoke(stranger),
    ];
    for what in kinds {
        let mut ledger = ledger.clone();
        for kept in [0, 1, 2] {
            act(&mut ledger, ActBody::Tighten(what.clone()), &ADMIN).unwrap();
            let key = ks::credential(Scope::Platform, admin);
            let charged: CredentialRecord = ledger.state.record(&key).unwrap().unwrap();
            assert_eq!(charged.kept, kept, "{what:?}");
        }
    }
}

/// The state's root must not depend on the order of the acts.
#[test]
fn signers_in_quarantine_are_listed_once_and_in_one_order() {
    let mut ledger = fresh();
    for signer in [2, 1, 2] {
        let quarantine = ActBody::Tighten(Tighten::Quarantine(signer));
        act(&mut ledger, quarantine, &ADMIN).unwrap();
    }
    assert_eq!(ledger.state.platform().unwrap().quarantined, [1, 2]);
}

/// One admin's veto of another proposal leaves what waits as it is.
#[test]
fn hole_a_veto_makes_no_other_act_of_the_platform_void() {
    let (mut ledger, _) = released();
    let other = RegistryRecord::User(user(&ledger, Who::Clerk));
    ledger.witness();
    assert!(is_enrolled(&ledger));
    let vetoed = put(&mut ledger, other).unwrap();
    let record = RegistryRecord::Credential(ledger.world.person(Who::Stranger).credential);
    let proposal = put(&mut ledger, record).unwrap();
    ledger.wait(DELAY_MS);
    append(&mut ledger, ActBody::Release(proposal), &ADMIN).unwrap();
    let veto = ActBody::Tighten(Tighten::Veto(vetoed));
    append(&mut ledger, veto, &ADMIN).unwrap();
    ledger.witness();
    let again = ActBody::Release(proposal);
    assert_eq!(
        code(append(&mut ledger, again, &ADMIN)),
        Code::UnknownProposal,
        "in force"
    );
}
