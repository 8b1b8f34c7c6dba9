//! What the writer publishes must keep.

use super::{Checker, Place, Property, Tightened, Verdict, must};
use crate::history::{Attempted, Fact};
use strongroom_types::{Digest, KeyId};

impl Checker {
    pub(super) fn on_entry(&mut self, place: Place, bytes: Digest, fact: &Fact) -> Verdict {
        let seq = place.seq;

        // A writer publishes again after a crash: the same bytes mean nothing new, others are a
        // fork.
        if let Some(known) = self.entries.get(&seq) {
            return must(*known == bytes, Property::OneLine, || {
                format!("the writer published two entries {seq}")
            });
        }

        let next = self.entries.len() as u64;
        must(seq == next, Property::OneLine, || {
            format!("entry {seq} where {next} was next")
        })?;
        self.entries.insert(seq, bytes);
        self.stamps.insert(seq, place.stamp_ms);
        self.on_kept_entry(place);

        match fact {
            Fact::Authorized(authorized) => {
                // A lock begins where witnesses have seen it, so such a payment waits for them.
                if authorized.lock_ms > 0 {
                    self.on_waiting(place);
                }
                let known = self
                    .intents
                    .insert(authorized.intent, (seq, (**authorized).clone()));
                must(known.is_none(), Property::Authority, || {
                    format!("{} is authorized twice", authorized.intent)
                })
            }
            Fact::Attempt { intent, attempted } => self.on_attempt(seq, *intent, *attempted),
            Fact::Tighten(what, act) => {
                self.tightened.push(Tightened {
                    seq,
                    scope: place.scope,
                    what: what.clone(),
                    act: *act,
                    witnessed_ms: None,
                });
                Ok(())
            }
            Fact::Proposed(act) => {
                self.proposed.insert(*act, seq);
                self.on_waiting(place);
                Ok(())
            }
            Fact::Released(released) => self.on_released(place, released),
            Fact::Witnessed { size, time_ms } => {
                self.on_witnessed(seq, *size);
                self.check_no_later(place, *time_ms)
            }
            Fact::ProposedBy(credential) => {
                self.on_waiting(place);
                self.check_admin_key(place, *credential)
            }
            Fact::Finished(key, certificates) => {
                self.finished.insert(*key, seq);
                self.check_finished((*key, *certificates), place.stamp_ms)
            }
            Fact::Other => Ok(()),
        }
    }

    /// All of its roster certified it, within its life.
    fn check_finished(&self, (key, certificates): (KeyId, usize), at_ms: u64) -> Verdict {
        let released = self.released.get(&key);
        let is_certified = released.is_some_and(|(roster, _)| certificates == roster.len());
        must(is_certified, Property::Authority, || {
            format!("{key} finished, not certified by its roster")
        })?;

        // In journal time on both sides, each of which may be off by the skew.
        let life_ms = self.terms.ceremony_life_ms + 2 * self.terms.skew_ms;
        let in_time = released.is_some_and(|(_, from)| at_ms <= from + life_ms);
        must(in_time, Property::Authority, || {
            format!("{key} finished at {at_ms}, {life_ms} ms after its release")
        })
    }

    pub(super) fn on_head(&mut self, size: u64, body: Digest) -> Verdict {
        let known = *self.heads.entry(size).or_insert(body);
        must(known == body, Property::OneLine, || {
            format!("the writer published two checkpoints of size {size}")
        })
    }

    /// No person signs a further attempt, so what its payment rests on is asked again.
    fn on_attempt(&mut self, seq: u64, intent: Digest, attempted: Attempted) -> Verdict {
        let unknown = || {
            let detail = format!("an attempt of unknown {intent}");
            (Property::Authority, detail)
        };
        let (_, known) = self.intents.get(&intent).ok_or_else(unknown)?;

        // A cancel pays no one, and is opened because something was taken away.
        if !attempted.is_cancel {
            let mut taken = self.tightened.iter().filter(|t| t.what.takes_from(known));
            let taken = taken.next().map(|tightened| &tightened.what);
            must(taken.is_none(), Property::Authority, || {
                format!("attempt {seq} of {intent} rests on what was taken away: {taken:?}")
            })?;

            let (at_ms, until) = (attempted.at_ms, known.approved_until_ms);
            must(at_ms < until, Property::Authority, || {
                format!("attempt {seq} of {intent} rests on an approval that ended at {until}")
            })?;
        }

        if let Some((_, known)) = self.intents.get_mut(&intent) {
            known.attempts.push(attempted);
        }
        Ok(())
    }
}
