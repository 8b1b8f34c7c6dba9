//! The end of an intent that is not signed, as far as the fresh head proves it.
//!
//! A client that is told of an end signs another intent, and coins that are free are spent by
//! others. The writer's answers, a tip that no witness has seen and a clock prove no end: only the
//! fresh head does, of what no later entry can change. `docs/time.md` has the table of what is
//! given up by it.

use crate::apply::{Evaluated, check_approvals, check_life, evaluate};
use crate::follower::{Follower, Head};
use crate::keyspace as ks;
use crate::model::{CredentialRecord, EndedRecord, HeldRecord, IntentRecord};
use crate::overlay::Overlay;
use crate::state::{Lookup as _, View};
use strongroom_types::{Code, ConflictKey, Digest, Document as _, Intent, Refusal, Signed, UnixMs};

/// Whether an intent that is not signed can still be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prospect {
    /// It may still be signed.
    Open,
    /// No share of it has left, and none can.
    Ended(Refusal),
    /// No further share leaves, but those of an attempt in the journal may be out.
    TooLate,
}

/// The journal's record of an authorized intent, as services need it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// Conflict key that no other intent gets as its anchor.
    pub anchor: ConflictKey,
    /// Time from which the journal may forget the intent and its anchor.
    pub until: UnixMs,
    /// Digests of the attempts' unsigned transactions, ascending by number.
    pub attempts: Vec<Digest>,
}

/// The journal as a quorum of witnesses vouches for it now.
pub struct FreshHead<'a> {
    follower: &'a Follower,
    head: &'a Head,
    view: Overlay<'a>,
    /// The reader's clock.
    now: UnixMs,
}

impl<'a> FreshHead<'a> {
    /// The fresh head of a replica.
    ///
    /// # Errors
    /// As [`Follower::fresh`]: nothing is certain then, and the reader asks again later.
    pub fn of(follower: &'a Follower, now: UnixMs) -> Result<Self, Refusal> {
        let head = follower.fresh(now)?;
        Ok(Self {
            follower,
            head,
            view: follower.head_view(head.size)?,
            now,
        })
    }

    /// Whether an intent that is not signed can still be.
    ///
    /// # Errors
    /// `store_corrupt` when the state does not read.
    pub fn prospect(&self, intent: &Intent, digest: &Digest) -> Result<Prospect, Refusal> {
        match self.view.intent(intent.tenant, digest)? {
            Some(record) => Ok(self.of_authorized(&record)),
            None => self.of_unknown(intent, digest),
        }
    }

    fn of_authorized(&self, record: &IntentRecord) -> Prospect {
        let why = match record.standing.ended() {
            Some(ended) => ended,
            None if self.is_past(record.expires) => Code::IntentExpired,
            None => return Prospect::Open,
        };

        // A share waits for the lock by its signer's own clock, and no signer acts under a head
        // without this end for longer than heads stay fresh. The skew is that of both clocks.
        let bounds = &self.follower.genesis().bounds;
        let last_share = self
            .now
            .plus(bounds.freshness_ms)
            .plus(bounds.skew_ms.saturating_mul(2));
        // No share leaves either before a locked payment counts in its windows, which that of an
        // ended intent never will, nor of one whose lock was witnessed too late for its end.
        let is_counted = record.is_counted_in_time(bounds.skew_ms);
        let is_outlasted = record.locked_until >= record.expires;
        if last_share < record.locked_until || is_outlasted || !is_counted {
            Prospect::Ended(why.into())
        } else {
            Prospect::TooLate
        }
    }

    fn of_unknown(&self, intent: &Intent, digest: &Digest) -> Result<Prospect, Refusal> {
        // An attempt that was there is forgotten in the end; what is left then proves nothing.
        if self.head.at >= self.forgotten_at(intent.expires) {
            return Ok(Prospect::TooLate);
        }
        if let Some(why) = self.lasting_refusal(intent, digest)? {
            return Ok(Prospect::Ended(why));
        }
        Ok(if self.is_past(intent.expires) {
            Prospect::Ended(Code::IntentExpired.into())
        } else {
            Prospect::Open
        })
    }

    /// The refusal that every authorization of an intent meets from here to its end, if there is
    /// one. What people or time can undo is not asked: a stop, a pause, a policy, a full window.
    fn lasting_refusal(
        &self,
        intent: &Intent,
        digest: &Digest,
    ) -> Result<Option<Refusal>, Refusal> {
        let (tenant, view) = (intent.tenant, &self.view);

        // Its own end would come too late for whatever is kept for it, or never.
        if let Err(refusal) = check_life(intent, &self.follower.genesis().bounds) {
            return Ok(Some(refusal));
        }

        // The stored credential is read, revoked or not: its user's cancel may have counted before
        // the revocation.
        let key = ks::credential(tenant, intent.initiator);
        let initiator: Option<CredentialRecord> = view.record(&key)?;
        let user = initiator.and_then(|record| record.credential.user);

        // The end of an unknown intent is forgotten by its own time, which may be before the
        // intent's.
        let ended: Option<EndedRecord> = view.record(&ks::ended(tenant, digest))?;
        let ended = ended.filter(|ended| ended.until >= intent.expires);
        if let Some(code) = ended.and_then(|ended| ended.ends_for(user)) {
            return Ok(Some(code.into()));
        }

        // A revoked credential never comes back.
        if let Err(refusal) = view.credential(tenant, intent.initiator)
            && refusal.code == Code::CredentialRevoked
        {
            return Ok(Some(refusal));
        }

        let key = ks::external_id(tenant, &intent.external_id);
        let taken = self.taken_until(intent, digest, &key)?.is_some();
        Ok(taken.then(|| Refusal::new(Code::DuplicateExternalId, &intent.external_id)))
    }

    /// Whether an anchor is another intent's for as long as this one lasts, and until when: no
    /// authorization of this one on that anchor can come, nor of any other one before that time.
    ///
    /// # Errors
    /// `store_corrupt` when the state does not read.
    pub fn anchor_lost_until(
        &self,
        intent: &Intent,
        digest: &Digest,
        anchor: &ConflictKey,
    ) -> Result<Option<UnixMs>, Refusal> {
        let anchor = ks::conflict(intent.vault, &intent.chain, anchor);
        self.taken_until(intent, digest, &ks::anchor(intent.tenant, &anchor))
    }

    /// Whether another intent keeps one of these conflict keys for as long as this one lasts: no
    /// attempt of this one that spends it can come.
    ///
    /// # Errors
    /// `store_corrupt` when the state does not read.
    pub fn is_coin_lost(
        &self,
        intent: &Intent,
        digest: &Digest,
        coins: &[ConflictKey],
    ) -> Result<bool, Refusal> {
        for coin in coins {
            let held = held(&self.view, intent, coin)?;
            if held.is_some_and(|held| held.keeps_from(digest, intent.expires)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The journal's record of an intent, if there is one.
    ///
    /// # Errors
    /// `store_corrupt` when the state does not read.
    pub fn held(&self, intent: &Intent, digest: &Digest) -> Result<Option<Held>, Refusal> {
        let record = self.view.intent(intent.tenant, digest)?;
        Ok(record.map(|record| Held {
            until: self.forgotten_at(record.expires),
            anchor: record.anchor,
            attempts: record
                .attempts
                .iter()
                .map(|attempt| attempt.unsigned_digest)
                .collect(),
        }))
    }

    /// The journal's answer to an intent at this head.
    ///
    /// # Errors
    /// The first rule that refuses the intent itself.
    pub fn evaluate(&self, signed: &Signed, at: UnixMs) -> Result<Evaluated, Refusal> {
        evaluate(self.follower.state(), &self.view, signed, at)
    }

    /// Why people have to approve an intent again: the policy decides it otherwise than they signed,
    /// or what they signed counts no more. `None` also while the policy blocks it.
    ///
    /// # Errors
    /// The first rule that refuses the intent itself.
    pub fn approval_fault(
        &self,
        signed: &Signed,
        core: &str,
        approvals: &[Signed],
    ) -> Result<Option<Refusal>, Refusal> {
        let evaluated = self.evaluate(signed, self.head.at)?;
        if evaluated.decision.block.is_some() {
            return Ok(None);
        }
        if evaluated.decision.core.to_text() != core {
            return Ok(Some(Code::DecisionChanged.into()));
        }
        let ballot = evaluated.ballot(self.head.at);
        Ok(check_approvals(&self.view, &ballot, approvals).err())
    }

    /// Whether a key that intents use up belongs to another one, which is remembered until this
    /// one's end or longer: the time at which it is forgotten.
    fn taken_until(
        &self,
        intent: &Intent,
        digest: &Digest,
        key: &[u8],
    ) -> Result<Option<UnixMs>, Refusal> {
        let holder: Option<Digest> = self.view.record(key)?;
        let Some(holder) = holder.filter(|holder| holder != digest) else {
            return Ok(None);
        };
        let record = self.view.intent(intent.tenant, &holder)?;
        let until = record.map(|record| self.forgotten_at(record.expires));
        Ok(until.filter(|until| *until >= intent.expires))
    }

    fn is_past(&self, time: UnixMs) -> bool {
        self.follower.past(self.now) >= time
    }

    /// Time from which the journal may forget an intent.
    fn forgotten_at(&self, expires: UnixMs) -> UnixMs {
        expires.plus(self.follower.genesis().bounds.retention_ms)
    }
}

/// The intent that holds a conflict key of this intent's vault in the journal, seen at one moment.
///
/// # Errors
/// `store_corrupt` when the state does not read.
pub fn held(
    view: &dyn View,
    intent: &Intent,
    coin: &ConflictKey,
) -> Result<Option<HeldRecord>, Refusal> {
    let conflict = ks::conflict(intent.vault, &intent.chain, coin);
    view.record(&ks::held(intent.tenant, &conflict))
}
