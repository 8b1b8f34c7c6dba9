//! The proof that a writer's start was checked.

use crate::clocks::WitnessClocks;
use std::sync::Arc;
use strongroom_journal::Genesis;

/// A start whose database is not behind: without one there is no [`Writer`](crate::Writer).
#[derive(Debug)]
pub struct ReadyStart {
    pub(crate) genesis: Arc<Genesis>,
    /// The witnesses' clocks, as their answers showed them.
    pub(crate) clocks: WitnessClocks,
}
