//! Stage B: the first rule whose every condition holds.

use crate::condition::Destinations;
use crate::evaluate::holds;
use crate::evidence::Trace;
use crate::facts::{Blocked, Facts, NO_MATCH, Place};
use crate::probe::{Probe, Rules, Sample};
use crate::rule::{Condition, Match, Rule};
use std::collections::BTreeSet;
use strongroom_types::{AllowListId, Code, Refusal};

/// The first rule that matches, and the allow-list entries without which another one might have.
pub(crate) fn first_match<'p, T: Trace>(
    rules: &'p Rules,
    facts: &Facts<'_>,
    trace: &mut T,
) -> Result<(&'p Rule, Vec<AllowListId>), Blocked> {
    let sample = Sample::of(facts);
    let mut owed = Owed::of(facts);
    let mut missed_by_velocity = None;
    for (rule, probe) in rules.probed() {
        if !T::FULL && (probe.turns_away(&sample) || owed.pass_over(probe, &sample)) {
            continue;
        }
        let unmet = unmet(rule, facts, trace).map_err(|refusal| Blocked {
            by: rule.id.to_string(),
            refusal,
        })?;
        trace.rule(rule, unmet);
        match unmet {
            None => {
                owed.note(rule, true);
                return Ok((rule, owed.entries()));
            }
            Some(Condition::Destinations) => owed.note(rule, false),
            Some(Condition::Velocity) if missed_by_velocity.is_none() => {
                missed_by_velocity = Some(rule)
            }
            Some(_) => {}
        }
    }
    Err(match missed_by_velocity {
        Some(rule) => {
            let detail = format!(
                "no rule matches; rule `{}` would, but for its windows",
                rule.id
            );
            Blocked::new(NO_MATCH, Code::LimitExceeded, detail)
        }
        None => Blocked::new(NO_MATCH, Code::PolicyBlocked, "no rule matches"),
    })
}

/// 1, 2, 4, …
fn bits() -> impl Iterator<Item = u64> {
    (0..u64::BITS).map(|n| 1 << n)
}

/// Which destinations the table treated otherwise than if they were not on the allow-list.
struct Owed<'a> {
    facts: &'a Facts<'a>,
    /// Bit n: destination n is on the allow-list ([`Facts`] holds at most 32).
    listed: u64,
    owed: u64,
}

impl<'a> Owed<'a> {
    fn of(facts: &'a Facts<'a>) -> Self {
        let listed = |place: &Place| matches!(place, Place::Listed { .. });
        let found = facts
            .places
            .iter()
            .zip(bits())
            .filter(|(place, _)| listed(place));
        Self {
            facts,
            listed: found.fold(0, |set, (_, bit)| set | bit),
            owed: 0,
        }
    }

    /// Whether the probe turns the destinations away and there is nothing to note about it.
    fn pass_over(&self, probe: &Probe, sample: &Sample) -> bool {
        probe.turns_places_away(sample) && (self.owed == self.listed || !probe.takes_unknown())
    }

    /// `accepted`: whether the rule matched; else it was passed over for its destinations alone.
    fn note(&mut self, rule: &Rule, accepted: bool) {
        let Some(wanted) = rule.matches.destinations.as_deref() else {
            return;
        };
        if wanted.accepts(&Place::Unknown) == accepted {
            return;
        }
        for (place, bit) in self.facts.places.iter().zip(bits()) {
            if self.listed & bit != 0 && wanted.accepts(place) == accepted {
                self.owed |= bit;
            }
        }
    }

    fn entries(&self) -> Vec<AllowListId> {
        let owed = self
            .facts
            .places
            .iter()
            .zip(bits())
            .filter_map(|(place, bit)| match place {
                Place::Listed { listed, .. } if self.owed & bit != 0 => Some(listed.id),
                Place::Listed { .. } | Place::Internal | Place::Unknown => None,
            });
        owed.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The first condition of the rule that does not hold. Destinations come after everything else the
/// intent says, so that only rules passed over for them alone make a decision rely on the
/// allow-list. Windows come last: they are what costs, and a rule that fails on them alone is worth
/// naming.
fn unmet<T: Trace>(
    rule: &Rule,
    facts: &Facts<'_>,
    trace: &mut T,
) -> Result<Option<Condition>, Refusal> {
    if let Some(condition) = unmet_by_intent(&rule.matches, facts) {
        return Ok(Some(condition));
    }
    for window in &rule.matches.velocity {
        if !holds(window, rule.id.as_str(), facts, trace)? {
            return Ok(Some(Condition::Velocity));
        }
    }
    Ok(None)
}

fn unmet_by_intent(wanted: &Match, facts: &Facts<'_>) -> Option<Condition> {
    fn fails<T: ?Sized>(condition: Option<&T>, holds: impl FnOnce(&T) -> bool) -> bool {
        condition.is_some_and(|condition| !holds(condition))
    }
    if fails(wanted.amount.as_deref(), |range| {
        range.contains(facts.amount)
    }) {
        return Some(Condition::Amount);
    }
    if fails(wanted.kinds.as_deref(), |kinds| {
        kinds.contains(&facts.kind())
    }) {
        return Some(Condition::Kinds);
    }
    if fails(wanted.sources.as_deref(), |sources| sources.contain(facts)) {
        return Some(Condition::Sources);
    }
    if fails(wanted.assets.as_deref(), |assets| {
        assets.contains(facts.asset)
    }) {
        return Some(Condition::Assets);
    }
    if fails(wanted.time.as_deref(), |hours| hours.contain(facts.at)) {
        return Some(Condition::Time);
    }
    if fails(wanted.initiators.as_deref(), |initiators| {
        initiators.contain(facts)
    }) {
        return Some(Condition::Initiators);
    }
    let all_accepted =
        |wanted: &Destinations| facts.places.iter().all(|place| wanted.accepts(place));
    if fails(wanted.destinations.as_deref(), all_accepted) {
        return Some(Condition::Destinations);
    }
    None
}
