//! `docs/model.md` says what the scenarios say.

use strongroom_journal_model::property::Property;
use strongroom_journal_model::rules::{JOURNAL, Rule, TIME};
use strongroom_journal_model::scenarios::{self, Expected};

const TEXT: &str = include_str!("../../../../docs/model.md");

/// Letter of a property: `(c2)` of `(c2) no share …`.
fn letter(property: Property) -> &'static str {
    let name = property.name();
    &name[..=name.find(')').unwrap()]
}

fn row(rule: &Rule) -> String {
    let scenarios = scenarios::all();
    let scenario = scenarios.iter().find(|one| one.name == rule.scenario);
    let fault = match scenario.unwrap().expected {
        Expected::Breaks(properties) => letter(properties[0]),
        Expected::Holds(_) => "wedges",
    };
    format!("| {} | {fault} | `{}` |", rule.sentence, rule.scenario)
}

/// The rows below a heading.
fn rows_of(heading: &str) -> Vec<&'static str> {
    let (_, section) = TEXT.split_once(heading).expect("a heading");
    let section = section.split("\n## ").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with("| ") && line.ends_with("` |"))
        .collect()
}

#[test]
fn docs_list_each_rule_with_its_scenario() {
    let expected = |rules: &[Rule]| -> Vec<String> { rules.iter().map(row).collect() };
    assert_eq!(
        rows_of("\n## Rules of the journal\n").join("\n"),
        expected(&JOURNAL).join("\n")
    );
    assert_eq!(
        rows_of("\n## Rules of time\n").join("\n"),
        expected(&TIME).join("\n")
    );
}

#[test]
fn docs_list_each_property() {
    for property in Property::ALL {
        let letter = letter(property);
        let text = property.name()[letter.len()..].trim();
        let row = format!("| {letter} | {text} |");
        assert!(TEXT.contains(&row), "docs/model.md has no row {row}");
    }
}
