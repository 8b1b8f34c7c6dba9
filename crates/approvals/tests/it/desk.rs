//! A tenant with its journal, and the records that reach the service.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use strongroom_approvals::ApprovalsStage;
use strongroom_policy::{VelocityScope, Window};
use strongroom_ports::bus::Record;
use strongroom_ports::db::Db as _;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Cause;
use strongroom_stage::{Stage as _, StageError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{
    ActBody, Approval, ApprovalNonce, Code, DecisionCore, Digest, Document as _, Intent, Signed,
    Tighten, UnixMs,
};
use strongroom_wire::{
    ApprovalSubmitted, Decided, IntentDecided, IntentReturned, IntentSubmitted, Payload, Role,
    TransactionChanged, TransactionState, encode, topics,
};
use strongroom_world::{
    FRIEND, Ledger, Log, ONE_OF_N_MAX, PolicyOptions, Sender, Who, World, WorldOptions, delivered,
};

/// Needs one approver.
pub const MEDIUM: u64 = 2_000_000;
/// Needs two approvers, or risk and then an approver where the policy is ordered.
pub const LARGE: u64 = ONE_OF_N_MAX + 1;

/// The tenant's side of the world: what people sign, and the journal they see.
pub struct Office {
    pub ledger: RefCell<Ledger>,
    pub world: World,
    pub journal: Arc<SharedFollower>,
    fed: RefCell<usize>,
}

impl Office {
    pub fn new() -> Self {
        static READY: OnceLock<Ledger> = OnceLock::new();
        Self::of(READY.get_or_init(|| Ledger::ready(World::new(1, WorldOptions::default()))))
    }

    /// A policy that pays no more than this in a day.
    pub fn with_ceiling(amount: u64) -> Self {
        let window = Window {
            scope: VelocityScope::Tenant,
            window_seconds: 86_400,
            amount_lte: Some(amount.into()),
            count_lte: None,
        };
        let options = WorldOptions {
            policy: PolicyOptions {
                ceilings: vec![window],
                ..PolicyOptions::default()
            },
            ..WorldOptions::default()
        };
        Self::of(&Ledger::ready(World::new(1, options)))
    }

    /// Risk first, then an approver.
    pub fn ordered() -> Self {
        static READY: OnceLock<Ledger> = OnceLock::new();
        let options = || WorldOptions {
            policy: PolicyOptions {
                ordered: true,
                ..PolicyOptions::default()
            },
            ..WorldOptions::default()
        };
        Self::of(READY.get_or_init(|| Ledger::ready(World::new(1, options()))))
    }

    /// So many of risk first, then an approver.
    pub fn ordered_by(risk: u32) -> Self {
        let office = Self::ordered();
        let options = PolicyOptions {
            ordered: true,
            ..PolicyOptions::default()
        };
        let mut policy = office.world.tenant.policy(&options);
        let mut rules = policy.rules.to_vec();
        let ordered = rules.iter_mut().filter(|rule| rule.then.ordered);
        ordered.for_each(|rule| rule.then.groups[0].approvals = risk);
        policy.rules = rules.into();
        office.tighten_policy(policy.to_text());
        office
    }

    fn of(ready: &Ledger) -> Self {
        let ledger = ready.clone();
        let new = Self {
            world: ledger.world.clone(),
            journal: Arc::new(SharedFollower::new(Arc::clone(&ledger.world.genesis)).unwrap()),
            ledger: RefCell::new(ledger),
            fed: RefCell::new(0),
        };
        new.catch_up();
        new
    }

    /// Shows the service what was appended to the ledger.
    pub fn catch_up(&self) {
        // The same ledger always gives the same batches, so the earlier ones are known.
        let log = Log::of(&self.ledger.borrow());
        let mut fed = self.fed.borrow_mut();
        self.journal.write(|follower| {
            for batch in &log.batches[*fed..] {
                follower.append(batch).unwrap();
            }
        });
        *fed = log.batches.len();
    }

    /// Entries that the service has seen.
    pub fn size(&self) -> u64 {
        self.journal.read(|follower| follower.size())
    }

    pub fn now(&self) -> UnixMs {
        self.ledger.borrow().now
    }

    /// Lets time pass, and the journal with it: its newest entry is of now, and witnessed.
    pub fn live(&self, ms: u64) {
        self.tick(ms);
        self.witness();
    }

    /// Witnesses vouch for the tip.
    pub fn witness(&self) {
        self.world.witness_tip(&self.journal, self.now());
    }

    /// As [`Self::live`], but no witness has seen the entry.
    pub fn tick(&self, ms: u64) {
        let mut ledger = self.ledger.borrow_mut();
        ledger.wait(ms);
        let now = ledger.now;
        ledger.push(strongroom_journal::Body::Tick, now).unwrap();
        drop(ledger);
        self.catch_up();
    }

    /// Puts a record into force.
    pub fn put(&self, record: strongroom_types::RegistryRecord) {
        self.ledger.borrow_mut().put_and_release(record);
        self.catch_up();
    }

    pub fn tighten(&self, what: Tighten, who: &[Who]) {
        self.ledger.borrow_mut().tighten(what, who).unwrap();
        self.catch_up();
    }

    /// As [`Self::tighten`], by one person; what the journal refuses has no effect.
    pub fn try_tighten(&self, what: Tighten, who: Who) {
        drop(self.ledger.borrow_mut().tighten(what, &[who]));
        self.catch_up();
    }

    /// As [`Self::answer`]; `None` while the journal decides nothing of the intent.
    pub fn try_answer(&self, who: Who, intent: &Intent) -> Option<Signed> {
        let is_decided = self.ledger.borrow().decide(intent).is_ok();
        is_decided.then(|| self.answer(who, intent))
    }

    /// Large intents need the risk group and an approver still, in any order.
    pub fn drop_order(&self) {
        let options = PolicyOptions {
            ordered: true,
            ..PolicyOptions::default()
        };
        let mut policy = self.world.tenant.policy(&options);
        let mut rules = policy.rules.to_vec();
        rules.iter_mut().for_each(|rule| rule.then.ordered = false);
        policy.rules = rules.into();
        self.put(strongroom_types::RegistryRecord::Policy(policy.to_text()));
    }

    /// What needed one person passes without people.
    pub fn relax_policy(&self) {
        self.order_relaxed_policy();
        self.catch_up();
    }

    /// As [`Self::relax_policy`], and the service does not see it yet.
    pub fn order_relaxed_policy(&self) {
        let mut policy = self.world.tenant.policy(&PolicyOptions::default());
        let mut rules = policy.rules.to_vec();
        rules[0].matches.amount = rules[1].matches.amount.clone();
        policy.rules = rules.into();
        let record = strongroom_types::RegistryRecord::Policy(policy.to_text());
        self.ledger.borrow_mut().put_and_release(record);
    }

    /// The first policy is in force again.
    pub fn restore_policy(&self) {
        let policy = self.world.tenant.policy(&PolicyOptions::default());
        self.put(strongroom_types::RegistryRecord::Policy(policy.to_text()));
    }

    /// Another policy is in force: every decision has another digest.
    pub fn change_policy(&self) {
        let options = PolicyOptions {
            time_lock_seconds: 60,
            ..PolicyOptions::default()
        };
        // A time lock tightens.
        self.tighten_policy(self.world.tenant.policy(&options).to_text());
    }

    /// What is stricter is in force at once: no delay, no release.
    fn tighten_policy(&self, text: String) {
        let record = strongroom_types::RegistryRecord::Policy(text);
        let mut ledger = self.ledger.borrow_mut();
        let committee = ledger.committee();
        ledger.act(ActBody::Put(record), &committee).unwrap();
        drop(ledger);
        self.catch_up();
    }

    /// A payment to a friend; the same amount is the same intent.
    pub fn intent(&self, amount: u64) -> Intent {
        self.world
            .intent_with(strongroom_world::START, amount, FRIEND, |intent| {
                intent.external_id = format!("order of {amount}").parse().unwrap();
                intent.created = self.created();
                intent.expires = intent.created.plus(strongroom_world::INTENT_LIFE_MS);
            })
    }

    /// Time of the first intent, whatever happened since.
    fn created(&self) -> UnixMs {
        strongroom_world::START.plus(self.world.options.delay_ms)
    }

    pub fn core(&self, intent: &Intent) -> DecisionCore {
        self.ledger.borrow().decide(intent).unwrap()
    }

    /// An answer to the decision as it is now.
    pub fn answer(&self, who: Who, intent: &Intent) -> Signed {
        self.answer_with(who, intent, |_| {})
    }

    pub fn answer_with(
        &self,
        who: Who,
        intent: &Intent,
        change: impl FnOnce(&mut Approval),
    ) -> Signed {
        let core = self.core(intent);
        let mut approval = self.world.approval(who, intent, &core, &[]);
        // A nonce per person and decision, so that the same call gives the same text.
        let mut nonce = approval.approver.0;
        nonce[0] ^= core.digest().0[0];
        approval.nonce = ApprovalNonce(nonce);
        change(&mut approval);
        self.world.sign(&approval, &[who])
    }

    pub fn submitted(&self, intent: &Intent) -> Record {
        self.submitted_by(intent, 0)
    }

    /// The same by an API that has seen so many entries.
    pub fn submitted_by(&self, intent: &Intent, size: u64) -> Record {
        let payload = IntentSubmitted {
            intent: self.world.signed_intent(intent),
            size,
        };
        self.sealed(Role::Api, topics::INTENT_SUBMITTED, &payload)
    }

    /// The same intent in a record of its own, as the API asks again.
    pub fn submitted_again(&self, intent: &Intent) -> Record {
        let payload = IntentSubmitted {
            intent: self.world.signed_intent(intent),
            size: 0,
        };
        let cause = Cause::own(&[b"again"], self.now().plus(60_000));
        let mut post = self.world.post(Sender::Service(Role::Api));
        post.record(
            self.now(),
            (topics::INTENT_SUBMITTED, b"key"),
            None,
            &payload,
            &cause,
        )
        .unwrap()
    }

    pub fn answered(&self, approval: &Signed) -> Record {
        let payload = ApprovalSubmitted {
            approval: approval.clone(),
        };
        self.sealed(Role::Api, topics::APPROVAL_SUBMITTED, &payload)
    }

    pub fn returned(&self, intent: &Intent) -> Record {
        let payload = IntentReturned {
            intent: self.world.signed_intent(intent),
            code: Code::DecisionChanged,
            detail: String::new(),
        };
        self.sealed(Role::Transactions, topics::INTENT_RETURNED, &payload)
    }

    pub fn changed(&self, intent: &Intent, state: TransactionState) -> Record {
        let payload = TransactionChanged {
            intent: intent.digest(),
            state,
            reason: None,
            refusals: Vec::new(),
            network_id: None,
            signed: None,
            at: self.now(),
        };
        self.sealed(Role::Transactions, topics::TRANSACTION_CHANGED, &payload)
    }

    /// The message id follows from the content: the same call gives the same record.
    fn sealed<T: Payload>(&self, from: Role, topic: &str, payload: &T) -> Record {
        let seed: [&[u8]; 2] = [topic.as_bytes(), &encode(payload)];
        let cause = Cause::own(&seed, self.now().plus(60_000));
        let mut post = self.world.post(Sender::Service(from));
        post.record(self.now(), (topic, b"key"), None, payload, &cause)
            .unwrap()
    }

    pub fn stage(&self) -> ApprovalsStage {
        let post = self.world.post(Sender::Service(Role::Approvals));
        ApprovalsStage::new(post, Arc::clone(&self.journal))
    }
}

/// The service at its desk, on a database in memory.
pub struct Desk {
    pub office: Office,
    db: SqliteDb,
    stage: ApprovalsStage,
}

impl Desk {
    pub fn new(office: Office) -> Self {
        let db = SqliteDb::open_in_memory().unwrap();
        let stage = office.stage();
        db.migrate(stage.migrations()).unwrap();
        Self { office, db, stage }
    }

    /// The process dies, and another one starts.
    pub fn restart(&mut self) {
        self.stage = self.office.stage();
    }

    /// State names of all rows, by intent as the log names it.
    pub fn states(&self) -> BTreeMap<String, String> {
        let names = ["absent", "waiting", "approved"];
        let mut tx = self.db.begin().unwrap();
        let rows = tx.query("SELECT intent, state FROM pending", &[]).unwrap();
        rows.iter()
            .map(|row| {
                let intent = Digest(row.array(0).unwrap());
                let state = names[usize::try_from(row.i64(1).unwrap()).unwrap()];
                (intent.to_string(), state.to_owned())
            })
            .collect()
    }

    /// Handles a record; commits what is not refused.
    pub fn deliver(&mut self, record: Record) -> Result<Vec<Record>, StageError> {
        let now = self.office.now().0;
        let mut tx = self.db.begin().unwrap();
        let records = self
            .stage
            .handle(now, tx.as_mut(), &[delivered(record, 0)])?;
        tx.commit().unwrap();
        Ok(records)
    }

    /// Handles a record that has at most one decision as its effect.
    pub fn decide(&mut self, record: Record) -> Option<IntentDecided> {
        let records = self.deliver(record).unwrap();
        self.decisions(&records).pop()
    }

    /// The code with which a record is refused.
    pub fn refusal(&mut self, record: Record) -> String {
        let error = self.deliver(record).expect_err("the record is refused");
        assert!(!error.is_transient());
        error.chain()
    }

    pub fn tick(&mut self) -> Vec<IntentDecided> {
        let records = self.tick_records();
        self.decisions(&records)
    }

    pub fn tick_records(&mut self) -> Vec<Record> {
        let mut tx = self.db.begin().unwrap();
        let records = self.stage.tick(self.office.now().0, tx.as_mut()).unwrap();
        tx.commit().unwrap();
        records
    }

    /// The decisions among these records.
    pub fn decisions(&self, records: &[Record]) -> Vec<IntentDecided> {
        self.office.world.payloads(records, topics::INTENT_DECIDED)
    }

    /// Submits an intent that must wait.
    pub fn waiting(&mut self, amount: u64) -> Intent {
        let intent = self.office.intent(amount);
        let decided = self.decide(self.office.submitted(&intent)).unwrap();
        assert_eq!(decided.decided, Decided::Pending);
        intent
    }

    /// One person's yes to the present decision.
    pub fn yes(&mut self, who: Who, intent: &Intent) -> Option<IntentDecided> {
        let yes = self.office.answer(who, intent);
        self.decide(self.office.answered(&yes))
    }

    /// Refusals that are remembered.
    pub fn refused(&self) -> i64 {
        let mut tx = self.db.begin().unwrap();
        let rows = tx.query("SELECT COUNT(*) FROM refused", &[]).unwrap();
        rows[0].i64(0).unwrap()
    }

    /// Rows of intents and of answers.
    pub fn rows(&self) -> (i64, i64) {
        let mut tx = self.db.begin().unwrap();
        let mut count = |sql| tx.query(sql, &[]).unwrap()[0].i64(0).unwrap();
        (
            count("SELECT COUNT(*) FROM pending"),
            count("SELECT COUNT(*) FROM answer"),
        )
    }
}

/// The digest of a signed approval.
pub fn digest_of(approval: &Signed) -> Digest {
    Approval::digest_of(&approval.text)
}
