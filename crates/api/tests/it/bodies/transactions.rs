//! A transaction from receipt to its end, in lists, and its timeline.

use super::book::Book;
use super::payments::path;
use super::served;
use crate::fixture::{OTHER, signer_refusal};
use strongroom_types::{Code, Digest, Document as _};
use strongroom_wire::{Decided, Layer, Marks, TransactionState};

#[test]
fn transaction_bodies_do_not_change() {
    let served = served();
    let world = &served.journal.world;
    let mut book = Book::new(&served);

    // The intent is received, and then sent again: this creates one transaction.
    let intent = served.journal.order(500_000, "order a");
    let signed = world.signed_intent(&intent);
    book.post("create", "/v1/transactions", &signed);
    book.post("the same again", "/v1/transactions", &signed);
    book.get("received", &path(&intent));

    served.decided(&intent, Decided::Approved);
    book.get("approved", &path(&intent));
    served.changed(&intent, TransactionState::Signing);
    book.get("signing", &path(&intent));

    // Signed, with the time at which each layer had it.
    let mut signed_change = world.transaction_changed(&intent, TransactionState::Signed);
    signed_change.network_id = Some("ab".repeat(32));
    signed_change.signed = Some(vec![1, 2, 0xff]);
    served.at(served.now().plus(40));
    let start = served.now().0 * 1000;
    let marks = [
        (Layer::Received, 0),
        (Layer::Api, 900),
        (Layer::Policy, 1_900),
        (Layer::Transactions, 30_000),
        (Layer::Coordinator, 31_000),
    ];
    let marks = marks
        .into_iter()
        .fold(Marks::default(), |marks, (layer, us)| {
            marks.with(layer, start + us)
        });
    served.reports(&signed_change, marks);

    book.get("signed", &path(&intent));
    book.get(
        "waited for signed",
        &format!("{}?until=signed&wait_ms=5000", path(&intent)),
    );
    book.get(
        "by digest",
        &format!("/v1/transactions/{}", intent.digest()),
    );
    book.get("timeline", &format!("{}/timeline", path(&intent)));

    served.changed(&intent, TransactionState::Broadcasting);
    served.changed(&intent, TransactionState::Completed);
    book.get("completed", &path(&intent));

    // Others that are only received, for the list and for what one caller does not see.
    let other = served.taken(600_000, "order b");
    book.get(
        "timeline of a received one",
        &format!("{}/timeline", path(&other)),
    );
    book.get_as("not this key's", OTHER, &path(&other));
    served.at(served.now().plus(50));
    let third = served.taken(600_000, "order c");

    let first = book.get("first page", "/v1/transactions?limit=2");
    let cursor = first.split("\"next_cursor\":\"").nth(1).unwrap();
    let cursor = cursor.split('"').next().unwrap();
    book.get(
        "last page",
        &format!("/v1/transactions?limit=2&cursor={cursor}"),
    );

    book.get("not a cursor", "/v1/transactions?cursor=5");
    book.get("not a state", &format!("{}?until=done", path(&third)));
    book.get("not an id", "/v1/transactions/1");
    book.get(
        "no such transaction",
        &format!("/v1/transactions/{}", Digest([9; 32])),
    );
    book.compare("transactions.txt");
}

#[test]
fn bodies_of_transactions_that_end_do_not_change() {
    let served = served();
    let world = &served.journal.world;
    let mut book = Book::new(&served);

    let refused = |code: Code| Decided::Refused(code, code.meaning().to_owned());
    for (name, code) in [
        ("blocked", Code::PolicyBlocked),
        ("rejected", Code::IntentRejected),
        ("cancelled", Code::IntentCancelled),
        ("expired", Code::IntentExpired),
    ] {
        let intent = served.taken(500_000, name);
        served.decided(&intent, refused(code));
        book.get(name, &path(&intent));
    }

    let intent = served.taken(500_000, "failed");
    served.decided(&intent, Decided::Approved);
    let mut failed = world.transaction_changed(&intent, TransactionState::Failed);
    failed.reason = Some((Code::EffectsMismatch, "output 1".to_owned()));
    failed.refusals = vec![signer_refusal(&intent)];
    served.reports(&failed, Marks::default());
    book.get("failed with a signer's refusal", &path(&intent));

    let intent = served.taken(500_000, "no one decided");
    served.live_to(intent.expires.plus(10_000));
    served.step();
    book.get("expired before anyone decided", &path(&intent));
    book.compare("ended.txt");
}
