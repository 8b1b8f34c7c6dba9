//! When the link is asked for entries that are missing in between.

use strongroom_types::UnixMs;

/// Pause between two requests that brought no entry, milliseconds: the first, and the longest.
const PAUSE_MS: (u64, u64) = (100, 5_000);

/// Requests for missing entries. Each one makes the link look through the journal again and send all
/// that the replica does not have.
#[derive(Default)]
pub(crate) struct Gap {
    /// Whether the link has to be asked now.
    open: bool,
    last: Option<Asked>,
}

/// The last request.
struct Asked {
    /// Size of the tip at that time.
    size: u64,
    at: UnixMs,
    /// Pause before the next one, if the tip does not grow.
    pause_ms: u64,
}

impl Gap {
    /// A batch came that does not follow the tip of this size.
    pub(crate) fn on_batch_ahead(&mut self, size: u64, now: UnixMs) {
        // The last request brought no entry, so what is missing is not to be had, as beside a fork:
        // a hostile writer could have the whole journal looked through for each of its batches.
        let unanswered = self.last.as_ref().filter(|asked| asked.size == size);
        let pause_ms = match unanswered {
            // The distance counts and not the order: a clock that was set back must not make a
            // pause of seconds one of hours.
            Some(asked) if now.0.abs_diff(asked.at.0) < asked.pause_ms => return,
            Some(asked) => (asked.pause_ms * 2).min(PAUSE_MS.1),
            None => PAUSE_MS.0,
        };

        let at = now;
        self.last = Some(Asked { size, at, pause_ms });
        self.open = true;
    }

    /// The link begins again.
    pub(crate) fn on_connected(&mut self) {
        self.open = false;
    }

    /// Whether the link has to be asked now.
    pub(crate) const fn is_open(&self) -> bool {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times within a second at which a batch per millisecond makes the node ask.
    fn asked(gap: &mut Gap, size: u64, from: u64) -> Vec<u64> {
        let asks = |at: &u64| {
            gap.on_batch_ahead(size, UnixMs(from + at));
            let is_open = gap.is_open();
            gap.on_connected();
            is_open
        };
        (0..1_000).filter(asks).collect()
    }

    #[test]
    fn hole_entries_that_are_not_to_be_had_are_asked_for_with_growing_pauses() {
        let mut gap = Gap::default();
        assert_eq!(asked(&mut gap, 7, 0), [0, 100, 300, 700]);

        // The pause has grown to its longest by now.
        for second in 1..60 {
            asked(&mut gap, 7, second * 1_000);
        }
        let minute: Vec<u64> = (60..120)
            .flat_map(|second| asked(&mut gap, 7, second * 1_000))
            .collect();
        assert_eq!(minute.len(), 12);
    }

    #[test]
    fn a_request_that_brought_entries_leaves_no_pause() {
        let mut gap = Gap::default();
        for size in 7..12 {
            gap.on_batch_ahead(size, UnixMs(1));
            assert!(gap.is_open());
            gap.on_connected();
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_requests() {
        let mut gap = Gap::default();
        gap.on_batch_ahead(7, UnixMs(3_600_000));
        gap.on_connected();
        gap.on_batch_ahead(7, UnixMs(1_000));
        assert!(gap.is_open());
    }
}
