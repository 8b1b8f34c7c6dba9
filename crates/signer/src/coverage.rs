//! Arrival times of fresh witnessed heads: the `covered_us` of a share, for the timeline only.

use std::collections::VecDeque;
use strongroom_types::UnixMs;

/// Heads remembered; older attempts are answered with the oldest time kept.
const HEADS_MAX: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Coverage(VecDeque<(u64, UnixMs)>);

impl Coverage {
    /// Notes that a head of this size, in entries, is fresh now.
    pub(crate) fn note(&mut self, size: u64, now: UnixMs) {
        if self.0.back().is_none_or(|(known, _)| *known < size) {
            self.0.push_back((size, now));

            // The list is bounded: it is a figure for people, which is not worth memory that grows.
            if self.0.len() > HEADS_MAX {
                self.0.pop_front();
            }
        }
    }

    /// Time at which a fresh head first covered the entry at `seq`, Unix microseconds; 0 when none
    /// does.
    pub(crate) fn covered_us(&self, seq: u64) -> u64 {
        let at = self.0.partition_point(|(size, _)| *size <= seq);
        self.0.get(at).map_or(0, |(_, when)| when.micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_covered_by_the_first_head_that_is_larger_than_its_position() {
        let mut coverage = Coverage::default();
        for (size, at) in [(3, 10), (3, 11), (5, 12)] {
            coverage.note(size, UnixMs(at));
        }
        let covered: Vec<u64> = [0, 2, 3, 4, 5].map(|seq| coverage.covered_us(seq)).to_vec();
        assert_eq!(covered, [10_000, 10_000, 12_000, 12_000, 0]);
    }
}
