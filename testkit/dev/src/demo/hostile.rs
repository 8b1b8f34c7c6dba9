//! A hostile coordinator and a hostile transactions service, played with the services' own valid
//! keys.
//!
//! Nothing here goes around a check: records are signed by registered keys and travel over the real
//! bus to the real signer processes. What comes back is kept as it was signed.

use crate::platform::Platform;
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use strongroom::roles::RoleName;
use strongroom_host::SystemClock;
use strongroom_journal::Body;
use strongroom_journal::model::KeyRecord;
use strongroom_journal::state::Lookup as _;
use strongroom_mpc_core::PublicKeyRecord;
use strongroom_mpc_core::signing::PublicKeys;
use strongroom_ports::bus::{Position, Topic};
use strongroom_ports::chain::{ChainCodec as _, NoRegistry, Registry as _, VaultKey};
use strongroom_ports::host::Clock as _;
use strongroom_replica::TenantVaults;
use strongroom_signing::{aggregate, packages, request_digest};
use strongroom_stage::post::{Cause, Post, id_from};
use strongroom_types::{
    Digest, KeyId, Refusal, Scope, SessionId, TenantId, UnixMs, VaultId, digest,
};
use strongroom_wire::{
    CoordinatorMessage, JournalResult, JournalSubmitted, NonceCommitment, Role, SignerMessage,
    SignerRefusal, SigningRequest, encode, open, topics,
};

/// A request is answered, or refused as unknown, within this time.
pub const ASK_MS: u64 = 1_500;
const WAIT: Duration = Duration::from_millis(50);

/// One signer's answer to a signing request.
pub enum Answer {
    /// Signature shares, one per slot.
    Shares(Vec<Vec<u8>>),
    /// A signed refusal, with the envelope as it was signed.
    Refused(SignerRefusal, Vec<u8>),
}

/// The journal's answer to a submission.
#[derive(Debug)]
pub enum WritersAnswer {
    /// Taken, at this position.
    Ordered(u64),
    /// Refused by `apply`.
    Refused(Refusal),
}

/// What a coordinator asks signers to sign.
pub struct Wanted<'a> {
    /// Digest of the intent.
    pub intent: Digest,
    /// Number of the attempt that is named, from 1.
    pub attempt: u32,
    /// Unsigned transaction, the attempt's or another.
    pub unsigned: &'a [u8],
    /// Signatures that it needs, one per input.
    pub slots: usize,
}

/// The hostile parts.
pub struct Hostile<'a> {
    platform: &'a Platform,
    api: Post,
    transactions: Post,
    coordinator: Post,
    tenant: TenantId,
    key: KeyId,
    outboxes: Vec<(Topic, Position)>,
    results: Vec<(Topic, Position)>,
    stock: BTreeMap<u16, Vec<NonceCommitment>>,
    counter: u64,
}

impl<'a> Hostile<'a> {
    /// Takes over the keys of coordinator and transactions service, which must not run at the same
    /// time.
    pub fn new(platform: &'a Platform, tenant: TenantId, key: KeyId) -> anyhow::Result<Self> {
        let mut outboxes = Vec::new();
        for seat in &platform.genesis.signers {
            let topic = Topic::new(&topics::signer_outbox(seat.node))?;
            let end = platform.bus.end(&topic)?;
            outboxes.push((topic, end));
        }

        // Both are read from their ends on: older answers belong to the honest services.
        let results = Topic::new(topics::JOURNAL_RESULTS)?;
        let end = platform.bus.end(&results)?;

        Ok(Self {
            api: platform.post(RoleName::Api)?,
            transactions: platform.post(RoleName::Transactions)?,
            coordinator: platform.post(RoleName::Coordinator)?,
            platform,
            tenant,
            key,
            outboxes,
            results: vec![(results, end)],
            stock: BTreeMap::new(),
            counter: 0,
        })
    }

    fn now(&self) -> UnixMs {
        UnixMs(SystemClock.now_ms())
    }

    fn cause(&mut self, what: &str, life_ms: u64) -> Cause {
        // Counter and time make each message id new: signers drop a record that they have seen.
        self.counter += 1;
        let now = self.now();
        Cause::own(
            &[
                what.as_bytes(),
                &self.counter.to_be_bytes(),
                &now.0.to_be_bytes(),
            ],
            now.plus(life_ms),
        )
    }

    /// The vault's key as the journal has it.
    pub fn vault_key(&self, vault: VaultId) -> anyhow::Result<VaultKey> {
        let key = self
            .platform
            .journal
            .read(|f| TenantVaults::new(f.state(), self.tenant).vault_key(vault));
        key.context("the vault's key")
    }

    /// Offers a body to the journal with the key of the service that submits such bodies; the
    /// writer's answer.
    pub fn submit(&mut self, body: &Body) -> anyhow::Result<WritersAnswer> {
        let cause = self.cause("submit", 10_000);
        let submission = id_from(digest("strongroom/demo-submission/v1", &[&cause.msg_id]));
        let payload = JournalSubmitted {
            submission,
            scope: Scope::Tenant(self.tenant),
            body: encode(body),
        };

        // The record is signed with the service's own valid key, so only its content can be
        // refused.
        let to = (topics::JOURNAL_SUBMITTED, self.tenant.0.as_slice());
        let now = self.now();
        let post = match body {
            Body::Act(_) => &mut self.api,
            _ => &mut self.transactions,
        };
        let record = post.record(now, to, None, &payload, &cause)?;
        self.platform.bus.publish(&[record])?;

        let registered = self
            .platform
            .journal
            .read(|f| Arc::clone(f.state().registered()));
        let until = self.now().plus(10_000);

        // The topic carries answers to every submitter: this one's is found by its submission id.
        while self.now() < until {
            for delivered in self.platform.bus.fetch(&self.results, 64, WAIT)? {
                advance(&mut self.results, &delivered.topic, delivered.offset);
                let Ok(envelope) = open(
                    &delivered.record.payload,
                    registered.as_ref(),
                    &[Role::Writer],
                ) else {
                    continue;
                };

                let result: JournalResult = envelope
                    .payload()
                    .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
                if result.submission == submission {
                    return Ok(match result.result {
                        Ok(seq) => WritersAnswer::Ordered(seq),
                        Err((code, detail)) => WritersAnswer::Refused(Refusal { code, detail }),
                    });
                }
            }
        }
        bail!("the journal did not answer a submission within 10 s")
    }

    /// Sends one message to some signers with the coordinator's key.
    fn send(
        &mut self,
        signers: &[u16],
        message: &CoordinatorMessage,
        life_ms: u64,
    ) -> anyhow::Result<()> {
        let cause = self.cause("send", life_ms);
        let mut records = Vec::new();
        for index in signers {
            let node = self.platform.genesis.signer(*index).context("signer")?.node;
            let to = (topics::signer_inbox(node), cause.session);
            records.push(self.coordinator.record(
                self.now(),
                (&to.0, &to.1),
                Some(node),
                message,
                &cause,
            )?);
        }
        Ok(self.platform.bus.publish(&records)?)
    }

    /// What signers said since the last look, by index, with the envelopes as signed.
    fn fetch_answers(&mut self) -> anyhow::Result<Vec<(u16, SignerMessage, Vec<u8>)>> {
        let registered = self
            .platform
            .journal
            .read(|f| Arc::clone(f.state().registered()));

        let mut answers = Vec::new();
        for delivered in self.platform.bus.fetch(&self.outboxes, 64, WAIT)? {
            advance(&mut self.outboxes, &delivered.topic, delivered.offset);

            // Only what a registered signer signed is evidence of what it answered.
            let sealed = delivered.record.payload;
            let Ok(envelope) = open(&sealed, registered.as_ref(), &[Role::Signer]) else {
                continue;
            };
            let Some(seat) = self.platform.genesis.signer_by_node(envelope.from) else {
                continue;
            };

            if let Ok(message) = envelope.payload::<SignerMessage>() {
                answers.push((seat.index, message, sealed));
            }
        }
        Ok(answers)
    }

    /// Makes sure that every signer has `count` commitments on the shelf.
    fn stock_up(&mut self, signers: &[u16], count: usize) -> anyhow::Result<()> {
        let short = |stock: &BTreeMap<u16, Vec<NonceCommitment>>, index: &u16| {
            stock.get(index).map_or(0, Vec::len) < count
        };
        let (tenant, key) = (self.tenant, self.key);

        // Up to 20 tries: signers connect again after the services were stopped, and the first
        // request may have lapsed by then.
        for _ in 0..20 {
            let wanting: Vec<u16> = signers
                .iter()
                .copied()
                .filter(|i| short(&self.stock, i))
                .collect();
            if wanting.is_empty() {
                return Ok(());
            }

            self.send(
                &wanting,
                &CoordinatorMessage::Prepare {
                    tenant,
                    key,
                    count: 64,
                },
                5_000,
            )?;

            let until = self.now().plus(1_000);
            while self.now() < until && wanting.iter().any(|i| short(&self.stock, i)) {
                for (index, message, _) in self.fetch_answers()? {
                    if let SignerMessage::Commitments { commitments, .. } = message {
                        self.stock.insert(index, commitments);
                    }
                }
            }
        }
        bail!("the signers gave no nonce commitments")
    }

    /// A signing request for these signers with fresh commitments.
    pub fn request(
        &mut self,
        wanted: &Wanted<'_>,
        signers: &[u16],
    ) -> anyhow::Result<SigningRequest> {
        self.stock_up(signers, wanted.slots)?;

        // Each commitment is taken out of the stock: one that was used twice is refused for that
        // reason and not for the attack that this request makes (RFC 9591 §5.1).
        let mut commitments = Vec::new();
        for _ in 0..wanted.slots {
            let mut slot = Vec::new();
            for index in signers {
                let next = self
                    .stock
                    .get_mut(index)
                    .and_then(Vec::pop)
                    .context("a commitment")?;
                slot.push((*index, next));
            }
            commitments.push(slot);
        }

        let cause = self.cause("session", ASK_MS);
        Ok(SigningRequest {
            session: SessionId(cause.msg_id),
            tenant: self.tenant,
            intent: wanted.intent,
            attempt: wanted.attempt,
            key: self.key,
            unsigned: wanted.unsigned.to_vec(),
            commitments,
        })
    }

    /// Asks signers directly; every one of them must answer.
    pub fn ask(
        &mut self,
        request: &SigningRequest,
        signers: &[u16],
    ) -> anyhow::Result<BTreeMap<u16, Answer>> {
        let name = request_digest(request);
        self.send(signers, &CoordinatorMessage::Sign(request.clone()), ASK_MS)?;

        // A signer may wait for the journal until the deadline before it refuses, hence four times.
        let mut answers = BTreeMap::new();
        let until = self.now().plus(ASK_MS * 4);
        while answers.len() < signers.len() && self.now() < until {
            for (index, message, sealed) in self.fetch_answers()? {
                // Answers name the request's digest: an old answer must not count for this one.
                match message {
                    SignerMessage::Shares {
                        request, shares, ..
                    } if request == name => {
                        answers.insert(index, Answer::Shares(shares));
                    }
                    SignerMessage::Refused(refusal) if refusal.request == name => {
                        answers.insert(index, Answer::Refused(refusal, sealed));
                    }
                    SignerMessage::Commitments { commitments, .. } => {
                        self.stock.insert(index, commitments);
                    }
                    SignerMessage::Shares { .. }
                    | SignerMessage::Refused(_)
                    | SignerMessage::Ceremony(_)
                    | SignerMessage::Certificate { .. } => {}
                }
            }
        }

        // Silence is not a refusal: each signer must say in a signed answer why it does not share.
        if answers.len() < signers.len() {
            bail!(
                "only {} of {} signers answered",
                answers.len(),
                signers.len()
            );
        }
        Ok(answers)
    }

    /// Adds the shares of a request up to one signature per slot.
    pub fn aggregate(
        &self,
        request: &SigningRequest,
        vault: &VaultKey,
        answers: &BTreeMap<u16, Answer>,
    ) -> anyhow::Result<Vec<Vec<u8>>> {
        let key: KeyRecord = self
            .platform
            .journal
            .read(|f| f.state().threshold_key(self.tenant, self.key))
            .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;

        // The coordinator needs public keys only, as the journal has them.
        let public = key.public.as_ref().context("the key's public record")?;
        let mut keys = PublicKeys::open(PublicKeyRecord::from_bytes(&public.record)?)?;

        let inspected = self
            .platform
            .codec
            .inspect(&request.unsigned, vault, &NoRegistry);
        let slots = inspected
            .map_err(|refusal| anyhow::anyhow!("{refusal}"))?
            .slots;
        let packages =
            packages(request, &slots, &key).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;

        let mut shares = BTreeMap::new();
        for (index, answer) in answers {
            let Answer::Shares(all) = answer else {
                bail!("signer {index} refused the honest request")
            };
            shares.insert(*index, all.clone());
        }
        Ok(aggregate(&mut keys, &packages, &shares)?)
    }
}

fn advance(positions: &mut [(Topic, Position)], topic: &Topic, offset: u64) {
    if let Some((_, position)) = positions.iter_mut().find(|(known, _)| known == topic) {
        position.next = offset + 1;
    }
}
