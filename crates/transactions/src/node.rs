//! The chain's node, and how long its answers may take.

use std::sync::Arc;
use strongroom_ports::chain::{Broadcast, ChainGateway, Fact, GatewayError, Standing};
use strongroom_ports::host::Clock;
use strongroom_stage::StopFlag;

/// Time for the answers in one job of a tick, milliseconds. A tick holds the database, and a node
/// that is slow must not hold the payments of all tenants.
const JOB_MS: u64 = 1_000;

/// A node that is asked for as long as a job has time.
pub(crate) struct Node {
    gateway: Arc<dyn ChainGateway>,
    clock: Arc<dyn Clock>,
    stop: StopFlag,
    /// Duration of the answers in this job so far, milliseconds.
    spent_ms: u64,
}

impl Node {
    pub(crate) fn new(
        gateway: Arc<dyn ChainGateway>,
        clock: Arc<dyn Clock>,
        stop: StopFlag,
    ) -> Self {
        Self {
            gateway,
            clock,
            stop,
            spent_ms: 0,
        }
    }

    /// Begins a job, with time of its own: a job that uses all of it must not starve the others.
    pub(crate) fn begin_job(&mut self) {
        self.spent_ms = 0;
    }

    /// Whether the job may ask once more; what it does not come to waits for the next one. No
    /// question is begun once the process is to stop.
    pub(crate) fn has_time(&self) -> bool {
        self.spent_ms < JOB_MS && !self.stop.is_set()
    }

    pub(crate) fn facts(&mut self, addresses: &[String]) -> Result<Vec<Fact>, GatewayError> {
        self.timed(|gateway| gateway.facts(addresses))
    }

    pub(crate) fn broadcast(&mut self, signed: &[u8]) -> Result<Broadcast, GatewayError> {
        self.timed(|gateway| gateway.broadcast(signed))
    }

    pub(crate) fn standing(&mut self, transaction_id: &str) -> Result<Standing, GatewayError> {
        self.timed(|gateway| gateway.standing(transaction_id))
    }

    fn timed<T>(&mut self, ask: impl FnOnce(&dyn ChainGateway) -> T) -> T {
        let start_ms = self.clock.now_ms();
        let answer = ask(self.gateway.as_ref());

        // A clock that is set back in between counts nothing, and one that is set ahead ends the job
        // early: both pass with the next one.
        let took_ms = self.clock.now_ms().saturating_sub(start_ms);
        self.spent_ms = self.spent_ms.saturating_add(took_ms);
        answer
    }
}
