//! A question to the policy and the decision that answers it.

use crate::payment::Payment;
use strongroom_types::{AllowListId, DecisionCore, Digest, Refusal, Tier, UnixMs};

/// Moment of the journal at which a payment is judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// The position of an entry that authorizes the payment or opens an attempt, with the entry's
    /// time. All guards and conditions are evaluated.
    Entry(UnixMs),
    /// A head, before a signer gives a share.
    ///
    /// Hours are compared with the time of the attempt's entry; otherwise a payment that was
    /// authorized a second before closing would be refused on its way. Everything that denies is
    /// evaluated again: guards with their ceilings, block rules, and every other condition.
    Head {
        /// Time of the head's newest entry.
        at: UnixMs,
        /// Time with which hours are compared: that of the attempt's entry or the end of its lock.
        hours: UnixMs,
        /// Whether the windows of rules are read. If they are not, they count as having room: those
        /// of the matched rule had room at the entry, and later payments may have filled them
        /// since.
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

    /// Journal time with which hours of the week are compared.
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
    /// Content of the initiator's signed intent.
    pub payment: &'a Payment,
    /// Digest of the intent's text.
    pub intent_digest: Digest,
    /// Moment at which the payment is judged.
    pub moment: Moment,
    /// Decoder that read the intent, e.g. `bitcoin/1`.
    pub decoder: &'a str,
}

/// The policy's answer to a [`Question`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Text that approvers sign; its tier is `block` exactly when `block` is present.
    pub core: DecisionCore,
    /// Allow-list entries, ascending, without which the decision could have been another: entries
    /// by which the matched rule matched, and entries by which an earlier rule was passed over.
    /// Each must still be in force when a share is released. Empty when blocked.
    pub relied_on: Vec<AllowListId>,
    /// Whether an earlier rule would have matched but for its windows.
    pub limited: bool,
    /// Refusal because of which the payment is blocked.
    pub block: Option<Refusal>,
}

impl Decision {
    /// A block in place of this decision, for a reason outside of the table.
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
