//! The names of what is checked: properties, which must hold in every state, and goals, which some
//! state must reach, so that a property does not hold only because nothing happens.

/// Holds in every state that can be reached, as long as every rule is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Property {
    /// All signed payments of one intent spend a common input, so that one of them confirms at most.
    SharedInput,
    /// What is signed stays within the limit.
    Limit,
    /// No share leaves later than the staleness bound after a tightening was witnessed.
    LateShare,
    /// No share leaves against a head that the signer has acted under, across restarts.
    AgainstOwnHead,
    /// No share leaves against a tightening that the signer itself has cosigned.
    AgainstOwnTip,
    /// Witnessed heads are prefixes of each other, across a writer's failover, too.
    OneHistory,
    /// Nothing is signed under a policy or an epoch that the committee has not approved.
    Approved,
    /// A nonce answers one package.
    OnePackage,
    /// A refresh never loses the key.
    KeyKept,
    /// A tightening that was handed to enough witnesses takes effect although the writer withholds it.
    HandedInForce,
    /// A loosening waits its delay after an honest witness has seen the proposal.
    DelaySinceSeen,
    /// A loosening waits its delay after the last moment at which a reader could be shown a fresh
    /// quorum without the proposal.
    DelayUnhidden,
    /// A release in force was seen by an honest witness by its expiry.
    ReleaseInTime,
    /// A locked payment waits its lock after an honest witness has seen it.
    LockSinceSeen,
    /// A locked payment waits its lock after the last moment at which a reader could be shown a
    /// fresh quorum without it.
    LockUnhidden,
    /// A release does not undo a tightening that came after it.
    TighteningKept,
    /// A veto that enough witnesses held before they cosigned the release wins.
    VetoWins,
    /// From every state, after any outage, honest parties get everything through.
    GoesOn,
    /// While heads stay fresh, no entry is older than `tick_max` when it is first seen.
    NoEntryLags,
    /// While heads stay fresh, no release waits for longer than `tick_max`.
    NoReleaseLags,
}

impl Property {
    /// Every property, in the order of their letters.
    pub const ALL: [Property; 20] = [
        Self::SharedInput,
        Self::Limit,
        Self::LateShare,
        Self::AgainstOwnHead,
        Self::AgainstOwnTip,
        Self::OneHistory,
        Self::Approved,
        Self::OnePackage,
        Self::KeyKept,
        Self::HandedInForce,
        Self::DelaySinceSeen,
        Self::DelayUnhidden,
        Self::ReleaseInTime,
        Self::LockSinceSeen,
        Self::LockUnhidden,
        Self::TighteningKept,
        Self::VetoWins,
        Self::GoesOn,
        Self::NoEntryLags,
        Self::NoReleaseLags,
    ];

    /// Letter and short sentence, as reports and `docs/model.md` print them.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SharedInput => "(a) payments of one intent share an input",
            Self::Limit => "(b) limit kept",
            Self::LateShare => "(c) no late share",
            Self::AgainstOwnHead => "(c2) no share against a head acted under",
            Self::AgainstOwnTip => "(c3) no share against the signer's own tip",
            Self::OneHistory => "(d) one history",
            Self::Approved => "(e) policy and epoch approved",
            Self::OnePackage => "(f) a nonce answers one package",
            Self::KeyKept => "(g) key not lost",
            Self::HandedInForce => "(h) handed tightening takes effect",
            Self::DelaySinceSeen => "(i) delay since an honest witness saw the proposal",
            Self::DelayUnhidden => "(j) delay in which every reader saw it",
            Self::ReleaseInTime => "(k) release seen by its expiry",
            Self::LockSinceSeen => "(l) lock since an honest witness saw the payment",
            Self::LockUnhidden => "(m) lock in which every reader saw it",
            Self::TighteningKept => "(n) no later tightening undone",
            Self::VetoWins => "(o) held veto not outrun",
            Self::GoesOn => "(p) everything gets through after any outage",
            Self::NoEntryLags => "(q) no entry lags by more than tick_max",
            Self::NoReleaseLags => "(r) no release waits for longer than tick_max",
        }
    }
}

/// Reached by some state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// Shares for a signature have left.
    Signs,
    /// Every honest witness has cosigned the longest log.
    FullLength,
    /// Shares of the epoch after a refresh have left.
    SignsInNewEpoch,
    /// Shares for an intent that only the looser policy allows have left.
    SignsUnderLooserPolicy,
    /// Shares under a head of the new witness set have left.
    SignsUnderNewWitnesses,
    /// A quorum has joined the epoch of the next writer.
    Recovers,
    /// No head can get its quorum by more cosignatures.
    Wedged,
    /// Every report is in, and two heads in conflict may both have been witnessed.
    Ambiguous,
    /// The loosening is in force.
    InForce,
    /// A release became void.
    Void,
    /// A share of a locked payment may leave.
    SharesAfterLock,
    /// A veto was appended in time.
    Vetoed,
}

impl Goal {
    /// Short phrase for reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signs => "signs",
            Self::FullLength => "all honest witnesses at full length",
            Self::SignsInNewEpoch => "signs in the new epoch",
            Self::SignsUnderLooserPolicy => "signs under the looser policy",
            Self::SignsUnderNewWitnesses => "signs under the new witness set",
            Self::Recovers => "recovers",
            Self::Wedged => "wedged without recovery",
            Self::Ambiguous => "ambiguous although all answered",
            Self::InForce => "in force",
            Self::Void => "void",
            Self::SharesAfterLock => "share after the lock",
            Self::Vetoed => "veto in time",
        }
    }
}
