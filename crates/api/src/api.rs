//! The API behind its handlers.

use crate::access::{Access, Keyring};
use crate::follow::Changes;
use crate::mirror::{Look, Mirror};
use crate::problem::Problem;
use crate::ready::Ready;
use crate::submit::Intake;
use axum::http::HeaderMap;
use std::sync::{Arc, Mutex};
use strongroom_ports::bus::{Bus, BusError, Record};
use strongroom_ports::chain::ChainCodec;
use strongroom_ports::db::Db;
use strongroom_ports::host::Clock;
use strongroom_replica::SharedFollower;
use strongroom_stage::post::Post;
use strongroom_types::{Code, UnixMs};

/// Parts that the API is made of.
pub struct ApiParts {
    /// Its database, shared with its stage.
    pub db: Arc<dyn Db>,
    /// Bus on which submissions are published, and from which the mirror reads.
    pub bus: Arc<dyn Bus>,
    /// Replica that submissions are checked against.
    pub journal: Arc<SharedFollower>,
    /// Codecs of the chains it derives addresses for.
    pub codecs: Vec<Arc<dyn ChainCodec>>,
    /// Signing identity on the bus.
    pub post: Post,
    /// Hashes of the bearer keys, with the tenants they reach.
    pub keyring: Keyring,
    /// This machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Wakes waiting requests.
    pub changes: Changes,
    /// Whether requests are answered.
    pub ready: Ready,
}

/// The API's state behind its handlers.
pub struct Api {
    pub(crate) intake: Intake,
    pub(crate) changes: Changes,
    bus: Arc<dyn Bus>,
    keyring: Keyring,
    mirror: Mirror,
    pub(crate) ready: Ready,
}

impl Api {
    /// The API's state from its parts.
    #[must_use]
    pub fn new(parts: ApiParts) -> Arc<Self> {
        Arc::new(Self {
            intake: Intake {
                db: parts.db,
                journal: parts.journal,
                codecs: parts.codecs,
                clock: parts.clock,
                post: Mutex::new(parts.post),
            },
            changes: parts.changes,
            bus: parts.bus,
            keyring: parts.keyring,
            mirror: Mirror::default(),
            ready: parts.ready,
        })
    }

    pub(crate) fn now(&self) -> UnixMs {
        self.intake.now()
    }

    pub(crate) fn db(&self) -> &dyn Db {
        self.intake.db.as_ref()
    }

    pub(crate) fn journal(&self) -> &SharedFollower {
        &self.intake.journal
    }

    /// Bad credentials are 401, never an empty list.
    pub(crate) fn access(&self, headers: &HeaderMap) -> Result<Access, Problem> {
        let presented = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        self.keyring
            .who(presented)
            .ok_or_else(|| Problem::from(Code::Unauthenticated))
    }

    /// The mirror of the journal, caught up with the bus.
    pub(crate) fn look(&self) -> Result<Look<'_>, Problem> {
        let genesis = self.journal().read(|f| Arc::clone(f.genesis()));
        self.mirror.look(&genesis, self.db(), self.bus.as_ref())
    }

    /// Publishes what was stored; a record that is lost here is sent again by the stage.
    pub(crate) fn publish(&self, record: Option<Record>) -> Result<(), Problem> {
        let Some(record) = record else {
            return Ok(());
        };
        match self.bus.publish(&[record]) {
            Ok(()) => Ok(()),
            // No body within its bounds makes a record this large (docs/adr/0014). The stage could
            // not send it either, so the client must not be told that it is on its way.
            Err(error @ BusError::TooLarge { .. }) => {
                Err(Problem::new(Code::RecordTooLarge, error))
            }
            Err(error) => {
                // 202 stays true: the row is committed, and the stage sends what has no answer.
                tracing::warn!(%error, "publish; the stage will send it again");
                Ok(())
            }
        }
    }
}
