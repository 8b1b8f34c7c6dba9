//! A question to the policy and the decision that answers it.

use strongroom_types::{AllowListId, DecisionCore, Digest, Intent, Refusal, UnixMs};

/// An intent at one journal position.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Signed wish of the initiator, parsed.
    pub intent: &'a Intent,
    /// Digest of the intent's text.
    pub intent_digest: Digest,
    /// Journal time of the position.
    pub at: UnixMs,
    /// Decoder that read the intent, e.g. `bitcoin/1`.
    pub decoder: &'a str,
}

/// Answer of the policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Text that approvers sign; its tier is `block` exactly when `block` is present.
    pub core: DecisionCore,
    /// Allow-list entries, ascending, without which another decision could have been reached: those
    /// that let the matched rule match, and those that let an earlier rule be passed over. Each
    /// must still be in force when a share is released. Empty when blocked.
    pub relied_on: Vec<AllowListId>,
    /// Reason why nothing may go out.
    pub block: Option<Refusal>,
}
