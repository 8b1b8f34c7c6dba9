//! The platform's admins change by proposals of their own, after the platform's delay.

use crate::{HOUR_MS, SKEW_MS, code};
use strongroom_journal::Body;
use strongroom_journal::keyspace as ks;
use strongroom_journal::model::ActStanding;
use strongroom_journal::state::Lookup as _;
use strongroom_types::charter::{Board, BoardName, NamedBoard};
use strongroom_types::{
    Act, ActBody, Code, Credential, CredentialClass, Digest, Document as _, Refusal,
    RegistryRecord, Revocable, Scope, Tighten, User,
};
use strongroom_world::{Ledger, Who, World, WorldOptions};

pub const DELAY_MS: u64 = 1000;

pub fn fresh() -> Ledger {
    Ledger::new(World::new(
        1,
        WorldOptions {
            delay_ms: DELAY_MS,
            ..WorldOptions::default()
        },
    ))
}

/// Appends an act of the platform's scope that these people sign, and witnesses it if it waits.
pub fn act(ledger: &mut Ledger, body: ActBody, who: &[Who]) -> Result<Digest, Refusal> {
    let digest = append(ledger, body, who)?;
    if !ledger.state.waiting().unwrap().items.is_empty() {
        ledger.witness();
    }
    Ok(digest)
}

pub fn append(ledger: &mut Ledger, body: ActBody, who: &[Who]) -> Result<Digest, Refusal> {
    let version = ledger.state.platform().unwrap().version;
    let act = ledger.world.act(ledger.now, Scope::Platform, body, version);
    let digest = act.digest();
    let signed = ledger.world.sign(&act, who);
    ledger.push(Body::Act(signed), ledger.now).map(|_| digest)
}

pub const ADMIN: [Who; 1] = [Who::PlatformAdmin];

pub fn put(ledger: &mut Ledger, record: RegistryRecord) -> Result<Digest, Refusal> {
    act(ledger, ActBody::Put(record), &ADMIN)
}

fn put_and_release(ledger: &mut Ledger, record: RegistryRecord) -> Result<Digest, Refusal> {
    let proposal = put(ledger, record)?;
    ledger.wait(DELAY_MS);
    act(ledger, ActBody::Release(proposal), &ADMIN)
}

pub fn user(ledger: &Ledger, who: Who) -> User {
    ledger.world.person(who).user
}

pub fn board(ledger: &Ledger, members: &[Who], quorum: u32) -> NamedBoard {
    let mut members: Vec<_> = members.iter().map(|who| user(ledger, *who).id).collect();
    members.sort_unstable();
    NamedBoard {
        name: BoardName::Admins,
        board: Board { members, quorum },
    }
}

/// A platform with a second admin, the stranger, who is on its board of two with this quorum.
pub fn two_admins(quorum: u32) -> Ledger {
    let mut ledger = fresh();
    let person = ledger.world.person(Who::Stranger);
    for record in [
        RegistryRecord::User(person.user),
        RegistryRecord::Credential(person.credential),
        RegistryRecord::Board(board(&ledger, &[Who::PlatformAdmin, Who::Stranger], quorum)),
    ] {
        put_and_release(&mut ledger, record).unwrap();
    }
    ledger
}

#[test]
fn an_admin_is_enrolled_and_put_on_the_board_by_three_proposals() {
    let mut ledger = two_admins(2);
    let stop = ActBody::Tighten(Tighten::Stop);
    assert_eq!(
        code(act(&mut ledger, stop.clone(), &ADMIN)),
        Code::QuorumMissing
    );
    act(&mut ledger, stop, &[Who::PlatformAdmin, Who::Stranger]).unwrap();
}

#[test]
fn a_tenant_is_created_by_the_board_in_force_and_not_by_that_of_genesis() {
    let ledger = two_admins(2);
    let world = &ledger.world;
    let body = ActBody::CreateTenant {
        tenant: world.tenant.id,
        charter: Box::new(world.tenant.charter()),
    };
    let created = world.act(ledger.now, Scope::Platform, body, 0);
    let founders = [Who::PlatformAdmin, Who::Admin(0), Who::Admin(1)];
    let refused = |who: &[Who]| ledger.refused(Body::Act(world.sign(&created, who)));
    assert_eq!(refused(&founders), Some(Code::QuorumMissing));
    assert_eq!(refused(&[&founders[..], &[Who::Stranger]].concat()), None);
}

#[test]
fn a_proposal_of_the_platform_waits_for_the_platforms_delay() {
    let mut ledger = fresh();
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let proposal = put(&mut ledger, record).unwrap();
    ledger.wait(DELAY_MS - 1);
    let release = ActBody::Release(proposal);
    assert_eq!(
        code(act(&mut ledger, release.clone(), &ADMIN)),
        Code::ReleaseTooEarly
    );
    ledger.wait(1);
    act(&mut ledger, release.clone(), &ADMIN).unwrap();
    assert_eq!(
        code(act(&mut ledger, release, &ADMIN)),
        Code::UnknownProposal,
        "once"
    );
}

#[test]
fn a_proposal_of_the_platform_is_not_released_years_later() {
    let mut ledger = fresh();
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let proposal = put(&mut ledger, record).unwrap();
    ledger.wait(DELAY_MS + 30 * 24 * HOUR_MS);
    assert_eq!(
        code(act(&mut ledger, ActBody::Release(proposal), &ADMIN)),
        Code::AuthorityExpired
    );
}

#[test]
fn only_a_platform_admin_vetoes_and_one_is_enough() {
    let mut ledger = two_admins(2);
    let both = [Who::PlatformAdmin, Who::Stranger];
    let record = RegistryRecord::User(user(&ledger, Who::Clerk));
    let proposal = act(&mut ledger, ActBody::Put(record), &both).unwrap();
    let veto = ActBody::Tighten(Tighten::Veto(proposal));
    ledger.wait(DELAY_MS);

    // The outsider is enrolled, but is on no board.
    let mut outsider = ledger.clone();
    let alone = RegistryRecord::Board(board(&ledger, &[Who::PlatformAdmin], 1));
    let shrink = act(&mut outsider, ActBody::Put(alone), &both).unwrap();
    outsider.wait(DELAY_MS);
    act(&mut outsider, ActBody::Release(shrink), &both).unwrap();
    let refused = act(&mut outsider, veto.clone(), &[Who::Stranger]);
    assert_eq!(code(refused), Code::QuorumMissing);

    act(&mut ledger, veto, &[Who::Stranger]).unwrap();
    assert_eq!(
        code(act(&mut ledger, ActBody::Release(proposal), &both)),
        Code::UnknownProposal
    );
}

#[test]
fn a_stopped_platform_neither_proposes_nor_releases() {
    let mut ledger = fresh();
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let proposal = put(&mut ledger, record.clone()).unwrap();
    ledger.wait(DELAY_MS);
    act(&mut ledger, ActBody::Tighten(Tighten::Stop), &ADMIN).unwrap();
    assert_eq!(code(put(&mut ledger, record)), Code::PlatformStopped);
    assert_eq!(
        code(act(&mut ledger, ActBody::Release(proposal), &ADMIN)),
        Code::PlatformStopped
    );
}

#[test]
fn the_platform_has_users_credentials_of_people_and_one_board() {
    let mut ledger = fresh();
    let tenant = ledger.world.tenant.clone();
    let person = ledger.world.person(Who::PlatformAdmin);
    let program = Credential {
        class: CredentialClass::Program,
        ..ledger.world.person(Who::Stranger).credential
    };
    let program = Credential {
        user: person.credential.user,
        ..program
    };
    let committee = NamedBoard {
        name: BoardName::Committee,
        ..board(&ledger, &[Who::PlatformAdmin], 1)
    };
    let refused = [
        (
            RegistryRecord::Vault(tenant.first_vault()),
            Code::WrongScope,
        ),
        (
            RegistryRecord::Group(tenant.group("risk", tenant.risk, &[])),
            Code::WrongScope,
        ),
        (
            RegistryRecord::AllowList(tenant.charter().allow_list[0].clone()),
            Code::WrongScope,
        ),
        (
            RegistryRecord::Policy(tenant.charter().policy),
            Code::WrongScope,
        ),
        (ledger.world.ceremony_record(), Code::WrongScope),
        (
            RegistryRecord::Credential(program),
            Code::WrongCredentialClass,
        ),
        (RegistryRecord::Board(committee), Code::InvalidReference),
    ];
    for (record, expected) in refused {
        assert_eq!(
            code(put(&mut ledger, record.clone())),
            expected,
            "{record:?}"
        );
    }
}

#[test]
fn open_proposals_of_the_platform_are_bounded_and_old_ones_make_room() {
    let mut ledger = fresh();
    let max = ledger.world.genesis.bounds.proposals_open_max;
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let put_one = |ledger: &mut Ledger| put(ledger, record.clone());
    let first: Vec<_> = (0..max).map(|_| put_one(&mut ledger).unwrap()).collect();
    assert_eq!(code(put_one(&mut ledger)), Code::QuotaExceeded);
    ledger.wait(DELAY_MS + 30 * 24 * HOUR_MS);
    put_one(&mut ledger).unwrap();
    for proposal in first {
        assert_eq!(standing(&ledger, proposal), Some(ActStanding::Ended));
    }
}

/// Its delay has not begun, so its time cannot have passed.
#[test]
fn a_platform_proposal_that_is_not_witnessed_yet_stays_open_beside_the_next_one() {
    let mut ledger = fresh();
    let propose = |ledger: &mut Ledger, who| {
        let record = RegistryRecord::User(user(ledger, who));
        append(ledger, ActBody::Put(record), &ADMIN).unwrap()
    };
    let first = propose(&mut ledger, Who::Stranger);
    propose(&mut ledger, Who::Clerk);
    assert_eq!(standing(&ledger, first), Some(ActStanding::Proposed));

    ledger.witness();
    ledger.wait(DELAY_MS);
    act(&mut ledger, ActBody::Release(first), &ADMIN).unwrap();
    assert!(is_enrolled(&ledger));
}

#[test]
fn one_key_is_one_credential_of_the_platform_also_of_genesis() {
    let mut ledger = two_admins(1);
    for who in [Who::PlatformAdmin, Who::Stranger] {
        let again = Credential {
            id: strongroom_types::CredentialId([9; 16]),
            ..ledger.world.person(who).credential
        };
        assert_eq!(
            code(put_and_release(
                &mut ledger,
                RegistryRecord::Credential(again)
            )),
            Code::AlreadyExists
        );
    }
}

#[test]
fn a_revoked_platform_admin_or_credential_signs_nothing() {
    for what in [
        |l: &Ledger| Tighten::revoke(user(l, Who::Stranger).id),
        |l: &Ledger| Tighten::revoke(l.world.person(Who::Stranger).credential.id),
    ] {
        let mut ledger = two_admins(1);
        let revoke = ActBody::Tighten(what(&ledger));
        act(&mut ledger, revoke, &ADMIN).unwrap();
        let stop = ActBody::Tighten(Tighten::Stop);
        assert_eq!(
            code(act(&mut ledger, stop, &[Who::Stranger])),
            Code::CredentialRevoked
        );
    }
}

#[test]
fn a_revocation_leaves_the_platforms_board_its_quorum() {
    let mut ledger = two_admins(2);
    let both = [Who::PlatformAdmin, Who::Stranger];
    let id = user(&ledger, Who::Stranger).id;
    let alone = ActBody::Tighten(Tighten::revoke(id));
    assert_eq!(code(act(&mut ledger, alone, &both)), Code::BoardBelowQuorum);

    // It is allowed with the next admin in the same act, once that one is enrolled.
    let next = board(&ledger, &[Who::PlatformAdmin, Who::Clerk], 2);
    let boards = vec![next];
    let replace = ActBody::Tighten(Tighten::Revoke(Revocable::User { id, boards }));
    assert_eq!(
        code(act(&mut ledger, replace.clone(), &both)),
        Code::UnknownUser
    );
    let clerk = ledger.world.person(Who::Clerk);
    for record in [
        RegistryRecord::User(clerk.user),
        RegistryRecord::Credential(clerk.credential),
    ] {
        let proposal = act(&mut ledger, ActBody::Put(record), &both).unwrap();
        ledger.wait(DELAY_MS);
        act(&mut ledger, ActBody::Release(proposal), &both).unwrap();
    }
    act(&mut ledger, replace, &both).unwrap();
    let stop = ActBody::Tighten(Tighten::Stop);
    act(&mut ledger, stop, &[Who::PlatformAdmin, Who::Clerk]).unwrap();
}

#[test]
fn a_platform_act_made_before_the_last_change_is_refused() {
    let mut ledger = fresh();
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let version = ledger.state.platform().unwrap().version;
    let old = ledger
        .world
        .act(ledger.now, Scope::Platform, ActBody::Put(record), version);
    let old = ledger.world.sign(&old, &ADMIN);
    let first = RegistryRecord::User(user(&ledger, Who::Clerk));
    put(&mut ledger, first).unwrap();
    assert_eq!(
        ledger.refused(Body::Act(old)),
        Some(Code::WrongScopeVersion)
    );
}

#[test]
fn platform_acts_have_digests_by_which_they_are_released() {
    let mut ledger = fresh();
    let unknown = ActBody::Release(Act::digest_of("{}"));
    assert_eq!(
        code(act(&mut ledger, unknown, &ADMIN)),
        Code::UnknownProposal
    );
}

#[test]
fn hole_the_platforms_delay_counts_from_witnessed_time() {
    let mut ledger = fresh();
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let proposal = append(&mut ledger, ActBody::Put(record), &ADMIN).unwrap();
    ledger.wait(10 * DELAY_MS);
    let release = ActBody::Release(proposal);
    assert_eq!(
        code(append(&mut ledger, release.clone(), &ADMIN)),
        Code::NotWitnessed
    );
    ledger.witness();
    assert_eq!(
        code(append(&mut ledger, release, &ADMIN)),
        Code::ReleaseTooEarly
    );
}

/// How an act of the platform's scope stands, as long as that is kept.
pub fn standing(ledger: &Ledger, act: Digest) -> Option<ActStanding> {
    let key = ks::used_act(Scope::Platform, &act);
    ledger.state.record(&key).unwrap()
}

/// Whether the stranger is a user of the platform.
pub fn is_enrolled(ledger: &Ledger) -> bool {
    let id = user(ledger, Who::Stranger).id;
    ledger.state.user(Scope::Platform, id).is_ok()
}

/// A platform on which the stranger's enrolment is released, but not witnessed.
pub fn released() -> (Ledger, Digest) {
    let mut ledger = fresh();
    let record = RegistryRecord::User(user(&ledger, Who::Stranger));
    let proposal = put(&mut ledger, record).unwrap();
    ledger.wait(DELAY_MS);
    append(&mut ledger, ActBody::Release(proposal), &ADMIN).unwrap();
    (ledger, proposal)
}

#[test]
fn a_platform_release_takes_effect_when_it_is_witnessed() {
    let (mut ledger, _) = released();
    assert!(!is_enrolled(&ledger));
    let other = RegistryRecord::User(user(&ledger, Who::Clerk));
    assert_eq!(
        code(append(&mut ledger, ActBody::Put(other), &ADMIN)),
        Code::ActWaiting
    );
    ledger.witness();
    assert!(is_enrolled(&ledger));
}

#[test]
fn what_comes_after_a_platform_release_makes_it_void_and_it_can_be_released_again() {
    let (mut ledger, proposal) = released();
    let quarantine = ActBody::Tighten(Tighten::Quarantine(1));
    append(&mut ledger, quarantine, &ADMIN).unwrap();
    ledger.witness();
    assert!(!is_enrolled(&ledger));
    act(&mut ledger, ActBody::Release(proposal), &ADMIN).unwrap();
    assert!(is_enrolled(&ledger));
}

#[test]
fn a_veto_ends_a_platform_release_that_waits() {
    let (mut ledger, proposal) = released();
    let veto = ActBody::Tighten(Tighten::Veto(proposal));
    append(&mut ledger, veto, &ADMIN).unwrap();
    ledger.witness();
    assert!(!is_enrolled(&ledger));
    assert_eq!(
        code(append(&mut ledger, ActBody::Release(proposal), &ADMIN)),
        Code::UnknownProposal
    );
}

#[test]
fn a_platform_release_held_back_beyond_its_proposals_time_is_void() {
    for (late_ms, expected) in [(SKEW_MS, true), (SKEW_MS + 1_000, false)] {
        let mut ledger = fresh();
        let record = RegistryRecord::User(user(&ledger, Who::Stranger));
        let proposal = put(&mut ledger, record).unwrap();
        ledger.wait(DELAY_MS + 30 * 24 * HOUR_MS - HOUR_MS);
        append(&mut ledger, ActBody::Release(proposal), &ADMIN).unwrap();
        ledger.wait(HOUR_MS + late_ms);
        ledger.witness();
        assert_eq!(
            is_enrolled(&ledger),
            expected,
            "{late_ms} ms after its life"
        );
    }
}
