//! What must hold of a history, judged without any code of the product.
//!
//! | property | meaning |
//! |---|---|
//! | `a` | all signed payments of one intent contain one common anchor, the journal's |
//! | `b` | what was signed within any window is not above the limit |
//! | `c` | no share later than freshness + 2 × skew after a witnessed tightening that forbids it |
//! | `c2` | no share against the head acted under, or an unwitnessed one |
//! | `c3` | no share against anything the signer itself ever cosigned, across restarts; none below its floor |
//! | `d` | no witness cosigns two trees of one size or a smaller one, nor after its disk was put back; witnessed heads are on one line |
//! | `e` | nothing is signed that was not authorized, nor under a policy, key or roster that its board did not release |
//! | `f` | a nonce serves one package |
//! | `h` | a handed tightening takes effect at once, and is owed after `duty_ms` |
//! | `x` | what is signed pays exactly what the intent says |
//!
//! At the end of a seed come `lost` (an accepted intent has no end, or an end without a code),
//! `dead` (nothing is signed any more though nothing forbids it), `converge` (replicas differ, or a
//! key whose disk was put back is not retired).
//!
//! `c3` is weaker than the letter of the design in one case: a stop *and* its resume that both lie
//! beyond the head acted under cancel out, as they do at the signers, who judge at the head and at
//! their tip, not in between.

use crate::history::{Authorized, Event, Fact, Share, Tightening};
use std::collections::{BTreeMap, BTreeSet};
use strongroom_types::{Digest, KeyId};

/// What is agreed on: genesis and charter.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Cosignatures that make a head witnessed.
    pub quorum: usize,
    /// Signers needed for a signature.
    pub min_signers: usize,
    /// How long a head is fresh.
    pub freshness_ms: u64,
    /// Largest difference of honest clocks.
    pub skew_ms: u64,
    /// How long a handed tightening may be missing.
    pub duty_ms: u64,
    /// Most that may be signed within the window, base units.
    pub limit: u64,
    /// The window, milliseconds of journal time.
    pub window_ms: u64,
    /// Signatures of the deciding board that a policy or ceremony needs.
    pub committee_quorum: usize,
    /// The policy of the charter.
    pub policy: Digest,
    /// What each intent was signed to pay by its client: (address, amount), sorted.
    pub promised: BTreeMap<Digest, Vec<(String, u64)>>,
}

/// A property that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which.
    pub property: &'static str,
    /// True time, milliseconds.
    pub at_ms: u64,
    /// What exactly.
    pub detail: String,
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

type Verdict = Result<(), (&'static str, String)>;

fn must(holds: bool, property: &'static str, detail: impl FnOnce() -> String) -> Verdict {
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
    pub fn observe(&mut self, at_ms: u64, event: &Event) -> Result<(), Violation> {
        let verdict = match event {
            Event::Entry { seq, bytes, fact } => self.entry(*seq, *bytes, fact),
            Event::Head { size, body } => self.head(*size, *body),
            Event::Cosigned {
                witness,
                size,
                body,
                own_ms,
            } => self.cosigned(at_ms, *witness, *size, *body, *own_ms),
            Event::Started { seat } => {
                let seat = self.seats.entry(*seat).or_default();
                seat.floor = seat.size();
                Ok(())
            }
            Event::Restored { seat } => {
                self.seats.entry(*seat).or_default().restored = true;
                Ok(())
            }
            Event::Handed {
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
            Event::Shared(share) => self.shared(at_ms, share),
        };
        verdict.map_err(|(property, detail)| Violation {
            property,
            at_ms,
            detail,
        })
    }

    fn entry(&mut self, seq: u64, bytes: Digest, fact: &Fact) -> Verdict {
        if let Some(known) = self.entries.get(&seq) {
            return must(*known == bytes, "d", || {
                format!("the writer published two entries {seq}")
            });
        }
        let next = self.entries.len() as u64;
        must(seq == next, "d", || {
            format!("entry {seq} where {next} was next")
        })?;
        self.entries.insert(seq, bytes);
        match fact {
            Fact::Authorized(authorized) => {
                let known = self
                    .intents
                    .insert(authorized.intent, (seq, (**authorized).clone()));
                must(known.is_none(), "e", || {
                    format!("{} is authorized twice", authorized.intent)
                })
            }
            Fact::Attempt {
                intent,
                number,
                unsigned,
            } => {
                let known = self.intents.get_mut(intent);
                let (_, known) =
                    known.ok_or_else(|| ("e", format!("an attempt of unknown {intent}")))?;
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
                must(*certificates == roster, "e", || {
                    format!("{key} finished, not certified by its roster")
                })
            }
            Fact::Other => Ok(()),
        }
    }

    fn board(&self, signed: usize, what: &str) -> Verdict {
        must(signed >= self.terms.committee_quorum, "e", || {
            format!("{what} is in force with {signed} signatures of its board")
        })
    }

    fn head(&mut self, size: u64, body: Digest) -> Verdict {
        let known = *self.heads.entry(size).or_insert(body);
        must(known == body, "d", || {
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
        must(!seat.restored, "d", || {
            format!("witness {witness} cosigned after its disk was put back")
        })?;
        let before = seat.size();
        must(size >= before, "d", || {
            format!("witness {witness} cosigned {size} after {before}")
        })?;
        let known = *seat.cosigned.entry(size).or_insert(body);
        must(known == body, "d", || {
            format!("witness {witness} cosigned two trees of size {size}")
        })?;
        must(owed.is_none(), "h", || {
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
            must(ours || votes < self.terms.quorum, "d", || {
                format!("another tree of size {size} is witnessed")
            })?;
        }
        Ok(())
    }

    /// Size up to which a quorum has cosigned.
    fn witnessed(&self) -> u64 {
        self.covered(None)
    }

    /// As a signer may see it: its own word counts for all it has, the end of which may be a line
    /// shown to it alone.
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

    fn shared(&mut self, at_ms: u64, share: &Share) -> Verdict {
        for used in &share.nonces {
            let name = (share.signer, used.boot, used.number);
            let now = (used.package, used.share.clone());
            let first = self.nonces.entry(name).or_insert_with(|| now.clone());
            must(*first == now, "f", || {
                format!(
                    "nonce {} of signer {} serves two packages",
                    used.number, share.signer
                )
            })?;
        }
        let (seq, authorized) = self.intents.get(&share.intent).ok_or_else(|| {
            (
                "e",
                format!("a share for {}, which nobody authorized", share.intent),
            )
        })?;
        self.allowed(share, *seq, authorized)?;
        self.in_force(at_ms, share, authorized)?;
        self.effects(share, authorized)?;
        let by = self.shares.entry(share.request).or_default();
        by.insert(share.signer);
        if by.len() == self.terms.min_signers {
            self.count(share)?;
        }
        Ok(())
    }

    /// The head is witnessed, covers the entry and the signer's floor; key and policy were
    /// released.
    fn allowed(&self, share: &Share, seq: u64, authorized: &Authorized) -> Verdict {
        let (signer, head) = (share.signer, share.head);
        let witnessed = self.witnessed_for(signer);
        must(head <= witnessed, "c2", || {
            format!("signer {signer} acted under {head}, witnessed are {witnessed}")
        })?;
        must(seq < head, "c2", || {
            format!("signer {signer} acted under {head} on entry {seq}")
        })?;
        let seat = self
            .seats
            .get(&signer)
            .ok_or_else(|| ("c3", format!("signer {signer} never started")))?;
        must(head >= seat.floor, "c3", || {
            format!(
                "signer {signer} acted under {head}, it started at {}",
                seat.floor
            )
        })?;
        must(!seat.restored, "c3", || {
            format!("signer {signer} shared after its disk was put back")
        })?;
        must(self.policies.contains(&authorized.policy), "e", || {
            format!("{} was decided by a policy nobody released", share.intent)
        })?;
        let finished = self
            .finished
            .get(&authorized.key)
            .is_some_and(|finished| *finished < head);
        let member = self
            .released
            .get(&authorized.key)
            .is_some_and(|roster| roster.contains(&signer));
        must(finished && member, "e", || {
            format!("signer {signer} has no released part in {}", authorized.key)
        })
    }

    /// Nothing that forbids it was witnessed long enough ago, stands in the own log, or was handed
    /// over.
    fn in_force(&self, at_ms: u64, share: &Share, authorized: &Authorized) -> Verdict {
        let signer = share.signer;
        let Some(seat) = self.seats.get(&signer) else {
            return Ok(());
        };
        let own = seat.size();
        let bound = self.terms.freshness_ms + 2 * self.terms.skew_ms;
        let lifted = |what: &Tightening, seq: u64, by: u64| {
            *what == Tightening::Stop && self.resumed.iter().any(|r| *r > seq && *r < by)
        };
        for tightened in &self.tightened {
            let Tightened {
                seq,
                what,
                witnessed_ms,
                ..
            } = tightened;
            if !what.forbids(authorized, signer) || lifted(what, *seq, share.head) {
                continue;
            }
            must(*seq >= share.head, "c2", || {
                format!("signer {signer} shared against {what:?} in its head")
            })?;
            // A stop and its resume that are both beyond the head cancel out in the own log.
            let known = *seq < own && !lifted(what, *seq, own);
            must(!known, "c3", || {
                format!("signer {signer} shared against {what:?}, which it cosigned")
            })?;
            let late = witnessed_ms.is_some_and(|witnessed| at_ms > witnessed + bound);
            must(!late, "c", || {
                format!("signer {signer} shared long after {what:?} was witnessed")
            })?;
        }
        for (_, act, what, _) in &seat.handed {
            let included = self.tightened.iter().find(|t| t.act == *act).map(|t| t.seq);
            let over = included.is_some_and(|seq| lifted(what, seq, own));
            must(over || !what.forbids(authorized, signer), "h", || {
                format!("signer {signer} shared against {what:?}, which was handed to it")
            })?;
        }
        Ok(())
    }

    fn effects(&self, share: &Share, authorized: &Authorized) -> Verdict {
        let (signer, intent) = (share.signer, share.intent);
        let known = authorized
            .attempts
            .iter()
            .any(|(_, unsigned)| *unsigned == share.unsigned);
        must(known, "x", || {
            format!("signer {signer} signed what is no attempt of {intent}")
        })?;
        must(share.pays == authorized.pays, "x", || {
            format!("signer {signer} signed other payments for {intent}")
        })?;
        let promised = self
            .terms
            .promised
            .get(&intent)
            .is_none_or(|promised| *promised == share.pays);
        must(promised, "x", || {
            format!("what is signed for {intent} is not what its client signed")
        })?;
        must(share.conflicts.contains(&authorized.anchor), "a", || {
            format!("signer {signer} signed for {intent} without its anchor")
        })
    }

    /// A signature exists.
    fn count(&mut self, share: &Share) -> Verdict {
        let payments = self.signed.entry(share.intent).or_default();
        payments.push(share.conflicts.iter().cloned().collect());
        let mut common = payments[0].clone();
        payments
            .iter()
            .for_each(|inputs| common.retain(|input| inputs.contains(input)));
        must(!common.is_empty(), "a", || {
            format!("payments of {} share no input", share.intent)
        })?;
        let signed: Vec<(u64, u64)> = self
            .signed
            .keys()
            .filter_map(|intent| self.intents.get(intent))
            .map(|(_, authorized)| (authorized.at_ms, authorized.spend))
            .collect();
        for (from, _) in &signed {
            let within = |(at, _): &&(u64, u64)| at >= from && *at < from + self.terms.window_ms;
            let sum: u64 = signed.iter().filter(within).map(|(_, spend)| spend).sum();
            must(sum <= self.terms.limit, "b", || {
                format!(
                    "{sum} signed within {} ms, the limit is {}",
                    self.terms.window_ms, self.terms.limit
                )
            })?;
        }
        Ok(())
    }
}
