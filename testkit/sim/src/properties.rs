//! What must hold of a history, judged without any code of the product.
//!
//! [`Property`] is the table: short name, and meaning. [`Checker`] checks them at every
//! observation, [`crate::run`] those of the end of a seed.
//!
//! `c3` is weaker than the letter of the design in one case: a stop *and* its resume that are both
//! beyond the head acted under cancel out, as they do at the signers, which judge at the head and
//! at their tip, not in between.

mod property;
mod shares;

pub use property::Property;

use crate::history::{Authorized, Fact, Observation, Tightening};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use strongroom_types::{Digest, KeyId};

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
    /// The policy of the charter.
    pub policy: Digest,
    /// Payments of each intent as its client signed it: (address, amount), sorted.
    pub promised: BTreeMap<Digest, Vec<(String, u64)>>,
}

/// A property that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which one.
    pub property: Property,
    /// True time, milliseconds.
    pub at_ms: u64,
    /// Who did what, for people.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.detail)
    }
}

#[derive(Default)]
struct Seat {
    cosigned: BTreeMap<u64, Digest>,
    /// Largest size at the last start.
    floor: u64,
    restored: bool,
    handed: Vec<(u64, Digest, Tightening, u64)>,
}

impl Seat {
    fn size(&self) -> u64 {
        self.cosigned.keys().next_back().copied().unwrap_or(0)
    }
}

struct Tightened {
    seq: u64,
    what: Tightening,
    act: Digest,
    witnessed_ms: Option<u64>,
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
    resumed: Vec<u64>,
    policies: BTreeSet<Digest>,
    released: BTreeMap<KeyId, Vec<u16>>,
    finished: BTreeMap<KeyId, u64>,
    nonces: BTreeMap<NonceName, (Digest, Vec<u8>)>,
    shares: BTreeMap<Digest, BTreeSet<u16>>,
    signed: BTreeMap<Digest, Vec<BTreeSet<String>>>,
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
        let policies = BTreeSet::from([terms.policy]);
        Self {
            terms,
            seats: BTreeMap::new(),
            entries: BTreeMap::new(),
            heads: BTreeMap::new(),
            intents: BTreeMap::new(),
            tightened: Vec::new(),
            resumed: Vec::new(),
            policies,
            released: BTreeMap::new(),
            finished: BTreeMap::new(),
            nonces: BTreeMap::new(),
            shares: BTreeMap::new(),
            signed: BTreeMap::new(),
        }
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
            Observation::Entry { seq, bytes, fact } => self.entry(*seq, *bytes, fact),
            Observation::Head { size, body } => self.head(*size, *body),
            Observation::Cosigned {
                witness,
                size,
                body,
                own_ms,
            } => self.cosigned(at_ms, *witness, *size, *body, *own_ms),
            Observation::Started { seat } => {
                let seat = self.seats.entry(*seat).or_default();
                seat.floor = seat.size();
                Ok(())
            }
            Observation::Restored { seat } => {
                self.seats.entry(*seat).or_default().restored = true;
                Ok(())
            }
            Observation::Handed {
                seat,
                act,
                what,
                own_ms,
            } => {
                self.seats.entry(*seat).or_default().handed.push((
                    at_ms,
                    *act,
                    what.clone(),
                    *own_ms,
                ));
                Ok(())
            }
            Observation::Shared(share) => self.shared(at_ms, share),
        };
        verdict.map_err(|(property, detail)| Violation {
            property,
            at_ms,
            detail,
        })
    }

    fn entry(&mut self, seq: u64, bytes: Digest, fact: &Fact) -> Verdict {
        if let Some(known) = self.entries.get(&seq) {
            return must(*known == bytes, Property::OneLine, || {
                format!("the writer published two entries {seq}")
            });
        }
        let next = self.entries.len() as u64;
        must(seq == next, Property::OneLine, || {
            format!("entry {seq} where {next} was next")
        })?;
        self.entries.insert(seq, bytes);
        match fact {
            Fact::Authorized(authorized) => {
                let known = self
                    .intents
                    .insert(authorized.intent, (seq, (**authorized).clone()));
                must(known.is_none(), Property::Authority, || {
                    format!("{} is authorized twice", authorized.intent)
                })
            }
            Fact::Attempt {
                intent,
                number,
                unsigned,
            } => {
                let known = self.intents.get_mut(intent);
                let (_, known) = known.ok_or_else(|| {
                    (
                        Property::Authority,
                        format!("an attempt of unknown {intent}"),
                    )
                })?;
                known.attempts.push((*number, *unsigned));
                Ok(())
            }
            Fact::Tighten(what, act) => {
                self.tightened.push(Tightened {
                    seq,
                    what: what.clone(),
                    act: *act,
                    witnessed_ms: None,
                });
                Ok(())
            }
            Fact::Resume => {
                self.resumed.push(seq);
                Ok(())
            }
            Fact::Policy(policy, signed) => {
                self.policies.insert(*policy);
                self.board(*signed, "a policy")
            }
            Fact::Ceremony(key, signed, roster) => {
                self.released.insert(*key, roster.clone());
                self.board(*signed, "a ceremony")
            }
            Fact::Finished(key, certificates) => {
                self.finished.insert(*key, seq);
                let roster = self.released.get(key).map_or(usize::MAX, Vec::len);
                must(*certificates == roster, Property::Authority, || {
                    format!("{key} finished, not certified by its roster")
                })
            }
            Fact::Other => Ok(()),
        }
    }

    fn board(&self, signed: usize, what: &str) -> Verdict {
        must(
            signed >= self.terms.committee_quorum,
            Property::Authority,
            || format!("{what} is in force with {signed} signatures of its board"),
        )
    }

    fn head(&mut self, size: u64, body: Digest) -> Verdict {
        let known = *self.heads.entry(size).or_insert(body);
        must(known == body, Property::OneLine, || {
            format!("the writer published two checkpoints of size {size}")
        })
    }

    fn cosigned(
        &mut self,
        at_ms: u64,
        witness: u16,
        size: u64,
        body: Digest,
        own_ms: u64,
    ) -> Verdict {
        let owed = self.owed(witness, size, own_ms);
        let seat = self.seats.entry(witness).or_default();
        must(!seat.restored, Property::OneLine, || {
            format!("witness {witness} cosigned after its disk was put back")
        })?;
        let before = seat.size();
        must(size >= before, Property::OneLine, || {
            format!("witness {witness} cosigned {size} after {before}")
        })?;
        let known = *seat.cosigned.entry(size).or_insert(body);
        must(known == body, Property::OneLine, || {
            format!("witness {witness} cosigned two trees of size {size}")
        })?;
        must(owed.is_none(), Property::HandedOver, || {
            format!("witness {witness} cosigned {size} entries without the handed act {owed:?}")
        })?;
        self.one_line(size)?;
        let witnessed = self.witnessed();
        for tightened in &mut self.tightened {
            if tightened.seq < witnessed && tightened.witnessed_ms.is_none() {
                tightened.witnessed_ms = Some(at_ms);
            }
        }
        Ok(())
    }

    /// A quorum over one size has one body, which is the writer's own.
    fn one_line(&self, size: u64) -> Verdict {
        let mut votes: BTreeMap<Digest, usize> = BTreeMap::new();
        for body in self
            .seats
            .values()
            .filter_map(|seat| seat.cosigned.get(&size))
        {
            *votes.entry(*body).or_default() += 1;
        }
        for (body, votes) in votes {
            let ours = self.heads.get(&size) == Some(&body);
            must(ours || votes < self.terms.quorum, Property::OneLine, || {
                format!("another tree of size {size} is witnessed")
            })?;
        }
        Ok(())
    }

    /// Size up to which a quorum has cosigned.
    fn witnessed(&self) -> u64 {
        self.covered(None)
    }

    /// Size that a signer may take as witnessed: its own cosignature counts for everything it has,
    /// the end of which may be a line shown to it alone.
    fn witnessed_for(&self, signer: u16) -> u64 {
        self.covered(Some(signer))
    }

    fn covered(&self, own: Option<u16>) -> u64 {
        let size_of = |(number, seat): (&u16, &Seat)| {
            let on_line = |(size, body): &(&u64, &Digest)| self.heads.get(size) == Some(body);
            let counted = |entry: &(&u64, &Digest)| own == Some(*number) || on_line(entry);
            seat.cosigned
                .iter()
                .rev()
                .find(counted)
                .map_or(0, |(size, _)| *size)
        };
        let mut sizes: Vec<u64> = self.seats.iter().map(size_of).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.get(self.terms.quorum - 1).copied().unwrap_or(0)
    }

    /// A tightening handed to this witness that a tree of this size lacks for too long. Its clock
    /// counts seconds.
    fn owed(&self, witness: u16, size: u64, own_ms: u64) -> Option<Digest> {
        let seat = self.seats.get(&witness)?;
        let lacks = |act: &Digest| !self.tightened.iter().any(|t| t.act == *act && t.seq < size);
        let late = |since: u64| own_ms > since + self.terms.duty_ms + 1_000;
        seat.handed
            .iter()
            .find(|(_, act, _, since)| late(*since) && lacks(act))
            .map(|(_, act, _, _)| *act)
    }
}
