//! A bound of the writer's stamps: the witnesses' clocks, as far as it has heard of them.
//!
//! No witness cosigns an entry that is stamped ahead of its clock, and no later entry may have an
//! older stamp. A writer whose clock jumped ahead by a month would stop the journal for a month,
//! whatever people then repaired. So it never stamps far beyond what the witnesses' clocks are known
//! to show: once its own is right again, the journal goes on within [`AHEAD_MAX_MS`].

use std::collections::BTreeMap;
use strongroom_types::{NodeId, UnixMs};

/// How far a stamp may be ahead of the witnesses' last word: four times as long as quiet witnesses
/// wait before they cosign again, so that an honest clock is not noticed here.
pub const AHEAD_MAX_MS: u64 = 60_000;
/// Pause between two questions, milliseconds. Witnesses that were away have nothing to say by
/// themselves when the tip has grown too old for them in the meantime.
const ASK_EVERY_MS: u64 = 30_000;

/// Times that the witnesses' clocks showed when they last spoke.
#[derive(Debug)]
pub(crate) struct WitnessClocks {
    faults: usize,
    heard: BTreeMap<NodeId, UnixMs>,
    /// Time that their answers to the start bore out: records from before the start, which come
    /// again where this stage stopped, lead no stamp back behind it.
    least: UnixMs,
    asked_at: UnixMs,
}

impl WitnessClocks {
    /// The clocks of witnesses that answered a start, by the time of each one's newest answer.
    ///
    /// This machine's clock is not among them: it may have jumped ahead while the start waited.
    pub(crate) fn new(faults: usize, answers: &BTreeMap<NodeId, UnixMs>) -> Self {
        Self {
            faults,
            heard: BTreeMap::new(),
            // Without enough answers nothing is borne out; such a start is not ready.
            least: borne_out(faults, answers).unwrap_or(UnixMs(0)),
            asked_at: UnixMs(0),
        }
    }

    /// A witness signed a record at this time of its clock.
    pub(crate) fn hear(&mut self, witness: NodeId, made: UnixMs) {
        // The newest word counts and not the largest: a clock that was ahead is repaired, too.
        self.heard.insert(witness, made);
    }

    /// The stamp to give now: this clock's time, but no further ahead than is known to be safe.
    pub(crate) fn stamp(&self, now: UnixMs) -> UnixMs {
        let known = borne_out(self.faults, &self.heard).unwrap_or(self.least);
        now.min(known.max(self.least).plus(AHEAD_MAX_MS))
    }

    /// Whether the witnesses are to be asked for the time: this clock is ahead of the last stamp that
    /// is safe, because it is wrong or because they are silent.
    pub(crate) fn asks(&mut self, now: UnixMs) -> bool {
        let is_soon = now.0.abs_diff(self.asked_at.0) < ASK_EVERY_MS;
        if self.stamp(now) == now || is_soon {
            return false;
        }
        self.asked_at = now;
        true
    }
}

/// Latest time that f + 1 witnesses' clocks have shown; none while fewer have spoken.
fn borne_out(faults: usize, heard: &BTreeMap<NodeId, UnixMs>) -> Option<UnixMs> {
    // One of any f + 1 witnesses is honest: f of them cannot lead the stamp into the future.
    let mut times: Vec<UnixMs> = heard.values().copied().collect();
    times.sort_unstable_by(|a, b| b.cmp(a));
    times.get(faults).copied()
}
