//! Intake of what clients submit. There is no HTTP in it, so that the simulator's clients use the
//! same functions.
//!
//! Each function checks what can be known at once by the journal's own rules, stores a row and
//! gives back the record to publish. The row is the outbox: until its answer is there, or until the
//! stage has sent it once more, [`crate::ApiStage`] sends it again (`docs/adr/0014`). Publishing
//! the record at once only saves the wait for that.

mod acts;
mod approvals;
mod intents;
mod records;

pub use acts::act;
pub use approvals::approval;
pub use intents::intent;

pub(crate) use records::{act_record, approval_record, intent_digest, intent_record};

use crate::store::TxRow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_ports::bus::Record;
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::{Db, DbError};
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::StageError;
use strongroom_stage::post::Post;
use strongroom_types::{Code, Digest, Refusal, UnixMs};

/// Replica, codecs and store that submissions are checked by and kept in.
pub struct Intake {
    /// The API's database, shared with its stage.
    pub db: Arc<dyn Db>,
    /// The API's replica.
    pub journal: Arc<SharedFollower>,
    /// Codecs of the chains it takes intents for.
    pub codecs: Vec<Arc<dyn ChainCodec>>,
    /// This machine's clock.
    pub clock: Arc<dyn Clock>,
    /// The API's identity.
    pub post: Mutex<Post>,
}

impl Intake {
    pub(crate) fn now(&self) -> UnixMs {
        UnixMs(self.clock.now_ms())
    }

    pub(crate) fn post(&self) -> MutexGuard<'_, Post> {
        // A poisoned lock is taken all the same: its only state is a counter, so a request that
        // panicked left nothing half done.
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A submission that was stored, and the record that carries it on.
pub struct Taken {
    /// Digest of the text.
    pub digest: Digest,
    /// Record to publish; none when the same text was taken before and is on its way.
    pub record: Option<Record>,
}

/// An intent that was stored.
pub struct TakenIntent {
    pub(crate) row: TxRow,
    /// Record to publish; none when the same text was taken before and is on its way.
    pub record: Option<Record>,
}

impl TakenIntent {
    /// Digest of the intent.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.row.intent
    }
}

/// Why a submission was not stored.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A rule refuses it.
    #[error("refused")]
    Refused(#[from] Refusal),
    /// The store did not take it.
    #[error("the API's store")]
    Store(#[from] DbError),
    /// Its record could not be made.
    #[error("the record of a submission")]
    Record(#[from] StageError),
}

impl From<Code> for SubmitError {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}
