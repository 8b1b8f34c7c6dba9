//! The decision core: the small, stable part of policy's answer that approvers sign.

use crate::digest::Digest;
use crate::document::Document;
use crate::fields::{Fields, FormError};
use crate::id::GroupId;
use crate::json::Json;
use crate::text::Name;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Largest number of groups that one decision asks.
pub const GROUPS_MAX: usize = 8;

/// Largest number of obligations of one decision.
pub const OBLIGATIONS_MAX: usize = 8;

/// Degree of approval that a payment needs, in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Tier {
    /// No approval is needed.
    Auto = 0,
    /// One member of the group, who is not the initiator, must approve.
    OneOfN = 1,
    /// Each group must give its number of approvals; no human is counted twice.
    MOfN = 2,
    /// As `MOfN`, with at least two approvals and a time lock.
    Committee = 3,
    /// No approval suffices.
    Block = 4,
}

const TIERS: [(Tier, &str); 5] = [
    (Tier::Auto, "auto"),
    (Tier::OneOfN, "one_of_n"),
    (Tier::MOfN, "m_of_n"),
    (Tier::Committee, "committee"),
    (Tier::Block, "block"),
];

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A tier that is missing from the table is shown as `block`, so that it never appears laxer
        // than it is.
        let text = TIERS
            .iter()
            .find(|(tier, _)| tier == self)
            .map_or("block", |(_, text)| text);
        f.write_str(text)
    }
}

/// Text that names no tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tier is auto, one_of_n, m_of_n, committee or block")]
pub struct NotATier;

impl FromStr for Tier {
    type Err = NotATier;

    fn from_str(text: &str) -> Result<Self, NotATier> {
        TIERS
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(tier, _)| *tier)
            .ok_or(NotATier)
    }
}

/// A group and the number of its members that must say yes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct GroupNeed {
    /// Group that is asked.
    pub group: GroupId,
    /// Number of distinct humans of the group that must say yes.
    pub approvals: u32,
}

impl GroupNeed {
    /// Reads one need.
    pub fn read(fields: &mut Fields<'_>) -> Result<Self, FormError> {
        let approvals = fields.number("approvals")?;
        let approvals = u32::try_from(approvals).map_err(|e| FormError::invalid("approvals", e))?;

        Ok(Self {
            group: fields.parse("group")?,
            approvals,
        })
    }

    /// Writes one need.
    #[must_use]
    pub fn write(&self) -> Json<'_> {
        Json::object([
            ("approvals", Json::text(self.approvals)),
            ("group", Json::text(self.group)),
        ])
    }
}

/// A condition on an approval or a payment beyond tier, groups and time lock, such as a class of
/// credential. No kind exists yet, so that no core carries one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Obligation {}

impl fmt::Display for Obligation {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// Text that names no obligation of this build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no obligation of this build")]
pub struct NotAnObligation;

impl FromStr for Obligation {
    type Err = NotAnObligation;

    fn from_str(_: &str) -> Result<Self, NotAnObligation> {
        // An unknown obligation is refused: if it were ignored, people would approve it and no part
        // of the system would enforce it.
        Err(NotAnObligation)
    }
}

/// Policy's answer for one intent, identical at every replica that evaluates it at the same
/// position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecisionCore {
    /// Digest of the intent text.
    pub intent: Digest,
    /// Digest of the policy text.
    pub policy: Digest,
    /// Name of the matched rule (`no_match` or a guard's name when blocked).
    pub rule: String,
    /// Degree of approval; for `block` no approval suffices.
    pub tier: Tier,
    /// Time between the last approval and the first share, in seconds.
    pub time_lock_seconds: u64,
    /// Whether groups must approve in the order in which they are listed.
    pub ordered: bool,
    /// Groups that must say yes; empty for `auto` and `block`.
    pub groups: Vec<GroupNeed>,
    /// Further conditions, ascending; none is known yet.
    pub obligations: Vec<Obligation>,
    /// Decoder that read the intent for the policy, e.g. `bitcoin/1`.
    pub decoder: String,
}

impl DecisionCore {
    /// The time lock in milliseconds.
    #[must_use]
    pub const fn time_lock_ms(&self) -> u64 {
        self.time_lock_seconds.saturating_mul(1000)
    }
}

impl Document for DecisionCore {
    const TYPE: &'static str = "strongroom/decision-core/v2";

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            intent: f.parse("intent")?,
            policy: f.parse("policy")?,
            // People sign beneath these two words, on a terminal: with any character allowed, one could
            // draw over what stands around them.
            rule: f.parse::<Name>("rule")?.to_string(),
            tier: f.parse("tier")?,
            time_lock_seconds: f.number("time_lock_seconds")?,
            ordered: f.bool("ordered")?,
            groups: f.objects("groups", GROUPS_MAX, GroupNeed::read)?,
            obligations: f.parse_list("obligations", OBLIGATIONS_MAX)?,
            decoder: f.parse::<Name>("decoder")?.to_string(),
        })
    }

    fn write(&self) -> Vec<(&'static str, Json<'_>)> {
        vec![
            ("decoder", Json::str(&self.decoder)),
            (
                "groups",
                Json::List(self.groups.iter().map(GroupNeed::write).collect()),
            ),
            ("intent", Json::text(self.intent)),
            ("obligations", Json::texts(&self.obligations)),
            ("ordered", Json::Bool(self.ordered)),
            ("policy", Json::text(self.policy)),
            ("rule", Json::str(&self.rule)),
            ("tier", Json::text(self.tier)),
            ("time_lock_seconds", Json::text(self.time_lock_seconds)),
        ]
    }
}
