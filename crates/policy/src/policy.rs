//! The whole table as one signed text.

use crate::form::objects;
use crate::guard::{Guard, GuardKind};
use crate::probe::Rules;
use crate::rule::Rule;
use crate::window::{VelocityScope, Window};
use crate::{check, unsupported};
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;
use strongroom_types::{ChainId, Digest, Document, GroupId, MinorUnits, Refusal};

/// Largest number of guards in one table.
pub const GUARDS_MAX: usize = 64;
/// Largest number of rules in one table.
pub const RULES_MAX: usize = 256;

/// A tenant's policy.
///
/// [`Document::parse`] checks the form only; [`Policy::load`] also checks that the table makes
/// sense. Every path to a decision must use it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Guards, any of which denies; their order does not matter.
    pub guards: Vec<Guard>,
    /// Rules, in order. The first one that matches decides.
    pub rules: Rules,
}

impl Document for Policy {
    const TYPE: &'static str = "strongroom/policy/v1";

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            guards: objects(f, "guards", GUARDS_MAX, Guard::read)?,
            rules: objects(f, "rules", RULES_MAX, Rule::read)?.into(),
        })
    }

    fn write(&self) -> Vec<(&'static str, Json<'_>)> {
        vec![
            (
                "guards",
                Json::List(self.guards.iter().map(Guard::write).collect()),
            ),
            (
                "rules",
                Json::List(self.rules.iter().map(Rule::write).collect()),
            ),
        ]
    }
}

impl Policy {
    /// Reads a policy that can be put in force, and its digest.
    ///
    /// # Errors
    /// `malformed` when the text is not of this form or the table makes no sense; `unsupported`
    /// when it asks for something this build does not evaluate (prices, screening, simulation, …),
    /// naming the member.
    pub fn load(text: &str) -> Result<(Self, Digest), Refusal> {
        // An unknown member is refused and never skipped: one of a newer build could be what blocks
        // a payment.
        let policy = Self::parse(text).map_err(|error| unsupported::refusal(text, error))?;
        policy.check()?;

        Ok((policy, Self::digest_of(text)))
    }

    /// Whether the table makes sense: ids, tiers and what each tier needs.
    ///
    /// # Errors
    /// `malformed`, naming the rule or guard.
    pub fn check(&self) -> Result<(), Refusal> {
        check::check(&self.guards, &self.rules)
    }

    /// Whether the table treats vaults differently: by their ids or tags as sources, or by a window
    /// per vault.
    #[must_use]
    pub fn tells_vaults_apart(&self) -> bool {
        // A window per vault counts too: a new vault has an empty window of its own, so it would
        // raise the limit of all vaults together.
        let is_of_vault = |window: &Window| window.scope == VelocityScope::Vault;
        let by_rule = self.rules.iter().any(|rule| {
            rule.matches.sources.is_some() || rule.matches.velocity.iter().any(is_of_vault)
        });

        let by_guard = self.guards.iter().any(|guard| match &guard.kind {
            GuardKind::Ceiling { window, .. } => is_of_vault(window),
            GuardKind::BlockedDestinations(_)
            | GuardKind::AmountMax { .. }
            | GuardKind::Chains(_)
            | GuardKind::Assets(_)
            | GuardKind::FeeMax { .. }
            | GuardKind::ClosedHours(_) => false,
        });
        by_rule || by_guard
    }

    /// Largest fee that the guards let a transaction on this chain cost; none without such a guard.
    #[must_use]
    pub fn fee_most(&self, chain: &ChainId) -> Option<MinorUnits> {
        let of_chain = |guard: &Guard| match &guard.kind {
            GuardKind::FeeMax { chain: of, lte } if of == chain => Some(*lte),
            GuardKind::FeeMax { .. }
            | GuardKind::BlockedDestinations(_)
            | GuardKind::Ceiling { .. }
            | GuardKind::AmountMax { .. }
            | GuardKind::Chains(_)
            | GuardKind::Assets(_)
            | GuardKind::ClosedHours(_) => None,
        };
        self.guards.iter().filter_map(of_chain).min()
    }

    /// Every group that a rule names, as approvers or initiators, in order of appearance.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.rules.iter().flat_map(|rule| {
            let initiators = rule
                .matches
                .initiators
                .iter()
                .filter_map(|i| i.groups.as_ref())
                .flatten()
                .copied();

            initiators.chain(rule.then.groups.iter().map(|need| need.group))
        })
    }
}
