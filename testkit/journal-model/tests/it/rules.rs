//! Every rule has a scenario in which it alone is off, and every scenario is there for a rule.

use std::collections::BTreeSet;

use strongroom_journal_model::journal::Guards;
use strongroom_journal_model::property::{Goal, Property};
use strongroom_journal_model::rules::{JOURNAL, Rule, TIME};
use strongroom_journal_model::scenarios::{self, Expected, Scenario, Situation};
use strongroom_journal_model::time::TimeRules;

/// Scenarios that hold with this rule off, each for a reason.
const HOLDS_ALTHOUGH_OFF: [(&str, &str); 3] = [
    // A payment needs every signer; a tightening does not bear it.
    ("pay, share before the head, 3-of-3 signers", "head_first"),
    // Without an equivocation there is one line of reports.
    ("failover 3-of-4, crash only, longest of k", "base_possible"),
    // The property asks for less: it counts a veto from the end of the duty's grace.
    (
        "time, handed veto, held for longer than the grace",
        "refused_at_once",
    ),
];

fn rules() -> impl Iterator<Item = Rule> {
    JOURNAL.into_iter().chain(TIME)
}

/// Shows that something goes wrong: breaks a property, or reaches a state that nothing leaves.
fn shows_a_fault(scenario: &Scenario) -> bool {
    match scenario.expected {
        Expected::Breaks(_) => true,
        Expected::Holds(goals) => goals == [Goal::Wedged],
    }
}

#[test]
fn scenario_of_each_rule_goes_wrong_with_that_rule_alone_off() {
    let scenarios = scenarios::all();
    for rule in rules() {
        let scenario = scenarios.iter().find(|one| one.name == rule.scenario);
        let scenario = scenario.unwrap_or_else(|| panic!("no scenario {}", rule.scenario));
        assert!(shows_a_fault(scenario), "{} holds", rule.scenario);
        assert_eq!(scenario.model.off(), [rule.name], "{}", rule.scenario);
    }
}

#[test]
fn scenario_of_each_time_rule_holds_with_the_rule_on() {
    let scenarios = scenarios::all();
    for rule in TIME {
        let scenario = scenarios.iter().find(|one| one.name == rule.scenario);
        let Some(Situation::Time(broken)) = scenario.map(|one| &one.model) else {
            panic!("{} is not about time", rule.scenario);
        };
        let with_all = Situation::Time(broken.clone().but(|rules| *rules = TimeRules::ALL));
        let holds = scenarios.iter().find(|one| one.model == with_all);
        let holds = holds.unwrap_or_else(|| panic!("nothing beside {}", rule.scenario));
        assert!(matches!(holds.expected, Expected::Holds(_)));
    }
}

#[test]
fn every_guard_and_every_rule_of_time_is_in_the_tables() {
    let named = |rules: &[Rule]| -> BTreeSet<&str> { rules.iter().map(|rule| rule.name).collect() };
    let time = named(&TIME);
    assert_eq!(time, TimeRules::names().into_iter().collect());

    let journal = named(&JOURNAL);
    for guard in Guards::names() {
        assert!(journal.contains(guard), "{guard} has no scenario");
    }
}

#[test]
fn every_scenario_that_goes_wrong_is_there_for_one_rule() {
    for scenario in scenarios::all() {
        let rows = rules().filter(|rule| rule.scenario == scenario.name);
        let expected = usize::from(shows_a_fault(&scenario));
        assert_eq!(rows.count(), expected, "{}", scenario.name);
    }
}

#[test]
fn what_holds_has_every_rule_on() {
    for scenario in scenarios::all() {
        if shows_a_fault(&scenario) {
            continue;
        }
        let off = scenario.model.off();
        let reason = HOLDS_ALTHOUGH_OFF
            .iter()
            .find(|(name, _)| *name == scenario.name);
        let allowed: Vec<&str> = reason.map(|(_, rule)| *rule).into_iter().collect();
        assert_eq!(off, allowed, "{}", scenario.name);
    }
}

#[test]
fn names_are_unique() {
    let scenarios = scenarios::all();
    let names: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), scenarios.len());

    let properties: BTreeSet<&str> = Property::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(properties.len(), Property::ALL.len());
}

/// A property that no scenario breaks might as well be `true`.
#[test]
fn every_property_is_broken_by_some_scenario() {
    let scenarios = scenarios::all();
    for property in Property::ALL {
        let breaks = |scenario: &&Scenario| {
            let Expected::Breaks(properties) = scenario.expected else {
                return false;
            };
            properties.first() == Some(&property)
        };
        // (j) and (m) are the later ones of two bounds, and each has a scenario of its own.
        assert!(
            scenarios.iter().any(|one| breaks(&one)),
            "{} cannot break",
            property.name()
        );
    }
}
