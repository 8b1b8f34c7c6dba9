//! What a share must keep.

use super::{Checker, Handed, Property, Signature, Tightened, Verdict, concerns, must};
use crate::history::{Attempted, Authorized, Share, Tightening};
use crate::kinds::Situation;
use strongroom_types::{Digest, Scope, TenantId};

impl Checker {
    pub(super) fn on_share(&mut self, at_ms: u64, share: &Share) -> Verdict {
        // Before anything else: a nonce in two packages gives the share's key away whatever else
        // holds. The same share of the same package again is a retry.
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
        let is_cancel = |a: &Attempted| a.is_cancel && a.unsigned == share.unsigned;
        if authorized.attempts.iter().any(is_cancel) {
            return self.check_cancel(at_ms, share, authorized);
        }
        self.check_in_force(at_ms, share, authorized)?;
        self.check_effects(share, authorized)?;
        self.check_time(at_ms, share, (*seq, authorized))?;

        // What came about, so that a case can ask that its history was the one it is about.
        let attempts = authorized.attempts.iter();
        let situations = [
            (authorized.lock_ms > 0, Situation::LockEnded),
            (self.is_loosened(authorized), Situation::LooserPolicyUsed),
            (attempts.len() > 1, Situation::FurtherAttempt),
            (!authorized.into.is_empty(), Situation::VaultPaid),
        ];
        let came_about = situations.into_iter().filter(|(is_so, _)| *is_so);
        self.situations
            .extend(came_about.map(|(_, situation)| situation));

        // Enough shares of one request are a signature, whether a coordinator assembles it or not.
        let by = self.shares.entry(share.request).or_default();
        by.insert(share.signer);
        if by.len() == self.terms.min_signers {
            self.on_signature(at_ms, share)?;
        }
        Ok(())
    }

    /// The head is witnessed, covers the entry and the signer's floor; key and policy were
    /// released.
    fn check_head(&self, share: &Share, seq: u64, authorized: &Authorized) -> Verdict {
        let (signer, head) = (share.signer, share.head);

        // Below a quorum's cosignatures another history may still take the place of this one.
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
        must(!seat.frozen, Property::OwnLog, || {
            format!("signer {signer} shared while it is frozen")
        })?;

        let finished = self
            .finished
            .get(&authorized.key)
            .is_some_and(|finished| *finished < head);
        let member = self
            .released
            .get(&authorized.key)
            .is_some_and(|(roster, _)| roster.contains(&signer));
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
        // Three measures of one tightening: in its head it counts at once, in what it has cosigned
        // as well, and elsewhere from freshness and 2 × skew after a quorum had it.
        // Of what it cosigned beside the true line it knows no entry of that line.
        let on_line = |(size, body): &(&u64, &Digest)| self.heads.get(size) == Some(body);
        let newest = seat.cosigned.iter().rfind(on_line);
        let own = newest.map_or(0, |(size, _)| *size);
        let bound = self.terms.freshness_ms + 2 * self.terms.skew_ms;
        let lifted = |what: &Tightening, stop: (Scope, u64), by: u64| {
            *what == Tightening::Stop && self.is_resumed(stop, by)
        };

        // By the signer's own clock, which differs from true time by the skew at most.
        let forbids = |what: &Tightening| match what {
            Tightening::Pause(until) => {
                self.is_honest(signer) && at_ms + self.terms.skew_ms < *until
            }
            other => other.forbids(authorized, share),
        };

        let concerned = |t: &&Tightened| concerns(t.scope, authorized.tenant);
        for tightened in self.tightened.iter().filter(concerned) {
            let Tightened {
                seq,
                scope,
                what,
                witnessed_ms,
                ..
            } = tightened;
            let place = (*scope, *seq);
            if !forbids(what) || lifted(what, place, share.head) {
                continue;
            }

            must(*seq >= share.head, Property::Head, || {
                format!("signer {signer} shared against {what:?} in its head")
            })?;

            // A stop and its resume that are both beyond the head cancel out in the signer's own
            // log.
            let known = *seq < own && !lifted(what, place, own);
            must(!known, Property::OwnLog, || {
                format!("signer {signer} shared against {what:?}, which it cosigned")
            })?;

            let late = witnessed_ms.is_some_and(|witnessed| at_ms > witnessed + bound);
            must(!late, Property::Bound, || {
                format!("signer {signer} shared long after {what:?} was witnessed")
            })?;
        }

        // What was handed counts at once. A signer has its share's head, also if it cosigns nothing.
        let seen = own.max(share.head);
        let concerned = |h: &&Handed| concerns(h.scope, authorized.tenant);
        for Handed {
            scope, act, what, ..
        } in seat.handed.iter().filter(concerned)
        {
            let included = self.tightened.iter().find(|t| t.act == *act).map(|t| t.seq);
            let over = included.is_some_and(|seq| lifted(what, (*scope, seq), seen));
            must(over || !forbids(what), Property::HandedOver, || {
                format!("signer {signer} shared against {what:?}, which was handed to it")
            })?;
        }
        Ok(())
    }

    /// A share for a cancel of an intent that has ended: what ended it, and what it relied on, forbid
    /// no cancel.
    fn check_cancel(&self, at_ms: u64, share: &Share, authorized: &Authorized) -> Verdict {
        let (signer, intent) = (share.signer, share.intent);
        must(share.pays.is_empty(), Property::Effects, || {
            format!("signer {signer} signed a payment as a cancel of {intent}")
        })?;
        let has_anchor = share.conflicts.contains(&authorized.anchor);
        must(has_anchor, Property::OneAnchor, || {
            format!("signer {signer} signed a cancel of {intent} without its anchor")
        })?;
        self.check_coins(at_ms, share, true)
    }

    fn check_effects(&self, share: &Share, authorized: &Authorized) -> Verdict {
        let (signer, intent) = (share.signer, share.intent);

        // The transaction is an attempt of the journal, and it pays what the intent says.
        let known = authorized
            .attempts
            .iter()
            .any(|attempted| attempted.unsigned == share.unsigned);
        must(known, Property::Effects, || {
            format!("signer {signer} signed what is not an attempt of {intent}")
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

        // All attempts spend one coin, so that the network confirms one of them at most.
        must(
            share.conflicts.contains(&authorized.anchor),
            Property::OneAnchor,
            || format!("signer {signer} signed for {intent} without its anchor"),
        )
    }

    /// A signature exists: enough shares answered one request.
    fn on_signature(&mut self, at_ms: u64, share: &Share) -> Verdict {
        let authorized = self.authorized(&share.intent);
        let lock_ms = authorized.map_or(0, |a| a.lock_ms);
        let attempts = authorized.into_iter().flat_map(|a| &a.attempts).rev();
        let mut attempts = attempts.filter(|a| a.unsigned == share.unsigned);
        let attempt_ms = attempts.next().map_or(0, |attempt| attempt.at_ms);

        // Windows are asked where an attempt is opened, and its shares leave within its life.
        let slack_ms = self.terms.attempt_life_ms + 2 * self.terms.skew_ms;

        // Counted when its lock began, or when an attempt was opened within whose life it leaves.
        // One opened under the lock gives it no other place: locks of many windows end in a second.
        let is_recent = at_ms <= attempt_ms.saturating_add(slack_ms);
        let opened_ms = if is_recent { attempt_ms.min(at_ms) } else { 0 };
        let signatures = self.signed.entry(share.intent).or_default();
        signatures.push(Signature {
            inputs: share.conflicts.iter().cloned().collect(),
            attempt_ms,
            counted_ms: at_ms.saturating_sub(lock_ms).max(opened_ms),
        });

        // Common to all of them: pairs that overlap are not enough, three could still leave two.
        let mut common = signatures[0].inputs.clone();
        for signature in signatures {
            common.retain(|input| signature.inputs.contains(input));
        }
        must(!common.is_empty(), Property::OneAnchor, || {
            format!("payments of {} share no input", share.intent)
        })?;

        self.check_coins(at_ms, share, false)?;

        let window_ms = self.terms.window_ms;
        self.check_sums(Property::Limit, window_ms, |s| s.attempt_ms)?;
        self.check_sums(Property::Rate, window_ms.saturating_sub(slack_ms), |s| {
            s.counted_ms
        })
    }

    /// The journal keeps what an intent's attempts spend until an attempt's life after its end, and
    /// what a cancel spends while shares of it leave. The stamp of the later attempt may be ahead by
    /// what clocks differ, and a signer whose clock is wrong be late.
    fn check_coins(&self, at_ms: u64, share: &Share, is_cancel: bool) -> Verdict {
        let is_cancel = is_cancel && self.is_honest(share.signer);
        let is_kept = |intent: &Digest| {
            let until = self.authorized(intent).map_or(0, |a| a.expires_ms);
            at_ms + 2 * self.terms.skew_ms < until.saturating_add(self.terms.attempt_life_ms)
        };
        let others = self.signed.iter().filter(|(other, _)| {
            **other != share.intent && is_kept(other) && (is_cancel || is_kept(&share.intent))
        });
        let mut inputs = others
            .flat_map(|(_, signatures)| signatures)
            .flat_map(|s| &s.inputs);
        let common = inputs.find(|input| share.conflicts.contains(input));
        must(common.is_none(), Property::Coins, || {
            format!("{} spends {common:?}, as another intent does", share.intent)
        })
    }

    /// What was signed for one tenant within any such stretch of one kind of time is not above the
    /// limit. An intent that was signed more than once counts where that was first.
    fn check_sums(
        &self,
        property: Property,
        length_ms: u64,
        time: impl Fn(&Signature) -> u64,
    ) -> Verdict {
        let spent = |(intent, signatures): (&Digest, &Vec<Signature>)| {
            let at = signatures.first().map(&time)?;
            let authorized = self.authorized(intent)?;
            Some((authorized.tenant, at, authorized.spend))
        };

        // A largest sum begins at some payment, so stretches that begin at payments are enough.
        let signed: Vec<(TenantId, u64, u64)> = self.signed.iter().filter_map(spent).collect();
        for (tenant, from, _) in &signed {
            let within = |(of, at, _): &&(TenantId, u64, u64)| {
                of == tenant && at >= from && *at < from + length_ms
            };
            let sum: u64 = signed.iter().filter(within).map(|(.., spend)| spend).sum();
            must(sum <= self.terms.limit, property, || {
                let limit = self.terms.limit;
                format!("{sum} signed within {length_ms} ms, the limit is {limit}")
            })?;
        }
        Ok(())
    }
}
