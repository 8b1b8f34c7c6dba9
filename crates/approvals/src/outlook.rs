//! The policy's early answer to an intent.

use crate::inbox::ParsedText;
use crate::pending::OutlookKind;
use strongroom_journal::apply::evaluate;
use strongroom_journal::follower::Follower;
use strongroom_journal::prospect::{FreshHead, Prospect};
use strongroom_journal::state::Lookup as _;
use strongroom_replica::SharedFollower;
use strongroom_types::{Code, Document as _, Intent, Refusal, UnixMs};
use strongroom_wire::Decided;

/// The policy's answer now. `apply` gives it again, at the entry's position, and that one counts.
pub(crate) struct Outlook {
    /// Canonical text of the decision core; empty when the policy was not asked.
    pub(crate) core: String,
    /// Pending, approved or refused.
    pub(crate) decided: Decided,
}

impl Outlook {
    /// Evaluates the same function that `apply` and every signer evaluate, on the replica's tip.
    /// `None` when nothing can be told: the journal holds an attempt of the intent, or its tip
    /// shows an end of it and no head is fresh.
    pub(crate) fn of(
        journal: &SharedFollower,
        intent: &ParsedText<Intent>,
        now: UnixMs,
    ) -> Option<Self> {
        let expires = intent.document.expires;
        let evaluated = journal.read(|follower| {
            // Until its time is over for good, the intent is evaluated as within its life: this
            // clock alone must not end what an entry with an older stamp could still authorize.
            let is_over = follower.past(now) >= expires;
            let at = if is_over {
                now
            } else {
                now.min(UnixMs(expires.0.saturating_sub(1)))
            };

            // The journal may hold an attempt of the intent, although this service has approved
            // none: a share may be out. This is asked first, because what refuses the intent by now
            // (a stop, a revocation) says nothing of that attempt.
            if may_be_authorized(follower, intent, now) {
                return None;
            }

            let at_tip = evaluate(follower.state(), follower.state(), &intent.signed, at);
            if !at_tip.as_ref().is_err_and(|refusal| is_end(refusal.code)) {
                return Some(at_tip);
            }
            // A client that is told of an end signs again, so an end that no quorum has seen is not
            // told.
            let head = FreshHead::of(follower, now).ok()?;
            Some(head.evaluate(&intent.signed, at))
        })?;

        // An intent that was refused before the policy was asked has no decision to show or to
        // approve.
        let decision = match evaluated {
            Ok(evaluated) => evaluated.decision,
            Err(refusal) => return Some(Self::refused(String::new(), refusal)),
        };

        // A blocked intent keeps its core: auditors see by which rule it was refused.
        let core = decision.core.to_text();
        Some(match decision.block {
            Some(refusal) => Self::refused(core, refusal),
            None => Self {
                core,
                decided: if decision.core.groups.is_empty() {
                    Decided::Approved
                } else {
                    Decided::Pending
                },
            },
        })
    }

    fn refused(core: String, Refusal { code, detail }: Refusal) -> Self {
        Self {
            core,
            decided: Decided::Refused(code, detail),
        }
    }

    pub(crate) const fn kind(&self) -> OutlookKind {
        match self.decided {
            Decided::Pending => OutlookKind::Waits,
            Decided::Approved => OutlookKind::Passes,
            Decided::Refused(..) => OutlookKind::Refused,
        }
    }
}

/// Whether the journal holds an attempt of the intent, or could have held one that is forgotten.
fn may_be_authorized(follower: &Follower, intent: &ParsedText<Intent>, now: UnixMs) -> bool {
    let document = &intent.document;
    let at_tip = follower.state().intent(document.tenant, &intent.digest);
    // Without a fresh head no time has passed for good, so that nothing is told of its end either.
    let head = FreshHead::of(follower, now);
    let at_head = head.and_then(|head| head.prospect(document, &intent.digest));
    !matches!(at_tip, Ok(None)) || matches!(at_head, Ok(Prospect::TooLate))
}

/// Whether a refusal says that the journal holds an end of the intent.
const fn is_end(code: Code) -> bool {
    matches!(code, Code::IntentCancelled | Code::IntentRejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each code, and by which head it is told: an end only by one that a quorum has seen.
    #[test]
    fn every_code_is_told_by_the_reviewed_head() {
        let mut table = format!("{:<29}{:<13}told by\n", "code", "cure");
        for code in Code::ALL {
            let (name, cure) = (code.as_str(), code.cure().name());
            let head = if is_end(*code) { "fresh head" } else { "tip" };
            table += &format!("{name:<29}{cure:<13}{head}\n");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/cures.txt");
        strongroom_golden::snapshot(path, &table);
    }
}
