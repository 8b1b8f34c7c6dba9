//! The debugger stops where it is told to.

use strongroom_sim::plan::Sabotage;
use strongroom_sim::run::{run_plan, run_watched};
use strongroom_sim::trace::Logged;
use strongroom_sim::walk::{Flow, ToEvent, Turned, Until, Watch};
use strongroom_sim::{Event, NodeName, Plan, Property, Settings};

const SETTINGS: Settings = Settings {
    intents: 3,
    trace: false,
};

fn plan() -> Plan {
    Plan::new(4, SETTINGS.intents)
}

/// Without faults, so that something is signed whatever the dice say.
fn stopped_at(until: &str) -> (Logged, String) {
    let mut watch = ToEvent::new(until.parse().unwrap());
    let quiet = Plan::quiet(4, SETTINGS.intents);
    let outcome = run_watched(quiet, &SETTINGS, &mut watch);
    assert!(outcome.stopped && outcome.violation.is_none());
    watch.found.unwrap()
}

/// Keeps every event.
#[derive(Default)]
struct Recorder(Vec<Logged>);

impl Watch for Recorder {
    fn on_turn(&mut self, turned: &Turned<'_>) -> Flow {
        self.0.extend_from_slice(turned.events);
        Flow::Go
    }
}

#[test]
fn a_walk_stops_at_the_first_event_of_a_name_and_shows_every_part() {
    let (event, state) = stopped_at("share_released");
    assert!(matches!(event.event, Event::ShareReleased { .. }));
    for node in NodeName::ALL {
        assert!(state.contains(node.name()), "{node} is not in {state}");
    }
    for part in ["people", "api", "wire", "hostile parts", "observer"] {
        assert!(state.contains(part), "{part} is not in {state}");
    }
    assert!(!state.contains(" 0 answers with shares"), "{state}");
}

#[test]
fn a_walk_of_a_failing_seed_stops_where_the_property_breaks() {
    let mut plan = Plan::quiet(33, SETTINGS.intents);
    plan.sabotage = Some(Sabotage::ForgetfulApi);
    let mut watch = ToEvent::new("violated".parse().unwrap());
    let outcome = run_watched(plan, &SETTINGS, &mut watch);
    let (violation, newest) = outcome.violation.unwrap();
    let (event, state) = watch.found.unwrap();
    assert_eq!(violation.property, Property::Ends);
    assert_eq!(newest.last(), Some(&event));
    assert!(state.contains("event ") && !outcome.stopped);
}

#[test]
fn a_walk_stops_at_the_event_of_a_number() {
    let (named, _) = stopped_at("key_finished");
    let (numbered, _) = stopped_at(&named.number.to_string());
    assert_eq!(numbered, named);
}

#[test]
fn a_watched_run_has_every_event_once_and_the_hash_of_one_that_is_not_watched() {
    let mut recorder = Recorder::default();
    let watched = run_watched(plan(), &SETTINGS, &mut recorder);
    assert_eq!(watched.hash, run_plan(plan(), &SETTINGS).hash);
    let numbers: Vec<u64> = recorder.0.iter().map(|logged| logged.number).collect();
    assert_eq!(numbers, (1..=watched.events).collect::<Vec<_>>());
}

#[test]
fn every_event_has_a_name_that_can_be_stopped_at_and_no_other_word_has() {
    let names = Event::names();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "two kinds share a name");
    let mut recorder = Recorder::default();
    let _ = run_watched(plan(), &SETTINGS, &mut recorder);
    for logged in &recorder.0 {
        assert!(names.contains(&logged.event.name()), "{logged}");
    }
    assert_eq!("7".parse(), Ok(Until::Number(7)));
    let unknown = "nothing".parse::<Until>().unwrap_err().to_string();
    assert!(unknown.contains("share_released"), "{unknown}");
}
