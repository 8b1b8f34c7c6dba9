//! The bound of what waits, over every scope.

use crate::{LARGE, TWO, code, ready_with};
use strongroom_journal::Body;
use strongroom_journal::model::WAITING_MAX;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{ActBody, Code, Refusal, RegistryRecord, Tighten, User, UserId};
use strongroom_world::{FRIEND, Ledger, Who, World};

/// Locked payments of one tenant that may wait.
const TENANT_LOCKS_MAX: usize = WAITING_MAX / 8;
/// Tenants that may have so many at once.
const FULL: usize = 4;

/// A journal, and worlds that mean one tenant of it each: so many that may be full of locked payments,
/// and one more.
fn tenants() -> (Ledger, Vec<World>) {
    let mut ledger = ready_with(|options| options.policy.time_lock_seconds = 60);
    let home = ledger.world.clone();
    let mut worlds = vec![home.clone()];
    for n in 1..=FULL as u64 {
        ledger.world = home.for_tenant(n);
        ledger.create_tenant();
        ledger.make_key();
        let vault = ledger.world.tenant.first_vault();
        let admins = ledger.admins();
        ledger
            .act_in_force(ActBody::Put(RegistryRecord::Vault(vault)), &admins)
            .unwrap();
        worlds.push(ledger.world.clone());
    }
    (ledger, worlds)
}

fn lock(ledger: &mut Ledger) -> Result<u64, Refusal> {
    let intent = ledger.world.intent(ledger.now, LARGE, FRIEND);
    ledger.authorize(&intent, &TWO)
}

fn propose(ledger: &mut Ledger) -> Result<u64, Refusal> {
    let user = User {
        id: UserId([9; 16]),
        name: "Mallory".parse().unwrap(),
    };
    let put = ActBody::Put(RegistryRecord::User(user));
    ledger.act(put, &ledger.committee())
}

fn waiting(ledger: &Ledger) -> usize {
    ledger.state.waiting().unwrap().items.len()
}

#[test]
fn locked_payments_of_all_tenants_leave_half_of_the_room() {
    let (mut ledger, worlds) = tenants();
    let (last, full) = worlds.split_last().unwrap();
    for world in full {
        ledger.world = world.clone();
        for _ in 0..TENANT_LOCKS_MAX {
            lock(&mut ledger).unwrap();
        }
    }
    ledger.world = last.clone();
    assert_eq!(code(lock(&mut ledger)), Code::QuotaExceeded);
    propose(&mut ledger).unwrap();
}

/// Fills the room: locked payments, proposals of every tenant.
fn fill(ledger: &mut Ledger, worlds: &[World]) {
    let (last, full) = worlds.split_last().unwrap();
    for world in full {
        ledger.world = world.clone();
        for _ in 0..TENANT_LOCKS_MAX {
            lock(ledger).unwrap();
        }
    }
    for world in worlds.iter().cycle() {
        if waiting(ledger) == WAITING_MAX {
            break;
        }
        ledger.world = world.clone();
        propose(ledger).unwrap();
    }
    ledger.world = last.clone();
}

#[test]
fn at_the_bound_every_scope_is_refused_but_for_tightenings() {
    let (mut ledger, worlds) = tenants();
    fill(&mut ledger, &worlds);

    assert_eq!(code(propose(&mut ledger)), Code::QuotaExceeded);
    let vault = ActBody::Put(RegistryRecord::Vault(ledger.world.tenant.second_vault()));
    let admins = ledger.admins();
    assert_eq!(
        code(ledger.act(vault.clone(), &admins)),
        Code::QuotaExceeded
    );
    let created = ledger.world.for_tenant(99).create_tenant(ledger.now);
    let created = Body::Act(created);
    assert_eq!(ledger.refused(created.clone()), Some(Code::QuotaExceeded));
    ledger
        .platform_act(ActBody::Tighten(Tighten::Stop))
        .unwrap();
    assert_eq!(
        code(ledger.platform_act(ActBody::Resume)),
        Code::QuotaExceeded
    );
    let pause = Tighten::Pause {
        vault: None,
        until: ledger.now.plus(60_000),
    };
    ledger.tighten(pause, &[Who::Admin(0)]).unwrap();

    // The refused acts are taken after one `witnessed` entry, each of them.
    ledger.wait(2_000);
    ledger.witness();
    assert_eq!(waiting(&ledger), 0);
    ledger.platform_act(ActBody::Resume).unwrap();
    ledger.wait(2_000);
    ledger.witness();
    ledger.push(created, ledger.now).unwrap();
    propose(&mut ledger).unwrap();
    ledger.act_in_force(vault, &admins).unwrap();
    assert_eq!(waiting(&ledger), 0);
    ledger.wait(60_000);
    lock(&mut ledger).unwrap();
}
