//! The stage: intents and answers in, decisions out.

use crate::inbox::{Inbox, routes};
use crate::schema::MIGRATIONS;
use crate::step::Step;
use std::sync::Arc;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::inbox::Routes;
use strongroom_stage::post::Post;
use strongroom_stage::{Stage, StageError};
use strongroom_types::{Digest, UnixMs};

/// Records that become public with the commit.
pub(crate) type Outgoing = Result<Vec<Record>, StageError>;

/// Pause between two ticks, milliseconds: how late an expiry or a cancellation shows.
const TICK_MS: u64 = 500;

/// The approvals service.
pub struct ApprovalsStage {
    pub(crate) post: Post,
    pub(crate) journal: Arc<SharedFollower>,
    routes: Routes<Inbox>,
    /// Last intent of the walk through what waits. Lost at a restart: the walk begins again.
    pub(crate) walked: Digest,
}

impl ApprovalsStage {
    /// The service under its identity, reading its replica.
    #[must_use]
    pub fn new(post: Post, journal: Arc<SharedFollower>) -> Self {
        Self {
            post,
            journal,
            routes: routes(),
            walked: Digest::default(),
        }
    }
}

impl Stage for ApprovalsStage {
    fn name(&self) -> &'static str {
        "approvals"
    }

    fn topics(&self) -> Vec<Topic> {
        self.routes.topics()
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    fn handle(&mut self, now_ms: u64, tx: &mut dyn Tx, batch: &[Delivered]) -> Outgoing {
        // The senders are read once per batch: they follow from genesis and do not change within
        // it.
        let senders = self.journal.read(|f| Arc::clone(f.state().registered()));
        let mut records = Vec::new();
        for delivered in batch {
            let opened = self.routes.open(delivered, senders.as_ref())?;
            let mut step = Step {
                now: UnixMs(now_ms),
                tx: &mut *tx,
                cause: opened.cause,
            };

            records.extend(match opened.record {
                Inbox::Submitted(intent, size) => self.on_submitted(&mut step, &intent, size)?,
                Inbox::Answered(answer) => self.on_approval(&mut step, answer)?,
                Inbox::Returned(intent, why) => self.on_returned(&mut step, &intent, why)?,
                Inbox::Changed(changed) => self.on_changed(&mut step, &changed)?,
            });
        }
        Ok(records)
    }

    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Outgoing {
        let now = UnixMs(now_ms);
        let mut records = self.end_what_the_journal_ended(now, tx)?;
        records.extend(self.end_what_expired(now, tx)?);
        records.extend(self.tell_again(now, tx)?);
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        TICK_MS
    }
}
