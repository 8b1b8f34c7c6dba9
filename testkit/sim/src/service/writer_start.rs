//! The start of the writer, which asks its topic and the witnesses whether its database is behind.

use super::Service;
use crate::hostile::HostileWriter;
use std::sync::Arc;
use strongroom_replica::journal_topics;
use strongroom_stage::{Stage, StopFlag};
use strongroom_writer::{BoundedWriter, Start, StartCheck, StartError, StartParts, Writer};

impl Service {
    /// The writer's start, which asks topic and witnesses whether its database is behind.
    pub(super) fn start_writer(&mut self) -> Result<(), String> {
        if let Some(newest) = self.newest.as_ref().filter(|_| self.orders_on) {
            self.unchecked = Some(self.disk.copy());
            self.disk.put(newest);
        }

        // The shipped check in the shipped order; simulated is only what topic and witnesses
        // answer.
        let parts = StartParts {
            stop: StopFlag::new(),
            genesis: Arc::clone(&self.rig.world.genesis),
            db: self.disk.clone(),
            bus: self.bus.clone(),
            post: self.post(),
            entropy: self.entropy.clone(),
        };
        for topic in journal_topics(&parts.genesis).unwrap() {
            self.rig.wire.subscribe(self.node, &topic);
        }

        let seed = self.rig.world.log_key.to_bytes();
        let check = StartCheck::open(parts, &seed, self.own_time());
        self.starting = Some(check.map_err(|error| self.not_started(&error))?);
        Ok(())
    }

    /// Goes on with the writer's start; the stage runs once it is ready.
    pub(super) fn check_start(&mut self, mut check: StartCheck) -> Result<(), String> {
        match check.step(self.own_time()) {
            Ok(Start::Waits) => {
                self.starting = Some(check);
                Ok(())
            }
            Ok(Start::Ready(ready)) => {
                self.put_unchecked();

                let seed = self.rig.world.log_key.to_bytes();
                let writer = Writer::new(ready, &seed, self.post(), self.entropy.clone());
                let stage = self.writer_stage(BoundedWriter::new(writer.unwrap()));
                self.run(stage, None)
            }
            Err(error) if error.is_transient() => {
                self.starting = Some(check);
                Ok(())
            }
            Err(error) => Err(self.not_started(&error)),
        }
    }

    fn writer_stage(&self, honest: BoundedWriter) -> Box<dyn Stage> {
        // A plan without moves runs the shipped stage itself, and not a wrapper that does nothing.
        let parts = self.rig.hostile.clone();
        if !parts.has_moves() {
            return Box::new(honest);
        }
        let world = self.rig.world.clone();
        Box::new(HostileWriter::new(honest, parts, world))
    }

    fn not_started(&mut self, error: &StartError) -> String {
        if !error.proves_restore() {
            return format!("start: {error}");
        }

        // It must not order on. The operator finds the newest disk. Without a newer one the proof
        // would be wrong: the code says so, and the summary counts it.
        match self.newest.take() {
            None => format!("unexpected: {error}"),
            Some(newest) => {
                self.disk.put(&newest);
                "writer_database_behind".into()
            }
        }
    }
}
