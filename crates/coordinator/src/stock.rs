//! Prepared nonce commitments of the signers, single-use.

use crate::quorum::SignerIndex;
use std::collections::{BTreeMap, VecDeque};
use strongroom_types::{KeyId, TenantId, UnixMs};
use strongroom_wire::NonceCommitment;

/// Wait for an answer before asking again, in milliseconds.
const ASK_AGAIN_MS: u64 = 1_000;
/// Most commitments kept of one signer and key, whatever it sends.
const KEPT_MAX: usize = 1_024;

/// A key of a tenant. Another tenant may have a key under the same id.
pub(crate) type KeyName = (TenantId, KeyId);

#[derive(Default)]
struct Shelf {
    boot: [u8; 16],
    /// Lowest number within the boot that was not received yet.
    next: u64,
    commitments: VecDeque<NonceCommitment>,
    asked: UnixMs,
}

/// All signers' commitments.
pub(crate) struct Stock {
    /// Commitments wanted per signer and key; half of them are asked for at once.
    target: u32,
    shelves: BTreeMap<(KeyName, SignerIndex), Shelf>,
}

impl Stock {
    pub(crate) const fn new(target: u32) -> Self {
        Self {
            target,
            shelves: BTreeMap::new(),
        }
    }

    /// Adds new commitments. A new boot of the signer empties what was there.
    pub(crate) fn add(&mut self, key: KeyName, signer: SignerIndex, new: Vec<NonceCommitment>) {
        let Some(boot) = new.first().map(|c| c.boot) else {
            return;
        };
        let shelf = self.shelves.entry((key, signer)).or_default();

        // A restarted signer has lost its nonces: a commitment of its earlier boot would be
        // refused.
        if shelf.boot != boot {
            shelf.boot = boot;
            shelf.next = 0;
            shelf.commitments.clear();
        }
        shelf.asked = UnixMs(0);

        // A record that is delivered twice must not offer its nonces twice: the second use would
        // be refused, and cost a try. A signer numbers its nonces in ascending order.
        for commitment in new {
            if commitment.boot == boot && commitment.number >= shelf.next {
                shelf.next = commitment.number.saturating_add(1);
                shelf.commitments.push_back(commitment);
            }
        }

        // The shelf is bounded: no signer may fill this process's memory, whatever it sends.
        shelf.commitments.truncate(KEPT_MAX);
    }

    /// Number of unused commitments.
    pub(crate) fn count(&self, key: KeyName, signer: SignerIndex) -> usize {
        self.shelves
            .get(&(key, signer))
            .map_or(0, |shelf| shelf.commitments.len())
    }

    /// Takes a commitment out: it is never offered twice.
    pub(crate) fn take(&mut self, key: KeyName, signer: SignerIndex) -> Option<NonceCommitment> {
        self.shelves
            .get_mut(&(key, signer))?
            .commitments
            .pop_front()
    }

    /// The signer no longer knows them. Their numbers stay used: the record that brought them may
    /// be delivered again.
    pub(crate) fn clear(&mut self, key: KeyName, signer: SignerIndex) {
        if let Some(shelf) = self.shelves.get_mut(&(key, signer)) {
            shelf.commitments.clear();
            shelf.asked = UnixMs(0);
        }
    }

    /// Number to ask this signer for now, if any; notes that it was asked.
    pub(crate) fn wanted(&mut self, key: KeyName, signer: SignerIndex, now: UnixMs) -> Option<u32> {
        let shelf = self.shelves.entry((key, signer)).or_default();

        // The signer was asked a moment ago, or enough is at hand: a signer's memory is not filled
        // for nothing.
        let waiting = now.since(shelf.asked) < ASK_AGAIN_MS && shelf.asked <= now;
        let refill = self.target / 2;
        if waiting || shelf.commitments.len() + refill as usize > self.target as usize {
            return None;
        }

        shelf.asked = now;
        Some(refill)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TARGET: u32 = 256;
    const REFILL: u32 = 128;
    const ONE: SignerIndex = SignerIndex(1);
    const KEY: KeyName = (TenantId([1; 16]), KeyId([1; 16]));

    fn commitment(boot: u8, number: u64) -> NonceCommitment {
        NonceCommitment {
            boot: [boot; 16],
            number,
            commitment: vec![],
        }
    }

    #[test]
    fn a_new_boot_empties_the_shelf_and_each_commitment_is_given_once() {
        let (mut stock, key) = (Stock::new(TARGET), KEY);
        stock.add(key, ONE, vec![commitment(1, 1), commitment(1, 2)]);
        assert_eq!(stock.take(key, ONE).unwrap().number, 1);
        // A new boot numbers from the start.
        stock.add(key, ONE, vec![commitment(2, 1)]);
        let next = stock.take(key, ONE).unwrap();
        assert_eq!((next.boot, next.number), ([2; 16], 1));
        assert!(stock.take(key, ONE).is_none());
    }

    #[test]
    fn one_message_brings_commitments_of_one_boot() {
        let (mut stock, key) = (Stock::new(TARGET), KEY);
        stock.add(key, ONE, vec![commitment(1, 1), commitment(2, 2)]);
        assert_eq!(stock.count(key, ONE), 1);
    }

    #[test]
    fn a_signer_cannot_fill_the_memory_or_overflow_a_number() {
        let (mut stock, key) = (Stock::new(TARGET), KEY);
        stock.add(key, ONE, (0..2_000).map(|n| commitment(1, n)).collect());
        assert_eq!(stock.count(key, ONE), KEPT_MAX);
        stock.add(key, ONE, vec![commitment(2, u64::MAX)]);
        assert_eq!(stock.count(key, ONE), 1);
    }

    #[test]
    fn commitments_that_a_signer_has_lost_are_not_taken_again() {
        let (mut stock, key) = (Stock::new(TARGET), KEY);
        stock.add(key, ONE, vec![commitment(1, 1), commitment(1, 2)]);
        stock.clear(key, ONE);
        stock.add(key, ONE, vec![commitment(1, 1), commitment(1, 2)]);
        assert_eq!(stock.count(key, ONE), 0);
    }

    #[test]
    fn commitments_that_arrive_twice_are_offered_once() {
        let (mut stock, key) = (Stock::new(TARGET), KEY);
        let record = || vec![commitment(1, 1), commitment(1, 2)];
        stock.add(key, ONE, record());
        stock.add(key, ONE, record());
        assert_eq!(stock.count(key, ONE), 2);
        stock.take(key, ONE);
        stock.add(key, ONE, record());
        assert_eq!(stock.count(key, ONE), 1);
    }

    #[test]
    fn a_signer_is_asked_once_a_second_and_only_below_the_target() {
        let (mut stock, key, t) = (Stock::new(TARGET), KEY, UnixMs(10_000));
        assert_eq!(stock.wanted(key, ONE, t), Some(REFILL));
        assert_eq!(stock.wanted(key, ONE, t.plus(10)), None);
        assert_eq!(stock.wanted(key, ONE, t.plus(ASK_AGAIN_MS)), Some(REFILL));
        stock.add(key, ONE, (0..129).map(|n| commitment(1, n)).collect());
        assert_eq!(stock.wanted(key, ONE, t.plus(5_000)), None);
        stock.take(key, ONE);
        assert_eq!(stock.wanted(key, ONE, t.plus(5_000)), Some(REFILL));
    }

    #[test]
    fn a_signer_is_asked_at_once_after_its_answer_its_loss_or_a_clock_set_back() {
        let (mut stock, key, t) = (Stock::new(TARGET), KEY, UnixMs(10_000));
        let is_asked = |stock: &mut Stock, now| stock.wanted(key, ONE, now).is_some();
        assert!(is_asked(&mut stock, t));
        assert!(!is_asked(&mut stock, t));
        stock.add(key, ONE, vec![commitment(1, 1)]);
        assert!(is_asked(&mut stock, t));
        stock.clear(key, ONE);
        assert!(is_asked(&mut stock, t));
        // With a clock that was set back the signer would else not be asked for a long time.
        assert!(is_asked(&mut stock, UnixMs(5_000)));
    }
}
