//! Acts and cancels: offered, refused, in force.

use super::book::Book;
use super::payments::path;
use super::served;
use crate::fixture::OTHER;
use strongroom_types::{Act, ActBody, Code, Document as _, Tighten};
use strongroom_wire::{Decided, TransactionState};
use strongroom_world::Who;

#[test]
fn act_bodies_do_not_change() {
    let mut served = served();
    let intent = served.taken(500_000, "to be cancelled");
    let act = served.journal.cancel(&intent);
    let refused = served
        .journal
        .ledger
        .signed_act(ActBody::Tighten(Tighten::Stop), &[Who::Clerk]);
    let platform = served.journal.world.create_tenant(served.now());
    let act_path = format!("/v1/acts/{}", Act::digest_of(&act.text));
    let cancel_path = format!("{}/cancel", path(&intent));

    let mut book = Book::new(&served);
    book.get("not offered yet", &act_path);
    book.post("cancel", &cancel_path, &act);
    book.get("submitted", &act_path);
    book.get_as("another tenant's", OTHER, &act_path);
    book.post("not a cancel", &cancel_path, &refused);
    book.post("offered", "/v1/acts", &refused);
    book.post("the platform's", "/v1/acts", &platform);
    book.get("not a digest", "/v1/acts/1");

    served.result_of(
        &refused,
        Err((Code::QuorumMissing, "0 of 1 signatures".to_owned())),
    );
    book.get(
        "refused",
        &format!("/v1/acts/{}", Act::digest_of(&refused.text)),
    );

    let text = book.into_text();
    served.in_force(&act);
    let mut book = Book::go_on(&served, text);
    book.get("in force", &act_path);
    served.decided(&intent, Decided::Approved);
    served.changed(&intent, TransactionState::Signed);
    book.post("too late", &cancel_path, &act);
    book.compare("acts.txt");
}
