//! What the journal replica knows: status, checkpoint, proofs, tenants, vaults and addresses.

use super::book::Book;
use super::served;
use crate::fixture::{OPERATOR, OTHER, Request};

#[test]
fn status_and_journal_bodies_do_not_change() {
    let served = served();
    let mut book = Book::new(&served);
    let status = Request {
        method: "GET",
        path: "/v1/status",
        key: None,
        body: None,
    };
    book.ask("status needs no key", status);
    book.get("nothing is witnessed", "/v1/journal/checkpoint");
    book.get("not witnessed yet", "/v1/journal/entries/0/proof");

    served.witnessed(served.last());
    book.get("checkpoint", "/v1/journal/checkpoint");
    book.get("proof", "/v1/journal/entries/2/proof");
    book.get("no such entry", "/v1/journal/entries/99/proof");
    book.get("first page", "/v1/journal/entries?limit=1");
    book.get(
        "last entry: another tenant's leaf",
        &format!("/v1/journal/entries?from={}", served.size() - 1),
    );
    book.get("past the end", "/v1/journal/entries?from=99");
    book.compare("journal.txt");
}

#[test]
fn registry_bodies_do_not_change() {
    let served = served();
    let tenant = &served.journal.world.tenant;
    let (id, vault) = (tenant.id, tenant.vault);

    let mut book = Book::new(&served);
    book.get("tenant", &format!("/v1/tenants/{id}"));
    book.get_as("another tenant's key", OTHER, &format!("/v1/tenants/{id}"));
    book.get("not an id", "/v1/tenants/me");
    book.get("own vaults", "/v1/vaults");
    book.get_as(
        "vaults of a tenant",
        OPERATOR,
        &format!("/v1/vaults?tenant={id}"),
    );
    book.get_as("which tenant?", OPERATOR, "/v1/vaults");
    book.get_as(
        "not this key's tenant",
        OTHER,
        &format!("/v1/vaults?tenant={id}"),
    );
    book.get_as("no vaults", OTHER, "/v1/vaults");
    book.get(
        "address, not witnessed",
        &format!("/v1/vaults/{vault}/addresses/0-7"),
    );

    served.witnessed(served.last());
    book.get(
        "address with proof",
        &format!("/v1/vaults/{vault}/addresses/1-0"),
    );
    book.get("not a place", &format!("/v1/vaults/{vault}/addresses/7"));
    for place in ["0-49", "0-50", "1-50", "2-0"] {
        let path = format!("/v1/vaults/{vault}/addresses/{place}");
        book.get("only what is watched", &path);
    }
    book.get_as(
        "not this key's vault",
        OTHER,
        &format!("/v1/vaults/{vault}/addresses/0-7"),
    );
    book.compare("registry.txt");
}
