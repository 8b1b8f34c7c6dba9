//! The operator's own rules tighten, and free nothing.

use crate::cluster::Cluster;
use crate::coordinator::{Answer, Payment};
use strongroom_signer_core::LocalRules;
use strongroom_types::{
    Code, Document as _, Intent, TenantId, TenantVault, Tighten, UnixMs, VaultId,
};
use strongroom_world::{FRIEND, PolicyOptions, Who, WorldOptions};

/// Signer 1 gets rules; the others have none.
fn ruled(rules: LocalRules) -> Cluster {
    let mut cluster = Cluster::ready();
    rule(&mut cluster, rules);
    cluster
}

fn rule(cluster: &mut Cluster, rules: LocalRules) {
    let now = cluster.now;
    cluster.signer(1).rules = rules;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
}

fn asked(cluster: &mut Cluster, amount: u64) -> Option<Code> {
    let payment = cluster.authorized(amount, &[]);
    answer(cluster, &payment)
}

fn answer(cluster: &mut Cluster, payment: &Payment) -> Option<Code> {
    let request = cluster.request(payment, &[1, 2]);
    let others = cluster.ask(2, &request);
    assert_eq!(others.shares().len(), 1, "the others are not bound by it");
    match cluster.ask(1, &request) {
        Answer::Shares { .. } => None,
        refused => Some(refused.code()),
    }
}

#[test]
fn more_than_the_operators_amount_in_one_intent_is_refused() {
    let mut cluster = ruled(LocalRules {
        native_per_intent_max: Some(300_000.into()),
        ..LocalRules::default()
    });
    assert_eq!(asked(&mut cluster, 300_001), Some(Code::LocalRule));
    assert_eq!(asked(&mut cluster, 300_000), None);
}

#[test]
fn more_than_the_operators_amount_in_a_day_is_refused_until_it_is_over() {
    // Each payment counts its amount and the fee cap of 20 000.
    let mut cluster = ruled(LocalRules {
        native_per_day_max: Some(640_000.into()),
        ..LocalRules::default()
    });
    // This payment is counted although this signer had no part in it.
    cluster.authorized(300_000, &[]);
    assert_eq!(asked(&mut cluster, 300_000), None);
    assert_eq!(asked(&mut cluster, 1_000), Some(Code::LocalRule));
    wait_hours(&mut cluster, 25);
    assert_eq!(asked(&mut cluster, 300_000), None);
}

/// By its clock the payment is still to come: a window that ended there would not have it.
#[test]
fn a_clock_behind_the_journal_makes_the_operators_day_no_emptier() {
    // A payment counts its amount and the fee cap of 20 000.
    let mut cluster = ruled(LocalRules {
        native_per_day_max: Some(319_999.into()),
        ..LocalRules::default()
    });

    // Windows are counted in minutes. The payment is of the first second of one, and the signer's
    // clock is still in the minute before.
    let minute = cluster.now.0 / 60_000 + 1;
    cluster.now = UnixMs(minute * 60_000 + 500);
    let payment = cluster.authorized(300_000, &[]);
    cluster.now = UnixMs(cluster.now.0 - 1_000);
    assert_eq!(answer(&mut cluster, &payment), Some(Code::LocalRule));
}

/// Time passes, and the journal says so.
fn wait_hours(cluster: &mut Cluster, hours: u64) {
    for _ in 0..hours {
        cluster.now = cluster.now.plus(3_600_000 - 15_000);
        cluster.submit(strongroom_journal::Body::Tick).unwrap();
        cluster.wait(15_000);
    }
}

/// Coerced people choose the lock: what it holds for longer than a day leaves at its end all the
/// same, with all others whose locks end then.
#[test]
fn hole_payments_locked_for_longer_than_a_day_are_missing_from_the_operators_day() {
    const AMOUNT: u64 = 110_000_000;
    // Each payment counts with its fee cap.
    const EACH: u64 = AMOUNT + 20_000;
    const HOURS: u64 = 26;
    let mut cluster = Cluster::ready_with(WorldOptions {
        policy: PolicyOptions {
            time_lock_seconds: HOURS * 3_600,
            ..PolicyOptions::default()
        },
        tune: |bounds| bounds.intent_life_ms = 3 * 24 * 3_600_000,
        ..WorldOptions::default()
    });
    let payments = [(); 2].map(|()| {
        let number = u32::try_from(cluster.world.next()).unwrap();
        let change = |intent: &mut Intent| intent.expires = intent.created.plus(48 * 3_600_000);
        let intent = cluster
            .world
            .intent_with(cluster.now, AMOUNT, FRIEND, change);
        let built = cluster.build(FRIEND, AMOUNT, number);
        let payment = Payment {
            attempt: cluster.attempt_of(&intent, &built),
            intent,
            built,
        };
        cluster.authorize(&payment, &[Who::Approver(0), Who::Approver(1)]);
        payment
    });

    // Before it ends the lock takes nothing of the day.
    let in_a_day = |max: u64| LocalRules {
        native_per_day_max: Some(max.into()),
        ..LocalRules::default()
    };
    rule(&mut cluster, in_a_day(320_000));
    wait_hours(&mut cluster, HOURS - 1);
    assert_eq!(asked(&mut cluster, 300_000), None);

    wait_hours(&mut cluster, 1);
    let refused = Some(Code::LocalRule);
    let both = 2 * EACH + 320_000;
    for (max, expected) in [(EACH, refused), (both - 1, refused), (both, None)] {
        rule(&mut cluster, in_a_day(max));
        let answers = payments
            .each_ref()
            .map(|payment| answer(&mut cluster, payment));
        assert_eq!(answers, [expected; 2], "{max}");
    }
}

/// Its coins stay the vault's, and no window of the policy has its fee.
#[test]
fn hole_fee_of_a_cancel_is_above_the_operators_amounts() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.tighten(Tighten::Cancel(payment.intent.digest()));
    let home = cluster.way_home(&payment);
    cluster.submit(home.attempt.clone().into()).unwrap();

    let fee: u64 = home.attempt.fee_max.to_string().parse().unwrap();
    let in_one = |max: u64| LocalRules {
        native_per_intent_max: Some(max.into()),
        ..LocalRules::default()
    };
    // What the payment counts, its fee cap of 20 000 included, is still in the day.
    let in_a_day = |max: u64| LocalRules {
        native_per_day_max: Some((320_000 + max).into()),
        ..LocalRules::default()
    };
    let refused = Some(Code::LocalRule);
    for (rules, expected) in [
        (in_one(fee), None),
        (in_one(fee - 1), refused),
        (in_a_day(fee), None),
        (in_a_day(fee - 1), refused),
    ] {
        rule(&mut cluster, rules);
        assert_eq!(answer(&mut cluster, &home), expected);
    }
}

#[test]
fn vaults_and_chains_that_the_operator_does_not_name_are_refused() {
    let tenant = Cluster::new().world.tenant;
    let own = TenantVault {
        tenant: tenant.id,
        vault: tenant.vault,
    };
    let chain: strongroom_types::ChainId = strongroom_world::CHAIN.parse().unwrap();
    let mainnet: strongroom_types::ChainId =
        "bip122:000000000019d6689c085ae165831e93".parse().unwrap();
    let rules = |vault: TenantVault, chain: &strongroom_types::ChainId| LocalRules {
        vaults: Some(vec![vault]),
        chains: Some(vec![chain.clone()]),
        ..LocalRules::default()
    };
    let others = [
        TenantVault {
            vault: VaultId([5; 16]),
            ..own
        },
        // Ids of vaults are unique within a tenant only.
        TenantVault {
            tenant: TenantId([5; 16]),
            ..own
        },
    ];
    for other in others {
        let refused = asked(&mut ruled(rules(other, &chain)), 300_000);
        assert_eq!(refused, Some(Code::LocalRule), "{other}");
    }
    assert_eq!(
        asked(&mut ruled(rules(own, &mainnet)), 300_000),
        Some(Code::LocalRule)
    );
    assert_eq!(asked(&mut ruled(rules(own, &chain)), 300_000), None);
}
