//! The writer's stage under the bound of [`clocks`](crate::clocks).

use crate::writer::{Round, Writer};
use strongroom_journal::follower::Follower;
use strongroom_ports::bus::{Delivered, Record, Topic};
use strongroom_ports::db::{Migration, Tx};
use strongroom_replica::MIGRATIONS;
use strongroom_stage::{Stage, StageError};
use strongroom_types::UnixMs;

/// Pause between two looks at the clock, milliseconds: often enough for a tick entry to come within
/// the age that witnesses accept.
const TICK_EVERY_MS: u64 = 1_000;

/// The writer as it ships: told no time that the witnesses' clocks do not bear out.
pub struct BoundedWriter(Writer);

impl BoundedWriter {
    /// Puts the bound before a writer.
    #[must_use]
    pub const fn new(writer: Writer) -> Self {
        Self(writer)
    }

    /// Its replica, once loaded.
    #[must_use]
    pub fn follower(&self) -> Option<&Follower> {
        self.0.follower()
    }

    /// The writer without the bound, which stamps the time that it is told. A hostile one does that:
    /// the simulation's has no other way to be one.
    pub const fn unbounded(&mut self) -> &mut Writer {
        &mut self.0
    }
}

impl Stage for BoundedWriter {
    fn name(&self) -> &'static str {
        "writer"
    }

    fn topics(&self) -> Vec<Topic> {
        self.0.topics()
    }

    fn migrations(&self) -> &'static [Migration] {
        MIGRATIONS
    }

    fn reload(&mut self, tx: &mut dyn Tx) -> Result<(), StageError> {
        self.0.reload(tx)
    }

    fn handle(
        &mut self,
        now_ms: u64,
        tx: &mut dyn Tx,
        batch: &[Delivered],
    ) -> Result<Vec<Record>, StageError> {
        // The witnesses' clocks are heard before the stamp is made: after a silence it would lag, and
        // with it the `witnessed` entry that this very batch may allow.
        let cosigned = self.0.hear(batch)?;

        // Deadlines are judged by the bounded time, too: under a clock that is ahead every submission
        // would be late, and a whole round would be refused for a fault of this machine.
        let round = Round {
            batch,
            cosigned,
            arrived: UnixMs(now_ms),
            stamp: self.0.clocks.stamp(UnixMs(now_ms)),
        };
        self.0.handle_round(tx, &round)
    }

    /// As the writer's own; asks the witnesses for the time when it is needed.
    fn tick(&mut self, now_ms: u64, tx: &mut dyn Tx) -> Result<Vec<Record>, StageError> {
        let clocks = &mut self.0.clocks;
        let (asks, stamp) = (clocks.asks(UnixMs(now_ms)), clocks.stamp(UnixMs(now_ms)));

        // The question goes out before a tick: a new batch would be the newest one, and witnesses say
        // nothing about a tip that has grown too old for them to cosign.
        let mut records = Vec::new();
        if asks {
            records.extend(self.0.newest_again(stamp, tx)?);
        }
        records.extend(self.0.tick(stamp.0, tx)?);
        Ok(records)
    }

    fn tick_every_ms(&self) -> u64 {
        TICK_EVERY_MS
    }

    fn takes(&self, now_ms: u64, topic: &Topic) -> bool {
        let stamp = self.0.clocks.stamp(UnixMs(now_ms));
        self.0.takes(stamp.0, topic)
    }
}
