//! The stage: decisions, changes and journal answers in; transactions' rows kept up to date.

use crate::schema::MIGRATIONS;
use crate::store::{self, TxRow};
use crate::submit;
use std::sync::Arc;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::SharedFollower;
use strongroom_stage::post::{Post, open_record};
use strongroom_stage::{Stage, StageError};
use strongroom_types::{Code, NodeId, UnixMs};
use strongroom_wire::{
    Decided, IntentDecided, JournalResult, Layer, Marks, Role, TransactionChanged,
    TransactionState, Who, ended_as, topics,
};

/// What was not answered is sent again after this time.
const AGAIN_MS: u64 = 2_000;

/// The API's side of the bus.
pub struct ApiStage {
    post: Post,
    node: NodeId,
    journal: Arc<SharedFollower>,
}

impl ApiStage {
    /// The stage under the API's identity.
    #[must_use]
    pub fn new(post: Post, journal: Arc<SharedFollower>) -> Self {
        Self {
            node: post.node(),
            post,
            journal,
        }
    }

    fn decided(
        &self,
        now: UnixMs,
        tx: &mut dyn Tx,
        decided: IntentDecided,
    ) -> Result<(), StageError> {
        let digest = submit::intent_digest(&decided.intent);
        let Some(mut row) = store::by_digest(tx, &digest)? else {
            return Ok(());
        };
        if !matches!(
            row.state,
            TransactionState::Received | TransactionState::PendingApproval
        ) {
            // A later change overtook the decision on its own topic: only the core is still news.
            if row.core.is_empty() {
                row.core = decided.core;
                store::update(tx, &row, now)?;
            }
            return Ok(());
        }
        if row.core != decided.core {
            store::drop_answers(tx, &digest)?;
        }
        row.core = decided.core;
        row.state = match decided.decided {
            Decided::Pending => TransactionState::PendingApproval,
            Decided::Approved => TransactionState::Approved,
            Decided::Refused(code, detail) => {
                (row.code, row.detail) = (code.as_str().to_owned(), detail);
                ended_as(code, Who::Policy)
            }
        };
        Ok(store::update(tx, &row, now)?)
    }

    /// States only go forward, except that a changed decision returns an intent to its approvers.
    fn changed(
        &self,
        now: UnixMs,
        tx: &mut dyn Tx,
        changed: TransactionChanged,
        marks: Marks,
    ) -> Result<(), StageError> {
        let Some(mut row) = store::by_digest(tx, &changed.intent)? else {
            return Ok(());
        };
        let returned = changed.state == TransactionState::PendingApproval
            && matches!(
                row.state,
                TransactionState::Approved | TransactionState::Signing
            );
        if returned {
            store::drop_answers(tx, &changed.intent)?;
        } else if progress(changed.state) <= progress(row.state) || row.state.is_terminal() {
            return Ok(());
        }
        row.state = changed.state;
        if let Some((code, detail)) = changed.reason {
            (row.code, row.detail) = (code.as_str().to_owned(), detail);
        }
        take(&mut row, changed.network_id, changed.signed);
        row.refusals = changed.refusals;
        if changed.state == TransactionState::Signed {
            row.marks = marks.with(Layer::Signed, now.0 * 1000);
        }
        Ok(store::update(tx, &row, now)?)
    }
}

fn take(row: &mut TxRow, network_id: Option<String>, raw: Option<Vec<u8>>) {
    row.network_id = network_id.unwrap_or_else(|| std::mem::take(&mut row.network_id));
    row.raw = raw.unwrap_or_else(|| std::mem::take(&mut row.raw));
}

/// Place on the way to the end: records about one transaction may arrive late, and a late one must
/// not take a row back.
pub(crate) const fn progress(state: TransactionState) -> u8 {
    match state {
        TransactionState::Received => 0,
        TransactionState::Screening => 1,
        TransactionState::PendingApproval => 2,
        TransactionState::Approved => 3,
        TransactionState::TimeLocked => 4,
        TransactionState::WaitingForFunds => 5,
        TransactionState::Signing => 6,
        TransactionState::Signed => 7,
        TransactionState::Broadcasting => 8,
        TransactionState::Confirming => 9,
        TransactionState::Completed
        | TransactionState::Rejected
        | TransactionState::Blocked
        | TransactionState::Expired
        | TransactionState::Cancelled
        | TransactionState::Failed
        | TransactionState::Replaced => 10,
    }
}

impl Stage for ApiStage {
    fn name(&self) -> &'static str {
        "api"
    }

    fn topics(&self) -> Vec<Topic> {
        [
            topics::INTENT_DECIDED,
            topics::TRANSACTION_CHANGED,
            topics::JOURNAL_RESULTS,
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
        let registered = self.journal.read(|f| Arc::clone(f.state().registered()));
        let senders = registered.as_ref();
        for delivered in batch {
            match delivered.topic.as_str() {
                topics::INTENT_DECIDED => {
                    let (_, decided) =
                        open_record::<IntentDecided>(delivered, senders, &[Role::Approvals])?;
                    self.decided(now, tx, decided)?;
                }
                topics::TRANSACTION_CHANGED => {
                    let (_, changed) = open_record::<TransactionChanged>(
                        delivered,
                        senders,
                        &[Role::Transactions],
                    )?;
                    let marks = Marks::from_bytes(&delivered.record.headers.marks);
                    self.changed(now, tx, changed, marks)?;
                }
                _ => {
                    let (envelope, said) =
                        open_record::<JournalResult>(delivered, senders, &[Role::Writer])?;
                    if envelope.to == Some(self.node) {
                        let (code, detail) = match &said.result {
                            Ok(_) => ("", String::new()),
                            Err((code, detail)) => (code.as_str(), detail.clone()),
                        };
                        store::act_answered(tx, &said.submission, code, &detail)?;
                    }
                }
            }
        }
        Ok(Vec::new())
    }

    /// Sends again what nobody answered, and ends what expired before anyone decided.
    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let now = UnixMs(now_ms);
        let before = UnixMs(now_ms.saturating_sub(AGAIN_MS));
        let mut records = Vec::new();
        for mut row in store::in_state(tx, TransactionState::Received, before)? {
            if now_ms >= row.expires_ms {
                row.state = TransactionState::Expired;
                (row.code, row.detail) = (
                    Code::IntentExpired.as_str().to_owned(),
                    Code::IntentExpired.meaning().to_owned(),
                );
                store::update(tx, &row, now)?;
                continue;
            }
            store::touch(tx, &row.intent, now)?;
            let (vault, expires) = (row.vault, UnixMs(row.expires_ms));
            records.push(submit::intent_record(
                &mut self.post,
                now,
                &row.signed,
                vault,
                expires,
                row.marks,
            )?);
        }
        for act in store::acts_due(tx, before, now)? {
            records.push(submit::act_record(
                &mut self.post,
                now,
                &act.signed,
                act.submission,
            )?);
        }
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        500
    }
}
