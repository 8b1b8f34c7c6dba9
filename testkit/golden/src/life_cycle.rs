//! Tables of life cycles, and the transitions that a service logs.
//!
//! A table is one line per state and event: `state event next`, and `-` where the state does not
//! take the event. It is committed beside the life cycle as `life-cycle.txt`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::sync::Once;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// One line of a table that leads somewhere: state, event, next state.
pub type Edge = (String, String, String);

/// The table of a life cycle. `next` gives the state after an event, both by their place in the
/// lists; `None` = the state does not take the event.
///
/// # Panics
/// When a name has a space, or is there twice: a line would not read back.
#[must_use]
pub fn table(
    states: &[&str],
    events: &[&str],
    next: impl Fn(usize, usize) -> Option<String>,
) -> String {
    for names in [states, events] {
        assert!(names.iter().all(|name| !name.contains(' ')), "{names:?}");
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }

    let width = |names: &[&str]| names.iter().map(|name| name.len()).max().unwrap_or(0);
    let (state_width, event_width) = (width(states).max(5), width(events).max(5));
    let mut text = format!(
        "{:state_width$} {:event_width$} next state\n",
        "state", "event"
    );
    for (at_state, state) in states.iter().enumerate() {
        for (at_event, event) in events.iter().enumerate() {
            let next = next(at_state, at_event).unwrap_or_else(|| "-".to_owned());
            writeln!(text, "{state:state_width$} {event:event_width$} {next}").unwrap();
        }
    }
    text
}

/// The edges of a committed table.
///
/// # Panics
/// When a line has fewer than three words.
#[must_use]
pub fn edges(table: &str) -> BTreeSet<Edge> {
    let edge = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let mut word = || words.next().unwrap();
        (word(), word(), word())
    };
    let lines = table.lines().skip(1).map(edge);
    lines.filter(|(_, _, next)| next != "-").collect()
}

/// One logged transition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Name of the life cycle.
    pub life_cycle: String,
    /// Name of what went through it.
    pub of: String,
    /// State, event, next state.
    pub edge: Edge,
}

thread_local! {
    /// Transitions that services of this thread have logged. A test steps its service itself, so
    /// each test finds its own.
    static TAKEN: RefCell<Vec<Taken>> = const { RefCell::new(Vec::new()) };
}

/// Collects the transitions that services of this process log from now on.
///
/// # Panics
/// When the process has another subscriber.
pub fn collect() {
    // For the whole process: a subscriber of one thread may miss lines that another thread was the
    // first to log.
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Collector).unwrap());
    TAKEN.take();
}

/// Transitions logged by this thread since the last call.
#[must_use]
pub fn taken() -> Vec<Taken> {
    TAKEN.take()
}

/// Fields of one line.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "strongroom::life_cycle"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut field = |name| fields.0.remove(name).unwrap_or_default();
        let taken = Taken {
            life_cycle: field("life_cycle"),
            of: field("of"),
            edge: (field("from"), field("event"), field("to")),
        };
        TAKEN.with_borrow_mut(|all| all.push(taken));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_prints_every_pair_and_its_edges_read_back() {
        let next = |state, event| (state == 0 && event == 1).then(|| "done".to_owned());
        let text = table(&["open", "done"], &["wait", "finish"], next);
        assert_eq!(
            text,
            "state event  next state\n\
             open  wait   -\n\
             open  finish done\n\
             done  wait   -\n\
             done  finish -\n"
        );
        let edge = ("open".to_owned(), "finish".to_owned(), "done".to_owned());
        assert_eq!(edges(&text), BTreeSet::from([edge]));
    }

    #[test]
    fn name_that_would_not_read_back_is_noticed() {
        let differs = |states: &'static [&'static str]| {
            std::panic::catch_unwind(|| table(states, &["wait"], |_, _| None)).is_err()
        };
        assert!(differs(&["open", "open"]));
        assert!(differs(&["half open"]));
        assert!(!differs(&["open", "half_open"]));
    }
}
