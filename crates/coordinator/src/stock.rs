//! Prepared nonce commitments of the signers, single-use.

use std::collections::{BTreeMap, VecDeque};
use strongroom_types::{KeyId, UnixMs};
use strongroom_wire::NonceCommitment;

/// Commitments wanted of each signer and key.
const TARGET: usize = 256;
/// Asked for at once.
const REFILL: u32 = 128;
/// Asked again after this time without an answer.
const ASK_AGAIN_MS: u64 = 1_000;
/// Most commitments kept of one signer and key, whatever it sends.
const KEPT_MAX: usize = 1_024;

#[derive(Default)]
struct Shelf {
    boot: [u8; 16],
    commitments: VecDeque<NonceCommitment>,
    asked: UnixMs,
}

/// All signers' commitments.
#[derive(Default)]
pub(crate) struct Stock {
    shelves: BTreeMap<(KeyId, u16), Shelf>,
}

impl Stock {
    /// Puts fresh commitments on the shelf. A new boot of the signer empties what was there.
    pub(crate) fn add(&mut self, key: KeyId, signer: u16, fresh: Vec<NonceCommitment>) {
        let Some(boot) = fresh.first().map(|c| c.boot) else {
            return;
        };
        let shelf = self.shelves.entry((key, signer)).or_default();
        if shelf.boot != boot {
            shelf.boot = boot;
            shelf.commitments.clear();
        }
        shelf.asked = UnixMs(0);
        shelf
            .commitments
            .extend(fresh.into_iter().filter(|c| c.boot == boot));
        shelf.commitments.truncate(KEPT_MAX);
    }

    /// How many are there.
    pub(crate) fn count(&self, key: KeyId, signer: u16) -> usize {
        self.shelves
            .get(&(key, signer))
            .map_or(0, |shelf| shelf.commitments.len())
    }

    /// Takes one off the shelf.
    pub(crate) fn take(&mut self, key: KeyId, signer: u16) -> Option<NonceCommitment> {
        self.shelves
            .get_mut(&(key, signer))?
            .commitments
            .pop_front()
    }

    /// The signer does not know them any more.
    pub(crate) fn clear(&mut self, key: KeyId, signer: u16) {
        self.shelves.remove(&(key, signer));
    }

    /// How many to ask this signer for now; notes that it was asked.
    pub(crate) fn wanted(&mut self, key: KeyId, signer: u16, now: UnixMs) -> Option<u32> {
        let shelf = self.shelves.entry((key, signer)).or_default();
        let waiting = now.since(shelf.asked) < ASK_AGAIN_MS && shelf.asked <= now;
        if waiting || shelf.commitments.len() + REFILL as usize > TARGET {
            return None;
        }
        shelf.asked = now;
        Some(REFILL)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn commitment(boot: u8, number: u64) -> NonceCommitment {
        NonceCommitment {
            boot: [boot; 16],
            number,
            commitment: vec![],
        }
    }

    #[test]
    fn a_new_boot_empties_the_shelf_and_each_commitment_is_given_once() {
        let (mut stock, key) = (Stock::default(), KeyId([1; 16]));
        stock.add(key, 1, vec![commitment(1, 1), commitment(1, 2)]);
        assert_eq!(stock.take(key, 1).unwrap().number, 1);
        stock.add(key, 1, vec![commitment(2, 9)]);
        assert_eq!(
            (stock.count(key, 1), stock.take(key, 1).unwrap().number),
            (1, 9)
        );
        assert!(stock.take(key, 1).is_none());
    }

    #[test]
    fn a_signer_is_asked_once_a_second_and_only_below_the_target() {
        let (mut stock, key, t) = (Stock::default(), KeyId([1; 16]), UnixMs(10_000));
        assert_eq!(stock.wanted(key, 1, t), Some(REFILL));
        assert_eq!(stock.wanted(key, 1, t.plus(10)), None);
        assert_eq!(stock.wanted(key, 1, t.plus(ASK_AGAIN_MS)), Some(REFILL));
        stock.add(key, 1, (0..200).map(|n| commitment(1, n)).collect());
        assert_eq!(stock.wanted(key, 1, t.plus(5_000)), None);
    }
}
