//! The order in which the submissions of a round are offered to the journal.
//!
//! Each scope has its turn: one that submits a thousand at once gets one entry in before the next
//! scope's first, not a thousand. Tightenings and the platform's own come before all others, by turns
//! as well: an incident is not a reason to wait for payments.

use crate::submitted::Submitted;
use std::collections::BTreeMap;
use strongroom_journal::writer::Offer;
use strongroom_types::Scope;

/// Puts submissions into their turns. Those of one scope and urgency keep their order, so that what
/// its sender sent first is judged first.
pub(crate) fn in_turn(submitted: Vec<Submitted>) -> Vec<Submitted> {
    let mut taken: BTreeMap<(bool, Scope), u32> = BTreeMap::new();
    let mut placed: Vec<_> = submitted
        .into_iter()
        .map(|submitted| {
            let (waits, scope) = match &submitted {
                Submitted::Offered(_, offer) => (!is_urgent(offer), offer.scope),
                // A refused submission is only answered, and takes no one's turn.
                Submitted::Refused(..) => return ((true, u32::MAX), submitted),
            };
            let turn = taken.entry((waits, scope)).or_default();
            *turn += 1;
            ((waits, *turn), submitted)
        })
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, submitted)| submitted).collect()
}

/// Whether an offer goes before payments and loosenings of tenants. The body's own words decide: a
/// false one is refused like any other, and has cost no other scope its turn.
fn is_urgent(offer: &Offer) -> bool {
    offer.scope == Scope::Platform || offer.body.is_tightening()
}
