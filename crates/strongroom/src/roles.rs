//! The roles, and the order in which they start: one file per role says what it is made of.

mod api;
mod approvals;
mod coordinator;
mod link;
mod transactions;
mod writer;

pub use link::{seats, socket_path};

use crate::exit::{RunError, with_causes};
use crate::parts::Parts;
use crate::supervise::{Ended, StageRun, Supervisor, now};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use strongroom_replica::Feed;
use strongroom_stage::StopFlag;

/// Longest wait of the replica's feed before it looks at the stop flag.
const FEED_WAIT: Duration = Duration::from_millis(250);

/// A role that a process can run. Ordered as they start: without links no witness answers, without
/// the writer there is no head, and without a fresh head no other role works.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RoleName {
    /// Carries records to and from the sockets of signers and witnesses.
    Link,
    /// Orders and publishes the journal's entries.
    Writer,
    /// Evaluates policy early and collects approvals.
    Approvals,
    /// Runs signing sessions and ceremonies.
    Coordinator,
    /// Builds, submits, assembles and broadcasts.
    Transactions,
    /// Serves REST.
    Api,
}

impl RoleName {
    /// All roles, in the order in which they start.
    pub const ALL: [Self; 6] = [
        Self::Link,
        Self::Writer,
        Self::Approvals,
        Self::Coordinator,
        Self::Transactions,
        Self::Api,
    ];

    /// Its name in configurations, folders and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Writer => "writer",
            Self::Approvals => "approvals",
            Self::Coordinator => "coordinator",
            Self::Transactions => "transactions",
            Self::Api => "api",
        }
    }

    /// Has keys and a database. A link has neither: it is trusted with nothing.
    #[must_use]
    pub const fn is_service(self) -> bool {
        match self {
            Self::Link => false,
            Self::Writer | Self::Approvals | Self::Coordinator | Self::Transactions | Self::Api => {
                true
            }
        }
    }

    /// Reads the process's shared replica. The writer has its own, and a link needs none.
    const fn reads_replica(self) -> bool {
        match self {
            Self::Link | Self::Writer => false,
            Self::Approvals | Self::Coordinator | Self::Transactions | Self::Api => true,
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not a role's.
#[derive(Debug, thiserror::Error)]
#[error("unknown role `{0}`; roles are link, writer, approvals, coordinator, transactions, api")]
pub struct UnknownRole(String);

impl FromStr for RoleName {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Context of a start: parts, threads, and the bus's age.
pub(crate) struct Starting<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) supervisor: &'a mut Supervisor,
    /// The bus was lost and is new: positions on the old one mean nothing.
    pub(crate) new_bus: bool,
    /// Address of the API, once it listens.
    pub(crate) address: Option<SocketAddr>,
}

/// Starts roles in their order.
pub(crate) fn start_all(
    starting: &mut Starting<'_>,
    roles: impl Iterator<Item = RoleName> + Clone,
) -> Result<(), RunError> {
    // This starts before the roles: each of them waits for a fresh head of this replica.
    if roles.clone().any(RoleName::reads_replica) {
        feed_replica(starting);
    }
    for role in roles {
        // Positions name the lost bus, and the new one refuses them.
        if starting.new_bus && role.is_service() {
            let db = &starting.parts.service(role)?.db;
            strongroom_stage::forget_positions(db.as_ref(), role.name())
                .map_err(|source| RunError::Store { role, source })?;
        }

        match role {
            RoleName::Link => link::start(starting)?,
            RoleName::Writer => writer::start(starting)?,
            RoleName::Approvals => approvals::start(starting)?,
            RoleName::Coordinator => coordinator::start(starting)?,
            RoleName::Transactions => transactions::start(starting)?,
            RoleName::Api => api::start(starting)?,
        }
    }
    Ok(())
}

/// Replays the journal into the replica that the services of this process share.
fn feed_replica(starting: &mut Starting<'_>) {
    let (bus, journal) = (
        Arc::clone(&starting.parts.bus),
        Arc::clone(&starting.parts.journal),
    );
    starting.supervisor.repeat("feed", move |stop: &StopFlag| {
        // Reading begins at the oldest entries each time; the replica skips those that it has.
        let mut feed = match Feed::new(Arc::clone(&bus), Arc::clone(&journal)) {
            Ok(feed) => feed,
            Err(error) => return Ended::MayPass(with_causes(&error)),
        };

        while !stop.is_set() {
            if let Err(error) = feed.step(now, FEED_WAIT) {
                let why = with_causes(&error);
                // A replica that has stopped, because the journal forked say, never goes on.
                let has_halted = journal.read(|f| f.halted().is_some());
                return if has_halted {
                    Ended::ForGood(why)
                } else {
                    Ended::MayPass(why)
                };
            }
        }
        Ended::Stopped
    });
}

/// A service's stage, which waits for a fresh head and notifies no other part.
fn stage_of(parts: &Parts, role: RoleName) -> Result<StageRun, RunError> {
    Ok(StageRun {
        name: role.name(),
        db: Arc::clone(&parts.service(role)?.db),
        bus: Arc::clone(&parts.bus),
        after_fresh_head: Some(Arc::clone(&parts.journal)),
        before_start: None,
        on_open: Box::new(|| {}),
        on_progress: Box::new(|| {}),
    })
}
