//! The event log: every event gets a number and goes into one hash and the counts; the newest are
//! kept, all are printed on request.

use crate::clock::Time;
use crate::event::{Counts, Event};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use strongroom_types::{Digest, digest};

/// Events of the report of a failing seed.
const REPORTED: usize = 120;
/// Events kept: more than one step of a node ever makes.
const KEPT: usize = 10_000;

/// An event in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// Number within the seed, from 1.
    pub number: u64,
    /// True time since the start of the seed, milliseconds.
    pub at_ms: u64,
    /// What happened.
    pub event: Event,
}

impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at_ms as f64 / 1000.0;
        write!(f, "{:>6} {seconds:>9.3} {}", self.number, self.event)
    }
}

struct State {
    start_ms: u64,
    /// Number of the newest event.
    number: u64,
    hash: Digest,
    last: VecDeque<Logged>,
    counts: Counts,
    print: bool,
}

/// A handle to the event log of a seed.
#[derive(Clone)]
pub(crate) struct Trace {
    time: Time,
    state: Arc<Mutex<State>>,
}

impl Trace {
    pub(crate) fn new(time: Time, print: bool) -> Self {
        let state = State {
            start_ms: time.now(),
            number: 0,
            hash: Digest::default(),
            last: VecDeque::new(),
            counts: Counts::default(),
            print,
        };
        Self {
            time,
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what happens now.
    pub(crate) fn log(&self, event: Event) {
        let state = &mut *self.state();
        state.number += 1;
        let logged = Logged {
            number: state.number,
            at_ms: self.time.now() - state.start_ms,
            event,
        };

        // Over the text that is printed: two runs with one hash print the same lines.
        state.counts.add(&logged.event);
        let text = logged.to_string();
        let fields: [&[u8]; 2] = [&state.hash.0, text.as_bytes()];
        state.hash = digest("strongroom/sim-trace/v2", &fields);
        if state.print {
            eprintln!("{text}");
        }

        state.last.push_back(logged);
        if state.last.len() > KEPT {
            state.last.pop_front();
        }
    }

    /// The founding is over: from now on everything is counted.
    pub(crate) fn begin(&self) {
        self.state().counts.begin();
    }

    /// Digest over all events so far: the same seed gives the same.
    pub(crate) fn hash(&self) -> Digest {
        self.state().hash
    }

    /// Number of the newest event; 0 before the first.
    pub(crate) fn number(&self) -> u64 {
        self.state().number
    }

    pub(crate) fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// The newest events, at most 120.
    pub(crate) fn newest(&self) -> Vec<Logged> {
        let state = self.state();
        let skipped = state.last.len().saturating_sub(REPORTED);
        state.last.iter().skip(skipped).cloned().collect()
    }

    /// Events after a number, of those that are kept.
    pub(crate) fn after(&self, number: u64) -> Vec<Logged> {
        let state = self.state();
        let later = state.last.iter().filter(|logged| logged.number > number);
        later.cloned().collect()
    }
}
