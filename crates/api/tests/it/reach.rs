//! What a key reaches: another tenant's things do not exist for it.

use crate::bodies::payments::path;
use crate::bodies::served;
use crate::fixture::{OPERATOR, OTHER, Served, TENANT};
use strongroom_types::{Act, ActBody, Digest, Document as _, Intent, Scope, Signed, Tighten};
use strongroom_wire::{Decided, TransactionState, topics};
use strongroom_world::Who;

const NOT_FOUND: u16 = 404;

/// A transaction of the first tenant that waits for its approvers.
fn pending(served: &Served, name: &str) -> Intent {
    let intent = served.taken(150_000_000, name);
    served.decided(&intent, Decided::Pending);
    intent
}

fn cancel(served: &Served, intent: Digest) -> Signed {
    let body = ActBody::Tighten(Tighten::Cancel(intent));
    served.journal.ledger.signed_act(body, &[Who::Admin(0)])
}

fn ids(served: &Served, key: &str, path: &str) -> usize {
    served.get(key, path).json()["data"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn a_key_counts_only_as_a_bearer_key() {
    let served = Served::new();
    for (header, status) in [
        (format!("authorization: Bearer {TENANT}"), 200),
        (format!("authorization: Basic {TENANT}"), 401),
        (format!("authorization: {TENANT}"), 401),
        (format!("x-api-key: {TENANT}"), 401),
    ] {
        let head = "GET /v1/vaults HTTP/1.1\r\nhost: test\r\nconnection: close";
        let answer = served.exchange(&format!("{head}\r\n{header}\r\n\r\n"));
        assert_eq!(answer.status, status, "{header}");
    }
}

#[test]
fn lists_hold_what_is_the_tenants_own() {
    let served = served();
    pending(&served, "waits");
    served.taken(500_000, "received");
    let lists = ["/v1/transactions", "/v1/approvals"];
    assert_eq!(lists.map(|list| ids(&served, TENANT, list)), [2, 1]);
    assert_eq!(lists.map(|list| ids(&served, OTHER, list)), [0, 0]);
}

#[test]
fn another_tenants_act_is_not_taken() {
    let served = served();
    let act = cancel(&served, Digest([7; 32]));
    assert_eq!(served.post(OTHER, "/v1/acts", &act).status, NOT_FOUND);
    assert_eq!(served.count("SELECT count(*) FROM act"), 0);
    for key in [TENANT, OPERATOR] {
        assert_eq!(served.post(key, "/v1/acts", &act).status, 202, "{key}");
    }
}

#[test]
fn an_act_of_the_platform_is_shown_to_its_operators_only() {
    let served = served();
    let act = served.journal.world.create_tenant(served.now());
    assert_eq!(served.post(OPERATOR, "/v1/acts", &act).status, 202);
    let path = format!("/v1/acts/{}", Act::digest_of(&act.text));
    assert_eq!(served.get(OPERATOR, &path).status, 200);
    assert_eq!(served.get(TENANT, &path).status, NOT_FOUND);
}

#[test]
fn an_answer_to_another_tenants_transaction_is_not_taken() {
    let served = served();
    let intent = pending(&served, "waits");
    let core = served.journal.ledger.core(&intent);
    let world = &served.journal.world;
    let yes = world.approve(Who::Approver(0), &intent, &core, &[]);
    let decide = format!("/v1/approvals/{}/decisions", intent.digest());
    assert_eq!(served.post(OTHER, &decide, &yes).status, NOT_FOUND);
    assert_eq!(served.count("SELECT count(*) FROM answer"), 0);
    assert_eq!(served.post(TENANT, &decide, &yes).status, 202);
}

#[test]
fn a_cancel_is_taken_only_of_the_transaction_it_is_sent_to() {
    let served = served();
    let intent = pending(&served, "waits");
    let cancel_path = format!("{}/cancel", path(&intent));
    let other = pending(&served, "another");
    let of_other = cancel(&served, other.digest());
    assert_eq!(served.post(TENANT, &cancel_path, &of_other).status, 400);

    // The act is right but for its tenant, which is another one.
    let world = served.journal.world.for_tenant(1);
    let scope = Scope::Tenant(world.tenant.id);
    let body = ActBody::Tighten(Tighten::Cancel(intent.digest()));
    let foreign = world.sign(&world.act(served.now(), scope, body, 0), &[Who::Admin(0)]);
    assert_eq!(served.post(TENANT, &cancel_path, &foreign).status, 400);
    assert!(served.records(topics::JOURNAL_SUBMITTED).is_empty());

    let own = cancel(&served, intent.digest());
    assert_eq!(served.post(TENANT, &cancel_path, &own).status, 202);
}

/// A payment that is signed is beyond a cancel, and what the journal ended needs none. Any other end
/// is the word of a service: until the cancel is in the journal a hostile writer can open the
/// payment again, and its client could never sign another in its place.
#[test]
fn hole_payment_that_failed_can_be_cancelled() {
    let served = served();
    for state in TransactionState::ALL {
        let intent = served.taken(500_000, state.name());
        served.decided(&intent, Decided::Approved);
        served.changed(&intent, *state);
        let own = cancel(&served, intent.digest());
        let answer = served.post(TENANT, &format!("{}/cancel", path(&intent)), &own);

        let is_beyond = state.is_signed()
            || [TransactionState::Cancelled, TransactionState::Rejected].contains(state);
        if is_beyond {
            assert_eq!(answer.outcome().1, "too_late", "{state:?}");
        } else {
            assert_eq!(answer.status, 202, "{state:?}");
        }
    }
}
