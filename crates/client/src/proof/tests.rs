#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
use super::*;
use crate::fixture::Journal;
use std::sync::Arc;
use strongroom_ports::chain::OwnPath;
use strongroom_replica::TenantVaults;
use strongroom_tlog::{Checkpoint, Hash, NoteSigner, sign_note};

fn not_proved<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    match result {
        Err(ClientError::NotProved(what)) => what.to_string(),
        other => panic!("expected no proof, got {other:?}"),
    }
}

/// A vault of the journal's only tenant.
fn wanted(vault: VaultId) -> TenantVault {
    let tenant = Journal::get().world.tenant.id;
    TenantVault { tenant, vault }
}

/// Those who sign a vault's act choose its id: a server could prove another tenant's vault in place
/// of the caller's, and deposits would go there.
#[test]
fn hole_the_vault_of_another_tenant_under_the_same_id_is_not_proved() {
    let journal = Journal::get();
    let trust = Trust::new(&journal.world.genesis).unwrap();
    let mine = wanted(journal.world.tenant.vault);
    let proof = journal.vault_proof();
    assert!(vault(&trust, mine, &proof).is_ok());

    let other = TenantVault {
        tenant: journal.world.for_tenant(1).tenant.id,
        ..mine
    };
    assert!(not_proved(vault(&trust, other, &proof)).contains("is about"));
}

#[test]
fn a_vault_is_proved_from_genesis_and_its_address_is_the_journal_s_own() {
    let journal = Journal::get();
    let genesis = &journal.world.genesis;
    let trust = Trust::new(genesis).unwrap();
    let registered = vault(
        &trust,
        wanted(journal.world.tenant.vault),
        &journal.vault_proof(),
    )
    .unwrap();
    assert_eq!(registered.tenant, journal.world.tenant.id);
    assert_eq!(registered.tenant_name.as_str(), "Example Bank");
    let mut follower = strongroom_journal::follower::Follower::new(Arc::clone(genesis)).unwrap();
    journal
        .batches
        .iter()
        .for_each(|batch| drop(follower.append(batch).unwrap()));
    let own = TenantVaults::new(follower.state(), registered.tenant)
        .vault_key(registered.vault.id)
        .unwrap();
    assert_eq!(own, registered.key);
    let path = OwnPath {
        change: 0,
        index: 0,
    };
    assert!(
        journal
            .codec
            .derive_address(&registered.key, path)
            .unwrap()
            .starts_with("bcrt1p")
    );
    assert_eq!(
        ProvedVaults(vec![registered.clone()]).vault_key(registered.vault.id),
        Some(own)
    );
}

#[test]
fn one_witness_too_few_proves_nothing() {
    let journal = Journal::get();
    let trust = Trust::new(&journal.world.genesis).unwrap();
    assert!(trust.entry(&journal.proof(1, 3)).is_ok());
    assert!(not_proved(trust.entry(&journal.proof(1, 2))).contains("witnesses"));
}

#[test]
fn a_checkpoint_is_believed_from_a_quorum_of_witnesses_only() {
    let journal = Journal::get();
    let trust = Trust::new(&journal.world.genesis).unwrap();
    let read = |witnesses| trust.checkpoint(&journal.checkpoint(witnesses).to_text());
    assert_eq!(read(3).unwrap().0, journal.entries.len() as u64);
    for too_few in 0..3 {
        assert!(not_proved(read(too_few)).contains("too few witnesses"));
    }
}

/// One key may sign for several logs.
#[test]
fn a_checkpoint_of_another_log_under_the_same_keys_is_not_believed() {
    let journal = Journal::get();
    let genesis = &journal.world.genesis;
    let trust = Trust::new(genesis).unwrap();
    let key = NoteSigner::new(&genesis.origin, &journal.world.log_key.to_bytes()).unwrap();
    let read = |origin: &str| {
        let checkpoint = Checkpoint::with_state(origin, 9, Hash([7; 32]), Hash([8; 32]));
        let note = sign_note(&checkpoint.unwrap().to_body(), &key).unwrap();
        trust.checkpoint(&journal.cosigned_note(&note, 4).to_text())
    };
    assert_eq!(read(&genesis.origin).unwrap().0, 9);
    let other = not_proved(read("strongroom.example/another"));
    assert!(other.contains("another log"), "{other}");
}

#[test]
fn another_genesis_proves_nothing() {
    let journal = Journal::get();
    let other = Journal::of(2);
    let trust = Trust::new(&other.world.genesis).unwrap();
    not_proved(trust.entry(&journal.proof(1, 4)));
    not_proved(vault(
        &trust,
        wanted(journal.world.tenant.vault),
        &journal.vault_proof(),
    ));
}

#[test]
fn a_proof_with_any_changed_character_is_refused() {
    let journal = Journal::get();
    let trust = Trust::new(&journal.world.genesis).unwrap();
    let good = journal.proof(2, 3);
    assert!(trust.entry(&good).is_ok());
    for at in (0..good.proof.len())
        .filter(|at| good.proof.is_char_boundary(*at))
        .step_by(7)
    {
        let Some(old) = good.proof[at..].chars().next().filter(char::is_ascii) else {
            continue;
        };
        let new = if old == 'A' { 'B' } else { 'A' };
        let mut text = good.proof.clone();
        text.replace_range(at..at + 1, &new.to_string());
        let bad = EntryProof {
            proof: text,
            ..good.clone()
        };
        assert!(trust.entry(&bad).is_err(), "character {at}");
    }
}

#[test]
fn a_changed_entry_is_refused() {
    let journal = Journal::get();
    let trust = Trust::new(&journal.world.genesis).unwrap();
    let good = journal.proof(2, 4);
    for at in (0..good.sealed.len()).step_by(31) {
        let mut sealed = good.sealed.clone();
        sealed[at] ^= 1;
        assert!(
            trust
                .entry(&EntryProof {
                    sealed,
                    ..good.clone()
                })
                .is_err(),
            "byte {at}"
        );
    }
    let other = EntryProof {
        sealed: journal.proof(3, 4).sealed,
        ..good
    };
    assert!(not_proved(trust.entry(&other)).contains("index"));
}

#[test]
fn parts_in_each_other_s_place_prove_nothing() {
    let journal = Journal::get();
    let trust = Trust::new(&journal.world.genesis).unwrap();
    let first = wanted(journal.world.tenant.vault);
    let good = journal.vault_proof();
    for bad in [
        VaultProof {
            tenant: good.vault.clone(),
            ..good.clone()
        },
        VaultProof {
            key: good.vault.clone(),
            ..good.clone()
        },
        VaultProof {
            vault: good.tenant.clone(),
            ..good.clone()
        },
        VaultProof {
            vault: good.key.clone(),
            ..good.clone()
        },
    ] {
        not_proved(vault(&trust, first, &bad));
    }
    assert!(not_proved(vault(&trust, wanted(VaultId([9; 16])), &good)).contains("is about"));
    // An honest proof of the second vault is of the second vault only.
    let second = journal.act(
        |body| matches!(body, ActBody::Put(RegistryRecord::Vault(found)) if found.id == VaultId([9; 16])),
    );
    let second = VaultProof {
        vault: journal.proof(second, 4),
        ..good
    };
    assert_eq!(
        vault(&trust, wanted(VaultId([9; 16])), &second)
            .unwrap()
            .key
            .account,
        1
    );
    not_proved(vault(&trust, first, &second));
}

/// Hostile witnesses would have to vouch for these: the chain of people's and signers' signatures
/// is checked besides.
mod chain {
    use super::*;
    use strongroom_types::credential::PublicKey;
    use strongroom_types::{Document as _, PlatformId, SigningCredential};
    use strongroom_world::{Ledger, Who};

    fn entry(journal: &Journal, seq: u64) -> Entry {
        journal.entries[usize::try_from(seq).unwrap()].1.clone()
    }

    fn created(journal: &Journal) -> Entry {
        entry(
            journal,
            journal.act(|body| matches!(body, ActBody::CreateTenant { .. })),
        )
    }

    fn strip(entry: &Entry, keep: impl Fn(CredentialId) -> bool) -> Entry {
        let mut entry = entry.clone();
        let Body::Act(signed) = &mut entry.body else {
            panic!("an act")
        };
        signed
            .endorsements
            .retain(|endorsement| keep(endorsement.credential));
        entry
    }

    #[test]
    fn a_charter_needs_the_platform_s_quorum_and_every_admin() {
        let journal = Journal::get();
        let genesis = &journal.world.genesis;
        let good = created(&journal);
        let (_, found) = charter(genesis, &good).unwrap();
        let platform = genesis.admin_credentials[0].id;
        not_proved(charter(genesis, &strip(&good, |id| id != platform)));
        for admin in &found.admins.members {
            let is_theirs = |c: &&Credential| c.user == Some(*admin);
            let theirs = found.credentials.iter().find(is_theirs).unwrap().id;
            not_proved(charter(genesis, &strip(&good, |id| id != theirs)));
        }
    }

    #[test]
    fn a_vault_needs_its_admins_quorum() {
        let journal = Journal::get();
        let genesis = &journal.world.genesis;
        let (tenant, charter) = charter(genesis, &created(&journal)).unwrap();
        let seq = journal.act(|body| matches!(body, ActBody::Put(RegistryRecord::Vault(_))));
        let good = entry(&journal, seq);
        assert!(vault_record(genesis, &good, tenant, &charter).is_ok());
        let mut forged = good.clone();
        let Body::Act(signed) = &mut forged.body else {
            panic!("an act")
        };
        signed
            .endorsements
            .iter_mut()
            .for_each(strongroom_world::forge);
        not_proved(vault_record(genesis, &forged, tenant, &charter));
        not_proved(vault_record(genesis, &good, TenantId([7; 16]), &charter));
    }

    /// The act that registers the journal's first vault, as `who` signs it.
    fn registers(journal: &Journal, platform: PlatformId, who: &[Who]) -> Entry {
        let world = &journal.world;
        let seq = journal.act(|body| matches!(body, ActBody::Put(RegistryRecord::Vault(_))));
        let mut entry = entry(journal, seq);
        let body = ActBody::Put(RegistryRecord::Vault(world.tenant.first_vault()));
        let act = Act {
            platform,
            ..world.act(entry.at, entry.scope, body, 1)
        };
        entry.body = Body::Act(world.sign(&act, who));
        entry
    }

    #[test]
    fn only_members_of_the_board_sign_for_it() {
        let journal = Journal::get();
        let genesis = &journal.world.genesis;
        let (tenant, charter) = charter(genesis, &created(&journal)).unwrap();
        let by = |who| {
            let entry = registers(&journal, genesis.platform, &[who]);
            vault_record(genesis, &entry, tenant, &charter)
        };
        assert!(by(Who::Admin(0)).is_ok());
        for other in [Who::Approver(0), Who::Committee(0), Who::InitiatorKey] {
            assert!(not_proved(by(other)).contains("0 of 1 signatures"));
        }
    }

    /// People may hold one key for several installations.
    #[test]
    fn what_was_signed_for_another_installation_proves_nothing_here() {
        let journal = Journal::get();
        let genesis = &journal.world.genesis;
        let (tenant, charter) = charter(genesis, &created(&journal)).unwrap();
        let elsewhere = registers(&journal, PlatformId([7; 16]), &[Who::Admin(0)]);
        let refused = vault_record(genesis, &elsewhere, tenant, &charter);
        assert!(not_proved(refused).contains("another installation"));
    }

    #[test]
    fn one_human_with_two_credentials_is_one_signature_of_the_board() {
        let world = Journal::get().world;
        let admin = world.person(Who::Admin(0));
        let further = SigningCredential::new(CredentialId([7; 16]), &[7; 32]);
        let second = Credential {
            id: further.id,
            key: PublicKey::Ed25519(further.public_key()),
            ..admin.credential.clone()
        };
        let other = world.person(Who::Admin(1));
        let board = world.tenant.board(&[Who::Admin(0), Who::Admin(1)], 2);
        let credentials = [admin.credential.clone(), second, other.credential.clone()];

        let body = ActBody::Put(RegistryRecord::Vault(world.tenant.first_vault()));
        let act = world.act(strongroom_world::START, world.scope(), body, 1);
        let signed_by = |who: &[&SigningCredential]| {
            let mut signed = Signed::draft(&act);
            who.iter().for_each(|who| signed.endorse::<Act>(who));
            quorum(&signed, &act.digest(), &board, &credentials)
        };
        assert!(signed_by(&[&admin.signing(), &other.signing()]).is_ok());
        let twice = not_proved(signed_by(&[&admin.signing(), &further]));
        assert!(twice.contains("1 of 2 signatures"), "{twice}");
    }

    /// Hostile witnesses let it stand under this tenant's vault: deposits would go to the other
    /// tenant.
    #[test]
    fn the_certified_key_of_another_tenant_is_not_proved_under_a_vault() {
        let journal = Journal::get();
        let genesis = &journal.world.genesis;
        let (tenant, _) = charter(genesis, &created(&journal)).unwrap();
        let vault = journal.world.tenant.first_vault();
        let theirs = Ledger::ready_with_shares(journal.world.for_tenant(1)).1;
        let mut entry = entry(
            &journal,
            journal.find(|body| matches!(body, Body::Finished(_))),
        );
        let finished = Finished {
            key: vault.key,
            ..theirs.finished
        };
        entry.body = Body::Finished(Box::new(finished));
        let refused = group_key(genesis, &entry, tenant, &vault);
        assert!(not_proved(refused).contains("another name"));
    }

    #[test]
    fn a_key_needs_the_certificate_of_every_signer() {
        let journal = Journal::get();
        let genesis = &journal.world.genesis;
        let (tenant, _) = charter(genesis, &created(&journal)).unwrap();
        let vault = journal.world.tenant.first_vault();
        let good = entry(
            &journal,
            journal.find(|body| matches!(body, Body::Finished(_))),
        );
        assert!(group_key(genesis, &good, tenant, &vault).is_ok());
        let change = |change: &dyn Fn(&mut Finished)| {
            let mut entry = good.clone();
            let Body::Finished(finished) = &mut entry.body else {
                panic!("a ceremony")
            };
            change(finished);
            group_key(genesis, &entry, tenant, &vault)
        };
        not_proved(change(&|finished| finished.certificates.truncate(2)));
        not_proved(change(&|finished| finished.certificates[1].1[5] ^= 1));
        not_proved(change(&|finished| {
            finished.certificates[2] = (9, finished.certificates[2].1)
        }));
        not_proved(change(&|finished| finished.transcript.0[0] ^= 1));
        let other = strongroom_types::KeyId([1; 16]);
        not_proved(group_key(
            genesis,
            &good,
            tenant,
            &Vault {
                key: other,
                ..vault.clone()
            },
        ));
        not_proved(group_key(genesis, &good, TenantId([7; 16]), &vault));
    }
}
