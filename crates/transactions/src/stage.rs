//! The stage: which record goes to which handler, and what a tick does.

use crate::inbox::{Inbox, routes};
use crate::node::Node;
use crate::schema::MIGRATIONS;
use crate::step::Step;
use crate::watcher::Watcher;
use std::sync::Arc;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::chain::{ChainCodec, ChainGateway};
use strongroom_ports::db::{Migration, Tx};
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::inbox::Routes;
use strongroom_stage::post::{Cause, Post};
use strongroom_stage::{Stage, StageError, StopFlag};
use strongroom_types::{Digest, UnixMs};

/// Pause between two ticks, milliseconds: the longest that a signed transaction waits for its
/// broadcast.
const TICK_EVERY_MS: u64 = 25;
/// Pause between two rounds of everything that asks the network or the clock, milliseconds.
const ROUND_EVERY_MS: u64 = 1_000;

/// Parts of the service.
pub struct TransactionsParts {
    /// The service's identity on the bus.
    pub post: Post,
    /// Its replica of the journal.
    pub journal: Arc<SharedFollower>,
    /// The chain's pure side.
    pub codec: Arc<dyn ChainCodec>,
    /// The chain's network side.
    pub gateway: Arc<dyn ChainGateway>,
    /// The clock by which the chain's answers are timed.
    pub clock: Arc<dyn Clock>,
    /// Flag after which the chain is asked no more.
    pub stop: StopFlag,
    /// Patience with journal and coordinator before they are asked again, milliseconds.
    pub resend_ms: u64,
}

/// The transactions service of one chain.
pub struct TransactionsStage {
    pub(crate) post: Post,
    routes: Routes<Inbox>,
    pub(crate) journal: Arc<SharedFollower>,
    pub(crate) codec: Arc<dyn ChainCodec>,
    pub(crate) node: Node,
    pub(crate) watcher: Watcher,
    pub(crate) resend_ms: u64,
    /// Last payment whose block was looked for; the next page starts behind it.
    pub(crate) confirm_after: Digest,
    last_round_ms: u64,
}

impl TransactionsStage {
    /// A service that has done nothing yet.
    #[must_use]
    pub fn new(parts: TransactionsParts) -> Self {
        let watcher = Watcher::new(Arc::clone(&parts.codec));
        Self {
            post: parts.post,
            routes: routes(),
            journal: parts.journal,
            codec: parts.codec,
            node: Node::new(parts.gateway, parts.clock, parts.stop),
            watcher,
            resend_ms: parts.resend_ms,
            confirm_after: Digest::default(),
            last_round_ms: 0,
        }
    }
}

impl Stage for TransactionsStage {
    fn name(&self) -> &'static str {
        "transactions"
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
        // The senders are read once per batch: they follow from genesis and do not change within
        // it.
        let senders = self.journal.read(|f| Arc::clone(f.state().registered()));

        let mut records = Vec::new();
        for delivered in batch {
            let opened = self.routes.open(delivered, senders.as_ref())?;
            let step = &mut Step {
                now: UnixMs(now_ms),
                tx: &mut *tx,
                cause: opened.cause,
            };

            records.extend(match opened.record {
                Inbox::Decided(decided) => self.on_decided(step, *decided)?,
                // The topic carries the writer's answers to every submitter.
                Inbox::JournalResult(_) if opened.to != Some(self.post.node()) => Vec::new(),
                Inbox::JournalResult(result) => self.on_journal_result(step, &result)?,
                Inbox::SigningFinished(finished) => self.on_signing_finished(step, finished)?,
            });
        }
        Ok(records)
    }

    /// Each job asks for its own payments and turns what a node, codec or replica does wrong into
    /// an event of that one payment. An error that comes back from a job is therefore the
    /// database's: then nothing of the tick may stay.
    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let step = &mut Step {
            now: UnixMs(now_ms),
            tx,
            cause: Cause::own(&[b"tick", &now_ms.to_be_bytes()], UnixMs(0)),
        };
        // Broadcasts are part of every tick, because the client waits for each millisecond before
        // one.
        let mut records = self.broadcast_signed(step)?;

        // A clock that went back starts a round as well: it must not stop them until it is there
        // again.
        let since_ms = now_ms.checked_sub(self.last_round_ms);
        if since_ms.is_some_and(|since_ms| since_ms < ROUND_EVERY_MS) {
            return Ok(records);
        }
        self.last_round_ms = now_ms;

        // The facts come first, so that what waits for funds is built from this round's deposits.
        self.watcher.sync(step.tx, &self.journal, &mut self.node)?;
        records.extend(self.build_waiting(step)?);
        records.extend(self.remind_signing(step)?);
        records.extend(self.remind_returned(step)?);
        records.extend(self.confirm_broadcast(step)?);
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        TICK_EVERY_MS
    }
}
