//! What holds of time: delays, locks and expiries as honest witnesses and people could see them.
//!
//! Nothing here believes a stamp of the writer. What counts is when an honest witness first
//! cosigned an entry, and until when anyone could be shown a quorum without it, both in true time.
//! Clocks of honest parts differ by the skew, on both sides.

use super::{Checker, Place, Property, Seat, Tightened, Verdict, must};
use crate::history::{Authorized, Loosening, Released, Share, Tightening};
use crate::kinds::Situation;
use strongroom_types::{CredentialId, Digest, Scope};

/// An act that waits, or waited, for the witnesses.
pub(super) struct Loosened {
    seq: u64,
    scope: Scope,
    released: Released,
    standing: Standing,
}

/// How such an act stands by the entries so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Waits,
    /// From this entry on, by which witnesses vouch for it.
    InForce(u64),
    /// A tightening came between.
    Undone,
    /// It was vetoed while it waited.
    Vetoed,
}

/// A delay or lock that begins at an entry.
struct Wait {
    seq: u64,
    length_ms: u64,
    /// The property that counts it from the first honest cosignature.
    seen: Property,
    /// The property that counts it from the last quorum without it.
    hidden: Property,
}

impl Checker {
    pub(super) fn on_released(&mut self, place: Place, released: &Released) -> Verdict {
        self.on_waiting(place);
        self.loosened.push(Loosened {
            seq: place.seq,
            scope: place.scope,
            released: released.clone(),
            standing: Standing::Waits,
        });

        // A tenant's board has several members; that enough of them signed is counted here.
        let (what, signed) = match &released.what {
            Loosening::Policy(_) => ("a policy", released.signed),
            Loosening::Ceremony(..) => ("a ceremony", released.signed),
            // The platform's board is one person.
            Loosening::Vault(_) | Loosening::Resume | Loosening::AdminKey(_) => return Ok(()),
        };
        must(
            signed >= self.terms.committee_quorum,
            Property::Authority,
            || format!("{what} is released with {signed} signatures of its board"),
        )
    }

    /// Witnesses vouch for everything below a size: what waits there takes effect, or never does.
    pub(super) fn on_witnessed(&mut self, seq: u64, size: u64) {
        let below = self.waiting.iter_mut();
        let mut covered = 0;
        for waiting in below.filter(|w| w.place.seq < size && w.until.is_none()) {
            waiting.until = Some(seq);
            covered += 1;
        }
        if covered > 1 {
            self.situations.push(Situation::SeveralWitnessed);
        }

        // What comes between a release and its `witnessed` entry decides: a tightening of its scope
        // undoes it (n), a veto ends its proposal (o).
        let tightened = &self.tightened;
        let waits = |l: &&mut Loosened| l.standing == Standing::Waits && l.seq < size;
        for loosened in self.loosened.iter_mut().filter(waits) {
            let after = |from: u64| move |at: u64| at > from && at < seq;
            let since_release = after(loosened.seq);
            let undoes = |t: &Tightened| match t.scope {
                // A stop of the platform is one of every tenant.
                Scope::Platform if t.what == Tightening::Stop => true,
                scope => scope == loosened.scope && t.what.voids(),
            };

            let is_undone = tightened.iter().any(|t| undoes(t) && since_release(t.seq));
            let proposal = loosened.released.proposal;
            let is_vetoed = |act: Digest| {
                let veto = Tightening::Veto(act);
                tightened.iter().any(|t| t.what == veto && t.seq < seq)
            };

            let (standing, situation) = if is_undone {
                (Standing::Undone, Situation::ReleaseUndone)
            } else if proposal.is_some_and(is_vetoed) {
                (Standing::Vetoed, Situation::ReleaseVetoed)
            } else {
                let situation = match &loosened.released.what {
                    Loosening::Ceremony(key, roster) => {
                        let from = self.stamps.get(&seq).copied().unwrap_or(0);
                        self.released.insert(*key, (roster.clone(), from));
                        Situation::ReleaseInForce
                    }
                    Loosening::Policy(_) | Loosening::Vault(_) | Loosening::AdminKey(_) => {
                        Situation::ReleaseInForce
                    }
                    Loosening::Resume => Situation::ResumeInForce,
                };
                (Standing::InForce(seq), situation)
            };

            loosened.standing = standing;
            let (at, expires) = (usize::try_from(loosened.seq), loosened.released.expires_ms);
            let seen = at.ok().and_then(|at| self.seen.get(at));
            // Void by its expiry, which is told from the witnesses' clocks: nothing came about.
            if seen.is_none_or(|seen| *seen < expires) {
                self.situations.push(situation);
            }
        }
    }

    /// Whether a stop at this position is ended within a prefix.
    pub(super) fn is_resumed(&self, (scope, stop): (Scope, u64), by: u64) -> bool {
        self.loosened.iter().any(|l| {
            let in_time = matches!(l.standing, Standing::InForce(at) if at < by);
            let is_resume = l.released.what == Loosening::Resume && l.scope == scope;
            is_resume && l.seq > stop && in_time
        })
    }

    /// Whether a released policy decided it.
    pub(super) fn is_loosened(&self, authorized: &Authorized) -> bool {
        let policy = Loosening::Policy(authorized.policy);
        self.loosened.iter().any(|l| l.released.what == policy)
    }

    /// Whether a proposal took effect within a prefix.
    pub(super) fn is_in_force(&self, proposal: &Digest, by: u64) -> bool {
        self.loosened.iter().any(|l| {
            let in_time = matches!(l.standing, Standing::InForce(at) if at < by);
            l.released.proposal == Some(*proposal) && in_time
        })
    }

    /// An honest witness cosigns this many entries of the writer's line.
    pub(super) fn on_seen(&mut self, at_ms: u64, size: u64) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if self.seen.len() < size {
            self.seen.resize(size, at_ms);
        }
    }

    /// True time at which an honest witness first cosigned an entry.
    fn seen_at(&self, seq: u64) -> Option<u64> {
        let at = usize::try_from(seq).ok()?;
        self.seen.get(at).copied()
    }

    /// True time until which anyone could be shown a quorum of cosignatures without an entry. A
    /// hostile witness signs any prefix at any time.
    fn hidden_until(&self, seq: u64) -> u64 {
        let last = |seat: &Seat| {
            let without = seat.cosigned_at.range(..=seq);
            without.map(|(_, at)| *at).max().unwrap_or(0)
        };

        // The k-th latest of them: until then k witnesses had cosigned a head without the entry,
        // and those were a quorum to show.
        let honest = self.seats.iter().filter(|(n, _)| self.is_honest(**n));
        let mut until: Vec<u64> = honest.map(|(_, seat)| last(seat)).collect();
        until.extend(self.terms.hostile.iter().map(|_| u64::MAX));
        until.sort_unstable_by(|a, b| b.cmp(a));
        until.get(self.terms.quorum - 1).copied().unwrap_or(0)
    }

    pub(super) fn is_honest(&self, seat: u16) -> bool {
        !self.terms.hostile.contains(&seat)
    }

    /// What a share must keep of time.
    pub(super) fn check_time(
        &self,
        at_ms: u64,
        share: &Share,
        intent: (u64, &Authorized),
    ) -> Verdict {
        let (seq, authorized) = intent;
        self.check_policy(at_ms, (seq, authorized))?;
        self.check_vaults(at_ms, (seq, authorized))?;

        // A signer whose own clock is wrong is one fault of f, and its share none by itself.
        if !self.is_honest(share.signer) {
            return Ok(());
        }

        // Who agreed for a time agreed to nothing after it.
        let until = authorized.approved_until_ms;
        must(
            at_ms < until.saturating_add(self.terms.skew_ms),
            Property::Authority,
            || format!("a share on an approval that ended at {until}"),
        )?;
        if authorized.lock_ms > 0 {
            let lock = Wait {
                seq,
                length_ms: authorized.lock_ms,
                seen: Property::LockSeen,
                hidden: Property::LockHidden,
            };
            self.check_wait(at_ms, &lock)?;
        }
        self.check_fresh(at_ms, share)
    }

    /// The policy that decided is the charter's, or one of its releases took effect in time.
    fn check_policy(&self, at_ms: u64, (seq, authorized): (u64, &Authorized)) -> Verdict {
        // A tighter one is put in force by an act that does not wait.
        let is_put = |t: &Tightened| {
            let is_this =
                matches!(t.what, Tightening::Policy { policy, .. } if policy == authorized.policy);
            is_this && t.seq < seq
        };
        if self.terms.policies.contains(&authorized.policy) || self.tightened.iter().any(is_put) {
            return Ok(());
        }
        self.check_loosening(at_ms, seq, &Loosening::Policy(authorized.policy))
    }

    /// Every vault that it uses was there before it was authorized.
    fn check_vaults(&self, at_ms: u64, (seq, authorized): (u64, &Authorized)) -> Verdict {
        let mut vaults = authorized.vaults.iter();
        vaults.try_for_each(|vault| self.check_loosening(at_ms, seq, &Loosening::Vault(*vault)))
    }

    /// A loosening that an entry relies on took effect in time. Released twice it may count by
    /// either.
    fn check_loosening(&self, at_ms: u64, relied_at: u64, what: &Loosening) -> Verdict {
        let releases = self.loosened.iter().filter(|l| l.released.what == *what);
        let mut verdict = Err((
            Property::Authority,
            format!("entry {relied_at} relies on {what:?}, which was never released"),
        ));
        for release in releases {
            verdict = self.check_release(at_ms, relied_at, release);
            if verdict.is_ok() {
                return Ok(());
            }
        }
        verdict
    }

    /// A further credential of the platform's admin signs once the release of its record took
    /// effect in time.
    pub(super) fn check_admin_key(&self, place: Place, credential: CredentialId) -> Verdict {
        let what = Loosening::AdminKey(credential);
        self.check_loosening(place.at_ms, place.seq, &what)
    }

    fn check_release(&self, at_ms: u64, relied_at: u64, release: &Loosened) -> Verdict {
        let Loosened { seq, released, .. } = release;
        match release.standing {
            Standing::InForce(from) => must(from < relied_at, Property::Authority, || {
                format!("entry {relied_at} relies on release {seq}, in force from {from}")
            })?,
            Standing::Waits => {
                let detail = format!("release {seq} is relied on before it is witnessed");
                return Err((Property::InTime, detail));
            }
            Standing::Undone => {
                let detail = format!("release {seq} undoes a tightening that came after it");
                return Err((Property::Kept, detail));
            }
            Standing::Vetoed => {
                let detail = format!("release {seq} is relied on, its proposal was vetoed");
                return Err((Property::VetoWins, detail));
            }
        }

        // The expiry was written by one honest clock and read by another (k).
        let skews = 2 * self.terms.skew_ms;
        let seen = self.seen_at(*seq).unwrap_or(u64::MAX);
        must(
            seen <= released.expires_ms.saturating_add(skews),
            Property::InTime,
            || {
                let ended = released.expires_ms;
                format!("release {seq}, which ended at {ended}, was first seen at {seen}")
            },
        )?;

        // A vault and a resume have no proposal, so neither a veto nor a delay.
        let Some(proposal) = released.proposal else {
            return Ok(());
        };
        self.check_vetoes(*seq, &proposal)?;
        let Some(proposed) = self.proposed.get(&proposal) else {
            return Ok(());
        };

        let delay = Wait {
            seq: *proposed,
            length_ms: match released.what {
                Loosening::AdminKey(_) => self.terms.platform_delay_ms,
                Loosening::Policy(_)
                | Loosening::Ceremony(..)
                | Loosening::Vault(_)
                | Loosening::Resume => self.terms.loosen_delay_ms,
            },
            seen: Property::DelaySeen,
            hidden: Property::DelayHidden,
        };
        self.check_wait(at_ms, &delay)
    }

    /// A veto that so many honest witnesses held before they cosigned the release that no quorum
    /// can do without one of them.
    fn check_vetoes(&self, release: u64, proposal: &Digest) -> Verdict {
        let veto = Tightening::Veto(*proposal);

        // Held before it cosigned the release, by its own clock on both sides: no skew is involved.
        let holds = |number: &u16, seat: &Seat| {
            let held = seat.handed.iter().filter(|h| h.what == veto);
            let before = held.map(|h| h.own_ms).min();
            let is_before = |own_ms: u64| {
                let mut stated = seat.stated.iter();
                !stated.any(|(size, dated)| *size > release && *dated <= own_ms)
            };
            self.is_honest(*number) && !seat.restored && before.is_some_and(is_before)
        };

        // w − k + 1 of them leave k − 1 others, one too few for a quorum.
        let held = self.seats.iter().filter(|(n, seat)| holds(n, seat)).count();
        let seats = usize::from(self.terms.witnesses);
        must(
            held < seats - self.terms.quorum + 1,
            Property::VetoWins,
            || format!("release {release} took effect, {held} witnesses held a veto before it"),
        )
    }

    fn check_wait(&self, at_ms: u64, wait: &Wait) -> Verdict {
        let skews = 2 * self.terms.skew_ms;
        let (seq, length) = (wait.seq, wait.length_ms);
        let is_over = |from: u64| at_ms.saturating_add(skews) >= from.saturating_add(length);

        // By the first honest witness (i, l), then by the last moment at which a quorum without the
        // entry could be shown (j, m): people may have been kept from seeing it until then.
        let seen = self.seen_at(seq).unwrap_or(u64::MAX);
        must(is_over(seen), wait.seen, || {
            format!("{length} ms begin at entry {seq}, first seen at {seen}; acted upon at {at_ms}")
        })?;

        let hidden = self.hidden_until(seq);
        must(is_over(hidden), wait.hidden, || {
            format!(
                "{length} ms begin at entry {seq}, hidden until {hidden}; acted upon at {at_ms}"
            )
        })
    }
}
