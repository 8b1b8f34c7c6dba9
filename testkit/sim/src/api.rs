//! The API's door: what people hand in goes through the shipped intake, into the tables of the
//! shipped stage. Of the API only HTTP is not simulated: routes, bodies, bearer keys and waiting.

use crate::bus::SimBus;
use crate::disk::SimDisk;
use crate::kinds::{NodeName, WritePoint};
use crate::rig::Rig;
use crate::service::Service;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_api::submit::{self, Intake, SubmitError};
use strongroom_ports::bus::{Bus as _, Record};
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::{Db, Row};
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Post;
use strongroom_types::{Approval, Code, Digest, Document as _, Intent, Signed, UnixMs};
use strongroom_wire::{TransactionState, decode};

/// Something that people hand in.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Intent(Signed),
    Approval(Signed),
    Act(Signed),
}

/// What a client is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    /// Stored: the client need not repeat it.
    Accepted,
    /// Refused with this code.
    Refused(Code),
    /// No answer: the client cannot know what became of it.
    Silence,
}

/// The reading of a service's clock, set before each request.
#[derive(Default)]
pub(crate) struct Reading(AtomicU64);

impl Clock for Reading {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A running API process, as a request meets it.
pub(crate) struct Door {
    intake: Intake,
    clock: Arc<Reading>,
    bus: Arc<SimBus>,
    rig: Rig,
}

/// The process dies over a request, at this point.
pub(crate) struct DiedAt(pub(crate) WritePoint);

impl Door {
    pub(crate) fn new(
        rig: &Rig,
        disk: &SimDisk,
        journal: Arc<SharedFollower>,
        codec: Arc<dyn ChainCodec>,
        post: Post,
    ) -> Self {
        let clock = Arc::new(Reading(AtomicU64::new(0)));
        Self {
            intake: Intake {
                db: disk.for_requests(),
                journal,
                codecs: vec![codec],
                clock: clock.clone(),
                post: Mutex::new(post),
            },
            clock,
            bus: Arc::new(SimBus::new(NodeName::Api, rig.clone())),
            rig: rig.clone(),
        }
    }

    /// Takes one request at the API's own time.
    pub(crate) fn take(&self, ask: &Ask, own: UnixMs) -> Result<Reply, DiedAt> {
        self.clock.0.store(own.0, Ordering::Relaxed);

        // A fault of the store gives the client no answer: it cannot know whether a row is there.
        let record = match self.submit(ask) {
            Ok(record) => record,
            Err(SubmitError::Refused(refusal)) => return Ok(Reply::Refused(refusal.code)),
            Err(SubmitError::Store(_) | SubmitError::Record(_)) => return Ok(Reply::Silence),
        };

        self.publish(record);
        let point = WritePoint::RequestAfterPublish;
        if self.rig.dice.dies(NodeName::Api, point) {
            return Err(DiedAt(point));
        }
        Ok(Reply::Accepted)
    }

    fn submit(&self, ask: &Ask) -> Result<Option<Record>, SubmitError> {
        Ok(match ask {
            Ask::Intent(signed) => submit::intent(&self.intake, signed)?.record,
            Ask::Approval(signed) => {
                let approval = Approval::parse(&signed.text).unwrap();
                submit::approval(&self.intake, approval.intent.into(), signed)?.record
            }
            Ask::Act(signed) => submit::act(&self.intake, signed)?.record,
        })
    }

    /// What cannot be published now is sent by the stage later, so the client is not told.
    fn publish(&self, record: Option<Record>) {
        if let Some(record) = record {
            let _ = self.bus.publish(&[record]);
        }
    }
}

/// A transaction as its client sees it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) digest: Digest,
    pub(crate) intent: Intent,
    pub(crate) state: TransactionState,
    /// The decision core, once there is one.
    pub(crate) core: String,
    /// Why it ended, if it ended otherwise than signed.
    pub(crate) code: String,
}

impl Shown {
    pub(crate) fn is_signed(&self) -> bool {
        self.state.is_signed()
    }

    /// Nothing more is to be waited for: `too_late` does not end it, but no honest service leads
    /// out of it.
    pub(crate) fn has_ended(&self) -> bool {
        let is_too_late = self.code == Code::TooLate.as_str();
        self.state.is_signed() || self.state.is_terminal() || is_too_late
    }
}

/// All transactions as the API's table has them: also while its process is down.
pub(crate) fn shown(db: &dyn Db) -> Vec<Shown> {
    let Ok(mut tx) = db.begin() else {
        return Vec::new();
    };

    let rows = tx.query(
        "SELECT intent, signed, state, core, code FROM tx ORDER BY intent",
        &[],
    );

    // Before the first start there is no table.
    rows.map(|rows| rows.iter().map(shown_row).collect())
        .unwrap_or_default()
}

/// The newest look at the API's table.
#[derive(Default)]
pub(crate) struct Look {
    /// Commits and restores of its database at that time.
    at: Option<(u64, u64)>,
    rows: Arc<Vec<Shown>>,
}

impl Look {
    /// All transactions; read again only where something may have changed.
    pub(crate) fn at(&mut self, api: &Service) -> Arc<Vec<Shown>> {
        // People look every 100 ms, and most looks meet the table as it was. A restore changes the
        // content without a commit.
        let db = api.disk.content();
        let at = Some((db.commits(), api.restores()));
        if self.at != at {
            (self.at, self.rows) = (at, Arc::new(shown(db)));
        }
        Arc::clone(&self.rows)
    }
}

fn shown_row(row: &Row) -> Shown {
    let signed: Signed = decode(row.blob(1).unwrap()).unwrap();
    Shown {
        digest: Digest(row.array(0).unwrap()),
        intent: Intent::parse(&signed.text).unwrap(),
        state: TransactionState::from_number(row.i64(2).unwrap()).unwrap(),
        core: row.text(3).unwrap().to_owned(),
        code: row.text(4).unwrap().to_owned(),
    }
}
