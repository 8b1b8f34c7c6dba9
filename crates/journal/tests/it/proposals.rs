//! Loosenings wait for their delay and for a positive release; tightenings act at once.

use crate::{HOUR_MS, SMALL, code, ready, ready_with};
use strongroom_journal::Body;
use strongroom_journal::state::Lookup as _;
use strongroom_policy::{Guard, GuardKind, Policy, Rule};
use strongroom_types::credential::PublicKey;
use strongroom_types::{
    Act, ActBody, AllowListEntry, AllowListId, Code, Credential, CredentialClass, CredentialId,
    Digest, Document as _, Group, MinorUnits, RegistryRecord, Tier, Tighten, User, UserId,
};
use strongroom_world::{FRIEND, Ledger, STRANGER, Who, World, WorldOptions};

const DELAY_MS: u64 = 1000;

fn slow() -> Ledger {
    ready_with(|o| o.delay_ms = DELAY_MS)
}

fn propose(ledger: &mut Ledger, record: RegistryRecord) -> Digest {
    let proposal = ledger.signed_act(ActBody::Put(record), &ledger.committee());
    let digest = Act::digest_of(&proposal.text);
    ledger.push(Body::Act(proposal), ledger.now).unwrap();
    ledger.witness();
    digest
}

fn release(ledger: &mut Ledger, proposal: Digest) -> Result<u64, strongroom_types::Refusal> {
    ledger.act_in_force(ActBody::Release(proposal), &ledger.committee())
}

fn with_rules(policy: &Policy, change: impl FnOnce(&mut Vec<Rule>)) -> Policy {
    let mut rules = policy.rules.to_vec();
    change(&mut rules);
    Policy {
        rules: rules.into(),
        ..policy.clone()
    }
}

fn mallory() -> User {
    User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    }
}

/// One of each kind that loosens, with a test whether it is in force.
type InForce = Box<dyn Fn(&Ledger) -> bool>;
fn loosenings(ledger: &Ledger) -> Vec<(RegistryRecord, InForce)> {
    let tenant = ledger.world.tenant.clone();
    let t = tenant.id;
    let clerk = ledger.world.person(Who::Clerk).user.id;
    let credential = Credential {
        id: CredentialId([9; 16]),
        user: Some(clerk),
        class: CredentialClass::Key,
        key: PublicKey::Ed25519([1; 32]),
        web: None,
    };
    let group = Group {
        members: vec![clerk],
        ..tenant.group("approvers", tenant.approvers, &[])
    };
    let entry = AllowListEntry {
        id: AllowListId([9; 16]),
        address: STRANGER.into(),
        ..tenant.charter().allow_list[0].clone()
    };
    let chain = entry.chain.clone();
    let policy = with_rules(&tenant.policy(&Default::default()), |rules| {
        rules.truncate(2)
    });
    let digest = policy.digest();
    let mut plan = ledger.world.plan();
    plan.key.0 = [9; 16];
    let key = plan.key;
    vec![
        (
            RegistryRecord::User(mallory()),
            Box::new(move |l| l.state.user(t, mallory().id).is_ok()),
        ),
        (
            RegistryRecord::Credential(credential.clone()),
            Box::new(move |l| l.state.credential(t, credential.id).is_ok()),
        ),
        (
            RegistryRecord::Group(group),
            Box::new(move |l| l.state.in_group(t, tenant.approvers, clerk).unwrap()),
        ),
        (
            RegistryRecord::AllowList(entry),
            Box::new(move |l| l.state.listed(t, &chain, STRANGER).unwrap().is_some()),
        ),
        (
            RegistryRecord::Policy(policy.to_text()),
            Box::new(move |l| l.state.tenant(t).unwrap().policy == digest),
        ),
        (
            RegistryRecord::Ceremony(plan),
            Box::new(move |l| l.state.threshold_key(t, key).is_ok()),
        ),
    ]
}

#[test]
fn every_loosening_waits_for_its_delay_in_journal_time() {
    let ledger = slow();
    for (record, in_force) in loosenings(&ledger) {
        let mut ledger = ledger.clone();
        let proposal = propose(&mut ledger, record.clone());
        ledger.wait(DELAY_MS - 1);
        assert_eq!(
            code(release(&mut ledger, proposal)),
            Code::ReleaseTooEarly,
            "{record:?}"
        );
        assert!(!in_force(&ledger));
        ledger.wait(1);
        release(&mut ledger, proposal).unwrap();
        assert!(in_force(&ledger), "{record:?}");
    }
}

/// A charter may give those who would veto a key more time than those who would veto anything else.
#[test]
fn a_ceremony_waits_for_its_own_delay() {
    let ledger = Ledger::with_tenant(World::new(
        1,
        WorldOptions {
            delay_ms: DELAY_MS,
            charter: |charter, _| charter.ceremony_delay_ms = 2 * DELAY_MS,
            ..WorldOptions::default()
        },
    ));
    for (record, delay_ms) in [
        (RegistryRecord::User(mallory()), DELAY_MS),
        (ledger.world.ceremony_record(), 2 * DELAY_MS),
    ] {
        let mut ledger = ledger.clone();
        let proposal = propose(&mut ledger, record);
        ledger.wait(delay_ms - 1);
        let early = release(&mut ledger, proposal);
        assert_eq!(code(early), Code::ReleaseTooEarly, "{delay_ms}");
        ledger.wait(1);
        release(&mut ledger, proposal).unwrap();
    }
}

#[test]
fn silence_is_not_consent() {
    let ledger = slow();
    for (record, in_force) in loosenings(&ledger) {
        let mut ledger = ledger.clone();
        propose(&mut ledger, record);
        ledger.wait(29 * 24 * HOUR_MS);
        ledger.push(Body::Tick, ledger.now).unwrap();
        assert!(!in_force(&ledger), "no release, no effect");
    }
}

#[test]
fn a_proposal_is_released_once_and_only_by_its_own_digest() {
    let mut ledger = ready();
    assert_eq!(
        code(release(&mut ledger, Digest([1; 32]))),
        Code::UnknownProposal
    );
    let proposal = propose(&mut ledger, RegistryRecord::User(mallory()));
    release(&mut ledger, proposal).unwrap();
    assert_eq!(code(release(&mut ledger, proposal)), Code::UnknownProposal);
}

#[test]
fn a_proposal_expires() {
    let ledger = slow();
    for (ms, expected) in [
        (DELAY_MS + 30 * 24 * HOUR_MS - 1, None),
        (DELAY_MS + 30 * 24 * HOUR_MS, Some(Code::AuthorityExpired)),
    ] {
        let mut ledger = ledger.clone();
        let proposal = propose(&mut ledger, RegistryRecord::User(mallory()));
        ledger.wait(ms);
        let refused = release(&mut ledger, proposal).err();
        assert_eq!(refused.map(|refusal| refusal.code), expected, "{ms} ms");
    }
}

#[test]
fn an_expired_proposal_that_is_not_forgotten_yet_is_not_released() {
    let mut ledger = ready();
    let (user, group) = (
        ledger.world.person(Who::Clerk).user.id,
        ledger.world.tenant.risk,
    );
    for _ in 0..20 {
        ledger
            .tighten(Tighten::LeaveGroup { group, user }, &[Who::Admin(0)])
            .unwrap();
    }
    let proposal = propose(&mut ledger, RegistryRecord::User(mallory()));
    ledger.wait(30 * 24 * HOUR_MS);
    assert_eq!(
        code(release(&mut ledger, proposal)),
        Code::AuthorityExpired,
        "older memory is forgotten first"
    );
}

#[test]
fn only_the_committee_vetoes_and_one_member_is_enough() {
    let mut ledger = ready();
    let proposal = propose(&mut ledger, RegistryRecord::User(mallory()));
    assert_eq!(
        code(ledger.tighten(Tighten::Veto(proposal), &[Who::Admin(0)])),
        Code::QuorumMissing
    );
    ledger
        .tighten(Tighten::Veto(proposal), &[Who::Committee(2)])
        .unwrap();
    assert_eq!(code(release(&mut ledger, proposal)), Code::UnknownProposal);
}

#[test]
fn another_tenants_proposal_is_unknown() {
    let mut ledger = ready();
    let proposal = propose(&mut ledger, RegistryRecord::User(mallory()));
    let mut other = ledger.clone();
    other.world = ledger.world.for_tenant(1);
    other.create_tenant();
    assert_eq!(code(release(&mut other, proposal)), Code::UnknownProposal);
}

#[test]
fn a_provably_tighter_policy_acts_at_once_even_while_stopped() {
    let mut ledger = slow();
    ledger.tighten(Tighten::Stop, &[Who::Admin(0)]).unwrap();
    let old = ledger.world.tenant.policy(&Default::default());
    let guard = Guard {
        id: "cap".parse().unwrap(),
        kind: GuardKind::AmountMax {
            asset: strongroom_world::NATIVE.parse().unwrap(),
            lte: MinorUnits::from(SMALL),
        },
    };
    let mut tighter = old.clone();
    tighter.guards.push(guard);
    ledger
        .act(
            ActBody::Put(RegistryRecord::Policy(tighter.to_text())),
            &ledger.committee(),
        )
        .unwrap();
    let in_force = ledger.state.tenant(ledger.world.tenant.id).unwrap().policy;
    assert_eq!(in_force, tighter.digest());
    ledger
        .act_in_force(ActBody::Resume, &[Who::Admin(0)])
        .unwrap();
    assert!(
        ledger
            .decide(&ledger.world.intent(ledger.now, SMALL, FRIEND))
            .is_ok()
    );
    assert_eq!(
        code(ledger.decide(&ledger.world.intent(ledger.now, SMALL + 1, FRIEND))),
        Code::PolicyBlocked
    );
}

/// It is provably as tight as itself, so it acts at once: a tenant must not lose its text by that.
#[test]
fn the_policy_in_force_put_once_more_stays_in_force() {
    let mut ledger = ready();
    let text = ledger.world.tenant.charter().policy;
    for _ in 0..2 {
        let put = ActBody::Put(RegistryRecord::Policy(text.clone()));
        ledger.act(put, &ledger.committee()).unwrap();
    }
    let tenant = ledger.state.tenant(ledger.world.tenant.id).unwrap();
    assert_eq!(tenant.proposals_open, 0);
    let intent = ledger.world.intent(ledger.now, SMALL, FRIEND);
    ledger.authorize(&intent, &[]).unwrap();
}

#[test]
fn a_looser_policy_waits_however_it_is_called() {
    let ledger = slow();
    let old = ledger.world.tenant.policy(&Default::default());
    let fewer = with_rules(&old, |rules| rules.truncate(2));
    let raised_and_widened = with_rules(&old, |rules| {
        rules[0].then.tier = Tier::OneOfN;
        rules[0].then.groups = rules[1].then.groups.clone();
        rules[1].matches.amount = None;
    });
    for policy in [fewer, raised_and_widened] {
        let mut ledger = ledger.clone();
        ledger
            .act(
                ActBody::Put(RegistryRecord::Policy(policy.to_text())),
                &ledger.committee(),
            )
            .unwrap();
        assert_eq!(
            ledger.state.tenant(ledger.world.tenant.id).unwrap().policy,
            old.digest(),
            "not in force yet"
        );
    }
}

#[test]
fn a_policy_that_does_not_load_is_refused_before_it_is_proposed() {
    let mut ledger = ready();
    let body = ActBody::Put(RegistryRecord::Policy("{}".to_owned()));
    assert_eq!(code(ledger.act(body, &ledger.committee())), Code::Malformed);
}

#[test]
fn a_credential_id_is_used_once_also_after_its_revocation() {
    let mut ledger = ready();
    let clerk = ledger.world.person(Who::Clerk);
    ledger
        .tighten(Tighten::revoke(clerk.credential.id), &[Who::Admin(0)])
        .unwrap();
    let proposal = propose(&mut ledger, RegistryRecord::Credential(clerk.credential));
    assert_eq!(code(release(&mut ledger, proposal)), Code::AlreadyExists);
}

#[test]
fn a_credential_or_group_of_an_unknown_or_revoked_user_is_refused() {
    let mut ledger = ready();
    let tenant = ledger.world.tenant.clone();
    let clerk = ledger.world.person(Who::Clerk).user.id;
    ledger
        .tighten(Tighten::revoke(clerk), &[Who::Admin(0)])
        .unwrap();
    for user in [clerk, UserId([9; 16])] {
        let credential = Credential {
            id: CredentialId([9; 16]),
            user: Some(user),
            class: CredentialClass::Key,
            key: PublicKey::Ed25519([1; 32]),
            web: None,
        };
        let group = Group {
            members: vec![user],
            ..tenant.group("new", tenant.approvers, &[])
        };
        for record in [
            RegistryRecord::Credential(credential),
            RegistryRecord::Group(group),
        ] {
            let proposal = propose(&mut ledger, record);
            assert_eq!(code(release(&mut ledger, proposal)), Code::UnknownUser);
        }
    }
}

/// With another key below it, what its holder signed would count as the new holder's, and a revoked
/// one would be back.
#[test]
fn a_credential_s_id_is_used_once() {
    let mut ledger = ready();
    let clerk = ledger.world.person(Who::Clerk).credential;
    let again = RegistryRecord::Credential(Credential {
        key: PublicKey::Ed25519([1; 32]),
        ..clerk.clone()
    });
    for is_revoked in [false, true] {
        if is_revoked {
            let revoke = Tighten::revoke(clerk.id);
            ledger.tighten(revoke, &[Who::Admin(0)]).unwrap();
        }
        let proposal = propose(&mut ledger, again.clone());
        let refused = code(release(&mut ledger, proposal));
        assert_eq!(refused, Code::AlreadyExists, "{is_revoked}");
    }
}

#[test]
fn an_allow_list_id_and_a_destination_are_listed_once() {
    let mut ledger = ready();
    let listed = ledger.world.tenant.charter().allow_list[0].clone();
    let same_id = AllowListEntry {
        address: STRANGER.into(),
        ..listed.clone()
    };
    let same_place = AllowListEntry {
        id: AllowListId([9; 16]),
        ..listed.clone()
    };
    let other_chain = AllowListEntry {
        id: AllowListId([9; 16]),
        chain: "eip155:1".parse().unwrap(),
        ..listed.clone()
    };
    for (entry, expected) in [
        (same_id.clone(), Code::AlreadyExists),
        (same_place.clone(), Code::AlreadyExists),
        (other_chain, Code::UnknownChain),
    ] {
        let proposal = propose(&mut ledger, RegistryRecord::AllowList(entry));
        assert_eq!(code(release(&mut ledger, proposal)), expected);
    }
    ledger
        .tighten(Tighten::revoke(listed.id), &[Who::Admin(0)])
        .unwrap();
    let proposal = propose(&mut ledger, RegistryRecord::AllowList(same_id));
    assert_eq!(
        code(release(&mut ledger, proposal)),
        Code::AlreadyExists,
        "a removed id never names another place"
    );
    let proposal = propose(&mut ledger, RegistryRecord::AllowList(same_place));
    release(&mut ledger, proposal).unwrap();
}

#[test]
fn an_unknown_target_of_a_tightening_is_refused() {
    let mut ledger = ready();
    let tenant = ledger.world.tenant.clone();
    let who = [Who::Admin(0), Who::Committee(0), Who::Committee(1)];
    for (what, expected) in [
        (
            Tighten::revoke(CredentialId([9; 16])),
            Code::UnknownCredential,
        ),
        (Tighten::revoke(UserId([9; 16])), Code::UnknownUser),
        (
            Tighten::revoke(AllowListId([9; 16])),
            Code::InvalidReference,
        ),
        (
            Tighten::LeaveGroup {
                group: strongroom_types::GroupId([9; 16]),
                user: UserId([9; 16]),
            },
            Code::InvalidReference,
        ),
        (
            Tighten::revoke(strongroom_types::KeyId([9; 16])),
            Code::UnknownKey,
        ),
        (Tighten::Veto(Digest([9; 32])), Code::UnknownProposal),
        (
            Tighten::Pause {
                vault: Some(strongroom_types::VaultId([9; 16])),
                until: ledger.now.plus(1),
            },
            Code::UnknownVault,
        ),
    ] {
        assert_eq!(code(ledger.tighten(what, &who)), expected);
    }
    ledger
        .tighten(Tighten::revoke(tenant.friend), &who)
        .unwrap();
    assert_eq!(
        code(ledger.tighten(Tighten::revoke(tenant.friend), &who)),
        Code::InvalidReference
    );
}
