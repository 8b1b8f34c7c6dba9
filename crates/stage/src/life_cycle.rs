//! Common parts of all life cycles: the error for an event that a state does not take, and the line
//! in the log for one that it took.

use std::borrow::Cow;
use std::fmt::Display;

/// An event that a state does not take.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a {life_cycle} that is {state} does not take {event}")]
pub struct IllegalTransition {
    /// Name of the life cycle, such as "payment".
    pub life_cycle: &'static str,
    /// State before the event.
    pub state: &'static str,
    /// The event that was refused.
    pub event: Cow<'static, str>,
}

/// An event that a state took.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Name of the life cycle, such as "payment".
    pub life_cycle: &'static str,
    /// State before the event.
    pub from: &'static str,
    /// Event that the state took.
    pub event: Cow<'static, str>,
    /// State after the event.
    pub to: &'static str,
}

impl Transition {
    /// Logs the transition of `of`. An operator finds an intent's lines by its digest, and each
    /// crate's test compares the lines with the committed table of the life cycle.
    pub fn log(&self, of: &dyn Display) {
        tracing::debug!(
            target: "strongroom::life_cycle",
            life_cycle = self.life_cycle,
            of = %of,
            from = self.from,
            event = &*self.event,
            to = self.to,
            "transition"
        );
    }
}
