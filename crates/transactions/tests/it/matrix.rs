//! Every record that the service consumes, delivered in every way.

use crate::entries::{authorization_on, tighter_policy};
use crate::fixture::*;
use std::sync::Arc;
use strongroom_journal::Body;
use strongroom_matrix::{Case, Fixture, Matrix, Published, every};
use strongroom_ports::bus::Record;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::message_id;
use strongroom_transactions::TransactionsStage;
use strongroom_types::{Code, Intent, UnixMs};
use strongroom_wire::{Decided, Outcome, Role, TransactionChanged, topics};
use strongroom_world::{Gateway, Ledger, Log, World};

struct Transactions {
    ledger: Ledger,
    journal: Arc<SharedFollower>,
    gateway: Gateway,
    now: UnixMs,
}

impl Transactions {
    fn new() -> Self {
        let mut ledger = ready().0.clone();
        ledger.wait(1_000);
        let journal = Log::of(&ledger).shared(ledger.now);
        let gateway = Gateway::new();
        let service = Service::new();
        for _ in 0..2 {
            gateway.fund(&service.address(0), COIN);
        }
        Self {
            now: ledger.now,
            ledger,
            journal,
            gateway,
        }
    }

    /// The one order of this matrix.
    fn intent(&self) -> Intent {
        self.order("order")
    }

    fn order(&self, name: &str) -> Intent {
        self.ledger.world.order(self.now, AMOUNT, name)
    }

    /// The service's replica shows one entry more, witnessed.
    fn journal_takes(&self, body: Body) {
        let mut ledger = self.ledger.clone();
        ledger.push(body, self.now).unwrap();
        let log = Log::of(&ledger);
        let size = self.journal.read(|f| f.size());
        self.journal.write(|f| {
            for batch in log.batches.iter().filter(|batch| batch.first_seq >= size) {
                f.append(batch).unwrap();
            }
        });
        ledger.world.witness_tip(&self.journal, self.now);
    }

    fn mail(&self) -> Mail<'_> {
        Mail {
            ledger: &self.ledger,
            now: self.now,
            tag: 0,
        }
    }

    fn decided(&self, decided: Decided) -> Record {
        self.mail().decided(&self.intent(), decided)
    }

    fn payment(&self, published: &Published) -> Payment {
        Payment {
            intent: self.intent(),
            submitted: published.payloads(topics::JOURNAL_SUBMITTED).remove(0),
            request: published.payloads(topics::SIGNING_REQUESTED).remove(0),
        }
    }

    fn answer(&self, published: &Published, result: Result<u64, Code>) -> Record {
        self.mail().answer(&self.payment(published), result)
    }
}

impl Fixture for Transactions {
    type Stage = TransactionsStage;

    fn stage(&self) -> TransactionsStage {
        let parts = parts(&self.ledger.world, &self.journal, &self.gateway, codec());
        TransactionsStage::new(parts)
    }

    fn world(&self) -> &World {
        &self.ledger.world
    }

    fn now(&self) -> UnixMs {
        self.now
    }

    /// News of a broadcast carry the time of the tick, and a restart ticks at once.
    fn identity(&self, record: &Record) -> String {
        if record.topic.as_str() != topics::TRANSACTION_CHANGED {
            let id = message_id(record);
            return format!("{} key {:?} msg-id {id:?}", record.topic, record.key);
        }
        let (_, mut changed) = self.world().open::<TransactionChanged>(record);
        changed.at = UnixMs(0);
        format!("{} key {:?} {changed:?}", record.topic, record.key)
    }

    fn volatile_columns(&self) -> &'static [(&'static str, &'static str)] {
        &[("payment", "changed_ms"), ("payment", "due_ms")]
    }

    /// A broadcast or a reminder follows from what the record left behind.
    fn later(&self) -> Vec<UnixMs> {
        vec![self.now.plus(25), self.now.plus(RESEND_MS)]
    }
}

type Row = Case<Transactions>;

fn approved(case: Row) -> Row {
    case.given(|f, _| vec![f.decided(Decided::Approved)])
}

fn refused(name: &'static str, code: Code) -> Row {
    let answer = move |f: &Transactions, sent: &Published| f.answer(sent, Err(code));
    approved(Case::new(name, &[Role::Writer], answer))
}

/// A refusal that the fresh head confirms, by this entry.
fn confirmed(name: &'static str, code: Code, body: fn(&Transactions, &Published) -> Body) -> Row {
    refused(name, code).given(move |f, sent| {
        f.journal_takes(body(f, sent));
        Vec::new()
    })
}

#[test]
fn every_record_has_its_effects_exactly_once() {
    let pending = Case::new(
        "decided: pending",
        &[Role::Approvals],
        |f: &Transactions, _| f.decided(Decided::Pending),
    );
    let blocked = Case::new(
        "decided: refused",
        &[Role::Approvals],
        |f: &Transactions, _| f.decided(Decided::Refused(Code::PolicyBlocked, String::new())),
    );
    let decided = Case::new(
        "decided: approved",
        &[Role::Approvals],
        |f: &Transactions, _| f.decided(Decided::Approved),
    );
    let accepted = Case::new(
        "answer: accepted",
        &[Role::Writer],
        |f: &Transactions, sent| f.answer(sent, Ok(9)),
    );
    let signed = Case::new(
        "finished: signed",
        &[Role::Coordinator],
        |f: &Transactions, sent| f.mail().signed(&f.payment(sent).request),
    );
    let failed = Case::new(
        "finished: failed",
        &[Role::Coordinator],
        |f: &Transactions, sent| {
            let request = f.payment(sent).request;
            f.mail().finished(&request, Outcome::Failed(vec![]))
        },
    );

    Matrix::new("transactions", Transactions::new)
        .kinds(kinds())
        .case(decided)
        .case(pending.without_effect("only what is approved moves money; the api shows the rest"))
        .case(blocked)
        .case(
            approved(accepted)
                .without_effect("the signers see the entry themselves and answer by signing"),
        )
        .case(refused("answer: refused", Code::TenantStopped))
        .case(confirmed(
            "answer: anchor taken",
            Code::AnchorTaken,
            |f, sent| authorization_on(&f.ledger, &f.order("other"), &f.payment(sent)),
        ))
        .case(confirmed(
            "answer: decision changed",
            Code::DecisionChanged,
            |f, _| tighter_policy(&f.ledger),
        ))
        .case(
            approved(Case::new(
                "answer: accepted after a refusal",
                &[Role::Writer],
                |f: &Transactions, sent| f.answer(sent, Ok(9)),
            ))
            .given(|f, sent| vec![f.answer(sent, Err(Code::TenantStopped))]),
        )
        .case(approved(signed))
        .case(approved(failed))
        .run();
}

/// Names of all kinds of records that share a topic.
fn kinds() -> Vec<&'static str> {
    let decided = every!(Decided {
        Decided::Pending => "decided: pending",
        Decided::Approved => "decided: approved",
        Decided::Refused(..) => "decided: refused",
    });
    let answers = every!(Result<u64, (Code, String)> {
        Ok(_) => "answer: accepted",
        Err(_) => "answer: refused",
    });
    let outcomes = every!(Outcome {
        Outcome::Signed(_) => "finished: signed",
        Outcome::Failed(_) => "finished: failed",
    });
    decided.into_iter().chain(answers).chain(outcomes).collect()
}
