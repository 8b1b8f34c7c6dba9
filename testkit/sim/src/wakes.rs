//! When each node is due.

use crate::kinds::NodeName;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle to the moments at which nodes want their next step.
#[derive(Clone)]
pub(crate) struct Wakes(Arc<Mutex<[u64; NodeName::ALL.len()]>>);

impl Wakes {
    /// Every node is due at the start.
    pub(crate) fn new(start_ms: u64) -> Self {
        Self(Arc::new(Mutex::new([start_ms; NodeName::ALL.len()])))
    }

    fn due(&self) -> MutexGuard<'_, [u64; NodeName::ALL.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a node due no later than then.
    pub(crate) fn wake_by(&self, node: NodeName, at: u64) {
        let due = &mut self.due()[node.at()];
        *due = (*due).min(at);
    }

    /// The node that is due first, and when.
    pub(crate) fn first(&self) -> (NodeName, u64) {
        let due = self.due();

        // Of several at one moment the first of the list: a rule, so that a replay is exact.
        let by_time = |node: &NodeName| due[node.at()];
        let all = NodeName::ALL.iter().copied();
        let node = all.min_by_key(by_time).unwrap();
        (node, due[node.at()])
    }

    /// The node gets its step now, and is not due until something wakes it.
    pub(crate) fn clear(&self, node: NodeName) {
        self.due()[node.at()] = u64::MAX;
    }
}
