//! Which answers count, and whether they are enough.

use crate::assign::assign;
use crate::inbox::ParsedText;
use crate::store::{Pending, Yes};
use strongroom_journal::State;
use strongroom_journal::apply::{Ballot, Seat, check_approval, initiator};
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Approval, Code, Digest, GroupNeed, Refusal, Signed, UnixMs, UserId};

/// An intent's answers so far, seen with a state of the journal.
pub(crate) struct BallotBox<'a> {
    /// This replica's tip.
    pub(crate) state: &'a State,
    /// The intent with the decision that is asked about.
    pub(crate) pending: &'a Pending,
    /// Every yes so far, one per human.
    pub(crate) yeses: &'a [Yes],
}

impl BallotBox<'_> {
    /// The human behind an answer that counts for one of the decision's groups. The checks are
    /// those that `apply` makes.
    pub(crate) fn check(
        &self,
        answer: &ParsedText<Approval>,
        now: UnixMs,
    ) -> Result<UserId, Refusal> {
        let ParsedText {
            document: intent,
            signed,
            digest,
        } = &self.pending.intent;
        let initiator = initiator(self.state, intent, signed, digest)?;
        let ballot = Ballot {
            platform: intent.platform,
            tenant: intent.tenant,
            intent: *digest,
            initiator,
            core: &self.pending.core,
            at: now,
        };

        // A human may be in several groups: the first one that takes the answer will do.
        let mut refusal = Refusal::from(Code::ApprovalNotEligible);
        for (index, need) in self.needs().iter().enumerate() {
            let verified = self.predecessors(index).and_then(|after| {
                let seat = Seat {
                    group: need.group,
                    after: &after,
                };
                check_approval(self.state, &ballot, &seat, &answer.signed)
            });
            match verified {
                Ok(verified) => return Ok(verified.relied.user),
                // That they are not in some other group explains nothing.
                Err(why) if refusal.code == Code::ApprovalNotEligible => refusal = why,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// The approvals that complete the decision, in the order of its groups; `None` while people
    /// are missing.
    pub(crate) fn complete(&self) -> Option<Vec<Signed>> {
        let seats = self.seats(self.needs())?;
        let yeses = seats.iter().filter_map(|index| self.yeses.get(*index));
        Some(yeses.map(|yes| yes.answer.signed.clone()).collect())
    }

    /// Digests that a yes of this group must name. In an ordered decision it continues the yeses of
    /// all earlier groups, so one that was given too early, or to a full group, would spoil the
    /// chain that the journal checks.
    fn predecessors(&self, group: usize) -> Result<Vec<Digest>, Refusal> {
        if !self.pending.core.ordered {
            return Ok(Vec::new());
        }

        let needs = self.needs();
        if self.seats(needs.get(..=group).unwrap_or(needs)).is_some() {
            return Err(Refusal::new(
                Code::ApprovalOutOfOrder,
                "the group has all its approvals",
            ));
        }

        let Some(seats) = self.seats(needs.get(..group).unwrap_or(needs)) else {
            return Err(Refusal::new(
                Code::ApprovalOutOfOrder,
                "an earlier group has not approved yet",
            ));
        };
        let yeses = seats.iter().filter_map(|index| self.yeses.get(*index));
        Ok(yeses.map(|yes| yes.answer.digest).collect())
    }

    /// For each seat of these groups, the yes that fills it.
    fn seats(&self, needs: &[GroupNeed]) -> Option<Vec<usize>> {
        let tenant = self.pending.intent.document.tenant;
        assign(needs, self.yeses.len(), |group, index| {
            let (Some(need), Some(yes)) = (needs.get(group), self.yeses.get(index)) else {
                return false;
            };
            // In an ordered decision the number of yeses it continues says for which group it was
            // given, even when its human is in several.
            let earlier: usize = needs
                .iter()
                .take(group)
                .map(|need| need.approvals as usize)
                .sum();

            let in_place = !self.pending.core.ordered || yes.answer.document.after.len() == earlier;
            let member = self.state.in_group(tenant, need.group, yes.person);
            in_place && member.unwrap_or(false)
        })
    }

    fn needs(&self) -> &[GroupNeed] {
        &self.pending.core.groups
    }
}
