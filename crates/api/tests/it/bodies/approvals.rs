//! What waits for approvers, and their answers.

use super::book::Book;
use super::payments::path;
use super::served;
use crate::fixture::OPERATOR;
use strongroom_types::{Approval, Digest, Document as _, TransactionId};
use strongroom_wire::Decided;
use strongroom_world::Who;

#[test]
fn approval_bodies_do_not_change() {
    let served = served();
    let world = &served.journal.world;
    let mut book = Book::new(&served);
    book.get("nothing waits", "/v1/approvals");

    let intent = served.taken(150_000_000, "two of three");
    let core = served.journal.ledger.core(&intent);
    served.decided(&intent, Decided::Pending);
    let decide = format!(
        "/v1/approvals/{}/decisions",
        TransactionId::from(intent.digest())
    );
    let yes = |who| world.approve(who, &intent, &core, &[]);

    book.get("pending", &path(&intent));
    book.get("waits", "/v1/approvals");
    book.get_as("which tenant?", OPERATOR, "/v1/approvals");
    book.post("by a user of no group", &decide, &yes(Who::Clerk));
    book.post("by the initiator", &decide, &yes(Who::InitiatorKey));

    // Answers that do not count: another text, or approvals that do not exist.
    let other = served.journal.order(150_000_000, "another");
    let wrong = world.approve(Who::Approver(0), &other, &core, &[]);
    book.post("of another intent", &decide, &wrong);
    let unasked = world.approve(Who::Approver(2), &intent, &core, &[Digest([1; 32])]);

    let first = yes(Who::Approver(0));
    book.post("yes", &decide, &first);
    book.post("the same yes", &decide, &first);
    book.post("the same human", &decide, &yes(Who::ApproverProgram(0)));
    book.get("one has answered", "/v1/approvals");
    book.post("after approvals that do not exist", &decide, &unasked);

    let approval = Approval::digest_of(&first.text);
    book.post("not an id", "/v1/approvals/1/decisions", &first);
    book.post(
        "no such transaction",
        &format!("/v1/approvals/{approval}/decisions"),
        &first,
    );

    served.decided(&intent, Decided::Approved);
    book.post("not waiting", &decide, &yes(Who::Approver(1)));
    book.compare("approvals.txt");
}
