//! What cosignatures must keep.

use super::{Checker, Handed, Property, Seat, Verdict, must};
use crate::history::{Cosigned, Tightening};
use std::collections::BTreeMap;
use strongroom_types::Digest;

impl Checker {
    pub(super) fn on_cosigned(&mut self, at_ms: u64, cosigned: &Cosigned) -> Verdict {
        let Cosigned {
            witness,
            size,
            body,
            dated_ms,
        } = *cosigned;
        let owed = self.owed(witness, size, dated_ms);

        // A line that the writer showed to one witness alone is not what people could see.
        if self.is_honest(witness) && self.heads.get(&size) == Some(&body) {
            self.on_seen(at_ms, size);
        }

        // What it cosigned must follow from its disk: after a restore it could contradict itself,
        // and while it is frozen it does not know which line is true.
        let seat = self.seats.entry(witness).or_default();
        must(!seat.restored, Property::OneLine, || {
            format!("witness {witness} cosigned after its disk was put back")
        })?;
        must(!seat.frozen, Property::OneLine, || {
            format!("witness {witness} cosigned while it is frozen")
        })?;

        let before = seat.size();
        must(size >= before, Property::OneLine, || {
            format!("witness {witness} cosigned {size} after {before}")
        })?;
        let known = *seat.cosigned.entry(size).or_insert(body);
        must(known == body, Property::OneLine, || {
            format!("witness {witness} cosigned two trees of size {size}")
        })?;

        // The same bytes once more state nothing new, and its clock may have been set back between
        // the first time and the handing: by dates alone a repetition would look late.
        let is_new = seat.stated.insert((size, dated_ms));
        if is_new {
            seat.cosigned_at.insert(size, at_ms);
        }
        must(!is_new || owed.is_none(), Property::HandedOver, || {
            format!("witness {witness} cosigned {size} entries without the handed act {owed:?}")
        })?;
        self.check_one_line(size)?;

        // From now on the bound of every tightening that became witnessed runs.
        let witnessed = self.witnessed();
        for tightened in &mut self.tightened {
            if tightened.seq < witnessed && tightened.witnessed_ms.is_none() {
                tightened.witnessed_ms = Some(at_ms);
            }
        }
        Ok(())
    }

    /// A statement on a disk was made before this start, and so before any act that is handed from now
    /// on: repeated, it states nothing new. One without an act that was owed already does.
    pub(super) fn on_remembered(&mut self, witness: u16, (size, dated_ms): (u64, u64)) {
        if self.owed(witness, size, dated_ms).is_none() {
            let seat = self.seats.entry(witness).or_default();
            seat.stated.insert((size, dated_ms));
        }
    }

    /// A quorum over one size has one body, which is the writer's own.
    fn check_one_line(&self, size: u64) -> Verdict {
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
    pub(super) fn witnessed_for(&self, signer: u16) -> u64 {
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

        // The k-th largest: so many witnesses have cosigned that size or a larger one.
        let mut sizes: Vec<u64> = self.seats.iter().map(size_of).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.get(self.terms.quorum - 1).copied().unwrap_or(0)
    }

    /// Whether a handed tightening no longer has an effect: what it names is over, or one of its
    /// signers is no longer who they were.
    fn has_ended(&self, handed: &Handed, (size, dated_ms): (u64, u64)) -> bool {
        // An act counts the signatures that are still in force, so one revoked signer may end it.
        let mut before = self.tightened.iter().filter(|t| t.seq < size);
        let has_lapsed = before.any(|t| match &t.what {
            Tightening::Credential(id) => handed.by.iter().any(|(by, _)| by == id),
            Tightening::User(id) | Tightening::Member(id) => {
                handed.by.iter().any(|(_, by)| *by == Some(*id))
            }
            Tightening::Listed(_)
            | Tightening::Cancel(_)
            | Tightening::Stop
            | Tightening::Pause(_)
            | Tightening::Key(_)
            | Tightening::Quarantine(_)
            | Tightening::Veto(_)
            | Tightening::Policy { .. } => false,
        });
        has_lapsed || self.is_over(&handed.what, (size, dated_ms))
    }

    fn is_over(&self, what: &Tightening, (size, dated_ms): (u64, u64)) -> bool {
        match what {
            Tightening::Pause(until) => *until <= dated_ms + 1_000,
            Tightening::Veto(proposal) => {
                let mut tightened = self.tightened.iter();
                let is_vetoed = tightened.any(|t| t.what == *what && t.seq < size);
                is_vetoed || self.is_in_force(proposal, size)
            }
            Tightening::Cancel(intent) => {
                let authorized = self.authorized(intent);
                authorized.is_some_and(|a| a.expires_ms <= dated_ms + 1_000)
            }
            Tightening::Credential(_)
            | Tightening::User(_)
            | Tightening::Member(_)
            | Tightening::Listed(_)
            | Tightening::Stop
            | Tightening::Key(_)
            | Tightening::Quarantine(_)
            | Tightening::Policy { .. } => false,
        }
    }

    /// A tightening handed to this witness that a tree of this size lacks for too long. Its clock
    /// counts seconds.
    fn owed(&self, witness: u16, size: u64, dated_ms: u64) -> Option<Digest> {
        let seat = self.seats.get(&witness)?;

        let lacks = |act: &Digest| !self.tightened.iter().any(|t| t.act == *act && t.seq < size);
        let late = |since: u64| dated_ms > since + self.terms.duty_ms + 1_000;
        let mut handed = seat.handed.iter();
        handed
            .find(|h| late(h.own_ms) && lacks(&h.act) && !self.has_ended(h, (size, dated_ms)))
            .map(|handed| handed.act)
    }
}
