//! Whether a key generation may be joined.

use super::Judge;
use crate::keys::KeyName;
use crate::verdict::CheckEnd;
use strongroom_guard::{G, guard, kept};
use strongroom_journal::View;
use strongroom_journal::apply::ceremony::check_open;
use strongroom_journal::model::KeyRecord;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::state::Lookup as _;
use strongroom_types::{Code, Refusal, UnixMs};

impl Judge<'_> {
    /// The key's record, if the committee released its ceremony: at the fresh witnessed head, and
    /// with nothing against it at this signer's tip or in what was handed over.
    pub(crate) fn judge_ceremony(&self, name: KeyName, now: UnixMs) -> Result<KeyRecord, CheckEnd> {
        let index = self.identity.index()?;
        let head = self.acting_head(now)?;

        // Only a witnessed release counts: else a fork could have a key made that no committee
        // asked for.
        let at_head = kept!(
            G::CeremonyWitnessed,
            approved(&self.follower.head_view(head)?, name, index),
            instead approved(self.follower.state(), name, index),
        );
        let key = at_head.map_err(|refusal| self.release_may_come(name, refusal))?;

        self.may_go_on(name)?;
        Ok(key)
    }

    /// Nothing at this signer's tip, or in what was handed over, forbids a run of the key's ceremony:
    /// an end, a revocation or a quarantine counts at once, witnessed or not.
    pub(crate) fn may_go_on(&self, name: KeyName) -> Result<(), Refusal> {
        let (tip, index) = (self.follower.state(), self.identity.index()?);
        if let Err(refusal) = approved(tip, name, index)
            && guard(G::TipCounts, true)
        {
            return Err(refusal);
        }
        for delta in self.handed {
            if let Err(why) = approved(&Overlay::new(tip).with(delta), name, index)
                && guard(G::HandedCounts, true)
            {
                return Err(Refusal::new(Code::TighteningPending, why));
            }
        }
        Ok(())
    }

    /// A release that is not below the head may still come, unless the tip shows that the ceremony
    /// is over.
    fn release_may_come(&self, name: KeyName, refusal: Refusal) -> CheckEnd {
        if refusal.code != Code::CeremonyNotApproved {
            return CheckEnd::Refuse(refusal);
        }

        match self.follower.state().threshold_key(name.0, name.1) {
            Ok(key) if key.public.is_some() || key.revoked => CheckEnd::Refuse(refusal),
            Ok(_) | Err(_) => CheckEnd::Wait(refusal),
        }
    }
}

/// The key's ceremony is released, unfinished, and this signer is in its roster.
fn approved(view: &dyn View, name: KeyName, index: u16) -> Result<KeyRecord, Refusal> {
    let no = |what: &str| Refusal::new(Code::CeremonyNotApproved, format!("{}: {what}", name.1));
    let found = view.threshold_key(name.0, name.1);
    #[cfg(mutants)]
    let found = found.or_else(|why| unreleased(view, name, why));
    let key = match found {
        Err(why) if why.code == Code::UnknownKey => return Err(no("no committee released it")),
        // A record that does not decode is a damaged store: that it waited for a release would hide
        // it for as long as the ceremony lives.
        found => found?,
    };

    // A second result under the same name would replace the key that addresses derive from.
    if key.public.is_some() {
        return Err(no("it is finished"));
    }
    if key.revoked {
        return Err(no("the key is revoked"));
    }

    // A signer in quarantine may be in an attacker's hands: it must not get a share of a new key.
    let quarantined = view.platform()?.quarantined.contains(&index);
    if guard(G::PeersInService, quarantined) || !key.plan.roster.contains(&index) {
        return Err(Refusal::new(Code::NotInRoster, format!("signer {index}")));
    }

    // The journal's time decides, because the entry that finishes the ceremony is judged by that,
    // too.
    check_open(view, &key, view.position()?.last_at)?;
    Ok(key)
}

/// The key of a plan that is not in force: without one rule the proposal is enough, without the
/// other a release that no quorum has witnessed.
#[cfg(mutants)]
fn unreleased(view: &dyn View, name: KeyName, why: Refusal) -> Result<KeyRecord, Refusal> {
    use strongroom_journal::model::{WaitingChange, WaitingOf};
    use strongroom_types::{RegistryRecord, digest};

    let mut acts = Vec::new();
    if why.code == Code::UnknownKey && !guard(G::CeremonyReleased, true) {
        for item in view.waiting()?.items {
            if let WaitingOf::Proposal(_, act) = item.of {
                acts.push((act, act));
            }
        }
    }
    if strongroom_guard::is_off(G::CeremonyWitnessed)
        && let Some(waiting) = view.tenant(name.0)?.waiting
        && let WaitingChange::Release(act) = waiting.effect
    {
        acts.push((act, waiting.digest));
    }

    for (act, by) in acts {
        if let Some(proposal) = view.proposal(name.0, &act)?
            && let RegistryRecord::Ceremony(plan) = proposal.record
            && plan.key == name.1
        {
            return Ok(KeyRecord {
                plan,
                session: digest("strongroom/ceremony-session/v1", &[&by.0]),
                epoch: 1,
                until: view.position()?.last_at.plus(1),
                public: None,
                revoked: false,
            });
        }
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use strongroom_types::{KeyId, TenantId};

    /// A map that has the same value under every key.
    struct Everywhere(Option<&'static [u8]>);

    impl View for Everywhere {
        fn get(&self, _: &[u8]) -> Option<&[u8]> {
            self.0
        }
    }

    #[test]
    fn a_damaged_record_is_not_taken_for_a_ceremony_that_was_not_released() {
        let name = (TenantId([1; 16]), KeyId([2; 16]));
        let refused = |view| approved(&Everywhere(view), name, 1).unwrap_err();

        assert_eq!(refused(None).code, Code::CeremonyNotApproved);
        let damaged = refused(Some(b"no record"));
        assert_eq!(damaged.code, Code::Internal);
        assert!(damaged.detail.starts_with("stored record"), "{damaged}");
    }
}
