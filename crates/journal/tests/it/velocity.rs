//! Windows: sums at worst case over authorized intents, freed by age only.

use crate::{code, ready_under};
use std::cell::Cell;
use strongroom_journal::Body;
use strongroom_journal::apply::TenantView;
use strongroom_journal::state::{State, View};
use strongroom_policy::{PolicyView as _, VelocityScope, Window, WindowScope};
use strongroom_types::{
    ActBody, AttemptKind, Code, Document as _, Intent, Refusal, RegistryRecord, Tighten, Vault,
    VaultId,
};
use strongroom_world::{
    AuthorizationExt as _, FEE_MAX, FRIEND, Ledger, NATIVE, PolicyOptions, Who,
};

/// Amount and fee cap are together one million: two fit into the window.
const HALF: u64 = 1_000_000 - FEE_MAX;
const WINDOW_MS: u64 = 3_600_000;
const MINUTE_MS: u64 = 60_000;

fn window(scope: VelocityScope, amount: Option<u64>, count: Option<u64>) -> Window {
    let amount_lte = amount.map(Into::into);
    Window {
        scope,
        window_seconds: WINDOW_MS / 1000,
        amount_lte,
        count_lte: count,
    }
}

fn limited(window: Window) -> Ledger {
    ready_under(PolicyOptions {
        ceilings: vec![window],
        ..PolicyOptions::default()
    })
}

fn two_million() -> Ledger {
    limited(window(VelocityScope::Tenant, Some(2_000_000), None))
}

fn pay(ledger: &mut Ledger, amount: u64) -> Result<Intent, Refusal> {
    let intent = ledger.world.intent(ledger.now, amount, FRIEND);
    ledger.authorize(&intent, &[]).map(|_| intent)
}

fn bump(ledger: &mut Ledger, intent: &Intent) {
    let attempt =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(intent), AttemptKind::Bump, FEE_MAX);
    ledger.push(Body::from(attempt), ledger.now).unwrap();
}

#[test]
fn a_window_takes_its_limit_and_not_one_unit_more() {
    let mut ledger = two_million();
    pay(&mut ledger, HALF).unwrap();
    assert_eq!(
        code(pay(&mut ledger, HALF + 1)),
        Code::LimitExceeded,
        "amount and fee cap count"
    );
    pay(&mut ledger, HALF).unwrap();
    assert_eq!(code(pay(&mut ledger, 1)), Code::LimitExceeded);
}

#[test]
fn an_amount_leaves_its_window_by_age_and_not_before() {
    let mut ledger = two_million();
    pay(&mut ledger, HALF).unwrap();
    pay(&mut ledger, HALF).unwrap();
    let start = ledger.now;
    for (ms, fits) in [
        (WINDOW_MS - 1, false),
        (WINDOW_MS, false),
        (WINDOW_MS + MINUTE_MS, true),
    ] {
        ledger.now = start.plus(ms);
        assert_eq!(pay(&mut ledger, HALF).is_ok(), fits, "{ms}");
    }
}

#[test]
fn a_cancel_an_expiry_and_the_way_home_give_nothing_back() {
    let mut ledger = two_million();
    let intent = pay(&mut ledger, HALF).unwrap();
    pay(&mut ledger, HALF).unwrap();
    ledger
        .tighten(Tighten::Cancel(intent.digest()), &[Who::Initiator])
        .unwrap();
    assert_eq!(code(pay(&mut ledger, HALF)), Code::LimitExceeded);
    let home =
        ledger
            .world
            .next_attempt(&ledger.world.attempt(&intent), AttemptKind::Cancel, FEE_MAX);
    ledger.push(Body::from(home), ledger.now).unwrap();
    ledger.wait(WINDOW_MS - 1);
    assert_eq!(code(pay(&mut ledger, HALF)), Code::LimitExceeded);
}

#[test]
fn a_bump_does_not_count_twice() {
    let mut ledger = two_million();
    let intent = pay(&mut ledger, HALF).unwrap();
    bump(&mut ledger, &intent);
    pay(&mut ledger, HALF).unwrap();
    assert_eq!(code(pay(&mut ledger, 1)), Code::LimitExceeded);
    let mut counted = limited(window(VelocityScope::Tenant, None, Some(2)));
    let intent = pay(&mut counted, 1).unwrap();
    bump(&mut counted, &intent);
    pay(&mut counted, 1).unwrap();
    assert_eq!(code(pay(&mut counted, 1)), Code::LimitExceeded);
}

#[test]
fn a_bump_starts_the_age_again() {
    let mut ledger = two_million();
    let start = ledger.now;
    let intent = pay(&mut ledger, HALF).unwrap();
    ledger.now = start.plus(WINDOW_MS / 2);
    bump(&mut ledger, &intent);
    ledger.now = start.plus(WINDOW_MS + MINUTE_MS);
    pay(&mut ledger, HALF).unwrap();
    assert_eq!(
        code(pay(&mut ledger, 1)),
        Code::LimitExceeded,
        "the bumped one is half an hour old"
    );
    ledger.now = start.plus(WINDOW_MS / 2 + WINDOW_MS + MINUTE_MS);
    pay(&mut ledger, HALF).unwrap();
}

#[test]
fn of_two_requests_at_once_only_one_fits() {
    let mut ledger = limited(window(VelocityScope::Tenant, Some(1_500_000), None));
    let bodies: Vec<Body> = [1, 2]
        .map(|_| ledger.world.intent(ledger.now, HALF, FRIEND))
        .map(|intent| ledger.authorization(&intent, &[]).into_body())
        .to_vec();
    assert!(
        bodies
            .iter()
            .all(|body| ledger.refused(body.clone()).is_none()),
        "each of them alone does"
    );
    ledger.push(bodies[0].clone(), ledger.now).unwrap();
    assert_eq!(ledger.refused(bodies[1].clone()), Some(Code::LimitExceeded));
}

#[test]
fn a_refused_payment_counts_for_nothing() {
    let mut ledger = two_million();
    pay(&mut ledger, HALF).unwrap();
    for _ in 0..5 {
        assert_eq!(code(pay(&mut ledger, HALF + 1)), Code::LimitExceeded);
    }
    pay(&mut ledger, HALF).unwrap();
}

#[test]
fn each_scope_sums_its_own() {
    let second = VaultId([9; 16]);
    for (scope, other_vault_fits, other_human_fits) in [
        (VelocityScope::Tenant, false, false),
        (VelocityScope::Vault, true, false),
        (VelocityScope::Initiator, false, true),
    ] {
        let mut ledger = limited(window(scope, Some(1_000_000), None));
        let vault = Vault {
            id: second,
            account: 1,
            ..ledger.world.tenant.first_vault()
        };
        let boards = [ledger.admins(), ledger.committee()].concat();
        ledger
            .act_in_force(ActBody::Put(RegistryRecord::Vault(vault)), &boards)
            .unwrap();
        pay(&mut ledger, HALF).unwrap();
        let other_vault = ledger
            .world
            .intent_with(ledger.now, HALF, FRIEND, |i| i.vault = second);
        let by = |who| {
            let id = ledger.world.person(who).credential.id;
            ledger
                .world
                .intent_with(ledger.now, HALF, FRIEND, |i| i.initiator = id)
        };
        let fits = |intent: &Intent| {
            ledger
                .refused(ledger.authorization(intent, &[]).into_body())
                .is_none()
        };
        assert_eq!(fits(&other_vault), other_vault_fits, "{scope}");
        assert_eq!(fits(&by(Who::Clerk)), other_human_fits, "{scope}");
        assert!(
            !fits(&by(Who::InitiatorKey)),
            "{scope}: one human by two credentials is one"
        );
    }
}

#[test]
fn a_month_is_summed_as_exactly_as_an_hour() {
    let days = 31;
    let month = Window {
        window_seconds: days * 86_400,
        ..window(VelocityScope::Tenant, Some(2_000_000), None)
    };
    let mut ledger = limited(month);
    ledger.wait(12_345_678);
    let first = ledger.now;
    pay(&mut ledger, HALF).unwrap();
    ledger.wait(9 * 86_400_000 + 77_777);
    pay(&mut ledger, HALF).unwrap();
    ledger.now = first.plus(days * 86_400_000);
    assert_eq!(code(pay(&mut ledger, 1)), Code::LimitExceeded);
    ledger.now = first.plus(days * 86_400_000 + MINUTE_MS);
    pay(&mut ledger, HALF).unwrap();
    assert_eq!(code(pay(&mut ledger, 1)), Code::LimitExceeded);
}

#[test]
fn another_tenants_spending_is_not_counted_here() {
    let mut ledger = two_million();
    let home = ledger.world.clone();
    pay(&mut ledger, HALF).unwrap();
    ledger.world = home.for_tenant(1);
    ledger.create_tenant();
    ledger.make_key();
    let vault = ledger.world.tenant.first_vault();
    ledger
        .act_in_force(ActBody::Put(RegistryRecord::Vault(vault)), &[Who::Admin(0)])
        .unwrap();
    pay(&mut ledger, HALF).unwrap();
    pay(&mut ledger, HALF).unwrap();
    ledger.world = home;
    pay(&mut ledger, HALF).unwrap();
}

/// A state that counts how often it is read.
struct Counting<'a> {
    state: &'a State,
    reads: Cell<usize>,
}

impl View for Counting<'_> {
    fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.reads.set(self.reads.get() + 1);
        self.state.get(key)
    }
}

/// Writer and witnesses sum every window of a policy at each evaluation.
#[test]
fn a_window_of_a_month_is_summed_in_some_hundred_reads() {
    let mut ledger = two_million();
    pay(&mut ledger, HALF).unwrap();
    let (tenant, asset) = (ledger.world.tenant.id, NATIVE.parse().unwrap());
    let (hour_ms, month_ms) = (60 * MINUTE_MS, 31 * 24 * 60 * MINUTE_MS);
    let view = Counting {
        state: &ledger.state,
        reads: Cell::new(0),
    };

    // The window begins and ends in the middle of a day and of an hour.
    let at = ledger.now.plus(month_ms / 2 + hour_ms / 2);
    let spent = TenantView::new(&view, tenant).spent(WindowScope::Tenant, &asset, month_ms, at);
    let spent = spent.unwrap();
    assert_eq!((spent.amount, spent.count), ((HALF + FEE_MAX).into(), 1));
    assert!(view.reads.get() < 150, "{} reads", view.reads.get());
}
