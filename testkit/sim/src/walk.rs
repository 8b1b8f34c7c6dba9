//! The debugger: a watcher beside a run, who sees what each turn made happen and may stop it.

use crate::event::Event;
use crate::sim::Sim;
use crate::trace::Logged;
use std::fmt;
use std::str::FromStr;

/// Whether a run goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// To the next turn.
    Go,
    /// The run ends here.
    Stop,
}

/// A turn in which something happened. Between two turns no part is in the middle of anything.
pub struct Turned<'a> {
    /// The events of this turn, in order.
    pub events: &'a [Logged],
    pub(crate) sim: &'a Sim,
}

impl Turned<'_> {
    /// The state of every part after the turn, for people.
    #[must_use]
    pub fn state(&self) -> String {
        self.sim.describe()
    }
}

/// Watches a run.
pub trait Watch {
    /// Sees a turn in which something happened.
    fn on_turn(&mut self, turned: &Turned<'_>) -> Flow;

    /// Whether events are collected for it; for one that never looks none need be.
    fn wants_events(&self) -> bool {
        true
    }
}

/// In place of a watcher, where a seed only runs.
pub(crate) struct NoWatcher;

impl Watch for NoWatcher {
    fn on_turn(&mut self, _turned: &Turned<'_>) -> Flow {
        Flow::Go
    }

    fn wants_events(&self) -> bool {
        false
    }
}

/// An event to stop at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Until {
    /// The event with this number.
    Number(u64),
    /// The first event with this name.
    Name(&'static str),
}

impl Until {
    /// Whether this is the event.
    #[must_use]
    pub fn is(&self, logged: &Logged) -> bool {
        match self {
            Self::Number(number) => logged.number == *number,
            Self::Name(name) => logged.event.name() == *name,
        }
    }
}

/// A word that names no event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownEvent(String);

impl fmt::Display for UnknownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Event::names().join(" ");
        write!(f, "no event is called {:?}; names: {names}", self.0)
    }
}

impl std::error::Error for UnknownEvent {}

impl FromStr for Until {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }

        // A name that no event has would run to the end of the seed and say nothing.
        let name = Event::names().into_iter().find(|name| *name == text);
        let name = name.ok_or_else(|| UnknownEvent(text.to_owned()))?;
        Ok(Self::Name(name))
    }
}

/// Goes to an event and keeps the state after its turn.
pub struct ToEvent {
    until: Until,
    /// The event, and the state of every part after its turn; none when it never happened.
    pub found: Option<(Logged, String)>,
}

impl ToEvent {
    /// On the way to this event.
    #[must_use]
    pub fn new(until: Until) -> Self {
        Self { until, found: None }
    }
}

impl Watch for ToEvent {
    fn on_turn(&mut self, turned: &Turned<'_>) -> Flow {
        let mut events = turned.events.iter();
        let Some(event) = events.find(|logged| self.until.is(logged)) else {
            return Flow::Go;
        };
        self.found = Some((event.clone(), turned.state()));
        Flow::Stop
    }
}
