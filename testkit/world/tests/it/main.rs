//! A world holds together and is the same every time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod gateway;
mod log;

use strongroom_journal::Mode;
use strongroom_journal::state::Lookup as _;
use strongroom_types::Code;
use strongroom_world::*;

#[test]
fn the_same_seed_gives_the_same_journal_and_another_seed_another() {
    let root = |seed| {
        Ledger::ready(World::new(seed, WorldOptions::default()))
            .state
            .root()
    };
    assert_eq!(root(1), root(1));
    assert_ne!(root(1), root(2));
}

#[test]
fn a_ready_ledger_has_a_finished_key_with_a_share_for_every_signer() {
    let (ledger, ceremony) = Ledger::ready_with_shares(World::new(3, WorldOptions::default()));
    let tenant = ledger.world.tenant.id;
    let key = ledger
        .state
        .threshold_key(tenant, ledger.world.tenant.key)
        .unwrap();
    assert_eq!(key.public.unwrap().group_key, ceremony.public.group_key);
    assert!(ceremony.shares.keys().eq([&1, &2, &3]));
    assert!(
        ledger
            .state
            .vault(tenant, ledger.world.tenant.vault)
            .is_ok()
    );
    assert_eq!(
        (ledger.world.genesis.mode, ledger.world.genesis.quorum),
        (Mode::Dev, 3)
    );
}

#[test]
fn each_tier_of_the_policy_asks_its_people() {
    let mut ledger = Ledger::ready(World::new(4, WorldOptions::default()));
    let asks = |ledger: &Ledger, amount| {
        let intent = ledger.world.intent(ledger.now, amount, FRIEND);
        ledger
            .decide(&intent)
            .unwrap()
            .groups
            .iter()
            .map(|need| need.approvals)
            .sum::<u32>()
    };
    assert_eq!(
        [AUTO_MAX, ONE_OF_N_MAX, ONE_OF_N_MAX + 1].map(|amount| asks(&ledger, amount)),
        [0, 1, 2]
    );
    for (amount, who) in [(AUTO_MAX, vec![]), (ONE_OF_N_MAX, vec![Who::Approver(1)])] {
        let intent = ledger.world.intent(ledger.now, amount, FRIEND);
        ledger.authorize(&intent, &who).unwrap();
    }
    let intent = ledger.world.intent(ledger.now, ONE_OF_N_MAX + 1, STRANGER);
    assert_eq!(
        ledger
            .authorize(&intent, &[Who::Approver(0)])
            .unwrap_err()
            .code,
        Code::ApprovalMissing
    );
    ledger
        .authorize(&intent, &[Who::Approver(0), Who::Approver(2)])
        .unwrap();
}

#[test]
fn two_tenants_of_one_installation_have_nothing_in_common() {
    let world = World::new(5, WorldOptions::default());
    let other = world.for_tenant(1);
    assert_ne!(world.tenant.id, other.tenant.id);
    assert_ne!(
        world.person(Who::Admin(0)).credential,
        other.person(Who::Admin(0)).credential
    );
    let mut ledger = Ledger::ready(world);
    ledger.world = other;
    ledger.create_tenant();
    assert_eq!(ledger.state.tenants().len(), 2);
}
