//! Boards count humans: by whichever of their own keys and passkeys they sign, and once.

use crate::{HOUR_MS, act_body, code, ready, ready_with};
use strongroom_journal::{Body, Genesis};
use strongroom_types::charter::Board;
use strongroom_types::credential::PublicKey;
use strongroom_types::{
    Act, ActBody, Charter, Code, Credential, CredentialClass, CredentialId, Document as _,
    RegistryRecord, Scope, Tighten, User, UserId,
};
use strongroom_world::{Ledger, Who, World, WorldOptions};

fn second_credential(ledger: &Ledger, of: Who, class: CredentialClass) -> Credential {
    let world = &ledger.world;
    Credential {
        user: world.person(of).credential.user,
        class,
        ..world.person(Who::Stranger).credential
    }
}

/// A tenant in which the stranger's key is a second credential of one of its people.
fn with_second(ledger: Ledger, of: Who, class: CredentialClass) -> Ledger {
    let mut ledger = ledger;
    let second = second_credential(&ledger, of, class);
    ledger.put_and_release(RegistryRecord::Credential(second));
    ledger
}

/// Why a committee's act, signed by these people, is refused. Two of three must sign.
fn committee_act(ledger: &Ledger, who: &[Who]) -> Option<Code> {
    let user = User {
        id: UserId([8; 16]),
        name: "Eve".parse().unwrap(),
    };
    let put = ActBody::Put(RegistryRecord::User(user));
    ledger.refused(act_body(ledger, put, who, |_| {}))
}

#[test]
fn hole_one_human_with_two_credentials_does_not_make_a_quorum() {
    let ledger = with_second(ready(), Who::Committee(0), CredentialClass::Key);
    let alone = [Who::Committee(0), Who::Stranger];
    assert_eq!(committee_act(&ledger, &alone), Some(Code::QuorumMissing));

    let all = [Who::Committee(0), Who::Stranger, Who::Committee(1)];
    assert_eq!(committee_act(&ledger, &all), None, "a second human does");
}

#[test]
fn any_key_of_a_member_signs_for_the_board() {
    let ledger = with_second(ready(), Who::Committee(0), CredentialClass::Key);
    assert_eq!(
        committee_act(&ledger, &[Who::Stranger, Who::Committee(1)]),
        None
    );
}

#[test]
fn a_program_of_a_member_signs_for_no_board() {
    let ledger = with_second(ready(), Who::Committee(0), CredentialClass::Program);
    assert_eq!(
        committee_act(&ledger, &[Who::Stranger, Who::Committee(1)]),
        Some(Code::QuorumMissing)
    );
}

#[test]
fn an_admin_with_two_keys_pauses_once_in_24_hours() {
    let one_of_two = ready_with(|o| o.admins = (2, 1));
    let mut ledger = with_second(one_of_two, Who::Admin(0), CredentialClass::Key);
    let pause = |ledger: &mut Ledger, who| {
        let until = ledger.now.plus(4 * HOUR_MS);
        ledger.tighten(Tighten::Pause { vault: None, until }, &[who])
    };
    pause(&mut ledger, Who::Admin(0)).unwrap();
    ledger.witness();
    ledger.wait(4 * HOUR_MS);
    assert_eq!(code(pause(&mut ledger, Who::Stranger)), Code::PauseTooLong);
    pause(&mut ledger, Who::Admin(1)).unwrap();
}

// One public key is one credential.

/// Why a credential of the clerk with the key of another credential is refused at its release.
fn enrolled_again(ledger: &mut Ledger, key: PublicKey) -> Code {
    let clerk = ledger.world.person(Who::Clerk).credential;
    let again = RegistryRecord::Credential(Credential {
        id: CredentialId([9; 16]),
        key,
        ..clerk
    });
    let proposal = ledger.signed_act(ActBody::Put(again), &ledger.committee());
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    ledger.push(Body::Act(proposal), ledger.now).unwrap();
    ledger.witness();
    code(ledger.act(release, &ledger.committee()))
}

#[test]
fn hole_one_key_does_not_count_as_two_humans() {
    let mut ledger = ready();
    for who in [Who::Approver(0), Who::Clerk] {
        let key = ledger.world.person(who).credential.key;
        assert_eq!(enrolled_again(&mut ledger, key), Code::AlreadyExists);
    }
}

#[test]
fn hole_the_key_of_a_revoked_credential_does_not_come_back() {
    let mut ledger = ready();
    let approver = ledger.world.person(Who::Approver(0)).credential;
    ledger
        .tighten(Tighten::revoke(approver.id), &[Who::Admin(0)])
        .unwrap();
    assert_eq!(
        enrolled_again(&mut ledger, approver.key),
        Code::AlreadyExists
    );
}

#[test]
fn a_charter_gives_no_key_to_two_credentials() {
    let all = [Who::PlatformAdmin, Who::Admin(0), Who::Admin(1)];
    let twice = |charter: &mut Charter| {
        let last = charter.credentials.len() - 1;
        charter.credentials[last].key = charter.credentials[0].key;
    };
    assert_eq!(creation(&fresh(), &all, twice), Some(Code::AlreadyExists));
}

// A charter's people and the platform's.

fn creation(ledger: &Ledger, who: &[Who], change: impl FnOnce(&mut Charter)) -> Option<Code> {
    let world = &ledger.world;
    let mut charter = Box::new(world.tenant.charter());
    change(&mut charter);
    let body = ActBody::CreateTenant {
        tenant: world.tenant.id,
        charter,
    };
    let act = world.act(ledger.now, Scope::Platform, body, 0);
    ledger.refused(Body::Act(world.sign(&act, who)))
}

fn fresh() -> Ledger {
    Ledger::new(World::new(1, WorldOptions::default()))
}

#[test]
fn a_charter_s_user_does_not_sign_for_the_platform_s_admin_of_the_same_id() {
    let ledger = fresh();
    let admin = ledger.world.person(Who::PlatformAdmin).user;
    let clerk = ledger.world.person(Who::Clerk).credential;
    let as_admin = |charter: &mut Charter| {
        for credential in &mut charter.credentials {
            if credential.id == clerk.id {
                credential.user = Some(admin.id);
            }
        }
        charter.users.push(admin.clone());
    };
    let who = [Who::Clerk, Who::Admin(0), Who::Admin(1)];
    assert_eq!(creation(&ledger, &who, as_admin), Some(Code::QuorumMissing));
    let who = [Who::PlatformAdmin, Who::Admin(0), Who::Admin(1)];
    assert_eq!(creation(&ledger, &who, as_admin), None);
}

#[test]
fn the_platform_s_admin_does_not_sign_for_a_charter_s_user_of_the_same_id() {
    let ledger = fresh();
    let admin = ledger.world.person(Who::PlatformAdmin).user;
    let own = ledger.world.person(Who::Stranger).credential;
    let as_admin = |charter: &mut Charter| {
        charter.users.push(admin.clone());
        charter.credentials.push(Credential {
            user: Some(admin.id),
            ..own.clone()
        });
        charter.admins = Board {
            members: vec![admin.id],
            quorum: 1,
        };
    };
    assert_eq!(
        creation(&ledger, &[Who::PlatformAdmin], as_admin),
        Some(Code::QuorumMissing)
    );
    let who = [Who::PlatformAdmin, Who::Stranger];
    assert_eq!(creation(&ledger, &who, as_admin), None);
}

#[test]
fn a_board_member_has_a_key_or_passkey_of_the_charter() {
    let ledger = fresh();
    let all = [Who::PlatformAdmin, Who::Admin(0), Who::Admin(1)];
    let member = ledger.world.person(Who::Committee(0)).user.id;
    let with_class = |class: CredentialClass| {
        creation(&ledger, &all, |charter| {
            for credential in &mut charter.credentials {
                if credential.user == Some(member) {
                    credential.class = class;
                }
            }
        })
    };
    assert_eq!(with_class(CredentialClass::Key), None);
    assert_eq!(
        with_class(CredentialClass::Program),
        Some(Code::InvalidReference)
    );
}

// Genesis.

#[test]
fn a_genesis_names_its_admins_as_humans_with_credentials_of_their_own() {
    let checked = |change: &dyn Fn(&mut Genesis)| {
        let mut genesis = Genesis::clone(&World::new(1, WorldOptions::default()).genesis);
        change(&mut genesis);
        genesis.check().err().map(|refusal| refusal.code)
    };
    fn second(genesis: &mut Genesis) -> &mut Credential {
        let mut second = genesis.admin_credentials[0].clone();
        second.id = CredentialId([9; 16]);
        second.key = PublicKey::Ed25519([9; 32]);
        genesis.admin_credentials.push(second);
        genesis.admin_credentials.last_mut().unwrap()
    }
    assert_eq!(
        checked(&|g| {
            second(g);
        }),
        None
    );

    let invalid: [&dyn Fn(&mut Genesis); 11] = [
        &|g| g.admin_users.clear(),
        &|g| g.admin_users.push(g.admin_users[0].clone()),
        &|g| g.admin_users[0].id = UserId([9; 16]),
        &|g| {
            let id = g.admin_credentials[0].id;
            second(g).id = id;
        },
        &|g| {
            let key = g.admin_credentials[0].key;
            second(g).key = key;
        },
        &|g| second(g).user = Some(UserId([9; 16])),
        &|g| second(g).class = CredentialClass::Program,
        &|g| {
            let feed = second(g);
            (feed.class, feed.user) = (CredentialClass::Feed, None);
        },
        &|g| second(g).key = PublicKey::P256([5; 33]),
        &|g| {
            g.admins.members.push(g.admins.members[0]);
            g.admins.quorum = 2;
        },
        &|g| {
            let id = UserId([0xff; 16]);
            let name = "Ada".parse().unwrap();
            g.admin_users.push(User { id, name });
            g.admins.members.push(id);
        },
    ];
    for (at, change) in invalid.into_iter().enumerate() {
        assert_eq!(checked(change), Some(Code::InvalidReference), "case {at}");
    }
}
