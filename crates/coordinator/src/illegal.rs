//! A transition that a life cycle does not have.

use strongroom_stage::StageError;

/// An event that the state cannot take. No record leads here: a handler first looks whether the
/// record fits. It is an error of ours, and the stage stops rather than guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {life_cycle} that is {state} cannot take {event}")]
pub(crate) struct IllegalTransition {
    pub(crate) life_cycle: &'static str,
    pub(crate) state: &'static str,
    pub(crate) event: &'static str,
}

impl From<IllegalTransition> for StageError {
    fn from(error: IllegalTransition) -> Self {
        Self::fatal("a life cycle of the coordinator").because(error)
    }
}

/// The table of a life cycle: one line per state and event.
#[cfg(test)]
pub(crate) mod table {
    use super::IllegalTransition;

    /// A life cycle as a test walks it.
    pub(crate) struct LifeCycle<S, E> {
        pub(crate) file: &'static str,
        pub(crate) apply: fn(S, E) -> Result<S, IllegalTransition>,
        pub(crate) state_name: fn(&S) -> &'static str,
        pub(crate) event_name: fn(&E) -> &'static str,
    }

    impl<S, E> LifeCycle<S, E> {
        /// Compares the table with its committed snapshot; `BLESS=1` writes it again.
        pub(crate) fn compare(&self, states: &[fn() -> S], events: &[fn() -> E]) {
            let mut text = format!("{:12} {:24} next\n", "state", "event");
            for (state, event) in states
                .iter()
                .flat_map(|s| events.iter().map(move |e| (s, e)))
            {
                let from = (self.state_name)(&state());
                let by = (self.event_name)(&event());
                let next = (self.apply)(state(), event());
                let next = next.map_or("-", |next| (self.state_name)(&next));
                text += &format!("{from:12} {by:24} {next}\n");
            }
            let path = format!("{}/snapshots/{}", env!("CARGO_MANIFEST_DIR"), self.file);
            strongroom_golden::snapshot(path, &text);
        }
    }
}
