//! The content of a log, computed entry by entry.

/// An entry that waits for a `witnessed` entry, or has got its time from one.
#[derive(Clone, Copy)]
pub(super) struct Item {
    /// Position in the log.
    pub position: u8,
    /// Time of the first `witnessed` entry over it.
    pub witnessed_at: Option<u8>,
    /// The writer's stamp.
    pub at: u8,
}

impl Item {
    fn is_waiting(&self) -> bool {
        self.witnessed_at.is_none()
    }

    /// A `witnessed` entry over the first `size` entries gives its time to what waits below.
    pub(super) fn on_witnessed(&mut self, size: u8, time: u8) {
        if self.is_waiting() && self.position < size {
            self.witnessed_at = Some(time);
        }
    }
}

/// A release that has not taken effect.
#[derive(Clone, Copy)]
pub(super) struct WaitingRelease {
    /// Position in the log.
    pub position: u8,
    /// The scope's version that it left.
    pub version: u8,
    /// Last moment at which it may be seen first.
    pub expiry: u8,
    /// The writer's stamp.
    pub at: u8,
}

/// A loosening in force.
#[derive(Clone, Copy)]
pub(super) struct InForce {
    /// Position of its release.
    pub release: u8,
    /// Position of its proposal.
    pub proposal: u8,
    /// Expiry of its release.
    pub expiry: u8,
    /// Did it take effect over a later tightening?
    pub undoes_tightening: bool,
}

/// The state that a log leads to.
#[derive(Clone, Copy, Default)]
pub(super) struct View {
    /// Stamp of the newest entry.
    pub at: u8,
    /// Number of entries.
    pub size: u8,
    /// The scope's version.
    pub version: u8,
    /// Size of the largest head in a `witnessed` entry.
    pub covered: u8,
    /// The open proposal.
    pub proposal: Option<Item>,
    /// The release of that proposal.
    pub waiting: Option<WaitingRelease>,
    /// Was the id of the adversary's release used?
    pub is_release_used: bool,
    /// The loosening that took effect.
    pub in_force: Option<InForce>,
    /// Position of the last tightening; 0 is none.
    pub tightened: u8,
    /// Was the proposal vetoed?
    pub is_vetoed: bool,
    /// The payment under a lock.
    pub payment: Option<Item>,
    /// Stamp of its last attempt.
    pub attempt_at: u8,
    /// Attempts after the first.
    pub attempts_more: u8,
}

impl View {
    /// Stamp of the oldest item that waits for a `witnessed` entry.
    pub(super) fn oldest_waiting(&self) -> Option<u8> {
        let unseen = |item: Option<Item>| item.filter(Item::is_waiting).map(|item| item.at);
        [
            self.waiting.map(|release| release.at),
            unseen(self.proposal),
            unseen(self.payment),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The waiting release takes effect and consumes its proposal.
    pub(super) fn set_in_force(&mut self) -> Option<()> {
        let release = self.waiting.take()?;
        let proposal = self.proposal.take()?;
        self.in_force = Some(InForce {
            release: release.position,
            proposal: proposal.position,
            expiry: release.expiry,
            undoes_tightening: self.tightened > release.position,
        });
        Some(())
    }
}
