//! How a tenant comes into being.

use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_types::credential::PublicKey;
use strongroom_types::{
    Act, ActBody, Charter, Code, Document as _, RegistryRecord, Scope, Tighten, UserId,
};
use strongroom_world::{Ledger, Who, World, WorldOptions};

fn fresh() -> Ledger {
    Ledger::new(World::new(
        1,
        WorldOptions {
            delay_ms: 1000,
            ..WorldOptions::default()
        },
    ))
}

fn creation(ledger: &Ledger, who: &[Who], change: impl FnOnce(&mut Charter)) -> Body {
    let world = &ledger.world;
    let mut charter = Box::new(world.tenant.charter());
    change(&mut charter);
    let body = ActBody::CreateTenant {
        tenant: world.tenant.id,
        charter,
    };
    Body::Act(world.sign(&world.act(ledger.now, Scope::Platform, body, 0), who))
}

const ALL: [Who; 3] = [Who::PlatformAdmin, Who::Admin(0), Who::Admin(1)];

#[test]
fn a_tenant_needs_the_platforms_quorum() {
    let ledger = fresh();
    assert_eq!(ledger.refused(creation(&ledger, &ALL, |_| {})), None);
    let body = creation(&ledger, &[Who::Admin(0), Who::Admin(1)], |_| {});
    assert_eq!(ledger.refused(body), Some(Code::QuorumMissing));
}

/// It changes no version of the platform's scope, so there is none that it could be made upon.
#[test]
fn a_creation_names_version_0() {
    let ledger = fresh();
    let Body::Act(signed) = creation(&ledger, &ALL, |_| {}) else {
        panic!()
    };
    let mut act = Act::parse(&signed.text).unwrap();
    act.version = 1;
    let body = Body::Act(ledger.world.sign(&act, &ALL));
    assert_eq!(ledger.refused(body), Some(Code::WrongScopeVersion));
}

#[test]
fn a_charter_cannot_bring_a_key_for_the_platforms_admin() {
    let ledger = fresh();
    let (admin, mallory) = (
        ledger.world.person(Who::PlatformAdmin),
        ledger.world.person(Who::Clerk),
    );
    let forged = strongroom_types::SigningCredential::new(admin.credential.id, &[7; 32]);
    let with_own_key = |charter: &mut Charter| {
        for credential in charter
            .credentials
            .iter_mut()
            .filter(|c| c.id == mallory.credential.id)
        {
            credential.id = admin.credential.id;
            credential.key = PublicKey::Ed25519(forged.public_key());
        }
    };
    let Body::Act(mut signed) = creation(&ledger, &[Who::Admin(0), Who::Admin(1)], with_own_key)
    else {
        panic!()
    };
    signed.endorse::<Act>(&forged);
    assert_eq!(ledger.refused(Body::Act(signed)), Some(Code::AlreadyExists));
}

#[test]
fn every_admin_of_the_charter_countersigns() {
    let ledger = fresh();
    let body = creation(&ledger, &[Who::PlatformAdmin, Who::Admin(0)], |_| {});
    assert_eq!(
        ledger.refused(body),
        Some(Code::QuorumMissing),
        "one of two, although one is a quorum later"
    );
}

#[test]
fn a_tenant_id_is_used_once() {
    let mut ledger = fresh();
    ledger.create_tenant();
    assert_eq!(
        ledger.refused(creation(&ledger, &ALL, |_| {})),
        Some(Code::AlreadyExists)
    );
    let id = ledger.world.tenant.id;
    ledger.world = ledger.world.for_tenant(1);
    ledger.world.tenant.id = id;
    let other_people = creation(&ledger, &ALL, |c| c.allow_list.clear());
    assert_eq!(
        ledger.refused(other_people),
        Some(Code::AlreadyExists),
        "also with a charter that shares nothing"
    );
}

#[test]
fn a_charter_with_delays_below_the_platforms_is_refused() {
    let ledger = fresh();
    for change in [
        |c: &mut Charter| c.loosen_delay_ms = 999,
        |c: &mut Charter| c.ceremony_delay_ms = 999,
    ] {
        assert_eq!(
            ledger.refused(creation(&ledger, &ALL, change)),
            Some(Code::InvalidReference)
        );
    }
}

#[test]
fn a_charter_is_whole() {
    let ledger = fresh();
    let clerk = ledger.world.person(Who::Clerk);
    type Change<'a> = &'a dyn Fn(&mut Charter);
    let cases: [(Change<'_>, Code); 6] = [
        (&|c| c.policy = "{}".to_owned(), Code::Malformed),
        (
            &|c| c.users.retain(|u| u.id != clerk.user.id),
            Code::UnknownUser,
        ),
        (
            &|c| c.credentials.push(c.credentials[0].clone()),
            Code::AlreadyExists,
        ),
        (
            &|c| c.groups[0].members = vec![UserId([1; 16])],
            Code::UnknownUser,
        ),
        (
            &|c| c.committee.members = vec![UserId([1; 16])],
            Code::UnknownUser,
        ),
        (
            &|c| c.allow_list[0].chain = "eip155:1".parse().unwrap(),
            Code::UnknownChain,
        ),
    ];
    for (at, (change, expected)) in cases.into_iter().enumerate() {
        let quorum = |charter: &mut Charter| {
            change(charter);
            charter.committee.quorum = 1;
        };
        assert_eq!(
            ledger.refused(creation(&ledger, &ALL, quorum)),
            Some(expected),
            "case {at}"
        );
    }
}

#[test]
fn no_tenant_comes_into_being_while_the_platform_is_stopped() {
    let mut ledger = fresh();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    assert_eq!(
        ledger.refused(creation(&ledger, &ALL, |_| {})),
        Some(Code::PlatformStopped)
    );
}

#[test]
fn a_tenants_own_scope_creates_no_tenant() {
    let mut ledger = fresh();
    ledger.create_tenant();
    let other = ledger.world.for_tenant(1);
    let body = ActBody::CreateTenant {
        tenant: other.tenant.id,
        charter: Box::new(other.tenant.charter()),
    };
    let act = ledger
        .world
        .act(ledger.now, ledger.world.scope(), body, ledger.version());
    let mut signed = other.sign(&act, &[Who::Admin(0), Who::Admin(1)]);
    signed.endorse::<Act>(&ledger.world.person(Who::Admin(0)).signing());
    assert_eq!(ledger.refused(Body::Act(signed)), Some(Code::WrongScope));
}

#[test]
fn a_charter_takes_effect_at_once_and_an_id_of_it_is_taken() {
    let mut ledger = fresh();
    ledger.create_tenant();
    let world = ledger.world.clone();
    assert!(
        ledger
            .state
            .credential(world.tenant.id, world.person(Who::Initiator).credential.id)
            .is_ok()
    );
    for record in [
        RegistryRecord::User(world.person(Who::Clerk).user),
        RegistryRecord::Credential(world.person(Who::Clerk).credential),
        RegistryRecord::AllowList(world.tenant.charter().allow_list[0].clone()),
    ] {
        let proposal = ledger.signed_act(ActBody::Put(record), &ledger.committee());
        let release = ActBody::Release(Act::digest_of(&proposal.text));
        ledger.push(Body::Act(proposal), ledger.now).unwrap();
        ledger.witness();
        ledger.wait(1000);
        assert_eq!(
            ledger.act(release, &ledger.committee()).unwrap_err().code,
            Code::AlreadyExists
        );
    }
}
