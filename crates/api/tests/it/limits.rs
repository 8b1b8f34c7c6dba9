//! Bounds of bodies and pages.

use crate::bodies::served;
use crate::fixture::{OPERATOR, Request, Served, TENANT};
use std::collections::BTreeSet;
use strongroom_journal::Body;
use strongroom_ports::bus::{BusError, Topic};
use strongroom_types::Document as _;
use strongroom_wire::{Decided, topics};
use strongroom_world::Who;

const BODY_BYTES_MAX: usize = 224 * 1024;

fn data(served: &Served, path: &str) -> Vec<serde_json::Value> {
    served.get(OPERATOR, path).json()["data"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn a_body_is_read_up_to_its_bound() {
    let served = Served::new();
    for (bytes, wanted) in [
        (BODY_BYTES_MAX, (400, "malformed")),
        (BODY_BYTES_MAX + 1, (413, "record_too_large")),
    ] {
        let answer = served.raw(&Request {
            method: "POST",
            path: "/v1/acts",
            key: Some(TENANT),
            body: Some(&"x".repeat(bytes)),
        });
        let (status, code) = answer.outcome();
        assert_eq!((status, code.as_str()), wanted, "{bytes}");
    }
}

/// All of one instant: only the id tells them apart.
#[test]
fn transactions_come_in_bounded_pages_each_once() {
    let served = served();
    (0..103).for_each(|n| drop(served.taken(500_000, &format!("order {n}"))));
    let tenant = served.journal.world.tenant.id;
    let list = format!("/v1/transactions?tenant={tenant}");
    assert_eq!(data(&served, &format!("{list}&limit=0")).len(), 1);
    assert_eq!(data(&served, &format!("{list}&limit=1000")).len(), 100);

    let (mut seen, mut path) = (Vec::new(), format!("{list}&limit=40"));
    loop {
        let page = served.get(OPERATOR, &path).json();
        let ids = page["data"].as_array().unwrap().iter();
        seen.extend(ids.map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{list}&limit=40&cursor={cursor}");
    }
    assert_eq!(seen.len(), 103);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 103);
}

#[test]
fn approvers_see_the_oldest_that_wait_up_to_a_page() {
    let served = served();
    for n in 0..66 {
        served.at(served.now().plus(n));
        let intent = served.taken(150_000_000, &format!("order {n}"));
        served.decided(&intent, Decided::Pending);
    }
    let tenant = served.journal.world.tenant.id;
    let waiting = data(&served, &format!("/v1/approvals?tenant={tenant}"));
    let names: Vec<_> = waiting
        .iter()
        .map(|row| row["transaction"]["external_id"].as_str().unwrap())
        .collect();
    let oldest: Vec<String> = (0..64).map(|n| format!("order {n}")).collect();
    assert_eq!(names, oldest);
}

#[test]
fn answers_are_shown_in_the_order_they_came() {
    let served = served();
    let intent = served.taken(150_000_000, "large");
    served.decided(&intent, Decided::Pending);
    let core = served.journal.ledger.core(&intent);
    let world = &served.journal.world;
    for (n, who) in [(1, 1), (2, 0), (3, 2)] {
        served.at(served.now().plus(n));
        let yes = world.approve(Who::Approver(who), &intent, &core, &[]);
        let decide = format!("/v1/approvals/{}/decisions", intent.digest());
        assert_eq!(served.post(TENANT, &decide, &yes).status, 202);
    }
    let waiting = data(&served, &format!("/v1/approvals?tenant={}", intent.tenant));
    let shown: Vec<_> = waiting[0]["answered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|answer| answer["approver"].as_str().unwrap().to_owned())
        .collect();
    let came = [1, 0, 2].map(|n| world.person(Who::Approver(n)).credential.id.to_string());
    assert_eq!(shown, came);
}

#[test]
fn entries_come_in_bounded_pages() {
    let mut served = Served::new();
    let now = served.now();
    let ordered = served.journal.log.order(now, &vec![Body::Tick; 300]);
    served.all_batches();
    assert!(!ordered.batches.is_empty());
    assert_eq!(data(&served, "/v1/journal/entries?limit=0").len(), 1);
    assert_eq!(data(&served, "/v1/journal/entries?limit=1000").len(), 256);
}

/// The row is the outbox; publishing at once saves the wait for it.
#[test]
fn what_a_client_submits_is_published_at_once() {
    let served = served();
    served.taken(500_000, "order");
    assert_eq!(served.records(topics::INTENT_SUBMITTED).len(), 1);
}

#[test]
fn a_bus_that_is_full_delays_a_submission_and_one_that_can_never_take_it_refuses() {
    let topic = Topic::new(topics::INTENT_SUBMITTED).unwrap();
    let too_large = BusError::TooLarge {
        topic,
        part: "payload",
        size: 2,
        max: 1,
    };
    for (why, status) in [(BusError::Full, 202), (too_large, 413)] {
        let served = Served::muted(why);
        served.at(served.now());
        let intent = served.journal.order(500_000, "order");
        let signed = served.journal.world.signed_intent(&intent);
        let answer = served.post(TENANT, "/v1/transactions", &signed);
        assert_eq!(answer.status, status);
    }
}
