//! Facts about one intent, gathered before the table is read, and the blocks that need no table.

use crate::condition::{DestinationType, Destinations, Initiators, Sources};
use crate::payment::Payment;
use crate::question::{Moment, Question};
use crate::view::{Listed, PolicyView, Spent, WindowScope};
use crate::window::{VelocityScope, Window};
use strongroom_guard::{G, guard, kept};
use strongroom_types::intent::TRANSFERS_MAX;
use strongroom_types::{
    AssetId, Code, Destination, GroupId, MinorUnits, Name, Refusal, UnixMs, UserId, Vault,
};

/// Rule name of a decision when no rule matched.
pub const NO_MATCH: &str = "no_match";
/// Rule name when the intent has no transfer or too many, or its sum does not fit 256 bits.
pub const INVALID_INTENT: &str = "invalid_intent";
/// Rule name when the paying vault, or one that is paid, does not exist.
pub const UNKNOWN_VAULT: &str = "unknown_vault";
/// Rule name when the initiator's credential is not in force.
pub const UNKNOWN_INITIATOR: &str = "unknown_initiator";
/// Rule name when the intent moves anything but one native asset of its own chain.
pub const UNSUPPORTED_ASSET: &str = "unsupported_asset";

/// Rule names that no table may use.
pub(crate) const RESERVED: [&str; 5] = [
    NO_MATCH,
    INVALID_INTENT,
    UNKNOWN_VAULT,
    UNKNOWN_INITIATOR,
    UNSUPPORTED_ASSET,
];

/// A refusal that blocks the payment, with the id of the guard or rule that made it or one of the
/// reserved names.
pub(crate) struct PolicyRefusal {
    pub(crate) by: String,
    pub(crate) refusal: Refusal,
}

impl PolicyRefusal {
    pub(crate) fn new(by: &str, code: Code, detail: impl std::fmt::Display) -> Self {
        Self {
            by: by.to_owned(),
            refusal: Refusal::new(code, detail),
        }
    }
}

/// Standing of one destination with the tenant.
pub(crate) enum DestinationStanding {
    Internal,
    Listed { listed: Listed, age_ms: u64 },
    Unknown,
}

/// One payment with everything it names looked up.
pub(crate) struct IntentFacts<'a> {
    pub(crate) view: &'a dyn PolicyView,
    pub(crate) payment: &'a Payment,
    pub(crate) moment: Moment,
    pub(crate) vault: Vault,
    pub(crate) initiator: UserId,
    pub(crate) asset: &'a AssetId,
    /// Sum of all transfers.
    pub(crate) amount: MinorUnits,
    /// Sum of all transfers and the fee cap, which is the amount that every window counts.
    pub(crate) worst: MinorUnits,
    /// One standing for each distinct destination, in the order of `payment.destinations`.
    pub(crate) places: Vec<DestinationStanding>,
}

/// Sum of a window before this intent, and whether this intent fits into the limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WindowSum {
    pub(crate) spent: Option<Spent>,
    /// Whether the sum and this intent's worst case are within the limits; `None` when the sum is
    /// not known or overflows.
    pub(crate) within: Option<bool>,
}

impl<'a> IntentFacts<'a> {
    pub(crate) fn gather(
        view: &'a dyn PolicyView,
        question: &Question<'a>,
    ) -> Result<Self, PolicyRefusal> {
        let (payment, moment) = (question.payment, question.moment);

        let asset = one_native_asset(payment)?;

        // An overflow blocks, because a sum that wrapped around would pass every limit.
        let overflow =
            || PolicyRefusal::new(INVALID_INTENT, Code::Malformed, "the sum exceeds 256 bits");
        let amount = payment.amount.ok_or_else(overflow)?;
        let worst = kept!(
            G::WorstCase,
            amount.checked_add(payment.fee_max).ok_or_else(overflow)?,
            instead amount
        );

        // Ids resolve within the tenant only, so the vault of another tenant is unknown here.
        let no_vault =
            |id| PolicyRefusal::new(UNKNOWN_VAULT, Code::UnknownVault, format!("no vault {id}"));
        let vault = view
            .vault(payment.vault)
            .ok_or_else(|| no_vault(payment.vault))?;

        // The credential must be in force: one that was revoked as stolen must not start a payment.
        let initiator = view.user_of(payment.initiator).ok_or_else(|| {
            let detail = format!("no credential {} in force", payment.initiator);
            PolicyRefusal::new(UNKNOWN_INITIATOR, Code::UnknownCredential, detail)
        })?;

        // A vault without a usable key must not receive. Others may hold a revoked key, and a key
        // that is not generated cannot sign: a rule that lets internal transfers pass would give
        // the money to a thief, or lose it.
        let no_key = |id| {
            let detail = format!("the key of vault {id} is revoked or not generated");
            PolicyRefusal::new(UNKNOWN_VAULT, Code::KeyRevoked, detail)
        };
        let place = |destination: &Destination| match destination {
            Destination::Vault(id) if view.vault(*id).is_none() => Err(no_vault(*id)),
            Destination::Vault(id) if guard(G::ReceiverUsable, !view.can_receive(*id)) => {
                Err(no_key(*id))
            }
            Destination::Vault(_) => Ok(DestinationStanding::Internal),
            Destination::Address(address) => {
                let listed = view.allow_list(&payment.chain, address);
                Ok(place_of(listed, moment.at()))
            }
        };

        let places = payment
            .destinations
            .iter()
            .map(place)
            .collect::<Result<_, _>>()?;

        Ok(Self {
            view,
            payment,
            moment,
            vault,
            initiator,
            asset,
            amount,
            worst,
            places,
        })
    }

    /// Reads the window's sum and compares it, with this intent added, with the limits. A sum equal
    /// to a limit is within it.
    pub(crate) fn read(&self, window: &Window) -> WindowSum {
        let scope = match window.scope {
            VelocityScope::Initiator => WindowScope::Initiator(self.initiator),
            VelocityScope::Tenant => WindowScope::Tenant,
            VelocityScope::Vault => WindowScope::Vault(self.payment.vault),
        };

        let spent = self
            .view
            .spent(scope, self.asset, window.window_ms(), self.moment.at());

        // This intent is added before the comparison; otherwise the payment that breaks the limit
        // would pass.
        let within = spent.and_then(|spent| {
            let amount = spent.amount.checked_add(self.worst)?;
            let count = spent.count.checked_add(1)?;
            let amount_fits = window.amount_lte.is_none_or(|limit| amount <= limit);
            let count_fits = window.count_lte.is_none_or(|limit| count <= limit);
            Some(!guard(G::Window, !(amount_fits && count_fits)))
        });

        WindowSum { spent, within }
    }
}

/// An allow-list entry counts from its release on. Before that its delay still protects the tenant.
fn place_of(listed: Option<Listed>, at: UnixMs) -> DestinationStanding {
    match listed {
        Some(listed) if listed.since <= at => DestinationStanding::Listed {
            age_ms: at.since(listed.since),
            listed,
        },
        Some(_) | None => DestinationStanding::Unknown,
    }
}

/// The asset of every transfer: the native one (CAIP-19 namespace `slip44`) of the intent's chain.
/// Amounts of different assets cannot be summed, and a token's fee is paid in another asset.
fn one_native_asset(payment: &Payment) -> Result<&AssetId, PolicyRefusal> {
    let unsupported =
        |detail: String| PolicyRefusal::new(UNSUPPORTED_ASSET, Code::Unsupported, detail);
    if payment.transfers as usize > TRANSFERS_MAX {
        return Err(PolicyRefusal::new(
            INVALID_INTENT,
            Code::Malformed,
            "too many transfers",
        ));
    }

    let asset = match payment.assets.as_slice() {
        [asset] => asset,
        [] => {
            return Err(PolicyRefusal::new(
                INVALID_INTENT,
                Code::Malformed,
                "no transfer",
            ));
        }
        _ => {
            let detail = "an intent moves one asset: amounts of different assets cannot be summed";
            return Err(unsupported(detail.to_owned()));
        }
    };

    // The asset's text must begin with the chain of the intent. An asset of another chain would be
    // counted in the wrong windows.
    let rest = asset.as_str().strip_prefix(payment.chain.as_str());
    if rest.is_some_and(|rest| rest.starts_with("/slip44:")) {
        return Ok(asset);
    }
    Err(unsupported(format!(
        "{asset} is not the native asset of {}",
        payment.chain
    )))
}

impl Destinations {
    /// Whether one destination is of a wanted type.
    pub(crate) fn accepts(&self, place: &DestinationStanding) -> bool {
        let wants = |wanted: DestinationType| self.types.contains(&wanted);
        match place {
            DestinationStanding::Internal => wants(DestinationType::Internal),
            DestinationStanding::Unknown => wants(DestinationType::Unknown),
            DestinationStanding::Listed { listed, age_ms } => {
                // An attacker may have added the entry minutes ago, so a table can treat recent
                // entries as a type of their own.
                let new = self
                    .min_age_seconds
                    .is_some_and(|min| *age_ms < min.saturating_mul(1000));

                let of_age = if new {
                    DestinationType::AllowListedNew
                } else {
                    DestinationType::AllowListed
                };

                wants(of_age)
                    && self
                        .labels
                        .as_ref()
                        .is_none_or(|labels| labels.contains(&listed.label))
            }
        }
    }
}

impl Sources {
    /// Whether the condition names the paying vault or one of its tags.
    pub(crate) fn contain(&self, facts: &IntentFacts<'_>) -> bool {
        let named = self
            .vaults
            .as_ref()
            .is_some_and(|vaults| vaults.contains(&facts.vault.id));
        let tagged = |tags: &Vec<Name>| tags.iter().any(|tag| facts.vault.tags.contains(tag));

        named || self.tags.as_ref().is_some_and(tagged)
    }
}

impl Initiators {
    /// Whether the condition names the initiator, or a group of which the initiator is a member at
    /// this position.
    pub(crate) fn contain(&self, facts: &IntentFacts<'_>) -> bool {
        let named = self
            .users
            .as_ref()
            .is_some_and(|users| users.contains(&facts.initiator));
        let member = |groups: &Vec<GroupId>| {
            groups
                .iter()
                .any(|g| facts.view.in_group(*g, facts.initiator))
        };

        named || self.groups.as_ref().is_some_and(member)
    }
}
