//! The API without HTTP: submissions go in through `submit`, the stage runs in its shell, and what
//! a handler would publish the test may lose.

use crate::fixture::{Journal, TestClock};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strongroom_api::ApiStage;
use strongroom_api::submit::{self, Intake, SubmitError, Taken};
use strongroom_bus_embedded::EmbeddedBus;
use strongroom_journal::{Body, State};
use strongroom_ports::bus::{Bus as _, Record};
use strongroom_ports::db::Db;
use strongroom_ports::host::Clock as _;
use strongroom_replica::SharedFollower;
use strongroom_stage::{NoFaults, Options, Shell};
use strongroom_types::{
    Code, Digest, Document as _, Intent, NodeId, Signed, TransactionId, UnixMs,
};
use strongroom_wire::{Decided, Payload, Role, TransactionState, topics};
use strongroom_world::{Letter, Sender, Who, World};

/// What submissions are taken with, on a database and a replica.
pub fn intake(
    world: &World,
    db: Arc<dyn Db>,
    journal: Arc<SharedFollower>,
    clock: Arc<TestClock>,
) -> Intake {
    Intake {
        db,
        journal,
        codecs: vec![strongroom_chains::network("regtest").unwrap().unwrap()],
        clock,
        post: Mutex::new(world.post(Sender::Service(Role::Api))),
    }
}

pub struct Desk {
    pub journal: Journal,
    pub intake: Intake,
    clock: Arc<TestClock>,
    bus: Arc<EmbeddedBus>,
    stage: Shell<ApiStage>,
}

impl Desk {
    pub fn new() -> Self {
        Self::of(Journal::new())
    }

    pub fn of(journal: Journal) -> Self {
        let replica = journal.replica();
        let (db, bus) = (crate::fixture::database(), crate::fixture::bus(1));
        let stage = Shell::new(
            ApiStage::new(journal.post(), Arc::clone(&replica)),
            db.clone(),
            bus.clone(),
            Options::default(),
            Box::new(NoFaults),
        );
        let clock = Arc::new(TestClock::at(journal.ledger.now));
        let mut desk = Self {
            intake: intake(&journal.world, db, replica, Arc::clone(&clock)),
            journal,
            clock,
            bus,
            stage: stage.unwrap(),
        };
        desk.step();
        desk
    }

    /// A desk that took one intent, of which nothing is decided.
    pub fn with_intent(amount: u64) -> (Self, Intent) {
        let desk = Self::new();
        let intent = desk.intent(amount, "order");
        desk.submit(&intent).unwrap();
        (desk, intent)
    }

    /// A desk that took one intent, which waits for two of three approvers.
    pub fn with_pending() -> (Self, Intent) {
        let (mut desk, intent) = Self::with_intent(150_000_000);
        desk.decided(&intent, Decided::Pending);
        (desk, intent)
    }

    /// As [`Self::with_pending`], where risk must answer before an approver.
    pub fn with_ordered() -> (Self, Intent) {
        let mut desk = Self::of(Journal::ordered());
        let intent = desk.intent(150_000_000, "order");
        desk.submit(&intent).unwrap();
        desk.decided(&intent, Decided::Pending);
        (desk, intent)
    }

    pub fn now(&self) -> UnixMs {
        UnixMs(self.clock.now_ms())
    }

    /// Lets time pass, and the stage do what it has to do.
    pub fn wait(&mut self, ms: u64) {
        self.pass(ms);
        self.step();
    }

    /// Sets the clock, also back, and the stage does what it has to do.
    pub fn set_clock(&mut self, now: UnixMs) {
        self.clock.set(now);
        self.step();
    }

    /// Lets time pass, and no more.
    pub fn pass(&self, ms: u64) {
        self.clock.set(self.now().plus(ms));
    }

    /// The journal's newest entry is of now.
    pub fn tick(&mut self) {
        let now = self.now();
        self.journal.tick(now, &self.intake.journal);
    }

    /// Every witness cosigns the newest entry now.
    pub fn witness(&self) {
        let world = &self.journal.world;
        world.witness_tip(&self.intake.journal, self.now());
    }

    fn step(&mut self) {
        let now = self.clock.now_ms();
        while !self.stage.step(now, Duration::ZERO).unwrap().idle() {}
    }

    /// All records on a topic.
    pub fn records(&self, topic: &str) -> Vec<Record> {
        crate::fixture::records(&self.bus, topic)
    }

    /// A service publishes a record and the stage handles it.
    pub fn says<T: Payload>(&mut self, role: Role, topic: &str, payload: &T) {
        self.says_to(role, topic, None, payload);
    }

    /// As [`Self::says`], to one node.
    pub fn says_to<T: Payload>(
        &mut self,
        role: Role,
        topic: &str,
        to: Option<NodeId>,
        payload: &T,
    ) {
        let letter = Letter {
            to,
            ..Letter::new(topic, self.now())
        };
        let record = self
            .journal
            .world
            .record(Sender::Service(role), letter, payload);
        self.bus.publish(&[record]).unwrap();
        self.step();
    }

    /// An intent of the first tenant, created when the journal ends.
    pub fn intent(&self, amount: u64, name: &str) -> Intent {
        self.journal.order(amount, name)
    }

    /// Submits an intent; the record that the handler would publish is lost.
    pub fn submit(&self, intent: &Intent) -> Result<(), SubmitError> {
        let signed = self.journal.world.signed_intent(intent);
        submit::intent(&self.intake, &signed).map(drop)
    }

    /// One person's yes to the decision on an intent, after these other answers.
    pub fn yes(&self, who: Who, intent: &Intent, after: &[Digest]) -> Signed {
        let core = self.journal.ledger.core(intent);
        let world = &self.journal.world;
        world.approve(who, intent, &core, after)
    }

    pub fn approve(&self, intent: &Intent, approval: &Signed) -> Result<Taken, SubmitError> {
        let id = TransactionId::from(intent.digest());
        submit::approval(&self.intake, id, approval)
    }

    pub fn decided(&mut self, intent: &Intent, decided: Decided) {
        let core = self.journal.ledger.core(intent).to_text();
        self.decided_with(intent, core, decided);
    }

    pub fn decided_with(&mut self, intent: &Intent, core: String, decided: Decided) {
        let record = self.journal.world.intent_decided(intent, core, decided);
        self.says(Role::Approvals, topics::INTENT_DECIDED, &record);
    }

    pub fn changed(&mut self, intent: &Intent, state: TransactionState) {
        let change = self.journal.world.transaction_changed(intent, state);
        self.says(Role::Transactions, topics::TRANSACTION_CHANGED, &change);
    }

    /// The row as clients see it.
    pub fn row(&self, intent: &Intent) -> Row {
        let mut tx = self.intake.db.begin().unwrap();
        let sql = "SELECT state, core, code, version FROM tx WHERE intent = $1";
        let digest = intent.digest();
        let row = tx.query_opt(sql, &[(&digest.0).into()]).unwrap().unwrap();
        Row {
            state: TransactionState::from_number(row.i64(0).unwrap()).unwrap(),
            core: row.text(1).unwrap().to_owned(),
            code: row.text(2).unwrap().to_owned(),
            version: row.i64(3).unwrap(),
        }
    }

    pub fn count(&self, sql: &'static str) -> i64 {
        let mut tx = self.intake.db.begin().unwrap();
        let row = tx.query_opt(sql, &[]).unwrap().unwrap();
        row.i64(0).unwrap()
    }

    /// Appends a body to the journal that the API reads.
    pub fn append(&mut self, body: Body) {
        self.journal.append(body, &self.intake.journal);
    }

    pub fn state<R>(&self, read: impl FnOnce(&State) -> R) -> R {
        self.intake.journal.read(|f| read(f.state()))
    }
}

/// What a row says.
#[derive(PartialEq, Eq, Debug)]
pub struct Row {
    pub state: TransactionState,
    pub core: String,
    pub code: String,
    pub version: i64,
}

/// The code of a refusal; anything else is not one.
pub fn code<T>(result: Result<T, SubmitError>) -> Option<Code> {
    match result {
        Err(SubmitError::Refused(refusal)) => Some(refusal.code),
        Err(SubmitError::Store(_) | SubmitError::Record(_)) | Ok(_) => None,
    }
}
