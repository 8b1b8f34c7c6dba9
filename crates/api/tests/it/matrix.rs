//! Every record the API consumes, delivered in every way that a bus, a forger and a crash can.

use crate::desk::intake;
use crate::fixture::{Journal, TestClock, signer_refusal};
use std::sync::{Arc, Mutex, OnceLock};
use strongroom_api::{ApiStage, submit};
use strongroom_matrix::{Case, Fixture, Matrix, every};
use strongroom_ports::bus::Record;
use strongroom_ports::db::Db;
use strongroom_replica::SharedFollower;
use strongroom_types::{ActBody, Code, Digest, Document as _, Intent, Tighten, UnixMs};
use strongroom_wire::{Decided, JournalResult, Payload, Role, TransactionState, topics};
use strongroom_world::{Letter, Sender, Who, World, WorldOptions};

/// The journal and a replica of it, read by all cells and written by none.
fn journal() -> &'static (Journal, Arc<SharedFollower>) {
    static JOURNAL: OnceLock<(Journal, Arc<SharedFollower>)> = OnceLock::new();
    JOURNAL.get_or_init(|| {
        let journal = Journal::new();
        let replica = journal.replica();
        (journal, replica)
    })
}

/// An API that took a transfer and an act.
struct Installed {
    journal: &'static Journal,
    /// The same installation, counting for this cell alone: message ids are the same in each cell.
    world: World,
    replica: Arc<SharedFollower>,
    /// The act's submission, once it was taken.
    submission: Mutex<[u8; 16]>,
}

impl Installed {
    fn new() -> Self {
        let (journal, replica) = journal();
        Self {
            journal,
            world: World::new(1, WorldOptions::default()),
            replica: Arc::clone(replica),
            submission: Mutex::default(),
        }
    }

    fn intent(&self) -> Intent {
        self.journal.order(150_000_000, "order")
    }

    fn record<T: Payload>(&self, role: Role, letter: Letter<'_>, payload: &T) -> Record {
        self.world.record(Sender::Service(role), letter, payload)
    }

    fn decided(&self, rule: &str, decided: Decided) -> Record {
        let intent = self.intent();
        let mut core = self.journal.ledger.core(&intent);
        core.rule = rule.to_owned();
        let world = &self.journal.world;
        let decided = world.intent_decided(&intent, core.to_text(), decided);
        let letter = Letter::new(topics::INTENT_DECIDED, self.now());
        self.record(Role::Approvals, letter, &decided)
    }

    fn changed(&self, state: TransactionState) -> Record {
        let intent = self.intent();
        let mut change = self.journal.world.transaction_changed(&intent, state);
        if state.is_signed() {
            change.network_id = Some("ab".repeat(32));
            change.signed = Some(vec![1, 2, 3]);
        }
        if state == TransactionState::Failed {
            change.reason = Some((Code::SigningFailed, "no quorum".to_owned()));
            change.refusals = vec![signer_refusal(&intent)];
        }
        let letter = Letter::new(topics::TRANSACTION_CHANGED, self.now());
        self.record(Role::Transactions, letter, &change)
    }

    fn result(&self, to: Role, result: Result<u64, (Code, String)>) -> Record {
        let result = JournalResult {
            submission: *self.submission.lock().unwrap(),
            result,
        };
        let node = self.journal.world.service(to).node;
        let letter = Letter::new(topics::JOURNAL_RESULTS, self.now()).to(node);
        self.record(Role::Writer, letter, &result)
    }
}

impl Fixture for Installed {
    type Stage = ApiStage;

    fn stage(&self) -> ApiStage {
        ApiStage::new(self.journal.post(), Arc::clone(&self.replica))
    }

    fn world(&self) -> &World {
        &self.journal.world
    }

    fn now(&self) -> UnixMs {
        self.journal.ledger.now
    }

    fn prepare(&self, db: Arc<dyn Db>) {
        let clock = Arc::new(TestClock::at(self.now()));
        let world = &self.journal.world;
        let intake = intake(world, Arc::clone(&db), Arc::clone(&self.replica), clock);
        let signed = world.signed_intent(&self.intent());
        submit::intent(&intake, &signed).unwrap();
        // The act is made once, because its id is new each time.
        static ACT: OnceLock<strongroom_types::Signed> = OnceLock::new();
        let act = ACT.get_or_init(|| {
            let body = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
            self.journal.ledger.signed_act(body, &[Who::Admin(0)])
        });
        submit::act(&intake, act).unwrap();
        let mut tx = db.begin().unwrap();
        let row = tx.query_opt("SELECT submission FROM act", &[]).unwrap();
        *self.submission.lock().unwrap() = row.unwrap().array(0).unwrap();
    }

    /// Through two rounds of sending again.
    fn later(&self) -> Vec<UnixMs> {
        vec![self.now().plus(2_500), self.now().plus(5_000)]
    }
}

fn approved(f: &Installed) -> Vec<Record> {
    vec![f.decided("large", Decided::Approved)]
}

/// One case per state that a report can name, after the decision.
fn reports() -> impl Iterator<Item = (&'static str, Case<Installed>)> {
    TransactionState::ALL.iter().map(|state| {
        let name: &'static str = format!("changed to {}", state.name()).leak();
        let case = Case::new(name, &[Role::Transactions], |f: &Installed, _| {
            f.changed(*state)
        });
        let case = case.given(|f, _| approved(f));
        let case = match state {
            TransactionState::Received | TransactionState::Screening => {
                case.without_effect("a transaction that was approved does not come back to it")
            }
            TransactionState::Approved => case.without_effect("it is approved already"),
            TransactionState::PendingApproval
            | TransactionState::TimeLocked
            | TransactionState::WaitingForFunds
            | TransactionState::Signing
            | TransactionState::Signed
            | TransactionState::Broadcasting
            | TransactionState::Confirming
            | TransactionState::Completed
            | TransactionState::Rejected
            | TransactionState::Blocked
            | TransactionState::Expired
            | TransactionState::Cancelled
            | TransactionState::Failed
            | TransactionState::Replaced => case,
        };
        (name, case)
    })
}

#[test]
fn records_have_their_effects_exactly_once() {
    let approvals = &[Role::Approvals];
    let writer = &[Role::Writer];
    let blocked = || Decided::Refused(Code::PolicyBlocked, "no rule".to_owned());
    let refused = || Err((Code::QuorumMissing, "0 of 1".to_owned()));
    let mut matrix = Matrix::new("api", Installed::new)
        .case(Case::new(
            "decided pending",
            approvals,
            |f: &Installed, _| f.decided("large", Decided::Pending),
        ))
        .case(Case::new(
            "decided approved",
            approvals,
            |f: &Installed, _| f.decided("large", Decided::Approved),
        ))
        .case(Case::new(
            "decided refused",
            approvals,
            move |f: &Installed, _| f.decided("large", blocked()),
        ))
        .case(
            Case::new("decided again", approvals, |f: &Installed, _| {
                f.decided("stricter", Decided::Pending)
            })
            .given(|f, _| approved(f))
            .given(|f, _| vec![f.changed(TransactionState::Signing)]),
        )
        .case(Case::new("act refused", writer, move |f: &Installed, _| {
            f.result(Role::Api, refused())
        }))
        .case(Case::new("act appended", writer, |f: &Installed, _| {
            f.result(Role::Api, Ok(9))
        }))
        .case(
            Case::new("another's result", writer, |f: &Installed, _| {
                f.result(Role::Approvals, Ok(9))
            })
            .without_effect("all submitters read one topic"),
        );
    let mut names = kinds();
    for (name, case) in reports() {
        names.push(name);
        matrix = matrix.case(case);
    }
    matrix.kinds(names).run();
}

/// Names of the kinds of decisions and of answers to acts.
fn kinds() -> Vec<&'static str> {
    let decided = every!(Decided {
        Decided::Pending => "decided pending",
        Decided::Approved => "decided approved",
        Decided::Refused(..) => "decided refused",
    });
    let answers = every!(Result<u64, (Code, String)> {
        Ok(_) => "act appended",
        Err(_) => "act refused",
    });
    decided.into_iter().chain(answers).collect()
}
