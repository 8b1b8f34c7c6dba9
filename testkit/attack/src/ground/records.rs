//! Single records, starts and forks: what the attacker's network brings to one node, and what the
//! node makes of it.

use super::Refused;
use super::{Ground, Said, now};
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use strongroom_signing::message_digest;
use strongroom_tlog::Checkpoint;
use strongroom_types::{Code, KeyId};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{
    CoordinatorMessage, JournalBatch, Role, SignerMessage, SigningRequest, open,
};
use strongroom_world::{Log, ServiceKeys};

/// Commitments that the honest request behind a record asks for: no attack asks for as many.
const BEHIND: u32 = 2;

impl Ground {
    /// A coordinator's request to a signer for nonces, sealed by any service.
    pub fn prepare_record(&mut self, by: &ServiceKeys, seat: u16, count: u32) -> Vec<u8> {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let message = CoordinatorMessage::Prepare { tenant, key, count };
        let to = self.world.seat(seat).node;
        self.seal_as(by, Some(to), &message, now().plus(60_000))
    }

    /// What the rule that every receiver shares says of a record for a signer.
    pub fn verdict(&self, seat: u16, record: &[u8]) -> Option<Code> {
        let registered = self.log.follower.state().registered();
        let opened = open(record, registered.as_ref(), &[Role::Coordinator]);
        let me = self.world.seat(seat).node;
        let refused = opened.and_then(|envelope| envelope.addressed_to(me)).err();
        refused.map(|refusal| refusal.code)
    }

    /// Brings a record to a signer, and an honest request behind it; gives what the signer said
    /// before it served that one.
    pub fn bring(&mut self, seat: u16, record: Vec<u8>) -> anyhow::Result<Vec<Said>> {
        let before = self.said.len();
        self.send(seat, &ToSigner::Inbox(record));
        let coordinator = self.world.service(Role::Coordinator).clone();
        let behind = self.prepare_record(&coordinator, seat, BEHIND);
        self.send(seat, &ToSigner::Inbox(behind));

        self.until("the request behind the record", |ground| {
            let said = ground.said.iter().skip(before);
            let said: Vec<&Said> = said.filter(|said| said.seat == seat).collect();
            let (behind, others): (Vec<&Said>, Vec<&Said>) = said.into_iter().partition(is_behind);
            Ok((!behind.is_empty()).then(|| others.into_iter().cloned().collect()))
        })
    }

    /// A message of the coordinator that is void after some milliseconds.
    pub fn ask_within(&mut self, seat: u16, message: &CoordinatorMessage, life_ms: u64) {
        let coordinator = self.world.service(Role::Coordinator).clone();
        let to = self.world.seat(seat).node;
        let sealed = self.seal_as(&coordinator, Some(to), message, now().plus(life_ms));
        self.send(seat, &ToSigner::Inbox(sealed));
    }

    /// Waits for a signer's refusal of a message, among what was said from a position on.
    pub fn refusal_of(
        &mut self,
        seat: u16,
        message: &CoordinatorMessage,
        from: usize,
    ) -> anyhow::Result<Refused> {
        let name = message_digest(&strongroom_wire::encode(message));
        self.until("no refusal", |ground| {
            let said = ground.said.iter().skip(from);
            let mut of_seat = said.filter(|said| said.seat == seat);
            Ok(of_seat.find_map(|said| match &said.message {
                SignerMessage::Refused(refusal) if refusal.request == name => refused(said),
                _ => None,
            }))
        })
    }

    /// Asks a signer for a nonce; its refusal, if it takes part in nothing.
    pub fn refuses(&mut self, seat: u16) -> anyhow::Result<Option<Refused>> {
        let (tenant, key) = (self.world.tenant.id, self.world.tenant.key);
        let count = u32::try_from(self.world.next() % 64)? + 3;
        let message = CoordinatorMessage::Prepare { tenant, key, count };
        let before = self.said.len();
        self.ask_of(seat, &message);
        self.until("a signer does not answer", |ground| {
            let said = ground.said.iter().skip(before);
            let mut of_seat = said.filter(|said| said.seat == seat);
            Ok(of_seat.find_map(|said| match &said.message {
                SignerMessage::Commitments { .. } => Some(None),
                SignerMessage::Refused(_) => Some(refused(said)),
                _ => None,
            }))
        })
    }

    /// Waits for a signer's answer to a signing request; its refusal, if it is one.
    pub fn share_or_refusal(
        &mut self,
        seat: u16,
        request: &SigningRequest,
    ) -> anyhow::Result<super::Answer> {
        self.until("a signer does not answer", |ground| {
            Ok(ground.answer(seat, request))
        })
    }

    /// Another key of the tenant is meant from here on: no one has made it yet.
    pub fn mean_another_key(&mut self) {
        let number = self.world.next();
        self.world.tenant.key = KeyId(self.world.seed.id("another key", number));
    }

    /// Kills a node and starts it again; the code by which it ended, if it does not run.
    pub fn restart(&mut self, seat: u16) -> anyhow::Result<Option<Code>> {
        self.node(seat)?.kill()?;
        self.start_again(seat)
    }

    /// Starts the process of a node that was killed; the code by which it ended, if it does not
    /// run.
    pub fn start_again(&mut self, seat: u16) -> anyhow::Result<Option<Code>> {
        let log = self.node(seat)?.files().log();
        let before = std::fs::read(&log)?.len();
        self.node(seat)?.start_process()?;
        self.started(seat, before)
    }

    /// Waits until a node runs and is connected; the code by which it ended, if it did, by what its
    /// log says from a position on.
    pub fn started(&mut self, seat: u16, from: usize) -> anyhow::Result<Option<Code>> {
        self.until("the node neither runs nor ends", |ground| {
            if let Some(code) = ground.ended(seat, from)? {
                return Ok(Some(Some(code)));
            }
            let node = ground.node(seat)?;
            Ok((node.is_connected() && node.status().is_ok()).then_some(None))
        })
    }

    /// The code by which a node ended, if it did.
    pub fn ended(&mut self, seat: u16, from: usize) -> anyhow::Result<Option<Code>> {
        let node = self.node(seat)?;
        let log = node.files().log();
        let Some(status) = node.ended() else {
            return Ok(None);
        };
        let said = std::fs::read(&log)?;
        let said = String::from_utf8_lossy(said.get(from..).unwrap_or_default());
        let code = said.split('[').filter_map(|part| part.split(']').next());
        let code = code.filter_map(Code::from_text).next_back();
        let code = code.with_context(|| format!("it ended by {status}: {said}"))?;
        Ok(Some(code))
    }

    /// The newest cosignature of a seat, as it was sealed.
    pub fn word(&self, seat: u16) -> Option<Vec<u8>> {
        self.words.get(&seat).cloned()
    }

    /// A journal with the same entries so far, which goes on otherwise.
    pub fn fork(&self) -> anyhow::Result<Log> {
        let mut log = Log::salted(&self.world, 1_000 + self.world.next());
        for batch in &self.log.batches {
            let taken = log.follower.append(batch);
            taken.map_err(|refusal| anyhow::anyhow!("an honest batch: {refusal}"))?;
        }
        log.batches.clone_from(&self.log.batches);
        Ok(log)
    }

    /// Waits until a node has cosigned a checkpoint, or has ended, or says that it will not.
    pub fn cosigns(&mut self, seat: u16, batch: &JournalBatch) -> anyhow::Result<bool> {
        let Some((body, _)) = batch.note.split_once("\n\n") else {
            bail!("no note")
        };
        let body = format!("{body}\n");
        self.until("the node neither cosigns nor refuses", |ground| {
            let mut of_seat = ground.cosignatures.iter().filter(|(from, _)| *from == seat);
            if of_seat.any(|(_, cosignature)| cosignature.body == body) {
                return Ok(Some(true));
            }
            let status = ground.node(seat)?.status();
            let Ok(status) = status else {
                return Ok(Some(false));
            };
            let says_no = |name| status.get(name).is_some_and(|value| value != "no");
            let refuses = says_no("halted") || says_no("retired") || says_no("frozen");
            Ok(refuses.then_some(false))
        })
    }

    /// The size at which a witness has cosigned two trees, if it has.
    pub fn cosigned_twice(&self, seat: u16) -> Option<u64> {
        let bodies: BTreeSet<&str> = self
            .cosignatures
            .iter()
            .filter(|(from, _)| *from == seat)
            .map(|(_, cosignature)| cosignature.body.as_str())
            .collect();
        let mut sizes = BTreeSet::new();
        let size = |body: &str| Checkpoint::parse(body).ok().map(|head| head.size());
        let mut sizes_of = bodies.into_iter().filter_map(size);
        sizes_of.find(|size| !sizes.insert(*size))
    }
}

fn is_behind(said: &&Said) -> bool {
    let SignerMessage::Commitments { commitments, .. } = &said.message else {
        return false;
    };
    u32::try_from(commitments.len()) == Ok(BEHIND)
}

/// A signer's word as evidence, if it is a refusal.
pub fn refused(said: &Said) -> Option<Refused> {
    let SignerMessage::Refused(refusal) = &said.message else {
        return None;
    };
    Some(Refused {
        seat: said.seat,
        refusal: refusal.clone(),
        sealed: said.sealed.clone(),
        stopped_by: None,
    })
}
