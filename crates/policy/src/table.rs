//! Stage B: the first rule whose every condition holds.

use crate::condition::Destinations;
use crate::evidence::Trace;
use crate::facts::{Blocked, DestinationStanding, IntentFacts, NO_MATCH};
use crate::probe::{Probe, Rules, Sample};
use crate::rule::{Condition, Match, Rule};
use crate::velocity::has_room;
use std::collections::BTreeSet;
use strongroom_types::{AllowListId, Code, Refusal};

/// First rule that matches, and the allow-list entries without which another one might have.
pub(crate) fn first_match<'p, T: Trace>(
    rules: &'p Rules,
    facts: &IntentFacts<'_>,
    trace: &mut T,
) -> Result<(&'p Rule, Vec<AllowListId>), Blocked> {
    let sample = Sample::of(facts);
    let mut reliance = Reliance::of(facts);
    let mut missed_by_velocity = None;

    for (rule, probe) in rules.probed() {
        // A probe only saves time: evidence is made without it.
        if !T::FULL && (probe.excludes(&sample) || reliance.may_skip(probe, &sample)) {
            continue;
        }

        // A window that cannot be summed blocks here; skipping the rule would let a laxer one
        // decide.
        let unmet = unmet(rule, facts, trace).map_err(|refusal| Blocked {
            by: rule.id.to_string(),
            refusal,
        })?;
        trace.rule(rule, unmet);

        match unmet {
            None => {
                reliance.on_match(rule);
                return Ok((rule, reliance.entries()));
            }
            Some(Condition::Destinations) => reliance.on_passed_over(rule),
            Some(Condition::Velocity) => {
                missed_by_velocity.get_or_insert(rule);
            }
            Some(
                Condition::Amount
                | Condition::Kinds
                | Condition::Sources
                | Condition::Assets
                | Condition::Time
                | Condition::Initiators,
            ) => {}
        }
    }

    // No match blocks. A spent limit is a reason to wait, any other is not: the codes differ.
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

/// Single bits, ascending: 1, 2, 4, …
fn bits() -> impl Iterator<Item = u64> {
    (0..u64::BITS).map(|n| 1 << n)
}

/// Destinations that the table treated differently because they are on the allow-list.
struct Reliance<'a> {
    facts: &'a IntentFacts<'a>,
    /// Bit n: destination n is on the allow-list ([`IntentFacts`] holds at most 32).
    listed: u64,
    /// Bit n: the decision relies on destination n being listed.
    relied: u64,
}

impl<'a> Reliance<'a> {
    fn of(facts: &'a IntentFacts<'a>) -> Self {
        let listed =
            |place: &DestinationStanding| matches!(place, DestinationStanding::Listed { .. });
        let found = facts
            .places
            .iter()
            .zip(bits())
            .filter(|(place, _)| listed(place));
        Self {
            facts,
            listed: found.fold(0, |set, (_, bit)| set | bit),
            relied: 0,
        }
    }

    /// Whether the probe excludes the destinations and this adds nothing to what is relied on.
    fn may_skip(&self, probe: &Probe, sample: &Sample) -> bool {
        probe.excludes_places(sample) && (self.relied == self.listed || !probe.accepts_unknown())
    }

    /// The decision relies on each entry without which this rule would not have matched.
    fn on_match(&mut self, rule: &Rule) {
        self.rely_where(rule, true);
    }

    /// The decision relies on each entry without which this rule, passed over for its destinations
    /// alone, could have matched: removing an entry must not skip a stricter rule.
    fn on_passed_over(&mut self, rule: &Rule) {
        self.rely_where(rule, false);
    }

    fn rely_where(&mut self, rule: &Rule, accepted: bool) {
        let Some(wanted) = rule.matches.destinations.as_deref() else {
            return;
        };

        // The outcome would be the same for an address that is not listed.
        if wanted.accepts(&DestinationStanding::Unknown) == accepted {
            return;
        }

        for (place, bit) in self.facts.places.iter().zip(bits()) {
            if self.listed & bit != 0 && wanted.accepts(place) == accepted {
                self.relied |= bit;
            }
        }
    }

    /// Entries relied on, ascending and distinct.
    fn entries(&self) -> Vec<AllowListId> {
        let relied = self
            .facts
            .places
            .iter()
            .zip(bits())
            .filter_map(|(place, bit)| match place {
                DestinationStanding::Listed { listed, .. } if self.relied & bit != 0 => {
                    Some(listed.id)
                }
                DestinationStanding::Listed { .. }
                | DestinationStanding::Internal
                | DestinationStanding::Unknown => None,
            });

        relied.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// First condition of the rule that does not hold.
fn unmet<T: Trace>(
    rule: &Rule,
    facts: &IntentFacts<'_>,
    trace: &mut T,
) -> Result<Option<Condition>, Refusal> {
    if let Some(condition) = unmet_by_intent(&rule.matches, facts) {
        return Ok(Some(condition));
    }

    // Windows come last: they are the cost, and a rule that fails on them alone is worth naming.
    for window in &rule.matches.velocity {
        if !has_room(window, rule.id.as_str(), facts, trace)? {
            return Ok(Some(Condition::Velocity));
        }
    }
    Ok(None)
}

/// First condition, windows apart, that does not hold.
fn unmet_by_intent(wanted: &Match, facts: &IntentFacts<'_>) -> Option<Condition> {
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

    // Destinations come after everything else the intent names, so that only a rule passed over for
    // them alone makes a decision rely on the allow-list.
    let all_accepted =
        |wanted: &Destinations| facts.places.iter().all(|place| wanted.accepts(place));
    if fails(wanted.destinations.as_deref(), all_accepted) {
        return Some(Condition::Destinations);
    }
    None
}
