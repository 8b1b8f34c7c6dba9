//! What a share must keep.

use super::{Checker, Handed, Property, Tightened, Verdict, must};
use crate::history::{Authorized, Share, Tightening};

impl Checker {
    pub(super) fn on_share(&mut self, at_ms: u64, share: &Share) -> Verdict {
        for used in &share.nonces {
            let name = (share.signer, used.boot, used.number);
            let now = (used.package, used.share.clone());
            let first = self.nonces.entry(name).or_insert_with(|| now.clone());
            must(*first == now, Property::Nonce, || {
                format!(
                    "nonce {} of signer {} serves two packages",
                    used.number, share.signer
                )
            })?;
        }

        let (seq, authorized) = self.intents.get(&share.intent).ok_or_else(|| {
            (
                Property::Authority,
                format!("a share for {}, which was never authorized", share.intent),
            )
        })?;
        self.check_head(share, *seq, authorized)?;
        self.check_in_force(at_ms, share, authorized)?;
        self.check_effects(share, authorized)?;

        let by = self.shares.entry(share.request).or_default();
        by.insert(share.signer);
        if by.len() == self.terms.min_signers {
            self.on_signature(share)?;
        }
        Ok(())
    }

    /// The head is witnessed, covers the entry and the signer's floor; key and policy were
    /// released.
    fn check_head(&self, share: &Share, seq: u64, authorized: &Authorized) -> Verdict {
        let (signer, head) = (share.signer, share.head);
        let witnessed = self.witnessed_for(signer);
        must(head <= witnessed, Property::Head, || {
            format!("signer {signer} acted under {head}, witnessed are {witnessed}")
        })?;
        must(seq < head, Property::Head, || {
            format!("signer {signer} acted under {head} on entry {seq}")
        })?;

        // A floor is what the signer had cosigned when it started.
        let seat = self
            .seats
            .get(&signer)
            .ok_or_else(|| (Property::OwnLog, format!("signer {signer} never started")))?;
        must(head >= seat.floor, Property::OwnLog, || {
            format!(
                "signer {signer} acted under {head}, it started at {}",
                seat.floor
            )
        })?;
        must(!seat.restored, Property::OwnLog, || {
            format!("signer {signer} shared after its disk was put back")
        })?;
        must(
            self.policies.contains(&authorized.policy),
            Property::Authority,
            || {
                format!(
                    "{} was decided by a policy that was never released",
                    share.intent
                )
            },
        )?;

        let finished = self
            .finished
            .get(&authorized.key)
            .is_some_and(|finished| *finished < head);
        let member = self
            .released
            .get(&authorized.key)
            .is_some_and(|roster| roster.contains(&signer));
        must(finished && member, Property::Authority, || {
            format!("signer {signer} has no released part in {}", authorized.key)
        })
    }

    /// Nothing that forbids it was witnessed long enough ago, is in the signer's own log, or was
    /// handed to it.
    fn check_in_force(&self, at_ms: u64, share: &Share, authorized: &Authorized) -> Verdict {
        let signer = share.signer;
        let Some(seat) = self.seats.get(&signer) else {
            return Ok(());
        };
        let own = seat.size();
        let bound = self.terms.freshness_ms + 2 * self.terms.skew_ms;
        let lifted = |what: &Tightening, seq: u64, by: u64| {
            *what == Tightening::Stop && self.resumed.iter().any(|r| *r > seq && *r < by)
        };
        for tightened in &self.tightened {
            let Tightened {
                seq,
                what,
                witnessed_ms,
                ..
            } = tightened;
            if !what.forbids(authorized, signer) || lifted(what, *seq, share.head) {
                continue;
            }
            must(*seq >= share.head, Property::Head, || {
                format!("signer {signer} shared against {what:?} in its head")
            })?;
            // A stop and its resume that are both beyond the head cancel out in the signer's own log.
            let known = *seq < own && !lifted(what, *seq, own);
            must(!known, Property::OwnLog, || {
                format!("signer {signer} shared against {what:?}, which it cosigned")
            })?;
            let late = witnessed_ms.is_some_and(|witnessed| at_ms > witnessed + bound);
            must(!late, Property::Bound, || {
                format!("signer {signer} shared long after {what:?} was witnessed")
            })?;
        }

        // What was handed over counts at once, whether the journal has it or not.
        for Handed { act, what, .. } in &seat.handed {
            let included = self.tightened.iter().find(|t| t.act == *act).map(|t| t.seq);
            let over = included.is_some_and(|seq| lifted(what, seq, own));
            must(
                over || !what.forbids(authorized, signer),
                Property::HandedOver,
                || format!("signer {signer} shared against {what:?}, which was handed to it"),
            )?;
        }
        Ok(())
    }

    fn check_effects(&self, share: &Share, authorized: &Authorized) -> Verdict {
        let (signer, intent) = (share.signer, share.intent);
        let known = authorized
            .attempts
            .iter()
            .any(|(_, unsigned)| *unsigned == share.unsigned);
        must(known, Property::Effects, || {
            format!("signer {signer} signed what is no attempt of {intent}")
        })?;
        must(share.pays == authorized.pays, Property::Effects, || {
            format!("signer {signer} signed other payments for {intent}")
        })?;

        // The journal's word is not enough: the client's own text is compared.
        let promised = self
            .terms
            .promised
            .get(&intent)
            .is_none_or(|promised| *promised == share.pays);
        must(promised, Property::Effects, || {
            format!("what is signed for {intent} is not what its client signed")
        })?;
        must(
            share.conflicts.contains(&authorized.anchor),
            Property::OneAnchor,
            || format!("signer {signer} signed for {intent} without its anchor"),
        )
    }

    /// A signature exists: enough shares answered one request.
    fn on_signature(&mut self, share: &Share) -> Verdict {
        let payments = self.signed.entry(share.intent).or_default();
        payments.push(share.conflicts.iter().cloned().collect());
        let mut common = payments[0].clone();
        payments
            .iter()
            .for_each(|inputs| common.retain(|input| inputs.contains(input)));
        must(!common.is_empty(), Property::OneAnchor, || {
            format!("payments of {} share no input", share.intent)
        })?;

        let signed: Vec<(u64, u64)> = self
            .signed
            .keys()
            .filter_map(|intent| self.intents.get(intent))
            .map(|(_, authorized)| (authorized.at_ms, authorized.spend))
            .collect();
        for (from, _) in &signed {
            let within = |(at, _): &&(u64, u64)| at >= from && *at < from + self.terms.window_ms;
            let sum: u64 = signed.iter().filter(within).map(|(_, spend)| spend).sum();
            must(sum <= self.terms.limit, Property::Limit, || {
                format!(
                    "{sum} signed within {} ms, the limit is {}",
                    self.terms.window_ms, self.terms.limit
                )
            })?;
        }
        Ok(())
    }
}
