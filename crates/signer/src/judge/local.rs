//! Whether this machine may act at all.

use super::Judge;
use super::case::Case;
use crate::verdict::CheckEnd;
use strongroom_guard::{G, guard};
use strongroom_journal::share::ShareRequest;
use strongroom_types::{Code, Refusal};

impl Judge<'_> {
    /// Nothing on this machine forbids acting at all. Asked before every use of a key share, not
    /// only before a signature.
    pub(crate) fn may_act(&self) -> Result<(), Refusal> {
        self.is_in_service()?;
        self.is_not_retired()?;
        self.is_following()
    }

    fn is_in_service(&self) -> Result<(), Refusal> {
        // The operator sets this mark and alone removes it: nothing in the journal undoes it.
        if guard(G::LocalStop, self.stopped) {
            return Err(Code::StoppedLocally.into());
        }
        Ok(())
    }

    fn is_not_retired(&self) -> Result<(), Refusal> {
        // A retired machine may have cosigned, or shared, more than this disk remembers.
        if self.retired {
            return Err(Code::SignerRetired.into());
        }
        Ok(())
    }

    fn is_following(&self) -> Result<(), Refusal> {
        self.follower.halted().cloned().map_or(Ok(()), Err)
    }
}

/// The operator's stop binds whatever the journal says.
pub(super) fn not_stopped(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    Ok(case.judge.is_in_service()?)
}

/// A machine that has lost its memory follows and refuses, permanently.
pub(super) fn not_retired(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    Ok(case.judge.is_not_retired()?)
}

/// A replica stops at the first thing that cannot be; what it held before proves nothing then.
pub(super) fn replica_follows(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    Ok(case.judge.is_following()?)
}

/// The question to the journal names this signer, so that it can say no to one of them.
pub(super) fn holds_shares(case: &mut Case<'_>) -> Result<(), CheckEnd> {
    let request = case.request;
    case.asked = Some(ShareRequest {
        tenant: request.tenant,
        intent: request.intent,
        attempt: request.attempt,
        signer: case.judge.identity.index()?,
        now: case.now,
    });
    Ok(())
}
