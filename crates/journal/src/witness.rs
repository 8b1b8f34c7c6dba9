//! The witness: decides whether the tip of its own persisted replica may be cosigned.
//!
//! Order of things, which [`Witness::cosign`] keeps: replay, persist (compare-and-set on what was
//! cosigned last), *then* sign. Never two bodies for one size, never a smaller tree. No clock, no
//! I/O: both are arguments.

use crate::cosigned::{self, witness_name};
use crate::entry::Entry;
use crate::follower::Follower;
use crate::genesis::RECOSIGN_MS;
use crate::state::{Delta, State};
use std::fmt;
use strongroom_guard::{G, guard};
use strongroom_tlog::{Checkpoint, CosignKey, cosign};
use strongroom_types::{Code, NodeId, Refusal, Signed, UnixMs};
use strongroom_wire::WitnessCosignature;

mod ended;
mod handed;

pub use ended::{EndedAct, HANDED_ENDED_MAX};
pub use handed::{HANDED_OPEN_MAX, HandedAct};

/// The last entry of an unwitnessed head may be this old; then the writer must append a tick.
pub const ENTRY_AGE_MAX_MS: u64 = 60_000;

/// Newest head cosigned: persisted before the signature exists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// Number of entries.
    pub size: u64,
    /// The checkpoint body: tree root and state root.
    pub body: String,
    /// Time of signing, Unix seconds.
    pub time_s: u64,
}

/// The part of a witness that its disk remembers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WitnessMemory {
    /// Newest head cosigned; none before the first.
    pub cosigned: Option<Cosigned>,
    /// Whether the key never cosigns again.
    pub retired: bool,
    /// Tightenings handed over that the journal did not have yet.
    pub handed: Vec<HandedAct>,
    /// Those that ended last, oldest first, at most [`HANDED_ENDED_MAX`].
    pub handed_ended: Vec<EndedAct>,
}

/// Witness of one seat: its key, and what it must remember to cosign one line only.
pub struct Witness {
    node: NodeId,
    key: CosignKey,
    last: Option<Cosigned>,
    retired: bool,
    handed: handed::Handed,
}

impl Witness {
    /// The witness of a seat, as it was stored. `seed` is the Ed25519 seed of its cosignature key.
    ///
    /// # Errors
    /// `invalid_reference` when genesis has no such witness with this key; `malformed` for a stored
    /// act that is none.
    pub fn new(
        follower: &Follower,
        node: NodeId,
        seed: &[u8; 32],
        memory: WitnessMemory,
    ) -> Result<Self, Refusal> {
        let refuse = |e: &dyn fmt::Display| {
            Refusal::new(Code::InvalidReference, format!("witness {node}: {e}"))
        };
        let key = CosignKey::new(&witness_name(node), seed).map_err(|e| refuse(&e))?;

        // Cosigning under a key that no replica counts would only look like a working witness.
        let seat = (node, *key.verifier().public_key());
        if !follower.genesis().witness_keys().any(|known| known == seat) {
            return Err(refuse(&"genesis has no such witness with this key"));
        }

        Ok(Self {
            node,
            key,
            last: memory.cosigned,
            retired: memory.retired,
            handed: handed::Handed::new(memory.handed, memory.handed_ended)?,
        })
    }

    /// Sender id on the bus.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.node
    }

    /// Newest head cosigned.
    #[must_use]
    pub const fn last(&self) -> Option<&Cosigned> {
        self.last.as_ref()
    }

    /// Whether its key never cosigns again.
    #[must_use]
    pub const fn is_retired(&self) -> bool {
        self.retired
    }

    /// Retires the key for good (a restored, cloned or lost disk).
    pub const fn retire(&mut self) {
        self.retired = true;
    }

    /// Whether a cosignature would say something new: a new tip, or [`RECOSIGN_MS`] passed (either
    /// way, should the clock have been put back).
    #[must_use]
    pub fn due(&self, follower: &Follower, now: UnixMs) -> bool {
        let tip = follower.tip();
        // Without the rule, another tree of one size is as new as a larger one.
        #[cfg(mutants)]
        if strongroom_guard::is_off(G::OneTreePerSize)
            && self.last.as_ref().is_some_and(|last| last.body != tip.body)
        {
            return !self.retired;
        }

        !self.retired
            && tip.size > 0
            && self.last.as_ref().is_none_or(|last| {
                let cosigned_at = UnixMs::from_seconds(last.time_s);
                tip.size != last.size || now.0.abs_diff(cosigned_at.0) >= RECOSIGN_MS
            })
    }

    /// Cosigns the follower's tip, which must be persisted already. `persist` replaces the stored
    /// "cosigned last" from the first to the second argument, durably, or fails; it is not called
    /// when only the time is new.
    ///
    /// # Errors
    /// - `signer_retired`: this key never cosigns again.
    /// - `head_below_floor`: the tip is smaller than what was cosigned; `conflict`: another body of
    ///   the same size.
    /// - `time_out_of_bounds`: the last entry is more than `skew_ms` ahead of the clock, or, unless
    ///   this very head was cosigned before, is witnessed already or is that of entry 0, more than
    ///   [`ENTRY_AGE_MAX_MS`] behind it.
    /// - `tightening_pending`: a handed tightening is missing in the journal longer than `duty_ms`, or a
    ///   release waits that a handed veto forbids.
    /// - Whatever stopped the follower, and what `persist` says.
    pub fn cosign<E: From<Refusal>>(
        &mut self,
        follower: &Follower,
        now: UnixMs,
        persist: impl FnOnce(Option<&Cosigned>, &Cosigned) -> Result<(), E>,
    ) -> Result<WitnessCosignature, E> {
        self.check_line(follower)?;
        self.check_time(follower, now)?;
        self.check_duty(follower, now)?;

        // The head is durable before the signature exists: after a crash in between, this witness
        // must not be free to cosign another tree of that size.
        let (tip, time_s) = (follower.tip(), now.seconds());
        let next = Cosigned {
            size: tip.size,
            body: tip.body.clone(),
            time_s,
        };
        let is_new = self.last.as_ref().is_none_or(|last| last.body != next.body);
        if guard(G::PersistThenCosign, is_new) {
            persist(self.last.as_ref(), &next)?;
        }

        let signed =
            cosign(&next.body, time_s, &self.key).map_err(|e| Refusal::new(Code::Internal, e))?;
        self.last = Some(next);
        Ok(WitnessCosignature {
            body: tip.body.clone(),
            time_s,
            signature: signed.signature,
        })
    }

    /// The newest cosignature once more, exactly as it was: no statement that was not made before.
    /// None when nothing was cosigned yet.
    ///
    /// # Errors
    /// `signer_retired`: this key says nothing any more.
    pub fn repeat(&self) -> Result<Option<WitnessCosignature>, Refusal> {
        if self.retired {
            return Err(Code::SignerRetired.into());
        }
        let Some(last) = &self.last else {
            return Ok(None);
        };

        let signed = cosign(&last.body, last.time_s, &self.key)
            .map_err(|e| Refusal::new(Code::Internal, e))?;
        Ok(Some(WitnessCosignature {
            body: last.body.clone(),
            time_s: last.time_s,
            signature: signed.signature,
        }))
    }

    /// Never after retirement, never smaller, never two bodies for one size.
    fn check_line(&self, follower: &Follower) -> Result<(), Refusal> {
        // A restored disk may have cosigned more than it knows; its word would count twice.
        if self.retired {
            return Err(Code::SignerRetired.into());
        }

        // A replica that could not follow the log has nothing to vouch for.
        if let Some(halted) = follower.halted() {
            return Err(halted.clone());
        }
        let tip = follower.tip();
        if tip.size == 0 {
            return Err(Refusal::new(Code::NotReady, "there is no entry yet"));
        }

        // k cosignatures prove one history only because no honest witness ever signs a smaller tree
        // or a second one of the same size.
        let Some(last) = &self.last else {
            return Ok(());
        };
        if guard(G::OneTreePerSize, tip.size < last.size) {
            let detail = format!(
                "cosigned {} entries, the replica has {}",
                last.size, tip.size
            );
            return Err(Refusal::new(Code::HeadBelowFloor, detail));
        }
        let is_other = tip.size == last.size && tip.body != last.body;
        if guard(G::OneTreePerSize, is_other) {
            return Err(Refusal::new(
                Code::Conflict,
                format!("cosigned another tree of size {}", tip.size),
            ));
        }
        Ok(())
    }

    /// Journal time is what delays and windows run on: a writer that could date entries ahead would
    /// release proposals early, one that could date them back would reuse limits.
    fn check_time(&self, follower: &Follower, now: UnixMs) -> Result<(), Refusal> {
        let (tip, skew_ms) = (follower.tip(), follower.genesis().bounds.skew_ms);

        // An old head is fine once it is settled: a quiet journal is cosigned again and again.
        let cosigned = self.last.as_ref().is_some_and(|last| last.size == tip.size);
        // Entry 0 carries the time of genesis, however much later the journal begins; a writer can
        // do nothing before witnesses have cosigned it.
        let is_first = tip.size == 1 && tip.at == follower.genesis().created;
        let settled = cosigned || is_first || follower.witnessed() >= tip.size;
        let is_ahead = guard(G::EntryNotAhead, tip.at > now.plus(skew_ms));
        let is_old = !settled && now.since(tip.at) > ENTRY_AGE_MAX_MS;
        if is_ahead || guard(G::EntryNotOld, is_old) {
            let detail = format!("last entry at {}, clock {now}", tip.at);
            return Err(Refusal::new(Code::TimeOutOfBounds, detail));
        }
        Ok(())
    }

    /// A writer that keeps a handed tightening out gets no cosignature, so no head stays fresh and
    /// nothing is signed anywhere.
    fn check_duty(&mut self, follower: &Follower, now: UnixMs) -> Result<(), Refusal> {
        self.handed.settle(follower, now);

        // A handed veto binds at once. The cosignatures over a head in which a release waits are
        // all that the release needs to be in force, and then there is nothing left to veto.
        if let Some(act) = self.handed.vetoed_release(follower.state())?
            && guard(G::VetoedRelease, true)
        {
            let detail = format!("a release waits that the handed act {act} vetoes");
            return Err(Refusal::new(Code::TighteningPending, detail));
        }

        let owed = self.handed.owed(now, follower.genesis().bounds.duty_ms);
        if let Some(act) = owed
            && guard(G::HandedDuty, true)
        {
            let detail = format!("the journal lacks the handed act {act}");
            return Err(Refusal::new(Code::TighteningPending, detail));
        }
        Ok(())
    }

    /// Takes a tightening that was handed over directly: from now on shares it forbids are refused
    /// ([`Self::handed_overlay`]), and after `duty_ms` nothing is cosigned without it. Returns what
    /// must be stored before the act is acknowledged, in place of what was stored under this
    /// digest; nothing when all of its signatures are known already.
    ///
    /// # Errors
    /// Whatever `apply` refuses it for at the tip, but for a quota that is free within a minute; `unsupported` when it is not a tightening;
    /// `quota_exceeded` beyond [`HANDED_OPEN_MAX`] open ones of a credential.
    pub fn hand(
        &mut self,
        follower: &Follower,
        signed: &Signed,
        now: UnixMs,
    ) -> Result<Option<HandedAct>, Refusal> {
        self.handed.hand(follower, signed, now)
    }

    /// Changes that each open handed tightening would make at the tip. A share must be allowed
    /// under the tip with *each* of them laid over it (one at a time: [`crate::overlay`]).
    pub fn handed_overlay(
        &mut self,
        follower: &Follower,
        now: UnixMs,
    ) -> impl Iterator<Item = &Delta> {
        self.handed.settle(follower, now);
        self.handed.deltas()
    }

    /// Takes note of a new entry and the state that it leaves. The caller shows every entry: only
    /// so can the end of a duty name its entry.
    pub fn on_entry(&mut self, state: &State, entry: &Entry, now: UnixMs) {
        self.handed.on_entry(state, entry, now);
    }

    /// Tries the handed tightenings at the tip: those that no longer apply there have ended.
    pub fn settle_handed(&mut self, follower: &Follower, now: UnixMs) {
        self.handed.settle(follower, now);
    }

    /// How the newest duties ended, oldest first, at most [`HANDED_ENDED_MAX`].
    pub fn handed_ended(&self) -> impl Iterator<Item = &EndedAct> {
        self.handed.ended()
    }

    /// Tightenings still owed by the journal; stored ones that are not among them have ended.
    pub fn handed(&self) -> impl Iterator<Item = &HandedAct> {
        self.handed.open()
    }

    /// Checks a cosignature that arrived under this witness's own name. A valid one over a head that
    /// it has not cosigned proves that its disk was put back: the key is retired, which the caller
    /// stores. Says whether that happened. `stored` gives the body of the replica's head of a size,
    /// if a batch ended there.
    ///
    /// # Errors
    /// What `stored` says.
    pub fn on_own_cosignature<E>(
        &mut self,
        cosignature: &WitnessCosignature,
        stored: impl FnOnce(u64) -> Result<Option<String>, E>,
    ) -> Result<bool, E> {
        let is_known = match (&self.last, Checkpoint::parse(&cosignature.body)) {
            // Below the newest size it has cosigned stored heads only, and every one of its line
            // stays stored: another life of this key, which another line was shown to, signed any
            // other body. It may be shown after this disk has caught up with it in size.
            (Some(last), Ok(shown)) if shown.size() < last.size => {
                stored(shown.size())?.as_ref() == Some(&cosignature.body)
            }

            // What lies beyond the newest, or beside it, this disk has not cosigned.
            (Some(last), Ok(_)) => cosignature.body == last.body,
            (None, _) | (_, Err(_)) => false,
        };

        let is_foreign = !self.retired && !is_known && is_signed(self, cosignature);
        let restored = guard(G::OwnNewerCosignature, is_foreign);
        self.retired |= restored;
        Ok(restored)
    }
}

/// Whether a cosignature is by this witness's own key.
fn is_signed(witness: &Witness, shown: &WitnessCosignature) -> bool {
    let verifier = witness.key.verifier();
    cosigned::verify(verifier, &shown.body, shown.time_s, &shown.signature).is_ok()
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({}, ..)", self.node)
    }
}
