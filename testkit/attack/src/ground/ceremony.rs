//! A key ceremony among the running signers, relayed by the attacker's coordinator.

use super::Ground;
use std::collections::BTreeMap;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Body, Finished};
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_ports::chain::VaultKey;
use strongroom_types::{Act, ActBody, Digest, Document as _, KeyId, Suite};
use strongroom_wire::{CoordinatorMessage, Role, SignerMessage};

impl Ground {
    /// The world's first key: proposed, released, made by all signers, finished in the journal.
    pub fn make_key(&mut self) -> anyhow::Result<()> {
        let proposal = self.propose_ceremony()?;
        self.release(proposal)?;
        self.wait_nodes()?;
        let finished = self.run_ceremony(1)?;
        self.submit(Body::Finished(Box::new(finished))).map(drop)
    }

    /// The committee proposes the world's first key.
    pub fn propose_ceremony(&mut self) -> anyhow::Result<Digest> {
        let committee = self.ledger().committee();
        let put = ActBody::Put(self.world.ceremony_record());
        let proposal = self.ledger().signed_act(put, &committee);
        self.submit(Body::Act(proposal.clone()))?;
        Ok(Act::digest_of(&proposal.text))
    }

    /// The committee releases a proposal.
    pub fn release(&mut self, proposal: Digest) -> anyhow::Result<u64> {
        let committee = self.ledger().committee();
        self.act(ActBody::Release(proposal), &committee)
    }

    /// Starts a run at every signer and relays their messages until each has certified.
    pub fn run_ceremony(&mut self, run: u32) -> anyhow::Result<Finished> {
        let signers: Vec<u16> = self.world.signers.iter().map(|s| s.index).collect();
        let mut relayed = self.said.len();
        self.start_ceremony(run, &signers);
        self.until("the ceremony did not end", |ground| {
            relayed = ground.relay_from(relayed);
            Ok(ground.certified(&signers))
        })
    }

    /// Asks these signers to begin a run.
    pub fn start_ceremony(&mut self, run: u32, signers: &[u16]) {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        for seat in signers {
            self.ask_of(*seat, &CoordinatorMessage::Ceremony { tenant, key, run });
        }
    }

    /// Relays every ceremony message from this one on; gives the number of what was said.
    pub fn relay_from(&mut self, from: usize) -> usize {
        let said: Vec<_> = self.said.iter().skip(from).cloned().collect();
        let end = from + said.len();
        for one in said {
            let SignerMessage::Ceremony(message) = one.message else {
                continue;
            };
            let to = self.world.signers.iter().map(|signer| signer.index);
            let to = to.filter(|to| *to != one.seat && message.to.is_none_or(|only| only == *to));
            for seat in to.collect::<Vec<_>>() {
                self.ask_of(seat, &CoordinatorMessage::Relay(one.sealed.clone()));
            }
        }
        end
    }

    /// The result, once each of these signers has certified it.
    pub fn certified(&self, signers: &[u16]) -> Option<Finished> {
        let mut certificates = BTreeMap::new();
        let mut result = None;
        for one in &self.said {
            if let SignerMessage::Certificate {
                key,
                signature,
                public,
                transcript,
                ..
            } = &one.message
                && *key == self.world.tenant.key
            {
                let signature: [u8; 64] = signature.as_slice().try_into().ok()?;
                certificates.insert(one.seat, signature);
                result = Some((public.clone(), *transcript));
            }
        }
        let (public, transcript) = result?;
        let all = signers.iter().all(|seat| certificates.contains_key(seat));
        all.then(|| Finished {
            key: self.world.tenant.key,
            transcript,
            public,
            certificates: certificates.into_iter().collect(),
        })
    }

    /// A coordinator's message to a signer.
    pub fn ask_of(&mut self, seat: u16, message: &CoordinatorMessage) {
        let node = self.world.seat(seat).node;
        let sealed = self.seal(Role::Coordinator, Some(node), message);
        self.send(seat, &strongroom_wire::frame::ToSigner::Inbox(sealed));
    }

    /// A second key of the tenant, made by all signers.
    pub fn make_second_key(&mut self) -> anyhow::Result<KeyId> {
        let (first, second) = (self.world.tenant.key, KeyId([0x2e; 16]));
        self.world.tenant.key = second;
        let made = self.make_key();
        self.world.tenant.key = first;
        made.map(|()| second)
    }

    /// The tenant's key as the journal has it.
    pub fn public(&self) -> anyhow::Result<PublicKeyRecord> {
        self.public_of(self.world.tenant.key)
    }

    /// A key of the tenant as the journal has it.
    pub fn public_of(&self, key: KeyId) -> anyhow::Result<PublicKeyRecord> {
        let state = self.log.follower.state();
        let key = state.threshold_key(self.world.tenant.id, key);
        let key = key.map_err(|refusal| anyhow::anyhow!("the key: {refusal}"))?;
        let public = anyhow::Context::context(key.public, "the key is not finished")?;
        Ok(PublicKeyRecord::from_bytes(&public.record)?)
    }

    /// The end of a key's ceremony, as it stands in the journal.
    pub fn finished(&self, key: KeyId) -> anyhow::Result<Finished> {
        let entries = self.entries()?.into_iter();
        let mut ends = entries.filter_map(|(_, entry)| match entry.body {
            Body::Finished(finished) if finished.key == key => Some(*finished),
            _ => None,
        });
        anyhow::Context::context(ends.next(), "the ceremony has no end")
    }

    /// The key of the vault that payments are made from.
    pub fn vault_key(&self) -> anyhow::Result<VaultKey> {
        self.vault_key_of(self.world.tenant.key, self.account)
    }

    /// The key of any vault of the tenant.
    pub fn vault_key_of(&self, key: KeyId, account: u32) -> anyhow::Result<VaultKey> {
        let public = self.public_of(key)?;
        Ok(VaultKey {
            suite: Suite::FrostSecp256k1Tr,
            public_key: public.group_key,
            chain_code: public.chain_code,
            account,
        })
    }
}
