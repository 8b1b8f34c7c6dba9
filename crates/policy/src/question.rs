//! A question to the policy and the decision that answers it.

use crate::payment::Payment;
use strongroom_types::{AllowListId, DecisionCore, Digest, Refusal, Tier, UnixMs};

/// Moment of the journal at which a payment is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// At an entry that authorizes it or opens an attempt, at the entry's time: everything is
    /// asked.
    Entry(UnixMs),
    /// At a head, before a share.
    ///
    /// Hours are those of the attempt's entry, else a payment authorized a second before closing
    /// would die on its way. Whatever denies is asked: guards with their ceilings, block rules, and
    /// every other condition.
    Head {
        /// Time of the head's newest entry.
        at: UnixMs,
        /// Time by which hours are read: that of the attempt's entry or the end of its lock.
        hours: UnixMs,
        /// Whether the windows of rules are read. Not read, they count as having room, as those of
        /// the matched rule had at the entry: a later payment may have filled them since.
        windows: bool,
    },
}

impl Moment {
    /// Journal time, for windows and ages.
    #[must_use]
    pub const fn at(&self) -> UnixMs {
        match self {
            Self::Entry(at) | Self::Head { at, .. } => *at,
        }
    }

    /// Journal time by which hours of the week are read.
    #[must_use]
    pub const fn hours_at(&self) -> UnixMs {
        match self {
            Self::Entry(at) => *at,
            Self::Head { hours, .. } => *hours,
        }
    }

    /// Whether the windows of rules are read.
    pub(crate) const fn asks_rule_windows(&self) -> bool {
        match self {
            Self::Entry(_) => true,
            Self::Head { windows, .. } => *windows,
        }
    }
}

/// A payment at one journal position.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Content of the initiator's signed wish.
    pub payment: &'a Payment,
    /// Digest of the intent's text.
    pub intent_digest: Digest,
    /// Moment at which it is judged.
    pub moment: Moment,
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
    /// Whether an earlier rule would have matched but for its windows.
    pub limited: bool,
    /// Reason why nothing may go out.
    pub block: Option<Refusal>,
}

impl Decision {
    /// A block in place of this decision, for a reason that lies outside of the table.
    #[must_use]
    pub fn blocked(self, refusal: Refusal) -> Self {
        // A block asks no group, so the core names none that could approve it away.
        let core = DecisionCore {
            tier: Tier::Block,
            time_lock_seconds: 0,
            ordered: false,
            groups: Vec::new(),
            obligations: Vec::new(),
            ..self.core
        };
        Self {
            core,
            relied_on: Vec::new(),
            limited: false,
            block: Some(refusal),
        }
    }
}
