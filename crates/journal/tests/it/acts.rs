//! Acts: single use, exact version, expiry, scope, signatures, quorum.

use crate::{HOUR_MS, act_body, code, forged, ready, ready_with};
use strongroom_journal::state::View as _;
use strongroom_journal::{Body, apply};
use strongroom_types::{
    Act, ActBody, Code, Digest, PlatformId, Refusal, RegistryRecord, Scope, Tighten, User, UserId,
    Vault, VaultId,
};
use strongroom_world::{Ledger, Who};

fn new_user() -> ActBody {
    ActBody::Put(RegistryRecord::User(User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    }))
}

fn leave(ledger: &Ledger) -> ActBody {
    let user = ledger.world.person(Who::Approver(2)).user.id;
    ActBody::Tighten(Tighten::LeaveGroup {
        group: ledger.world.tenant.approvers,
        user,
    })
}

fn push(ledger: &mut Ledger, body: Body) -> Result<u64, Refusal> {
    ledger.push(body, ledger.now)
}

#[test]
fn an_act_is_used_once() {
    let mut ledger = ready();
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {});
    push(&mut ledger, body.clone()).unwrap();
    assert_eq!(
        ledger.refused(body),
        Some(Code::UsedAuthority),
        "a tightening fits any later version, but once"
    );
}

/// Two builds that write a record again as it was must not come to two changes.
#[test]
fn the_change_of_an_act_holds_what_changes_and_nothing_else() {
    let mut ledger = ready();
    for _ in 0..2 {
        let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {});
        let entry = ledger.entry(ledger.world.scope(), body, ledger.now);
        let delta = apply(&ledger.state, &entry).unwrap();
        let mut changes = delta.changes.iter();
        assert!(changes.all(|(key, value)| ledger.state.get(key) != value.as_deref()));
        ledger.push_entry(entry).unwrap();
    }
}

/// Who sees a tightening that waits for its entry knows its id, and would use it up by an act of
/// their own under that id.
#[test]
fn hole_an_act_is_not_used_up_by_another_one_under_its_id() {
    let mut ledger = ready();
    let mut id = None;
    let withheld = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
        id = Some(act.id)
    });
    let cancel = ActBody::Tighten(Tighten::Cancel(Digest([9; 32])));
    let other = act_body(&ledger, cancel, &[Who::Clerk], |act| act.id = id.unwrap());
    push(&mut ledger, other.clone()).unwrap();
    push(&mut ledger, withheld).unwrap();
    assert_eq!(ledger.refused(other), Some(Code::UsedAuthority));
}

#[test]
fn a_platform_act_is_used_once() {
    let mut ledger = ready();
    let world = ledger.world.clone();
    let act = world.act(
        ledger.now,
        Scope::Platform,
        ActBody::Tighten(Tighten::Quarantine(1)),
        1,
    );
    let body = Body::Act(world.sign(&act, &[Who::PlatformAdmin]));
    push(&mut ledger, body.clone()).unwrap();
    assert_eq!(ledger.refused(body), Some(Code::UsedAuthority));
}

#[test]
fn a_loosening_changes_exactly_the_version_it_names() {
    let mut ledger = ready();
    let current = ledger.version();
    for (version, expected) in [(current - 1, false), (current + 1, false), (current, true)] {
        let body = act_body(&ledger, new_user(), &ledger.committee(), |act| {
            act.version = version
        });
        let expected = if expected {
            None
        } else {
            Some(Code::WrongScopeVersion)
        };
        assert_eq!(ledger.refused(body.clone()), expected, "{version}");
    }
    let old = act_body(&ledger, new_user(), &ledger.committee(), |_| {});
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {});
    push(&mut ledger, body).unwrap();
    assert_eq!(
        ledger.refused(old),
        Some(Code::WrongScopeVersion),
        "any other entry of the scope voids it"
    );
}

#[test]
fn a_tightening_names_the_lowest_version_it_changes() {
    let ledger = ready();
    let current = ledger.version();
    for version in [0, 1, current] {
        let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
            act.version = version
        });
        assert_eq!(ledger.refused(body), None, "{version}");
    }
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
        act.version = current + 1
    });
    assert_eq!(ledger.refused(body), Some(Code::WrongScopeVersion));
}

#[test]
fn an_expired_act_is_refused() {
    let ledger = ready();
    let at = ledger.now;
    for (expires, expected) in [(at.0 - 1, false), (at.0, false), (at.0 + 1, true)] {
        let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
            act.expires.0 = expires
        });
        let expected = if expected {
            None
        } else {
            Some(Code::AuthorityExpired)
        };
        assert_eq!(ledger.refused(body), expected, "{expires}");
    }
}

#[test]
fn an_act_that_outlives_the_memory_of_used_ids_is_refused() {
    let ledger = ready();
    let longest = ledger.now.plus(32 * 24 * HOUR_MS);
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
        act.expires = longest.plus(1)
    });
    assert_eq!(ledger.refused(body), Some(Code::AuthorityExpired));
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
        act.expires = longest
    });
    assert_eq!(ledger.refused(body), None);
}

#[test]
fn an_act_made_for_another_platform_is_refused() {
    let ledger = ready();
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |act| {
        act.platform = PlatformId([1; 16])
    });
    assert_eq!(ledger.refused(body), Some(Code::WrongScope));
}

#[test]
fn an_act_in_an_entry_of_another_scope_is_refused() {
    let mut ledger = ready();
    let other = ledger.world.for_tenant(1);
    let body = Body::Act(other.create_tenant(ledger.now));
    push(&mut ledger, body).unwrap();
    let body = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {});
    for scope in [Scope::Platform, other.scope()] {
        let entry = ledger.entry(scope, body.clone(), ledger.now);
        assert_eq!(
            code(apply(&ledger.state, &entry)),
            Code::WrongScope,
            "{scope}"
        );
    }
}

#[test]
fn another_tenants_people_change_nothing_here() {
    let mut ledger = ready();
    let other = ledger.world.for_tenant(1);
    let body = Body::Act(other.create_tenant(ledger.now));
    push(&mut ledger, body).unwrap();
    let act = ledger
        .world
        .act(ledger.now, ledger.world.scope(), leave(&ledger), 1);
    let body = Body::Act(other.sign(&act, &ledger.admins()));
    assert_eq!(ledger.refused(body), Some(Code::UnknownCredential));
}

#[test]
fn the_platforms_admin_changes_nothing_of_a_tenant() {
    let ledger = ready();
    let vault = Vault {
        id: VaultId([9; 16]),
        account: 1,
        ..ledger.world.tenant.first_vault()
    };
    for body in [
        leave(&ledger),
        new_user(),
        ActBody::Put(RegistryRecord::Vault(vault)),
        ActBody::Resume,
    ] {
        let body = act_body(&ledger, body, &[Who::PlatformAdmin], |_| {});
        assert_eq!(ledger.refused(body), Some(Code::UnknownCredential));
    }
}

#[test]
fn one_bad_signature_among_enough_good_ones_is_refused() {
    let ledger = ready();
    let all: Vec<Who> = (0..3).map(Who::Committee).collect();
    let Body::Act(signed) = act_body(&ledger, new_user(), &all, |_| {}) else {
        panic!()
    };
    assert_eq!(ledger.refused(Body::Act(signed.clone())), None);
    assert_eq!(
        ledger.refused(Body::Act(forged(signed))),
        Some(Code::BadSignature)
    );
}

#[test]
fn a_signature_over_another_text_is_refused() {
    let ledger = ready();
    let Body::Act(mut signed) = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {}) else {
        panic!()
    };
    let Body::Act(other) = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {}) else {
        panic!()
    };
    signed.text = other.text;
    assert_eq!(ledger.refused(Body::Act(signed)), Some(Code::BadSignature));
}

#[test]
fn a_text_without_signatures_or_with_doubled_ones_is_refused() {
    let ledger = ready();
    let Body::Act(signed) = act_body(&ledger, leave(&ledger), &ledger.admins(), |_| {}) else {
        panic!()
    };
    let mut none = signed.clone();
    none.endorsements.clear();
    let mut doubled = signed.clone();
    doubled.endorsements.push(signed.endorsements[0].clone());
    for signed in [none, doubled] {
        assert_eq!(ledger.refused(Body::Act(signed)), Some(Code::Malformed));
    }
}

#[test]
fn a_revoked_credential_signs_no_act() {
    let mut ledger = ready_with(|o| o.committee = (4, 2));
    let revoked = ledger.world.person(Who::Committee(0)).credential.id;
    ledger
        .tighten(Tighten::revoke(revoked), &[Who::Admin(0)])
        .unwrap();
    let body = act_body(
        &ledger,
        new_user(),
        &[Who::Committee(0), Who::Committee(1)],
        |_| {},
    );
    assert_eq!(ledger.refused(body), Some(Code::CredentialRevoked));
    let user = ledger.world.person(Who::Committee(1)).user.id;
    ledger
        .tighten(Tighten::revoke(user), &[Who::Admin(0)])
        .unwrap();
    let body = act_body(
        &ledger,
        new_user(),
        &[Who::Committee(1), Who::Committee(2)],
        |_| {},
    );
    assert_eq!(
        ledger.refused(body),
        Some(Code::CredentialRevoked),
        "all credentials of a revoked user"
    );
}

/// Each act with one signature less than its board asks, and with just enough.
#[test]
fn every_act_needs_its_boards_quorum() {
    let mut ledger = ready_with(|o| o.admins = (3, 2));
    let tenant = ledger.world.tenant.clone();
    let vault = Vault {
        id: VaultId([9; 16]),
        account: 1,
        ..tenant.first_vault()
    };
    let clerk = ledger.world.person(Who::Clerk);
    let admins = [
        leave(&ledger),
        ActBody::Put(RegistryRecord::Vault(vault)),
        ActBody::Tighten(Tighten::revoke(clerk.credential.id)),
        ActBody::Tighten(Tighten::revoke(clerk.user.id)),
        ActBody::Tighten(Tighten::revoke(tenant.friend)),
        ActBody::Tighten(Tighten::Stop),
    ];
    let proposal = ledger.signed_act(new_user(), &ledger.committee());
    let digest = <Act as strongroom_types::Document>::digest_of(&proposal.text);
    push(&mut ledger, Body::Act(proposal)).unwrap();
    ledger.witness();
    let mut plan = ledger.world.plan();
    plan.key.0 = [9; 16];
    let policy = tenant.policy(&Default::default());
    let committee = [
        ActBody::Put(RegistryRecord::User(User {
            id: UserId([8; 16]),
            name: "Eve".parse().unwrap(),
        })),
        ActBody::Put(RegistryRecord::Policy(
            <_ as strongroom_types::Document>::to_text(&policy),
        )),
        ActBody::Put(RegistryRecord::Ceremony(plan)),
        ActBody::Release(digest),
        ActBody::Tighten(Tighten::revoke(tenant.key)),
    ];
    for (bodies, board) in [
        (&admins[..], Who::Admin as fn(usize) -> Who),
        (&committee[..], Who::Committee),
    ] {
        for body in bodies {
            let few = act_body(&ledger, body.clone(), &[board(0)], |_| {});
            assert_eq!(ledger.refused(few), Some(Code::QuorumMissing), "{body:?}");
            let wrong = if board(0) == Who::Admin(0) {
                Who::Committee
            } else {
                Who::Admin
            };
            let others = act_body(&ledger, body.clone(), &[wrong(0), wrong(1)], |_| {});
            assert_eq!(
                ledger.refused(others),
                Some(Code::QuorumMissing),
                "the other board: {body:?}"
            );
            let enough = act_body(&ledger, body.clone(), &[board(0), board(1)], |_| {});
            assert_eq!(ledger.refused(enough), None, "{body:?}");
        }
    }
    ledger
        .tighten(Tighten::Stop, &[Who::Admin(0), Who::Admin(1)])
        .unwrap();
    assert_eq!(
        code(ledger.act(ActBody::Resume, &[Who::Admin(0)])),
        Code::QuorumMissing
    );
}

#[test]
fn what_belongs_to_a_tenant_is_refused_in_the_platforms_scope_and_the_other_way_round() {
    let mut ledger = ready();
    let tenant = ledger.world.tenant.clone();
    for body in [
        ActBody::Put(RegistryRecord::Vault(tenant.first_vault())),
        leave(&ledger),
        ActBody::Tighten(Tighten::revoke(tenant.friend)),
        ActBody::Tighten(Tighten::revoke(tenant.key)),
        ActBody::Tighten(Tighten::Cancel(Digest([1; 32]))),
    ] {
        assert_eq!(code(ledger.platform_act(body)), Code::WrongScope);
    }
    let quarantine = act_body(
        &ledger,
        ActBody::Tighten(Tighten::Quarantine(1)),
        &ledger.admins(),
        |_| {},
    );
    assert_eq!(ledger.refused(quarantine), Some(Code::WrongScope));
}

#[test]
fn the_platform_quarantines_only_signers_of_genesis() {
    let mut ledger = ready();
    let quarantine = |n| ActBody::Tighten(Tighten::Quarantine(n));
    assert_eq!(
        code(ledger.platform_act(quarantine(9))),
        Code::InvalidReference
    );
    ledger.platform_act(quarantine(3)).unwrap();
}

#[test]
fn the_platforms_acts_name_its_scope_version() {
    let mut ledger = ready();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    let world = ledger.world.clone();
    let resume = |version| {
        let act = world.act(ledger.now, Scope::Platform, ActBody::Resume, version);
        Body::Act(world.sign(&act, &[Who::PlatformAdmin]))
    };
    assert_eq!(
        ledger.refused(resume(1)),
        Some(Code::WrongScopeVersion),
        "made before the stop"
    );
    assert_eq!(ledger.refused(resume(2)), None);
}
