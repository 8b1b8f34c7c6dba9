//! Which searches are as expected.

use strongroom_journal_model::property::{Goal, Property};
use strongroom_journal_model::report::{Outcome, Summary, Verdict};
use strongroom_journal_model::scenarios::{self, Expected, Scenario};
use strongroom_journal_model::search::Bounds;

/// A scenario with another expectation, searched.
fn outcome(name: &str, expected: Option<Expected>) -> Outcome {
    let mut scenario = scenario(name);
    scenario.expected = expected.unwrap_or(scenario.expected);
    Outcome::of(&scenario, Bounds::default())
}

fn scenario(name: &str) -> Scenario {
    let found = scenarios::all().into_iter().find(|one| one.name == name);
    found.unwrap_or_else(|| panic!("no scenario {name}"))
}

/// One scenario's share of the summary, and whether a run of it alone is good.
fn counted(outcome: &Outcome) -> (Summary, bool) {
    let mut summary = Summary::default();
    summary.add(outcome);
    (summary, summary.is_good())
}

const HOLDS: &str = "nonce, disk, burn before share";
const BREAKS: &str = "nonce, disk, burn after share";

#[track_caller]
fn assert_unexpected(outcome: &Outcome, reason: &str) {
    assert_eq!(outcome.verdict, Verdict::Unexpected(reason.to_owned()));
    let (summary, is_good) = counted(outcome);
    assert_eq!((summary.scenarios, summary.unexpected), (1, 1));
    assert!(!is_good);
}

#[test]
fn what_holds_and_what_breaks_is_counted_apart() {
    let (held, is_good) = counted(&outcome(HOLDS, None));
    assert_eq!((held.held, is_good), (1, true));

    let outcome = outcome(BREAKS, None);
    let (broke, is_good) = counted(&outcome);
    assert_eq!((broke.broke_as_expected, is_good), (1, true));
    assert_eq!(
        outcome.found.broken[0].trace,
        [
            "Commit",
            "Share { nonce: 0, package: 0 }",
            "Crash",
            "Share { nonce: 0, package: 1 }"
        ]
    );
}

#[test]
fn scenario_that_must_hold_and_breaks_is_unexpected() {
    let outcome = outcome(BREAKS, Some(Expected::Holds(&[Goal::Signs])));
    assert_unexpected(
        &outcome,
        "must hold, but breaks (f) a nonce answers one package",
    );
}

#[test]
fn scenario_that_must_break_and_holds_is_unexpected() {
    let outcome = outcome(HOLDS, Some(Expected::Breaks(&[Property::OnePackage])));
    assert_unexpected(
        &outcome,
        "must break (f) a nonce answers one package, but holds",
    );
}

#[test]
fn scenario_that_breaks_another_property_is_unexpected() {
    let name = "pay, no windows";
    let limit = "(b) limit kept";
    let other = outcome(name, Some(Expected::Breaks(&[Property::SharedInput])));
    assert_unexpected(
        &other,
        &format!(
            "must break {}, but breaks {limit}",
            Property::SharedInput.name()
        ),
    );

    // A second property may break only with the first one.
    let both = &[Property::SharedInput, Property::Limit];
    let second = outcome(name, Some(Expected::Breaks(both)));
    assert!(matches!(second.verdict, Verdict::Unexpected(_)));
    let first = &[Property::Limit, Property::SharedInput];
    let first = outcome(name, Some(Expected::Breaks(first)));
    assert_eq!(first.verdict, Verdict::BrokeAsExpected);
}

#[test]
fn scenario_that_holds_without_its_goal_is_unexpected() {
    let recovers = Expected::Holds(&[Goal::Signs, Goal::Recovers]);
    assert_unexpected(
        &outcome(HOLDS, Some(recovers)),
        "must reach [recovers; signs], but reaches [signs]",
    );
    assert_unexpected(
        &outcome(HOLDS, Some(Expected::Holds(&[]))),
        "must reach [], but reaches [signs]",
    );
}

#[track_caller]
fn assert_unfinished(name: &str, bounds: Bounds) {
    let outcome = Outcome::of(&scenario(name), bounds);
    assert_eq!(outcome.verdict, Verdict::Unfinished, "{outcome}");
    assert!(outcome.to_string().contains("NOT EXHAUSTED"));
    let (summary, is_good) = counted(&outcome);
    assert_eq!((summary.scenarios, summary.unfinished), (1, 1));
    assert!(!is_good);
}

#[test]
fn search_that_a_bound_on_states_ended_is_unfinished() {
    let bounds = Bounds {
        states_max: 5_000,
        ..Bounds::default()
    };
    assert_unfinished("pay 3-of-4 f=1", bounds);
    // Nothing has broken yet, and that is not an answer either.
    assert_unfinished("time, handed veto, grace for a waiting release", bounds);
}

#[test]
fn search_that_a_bound_on_time_ended_is_unfinished() {
    let bounds = Bounds {
        seconds_max: 1,
        ..Bounds::default()
    };
    assert_unfinished("time, handed veto", bounds);
}

#[test]
fn run_without_a_scenario_is_not_good() {
    assert!(!Summary::default().is_good());
}

#[test]
fn summary_has_the_members_that_ci_reads() {
    let mut summary = Summary::default();
    summary.add(&outcome(HOLDS, None));
    let line = summary.json().to_string();
    for member in [
        "\"scenarios\":1",
        "\"held\":1",
        "\"broke_as_expected\":0",
        "\"unexpected\":0",
        "\"unfinished\":0",
    ] {
        assert!(line.contains(member), "{member} is not in {line}");
    }
}
