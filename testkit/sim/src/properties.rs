//! What must hold of a history, judged without any code of the product.
//!
//! [`Property`] is the table: short name, and meaning. [`Checker`] checks them at every
//! observation, [`crate::run`] those of the end of a seed.
//!
//! `c3` is weaker than the letter of the design in one case: a stop *and* its resume that are both
//! beyond the head acted under cancel out, as they do at the signers, which judge at the head and
//! at their tip, not in between.

mod journal;
mod property;
mod shares;
mod time;
mod waiting;
mod witnesses;

pub use property::Property;

use crate::history::{Authorized, Observation, Tightening};
use crate::kinds::Situation;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use strongroom_types::{CredentialId, Digest, KeyId, Scope, TenantId, UserId};
use time::Loosened;
use waiting::Waiting;

/// Terms of the installation, from genesis and charter.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Cosignatures that make a head witnessed.
    pub quorum: usize,
    /// Signers needed for a signature.
    pub min_signers: usize,
    /// How long a head is fresh, milliseconds.
    pub freshness_ms: u64,
    /// Largest difference of honest clocks, milliseconds.
    pub skew_ms: u64,
    /// How long a handed tightening may be missing, milliseconds.
    pub duty_ms: u64,
    /// Most that may be signed within the window, base units.
    pub limit: u64,
    /// The window, milliseconds of journal time.
    pub window_ms: u64,
    /// Signatures of the deciding board that a policy or ceremony needs.
    pub committee_quorum: usize,
    /// Digests of the charters' policies, which need no release.
    pub policies: BTreeSet<Digest>,
    /// Number of witnesses in genesis, hostile ones included.
    pub witnesses: u16,
    /// Seats that are hostile, or whose clock is wrong: what they say and see counts for nothing.
    pub hostile: BTreeSet<u16>,
    /// Delay of a loosening, milliseconds.
    pub loosen_delay_ms: u64,
    /// Delay of a change of the platform, milliseconds.
    pub platform_delay_ms: u64,
    /// Life of a released ceremony, milliseconds.
    pub ceremony_life_ms: u64,
    /// Life of an attempt, milliseconds.
    pub attempt_life_ms: u64,
    /// Age at which a head's newest entry makes it stale, milliseconds.
    pub tick_max_ms: u64,
    /// Payments of each intent as its client signed it: (address, amount), sorted.
    pub promised: BTreeMap<Digest, Vec<(String, u64)>>,
}

/// A property that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The property, by which seeds are counted in reports.
    pub property: Property,
    /// True time, milliseconds.
    pub at_ms: u64,
    /// Node, position and what it did, for people.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.detail)
    }
}

/// What a signer or witness has stated so far, and what is known against it.
#[derive(Default)]
struct Seat {
    /// Body cosigned at each size.
    cosigned: BTreeMap<u64, Digest>,
    /// True time at which each size was cosigned last.
    cosigned_at: BTreeMap<u64, u64>,
    /// Sizes with the dates under which they were cosigned, milliseconds.
    stated: BTreeSet<(u64, u64)>,
    /// Largest size at the last start.
    floor: u64,
    restored: bool,
    frozen: bool,
    handed: Vec<Handed>,
}

/// A tightening that a witness took from people.
struct Handed {
    scope: Scope,
    act: Digest,
    what: Tightening,
    by: Vec<(CredentialId, Option<UserId>)>,
    /// The witness's own clock when it took it.
    own_ms: u64,
}

impl Seat {
    fn size(&self) -> u64 {
        self.cosigned.keys().next_back().copied().unwrap_or(0)
    }
}

/// A tightening in the journal.
struct Tightened {
    seq: u64,
    scope: Scope,
    what: Tightening,
    act: Digest,
    /// True time at which a quorum had cosigned it.
    witnessed_ms: Option<u64>,
}

/// Where and when an entry is published.
#[derive(Clone, Copy)]
struct Place {
    seq: u64,
    /// Journal time.
    stamp_ms: u64,
    /// True time.
    at_ms: u64,
    scope: Scope,
}

/// Signer, boot and number of a nonce.
type NonceName = (u16, [u8; 16], u64);

/// Watches a history as it happens.
pub struct Checker {
    terms: Terms,
    seats: BTreeMap<u16, Seat>,
    entries: BTreeMap<u64, Digest>,
    heads: BTreeMap<u64, Digest>,
    intents: BTreeMap<Digest, (u64, Authorized)>,
    tightened: Vec<Tightened>,
    loosened: Vec<Loosened>,
    /// Position of the act that makes each proposal.
    proposed: BTreeMap<Digest, u64>,
    waiting: Vec<Waiting>,
    /// Journal time of each entry.
    stamps: BTreeMap<u64, u64>,
    /// True time at which an honest witness first cosigned each entry.
    seen: Vec<u64>,
    /// Roster of each released ceremony, and journal time of the entry that put it in force.
    released: BTreeMap<KeyId, (Vec<u16>, u64)>,
    finished: BTreeMap<KeyId, u64>,
    nonces: BTreeMap<NonceName, (Digest, Vec<u8>)>,
    shares: BTreeMap<Digest, BTreeSet<u16>>,
    signed: BTreeMap<Digest, Vec<Signature>>,
    /// True time from which nothing goes wrong any more.
    calm_ms: Option<u64>,
    situations: Vec<Situation>,
}

/// A signature on a payment.
struct Signature {
    /// The inputs it spends.
    inputs: BTreeSet<String>,
    /// Journal time of the attempt.
    attempt_ms: u64,
    /// True time at which it counts in a window.
    counted_ms: u64,
}

/// Whether what happens in a scope concerns a tenant.
fn concerns(scope: Scope, tenant: TenantId) -> bool {
    scope == Scope::Platform || scope == Scope::Tenant(tenant)
}

type Verdict = Result<(), (Property, String)>;

fn must(holds: bool, property: Property, detail: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err((property, detail()))
    }
}

impl Checker {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            seats: BTreeMap::new(),
            entries: BTreeMap::new(),
            heads: BTreeMap::new(),
            intents: BTreeMap::new(),
            tightened: Vec::new(),
            loosened: Vec::new(),
            proposed: BTreeMap::new(),
            waiting: Vec::new(),
            stamps: BTreeMap::new(),
            seen: Vec::new(),
            released: BTreeMap::new(),
            finished: BTreeMap::new(),
            nonces: BTreeMap::new(),
            shares: BTreeMap::new(),
            signed: BTreeMap::new(),
            calm_ms: None,
            situations: Vec::new(),
        }
    }

    /// What came about since it was last asked.
    pub fn take_situations(&mut self) -> Vec<Situation> {
        std::mem::take(&mut self.situations)
    }

    /// A client signed an intent.
    pub fn promise(&mut self, intent: Digest, pays: Vec<(String, u64)>) {
        self.terms.promised.insert(intent, pays);
    }

    /// Intents with a signature.
    #[must_use]
    pub fn signed(&self) -> BTreeSet<Digest> {
        self.signed.keys().copied().collect()
    }

    /// Whether a stop of a scope, or of the platform, holds at the end of the journal.
    #[must_use]
    pub fn is_stopped(&self, scope: Scope) -> bool {
        // As the last intent would be judged: at the end, where every resume counts that took
        // effect.
        let holds = |t: &Tightened| {
            let is_of = t.scope == scope || t.scope == Scope::Platform;
            is_of && t.what == Tightening::Stop && !self.is_resumed((t.scope, t.seq), u64::MAX)
        };
        self.tightened.iter().any(holds)
    }

    /// Whether this tightening is in the journal.
    #[must_use]
    pub fn is_tightened(&self, what: &Tightening) -> bool {
        self.tightened.iter().any(|t| t.what == *what)
    }

    /// The authorization of an intent, if there is one.
    #[must_use]
    pub fn authorized(&self, intent: &Digest) -> Option<&Authorized> {
        self.intents.get(intent).map(|(_, authorized)| authorized)
    }

    /// Takes in what happened, in order of true time.
    ///
    /// # Errors
    /// The first property it breaks.
    pub fn observe(&mut self, at_ms: u64, observation: &Observation) -> Result<(), Violation> {
        let verdict = match observation {
            Observation::Entry {
                seq,
                bytes,
                at_ms: stamp,
                scope,
                fact,
            } => {
                // Beyond what clocks differ; no property judges by it.
                if stamp + self.terms.skew_ms < at_ms {
                    self.situations.push(Situation::OldStamp);
                }
                let place = Place {
                    seq: *seq,
                    stamp_ms: *stamp,
                    at_ms,
                    scope: *scope,
                };
                self.on_entry(place, *bytes, fact)
            }
            Observation::Head { size, body } => self.on_head(*size, *body),
            Observation::Cosigned(cosigned) => self.on_cosigned(at_ms, cosigned),
            // What it cosigned until now is its floor: after a start it shares nothing below (c2,
            // c3).
            Observation::Started { seat } => {
                let seat = self.seats.entry(*seat).or_default();
                seat.floor = seat.size();
                Ok(())
            }
            Observation::Remembered {
                seat,
                size,
                dated_ms,
            } => {
                self.on_remembered(*seat, (*size, *dated_ms));
                Ok(())
            }
            Observation::Restored { seat } => {
                self.seats.entry(*seat).or_default().restored = true;
                Ok(())
            }
            Observation::Frozen { seat } => {
                self.seats.entry(*seat).or_default().frozen = true;
                Ok(())
            }
            Observation::Unfrozen { seat } => {
                self.seats.entry(*seat).or_default().frozen = false;
                Ok(())
            }
            Observation::Handed {
                seat,
                scope,
                act,
                what,
                by,
                own_ms,
            } => {
                let seat = self.seats.entry(*seat).or_default();
                seat.handed.push(Handed {
                    scope: *scope,
                    act: *act,
                    what: what.clone(),
                    by: by.clone(),
                    own_ms: *own_ms,
                });
                Ok(())
            }
            Observation::Shared(share) => self.on_share(at_ms, share),
            Observation::Calm => {
                self.on_calm(at_ms);
                Ok(())
            }
        };

        // After each of them, since nothing happens when nothing goes on: any event shows the time.
        let verdict = verdict.and_then(|()| self.check_goes_on(at_ms));
        verdict.map_err(|(property, detail)| Violation {
            property,
            at_ms,
            detail,
        })
    }
}
