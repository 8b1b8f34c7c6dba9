use crate::fixture::{Journal, OPERATOR, OTHER, Served, TENANT, bus, database};
use std::sync::Arc;
use strongroom_api_types::KeyState;
use strongroom_client::ClientError;
use strongroom_client::proof::{EntryProof, Trust};
use strongroom_journal::Entry;
use strongroom_journal::state::Lookup as _;
use strongroom_ports::chain::{ChainCodec, OwnPath};
use strongroom_types::{Scope, TenantVault};
use strongroom_world::{START, World};

fn codec() -> Arc<dyn ChainCodec> {
    strongroom_chains::network("regtest").unwrap().unwrap()
}

fn proved(served: &Served, key: &str) -> Result<String, ClientError> {
    proved_of(served, key, &served.journal.world)
}

/// The same of the vault of this world's tenant under the first tenant's vault id.
fn proved_of(served: &Served, key: &str, world: &World) -> Result<String, ClientError> {
    let of = TenantVault {
        tenant: world.tenant.id,
        vault: served.journal.world.tenant.vault,
    };
    let client = served.client(key);
    let proved = client.proved_address(&world.genesis, codec().as_ref(), of, path(0));
    proved.map(|proved| proved.address)
}

fn path(change: u32) -> OwnPath {
    OwnPath { change, index: 7 }
}

#[test]
fn an_address_is_proved_over_http_once_it_is_witnessed() {
    let served = Served::new();
    served.all_batches();
    (1..=2).for_each(|signer| served.vouch(signer, &served.cosignature(signer, served.last(), 5)));
    let client = served.client(TENANT);
    let genesis = &served.journal.world.genesis;
    let of = TenantVault {
        tenant: served.journal.world.tenant.id,
        vault: served.journal.world.tenant.vault,
    };
    let unproved = client.address(of, path(0)).unwrap();
    assert!(unproved.proof.is_none(), "two of four are not a quorum");
    served.witnessed(served.last());
    let proved = client
        .proved_address(genesis, codec().as_ref(), of, path(0))
        .unwrap();
    assert_eq!(proved.address, unproved.address);
    assert_eq!(proved.registered.tenant, served.journal.world.tenant.id);
    assert_eq!(proved.registered.witnessed_at_s, START.0 / 1000);
    let other = client
        .proved_address(genesis, codec().as_ref(), of, path(1))
        .unwrap();
    assert_ne!(other.address, proved.address, "change is another branch");
}

#[test]
fn another_tenant_s_key_sees_no_address() {
    let served = Served::new();
    served.all_batches();
    served.witnessed(served.last());
    assert!(proved(&served, OPERATOR).is_ok());
    assert_eq!(
        proved(&served, OTHER).unwrap_err().code(),
        Some("unknown_vault")
    );
    assert_eq!(
        proved(&served, "stranger").unwrap_err().code(),
        Some("unauthenticated")
    );
}

/// Vault ids are unique per tenant: one tenant must not be able to hide another's vault.
#[test]
fn two_tenants_vaults_of_one_id_are_each_shown_to_their_own() {
    let served = Served::of(Journal::with_twin_vaults());
    served.all_batches();
    served.witnessed(served.last());
    let other = served.journal.world.for_tenant(1);
    let first = proved(&served, TENANT).unwrap();
    let second = proved_of(&served, OTHER, &other).unwrap();
    assert_ne!(first, second, "each tenant's vault has its own key");

    // A key that reaches both names the tenant.
    assert_eq!(proved(&served, OPERATOR).unwrap(), first);
    assert_eq!(proved_of(&served, OPERATOR, &other).unwrap(), second);
}

#[test]
fn no_address_is_shown_of_a_vault_whose_key_is_revoked() {
    let served = Served::of(Journal::with_revoked_key());
    served.all_batches();
    served.witnessed(served.last());
    let refused = proved(&served, TENANT).unwrap_err();
    assert_eq!(refused.code(), Some("key_revoked"));
}

#[test]
fn the_checkpoint_carries_its_cosignatures_and_older_ones_give_way() {
    let served = Served::new();
    let client = served.client(TENANT);
    assert_eq!(
        client.journal_checkpoint().unwrap_err().code(),
        Some("not_ready")
    );
    served.all_batches();
    assert_eq!(
        client.journal_checkpoint().unwrap_err().code(),
        Some("not_ready")
    );
    served.witnessed(1);
    let trust = Trust::new(&served.journal.world.genesis).unwrap();
    assert_eq!(
        trust
            .checkpoint(&client.journal_checkpoint().unwrap())
            .unwrap(),
        (2, START.0 / 1000)
    );
    served.witnessed(served.last());
    assert_eq!(
        trust
            .checkpoint(&client.journal_checkpoint().unwrap())
            .unwrap()
            .0,
        served.size()
    );
    // Cosigned again later: the newer times count.
    (1..=3).for_each(|signer| {
        served.vouch(
            signer,
            &served.cosignature(signer, served.last(), START.0 / 1000 + 15),
        );
    });
    let (_, at_s) = trust
        .checkpoint(&client.journal_checkpoint().unwrap())
        .unwrap();
    assert_eq!(at_s, START.0 / 1000 + 15);
}

#[test]
fn every_entry_has_a_proof_that_holds() {
    let served = Served::new();
    served.all_batches();
    served.witnessed(served.last());
    let (client, trust) = (
        served.client(OPERATOR),
        Trust::new(&served.journal.world.genesis).unwrap(),
    );
    let answer = client.journal_entries(0, 100).unwrap();
    assert_eq!(answer.data.len() as u64, served.size());
    for row in answer.data {
        let proof = EntryProof {
            sealed: row.sealed.unwrap().0,
            proof: client.journal_proof(row.seq).unwrap(),
        };
        assert_eq!(trust.entry(&proof).unwrap().entry.seq, row.seq);
    }
    assert_eq!(
        client.journal_proof(served.size()).unwrap_err().code(),
        Some("not_found")
    );
}

#[test]
fn a_tenant_sees_its_own_and_platform_entries_in_full_and_of_others_the_leaf() {
    let served = Served::new();
    served.all_batches();
    let count = |key: &str| {
        let answer = served.client(key).journal_entries(0, 100).unwrap();
        let full: Vec<u64> = answer
            .data
            .iter()
            .filter(|row| row.sealed.is_some())
            .map(|row| row.seq)
            .collect();
        assert!(answer.data.iter().all(|row| !row.leaf.0.is_empty()));
        full
    };
    let last = served.size() - 1;
    assert_eq!(count(OPERATOR), (0..=last).collect::<Vec<_>>());
    // Everything but the second tenant's charter, although that stands in the platform's scope.
    assert_eq!(count(TENANT), (0..last).collect::<Vec<_>>());
    let entries = &served.journal.ledger.entries;
    let platform = |entry: &&Entry| entry.scope == Scope::Platform && entry.seq > 1;
    let platform = entries.iter().filter(platform).map(|entry| entry.seq);
    let seen: Vec<u64> = [0].into_iter().chain(platform).collect();
    assert_eq!(count(OTHER), seen, "not the first tenant's charter");
}

#[test]
fn entries_come_in_pages() {
    let served = Served::new();
    served.all_batches();
    let client = served.client(OPERATOR);
    let (mut from, mut seen) = (0, Vec::new());
    loop {
        let page = client.journal_entries(from, 2).unwrap();
        seen.extend(page.data.iter().map(|row| row.seq));
        assert_eq!(page.has_more, page.next_cursor.is_some());
        let Some(next) = page.next_cursor else {
            break;
        };
        from = next.parse().unwrap();
    }
    assert_eq!(seen, (0..served.size()).collect::<Vec<_>>());
}

#[test]
fn records_that_prove_nothing_are_skipped() {
    let served = Served::new();
    let batches = &served.journal.log.batches;
    served.batch(&batches[0]);
    served.batch(&batches[2]);
    let mut unsigned = batches[1].clone();
    unsigned.note = batches[2].note.clone();
    served.batch(&unsigned);
    served.bus_garbage();
    served.all_batches();
    let mut forged = served.cosignature(1, served.last(), 5);
    forged.signature[0] ^= 1;
    served.vouch(1, &forged);
    // Signer 2's good cosignature in signer 3's name.
    served.vouch(3, &served.cosignature(2, served.last(), 5));
    served.vouch(2, &served.cosignature(2, served.last(), 5));
    let client = served.client(TENANT);
    assert_eq!(
        client.journal_checkpoint().unwrap_err().code(),
        Some("not_ready")
    );
    served.witnessed(served.last());
    assert!(proved(&served, TENANT).is_ok());
}

#[test]
fn the_mirror_goes_on_after_a_restart_a_new_bus_and_a_lost_database() {
    let (db, old) = (database(), bus(1));
    let first = Served::on(Arc::clone(&db), Arc::clone(&old));
    first.all_batches();
    first.witnessed(first.last());
    let address = proved(&first, TENANT).unwrap();
    drop(first);

    let restarted = Served::on(Arc::clone(&db), Arc::clone(&old));
    assert_eq!(
        proved(&restarted, TENANT).unwrap(),
        address,
        "from its tables"
    );
    drop(restarted);

    let renewed = Served::on(Arc::clone(&db), bus(2));
    renewed.all_batches();
    renewed.witnessed(renewed.last());
    assert_eq!(
        proved(&renewed, TENANT).unwrap(),
        address,
        "over a new bus with the same journal"
    );
    drop(renewed);

    let lost = Served::on(database(), old);
    assert_eq!(
        proved(&lost, TENANT).unwrap(),
        address,
        "refilled from the bus"
    );
}

/// By the witnessed time, as signers and the coordinator give it up.
#[test]
fn a_key_whose_ceremony_has_ended_is_shown_as_ended() {
    let served = Served::of(Journal::with_released_ceremony());
    served.all_batches();
    let tenant = served.journal.world.for_tenant(1).tenant;
    let state = || {
        let keys = served.client(OTHER).tenant(tenant.id).unwrap().keys;
        keys.first().map(|key| key.state)
    };
    let key = served
        .journal
        .ledger
        .state
        .threshold_key(tenant.id, tenant.key);
    let over = key.unwrap().until.plus(10_000);
    served.at(over);
    assert_eq!(state(), Some(KeyState::Generating), "by the clock alone");
    served.live_to(over);
    assert_eq!(state(), Some(KeyState::Ended));
}
