//! The scenarios that show that each rule is needed. `docs/model.md` has the same tables.

mod journal;
mod time;

pub use journal::JOURNAL;
pub use time::TIME;

/// One sentence of the rules, and the scenario that breaks without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Name of the rule, as [`crate::scenarios::Situation::off`] gives it.
    pub name: &'static str,
    /// The sentence itself.
    pub sentence: &'static str,
    /// Name of the scenario in which this rule alone is switched off.
    pub scenario: &'static str,
}

/// Names of the rules in a table that are not in force.
pub fn off(table: &[(&'static str, bool)]) -> Vec<&'static str> {
    table
        .iter()
        .filter(|(_, is_in_force)| !is_in_force)
        .map(|(name, _)| *name)
        .collect()
}

const fn rule(name: &'static str, sentence: &'static str, scenario: &'static str) -> Rule {
    Rule {
        name,
        sentence,
        scenario,
    }
}
