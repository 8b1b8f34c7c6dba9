//! Rules: conditions on an intent, and the obligations that apply when all of them hold.

use crate::condition::{AmountRange, Destinations, Initiators, Kind, Sources};
use crate::form::{Members, object_opt, objects, put, set_opt, texts};
use crate::hours::Hours;
use crate::window::{WINDOWS_MAX, Window};
use std::fmt;
use strongroom_types::decision::GROUPS_MAX;
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;
use strongroom_types::{AssetId, GroupNeed, MinorUnits, Name, Tier};

/// One line of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Id, unique among rules and guards. Approvers see and sign it.
    pub id: Name,
    /// Conditions, all of which must hold.
    pub matches: Match,
    /// Tier and obligations of an intent that matches.
    pub then: Then,
}

/// The conditions of a rule; an absent one means any. Boxed, so that a table of 200 rules is read
/// from few cache lines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Match {
    /// Kinds of intent, ascending; absent: any.
    pub kinds: Option<Vec<Kind>>,
    /// Signers of the intent; absent: any.
    pub initiators: Option<Box<Initiators>>,
    /// Paying vaults; absent: any.
    pub sources: Option<Box<Sources>>,
    /// Destinations of the transfers; absent: any.
    pub destinations: Option<Box<Destinations>>,
    /// Assets that the intent may move, ascending; absent: any.
    pub assets: Option<Vec<AssetId>>,
    /// Sum of all transfers, in base units; absent: any.
    pub amount: Option<Box<AmountRange>>,
    /// Windows, each of which must have room for the intent; empty: no limit.
    pub velocity: Vec<Window>,
    /// Hours of the week; absent: always.
    pub time: Option<Box<Hours>>,
}

/// A tier and its obligations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Then {
    /// Degree of approval, in one word.
    pub tier: Tier,
    /// Time between the last approval and the first share, in seconds.
    pub time_lock_seconds: u64,
    /// Whether groups must approve in the order in which they are listed.
    pub ordered: bool,
    /// Groups that must approve, with the number of approvals of each.
    pub groups: Vec<GroupNeed>,
    /// Largest fee cap that an intent may have, base units of the native asset; absent: any.
    pub fee_max: Option<MinorUnits>,
}

/// Name of a condition. Evidence names the first one that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Condition {
    /// The condition `amount`, on the sum of all transfers.
    Amount,
    /// The condition `kinds`, on the kind of the intent.
    Kinds,
    /// The condition `sources`, on the paying vault.
    Sources,
    /// The condition `destinations`, on every destination that is paid.
    Destinations,
    /// The condition `assets`, on the assets that move.
    Assets,
    /// The condition `time`, on the hour of the week.
    Time,
    /// The condition `initiators`, on the signer of the intent.
    Initiators,
    /// The condition `velocity`, on the room in the rule's windows.
    Velocity,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amount => "amount",
            Self::Kinds => "kinds",
            Self::Sources => "sources",
            Self::Destinations => "destinations",
            Self::Assets => "assets",
            Self::Time => "time",
            Self::Initiators => "initiators",
            Self::Velocity => "velocity",
        })
    }
}

impl Match {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            kinds: set_opt(f, "kinds")?,
            initiators: object_opt(f, "initiators", Initiators::read)?.map(Box::new),
            sources: object_opt(f, "sources", Sources::read)?.map(Box::new),
            destinations: object_opt(f, "destinations", Destinations::read)?.map(Box::new),
            assets: set_opt(f, "assets")?,
            amount: object_opt(f, "amount", AmountRange::read)?.map(Box::new),
            velocity: velocity(f)?,
            time: object_opt(f, "time", Hours::read)?.map(Box::new),
        })
    }

    fn write(&self) -> Json<'_> {
        let mut members = Members::new();
        put(&mut members, "kinds", self.kinds.as_ref(), texts);
        put(
            &mut members,
            "initiators",
            self.initiators.as_deref(),
            Initiators::write,
        );
        put(
            &mut members,
            "sources",
            self.sources.as_deref(),
            Sources::write,
        );
        put(
            &mut members,
            "destinations",
            self.destinations.as_deref(),
            Destinations::write,
        );

        put(&mut members, "assets", self.assets.as_ref(), texts);
        put(
            &mut members,
            "amount",
            self.amount.as_deref(),
            AmountRange::write,
        );
        put(&mut members, "time", self.time.as_deref(), Hours::write);

        // Absent and empty mean the same, so an empty list is never written: equal policies have
        // one text.
        if !self.velocity.is_empty() {
            let windows = self
                .velocity
                .iter()
                .map(|window| Json::object(window.members()));
            members.push(("velocity", Json::List(windows.collect())));
        }

        Json::object(members)
    }
}

/// Takes the windows of a rule; absent: none.
fn velocity(f: &mut Fields<'_>) -> Result<Vec<Window>, FormError> {
    if !f.has("velocity") {
        return Ok(Vec::new());
    }

    let windows = objects(f, "velocity", WINDOWS_MAX, Window::read)?;
    if windows.is_empty() {
        return Err(FormError::invalid(
            "velocity",
            "must not be empty; leave it out to mean any",
        ));
    }

    Ok(windows)
}

impl Then {
    /// The time lock in milliseconds.
    #[must_use]
    pub const fn time_lock_ms(&self) -> u64 {
        self.time_lock_seconds.saturating_mul(1000)
    }

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            tier: f.parse("tier")?,
            time_lock_seconds: f.number("time_lock_seconds")?,
            ordered: f.bool("ordered")?,
            groups: f.objects("groups", GROUPS_MAX, GroupNeed::read)?,
            fee_max: f.parse_opt("fee_max")?,
        })
    }

    fn write(&self) -> Json<'_> {
        let mut members = vec![
            (
                "groups",
                Json::List(self.groups.iter().map(GroupNeed::write).collect()),
            ),
            ("ordered", Json::Bool(self.ordered)),
            ("tier", Json::text(self.tier)),
            ("time_lock_seconds", Json::text(self.time_lock_seconds)),
        ];

        // Absent means any fee cap; a zero would mean none.
        put(&mut members, "fee_max", self.fee_max.as_ref(), Json::text);
        Json::object(members)
    }
}

impl Rule {
    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            id: f.parse("id")?,
            matches: f.object("match", Match::read)?,
            then: f.object("then", Then::read)?,
        })
    }

    pub(crate) fn write(&self) -> Json<'_> {
        Json::object([
            ("id", Json::text(&self.id)),
            ("match", self.matches.write()),
            ("then", self.then.write()),
        ])
    }
}
