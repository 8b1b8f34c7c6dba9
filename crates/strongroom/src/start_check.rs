//! The check before each start of the writer: its database must not be behind what the topic and
//! the witnesses have seen.

use crate::exit::with_causes;
use crate::parts::Service;
use crate::secrets::Seed;
use crate::supervise::{Ended, now};
use anyhow::Context as _;
use std::sync::Arc;
use std::time::Duration;
use strongroom_host::SystemEntropy;
use strongroom_journal::Genesis;
use strongroom_ports::bus::Bus;
use strongroom_stage::StopFlag;
use strongroom_writer::{ReadyStart, Start, StartCheck, StartError, StartParts};

/// Pause between two looks for the witnesses' answers.
const START_POLL: Duration = Duration::from_millis(10);
/// A start that waits for longer says so in the log, once.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// Parts of the check before each start of the stage.
pub(crate) struct CheckedStart {
    pub(crate) service: Arc<Service>,
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) bus: Arc<dyn Bus>,
}

impl CheckedStart {
    /// Waits until topic and witnesses say that the database is not behind; fails with an end when
    /// the stage must not start.
    pub(crate) fn wait(&self, stop: &StopFlag) -> Result<ReadyStart, Ended> {
        let mut check = self.open(stop)?;

        let (mut waited, mut named) = (Duration::ZERO, String::new());
        loop {
            match check.step(now()) {
                Ok(Start::Ready(ready)) => return Ok(ready),
                Ok(Start::Waits) => {}
                // It is logged once: the same bus or database is asked a hundred times per second.
                Err(error) if error.is_transient() => {
                    let why = with_causes(&error);
                    if why != named {
                        tracing::warn!("{why}; the start's check goes on");
                        named = why;
                    }
                }
                Err(error) => return Err(Ended::for_good(&error)),
            }

            // `==` and not `>=`: the warning is logged once.
            if waited == START_PATIENCE {
                let (level, needed) = check.level();
                tracing::warn!(
                    level,
                    needed,
                    "nothing is appended before enough witnesses have answered: do they run?"
                );
            }
            if stop.wait(START_POLL) {
                return Err(Ended::Stopped);
            }
            waited += START_POLL;
        }
    }

    fn open(&self, stop: &StopFlag) -> Result<StartCheck, Ended> {
        let log = log_key(&self.service).map_err(|e| Ended::for_good(e.as_ref()))?;
        let parts = StartParts {
            genesis: Arc::clone(&self.genesis),
            db: Arc::clone(&self.service.db),
            bus: Arc::clone(&self.bus),
            post: self.service.post(),
            entropy: Arc::new(SystemEntropy),
            stop: stop.clone(),
        };
        StartCheck::open(parts, log, now()).map_err(|error: StartError| {
            if matches!(error, StartError::Stopped) {
                return Ended::Stopped;
            }
            if error.is_transient() {
                Ended::MayPass(with_causes(&error))
            } else {
                Ended::for_good(&error)
            }
        })
    }
}

/// Seed of the key that signs the log's checkpoints.
pub(crate) fn log_key(service: &Service) -> anyhow::Result<&Seed> {
    let key = service.secrets.held.log_key();
    key.context("the writer's secrets hold no log key")
}
