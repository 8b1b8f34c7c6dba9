//! Acts: texts by which admins, committees and clients change what is in force.
//!
//! Every act carries the platform, its scope, a single-use id, the scope version it changes and an
//! expiry, so that an old enrolment, resume, release or allow-list entry cannot be used again.

use crate::charter::Charter;
use crate::digest::Digest;
use crate::document::Document;
use crate::fields::{Fields, FormError};
use crate::id::{ActId, GroupId, PlatformId, TenantId, UserId, VaultId};
use crate::json::Json;
use crate::registry::RegistryRecord;
use crate::revoke::Revocable;
use crate::time::UnixMs;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;
use std::str::FromStr;

/// Sub-state that an act changes.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize,
)]
pub enum Scope {
    /// The installation: its tenants, its stop, the quarantine of its signers.
    Platform,
    /// The sub-state of one tenant.
    Tenant(TenantId),
}

impl From<TenantId> for Scope {
    fn from(tenant: TenantId) -> Self {
        Self::Tenant(tenant)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Tenant(id) => fmt::Display::fmt(id, f),
        }
    }
}

impl FromStr for Scope {
    type Err = crate::id::NotAnId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // No tenant has this name, because every tenant id begins with its prefix.
        if text == "platform" {
            Ok(Self::Platform)
        } else {
            text.parse().map(Self::Tenant)
        }
    }
}

/// A tightening. It takes effect at once, in every replica that has its entry, even before the
/// entry is witnessed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tighten {
    /// A record is no longer in force. The kind of record determines who must sign.
    Revoke(Revocable),
    /// A user leaves a group (admins' quorum).
    LeaveGroup {
        /// Group that loses the member.
        group: GroupId,
        /// Member that leaves.
        user: UserId,
    },
    /// An intent is cancelled (its initiator's user, or admins' quorum).
    Cancel(Digest),
    /// An intent is rejected (any one member of a group that the policy in force names).
    Reject(Digest),
    /// Nothing new is authorized or signed until a time (any one admin; for at most 4 h, and once
    /// in 24 h).
    Pause {
        /// The vault that is paused; `None` = every vault of the scope.
        vault: Option<VaultId>,
        /// End of the pause, Unix milliseconds of journal time.
        until: UnixMs,
    },
    /// No payment and no loosening until resumed (admins' quorum; platform admins' quorum for the
    /// platform).
    Stop,
    /// A proposal is dropped (any one committee member).
    Veto(Digest),
    /// A signer takes part in nothing new but keeps its witness seat (platform admins' quorum).
    Quarantine(u16),
}

/// Effect of an act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActBody {
    /// Creates a tenant (platform admins' quorum, and every admin of the charter).
    CreateTenant {
        /// Id of the new tenant.
        tenant: TenantId,
        /// First people, boards, lists and policy of the tenant.
        charter: Box<Charter>,
    },
    /// Sets a registry record. It takes effect at once if it does not loosen, and becomes a
    /// proposal if it does (`apply` decides which).
    Put(RegistryRecord),
    /// Lets a proposal take effect after its delay (committee's quorum). The field is the digest of
    /// the proposing act.
    Release(Digest),
    /// Ends a `stop` (admins' quorum).
    Resume,
    /// A change by which less is allowed, at once.
    Tighten(Tighten),
}

/// A signed change of what is in force, single-use and bound to one version of its scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// Installation in which it counts; another one refuses it.
    pub platform: PlatformId,
    /// Sub-state that it changes.
    pub scope: Scope,
    /// Id that tells the act from another one of the same content. The journal accepts an act once,
    /// by its digest.
    pub id: ActId,
    /// Version of the scope that the act changes. It must be the current one; a tightening is
    /// accepted at this version and every later one.
    pub version: u64,
    /// Time from which on the act is no longer appended.
    pub expires: UnixMs,
    /// Change that it makes.
    pub body: ActBody,
}

impl Act {
    /// Whether this is a tightening (its `version` is then a minimum, and every replica honours it
    /// at once).
    #[must_use]
    pub fn is_tightening(&self) -> bool {
        matches!(self.body, ActBody::Tighten(_))
    }
}

impl Tighten {
    /// A `revoke` of the record with this id.
    pub fn revoke(id: impl Into<Revocable>) -> Self {
        Self::Revoke(id.into())
    }

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(match f.text("what")?.as_str() {
            "revoke" => Self::Revoke(f.object("target", Revocable::read)?),
            "leave_group" => Self::LeaveGroup {
                group: f.parse("target")?,
                user: f.parse("user")?,
            },
            "cancel" => Self::Cancel(f.parse("target")?),
            "reject" => Self::Reject(f.parse("target")?),
            "pause" => Self::Pause {
                vault: f.parse_opt("target")?,
                until: f.parse("until")?,
            },
            "stop" => Self::Stop,
            "veto" => Self::Veto(f.parse("target")?),
            "quarantine" => Self::Quarantine(f.parse("target")?),

            // An unknown tightening is refused and not ignored: every replica must read the same
            // change from one text.
            other => {
                return Err(FormError::invalid(
                    "what",
                    format!("unknown tightening `{other}`"),
                ));
            }
        })
    }

    fn members(&self) -> (&'static str, Vec<(&'static str, Json<'_>)>) {
        match self {
            Self::Revoke(record) => ("revoke", vec![("target", record.write())]),
            Self::LeaveGroup { group, user } => (
                "leave_group",
                vec![("target", Json::text(group)), ("user", Json::text(user))],
            ),
            Self::Cancel(intent) => ("cancel", vec![("target", Json::text(intent))]),
            Self::Reject(intent) => ("reject", vec![("target", Json::text(intent))]),

            // Without a target the whole tenant is paused.
            Self::Pause { vault, until } => {
                let target = vault.iter().map(|vault| ("target", Json::text(vault)));
                (
                    "pause",
                    target.chain([("until", Json::text(until))]).collect(),
                )
            }
            Self::Stop => ("stop", vec![]),
            Self::Veto(act) => ("veto", vec![("target", Json::text(act))]),
            Self::Quarantine(signer) => ("quarantine", vec![("target", Json::text(signer))]),
        }
    }
}

impl ActBody {
    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(match f.text("kind")?.as_str() {
            "create_tenant" => Self::CreateTenant {
                tenant: f.parse("tenant")?,
                charter: Box::new(f.object("charter", Charter::read)?),
            },
            "put" => Self::Put(f.object("record", RegistryRecord::read)?),
            "release" => Self::Release(f.parse("act")?),
            "resume" => Self::Resume,
            "tighten" => Self::Tighten(Tighten::read(f)?),
            other => return Err(FormError::invalid("kind", format!("unknown act `{other}`"))),
        })
    }

    fn write(&self) -> Json<'_> {
        let (kind, mut members) = match self {
            Self::CreateTenant { tenant, charter } => (
                "create_tenant",
                vec![("charter", charter.write()), ("tenant", Json::text(tenant))],
            ),
            Self::Put(record) => ("put", vec![("record", record.write())]),
            Self::Release(act) => ("release", vec![("act", Json::text(act))]),
            Self::Resume => ("resume", vec![]),
            Self::Tighten(tighten) => {
                let (what, mut members) = tighten.members();
                members.push(("what", Json::text(what)));
                ("tighten", members)
            }
        };

        members.push(("kind", Json::text(kind)));
        Json::object(members)
    }
}

impl Document for Act {
    const TYPE: &'static str = "strongroom/act/v2";

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            platform: f.parse("platform")?,
            scope: f.parse("scope")?,
            id: f.parse("id")?,
            version: f.number("version")?,
            expires: f.parse("expires")?,
            body: f.object("body", ActBody::read)?,
        })
    }

    fn write(&self) -> Vec<(&'static str, Json<'_>)> {
        vec![
            ("body", self.body.write()),
            ("expires", Json::text(self.expires)),
            ("id", Json::text(self.id)),
            ("platform", Json::text(self.platform)),
            ("scope", Json::text(self.scope)),
            ("version", Json::text(self.version)),
        ]
    }
}
