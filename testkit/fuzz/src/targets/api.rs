//! JSON between clients and the API: bodies and queries of requests, and the answers, which a client
//! reads and believes nothing of.

use super::{Target, chosen, with_choice};
use serde::Serialize;
use serde::de::DeserializeOwned;
use strongroom_api_types::{
    ActInfo, AddressInfo, AddressQuery, EntriesQuery, EntryInfo, Page, PendingInfo, ProblemDetails,
    Receipt, SignedRequest, SignedText, StatusInfo, TenantInfo, TenantQuery, TimelineInfo,
    TransactionInfo, TransactionsQuery, UntilQuery, VaultInfo, WaitQuery,
};
use strongroom_client::check;
use strongroom_types::Signed;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "api_request",
            run: request,
            seeds: |_| vec![SIGNED.as_bytes().to_vec(), PASSKEY.as_bytes().to_vec()],
        },
        Target {
            name: "api_query",
            run: query,
            seeds: |_| seeds_of(QUERIES.iter().map(|(_, text)| *text)),
        },
        Target {
            name: "api_answer",
            run: answer,
            seeds: |_| seeds_of(ANSWERS.iter().map(|(_, text)| *text)),
        },
    ]
}

fn seeds_of<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Vec<u8>> {
    let numbered = texts.enumerate();
    numbered
        .map(|(number, text)| with_choice(number, text.as_bytes()))
        .collect()
}

const SIGNED: &str = concat!(
    r#"{"text":"{}","endorsements":[{"credential":"crd_00000000000000000000000000000001","#,
    r#""proof":{"algorithm":"ed25519","signature":""#,
    "0000000000000000000000000000000000000000000000000000000000000001",
    "0000000000000000000000000000000000000000000000000000000000000002",
    r#""}}]}"#
);
const PASSKEY: &str = concat!(
    r#"{"text":"{}","endorsements":[{"credential":"crd_00000000000000000000000000000001","#,
    r#""proof":{"algorithm":"webauthn","authenticator_data":""#,
    "00000000000000000000000000000000000000000000000000000000000000000500000001",
    r#"","client_data":"7b7d","signature":"3006020101020101"}}]}"#
);

/// Whatever is taken is one container, and that container is written as the same request.
fn request(data: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<SignedRequest>(data) else {
        return false;
    };
    let Ok(signed) = Signed::try_from(request.clone()) else {
        return false;
    };
    assert_eq!(
        SignedRequest::from(&signed),
        request,
        "two requests of one container"
    );
    true
}

/// Whether a query is read as `T`.
fn reads<T: DeserializeOwned>(query: &str) -> bool {
    serde_urlencoded::from_str::<T>(query).is_ok()
}

/// Whether a text is read.
type Reads<T> = fn(&T) -> bool;

/// Every query that an endpoint takes, with an example.
const QUERIES: &[(Reads<str>, &str)] = &[
    (
        reads::<TenantQuery>,
        "tenant=tnt_00000000000000000000000000000001",
    ),
    (
        reads::<TransactionsQuery>,
        "limit=100&cursor=1.tx_00000000000000000000000000000001",
    ),
    (reads::<WaitQuery>, "wait_ms=30000"),
    (reads::<AddressQuery>, "wait_ms=1"),
    (reads::<UntilQuery>, "until=signed&wait_ms=1"),
    (reads::<EntriesQuery>, "from=0&limit=256"),
];

/// A query that is taken is refused with a member that the server does not know: a client must never
/// believe in one that was not read.
fn query(data: &[u8]) -> bool {
    let Some(((reads, _), rest)) = chosen(QUERIES, data) else {
        return false;
    };
    let accepted = std::str::from_utf8(rest).ok().filter(|query| reads(query));
    let Some(query) = accepted else {
        return false;
    };
    assert!(
        !reads(&format!("{query}&no_such_member=1")),
        "an unknown member"
    );
    true
}

/// Whether an answer is read as `T`; the value must be written as an answer that is read as the same
/// value, since commands print it again.
fn shown<T: Serialize + DeserializeOwned + PartialEq>(text: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(text) else {
        return false;
    };
    let again = serde_json::to_vec(&value).unwrap_or_default();
    let again = serde_json::from_slice::<T>(&again).ok();
    assert!(again == Some(value), "an answer that does not read back");
    true
}

/// As [`shown`], and what a client recomputes from it.
fn recomputed(text: &[u8]) -> bool {
    if let Ok(info) = serde_json::from_slice::<TransactionInfo>(text)
        && let Ok(shown) = check::transaction(&info)
    {
        assert_eq!(shown.signed.text, info.intent.text, "another text");
    }
    shown::<TransactionInfo>(text)
}

fn signed_text(text: &[u8]) -> bool {
    if let Ok(text) = serde_json::from_slice::<SignedText>(text)
        && let Ok(signed) = check::signed(&text)
    {
        assert_eq!(
            SignedText::from(&signed),
            text,
            "two texts of one container"
        );
    }
    shown::<SignedText>(text)
}

/// Every answer that a client reads, with an example.
const ANSWERS: &[(Reads<[u8]>, &str)] = &[
    (recomputed, TRANSACTION),
    (signed_text, SIGNED),
    (shown::<Page<TransactionInfo>>, NO_ROWS),
    (shown::<Page<PendingInfo>>, NO_ROWS),
    (shown::<Page<VaultInfo>>, VAULTS),
    (shown::<Page<EntryInfo>>, ENTRIES),
    (shown::<TimelineInfo>, TIMELINE),
    (shown::<Receipt>, RECEIPT),
    (shown::<ActInfo>, ACT),
    (shown::<TenantInfo>, TENANT),
    (shown::<AddressInfo>, ADDRESS),
    (shown::<StatusInfo>, STATUS),
    (shown::<ProblemDetails>, PROBLEM),
];

const NO_ROWS: &str = r#"{"data":[],"has_more":false,"next_cursor":null}"#;
const RECEIPT: &str = r#"{"digest":"0000000000000000000000000000000000000000000000000000000000000001","state":"submitted"}"#;
const ACT: &str = r#"{"digest":"0000000000000000000000000000000000000000000000000000000000000001","reason":{"code":"conflict","detail":"taken"},"state":"in_force"}"#;
const PROBLEM: &str = r#"{"code":"conflict","detail":"taken","retryable":false,"status":409,"title":"conflict","type":"about:blank"}"#;
const TIMELINE: &str = r#"{"id":"tx_00000000000000000000000000000001","layers":[{"at_us":2,"budget_us":7000,"layer":"api","over_budget":false,"took_us":1}],"received_us":1,"total_us":1}"#;
const VAULTS: &str = r#"{"data":[{"account":0,"id":"vlt_00000000000000000000000000000001","key":"key_00000000000000000000000000000001","name":"Treasury","paused_until_ms":0,"tags":["cold"],"tenant":"tnt_00000000000000000000000000000001"}],"has_more":true,"next_cursor":"1"}"#;
const ENTRIES: &str = r#"{"data":[{"at_ms":1,"class":0,"leaf":"0200","sealed":null,"seq":0}],"has_more":false,"next_cursor":null}"#;
const TENANT: &str = r#"{"id":"tnt_00000000000000000000000000000001","keys":[{"epoch":1,"id":"key_00000000000000000000000000000001","min_signers":2,"roster":[1,2,3],"state":"active","suite":"frost-ed25519"}],"name":"Bank","paused_until_ms":0,"policy":{"digest":"0000000000000000000000000000000000000000000000000000000000000001","text":null},"stopped":false,"version":1}"#;
const ADDRESS: &str = r#"{"account":0,"address":"bcrt1q","branch":1,"chain":"bip122:0f9188f13cb7b2c71f2a335e3a4fc328","chain_code":"00","group_key":"02","index":7,"proof":{"key":{"proof":"","sealed":"00","seq":1},"registered_at_ms":1,"tenant":{"proof":"","sealed":"00","seq":2},"vault":{"proof":"","sealed":"00","seq":3}},"transcript":"0000000000000000000000000000000000000000000000000000000000000001","vault":"vlt_00000000000000000000000000000001"}"#;
const STATUS: &str = r#"{"genesis":"0000000000000000000000000000000000000000000000000000000000000001","genesis_words":["abandon"],"halted":null,"journal":{"faults":1,"fresh":5,"quorum":3,"size":5,"witnessed":5,"witnesses":4},"mode":"dev","now_ms":1,"platform":"plt_00000000000000000000000000000001"}"#;
const TRANSACTION: &str = r#"{"approvals":[],"changed_ms":2,"created_ms":1,"decision":{"digest":"0000000000000000000000000000000000000000000000000000000000000001","rule":"rest","text":"{}","tier":"auto"},"digest":"0000000000000000000000000000000000000000000000000000000000000001","expires_ms":9,"external_id":"order 1","id":"tx_00000000000000000000000000000001","intent":{"endorsements":[],"text":"{}"},"network_id":null,"reason":null,"refusals":[{"code":"malformed","detail":"","evidence":"0000000000000000000000000000000000000000000000000000000000000001","head":1,"request":"0000000000000000000000000000000000000000000000000000000000000001"}],"signed_transaction":"00ff","state":"signing","tenant":"tnt_00000000000000000000000000000001","vault":"vlt_00000000000000000000000000000001","version":3,"words":["abandon"]}"#;

/// An answer of a server that lies.
fn answer(data: &[u8]) -> bool {
    let chosen = chosen(ANSWERS, data);
    chosen.is_some_and(|((reads, _), rest)| reads(rest))
}
