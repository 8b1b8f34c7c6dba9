//! The answers that count, and whether they are enough.

use crate::assign::assign;
use crate::inbox::ParsedText;
use crate::store::{Pending, Yes};
use strongroom_journal::State;
use strongroom_journal::apply::{Ballot, Tally, check_approvals, initiator};
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Approval, Refusal, Signed, UnixMs, UserId};

/// An intent's answers so far, seen with a state of the journal.
pub(crate) struct BallotBox<'a> {
    /// This replica's tip.
    pub(crate) state: &'a State,
    /// The intent with the decision that is asked about.
    pub(crate) pending: &'a Pending,
    /// Every yes so far.
    pub(crate) yeses: &'a [Yes],
    /// Time at which they are counted.
    pub(crate) at: UnixMs,
}

impl BallotBox<'_> {
    /// The human behind an answer that counts for one of the decision's groups. The checks are
    /// those that `apply` makes.
    pub(crate) fn check(&self, answer: &ParsedText<Approval>) -> Result<UserId, Refusal> {
        let verified = self.tally()?.check(&answer.signed)?;
        Ok(verified.relied.user)
    }

    /// The approvals that complete the decision, in the order of its groups; `None` while people
    /// are missing.
    pub(crate) fn complete(&self) -> Option<Vec<Signed>> {
        let tally = self.tally().ok()?;
        let (core, counted) = (&self.pending.core, tally.counted());

        let approvals: Vec<Signed> = if core.ordered {
            counted.iter().map(|yes| yes.signed.clone()).collect()
        } else {
            let seats = assign(&core.groups, counted.len(), |group, index| {
                let (Some(need), Some(yes)) = (core.groups.get(group), counted.get(index)) else {
                    return false;
                };
                let (tenant, user) = (
                    self.pending.intent.document.tenant,
                    yes.verified.relied.user,
                );
                let member = self.state.in_group(tenant, need.group, user);
                member.unwrap_or(false)
            })?;
            let yeses = seats.iter().filter_map(|index| counted.get(*index));
            yeses.map(|yes| yes.signed.clone()).collect()
        };

        // The journal's own check decides: no one could mend what is published as approved here and
        // refused there to the end.
        let ballot = self.ballot().ok()?;
        check_approvals(self.state, &ballot, &approvals).ok()?;
        Some(approvals)
    }

    fn tally(&self) -> Result<Tally<'_>, Refusal> {
        let answers = self.yeses.iter().map(|yes| yes.answer.signed.clone());
        Ok(Tally::new(self.state, self.ballot()?, answers))
    }

    fn ballot(&self) -> Result<Ballot<'_>, Refusal> {
        let ParsedText {
            document: intent,
            signed,
            digest,
        } = &self.pending.intent;
        Ok(Ballot {
            platform: intent.platform,
            tenant: intent.tenant,
            intent: *digest,
            initiator: initiator(self.state, intent, signed, digest)?,
            core: &self.pending.core,
            at: self.at,
        })
    }
}
