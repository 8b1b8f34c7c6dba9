//! A writer that back-dates its entries, or keeps the journal quiet.

use crate::cluster::Cluster;
use strongroom_journal::Body;
use strongroom_types::{AttemptKind, Code};
use strongroom_world::{ONE_OF_N_MAX, PolicyOptions, Who, WorldOptions};

#[test]
fn hole_time_lock_of_a_back_dated_payment_holds_at_every_signer() {
    let mut cluster = Cluster::ready_with(WorldOptions {
        policy: PolicyOptions {
            time_lock_seconds: 200,
            ..PolicyOptions::default()
        },
        ..WorldOptions::default()
    });

    // The writer holds a payment back and lets the journal be quiet: it is cosigned again and again.
    let mut payment = cluster.payment(ONE_OF_N_MAX + 1);
    let body = cluster.body(&payment, &[Who::Approver(0), Who::Approver(1)]);
    let stamp = cluster.now;
    cluster.quiet = true;
    (0..17).for_each(|_| cluster.wait(15_000));

    // Then it appends the payment with the old stamp, and a further attempt, which needs no
    // signature of anyone, with a young one.
    cluster.back_date(body, stamp);
    (payment.attempt.number, payment.attempt.kind) = (2, AttemptKind::Bump);
    cluster.order(Body::from(payment.attempt.clone())).unwrap();
    cluster.pump();
    let request = cluster.request(&payment, &[1, 2]);
    for index in [1, 2] {
        assert_eq!(cluster.ask(index, &request).code(), Code::TimeLocked);
    }

    // The lock begins when the witnesses have seen it.
    cluster.let_through(0);
    cluster.wait(15_000);
    let request = cluster.request(&payment, &[1, 2]);
    assert_eq!(cluster.ask(1, &request).code(), Code::TimeLocked);
    (0..13).for_each(|_| cluster.wait(15_000));
    cluster.quiet = false;
    cluster.wait(0);
    cluster.assert_signs(1, &payment);
}

#[test]
fn hole_journal_without_ticks_gets_no_share() {
    let mut cluster = Cluster::ready();
    let payment = cluster.authorized(300_000, &[]);
    cluster.quiet = true;
    (0..21).for_each(|_| cluster.wait(15_000));
    let request = cluster.request(&payment, &[1, 2]);
    assert!(cluster.ask(1, &request).is_nothing(), "stale");
    cluster.submit(Body::Tick).unwrap();
    cluster.assert_signs(1, &payment);
}
