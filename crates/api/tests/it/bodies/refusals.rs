//! What is refused before any service sees it: intents, and requests that are not ours.

use super::book::Book;
use super::served;
use crate::fixture::{Request, TENANT};
use strongroom_types::Intent;
use strongroom_world::{FRIEND, STRANGER, Who};

#[test]
fn refusals_of_intents_do_not_change() {
    let served = served();
    let world = served.journal.world.clone();
    let now = served.now();
    let taken = served.taken(500_000, "order 1");
    let act = served.journal.cancel(&taken);

    let body = |change: fn(&mut Intent)| {
        let intent = world.intent_with(now, 500_000, FRIEND, change);
        world.signed_intent(&intent)
    };

    let mut book = Book::new(&served);
    let create = "/v1/transactions";
    let platform = body(|i| i.platform = strongroom_types::PlatformId([7; 16]));
    book.post("another installation", create, &platform);
    let stranger = world.intent_with(now, 500_000, FRIEND, |i| {
        i.initiator = world.person(Who::Stranger).credential.id;
    });
    book.post("a stranger", create, &world.signed_intent(&stranger));
    let mut forged = body(|_| ());
    strongroom_world::forge(&mut forged.endorsements[0]);
    book.post("forged", create, &forged);

    // Texts whose times no clock of ours accepts.
    book.post("expired", create, &body(|i| i.expires = i.created));
    book.post(
        "from the future",
        create,
        &body(|i| {
            (i.created, i.expires) = (i.created.plus(600_000), i.expires.plus(600_000));
        }),
    );
    book.post(
        "too long-lived",
        create,
        &body(|i| i.expires = i.expires.plus(1 << 40)),
    );

    // Texts that name what the registry does not have.
    book.post(
        "no such vault",
        create,
        &body(|i| i.vault = strongroom_types::VaultId([7; 16])),
    );
    book.post(
        "no such chain",
        create,
        &body(|i| {
            i.chain = "eip155:1".parse().unwrap();
            let strongroom_types::IntentKind::Transfer(transfers) = &mut i.kind;
            transfers[0].asset = "eip155:1/slip44:60".parse().unwrap();
        }),
    );
    let address = world.intent(now, 500_000, "bcrt1qqq");
    book.post("not an address", create, &world.signed_intent(&address));
    book.post(
        "external id taken",
        create,
        &body(|i| {
            i.external_id = "order 1".parse().unwrap();
            i.fee_max = 1_000u64.into();
        }),
    );
    let other = strongroom_types::TenantId([7; 16]);
    let foreign = world.intent_with(now, 1, STRANGER, |i| i.tenant = other);
    book.post("another tenant", create, &world.signed_intent(&foreign));
    book.post("an act instead", create, &act);

    // Bodies that are not signed texts at all.
    book.post_text("not JSON", create, "{");
    book.post_text("no members", create, "{}");
    book.post_text(
        "unknown member",
        create,
        r#"{"text":"","endorsements":[],"note":""}"#,
    );
    book.post_text(
        "not a credential",
        create,
        r#"{"text":"","endorsements":[{"credential":"me","proof":{"algorithm":"p256","signature":""}}]}"#,
    );
    for (what, proof) in [
        (
            "not a signature",
            r#"{"algorithm":"ed25519","signature":"00"}"#,
        ),
        (
            "unknown algorithm",
            r#"{"algorithm":"rsa","signature":"00"}"#,
        ),
        (
            "no assertion",
            r#"{"algorithm":"webauthn","signature":"00"}"#,
        ),
        (
            "a member of another proof",
            r#"{"algorithm":"p256","client_data":"00","signature":"00"}"#,
        ),
    ] {
        let credential = format!("crd_{}", "00".repeat(16));
        let text = format!(
            r#"{{"text":"","endorsements":[{{"credential":"{credential}","proof":{proof}}}]}}"#
        );
        book.post_text(what, create, &text);
    }
    book.post_text("too large", create, &"x".repeat(230_000));
    book.compare("intents-refused.txt");
    assert!(
        served
            .journal
            .ledger
            .refused(strongroom_journal::Body::Act(act))
            .is_none()
    );
}

#[test]
fn transport_refusals_do_not_change() {
    let served = served();
    let mut book = Book::new(&served);
    let plain = Request {
        method: "GET",
        path: "/v1/vaults",
        key: None,
        body: None,
    };
    book.ask("no key", plain);
    book.get_as("wrong key", "guess", "/v1/vaults");
    book.get("no such path", "/v2/vaults");
    book.ask(
        "no such method",
        Request {
            method: "DELETE",
            key: Some(TENANT),
            ..plain
        },
    );

    book.get("unknown query member", "/v1/transactions?page=2");
    book.get("not a number", "/v1/transactions?limit=many");
    book.get("not a position", "/v1/journal/entries/last/proof");
    book.get("not a wait", "/v1/journal/entries/0/proof?wait_ms=-1");
    book.compare("transport.txt");
}
