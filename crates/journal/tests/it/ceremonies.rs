//! Keys: which ceremonies are let in, and what ends one. Vaults on them.

use crate::{code, ready};
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Finished};
use strongroom_mpc_core::SuiteId;
use strongroom_types::ceremony::certificate_digest;
use strongroom_types::{
    Act, ActBody, CeremonyPlan, Code, Digest, Document as _, KeyId, RegistryRecord, Suite,
    TenantId, Tighten, Vault, VaultId,
};
use strongroom_world::{Ceremony, Ledger, Who, World, WorldOptions};

/// A tenant whose first ceremony is released but not finished, and that ceremony.
fn released() -> (Ledger, KeyRecord, Ceremony) {
    let mut ledger = Ledger::with_tenant(World::new(1, WorldOptions::default()));
    ledger.put_and_release(ledger.world.ceremony_record());
    let key = ledger
        .state
        .threshold_key(ledger.world.tenant.id, ledger.world.tenant.key)
        .unwrap();
    let ceremony = ledger.world.run_ceremony(&key);
    (ledger, key, ceremony)
}

fn offered(ledger: &Ledger, finished: Finished) -> Option<Code> {
    ledger.refused(Body::Finished(Box::new(finished)))
}

fn proposed(ledger: &Ledger, plan: CeremonyPlan) -> Option<Code> {
    ledger.refused(Body::Act(ledger.signed_act(
        ActBody::Put(RegistryRecord::Ceremony(plan)),
        &ledger.committee(),
    )))
}

fn new_key(world: &World) -> CeremonyPlan {
    CeremonyPlan {
        key: KeyId([9; 16]),
        ..world.plan()
    }
}

#[test]
fn a_ceremony_with_more_hostile_signers_than_the_quorum_bears_is_refused() {
    let ledger = Ledger::with_tenant(World::new(
        1,
        WorldOptions {
            signers: 4,
            ..WorldOptions::default()
        },
    ));
    let plan = |min_signers, n: u16| CeremonyPlan {
        min_signers,
        roster: (1..=n).collect(),
        ..ledger.world.plan()
    };
    assert_eq!(proposed(&ledger, plan(2, 3)), None, "f = 1 bears t = 2");
    assert_eq!(
        proposed(&ledger, plan(3, 4)),
        Some(Code::QuorumTooSmallForF)
    );
}

#[test]
fn a_roster_of_unknown_or_quarantined_signers_is_refused() {
    let mut ledger = ready();
    let plan = new_key(&ledger.world);
    let unknown = CeremonyPlan {
        roster: vec![1, 2, 4],
        ..plan.clone()
    };
    assert_eq!(proposed(&ledger, unknown), Some(Code::InvalidReference));
    assert_eq!(proposed(&ledger, plan.clone()), None);
    let proposal = ledger.signed_act(
        ActBody::Put(RegistryRecord::Ceremony(plan.clone())),
        &ledger.committee(),
    );
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    ledger.push(Body::Act(proposal), ledger.now).unwrap();
    ledger.witness();
    ledger
        .platform_act(ActBody::Tighten(Tighten::Quarantine(3)))
        .unwrap();
    assert_eq!(proposed(&ledger, plan), Some(Code::InvalidReference));
    assert_eq!(
        code(ledger.act(release, &ledger.committee())),
        Code::InvalidReference,
        "judged again at the release"
    );
}

#[test]
fn a_key_id_is_used_once() {
    let mut ledger = ready();
    assert_eq!(
        proposed(&ledger, ledger.world.plan()),
        Some(Code::AlreadyExists)
    );
    let (key, who) = (ledger.world.tenant.key, ledger.committee());
    ledger.tighten(Tighten::revoke(key), &who).unwrap();
    assert_eq!(
        proposed(&ledger, ledger.world.plan()),
        Some(Code::AlreadyExists)
    );
}

#[test]
fn a_ceremony_that_was_not_released_does_not_finish() {
    let (ledger, _, ceremony) = released();
    let mut proposed = Ledger::with_tenant(ledger.world.clone());
    let proposal = proposed.signed_act(
        ActBody::Put(ledger.world.ceremony_record()),
        &proposed.committee(),
    );
    proposed.push(Body::Act(proposal), proposed.now).unwrap();
    assert_eq!(proposed.refused(ceremony.body()), Some(Code::UnknownKey));
    assert_eq!(ledger.refused(ceremony.body()), None);
}

#[test]
fn a_ceremony_finishes_once_and_not_after_its_key_was_revoked() {
    let (mut ledger, _, ceremony) = released();
    let mut revoked = ledger.clone();
    let (key, who) = (ledger.world.tenant.key, ledger.committee());
    revoked.tighten(Tighten::revoke(key), &who).unwrap();
    assert_eq!(revoked.refused(ceremony.body()), Some(Code::AlreadyExists));
    ledger.push(ceremony.body(), ledger.now).unwrap();
    assert_eq!(ledger.refused(ceremony.body()), Some(Code::AlreadyExists));
}

#[test]
fn hole_a_ceremony_finishes_within_its_life_and_never_after() {
    let (ledger, key, ceremony) = released();
    let life_ms = ledger.world.genesis.bounds.ceremony_life_ms;
    assert_eq!(
        key.until,
        ledger.now.plus(life_ms),
        "counted from the witnessed time of the release"
    );
    let after = |ms| {
        let mut ledger = ledger.clone();
        ledger.wait(ms);
        ledger.refused(ceremony.body())
    };
    assert_eq!(after(life_ms - 1), None);
    assert_eq!(after(life_ms), Some(Code::AuthorityExpired));
}

/// A writer that keeps the release's `witnessed` entry back does not shorten or lengthen the life.
#[test]
fn the_life_of_a_ceremony_counts_from_the_witnessed_time_of_its_release() {
    let mut ledger = Ledger::with_tenant(World::new(1, WorldOptions::default()));
    let put = ActBody::Put(ledger.world.ceremony_record());
    let proposal = ledger.signed_act(put, &ledger.committee());
    let release = ActBody::Release(Act::digest_of(&proposal.text));
    ledger.push(Body::Act(proposal), ledger.now).unwrap();
    ledger.witness();
    ledger.act(release, &ledger.committee()).unwrap();
    ledger.wait(60_000);
    let (witnessed_at, witnessed) = (ledger.now, ledger.witnessed());
    ledger.wait(60_000);
    ledger.push(Body::Witnessed(witnessed), ledger.now).unwrap();
    let tenant = &ledger.world.tenant;
    let key = ledger.state.threshold_key(tenant.id, tenant.key).unwrap();
    let life_ms = ledger.world.genesis.bounds.ceremony_life_ms;
    assert_eq!(key.until, witnessed_at.plus(life_ms));
}

/// No dead end: another key can be asked for. The id of the first stays taken.
#[test]
fn after_the_end_of_a_ceremony_another_key_is_made() {
    let (mut ledger, key, _) = released();
    ledger.wait(ledger.world.genesis.bounds.ceremony_life_ms);
    assert_eq!(proposed(&ledger, key.plan), Some(Code::AlreadyExists));

    ledger.world.tenant.key = KeyId([9; 16]);
    ledger.make_key();
    let tenant = &ledger.world.tenant;
    let made = ledger.state.threshold_key(tenant.id, tenant.key).unwrap();
    assert!(made.public.is_some());
}

#[test]
fn hole_a_roster_with_a_member_in_quarantine_since_the_release_finishes_nothing() {
    let (mut ledger, _, ceremony) = released();
    assert_eq!(ledger.refused(ceremony.body()), None);
    let quarantine = ActBody::Tighten(Tighten::Quarantine(3));
    ledger.platform_act(quarantine).unwrap();
    assert_eq!(
        ledger.refused(ceremony.body()),
        Some(Code::InvalidReference)
    );
}

#[test]
fn every_signer_of_the_roster_certifies() {
    let (ledger, _, ceremony) = released();
    let finished = ceremony.finished;
    for missing in 0..3 {
        let mut finished = finished.clone();
        finished.certificates.remove(missing);
        assert_eq!(offered(&ledger, finished), Some(Code::QuorumMissing));
    }
    let mut doubled = finished.clone();
    doubled.certificates[2] = doubled.certificates[1];
    assert_eq!(offered(&ledger, doubled), Some(Code::QuorumMissing));
    let mut unordered = finished.clone();
    unordered.certificates.swap(0, 1);
    assert_eq!(offered(&ledger, unordered), Some(Code::QuorumMissing));
    assert_eq!(offered(&ledger, finished), None);
}

#[test]
fn a_wrong_certificate_is_refused() {
    let (ledger, _, ceremony) = released();
    let mut forged = ceremony.finished.clone();
    forged.certificates[1].1[0] ^= 1;
    assert_eq!(offered(&ledger, forged), Some(Code::BadSignature));
    let mut anothers = ceremony.finished.clone();
    anothers.certificates[1].1 = anothers.certificates[0].1;
    assert_eq!(offered(&ledger, anothers), Some(Code::BadSignature));
}

#[test]
fn certificates_of_another_transcript_or_result_are_refused() {
    let (ledger, key, ceremony) = released();
    let other = Finished {
        transcript: Digest([1; 32]),
        ..ceremony.finished.clone()
    };
    assert_eq!(offered(&ledger, other), Some(Code::BadSignature));
    let mut public = ceremony.public.clone();
    public.chain_code[0] ^= 1;
    let other = Finished {
        public: public.to_bytes(),
        ..ceremony.finished.clone()
    };
    assert_eq!(offered(&ledger, other), Some(Code::BadSignature));
    assert_ne!(
        certificate_digest(&Digest([1; 32]), b"x"),
        certificate_digest(&Digest([1; 32]), b"y")
    );
    let all_certify = ledger
        .world
        .certify(&key, &ceremony.public, Digest([1; 32]));
    assert_eq!(
        offered(&ledger, all_certify),
        None,
        "what all n signers certify is the result"
    );
}

#[test]
fn a_result_that_is_not_what_was_released_is_refused() {
    let (ledger, key, ceremony) = released();
    let changes: [fn(&mut strongroom_mpc_core::PublicKeyRecord); 5] = [
        |p| p.suite = SuiteId::FrostSecp256k1,
        |p| p.epoch = 2,
        |p| p.min_signers = 3,
        |p| p.key_id = [[1; 16], [2; 16]].concat(),
        |p| drop(p.verifying_shares.remove(&3)),
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let mut public = ceremony.public.clone();
        change(&mut public);
        let finished = ledger
            .world
            .certify(&key, &public, ceremony.finished.transcript);
        assert_eq!(
            offered(&ledger, finished),
            Some(Code::CeremonyFault),
            "case {at}"
        );
    }
    let mut broken = ceremony.finished.clone();
    broken.public.push(0);
    assert_eq!(offered(&ledger, broken), Some(Code::CeremonyFault));
}

#[test]
fn another_tenants_key_does_not_finish_here() {
    let (mut ledger, key, ceremony) = released();
    ledger.world = ledger.world.for_tenant(1);
    ledger.create_tenant();
    ledger.world.tenant.key = key.plan.key;
    ledger.put_and_release(RegistryRecord::Ceremony(key.plan));
    assert_eq!(
        ledger.refused(ceremony.body()),
        Some(Code::CeremonyFault),
        "the record names tenant and key"
    );
    ledger.world.tenant.id = TenantId([9; 16]);
    assert_eq!(ledger.refused(ceremony.body()), Some(Code::UnknownKey));
}

#[test]
fn two_ceremonies_never_share_a_session() {
    let (mut ledger, key, _) = released();
    ledger.put_and_release(RegistryRecord::Ceremony(new_key(&ledger.world)));
    let other = ledger
        .state
        .threshold_key(ledger.world.tenant.id, KeyId([9; 16]))
        .unwrap();
    assert_ne!(key.session, other.session);
}

fn vault(ledger: &Ledger, id: u8, account: u32) -> Vault {
    Vault {
        id: VaultId([id; 16]),
        account,
        ..ledger.world.tenant.first_vault()
    }
}

fn put_vault(ledger: &mut Ledger, vault: Vault) -> Result<u64, strongroom_types::Refusal> {
    ledger.act(ActBody::Put(RegistryRecord::Vault(vault)), &[Who::Admin(0)])
}

#[test]
fn an_account_of_a_key_and_a_vault_id_belong_to_one_vault() {
    let mut ledger = ready();
    let same_account = vault(&ledger, 9, 0);
    assert_eq!(
        code(put_vault(&mut ledger, same_account)),
        Code::AlreadyExists
    );
    let same_id = Vault {
        id: ledger.world.tenant.vault,
        ..vault(&ledger, 9, 1)
    };
    assert_eq!(code(put_vault(&mut ledger, same_id)), Code::AlreadyExists);
    let new = vault(&ledger, 9, 1);
    put_vault(&mut ledger, new).unwrap();
}

#[test]
fn a_vault_needs_a_finished_key_that_is_in_force() {
    let (mut ledger, _, ceremony) = released();
    let first = ledger.world.tenant.first_vault();
    let unknown = Vault {
        key: KeyId([9; 16]),
        ..first.clone()
    };
    assert_eq!(code(put_vault(&mut ledger, unknown)), Code::UnknownKey);
    assert_eq!(
        code(put_vault(&mut ledger, first.clone())),
        Code::InvalidReference,
        "not finished"
    );
    ledger.push(ceremony.body(), ledger.now).unwrap();
    let mut revoked = ledger.clone();
    let who = ledger.committee();
    revoked.tighten(Tighten::revoke(first.key), &who).unwrap();
    assert_eq!(
        code(put_vault(&mut revoked, first.clone())),
        Code::InvalidReference,
        "revoked"
    );
    put_vault(&mut ledger, first).unwrap();
}

#[test]
fn every_suite_has_its_name_in_both_vocabularies() {
    let suites = [
        Suite::FrostSecp256k1Tr,
        Suite::FrostSecp256k1,
        Suite::FrostEd25519,
    ];
    let ids = [
        SuiteId::FrostSecp256k1Tr,
        SuiteId::FrostSecp256k1,
        SuiteId::FrostEd25519,
    ];
    assert_eq!(suites.map(SuiteId::from), ids);
}
