//! Entries of the journal, as far as time concerns them.

use std::fmt;

/// Body of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Body {
    /// Nothing but its time.
    Tick,
    /// A loosening is proposed.
    Propose,
    /// The committee releases it.
    Release {
        /// Last moment at which it may be seen first.
        expiry: u8,
        /// The scope's version that it changes.
        version: u8,
    },
    /// The proposal is vetoed.
    Veto,
    /// Any other tightening of the scope: raises its version.
    Stop,
    /// A payment is authorized under a time lock, with attempt 1.
    Pay,
    /// A further attempt of that payment.
    PayAgain,
    /// Cosignatures over one checkpoint.
    Witnessed {
        /// Size of the checkpoint's tree.
        size: u8,
        /// The time that `apply` takes from the cosignatures.
        time: u8,
    },
}

/// One entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The writer's stamp.
    pub at: u8,
    /// Content of the entry.
    pub body: Body,
}

impl Entry {
    const fn at_start(body: Body) -> Entry {
        Entry { at: 1, body }
    }
}

/// A log in which nothing has happened.
pub const START: &[Entry] = &[Entry::at_start(Body::Tick)];

/// A log with a proposal whose delay has begun.
pub const PROPOSED: &[Entry] = &[
    Entry::at_start(Body::Tick),
    Entry::at_start(Body::Propose),
    Entry::at_start(Body::Witnessed { size: 2, time: 1 }),
];

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.body {
            Body::Tick => f.write_str("tick")?,
            Body::Propose => f.write_str("propose")?,
            Body::Release { expiry, .. } => write!(f, "release(expiry {expiry})")?,
            Body::Veto => f.write_str("veto")?,
            Body::Stop => f.write_str("stop")?,
            Body::Pay => f.write_str("pay")?,
            Body::PayAgain => f.write_str("pay again")?,
            Body::Witnessed { size, time } => write!(f, "witnessed(size {size}, time {time})")?,
        }
        write!(f, "@{}", self.at)
    }
}
