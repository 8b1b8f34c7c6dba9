//! Cosignatures of the witnesses: which heads they vouch for, and how recently.

use super::{Follower, Head, SplitView};
use crate::cosigned;
use crate::genesis::Genesis;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_guard::{G, guard, kept};
use strongroom_tlog::{Checkpoint, CosignVerifier};
use strongroom_types::{Code, NodeId, Refusal, UnixMs};
use strongroom_wire::WitnessCosignature;

/// Most cosignatures kept of one witness over heads that are not here yet; the smallest sizes are
/// forgotten first.
pub const PENDING_MAX: usize = 64;

/// The newest cosignature of one witness over our own line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latest {
    /// Number of entries; the cosignature covers every prefix of them.
    pub size: u64,
    /// Time of signing, Unix seconds by the witness's clock.
    pub time_s: u64,
    /// Age on arrival, milliseconds by our clock; 0 when it was in the future. The
    /// part of a second that the format cuts off is counted in the witness's favour.
    pub age_ms: u64,
}

impl Latest {
    fn new(size: u64, time_s: u64, received: UnixMs) -> Self {
        Self {
            size,
            time_s,
            age_ms: received.since(UnixMs::from_seconds(time_s).plus(999)),
        }
    }

    const fn time(&self) -> UnixMs {
        UnixMs::from_seconds(self.time_s)
    }
}

#[derive(Debug)]
struct EarlyCosignature {
    cosignature: WitnessCosignature,
    received: UnixMs,
}

/// A cosignature that its witness has really made.
#[derive(Clone, Copy)]
pub(super) struct Verified<'a> {
    pub(super) witness: NodeId,
    /// Size of the head that it is over, entries.
    pub(super) size: u64,
    pub(super) cosignature: &'a WitnessCosignature,
    /// Our clock when it arrived.
    pub(super) received: UnixMs,
}

#[derive(Debug)]
pub(super) struct Seat {
    pub(super) verifier: CosignVerifier,
    latest: Option<Latest>,
    pending: BTreeMap<u64, EarlyCosignature>,
}

impl Seat {
    pub(super) fn all(genesis: &Genesis) -> Result<BTreeMap<NodeId, Self>, Refusal> {
        let seat = |(node, key): (NodeId, [u8; 32])| {
            let verifier = cosigned::verifier(node, &key)?;
            Ok((
                node,
                Self {
                    verifier,
                    latest: None,
                    pending: BTreeMap::new(),
                },
            ))
        };
        genesis.witness_keys().map(seat).collect()
    }

    /// Keeps the larger size, then the later time. A time beyond the skew gives way to any other:
    /// one cosignature from a witness's broken clock must not shadow its good ones.
    fn set_latest(&mut self, new: Latest, latest_time: UnixMs) {
        let better = self.latest.is_none_or(|old| {
            let implausible = old.size == new.size && old.time() > latest_time;
            (new.size, new.time_s) > (old.size, old.time_s) || implausible
        });
        if better {
            self.latest = Some(new);
        }
    }
}

/// Cosignatures on a quiet journal stay young whatever its last stamp: only ticks show that the
/// writer dates its entries by the clock, and that it makes the `witnessed` entries it owes.
fn check_lag(head: &Head, tick_max_ms: u64, now: UnixMs) -> Result<(), Refusal> {
    let stale = |what| Err(Refusal::new(Code::JournalStale, what));
    if guard(G::EntryLag, now.since(head.at) > tick_max_ms) {
        return stale("the newest entry is too old");
    }
    let waiting_since = head.waiting_since;
    let is_late = waiting_since.is_some_and(|at| now.since(at) > tick_max_ms);
    if guard(G::ItemLag, is_late) {
        return stale("what waits to be witnessed is too old");
    }
    Ok(())
}

impl Follower {
    /// Takes in a witness's cosignature, verified. One over a head that is not here yet waits for
    /// it.
    ///
    /// A valid cosignature over another body than ours at a kept size is evidence of a split view;
    /// it counts for nothing. One over a size that is not a kept head says nothing here and is
    /// dropped.
    ///
    /// # Errors
    /// `unknown_sender`, `malformed` or `bad_signature`; none of them changes anything.
    pub fn cosignature(
        &mut self,
        witness: NodeId,
        cosignature: &WitnessCosignature,
        now: UnixMs,
    ) -> Result<(), Refusal> {
        let seat = self
            .seats
            .get_mut(&witness)
            .ok_or_else(|| Refusal::new(Code::UnknownSender, witness))?;

        // A witness may serve several logs; a cosignature of another log is not counted.
        let checkpoint =
            Checkpoint::parse(&cosignature.body).map_err(|e| Refusal::new(Code::Malformed, e))?;
        if checkpoint.origin() != self.state.genesis().origin {
            return Err(Refusal::new(Code::Malformed, "cosignature of another log"));
        }

        let WitnessCosignature {
            body,
            time_s,
            signature,
        } = cosignature;
        cosigned::verify(&seat.verifier, body, *time_s, signature)?;

        // These are bounded per witness: a hostile one can invent sizes that never come.
        if checkpoint.size() > self.frontier.size() {
            let waiting = EarlyCosignature {
                cosignature: cosignature.clone(),
                received: now,
            };
            seat.pending.insert(checkpoint.size(), waiting);
            if seat.pending.len() > PENDING_MAX {
                seat.pending.pop_first();
            }
            return Ok(());
        }

        self.count(Verified {
            witness,
            size: checkpoint.size(),
            cosignature,
            received: now,
        });
        self.set_acted(now);
        Ok(())
    }

    /// Counts a verified cosignature if it is over our own line.
    fn count(&mut self, verified: Verified<'_>) {
        let Verified {
            witness,
            size,
            cosignature,
            received,
        } = verified;
        let Some(ours) = self.head(size).map(|head| &head.body) else {
            return;
        };

        // The witness signed another tree of our size: it lies or was lied to, and in both cases
        // its cosignature does not support our line.
        if *ours != cosignature.body {
            let (node, ours) = (witness, ours.clone());
            self.insert_evidence(SplitView::Witness {
                node,
                ours,
                cosignature: cosignature.clone(),
            });
            return;
        }

        let latest_time = received.plus(self.genesis().bounds.skew_ms);
        if let Some(seat) = self.seats.get_mut(&witness) {
            seat.set_latest(Latest::new(size, cosignature.time_s, received), latest_time);
        }
        self.vouch(verified, latest_time);
    }

    /// Counts the cosignatures that waited for the entries that have just come.
    pub(super) fn count_pending(&mut self) {
        let tip = self.size();
        let mut due = Vec::new();

        // They are taken out before they are counted: counting needs the whole follower, and may
        // add evidence to it.
        for (node, seat) in &mut self.seats {
            while let Some(first) = seat
                .pending
                .first_entry()
                .filter(|first| *first.key() <= tip)
            {
                let (size, pending) = first.remove_entry();
                due.push((*node, size, pending));
            }
        }

        for (node, size, pending) in due {
            self.count(Verified {
                witness: node,
                size,
                cosignature: &pending.cosignature,
                received: pending.received,
            });
        }
    }

    /// The newest cosignature of a witness over our own line.
    #[must_use]
    pub fn latest(&self, witness: NodeId) -> Option<Latest> {
        self.seats.get(&witness)?.latest
    }

    /// How many witnesses vouch for a head that this replica does not have, or for another one of a
    /// size it has. A replica that is catching up sees this; to the *writer*, more than `faults` of
    /// them prove that its database was put back, and that it must not order on.
    #[must_use]
    pub fn witnesses_elsewhere(&self) -> usize {
        let ahead = self
            .seats
            .iter()
            .filter(|(_, seat)| !seat.pending.is_empty())
            .map(|(node, _)| *node);
        let beside = self.evidence.iter().filter_map(|evidence| match evidence {
            SplitView::Witness { node, .. } => Some(*node),
            SplitView::Log { .. } => None,
        });
        ahead.chain(beside).collect::<BTreeSet<_>>().len()
    }

    /// Size up to which a quorum vouches for our line, whenever it said so; 0 when none does.
    #[must_use]
    pub fn witnessed(&self) -> u64 {
        let sizes = self
            .seats
            .values()
            .filter_map(|seat| seat.latest)
            .map(|latest| latest.size);
        self.kth_largest(sizes).unwrap_or(0)
    }

    /// The largest head that a quorum of witnesses cosigned, *each of them* within `freshness_ms`
    /// before and `skew_ms` after our clock. Never one before a head that was fresh here already:
    /// what was fresh once is witnessed for good, and judging by more of the journal than is fresh
    /// now only tightens.
    ///
    /// # Errors
    /// - `clock_skew`: of the witnesses whose cosignatures are here, more than half signed their
    ///   newest one more than `skew_ms` in our future, or of more than half it was older than
    ///   `skew_ms` already when it arrived. One of the clocks is wrong, and with an honest majority
    ///   of witnesses it is ours (or the bus is too slow to tell).
    /// - `journal_stale`: fewer than a quorum are fresh, or the newest entry, or the oldest item that
    ///   waits to be witnessed, is more than `tick_max_ms` old.
    /// - `head_below_floor`: the fresh head lies before the oldest head kept, so before where this
    ///   process started.
    /// - Whatever stopped this replica.
    pub fn fresh(&self, now: UnixMs) -> Result<&Head, Refusal> {
        self.check_not_halted()?;
        let bounds = &self.genesis().bounds;
        let (earliest, latest_time) = (
            now.0.saturating_sub(bounds.freshness_ms),
            now.plus(bounds.skew_ms),
        );

        // Honest witnesses are the majority: when most of them disagree with this clock, it is this
        // clock that is wrong, and a wrong clock could take an old head for a fresh one.
        let newest: Vec<Latest> = self.seats.values().filter_map(|seat| seat.latest).collect();
        let most = |which: &dyn Fn(&Latest) -> bool| {
            newest.iter().filter(|l| which(l)).count() * 2 > newest.len()
        };
        let is_skewed = most(&|l| l.time() > latest_time) || most(&|l| l.age_ms > bounds.skew_ms);
        if guard(G::ClockSkew, is_skewed) {
            return Err(Code::ClockSkew.into());
        }

        // *Each* cosignature of the quorum must be recent: one old one is enough to vouch for a
        // head whose revocations the hostile minority has never shown us.
        let counts = |l: &&Latest| {
            let is_old = guard(G::Freshness, l.time().0 < earliest);
            !is_old && l.time() <= latest_time
        };
        let size = self
            .kth_largest(newest.iter().filter(counts).map(|l| l.size))
            .ok_or(Code::JournalStale)?;

        // The floor never goes down: under an older head, revoked approvals would count again.
        let size = kept!(G::HeadNeverBack, size.max(self.acted), instead size);
        let head = self.head(size).ok_or_else(|| {
            Refusal::new(
                Code::HeadBelowFloor,
                format!("fresh up to {size}, this replica starts later"),
            )
        })?;
        check_lag(head, bounds.tick_max_ms, now)?;
        Ok(head)
    }

    /// Latest time that has passed for good: no entry dated before it can come any more, and no
    /// signer takes it for the future. 0 while no head is fresh.
    ///
    /// What is given up because a time has passed (an intent, its coins, a share that no key names)
    /// is given up by this and never by a clock: until a *witnessed* head's newest entry is past
    /// the time, a writer can append an entry with an older stamp, and what was given up is used
    /// after all.
    #[must_use]
    pub fn past(&self, now: UnixMs) -> UnixMs {
        let head = self.fresh(now).map_or(UnixMs(0), |head| head.at);

        // A share is judged by its signer's own clock. The stamp may be ahead of the witnesses by
        // the skew, and that clock behind them by as much.
        UnixMs(
            head.0
                .saturating_sub(self.genesis().bounds.skew_ms.saturating_mul(2)),
        )
    }

    /// The `k`-th largest size: `k` witnesses vouch for it, since each one vouches for every
    /// prefix.
    fn kth_largest(&self, sizes: impl Iterator<Item = u64>) -> Option<u64> {
        let mut sizes: Vec<u64> = sizes.collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let k = usize::try_from(self.genesis().quorum)
            .ok()?
            .checked_sub(1)?;
        kept!(G::WitnessQuorum, sizes.get(k).copied(), instead sizes.first().copied())
    }

    /// Keeps the fresh head as the least to act under, and forgets what lies before it.
    fn set_acted(&mut self, now: UnixMs) {
        if let Ok(size) = self.fresh(now).map(|head| head.size) {
            self.acted = self.acted.max(size);
            self.forget_before(kept!(G::HeadNeverBack, self.acted, instead 0));
        }
    }
}
