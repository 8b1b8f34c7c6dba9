//! Plans made by hand.

use std::collections::BTreeSet;
use strongroom_sim::Settings;
use strongroom_sim::cases::{self, Case};
use strongroom_sim::run::run_plan;

/// Cases of starts, which come first.
const SHORT: usize = 5;

/// The short ones. All of them: `./x sim --cases`, a step of `./x test`.
#[test]
fn a_case_is_the_situation_that_it_names_and_holds_every_property() {
    for case in cases::all().take(SHORT) {
        let plan = case.plan();
        let outcome = run_plan(plan.clone(), &Settings::default());
        let missing = case.missing(&outcome);
        assert_eq!(missing, None, "{}", case.name);
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
fn a_case_is_found_by_its_name_alone() {
    let names: BTreeSet<_> = cases::all().map(|case| case.name).collect();
    assert_eq!(names.len(), cases::all().count());
    for case in cases::all() {
        assert_eq!(case.name.parse::<Case>().unwrap().name, case.name);
    }
    let unknown = "no_such_case".parse::<Case>().unwrap_err().to_string();
    assert!(names.iter().all(|name| unknown.contains(name)), "{unknown}");
}
