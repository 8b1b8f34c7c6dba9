//! Choice of the t signers that are asked.

use std::collections::BTreeMap;
use strongroom_journal::model::KeyRecord;
use strongroom_types::UnixMs;

/// A silent signer is asked last for this long, in milliseconds.
const SUSPECT_MS: u64 = 10_000;

/// Index of a signer in the genesis roster, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SignerIndex(pub(crate) u16);

/// The signers that hold shares of a key, ascending.
pub(crate) fn roster(key: &KeyRecord) -> Vec<SignerIndex> {
    key.plan.roster.iter().copied().map(SignerIndex).collect()
}

/// Remembers which signers were silent, and rotates among the others.
#[derive(Default)]
pub(crate) struct Chooser {
    suspects: BTreeMap<SignerIndex, UnixMs>,
    turn: usize,
}

impl Chooser {
    /// Notes that this signer did not answer in time.
    pub(crate) fn set_silent(&mut self, signer: SignerIndex, now: UnixMs) {
        self.suspects.insert(signer, now.plus(SUSPECT_MS));
    }

    /// Notes that this signer answered.
    pub(crate) fn set_responsive(&mut self, signer: SignerIndex) {
        self.suspects.remove(&signer);
    }

    /// `t` of the usable signers, ascending; suspects only when needed. None when there are fewer.
    pub(crate) fn choose(
        &mut self,
        mut usable: Vec<SignerIndex>,
        t: usize,
        now: UnixMs,
    ) -> Option<Vec<SignerIndex>> {
        if usable.len() < t || usable.is_empty() {
            return None;
        }

        // Each quorum begins at another signer, so that load and wear spread.
        self.turn = self.turn.wrapping_add(1);
        let shift = self.turn % usable.len();
        usable.rotate_left(shift);

        // Silent signers come last: one that is down would cost every run a whole wait.
        usable.sort_by_key(|signer| self.suspects.get(signer).is_some_and(|until| now < *until));
        usable.truncate(t);
        usable.sort_unstable();
        Some(usable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [SignerIndex; 3] = [SignerIndex(1), SignerIndex(2), SignerIndex(3)];

    #[test]
    fn silent_signers_are_left_out_while_others_suffice() {
        let (mut chooser, now) = (Chooser::default(), UnixMs(1));
        chooser.set_silent(ALL[1], now);
        for _ in 0..6 {
            let chosen = chooser.choose(ALL.to_vec(), 2, now);
            assert_eq!(chosen, Some(vec![ALL[0], ALL[2]]));
        }
        let chosen = chooser.choose(ALL[1..].to_vec(), 2, now);
        assert_eq!(chosen, Some(ALL[1..].to_vec()));
        assert_eq!(chooser.choose(ALL[1..].to_vec(), 3, now), None);
    }

    #[test]
    fn a_silent_signer_is_asked_again_after_a_while_or_once_it_answers() {
        let (mut chooser, now) = (Chooser::default(), UnixMs(1));
        let has_second = |chooser: &mut Chooser, now: UnixMs| {
            (0..6)
                .filter_map(|_| chooser.choose(ALL.to_vec(), 2, now))
                .any(|quorum| quorum.contains(&ALL[1]))
        };
        chooser.set_silent(ALL[1], now);
        assert!(!has_second(&mut chooser, now.plus(SUSPECT_MS - 1)));
        assert!(has_second(&mut chooser, now.plus(SUSPECT_MS)));
        chooser.set_silent(ALL[1], now);
        chooser.set_responsive(ALL[1]);
        assert!(has_second(&mut chooser, now));
    }

    #[test]
    fn every_signer_gets_its_turn() {
        let mut chooser = Chooser::default();
        let mut asked = BTreeMap::new();
        for _ in 0..30 {
            for signer in chooser
                .choose(ALL.to_vec(), 2, UnixMs(1))
                .into_iter()
                .flatten()
            {
                *asked.entry(signer).or_insert(0) += 1;
            }
        }
        assert_eq!(asked.into_values().collect::<Vec<_>>(), [20, 20, 20]);
    }
}
