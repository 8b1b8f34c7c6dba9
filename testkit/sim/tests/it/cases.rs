//! Plans made by hand.

use std::collections::BTreeSet;
use strongroom_sim::cases::{self, Case};
use strongroom_sim::run::run_plan;
use strongroom_sim::{Outcome, Plan, Settings};

fn run(plan: Plan) -> Outcome {
    run_plan(plan, &Settings::default())
}

/// The short ones. All of them: `./x sim --cases`, a step of `./x test`.
#[test]
fn a_case_is_the_situation_that_it_names_and_holds_every_property() {
    for case in cases::starts() {
        let plan = case.plan();
        let outcome = run(plan.clone());
        let missing = case.missing(&outcome);
        assert_eq!(missing, None, "{}", case.name);

        // Of a plan without deaths this says nothing: what it shows is in what must not be missing.
        let died: u64 = outcome.counts.points.values().sum();
        assert_eq!(died, plan.deaths.len() as u64, "{}", case.name);
        assert!(
            outcome.violation.is_none(),
            "{}: {:?}",
            case.name,
            outcome.violation.map(|(violation, _)| violation)
        );
    }
}

#[test]
fn a_start_without_its_faults_is_not_its_case() {
    for case in cases::starts() {
        let missing = case.missing(&run(case.harmless().unwrap()));
        assert!(missing.is_some(), "{}", case.name);
    }
}

/// Cases in which nothing goes wrong, so that there is nothing to take out of them, and why.
const HARMLESS: [(&str, &str); 3] = [
    (
        "nothing_happens_for_long",
        "a lock is longer than a head may be old, and no one does anything until it ends",
    ),
    (
        "approval_lapses_during_a_lock",
        "an admin's revocation falls into the lock",
    ),
    (
        "tighter_policy_during_a_lock",
        "a tighter policy of the admins falls into the lock",
    ),
];

/// `./x sim --cases` runs every other case without its faults too, when it must not be its case.
#[test]
fn only_the_listed_cases_have_nothing_that_goes_wrong() {
    let listed: BTreeSet<_> = HARMLESS.into_iter().map(|(name, _)| name).collect();
    let found = cases::all().filter(|case| case.harmless().is_none());
    assert_eq!(found.map(|case| case.name).collect::<BTreeSet<_>>(), listed);
}

#[test]
fn a_plan_without_its_faults_has_none() {
    let drawn = (1..200).map(|seed| Plan::new(seed, 3));
    let faulty = cases::all().map(Case::plan).chain(drawn);
    for plan in faulty {
        assert!(!plan.without_faults().has_faults());
    }
}

/// However many payments a harmless run signs: a case that asks for these alone, or for nothing,
/// would hold whatever its plan became.
#[test]
fn no_case_is_shown_by_a_harmless_run() {
    let mut harmless = run(Plan::quiet(11, 5));
    harmless.signed = u64::MAX;
    for case in cases::all() {
        assert!(case.missing(&harmless).is_some(), "{}", case.name);
    }
}

#[test]
fn a_case_is_found_by_its_name_alone() {
    let names: BTreeSet<_> = cases::all().map(|case| case.name).collect();
    assert_eq!(names.len(), cases::all().count());
    for case in cases::all() {
        assert_eq!(case.name.parse::<Case>().unwrap().name, case.name);
    }
    let unknown = "no_such_case".parse::<Case>().unwrap_err().to_string();
    assert!(names.iter().all(|name| unknown.contains(name)), "{unknown}");
}
