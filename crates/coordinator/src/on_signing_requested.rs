//! `signing.requested`: a transaction to sign.

use crate::run::Run;
use crate::stage::{CoordinatorStage, Records};
use strongroom_stage::post::Cause;
use strongroom_types::UnixMs;
use strongroom_wire::SigningRequested;

impl CoordinatorStage {
    /// Starts a run, unless the same transaction is under way already.
    pub(crate) fn on_signing_requested(
        &mut self,
        now: UnixMs,
        request: SigningRequested,
        cause: Cause,
    ) -> Records {
        // A late request is not served: the requester has stopped waiting, and asks again if it
        // must.
        if now >= cause.deadline {
            return Ok(Vec::new());
        }

        // The same transaction again is a reminder, and its quorum is busy. Another one for the
        // same attempt (its anchor was taken) replaces the run: the old one cannot be signed.
        let run = Run::new(request, cause, now);
        let name = run.name();
        let is_reminder = self
            .runs
            .get(&name)
            .is_some_and(|known| known.request.unsigned == run.request.unsigned);
        if is_reminder {
            return Ok(Vec::new());
        }

        self.runs.insert(name, run);
        self.advance(now, name)
    }
}
