//! Asking a quorum: t signers, with one nonce commitment of each per slot.

use crate::quorum::{SignerIndex, roster};
use crate::run::{RunEvent, RunName};
use crate::stage::{CoordinatorStage, Records};
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_stage::post::Cause;
use strongroom_types::{SessionId, TenantId, UnixMs};
use strongroom_wire::{CoordinatorMessage, Layer};

impl CoordinatorStage {
    /// Asks a quorum for this run, if none is asked, its pause is over, and a quorum is there.
    pub(crate) fn advance(&mut self, now: UnixMs, name: RunName) -> Records {
        let Some(run) = self.runs.get(&name).filter(|run| run.may_ask(now)) else {
            return Ok(Vec::new());
        };

        let tenant = run.request.tenant;
        let Some(key) = self.key(tenant, run.request.key) else {
            return Ok(Vec::new());
        };

        // Too few signers have commitments at hand: the answer to the refill brings the run on.
        let usable = self.usable(name, &key);
        let t = usize::from(key.plan.min_signers);
        match self.chooser.choose(usable, t, now) {
            Some(quorum) => self.ask(now, name, quorum),
            None => self.refill(now, tenant, &key),
        }
    }

    /// Signers that are not left out of the run and have a commitment for each of its slots.
    fn usable(&self, run_name: RunName, key: &KeyRecord) -> Vec<SignerIndex> {
        let Some(run) = self.runs.get(&run_name) else {
            return Vec::new();
        };

        // A signer needs one commitment per slot: a quorum that cannot finish would waste those
        // that it has.
        let slots = run.request.slots.len();
        let key_name = (run.request.tenant, key.plan.key);
        let ready = |signer: &SignerIndex| {
            !run.excluded.contains(signer) && self.stock.count(key_name, *signer) >= slots
        };
        self.in_service(key).into_iter().filter(ready).collect()
    }

    /// Signers that hold shares of a key, without those in quarantine: no honest signer shares in a
    /// quorum with one of them.
    pub(crate) fn in_service(&self, key: &KeyRecord) -> Vec<SignerIndex> {
        // With a record that cannot be read no signer is in service: it may have any of them in
        // quarantine.
        let Ok(platform) = self.journal.read(|f| f.state().platform()) else {
            return Vec::new();
        };
        let mut signers = roster(key);
        signers.retain(|signer| !platform.quarantined.contains(&signer.0));
        signers
    }

    fn ask(&mut self, now: UnixMs, name: RunName, quorum: Vec<SignerIndex>) -> Records {
        let Some(run) = self.runs.get_mut(&name) else {
            return Ok(Vec::new());
        };

        // Commitments are taken out of the stock here and never put back: a commitment that was
        // shown to signers belongs to this request alone (RFC 9591 §5.1).
        let key_name = (run.request.tenant, run.request.key);
        let stock = &mut self.stock;
        let Some(asked) = run.next_try(quorum, now, |signer| stock.take(key_name, signer)) else {
            return Ok(Vec::new());
        };

        // The deadline is judged by the signer's clock, which may be ahead of this one by the skew.
        let life_ms = self.pace.try_ms.saturating_add(self.genesis.bounds.skew_ms);
        let deadline = run.cause.deadline.min(now.plus(life_ms));
        run.cause.marks =
            std::mem::take(&mut run.cause.marks).with(Layer::Coordinator, now.micros());
        let SessionId(session) = asked.request.session;
        let cause = Cause {
            session,
            ..run.cause.clone().until(deadline)
        };

        // All of the quorum get the same bytes, so that their shares fit one package.
        let message = CoordinatorMessage::Sign(asked.request.clone());
        let quorum = asked.quorum.clone();
        run.apply(RunEvent::QuorumAsked(asked))?;
        self.send_all(now, &quorum, &message, &cause)
    }

    /// Asks the signers of a key for new commitments, where the stock is low.
    pub(crate) fn refill(&mut self, now: UnixMs, tenant: TenantId, key: &KeyRecord) -> Records {
        let id = key.plan.key;
        let seed: [&[u8]; 3] = [b"prepare", &id.0, &now.0.to_be_bytes()];
        let cause = Cause::own(&seed, now.plus(self.pace.run_ms));

        // Commitments of a quarantined signer would never be used.
        let mut records = Vec::new();
        for signer in self.in_service(key) {
            if let Some(count) = self.stock.wanted((tenant, id), signer, now) {
                let message = CoordinatorMessage::Prepare {
                    tenant,
                    key: id,
                    count,
                };
                records.push(self.send(now, signer, &message, &cause)?);
            }
        }
        Ok(records)
    }
}
