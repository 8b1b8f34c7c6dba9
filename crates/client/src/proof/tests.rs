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
