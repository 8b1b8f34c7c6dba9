//! The switch of a `--cfg mutants` build: which guard is off, and what the guards did.

use crate::G;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that names the guard to switch off.
pub const OFF: &str = "STRONGROOM_GUARD_OFF";

/// How often each guard would have refused, in the order of [`G::ALL`].
static REACHED: [AtomicU64; G::ALL.len()] = [const { AtomicU64::new(0) }; G::ALL.len()];

/// Work of this process's guards so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuardCounts {
    /// The guard that is off, if one is.
    pub off: Option<&'static str>,
    /// How often it let through what it refuses when it is on.
    pub passed: u64,
    /// How often each other guard refused, without those that never did.
    pub refused: Vec<(&'static str, u64)>,
}

/// The guard that is off.
///
/// # Panics
/// When the variable names no guard: a mutant that switches off nothing would look like a defence.
#[expect(clippy::panic, reason = "not compiled into what is shipped")]
fn off() -> Option<G> {
    static CHOSEN: OnceLock<Option<G>> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var(OFF).ok()?;
        let found = G::ALL.iter().copied().find(|guard| guard.name() == name);
        Some(found.unwrap_or_else(|| panic!("{OFF} names no guard: {name}")))
    })
}

/// Whether this guard is switched off.
#[must_use]
pub fn is_off(name: G) -> bool {
    off() == Some(name)
}

/// Called where a guard would refuse: counts it, and says whether it lets this through.
pub(crate) fn passes(name: G) -> bool {
    count(name);
    is_off(name)
}

/// Called where a guard chooses a value: whether it takes the other one, which alone is counted.
pub(crate) fn takes_other(name: G) -> bool {
    let off = is_off(name);
    if off {
        count(name);
    }
    off
}

fn count(name: G) {
    if let Some(count) = REACHED.get(name as usize) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The work of this process's guards so far.
#[must_use]
pub fn report() -> GuardCounts {
    let counts = G::ALL.iter().zip(&REACHED);
    let counts = counts.map(|(guard, count)| (*guard, count.load(Ordering::Relaxed)));
    let mut report = GuardCounts {
        off: off().map(G::name),
        passed: 0,
        refused: Vec::new(),
    };
    for (guard, count) in counts {
        match (is_off(guard), count) {
            (true, _) => report.passed = count,
            (false, 0) => {}
            (false, _) => report.refused.push((guard.name(), count)),
        }
    }
    report
}
