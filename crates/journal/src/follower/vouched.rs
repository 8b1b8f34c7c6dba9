//! Cosignatures over heads in which something waits, for the entry `witnessed`.

use super::Follower;
use super::seats::Verified;
use crate::cosigned;
use crate::entry::{SeatCosignature, Witnessed};
use crate::state::Lookup as _;
use strongroom_types::UnixMs;

/// Most heads whose cosignatures are kept for a `witnessed` entry; the smallest are forgotten first.
const VOUCHED_MAX: usize = 16;

impl Follower {
    /// Keeps a witness's earliest word over a head in which something waits: with the k earliest
    /// that exist, no delay ends later than it must.
    pub(super) fn vouch(&mut self, verified: Verified<'_>, latest_time: UnixMs) {
        let Verified {
            witness,
            size,
            cosignature,
            ..
        } = verified;

        // A cosignature without a date says nothing about when, and one from the future would end a
        // delay too late.
        let time = UnixMs::from_seconds(cosignature.time_s);
        let is_usable = time > UnixMs(0) && time <= latest_time;
        let waits = self
            .head(size)
            .is_some_and(|head| head.waiting_since.is_some());
        if !is_usable || !waits {
            return;
        }

        let seat = SeatCosignature {
            witness,
            time_s: cosignature.time_s,
            signature: cosignature.signature,
        };
        let of_size = self.vouched.entry(size).or_default();
        let kept = of_size.entry(witness).or_insert(seat);
        if seat.time_s < kept.time_s {
            *kept = seat;
        }
        while self.vouched.len() > VOUCHED_MAX {
            self.vouched.pop_first();
        }
    }

    /// Forgets cosignatures that no `witnessed` entry can use any more.
    pub(super) fn forget_vouched(&mut self) {
        let first = self.state.waiting().ok().and_then(|waiting| {
            let first = waiting.items.first().copied();
            first.map(|item| item.seq)
        });
        match first {
            Some(first) => self.vouched.retain(|size, _| *size > first),
            None => self.vouched.clear(),
        }
    }

    /// The `witnessed` entry that can be made now: k cosignatures over one head that covers the
    /// oldest waiting item, by the witnesses that signed it first. Of several such heads the
    /// largest, which covers most.
    #[must_use]
    pub fn vouched(&self) -> Option<Witnessed> {
        let quorum = self.genesis().quorum as usize;
        self.vouched.iter().rev().find_map(|(size, by)| {
            let mut cosignatures: Vec<SeatCosignature> = by.values().copied().collect();
            cosignatures.sort_by_key(|cosignature| cosignature.time_s);
            cosignatures.truncate(quorum);
            cosignatures.sort_by_key(|cosignature| cosignature.witness);
            (cosignatures.len() == quorum).then_some(())?;
            Some(Witnessed {
                checkpoint: self.head(*size)?.body.clone(),
                cosignatures,
            })
        })
    }

    /// Whether a cosignature is its witness's own.
    pub(super) fn is_signed(&self, body: &str, cosignature: &SeatCosignature) -> bool {
        self.seats.get(&cosignature.witness).is_some_and(|seat| {
            let SeatCosignature {
                time_s, signature, ..
            } = cosignature;
            cosigned::verify(&seat.verifier, body, *time_s, signature).is_ok()
        })
    }
}
