//! The yeses of a decision so far, and whose turn it is. One set of rules for the API, which refuses
//! at once what cannot count, for the service that counts, and for the client that signs.

use super::approvals::{
    Ballot, KEY_MISSING, Seat, VerifiedApproval, check_approval, check_for_any_group, is_same_set,
    needs_key,
};
use crate::state::{Lookup as _, View};
use std::collections::BTreeSet;
use std::ops::Range;
use strongroom_types::{Approval, Code, CredentialClass, DecisionCore, Digest, Refusal, Signed};

/// The groups whose members may say yes next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Turn {
    /// Indices into the decision's groups.
    pub groups: Range<usize>,
    /// Digests that such a yes names, in ascending order.
    pub after: Vec<Digest>,
}

/// The turn after these yeses, as a client sees it, which has no journal; `None` when every group of
/// an ordered decision has its number.
#[must_use]
pub fn turn(core: &DecisionCore, yeses: &[(Digest, Approval)]) -> Option<Turn> {
    seat(core, yeses.len(), |_, index, after| {
        let (digest, approval) = yeses.get(index)?;
        is_same_set(&approval.after, after).then_some(*digest)
    })
    .turn
}

/// The yeses that have a seat in an ordered decision, and the turn after them.
struct Seating {
    /// Indices of the yeses, in the order of the groups.
    seats: Vec<usize>,
    turn: Option<Turn>,
}

/// Fills group after group. `may_fill` gives the digest of a yes (second) that counts for a group
/// (first) after those of all earlier ones (third).
fn seat(
    core: &DecisionCore,
    yeses: usize,
    may_fill: impl Fn(usize, usize, &[Digest]) -> Option<Digest>,
) -> Seating {
    if !core.ordered {
        // A decision without order always has a turn, also when there are enough by number: one of
        // them may have left its group since, or all of them lack the class that the tier asks for.
        let turn = Turn {
            groups: 0..core.groups.len(),
            after: Vec::new(),
        };
        return Seating {
            seats: (0..yeses).collect(),
            turn: Some(turn),
        };
    }

    let (mut seats, mut after) = (Vec::new(), Vec::<Digest>::new());
    for (group, need) in core.groups.iter().enumerate() {
        // The yeses are taken by digest and not by time, because every reader must seat the same
        // ones.
        let mut found: Vec<(Digest, usize)> = (0..yeses)
            .filter_map(|index| Some((may_fill(group, index, &after)?, index)))
            .collect();
        found.sort_unstable();
        found.truncate(need.approvals as usize);

        seats.extend(found.iter().map(|(_, index)| *index));
        if found.len() < need.approvals as usize {
            let turn = Turn {
                groups: group..group.saturating_add(1),
                after,
            };
            return Seating {
                seats,
                turn: Some(turn),
            };
        }
        after.extend(found.iter().map(|(digest, _)| *digest));
        after.sort_unstable();
    }
    Seating { seats, turn: None }
}

/// A yes that counts now.
pub struct CountedYes {
    /// The approval as it was signed.
    pub signed: Signed,
    /// Credential and human. Its group is one of those that the human is in.
    pub verified: VerifiedApproval,
    /// Digests of the yeses that it follows.
    after: Vec<Digest>,
}

/// The yeses to a decision, seen with a state of the journal.
pub struct Tally<'a> {
    view: &'a dyn View,
    ballot: Ballot<'a>,
    counted: Vec<CountedYes>,
    turn: Option<Turn>,
}

impl<'a> Tally<'a> {
    /// Counts those of `answers` that count at the ballot's time: one per human, of an ordered
    /// decision those that have a seat.
    pub fn new(
        view: &'a dyn View,
        ballot: Ballot<'a>,
        answers: impl IntoIterator<Item = Signed>,
    ) -> Self {
        let mut counted: Vec<CountedYes> = answers
            .into_iter()
            .filter_map(|signed| {
                let approval = signed.open::<Approval>().ok()?.0;
                // An answer that does not count now is left out: its credential may be revoked
                // since, its time over, or its human gone.
                let verified = check_for_any_group(view, &ballot, &signed, &approval).ok()?;
                Some(CountedYes {
                    signed,
                    verified,
                    after: approval.after,
                })
            })
            .collect();

        // Yeses by `key` come first: where a tier asks for one, another yes of the same human must
        // not hide it.
        counted.sort_by_key(|yes| {
            (
                yes.verified.class != CredentialClass::Key,
                yes.verified.digest,
            )
        });
        let mut humans = BTreeSet::new();
        counted.retain(|yes| humans.insert(yes.verified.relied.user));

        let seating = seat(ballot.core, counted.len(), |group, index, after| {
            let (need, yes) = (ballot.core.groups.get(group)?, counted.get(index)?);
            let user = yes.verified.relied.user;
            let is_member = view.in_group(ballot.tenant, need.group, user);
            let fits = is_member.unwrap_or(false) && is_same_set(&yes.after, after);
            fits.then_some(yes.verified.digest)
        });

        let mut by_index: Vec<Option<CountedYes>> = counted.into_iter().map(Some).collect();
        let seats = seating.seats.iter();
        Self {
            view,
            ballot,
            counted: seats
                .filter_map(|index| by_index.get_mut(*index)?.take())
                .collect(),
            turn: seating.turn,
        }
    }

    /// The yeses that count: of an ordered decision in the order of its groups, else those by class
    /// `key` first.
    #[must_use]
    pub fn counted(&self) -> &[CountedYes] {
        &self.counted
    }

    /// Checks a yes that is to come next.
    ///
    /// # Errors
    /// Why it does not count, or would leave the decision without the rest that it needs.
    pub fn check(&self, signed: &Signed) -> Result<VerifiedApproval, Refusal> {
        let (approval, _) = signed.open::<Approval>()?;
        let turn = self.turn.as_ref().ok_or_else(|| {
            Refusal::new(
                Code::ApprovalOutOfOrder,
                "every group has all its approvals",
            )
        })?;

        let verified = self.check_turn(turn, signed).map_err(|refusal| {
            // A member of another group answers out of turn, and is told so: that they are not in
            // the group whose turn it is would explain nothing.
            let is_member = check_for_any_group(self.view, &self.ballot, signed, &approval).is_ok();
            if refusal.code == Code::ApprovalNotEligible && is_member {
                let detail = "an earlier group has not approved yet, or this one is full";
                return Refusal::new(Code::ApprovalOutOfOrder, detail);
            }
            refusal
        })?;

        self.check_last_key(&verified)?;
        Ok(verified)
    }

    fn check_turn(&self, turn: &Turn, signed: &Signed) -> Result<VerifiedApproval, Refusal> {
        let needs = self.ballot.core.groups.get(turn.groups.clone());
        let mut refusal = Refusal::from(Code::ApprovalNotEligible);
        for need in needs.unwrap_or_default() {
            let seat = Seat {
                group: need.group,
                after: &turn.after,
            };
            match check_approval(self.view, &self.ballot, &seat, signed) {
                Ok(verified) => return Ok(verified),
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    /// In an ordered decision no further yes can come after the last one: it must not be one that
    /// leaves a strong tier without its approval by `key`.
    fn check_last_key(&self, next: &VerifiedApproval) -> Result<(), Refusal> {
        let core = self.ballot.core;
        let needed: usize = core.groups.iter().map(|need| need.approvals as usize).sum();
        let is_last = core.ordered && self.counted.len().saturating_add(1) == needed;
        let mut all = self.counted.iter().map(|yes| &yes.verified).chain([next]);
        if is_last && needs_key(core) && !all.any(|yes| yes.class == CredentialClass::Key) {
            return Err(Refusal::new(Code::ApprovalMissing, KEY_MISSING));
        }
        Ok(())
    }
}
