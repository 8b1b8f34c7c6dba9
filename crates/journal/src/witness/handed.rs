//! Tightenings handed straight to this witness, until the journal has them.

use crate::apply::apply;
use crate::entry::{Body, Entry, VERSION};
use crate::follower::Follower;
use crate::state::{Delta, Lookup as _};
use strongroom_types::{Act, Code, CredentialId, Digest, Document as _, Refusal, Signed, UnixMs};

/// Most open handed acts of one credential: more would let one person keep a witness busy.
pub const HANDED_OPEN_MAX: usize = 16;

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

#[derive(Debug)]
struct Open {
    act: HandedAct,
    /// Its change at the tip at which it was last tried.
    delta: Delta,
}

#[derive(Debug)]
pub(super) struct Handed {
    open: Vec<Open>,
    /// Size and second at which all of `open` was last tried.
    settled: Option<(u64, u64)>,
}

impl Handed {
    pub(super) fn new(stored: Vec<HandedAct>) -> Self {
        let open = stored
            .into_iter()
            .map(|act| Open {
                act,
                delta: Delta::default(),
            })
            .collect();
        Self {
            open,
            settled: None,
        }
    }

    pub(super) fn hand(
        &mut self,
        follower: &Follower,
        signed: &Signed,
        now: UnixMs,
    ) -> Result<Option<HandedAct>, Refusal> {
        let (act, digest) = signed.open::<Act>()?;

        // A loosening counts only once it is witnessed; handing one over would be a way around.
        if !act.is_tightening() {
            return Err(Refusal::new(
                Code::Unsupported,
                "only tightenings are handed over",
            ));
        }

        self.settle(follower, now);
        if self.open.iter().any(|open| open.act.digest == digest) {
            return Ok(None);
        }

        // Tried as the next entry: what `apply` would refuse must not stop this witness.
        let delta = trial(follower, signed, now)?;
        let full = |credential: CredentialId| {
            let by = |open: &&Open| {
                open.act
                    .signed
                    .endorsements
                    .iter()
                    .any(|e| e.credential == credential)
            };
            self.open.iter().filter(by).count() >= HANDED_OPEN_MAX
        };
        if let Some(busy) = signed.endorsements.iter().find(|e| full(e.credential)) {
            return Err(Refusal::new(
                Code::QuotaExceeded,
                format!("handed acts of {}", busy.credential),
            ));
        }

        let act = HandedAct {
            digest,
            signed: signed.clone(),
            since: now,
        };
        self.open.push(Open {
            act: act.clone(),
            delta,
        });
        Ok(Some(act))
    }

    /// Tries every open act at the tip again: one that no longer applies was included, used, or has
    /// expired.
    pub(super) fn settle(&mut self, follower: &Follower, now: UnixMs) {
        // The answer depends on the tip and, through expiries, on the second.
        let moment = (follower.size(), now.0 / 1000);
        if self.settled.replace(moment) == Some(moment) {
            return;
        }
        self.open
            .retain_mut(|open| match trial(follower, &open.act.signed, now) {
                Ok(delta) => {
                    open.delta = delta;
                    true
                }
                Err(_) => false,
            });
    }

    /// An act that is owed for longer than the duty allows.
    pub(super) fn owed(&self, now: UnixMs, duty_ms: u64) -> Option<Digest> {
        self.open
            .iter()
            .map(|open| &open.act)
            .find(|act| now.since(act.since) > duty_ms)
            .map(|act| act.digest)
    }

    pub(super) fn deltas(&self) -> impl Iterator<Item = &Delta> {
        self.open.iter().map(|open| &open.delta)
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &HandedAct> {
        self.open.iter().map(|open| &open.act)
    }
}

/// The change that the act would make as the next entry.
fn trial(follower: &Follower, signed: &Signed, now: UnixMs) -> Result<Delta, Refusal> {
    let state = follower.state();
    let position = state.position()?;
    let scope = Act::parse(&signed.text)?.scope;
    let at = position.last_at.max(now);
    apply(
        state,
        &Entry {
            version: VERSION,
            seq: position.next_seq,
            at,
            scope,
            body: Body::Act(signed.clone()),
        },
    )
}
