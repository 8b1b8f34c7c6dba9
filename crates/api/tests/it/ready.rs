//! Before the replica has a fresh witnessed head only the status answers.

use super::fixture::{Request, Served, TENANT, bus, database};
use strongroom_api::Ready;
use strongroom_world::{FRIEND, START};

fn get<'a>(path: &'a str, key: Option<&'a str>) -> Request<'a> {
    Request {
        method: "GET",
        path,
        key,
        body: None,
    }
}

#[test]
fn an_api_that_is_not_ready_answers_its_status_and_refuses_the_rest() {
    let ready = Ready::default();
    let served = Served::behind(ready.clone(), database(), bus(1));

    // The answer does not say whether a key is good or a path exists.
    for path in [
        "/v1/vaults",
        "/v1/transactions",
        "/v1/journal/checkpoint",
        "/nothing",
    ] {
        for key in [None, Some(TENANT)] {
            let answer = served.raw(&get(path, key));
            assert_eq!(answer.status, 503, "{path}");
            assert_eq!(
                answer.content_type.as_deref(),
                Some("application/problem+json"),
                "{path}"
            );
            assert!(
                answer.body.contains("\"code\":\"not_ready\""),
                "{path}: {}",
                answer.body
            );
            assert!(
                answer.body.contains("\"retryable\":true"),
                "{path}: {}",
                answer.body
            );
        }
    }
    assert_eq!(served.raw(&get("/v1/status", None)).status, 200);

    ready.set();
    assert_eq!(served.raw(&get("/v1/vaults", Some(TENANT))).status, 200);
    assert_eq!(served.raw(&get("/v1/vaults", None)).status, 401);
    assert_eq!(served.raw(&get("/nothing", None)).status, 404);
}

#[test]
fn an_intent_sent_too_early_is_refused_and_not_kept() {
    let ready = Ready::default();
    let served = Served::behind(ready.clone(), database(), bus(1));
    let world = &served.journal.world;
    let intent = world.signed_intent(&world.intent(START, 1_000, FRIEND));
    let client = served.client(TENANT);
    let refused = client.create_transaction(&intent).unwrap_err();
    assert_eq!(refused.code(), Some("not_ready"));

    ready.set();
    let listed = served.raw(&get("/v1/transactions", Some(TENANT)));
    assert!(listed.body.contains("\"data\":[]"), "{}", listed.body);
    client.create_transaction(&intent).unwrap();
}
