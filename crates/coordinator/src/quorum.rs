//! Which t signers are asked.

use std::collections::{BTreeMap, BTreeSet};
use strongroom_types::UnixMs;

/// A silent signer is asked last for this long.
const SUSPECT_MS: u64 = 10_000;

/// Remembers who was silent, and rotates.
#[derive(Default)]
pub(crate) struct Chooser {
    suspects: BTreeMap<u16, UnixMs>,
    turn: usize,
}

impl Chooser {
    /// This signer did not answer in time.
    pub(crate) fn silent(&mut self, signer: u16, now: UnixMs) {
        self.suspects.insert(signer, now.plus(SUSPECT_MS));
    }

    /// This signer answered.
    pub(crate) fn heard(&mut self, signer: u16) {
        self.suspects.remove(&signer);
    }

    /// `t` of the roster, ascending: none that is excluded or without stock, suspects only when
    /// needed.
    pub(crate) fn choose(
        &mut self,
        roster: &[u16],
        t: usize,
        excluded: &BTreeSet<u16>,
        ready: impl Fn(u16) -> bool,
        now: UnixMs,
    ) -> Option<Vec<u16>> {
        let mut usable: Vec<u16> = roster
            .iter()
            .copied()
            .filter(|s| !excluded.contains(s) && ready(*s))
            .collect();
        if usable.len() < t {
            return None;
        }
        self.turn = self.turn.wrapping_add(1);
        let shift = self.turn % usable.len();
        usable.rotate_left(shift);
        usable.sort_by_key(|signer| self.suspects.get(signer).is_some_and(|until| now < *until));
        usable.truncate(t);
        usable.sort_unstable();
        Some(usable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silent_and_the_excluded_are_left_out_while_others_suffice() {
        let (mut chooser, now) = (Chooser::default(), UnixMs(1));
        chooser.silent(2, now);
        for _ in 0..6 {
            assert_eq!(
                chooser.choose(&[1, 2, 3], 2, &BTreeSet::new(), |_| true, now),
                Some(vec![1, 3])
            );
        }
        let out = BTreeSet::from([1]);
        assert_eq!(
            chooser.choose(&[1, 2, 3], 2, &out, |_| true, now),
            Some(vec![2, 3])
        );
        assert_eq!(chooser.choose(&[1, 2, 3], 2, &out, |s| s != 3, now), None);
    }
}
