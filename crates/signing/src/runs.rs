//! How the runs of one ceremony follow each other: the coordinator keeps to it, and a signer takes
//! no run that comes earlier.

/// Most runs of one ceremony.
pub const RUNS_MAX: u32 = 16;
/// The first run without a result is followed by the next after this time, in milliseconds.
pub const RUN_MS: u64 = 15_000;
/// Pause before the next run after a refusal of the first, in milliseconds. No pause is shorter.
pub const RETRY_MS: u64 = 500;
/// Longest pause between two runs, as a part of the ceremony's life.
const LIFE_PARTS: u64 = 8;

/// Pause after the run of this number, milliseconds. It doubles, so that the runs are spread over the
/// ceremony's life: used up within minutes, one signer that was away would cost the committee a key
/// id and another delay.
#[must_use]
pub fn pause_ms(first_ms: u64, number: u32, life_ms: u64) -> u64 {
    let doubled = first_ms << number.saturating_sub(1).min(RUNS_MAX);
    doubled.min((life_ms / LIFE_PARTS).max(first_ms))
}

/// Earliest start of the run of this number, milliseconds after the release: when every run before
/// it was refused at once.
#[must_use]
pub fn earliest_ms(number: u32, life_ms: u64) -> u64 {
    let before = 1..number.min(RUNS_MAX);
    before.map(|run| pause_ms(RETRY_MS, run, life_ms)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 24 * 3_600_000;

    #[test]
    fn pauses_double_up_to_a_part_of_the_life() {
        let pauses = [1, 2, 10, 11, 16].map(|number| pause_ms(RUN_MS, number, DAY_MS) / 1_000);
        assert_eq!(pauses, [15, 30, 7_680, 10_800, 10_800]);
        assert_eq!(pause_ms(RUN_MS, 9, 1_000), RUN_MS, "a short life");
    }

    #[test]
    fn the_earliest_start_of_a_run_is_after_the_shortest_pauses() {
        let starts = [0, 1, 2, 3, 16, 17, u32::MAX].map(|number| earliest_ms(number, DAY_MS));
        let last = 500 * ((1 << 15) - 1);
        assert_eq!(starts, [0, 0, 500, 1_500, last, last, last]);
        assert_eq!(earliest_ms(16, 1_000), 15 * 500, "a short life");
    }
}
