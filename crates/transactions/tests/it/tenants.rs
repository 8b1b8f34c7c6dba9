//! Two tenants whose vaults have one id: the signers of a vault's act choose it.

use crate::fixture::*;
use crate::quorum;
use std::sync::OnceLock;
use strongroom_ports::chain::OwnPath;
use strongroom_types::{ActBody, RegistryRecord};
use strongroom_wire::{Outcome, TransactionState};
use strongroom_world::{Ceremony, Ledger, Log, World, WorldOptions};

/// One of the two, with its key's shares.
struct Party {
    world: World,
    ceremony: Ceremony,
}

struct Twins {
    ledger: Ledger,
    parties: [Party; 2],
}

/// A journal of two tenants, each with a key of its own and a vault of the same id.
fn twins() -> &'static Twins {
    static TWINS: OnceLock<Twins> = OnceLock::new();
    TWINS.get_or_init(|| {
        let world = World::new(1, WorldOptions::default());
        let (mut ledger, ceremony) = Ledger::ready_with_shares(world);
        let home = ledger.world.clone();
        ledger.world = home.for_tenant(1);
        ledger.world.tenant.vault = home.tenant.vault;
        ledger.create_tenant();
        let twin = ledger.make_key();
        let vault = ActBody::Put(RegistryRecord::Vault(ledger.world.tenant.first_vault()));
        ledger.act_in_force(vault, &ledger.admins()).unwrap();
        let other = ledger.world.clone();
        ledger.wait(1_000);
        let parties = [
            Party {
                world: home,
                ceremony,
            },
            Party {
                world: other,
                ceremony: twin,
            },
        ];
        Twins { ledger, parties }
    })
}

/// A service of both tenants, and the two.
fn service() -> (Service, &'static [Party; 2]) {
    let Twins { ledger, parties } = twins();
    let journal = Log::of(ledger).shared(ledger.now);
    (Service::on(ledger.clone(), journal), parties)
}

impl Party {
    /// From now on the service's helpers mean this tenant.
    fn takes_over<'a>(&self, service: &'a mut Service) -> &'a mut Service {
        service.ledger.world = self.world.clone();
        service
    }

    /// Pays all of one coin away.
    fn pays(&self, service: &mut Service) -> Payment {
        let payment = self.takes_over(service).offered();
        let signatures = quorum::sign(&self.ceremony, &payment.request);
        let finished = Outcome::Signed(signatures);
        let record = service.mail().finished(&payment.request, finished);
        assert_eq!(service.send(&[record]).states(), [TransactionState::Signed]);
        payment
    }
}

/// Rows of coins.
const COINS: &str = "SELECT COUNT(*) FROM holding";

/// Its coins would be marked as used by a transaction that no key of theirs can sign, and the
/// vault would never pay again.
#[test]
fn hole_tenant_does_not_use_up_the_coins_of_a_vault_with_the_same_id() {
    for (owner, thief) in [(0, 1), (1, 0)] {
        let (mut service, parties) = service();
        parties[owner].takes_over(&mut service).fund(COIN);
        service.fund(COIN);
        service.wait(1_000);

        let intent = parties[thief].takes_over(&mut service).intent();
        service.approve(&intent);
        service.wait(1_000);
        let held = "SELECT COUNT(*) FROM reservation";
        assert_eq!(service.count(held), 0, "nothing of theirs is taken");

        parties[owner].pays(&mut service);
        parties[owner].pays(&mut service);
    }
}

/// Whichever is watched first must not hide the other's addresses.
#[test]
fn hole_deposits_of_both_vaults_with_one_id_are_seen() {
    let (mut service, parties) = service();
    for party in parties {
        party.takes_over(&mut service).fund(COIN);
        let change = OwnPath {
            change: 1,
            index: 7,
        };
        let address = service.address_at(change);
        service.gateway.fund(&address, COIN);
    }
    service.wait(1_000);
    assert_eq!(service.count(COINS), 4);

    // The same holds after a restart on lost tables.
    service.execute("DELETE FROM holding", &[]);
    service.execute("DELETE FROM change_index", &[]);
    service.restart();
    service.wait(1_000);
    assert_eq!(service.count(COINS), 4);
    for party in parties {
        party.pays(&mut service);
    }
    assert_eq!(service.count("SELECT COUNT(*) FROM change_index"), 2);
    assert_eq!(service.count("SELECT MAX(next) FROM change_index"), 1);
    for party in parties {
        party.pays(&mut service);
    }
}

#[test]
fn vaults_with_one_id_give_out_their_own_change_addresses() {
    let (mut service, parties) = service();
    for party in parties {
        party.takes_over(&mut service).fund(COIN);
    }
    service.wait(1_000);
    let [first, second] = parties.each_ref().map(|party| party.pays(&mut service));
    assert_ne!(first.request.key, second.request.key);
    assert_eq!(service.count("SELECT COUNT(*) FROM change_index"), 2);
    assert_eq!(service.count("SELECT MAX(next) FROM change_index"), 1);
}
