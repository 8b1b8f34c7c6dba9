//! Medians.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// The median of some values, one decimal; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().map_or(0.0, tenth)
}

/// A value rounded to one decimal.
pub fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Ratio of `a` to `b`, rounded to two decimals.
pub fn ratio(a: f64, b: f64) -> f64 {
    (a / b * 100.0).round() / 100.0
}

/// A duration in microseconds.
pub fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median of `rounds` runs in microseconds.
pub fn median_us(
    rounds: u32,
    mut run: impl FnMut(u32) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let start = Instant::now();
        run(round)?;
        times.push(us(start.elapsed()));
    }
    Ok(median(times))
}

/// Processor time of this process so far, all threads.
pub fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
