//! The conditions of a rule, each a plain value.

use crate::form::{Members, put, set, set_opt, texts, words};
use borsh::{BorshDeserialize, BorshSerialize};
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;
use strongroom_types::{GroupId, MinorUnits, Name, UserId, VaultId};

/// Longest age an allow-list entry can be asked to have: 400 days.
const AGE_SECONDS_MAX: u64 = 400 * 86_400;

words! {
    /// Kind of intent.
    #[derive(BorshSerialize, BorshDeserialize)]
    #[borsh(use_discriminant = false)]
    Kind {
        /// Payments of one chain.
        Transfer "transfer",
    }
}

words! {
    /// Standing of a destination with the tenant.
    DestinationType {
        /// On the allow-list for at least the minimum age.
        AllowListed "allow_listed",
        /// On the allow-list, but for less than the minimum age.
        AllowListedNew "allow_listed_new",
        /// A vault of the tenant, named as such.
        Internal "internal",
        /// An address literal that is not on the allow-list, even one of the tenant's own.
        Unknown "unknown",
    }
}

/// Signer of the intent: one of the users, or a member of one of the groups.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Initiators {
    /// Users, ascending.
    pub users: Option<Vec<UserId>>,
    /// Groups, ascending.
    pub groups: Option<Vec<GroupId>>,
}

/// Paying vault: one of the vaults, or one that carries one of the tags.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sources {
    /// Vaults, ascending.
    pub vaults: Option<Vec<VaultId>>,
    /// Tags, ascending.
    pub tags: Option<Vec<Name>>,
}

/// Destinations: *each* transfer must pay a destination of one of the types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destinations {
    /// Types, ascending.
    pub types: Vec<DestinationType>,
    /// Age from which an allow-list entry is no longer new, in seconds; absent: 0.
    pub min_age_seconds: Option<u64>,
    /// Labels of allow-list entries, ascending; absent: any.
    pub labels: Option<Vec<Name>>,
}

/// The sum of all transfers, in base units of the intent's asset, without the fee.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AmountRange {
    /// Exclusive lower bound, base units.
    pub gt: Option<MinorUnits>,
    /// Inclusive upper bound, base units.
    pub lte: Option<MinorUnits>,
}

impl Initiators {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let value = Self {
            users: set_opt(f, "users")?,
            groups: set_opt(f, "groups")?,
        };

        // An empty condition is refused, because it would match every initiator.
        if value == Self::default() {
            Err(FormError::Missing("users".to_owned()))
        } else {
            Ok(value)
        }
    }

    pub(crate) fn write(&self) -> Json<'_> {
        let mut members = Members::new();
        put(&mut members, "users", self.users.as_ref(), texts);
        put(&mut members, "groups", self.groups.as_ref(), texts);
        Json::object(members)
    }
}

impl Sources {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let value = Self {
            vaults: set_opt(f, "vaults")?,
            tags: set_opt(f, "tags")?,
        };

        // An empty condition is refused, because it would match every vault.
        if value == Self::default() {
            Err(FormError::Missing("vaults".to_owned()))
        } else {
            Ok(value)
        }
    }

    pub(crate) fn write(&self) -> Json<'_> {
        let mut members = Members::new();
        put(&mut members, "vaults", self.vaults.as_ref(), texts);
        put(&mut members, "tags", self.tags.as_ref(), texts);
        Json::object(members)
    }
}

impl Destinations {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let value = Self {
            types: set(f, "types")?,
            min_age_seconds: crate::form::number_opt(f, "min_age_seconds")?,
            labels: set_opt(f, "labels")?,
        };

        // Only allow-listed destinations have labels. With another type beside them the condition
        // could not hold for that type: the rule would look stricter than it is, and the intent
        // would fall through to the next rule.
        let listed = |t: &DestinationType| {
            matches!(
                t,
                DestinationType::AllowListed | DestinationType::AllowListedNew
            )
        };

        if value.labels.is_some() && !value.types.iter().all(listed) {
            return Err(FormError::invalid(
                "labels",
                "only allow-list entries have labels",
            ));
        }

        if value.min_age_seconds.is_some() && !value.types.iter().any(listed) {
            return Err(FormError::invalid(
                "min_age_seconds",
                "only allow-list entries have an age",
            ));
        }
        if value
            .min_age_seconds
            .is_some_and(|age| age == 0 || age > AGE_SECONDS_MAX)
        {
            return Err(FormError::invalid(
                "min_age_seconds",
                format!("must be between 1 and {AGE_SECONDS_MAX}"),
            ));
        }

        if value.types.contains(&DestinationType::AllowListedNew) && value.min_age_seconds.is_none()
        {
            return Err(FormError::invalid(
                "types",
                "`allow_listed_new` needs `min_age_seconds`",
            ));
        }
        Ok(value)
    }

    pub(crate) fn write(&self) -> Json<'_> {
        let mut members = vec![("types", texts(&self.types))];
        put(
            &mut members,
            "min_age_seconds",
            self.min_age_seconds.as_ref(),
            Json::text,
        );
        put(&mut members, "labels", self.labels.as_ref(), texts);
        Json::object(members)
    }
}

impl AmountRange {
    /// Whether the amount lies within the range.
    #[must_use]
    pub fn contains(&self, amount: MinorUnits) -> bool {
        self.gt.is_none_or(|gt| amount > gt) && self.lte.is_none_or(|lte| amount <= lte)
    }

    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let value = Self {
            gt: f.parse_opt("gt")?,
            lte: f.parse_opt("lte")?,
        };

        // An empty condition is refused, because it would match every amount.
        if value == Self::default() {
            return Err(FormError::Missing("lte".to_owned()));
        }

        if let (Some(gt), Some(lte)) = (value.gt, value.lte)
            && gt >= lte
        {
            return Err(FormError::invalid("lte", "must be greater than `gt`"));
        }
        Ok(value)
    }

    pub(crate) fn write(&self) -> Json<'_> {
        let mut members = Members::new();
        put(&mut members, "gt", self.gt.as_ref(), Json::text);
        put(&mut members, "lte", self.lte.as_ref(), Json::text);
        Json::object(members)
    }
}
