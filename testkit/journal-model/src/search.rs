//! One search: breadth first on one thread, so that counterexamples are shortest and the number of
//! states is the same in each run.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// A search ends unfinished beyond these.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// States generated, repeated ones included; bounds memory.
    pub states_max: usize,
    /// Seconds of wall time.
    pub seconds_max: u64,
}

impl Default for Bounds {
    /// Several times the states and seconds of the largest scenario.
    fn default() -> Self {
        Bounds {
            states_max: 90_000_000,
            seconds_max: 240,
        }
    }
}

/// A property that some state breaks.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Name of the property.
    pub property: &'static str,
    /// Shortest steps to such a state, without those that it does not need.
    pub trace: Vec<String>,
}

/// A goal that some state reaches.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Name of the goal.
    pub goal: &'static str,
    /// Shortest steps to such a state.
    pub trace: Vec<String>,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Found {
    /// Different states that were reached.
    pub states: usize,
    /// Seconds of wall time.
    pub seconds: f32,
    /// No state was left out for a bound.
    pub is_exhausted: bool,
    /// Broken properties, by name.
    pub broken: Vec<Broken>,
    /// Goals that were reached, by name.
    pub reached: Vec<Reached>,
}

/// Reason for a search to end before every state is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopAt {
    /// Not before a bound.
    Nothing,
    /// Soon after the first property that is broken.
    FirstBroken,
}

/// Searches `model`.
#[allow(
    clippy::disallowed_methods,
    reason = "a search is measured and bounded in wall time; its result does not depend on it"
)]
pub fn search<M>(model: &M, stop_at: StopAt, bounds: Bounds) -> Found
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Debug + Send + Sync + 'static,
{
    let began = Instant::now();
    let builder = model.clone().checker().threads(1);
    let builder = builder.target_state_count(bounds.states_max);
    let builder = match stop_at {
        StopAt::Nothing => builder,
        StopAt::FirstBroken => builder.finish_when(HasDiscoveries::AnyFailures),
    };
    let mut checker = builder.spawn_bfs();
    let is_in_time = has_ended_within(bounds.seconds_max, checker.handles());
    let seconds = began.elapsed().as_secs_f32();

    let (mut broken, mut reached) = (vec![], vec![]);
    for (name, path) in checker.discoveries() {
        let steps = path.into_actions();
        if model.property(name).expectation == Expectation::Sometimes {
            let trace = words(&steps);
            reached.push(Reached { goal: name, trace });
        } else {
            let trace = words(&shortened(model, name, steps));
            broken.push(Broken {
                property: name,
                trace,
            });
        }
    }
    broken.sort_by_key(|one| one.property);
    reached.sort_by_key(|one| one.goal);

    Found {
        states: checker.unique_state_count(),
        seconds,
        is_exhausted: is_in_time && checker.state_count() < bounds.states_max,
        broken,
        reached,
    }
}

/// Waits for the threads of a search. The checker's own timeout does nothing on one thread, and
/// nothing can stop that thread from outside: beyond the bound it goes on, unheard, until the bound
/// on states. A model that panicked has not ended either.
#[allow(
    clippy::disallowed_methods,
    reason = "a thread that only waits, because a join has no timeout"
)]
fn has_ended_within(seconds_max: u64, threads: Vec<JoinHandle<()>>) -> bool {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        if threads.into_iter().all(|thread| thread.join().is_ok()) {
            // The result is dropped: the receiver is gone when the bound has passed.
            let _ = sender.send(());
        }
    });
    receiver
        .recv_timeout(Duration::from_secs(seconds_max))
        .is_ok()
}

fn words<A: Debug>(steps: &[A]) -> Vec<String> {
    steps.iter().map(|step| format!("{step:?}")).collect()
}

/// Drops every step that the counterexample does not need: a shortest path may still contain steps
/// in place of others.
fn shortened<M>(model: &M, property: &'static str, mut steps: Vec<M::Action>) -> Vec<M::Action>
where
    M: Model,
    M::Action: PartialEq + Clone,
{
    let is_needless = |steps: &[M::Action], index: usize| {
        let mut fewer = steps.to_vec();
        fewer.remove(index);
        breaks(model, property, &fewer)
    };
    while let Some(index) = (0..steps.len()).find(|index| is_needless(&steps, *index)) {
        steps.remove(index);
    }
    steps
}

/// Are these steps possible, and do they end in a state that breaks the property?
fn breaks<M>(model: &M, property: &'static str, steps: &[M::Action]) -> bool
where
    M: Model,
    M::Action: PartialEq + Clone,
{
    let Some(mut state) = model.init_states().into_iter().next() else {
        return false;
    };
    for step in steps {
        let mut possible = vec![];
        model.actions(&state, &mut possible);
        if !possible.contains(step) {
            return false;
        }
        match model.next_state(&state, step.clone()) {
            Some(next) => state = next,
            None => return false,
        }
    }
    !(model.property(property).condition)(model, &state)
}
