//! The stage: decisions, journal answers and signatures in; transactions out.

use crate::flow::Flow;
use crate::schema::MIGRATIONS;
use std::sync::Arc;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::chain::{ChainCodec, ChainGateway};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::post::{Cause, Post, open_record};
use strongroom_stage::{Stage, StageError};
use strongroom_types::UnixMs;
use strongroom_wire::{Decided, IntentDecided, JournalResult, Role, SigningFinished, topics};

/// The network is asked this often.
const SYNC_EVERY_MS: u64 = 1_000;

/// What the service is made of.
pub struct TransactionsParts {
    /// Its identity.
    pub post: Post,
    /// Its replica.
    pub journal: Arc<SharedFollower>,
    /// The chain's pure side.
    pub codec: Arc<dyn ChainCodec>,
    /// The chain's network side.
    pub gateway: Arc<dyn ChainGateway>,
    /// A signing run that gave no answer is asked for again after this time.
    pub resend_ms: u64,
}

/// The transactions service of one chain.
pub struct TransactionsStage {
    flow: Flow,
    synced_ms: u64,
}

impl TransactionsStage {
    /// The service.
    #[must_use]
    pub fn new(parts: TransactionsParts) -> Self {
        Self {
            flow: Flow::new(parts),
            synced_ms: 0,
        }
    }
}

impl Stage for TransactionsStage {
    fn name(&self) -> &'static str {
        "transactions"
    }

    fn topics(&self) -> Vec<Topic> {
        [
            topics::INTENT_DECIDED,
            topics::JOURNAL_RESULTS,
            topics::SIGNING_FINISHED,
        ]
        .iter()
        .filter_map(|name| Topic::new(name).ok())
        .collect()
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
        let now = UnixMs(now_ms);
        let registered = self.flow.registered();
        let senders = registered.as_ref();
        let mut records = Vec::new();
        for delivered in batch {
            records.extend(match delivered.topic.as_str() {
                topics::INTENT_DECIDED => {
                    let (envelope, decided) =
                        open_record::<IntentDecided>(delivered, senders, &[Role::Approvals])?;
                    if decided.decided != Decided::Approved {
                        continue;
                    }
                    self.flow
                        .approved(now, tx, decided, &Cause::of(delivered, &envelope))?
                }
                topics::JOURNAL_RESULTS => {
                    let (envelope, result) =
                        open_record::<JournalResult>(delivered, senders, &[Role::Writer])?;
                    if envelope.to != Some(self.flow.node()) {
                        continue;
                    }
                    self.flow
                        .journal_said(now, tx, &result, &Cause::of(delivered, &envelope))?
                }
                _ => {
                    let (envelope, finished) =
                        open_record::<SigningFinished>(delivered, senders, &[Role::Coordinator])?;
                    self.flow
                        .finished(now, tx, finished, &Cause::of(delivered, &envelope))?
                }
            });
        }
        Ok(records)
    }

    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let now = UnixMs(now_ms);
        let mut records = self.flow.broadcast(now, tx)?;
        if now_ms >= self.synced_ms.saturating_add(SYNC_EVERY_MS) || now_ms < self.synced_ms {
            self.synced_ms = now_ms;
            self.flow.sync(tx)?;
            records.extend(self.flow.remind(now, tx)?);
            records.extend(self.flow.confirm(now, tx)?);
        }
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        25
    }
}
