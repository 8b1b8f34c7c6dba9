//! One person's signed yes. A no is a tightening ([`crate::Tighten::Reject`]), which binds to the
//! intent alone, whatever the decision is.

use crate::digest::Digest;
use crate::document::Document;
use crate::fields::{Fields, FormError};
use crate::id::{ApprovalNonce, CredentialId, PlatformId, TenantId};
use crate::json::Json;
use crate::time::UnixMs;

/// An approver's yes to one decision on one intent; single-use by its approver and nonce.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// Installation in which it counts; another one refuses it.
    pub platform: PlatformId,
    /// Tenant of the intent and of the approver.
    pub tenant: TenantId,
    /// Digest of the intent text.
    pub intent: Digest,
    /// Digest of the decision core text.
    pub core: Digest,
    /// Digests of the approvals of all earlier groups, each once, in any order; empty when the
    /// decision asks for no order.
    pub after: Vec<Digest>,
    /// Credential of the approver, which signs this text.
    pub approver: CredentialId,
    /// Digest of the written reason, domain `strongroom/rationale/v1` (all zeros: none).
    pub rationale: Digest,
    /// Random value that makes the approval single-use among those of its approver.
    pub nonce: ApprovalNonce,
    /// Time from which on the approval is not valid.
    pub expires: UnixMs,
}

impl Document for Approval {
    const TYPE: &'static str = "strongroom/approval/v2";

    fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        Ok(Self {
            platform: f.parse("platform")?,
            tenant: f.parse("tenant")?,
            intent: f.parse("intent")?,
            core: f.parse("core")?,
            after: f.parse_list("after", 32)?,
            approver: f.parse("approver")?,
            rationale: f.parse("rationale")?,
            nonce: f.parse("nonce")?,
            expires: f.parse("expires")?,
        })
    }

    fn write(&self) -> Vec<(&'static str, Json<'_>)> {
        vec![
            ("after", Json::texts(&self.after)),
            ("approver", Json::text(self.approver)),
            ("core", Json::text(self.core)),
            ("expires", Json::text(self.expires)),
            ("intent", Json::text(self.intent)),
            ("nonce", Json::text(self.nonce)),
            ("platform", Json::text(self.platform)),
            ("rationale", Json::text(self.rationale)),
            ("tenant", Json::text(self.tenant)),
        ]
    }
}
