//! Every answer of the API, byte by byte, in `tests/golden/*.txt`. `BLESS=1` writes the files
//! again.

use crate::fixture::{OPERATOR, OTHER, Request, Served, TENANT};
use std::fmt::Write as _;
use strongroom_types::{
    Act, ActBody, Answer, Approval, Code, Digest, Document as _, Intent, Signed, Tighten,
    TransactionId, UnixMs,
};
use strongroom_wire::{
    Decided, IntentDecided, Layer, Marks, Role, SignerRefusal, TransactionChanged,
    TransactionState, topics,
};
use strongroom_world::{FRIEND, STRANGER, Who};

/// Asks a served API and writes down what it answers.
struct Book<'a> {
    served: &'a Served,
    text: String,
}

impl<'a> Book<'a> {
    fn new(served: &'a Served) -> Self {
        Self {
            served,
            text: String::new(),
        }
    }

    fn ask(&mut self, what: &str, request: Request<'_>) -> String {
        let answer = self.served.raw(&request);
        let key = request.key.unwrap_or("no key");
        let none = "-".to_owned();
        write!(
            self.text,
            "# {what}\n> {} {} ({key})\n< {} {} {}\n{}\n\n",
            request.method,
            request.path,
            answer.status,
            answer.content_type.as_ref().unwrap_or(&none),
            answer.location.as_ref().unwrap_or(&none),
            answer.body,
        )
        .unwrap();
        answer.body
    }

    fn get_as(&mut self, what: &str, key: &str, path: &str) -> String {
        let request = Request {
            method: "GET",
            path,
            key: Some(key),
            body: None,
        };
        self.ask(what, request)
    }

    fn get(&mut self, what: &str, path: &str) -> String {
        self.get_as(what, TENANT, path)
    }

    fn post_text(&mut self, what: &str, path: &str, body: &str) -> String {
        let request = Request {
            method: "POST",
            path,
            key: Some(TENANT),
            body: Some(body),
        };
        self.ask(what, request)
    }

    fn post(&mut self, what: &str, path: &str, signed: &Signed) -> String {
        self.post_text(what, path, &signed.to_json().to_text())
    }

    fn compare(self, file: &str) {
        let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        if strongroom_golden::is_blessed() {
            std::fs::write(&path, &self.text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        for (kept, made) in kept.split("\n\n").zip(self.text.split("\n\n")) {
            assert_eq!(kept, made, "{file}");
        }
        assert_eq!(kept.len(), self.text.len(), "{file}");
    }
}

/// The first tenant's transfers and the records about them.
impl Served {
    fn now(&self) -> UnixMs {
        self.journal.ledger.now
    }

    fn transfer(&self, amount: u64, name: &str) -> Intent {
        let name = name.parse().unwrap();
        self.journal
            .world
            .intent_with(self.now(), amount, FRIEND, |intent| {
                intent.external_id = name
            })
    }

    /// A transfer that the API has taken.
    fn taken(&self, amount: u64, name: &str) -> (Intent, Signed) {
        let intent = self.transfer(amount, name);
        let signed = self.journal.world.signed_intent(&intent);
        let body = signed.to_json().to_text();
        let request = Request {
            method: "POST",
            path: "/v1/transactions",
            key: Some(TENANT),
            body: Some(&body),
        };
        assert_eq!(self.raw(&request).status, 202);
        (intent, signed)
    }

    fn decided(&self, intent: &Intent, decided: Decided) {
        let core = match &decided {
            Decided::Refused(Code::IntentExpired, _) => String::new(),
            Decided::Pending | Decided::Approved | Decided::Refused(..) => {
                self.journal.ledger.core(intent).to_text()
            }
        };
        let record = IntentDecided {
            intent: self.journal.world.signed_intent(intent),
            core,
            approvals: Vec::new(),
            decided,
        };
        self.says(Role::Approvals, topics::INTENT_DECIDED, &record);
    }

    fn changed(&self, change: TransactionChanged, marks: Marks) {
        self.says_with(
            Role::Transactions,
            topics::TRANSACTION_CHANGED,
            &change,
            marks,
        );
    }
}

fn change(intent: &Intent, state: TransactionState) -> TransactionChanged {
    TransactionChanged {
        intent: intent.digest(),
        state,
        reason: None,
        refusals: Vec::new(),
        network_id: None,
        signed: None,
        at: intent.created,
    }
}

fn path(intent: &Intent) -> String {
    format!("/v1/transactions/{}", TransactionId::from(intent.digest()))
}

fn served() -> Served {
    let served = Served::new();
    served.at(served.now());
    served.all_batches();
    served
}

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
    book.get_as(
        "not this key's vault",
        OTHER,
        &format!("/v1/vaults/{vault}/addresses/0-7"),
    );
    book.compare("registry.txt");
}

#[test]
fn transaction_bodies_do_not_change() {
    let served = served();
    let mut book = Book::new(&served);
    let intent = served.transfer(500_000, "order a");
    let signed = served.journal.world.signed_intent(&intent);
    book.post("create", "/v1/transactions", &signed);
    book.post("the same again", "/v1/transactions", &signed);
    book.get("received", &path(&intent));
    served.decided(&intent, Decided::Approved);
    book.get("approved", &path(&intent));
    served.changed(change(&intent, TransactionState::Signing), Marks::default());
    book.get("signing", &path(&intent));
    let mut signed_change = change(&intent, TransactionState::Signed);
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
    served.changed(signed_change, marks);
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
    served.changed(
        change(&intent, TransactionState::Broadcasting),
        Marks::default(),
    );
    served.changed(
        change(&intent, TransactionState::Completed),
        Marks::default(),
    );
    book.get("completed", &path(&intent));
    let (other, _) = served.taken(600_000, "order b");
    book.get(
        "timeline of a received one",
        &format!("{}/timeline", path(&other)),
    );
    book.get_as("not this key's", OTHER, &path(&other));
    served.at(served.now().plus(50));
    let (third, _) = served.taken(600_000, "order c");
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
    let mut book = Book::new(&served);
    let refused = |code: Code| Decided::Refused(code, code.meaning().to_owned());
    for (name, code) in [
        ("blocked", Code::PolicyBlocked),
        ("rejected", Code::IntentRejected),
        ("cancelled", Code::IntentCancelled),
        ("expired", Code::IntentExpired),
    ] {
        let (intent, _) = served.taken(500_000, name);
        served.decided(&intent, refused(code));
        book.get(name, &path(&intent));
    }
    let (intent, _) = served.taken(500_000, "failed");
    served.decided(&intent, Decided::Approved);
    let mut failed = change(&intent, TransactionState::Failed);
    failed.reason = Some((Code::EffectsMismatch, "output 1".to_owned()));
    failed.refusals = vec![SignerRefusal {
        session: strongroom_types::SessionId([1; 16]),
        request: Digest([2; 32]),
        code: Code::EffectsMismatch,
        detail: "output 1".to_owned(),
        evidence: Digest([3; 32]),
        head: 12,
        at: intent.created,
    }];
    served.changed(failed, Marks::default());
    book.get("failed with a signer's refusal", &path(&intent));
    let (intent, _) = served.taken(500_000, "nobody decided");
    served.at(intent.expires);
    served.step();
    book.get("expired before anyone decided", &path(&intent));
    book.compare("ended.txt");
}

#[test]
fn refusals_of_intents_do_not_change() {
    let served = served();
    let world = served.journal.world.clone();
    let now = served.now();
    let (taken, _) = served.taken(500_000, "order 1");
    let act = served.journal.ledger.signed_act(
        ActBody::Tighten(Tighten::Cancel(taken.digest())),
        &[Who::Admin(0)],
    );
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
    forged.endorsements[0].signature[0] ^= 1;
    book.post("forged", create, &forged);
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
        r#"{"text":"","endorsements":[{"credential":"me","signature":""}]}"#,
    );
    let text = format!(
        r#"{{"text":"","endorsements":[{{"credential":"crd_{}","signature":"00"}}]}}"#,
        "00".repeat(16)
    );
    book.post_text("not a signature", create, &text);
    book.post_text("too large", create, &"x".repeat(200_000));
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
fn approval_bodies_do_not_change() {
    let served = served();
    let world = &served.journal.world;
    let mut book = Book::new(&served);
    book.get("nothing waits", "/v1/approvals");
    let (intent, _) = served.taken(150_000_000, "two of three");
    let core = served.journal.ledger.core(&intent);
    served.decided(&intent, Decided::Pending);
    let decide = format!(
        "/v1/approvals/{}/decisions",
        TransactionId::from(intent.digest())
    );
    let yes = |who| world.approve(who, &intent, &core, Answer::Yes, &[]);
    book.get("pending", &path(&intent));
    book.get("waits", "/v1/approvals");
    book.get_as("which tenant?", OPERATOR, "/v1/approvals");
    book.post("by somebody who may not", &decide, &yes(Who::Clerk));
    book.post("by the initiator", &decide, &yes(Who::InitiatorKey));
    let other = served.transfer(150_000_000, "another");
    let wrong = world.approve(Who::Approver(0), &other, &core, Answer::Yes, &[]);
    book.post("of another intent", &decide, &wrong);
    let unasked = world.approve(
        Who::Approver(2),
        &intent,
        &core,
        Answer::Yes,
        &[Digest([1; 32])],
    );
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

#[test]
fn act_bodies_do_not_change() {
    let mut served = served();
    let (intent, _) = served.taken(500_000, "to be cancelled");
    let cancel = Tighten::Cancel(intent.digest());
    let act = served
        .journal
        .ledger
        .signed_act(ActBody::Tighten(cancel), &[Who::Admin(0)]);
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
    let text = book.text;
    served.in_force(&act);
    let mut book = Book {
        served: &served,
        text,
    };
    book.get("in force", &act_path);
    served.decided(&intent, Decided::Approved);
    served.changed(change(&intent, TransactionState::Signed), Marks::default());
    book.post("too late", &cancel_path, &act);
    book.compare("acts.txt");
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
