//! The API's side of the bus: what it accepted it keeps, sends until it is answered, and never
//! forgets.
//!
//! The HTTP server is not simulated; people's requests arrive as [`Ask`]s, again after every crash,
//! as clients repeat what was not acknowledged. The rules of its states are those of the API's
//! stage.

use std::sync::{Arc, Mutex};
use strongroom_journal::entry::Body;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Arg, Db, DbError, Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::post::{Cause, Post, first_half, open_record};
use strongroom_stage::{Stage, StageError};
use strongroom_types::{
    Act, Approval, Code, Digest, Document as _, Intent, Scope, Signed, UnixMs, digest,
};
use strongroom_wire::{
    ApprovalSubmitted, Decided, IntentDecided, IntentSubmitted, JournalResult, JournalSubmitted,
    Role, TransactionChanged, TransactionState, Who, decode, encode, ended_as, topics,
};

/// What was not answered is sent again after this time.
const AGAIN_MS: u64 = 2_000;

const MIGRATIONS: &[Migration] = &[Migration {
    component: "sim-client",
    version: 1,
    sql: "
CREATE TABLE intent (
    digest {blob} PRIMARY KEY, signed {blob} NOT NULL, state {i64} NOT NULL, core {text} NOT NULL,
    code {text} NOT NULL, sent_ms {i64} NOT NULL) {strict};
CREATE TABLE ask (
    digest {blob} PRIMARY KEY, signed {blob} NOT NULL, act {bool} NOT NULL, done {bool} NOT NULL,
    code {text} NOT NULL, sent_ms {i64} NOT NULL) {strict};
",
}];

/// What people hand in.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Intent(Signed),
    Approval(Signed),
    Act(Signed),
}

pub(crate) type Asks = Arc<Mutex<Vec<Ask>>>;

/// How an accepted intent stands for its client.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) digest: Digest,
    pub(crate) intent: Intent,
    pub(crate) state: TransactionState,
    pub(crate) core: String,
    pub(crate) code: String,
}

impl Shown {
    pub(crate) fn is_signed(&self) -> bool {
        self.state.is_signed()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.state.is_signed() || self.state.is_terminal()
    }
}

/// All accepted intents, as committed.
pub(crate) fn shown(db: &dyn Db) -> Vec<Shown> {
    let Ok(mut tx) = db.begin() else {
        return Vec::new();
    };
    let rows = tx.query(
        "SELECT digest, signed, state, core, code FROM intent ORDER BY digest",
        &[],
    );
    let row = |row: &strongroom_ports::db::Row| Shown {
        digest: Digest(row.array(0).unwrap()),
        intent: Intent::parse(&decode::<Signed>(row.blob(1).unwrap()).unwrap().text).unwrap(),
        state: decode(&[u8::try_from(row.i64(2).unwrap()).unwrap()]).unwrap(),
        core: row.text(3).unwrap().to_owned(),
        code: row.text(4).unwrap().to_owned(),
    };
    rows.map(|rows| rows.iter().map(row).collect())
        .unwrap_or_default()
}

/// The answer to an act: none yet, in force, or why it was refused.
pub(crate) fn answer(db: &dyn Db, signed: &Signed) -> Option<Result<(), String>> {
    let mut tx = db.begin().ok()?;
    let name = name_of(signed);
    let row = tx
        .query_opt(
            "SELECT done, code FROM ask WHERE digest = $1",
            &[Arg::from(&name.0)],
        )
        .ok()??;
    let code = row.text(1).ok()?.to_owned();
    row.bool(0)
        .ok()?
        .then_some(if code.is_empty() { Ok(()) } else { Err(code) })
}

fn name_of(signed: &Signed) -> Digest {
    digest("strongroom/sim-ask/v1", &[&encode(signed)])
}

pub(crate) struct ClientStage {
    post: Post,
    journal: Arc<SharedFollower>,
    asks: Asks,
    /// How many of the asks this process has taken.
    taken: usize,
}

impl ClientStage {
    pub(crate) fn new(post: Post, journal: Arc<SharedFollower>, asks: Asks) -> Self {
        Self {
            post,
            journal,
            asks,
            taken: 0,
        }
    }

    fn take(
        &mut self,
        now: UnixMs,
        tx: &mut dyn Tx,
        ask: &Ask,
    ) -> Result<Option<Record>, StageError> {
        let new = match ask {
            Ask::Intent(signed) => {
                let sql = "INSERT INTO intent (digest, signed, state, core, code, sent_ms)
                           VALUES ($1, $2, 0, '', '', $3) ON CONFLICT DO NOTHING";
                let bytes = encode(signed);
                let name = Intent::digest_of(&signed.text);
                tx.execute(
                    sql,
                    &[Arg::from(&name.0), Arg::from(&bytes), Arg::u64(now.0)?],
                )?
            }
            Ask::Approval(signed) | Ask::Act(signed) => {
                let sql = "INSERT INTO ask (digest, signed, act, done, code, sent_ms)
                           VALUES ($1, $2, $3, FALSE, '', $4) ON CONFLICT DO NOTHING";
                let (bytes, name) = (encode(signed), name_of(signed));
                let act = matches!(ask, Ask::Act(_));
                tx.execute(
                    sql,
                    &[
                        Arg::from(&name.0),
                        Arg::from(&bytes),
                        Arg::from(act),
                        Arg::u64(now.0)?,
                    ],
                )?
            }
        };
        if new == 0 {
            Ok(None)
        } else {
            self.record(now, ask).map(Some)
        }
    }

    fn record(&mut self, now: UnixMs, ask: &Ask) -> Result<Record, StageError> {
        match ask {
            Ask::Intent(signed) => {
                let intent = Intent::parse(&signed.text).unwrap();
                let name = intent.digest();
                let mut cause = Cause::own(&[b"intent", &name.0], intent.expires);
                cause.session = first_half(name);
                let payload = IntentSubmitted {
                    intent: signed.clone(),
                };
                self.post.record(
                    now,
                    (topics::INTENT_SUBMITTED, &intent.vault.0),
                    None,
                    &payload,
                    &cause,
                )
            }
            Ask::Approval(signed) => {
                let approval = Approval::parse(&signed.text).unwrap();
                let mut cause = Cause::own(&[b"approval", &approval.digest().0], approval.expires);
                cause.session = first_half(approval.intent);
                let payload = ApprovalSubmitted {
                    approval: signed.clone(),
                };
                self.post.record(
                    now,
                    (topics::APPROVAL_SUBMITTED, &approval.tenant.0),
                    None,
                    &payload,
                    &cause,
                )
            }
            Ask::Act(signed) => {
                let act = Act::parse(&signed.text).unwrap();
                let key = match act.scope {
                    Scope::Tenant(tenant) => tenant.0,
                    Scope::Platform => [0; 16],
                };
                let submission = first_half(name_of(signed));
                let payload = JournalSubmitted {
                    submission,
                    body: encode(&Body::Act(signed.clone())),
                };
                let cause = Cause::own(
                    &[b"act", &submission, &now.0.to_be_bytes()],
                    now.plus(60_000),
                );
                self.post.record(
                    now,
                    (topics::JOURNAL_SUBMITTED, &key),
                    None,
                    &payload,
                    &cause,
                )
            }
        }
    }

    fn move_to(
        tx: &mut dyn Tx,
        intent: &Digest,
        from: i64,
        to: i64,
        core: Option<&str>,
        code: &str,
    ) -> Result<(), DbError> {
        let sql = "UPDATE intent SET state = $1, core = COALESCE($2, core),
                   code = CASE WHEN $3 = '' THEN code ELSE $3 END WHERE digest = $4 AND state = $5";
        let args = [
            Arg::from(to),
            Arg::from(core),
            Arg::from(code),
            Arg::from(&intent.0),
            Arg::from(from),
        ];
        tx.execute(sql, &args).map(drop)
    }

    fn state(tx: &mut dyn Tx, intent: &Digest) -> Result<Option<i64>, DbError> {
        let row = tx.query_opt(
            "SELECT state FROM intent WHERE digest = $1",
            &[Arg::from(&intent.0)],
        )?;
        row.map(|row| row.i64(0)).transpose()
    }

    fn decided(tx: &mut dyn Tx, decided: &IntentDecided) -> Result<(), StageError> {
        let name = Intent::digest_of(&decided.intent.text);
        let Some(from) = Self::state(tx, &name)?.filter(|state| *state <= 1) else {
            return Ok(());
        };
        let (to, code) = match &decided.decided {
            Decided::Pending => (TransactionState::PendingApproval, ""),
            Decided::Approved => (TransactionState::Approved, ""),
            Decided::Refused(code, _) => (ended_as(*code, Who::Policy), code.as_str()),
        };
        Ok(Self::move_to(
            tx,
            &name,
            from,
            i64::from(to as u8),
            Some(&decided.core),
            code,
        )?)
    }

    fn changed(tx: &mut dyn Tx, changed: &TransactionChanged) -> Result<(), StageError> {
        let Some(from) = Self::state(tx, &changed.intent)? else {
            return Ok(());
        };
        let to = i64::from(changed.state as u8);
        let returned =
            changed.state == TransactionState::PendingApproval && (2..=3).contains(&from);
        // This build's services make states 0 to 11 only, whose numbers ascend along the way.
        let over = TransactionState::from_number(from).is_none_or(TransactionState::is_terminal);
        if !returned && (to <= from || over) {
            return Ok(());
        }
        let code = changed
            .reason
            .as_ref()
            .map_or("", |(code, _)| code.as_str());
        Ok(Self::move_to(tx, &changed.intent, from, to, None, code)?)
    }

    fn said(&self, tx: &mut dyn Tx, said: &JournalResult) -> Result<(), StageError> {
        let code = said
            .result
            .as_ref()
            .err()
            .map_or("", |(code, _)| code.as_str());
        let rows = tx.query("SELECT digest FROM ask WHERE done = FALSE AND act", &[])?;
        for row in &rows {
            let name = Digest(row.array(0)?);
            if first_half(name) == said.submission {
                let sql = "UPDATE ask SET done = TRUE, code = $1 WHERE digest = $2";
                tx.execute(sql, &[Arg::from(code), Arg::from(&name.0)])?;
            }
        }
        Ok(())
    }

    /// Sends again what nobody answered, and ends what expired before anybody decided.
    fn again(&mut self, now: UnixMs, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let before = Arg::u64(now.0.saturating_sub(AGAIN_MS))?;
        let mut records = Vec::new();
        for row in tx.query(
            "SELECT digest, signed FROM intent WHERE state = 0 AND sent_ms <= $1",
            &[before],
        )? {
            let (name, signed) = (
                Digest(row.array(0)?),
                decode::<Signed>(row.blob(1)?).unwrap(),
            );
            let intent = Intent::parse(&signed.text).unwrap();
            if now >= intent.expires {
                let to = i64::from(TransactionState::Expired as u8);
                Self::move_to(tx, &name, 0, to, None, Code::IntentExpired.as_str())?;
                continue;
            }
            tx.execute(
                "UPDATE intent SET sent_ms = $1 WHERE digest = $2",
                &[Arg::u64(now.0)?, Arg::from(&name.0)],
            )?;
            records.push(self.record(now, &Ask::Intent(signed))?);
        }
        let acts = "SELECT digest, signed FROM ask WHERE act AND done = FALSE AND sent_ms <= $1";
        for row in tx.query(acts, &[before])? {
            let (name, signed) = (
                Digest(row.array(0)?),
                decode::<Signed>(row.blob(1)?).unwrap(),
            );
            tx.execute(
                "UPDATE ask SET sent_ms = $1 WHERE digest = $2",
                &[Arg::u64(now.0)?, Arg::from(&name.0)],
            )?;
            records.push(self.record(now, &Ask::Act(signed))?);
        }
        Ok(records)
    }
}

impl Stage for ClientStage {
    fn name(&self) -> &'static str {
        "api"
    }

    fn topics(&self) -> Vec<Topic> {
        let names = [
            topics::INTENT_DECIDED,
            topics::TRANSACTION_CHANGED,
            topics::JOURNAL_RESULTS,
        ];
        names.iter().map(|name| Topic::new(name).unwrap()).collect()
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    fn reload(&mut self, _tx: &mut dyn Tx) -> Result<(), StageError> {
        self.taken = 0;
        Ok(())
    }

    fn handle(
        &mut self,
        _now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let registered = self.journal.read(|f| Arc::clone(f.state().registered()));
        let senders = registered.as_ref();
        for delivered in batch {
            match delivered.topic.as_str() {
                topics::INTENT_DECIDED => {
                    let (_, payload) =
                        open_record::<IntentDecided>(delivered, senders, &[Role::Approvals])?;
                    Self::decided(tx, &payload)?;
                }
                topics::TRANSACTION_CHANGED => {
                    let (_, payload) = open_record::<TransactionChanged>(
                        delivered,
                        senders,
                        &[Role::Transactions],
                    )?;
                    Self::changed(tx, &payload)?;
                }
                _ => {
                    let (envelope, said) =
                        open_record::<JournalResult>(delivered, senders, &[Role::Writer])?;
                    if envelope.to == Some(self.post.node()) {
                        self.said(tx, &said)?;
                    }
                }
            }
        }
        Ok(Vec::new())
    }

    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let now = UnixMs(now_ms);
        let mut records = self.again(now, tx)?;
        let new: Vec<Ask> = self
            .asks
            .lock()
            .unwrap()
            .iter()
            .skip(self.taken)
            .cloned()
            .collect();
        for ask in &new {
            records.extend(self.take(now, tx, ask)?);
        }
        self.taken += new.len();
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        50
    }
}
