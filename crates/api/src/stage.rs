//! The stage: decisions, changes and the journal's answers in; rows kept up to date.
//!
//! One file per record it consumes, one for its clock.

mod inbox;
mod on_changed;
mod on_decided;
mod on_journal_result;
mod on_tick;

use crate::schema::MIGRATIONS;
use inbox::{Inbox, routes};
use std::sync::Arc;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::inbox::Routes;
use strongroom_stage::post::Post;
use strongroom_stage::{Stage, StageError};
use strongroom_types::UnixMs;

/// The API's side of the bus.
pub struct ApiStage {
    post: Post,
    journal: Arc<SharedFollower>,
    routes: Routes<Inbox>,
}

/// The context of a handler: time and database transaction.
struct Step<'a> {
    now: UnixMs,
    tx: &'a mut dyn Tx,
}

impl ApiStage {
    /// The stage under the API's identity.
    #[must_use]
    pub fn new(post: Post, journal: Arc<SharedFollower>) -> Self {
        Self {
            post,
            journal,
            routes: routes(),
        }
    }
}

impl Stage for ApiStage {
    fn name(&self) -> &'static str {
        "api"
    }

    fn topics(&self) -> Vec<Topic> {
        self.routes.topics()
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        let registered = self.journal.read(|f| Arc::clone(f.state().registered()));
        let now = UnixMs(now_ms);
        let mut step = Step { now, tx };

        for delivered in batch {
            let opened = self.routes.open(delivered, registered.as_ref())?;
            match opened.record {
                Inbox::Decided(decided, core) => {
                    on_decided::on_decided(&mut step, *decided, core)?;
                }
                // Marks are not signed, so they decide nothing: they only show where the time went.
                Inbox::Changed(changed) => {
                    on_changed::on_changed(&mut step, *changed, opened.cause.marks)?;
                }
                // The topic carries the writer's answers to every submitter.
                Inbox::JournalResult(result) => {
                    if opened.to == Some(self.post.node()) {
                        on_journal_result::on_journal_result(&mut step, &result)?;
                    }
                }
            }
        }
        // There is nothing to publish: each record has a service that acts on it, and the API only
        // shows.
        Ok(Vec::new())
    }

    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let now = UnixMs(now_ms);
        on_tick::on_tick(&mut self.post, &mut Step { now, tx }, &self.journal)
    }

    fn tick_every_ms(&self) -> u64 {
        // A quarter of the time after which records are sent again (`on_tick`).
        500
    }
}
