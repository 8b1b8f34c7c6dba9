//! Stage B: the first rule whose every condition holds.

use crate::condition::Destinations;
use crate::evidence::Trace;
use crate::facts::{DestinationStanding, IntentFacts, NO_MATCH, PolicyRefusal};
use crate::probe::{Probe, Rules, Sample};
use crate::rule::{Condition, Match, Rule};
use crate::velocity::has_room;
use std::collections::BTreeSet;
use strongroom_types::{AllowListId, Code, Refusal};

/// First rule that matches.
pub(crate) struct Matched<'p> {
    pub(crate) rule: &'p Rule,
    /// Allow-list entries without which another rule might have matched.
    pub(crate) relied_on: Vec<AllowListId>,
    /// Whether an earlier rule failed only because its windows had no room.
    pub(crate) limited: bool,
}

/// Finds the first rule that matches, and the allow-list entries on which that outcome relies.
pub(crate) fn first_match<'p, T: Trace>(
    rules: &'p Rules,
    facts: &IntentFacts<'_>,
    trace: &mut T,
) -> Result<Matched<'p>, PolicyRefusal> {
    let sample = Sample::of(facts);
    let mut reliance = Reliance::of(facts);
    let mut missed_by_velocity = None;

    for (rule, probe) in rules.probed() {
        // A probe only saves time. It is not used when evidence is made, because evidence names the
        // condition that failed.
        if !T::FULL && (probe.excludes(&sample) || reliance.may_skip(probe, &sample)) {
            continue;
        }

        // A window that cannot be summed blocks the intent. If the rule were skipped instead, a
        // laxer one could decide.
        let unmet = unmet(rule, facts, trace).map_err(|refusal| PolicyRefusal {
            by: rule.id.to_string(),
            refusal,
        })?;
        trace.rule(rule, unmet);

        match unmet {
            None => {
                reliance.on_match(rule);
                return Ok(Matched {
                    rule,
                    relied_on: reliance.entries(),
                    limited: missed_by_velocity.is_some(),
                });
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

    // An intent that no rule matches is blocked. The code differs when only a window had no room,
    // because the client can then wait for room.
    Err(match missed_by_velocity {
        Some(rule) => {
            let detail = format!(
                "no rule matches; rule `{}` would, but for its windows",
                rule.id
            );
            PolicyRefusal::new(NO_MATCH, Code::LimitExceeded, detail)
        }
        None => PolicyRefusal::new(NO_MATCH, Code::PolicyBlocked, "no rule matches"),
    })
}

/// Destinations that the table treated differently because they are on the allow-list.
struct Reliance<'a> {
    facts: &'a IntentFacts<'a>,
    /// Allow-list entries of the destinations that have one.
    listed: BTreeSet<AllowListId>,
    /// The entries among `listed` on which the decision relies.
    relied: BTreeSet<AllowListId>,
}

impl<'a> Reliance<'a> {
    fn of(facts: &'a IntentFacts<'a>) -> Self {
        Self {
            facts,
            listed: facts.places.iter().filter_map(entry_of).collect(),
            relied: BTreeSet::new(),
        }
    }

    /// Whether the probe excludes the rule by its destinations, and the exclusion adds no entry to
    /// those that are relied on.
    fn may_skip(&self, probe: &Probe, sample: &Sample) -> bool {
        let all_relied = self.relied.len() == self.listed.len();
        probe.excludes_places(sample) && (all_relied || !probe.accepts_unknown())
    }

    /// Adds each entry without which this rule would not have matched.
    fn on_match(&mut self, rule: &Rule) {
        self.rely_where(rule, true);
    }

    /// Adds each entry without which this rule, which failed on its destinations alone, could have
    /// matched: the removal of an entry must not lead past a stricter rule.
    fn on_passed_over(&mut self, rule: &Rule) {
        self.rely_where(rule, false);
    }

    fn rely_where(&mut self, rule: &Rule, accepted: bool) {
        let Some(wanted) = rule.matches.destinations.as_deref() else {
            return;
        };

        // If the rule treats an address that is not listed in the same way, the decision does not
        // rely on the allow-list here.
        if wanted.accepts(&DestinationStanding::Unknown) == accepted {
            return;
        }

        let places = self.facts.places.iter();
        let such = places.filter(|place| wanted.accepts(place) == accepted);
        self.relied.extend(such.filter_map(entry_of));
    }

    /// Entries relied on, ascending and distinct.
    fn entries(self) -> Vec<AllowListId> {
        self.relied.into_iter().collect()
    }
}

/// The allow-list entry of a destination that has one.
fn entry_of(place: &DestinationStanding) -> Option<AllowListId> {
    match place {
        DestinationStanding::Listed { listed, .. } => Some(listed.id),
        DestinationStanding::Internal | DestinationStanding::Unknown => None,
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

    // The windows had room at the attempt's entry. Later payments may have filled them since, so
    // they are not read again.
    if !facts.moment.asks_rule_windows() {
        return Ok(None);
    }

    // Windows are read last, because reading them costs the most, and because a block names the
    // rule that failed on them alone.
    for window in &rule.matches.velocity {
        if !has_room(window, rule.id.as_str(), facts, trace)? {
            return Ok(Some(Condition::Velocity));
        }
    }
    Ok(None)
}

/// First condition that does not hold, without the windows.
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
        kinds.contains(&facts.payment.kind)
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

    if fails(wanted.time.as_deref(), |hours| {
        hours.contain(facts.moment.hours_at())
    }) {
        return Some(Condition::Time);
    }
    if fails(wanted.initiators.as_deref(), |initiators| {
        initiators.contain(facts)
    }) {
        return Some(Condition::Initiators);
    }

    // Destinations are compared after everything else that the intent names, so that a decision
    // relies on the allow-list only where a rule failed on its destinations alone.
    let all_accepted =
        |wanted: &Destinations| facts.places.iter().all(|place| wanted.accepts(place));
    if fails(wanted.destinations.as_deref(), all_accepted) {
        return Some(Condition::Destinations);
    }
    None
}
