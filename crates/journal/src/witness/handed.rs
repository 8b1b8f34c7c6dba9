//! Tightenings handed straight to this witness, until the journal has them.

use super::ended::{DutyOutcome, EndedAct, HANDED_ENDED_MAX, duty_after};
use crate::apply::apply;
use crate::entry::{Body, Entry, VERSION};
use crate::follower::Follower;
use crate::keyspace as ks;
use crate::model::WaitingChange;
use crate::state::{Delta, Lookup as _, State};
use std::collections::VecDeque;
use strongroom_types::{
    Act, ActBody, Code, CredentialId, Digest, Endorsement, Refusal, Scope, Signed, Tighten, UnixMs,
};

/// Most open handed acts of one credential: more would let one person keep a witness busy.
pub const HANDED_OPEN_MAX: usize = 16;
/// Time after which a used-up quota is free again, milliseconds: they are counted per minute of
/// journal time.
const QUOTA_MS: u64 = 60_000;

/// A handed tightening, as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HandedAct {
    /// Digest of the act's text.
    pub digest: Digest,
    /// The act with its signatures.
    pub signed: Signed,
    /// Time of arrival by the witness's clock.
    pub since: UnixMs,
}

impl HandedAct {
    fn new(digest: Digest, signed: &Signed, since: UnixMs) -> Self {
        let signed = Signed {
            text: signed.text.clone(),
            endorsements: Vec::new(),
        };
        Self {
            digest,
            signed,
            since,
        }
    }

    /// Adds the signatures of credentials that had not signed yet; gives their credentials.
    fn add(&mut self, signed: &Signed) -> Vec<CredentialId> {
        let held = &mut self.signed.endorsements;
        let is_new = |e: &&Endorsement| held.iter().all(|h| h.credential != e.credential);
        let new: Vec<Endorsement> = signed.endorsements.iter().filter(is_new).cloned().collect();
        let added = new.iter().map(|e| e.credential).collect();

        held.extend(new);
        held.sort_by_key(|e| e.credential);
        added
    }
}

#[derive(Debug)]
struct Open {
    handed: HandedAct,
    act: Act,
    /// Its change at the tip at which it was last tried.
    delta: Delta,
    /// Whether it applied there, or within a minute. What does not is not owed: no writer could
    /// append it.
    applies: bool,
    /// Entry from which on it does not apply, up to the last entry that was watched.
    refused_from: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Handed {
    open: Vec<Open>,
    /// The newest [`HANDED_ENDED_MAX`], oldest first.
    ended: VecDeque<EndedAct>,
    /// Size and second at which all of `open` was last tried.
    settled: Option<(u64, u64)>,
}

impl Handed {
    pub(super) fn new(stored: Vec<HandedAct>, ended: Vec<EndedAct>) -> Result<Self, Refusal> {
        let open = stored.into_iter().map(|handed| {
            let (act, _) = handed.signed.open::<Act>()?;
            Ok(Open::new(handed, act, Delta::default()))
        });
        Ok(Self {
            open: open.collect::<Result<_, Refusal>>()?,
            ended: ended.into(),
            settled: None,
        })
    }

    pub(super) fn hand(
        &mut self,
        follower: &Follower,
        signed: &Signed,
        now: UnixMs,
    ) -> Result<Option<HandedAct>, Refusal> {
        let (act, digest) = signed.open::<Act>()?;

        // A loosening counts only once it is witnessed, so it is refused here: handed over, it
        // would count before.
        if !act.is_tightening() {
            return Err(Refusal::new(
                Code::Unsupported,
                "only tightenings are handed over",
            ));
        }

        self.settle(follower, now);
        let known = self.open.iter().find(|open| open.handed.digest == digest);
        let mut handed = known.map_or_else(|| HandedAct::new(digest, signed, now), Open::to_handed);
        let added = handed.add(signed);
        if known.is_some() && added.is_empty() {
            return Ok(None);
        }

        // The act is tried as the next entry: one that `apply` would refuse must not stop this
        // witness. All signatures that were handed over are on it: what an act may do can depend on
        // each of them, and what is acknowledged must be held.
        let tried = probe(follower.state(), &handed, now);
        let delta = tried.map_err(|refusal| self.with_end(&digest, refusal))?;
        self.check_room(&added)?;

        self.ended.retain(|ended| ended.digest != digest);
        self.open.retain(|open| open.handed.digest != digest);
        self.open.push(Open::new(handed.clone(), act, delta));
        Ok(Some(handed))
    }

    /// A refusal of an act that was owed before names the entry that ended it: its people have to
    /// sign again, and want to know why.
    fn with_end(&self, digest: &Digest, refusal: Refusal) -> Refusal {
        match self.ended.iter().find(|ended| ended.digest == *digest) {
            Some(ended) => {
                let detail = format!("{}; handed before, {ended}", refusal.detail);
                Refusal::new(refusal.code, detail)
            }
            None => refusal,
        }
    }

    fn check_room(&self, signers: &[CredentialId]) -> Result<(), Refusal> {
        let full = |credential: CredentialId| {
            let by = |open: &&Open| {
                let mut endorsements = open.handed.signed.endorsements.iter();
                endorsements.any(|e| e.credential == credential)
            };
            self.open.iter().filter(by).count() >= HANDED_OPEN_MAX
        };

        // Each new signature is counted and not the act, because an act grows by every further
        // signer.
        match signers.iter().find(|signer| full(**signer)) {
            Some(busy) => {
                let detail = format!("handed acts of {busy}");
                Err(Refusal::new(Code::QuotaExceeded, detail))
            }
            None => Ok(()),
        }
    }

    /// Tries the open acts on the state that an entry leaves, to know afterwards which entry ended
    /// one.
    pub(super) fn on_entry(&mut self, state: &State, entry: &Entry, now: UnixMs) {
        let concerned = self.open.iter_mut().filter(|open| open.may_end_by(entry));
        for open in concerned {
            open.refused_from = match probe(state, &open.handed, now) {
                Err(refusal) if duty_after(refusal.code).is_end() => {
                    open.refused_from.or(Some(entry.seq))
                }
                Ok(_) | Err(_) => None,
            };
        }
    }

    /// Tries every open act at the tip again: one that no longer applies is owed no more.
    pub(super) fn settle(&mut self, follower: &Follower, now: UnixMs) {
        // The answer depends on the tip and, through expiries, on the second.
        let moment = (follower.size(), now.seconds());
        if self.settled.replace(moment) == Some(moment) {
            return;
        }

        let ended = &mut self.ended;
        self.open
            .retain_mut(|open| match probe(follower.state(), &open.handed, now) {
                Ok(delta) => {
                    (open.delta, open.refused_from, open.applies) = (delta, None, true);
                    true
                }
                Err(refusal) => match duty_after(refusal.code) {
                    // The act forbids nothing until there is room: what is refused for longer than
                    // a minute changes nothing, or ends an intent that no share is made for yet. A
                    // change kept from an older tip would hide what has changed since, a policy for
                    // example.
                    DutyOutcome::Postponed => {
                        (open.delta, open.applies) = (Delta::default(), false);
                        true
                    }
                    DutyOutcome::Unknown => true,
                    DutyOutcome::Included | DutyOutcome::Ended => {
                        ended.push_back(EndedAct {
                            digest: open.handed.digest,
                            code: refusal.code,
                            entry: open.refused_from,
                            at: now,
                        });
                        false
                    }
                },
            });

        let surplus = ended.len().saturating_sub(HANDED_ENDED_MAX);
        ended.drain(..surplus);
    }

    /// An act that is owed for longer than the duty allows.
    pub(super) fn owed(&self, now: UnixMs, duty_ms: u64) -> Option<Digest> {
        let is_late = |open: &&Open| open.applies && now.since(open.handed.since) > duty_ms;
        let late = self.open.iter().find(is_late);
        late.map(|open| open.handed.digest)
    }

    /// A handed veto of a proposal whose release waits in this state. A veto without room in this
    /// minute counts too: else the release would be let through by using that room up.
    pub(super) fn vetoed_release(&self, state: &State) -> Result<Option<Digest>, Refusal> {
        for open in &self.open {
            let ActBody::Tighten(Tighten::Veto(proposal)) = &open.act.body else {
                continue;
            };
            let waiting = match open.act.scope {
                Scope::Platform => state.platform()?.waiting,
                Scope::Tenant(tenant) => state.tenant(tenant)?.waiting,
            };
            if waiting.is_some_and(|act| act.effect == WaitingChange::Release(*proposal)) {
                return Ok(Some(open.handed.digest));
            }
        }
        Ok(None)
    }

    pub(super) fn deltas(&self) -> impl Iterator<Item = &Delta> {
        self.open.iter().map(|open| &open.delta)
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &HandedAct> {
        self.open.iter().map(|open| &open.handed)
    }

    pub(super) fn ended(&self) -> impl Iterator<Item = &EndedAct> {
        self.ended.iter()
    }
}

impl Open {
    const fn new(handed: HandedAct, act: Act, delta: Delta) -> Self {
        Self {
            handed,
            act,
            delta,
            applies: true,
            refused_from: None,
        }
    }

    fn to_handed(&self) -> HandedAct {
        self.handed.clone()
    }

    /// Whether an entry can be the one by which it stops applying. Each such question costs a
    /// verification, so payments are passed over, which concern a cancel alone.
    fn may_end_by(&self, entry: &Entry) -> bool {
        let is_near = entry.scope == Scope::Platform || entry.scope == self.act.scope;
        let is_kind = match &entry.body {
            Body::Act(_) | Body::Witnessed(_) => true,
            Body::Authorized(_) => {
                matches!(&self.act.body, ActBody::Tighten(Tighten::Cancel(_)))
            }
            Body::Genesis(_) | Body::Tick | Body::Attempt(_) | Body::Finished(_) => false,
        };
        is_near && is_kind
    }
}

/// The change that an act would make as the next entry, now or within a minute.
fn probe(state: &State, handed: &HandedAct, now: UnixMs) -> Result<Delta, Refusal> {
    // The act is never tried before its arrival: with a clock that was put back a pause would reach
    // too far.
    let at = state.position()?.last_at.max(now).max(handed.since);
    let mut delta = match trial(state, &handed.signed, at) {
        // It is tried again as of a minute later. An end that it meets there has not come yet, so
        // the refusal of now is kept.
        Err(refusal) if duty_after(refusal.code) == DutyOutcome::Postponed => {
            trial(state, &handed.signed, at.plus(QUOTA_MS)).map_err(|_| refusal)?
        }
        tried => tried?,
    };

    // A share under it is judged at the tip's own time.
    delta.changes.remove(&ks::position());
    Ok(delta)
}

fn trial(state: &State, signed: &Signed, at: UnixMs) -> Result<Delta, Refusal> {
    let (act, _) = signed.open::<Act>()?;
    apply(
        state,
        &Entry {
            version: VERSION,
            seq: state.position()?.next_seq,
            at,
            scope: act.scope,
            body: Body::Act(signed.clone()),
        },
    )
}
