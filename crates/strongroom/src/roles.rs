//! The roles, and the order in which they start: one file per role says what it is made of.

mod api;
mod approvals;
mod coordinator;
mod link;
mod transactions;
mod writer;

pub use crate::role_name::RoleName;
pub use crate::sockets::{seats, socket_path};

use crate::exit::{RunError, with_causes};
use crate::parts::Parts;
use crate::supervise::{Ended, StageRun, Supervisor, now};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use strongroom_replica::Feed;
use strongroom_stage::StopFlag;

/// Longest wait of the replica's feed before it looks at the stop flag.
const FEED_WAIT: Duration = Duration::from_millis(250);

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
                // A replica that has stopped, because the journal forked say, never goes on.
                let has_halted = journal.read(|f| f.halted().is_some());
                return if has_halted {
                    Ended::for_good(&error)
                } else {
                    Ended::MayPass(with_causes(&error))
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
        on_open: Box::new(|| {}),
        on_progress: Box::new(|| {}),
    })
}
