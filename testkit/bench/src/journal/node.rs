//! One node: a replica in a database, and what its role does with it.

use super::load::Load;
use anyhow::Context as _;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom_journal::Body;
use strongroom_journal::witness::Witness;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_ports::db::Db as _;
use strongroom_replica::{Incoming, Replica, open_incoming};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{NodeId, Scope, UnixMs};
use strongroom_wire::envelope::Heading;
use strongroom_wire::{JournalBatch, Payload, Role, Senders as _, WitnessCosignature, seal};
use strongroom_world::World;

/// Submissions ordered by one commit, as many as the writer's shell takes from the bus at once.
const ORDER_MAX: usize = 64;
/// Expiry of texts that never expire here.
const FOR_EVER: UnixMs = UnixMs(i64::MAX as u64);

/// A record on the bus.
pub type Bytes = Arc<Vec<u8>>;

/// Counts of the work of all nodes together.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    /// Ed25519 signatures verified: of envelopes, checkpoints, cosignatures, and those inside of
    /// entries.
    pub checks: u64,
    /// Commits, each durable before anything leaves.
    pub fsyncs: u64,
    /// Batches published.
    pub batches: u64,
    /// Bytes of these batches, in their envelopes.
    pub bytes: u64,
}

/// Wall time by kind of work, all nodes together.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    /// Opening envelopes.
    pub open: Duration,
    /// The writer: applying, hashing, signing and writing down.
    pub order: Duration,
    /// The others: applying, hashing, comparing and writing down.
    pub append: Duration,
    /// Waiting for the disk.
    pub commit: Duration,
    /// Making cosignatures.
    pub cosign: Duration,
    /// Verifying and counting others' cosignatures.
    pub hear: Duration,
}

impl Tally {
    pub fn add(&mut self, more: &Self, fsyncs: u64) {
        self.checks += more.checks;
        self.fsyncs += more.fsyncs + fsyncs;
        self.batches += more.batches;
        self.bytes += more.bytes;
    }
}

impl Spent {
    pub fn add(&mut self, more: &Self) {
        self.open += more.open;
        self.order += more.order;
        self.append += more.append;
        self.commit += more.commit;
        self.cosign += more.cosign;
        self.hear += more.hear;
    }
}

#[expect(clippy::large_enum_variant, reason = "five of them in a run")]
enum Work {
    Order {
        orderer: Orderer,
        rng: ChaCha20Rng,
        offers: VecDeque<Offer>,
    },
    Cosign(Witness),
}

/// A node of the installation.
pub struct Node {
    id: NodeId,
    key: SigningKey,
    sequence: u64,
    db: SqliteDb,
    replica: Replica,
    work: Work,
    fsyncs_before: u64,
    start: UnixMs,
    world: World,
    /// Time at which each head was ordered, until the quorum has cosigned it (writer only).
    unwitnessed: VecDeque<(u64, Instant)>,
    /// Time of each head from ordered to witnessed, milliseconds.
    pub witnessed_ms: Vec<f64>,
    pub tally: Tally,
    pub spent: Spent,
}

impl Node {
    pub fn writer(load: &Load, folder: &Path) -> anyhow::Result<Self> {
        let world = &load.ledger.world;
        let service = world.service(Role::Writer);
        let orderer = Orderer::new(&world.genesis, &world.log_key.to_bytes())?;
        let offers = offers(&load.setup, world.scope()).collect();
        let work = Work::Order {
            orderer,
            rng: world.seed.rng("salts", 0),
            offers,
        };
        Self::new(load, folder, (service.node, &service.signing), |_| Ok(work))
    }

    pub fn cosigners(load: &Load, folder: &Path) -> anyhow::Result<Vec<Self>> {
        let world = &load.ledger.world;
        let signers = world
            .signers
            .iter()
            .map(|keys| (keys.node, &keys.signing, &keys.witness));
        let witnesses = world
            .witnesses
            .iter()
            .map(|keys| (keys.node, &keys.signing, &keys.witness));
        let node = |(id, signing, witness): (NodeId, &SigningKey, &SigningKey)| {
            let work =
                |replica: &Replica| Ok(Work::Cosign(replica.witness(id, &witness.to_bytes())?));
            Self::new(load, folder, (id, signing), work)
        };
        signers.chain(witnesses).map(node).collect()
    }

    fn new(
        load: &Load,
        folder: &Path,
        (id, key): (NodeId, &SigningKey),
        work: impl FnOnce(&Replica) -> anyhow::Result<Work>,
    ) -> anyhow::Result<Self> {
        let db = SqliteDb::open(&folder.join(format!("{id}.sqlite")))?;
        let replica = Replica::open(&db, Arc::clone(&load.ledger.world.genesis))?;
        let work = work(&replica)?;
        Ok(Self {
            id,
            key: key.clone(),
            sequence: 0,
            fsyncs_before: db.commits(),
            db,
            replica,
            work,
            start: load.start(),
            world: load.ledger.world.clone(),
            unwitnessed: VecDeque::new(),
            witnessed_ms: Vec::new(),
            tally: Tally::default(),
            spent: Spent::default(),
        })
    }

    /// Forgets what was counted so far: the installation is ready, the measurement begins.
    pub fn ready(&mut self, payments: &[Body], tenant: Scope) {
        if let Work::Order { offers: queue, .. } = &mut self.work {
            queue.extend(offers(payments, tenant));
        }
        self.fsyncs_before = self.db.commits();
        self.witnessed_ms.clear();
        (self.tally, self.spent) = (Tally::default(), Spent::default());
    }

    /// Its replica.
    pub const fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Commits since the measurement began.
    pub fn fsyncs(&self) -> u64 {
        self.db.commits() - self.fsyncs_before
    }

    /// Whether there is something to order.
    pub fn can_order(&self) -> bool {
        matches!(&self.work, Work::Order { offers, .. } if !offers.is_empty())
    }

    /// Takes in records of the bus; gives those to publish.
    pub fn receive(&mut self, records: &[Bytes], since: Instant) -> anyhow::Result<Vec<Bytes>> {
        let registered = Arc::clone(self.replica.follower().state().registered());
        let mut out = Vec::new();
        for record in records {
            let begin = Instant::now();
            let incoming = open_incoming(record, registered.as_ref())?;
            self.spent.open += begin.elapsed();
            self.tally.checks += 1;
            match incoming {
                Incoming::Batch(batch) => out.push(self.append(&batch, since)?),
                Incoming::Cosignature {
                    witness,
                    cosignature,
                    ..
                } => self.hear(witness, &cosignature, since)?,
            }
        }
        Ok(out)
    }

    fn now(&self, since: Instant) -> UnixMs {
        self.start
            .plus(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Replay, persist, then cosign: one commit.
    fn append(&mut self, batch: &JournalBatch, since: Instant) -> anyhow::Result<Bytes> {
        let now = self.now(since);
        let Work::Cosign(witness) = &mut self.work else {
            anyhow::bail!("the writer hears itself")
        };
        let begin = Instant::now();
        let mut tx = self.db.begin()?;
        self.replica.append(tx.as_mut(), batch)?;
        let appended = Instant::now();
        let cosignature = self.replica.cosign(tx.as_mut(), witness, now)?;
        let cosigned = Instant::now();
        tx.commit()?;
        self.spent.append += appended - begin;
        self.spent.cosign += cosigned - appended;
        self.spent.commit += cosigned.elapsed();
        self.tally.checks += 1;
        self.hear(self.id, &cosignature, since)?;
        Ok(self.record(now, &cosignature))
    }

    fn hear(
        &mut self,
        witness: NodeId,
        said: &WitnessCosignature,
        since: Instant,
    ) -> anyhow::Result<()> {
        let now = self.now(since);
        let begin = Instant::now();
        let follower = self.replica.follower_mut();
        follower.cosignature(witness, said, now)?;
        self.spent.hear += begin.elapsed();
        self.tally.checks += 1;
        let witnessed = follower.witnessed();
        while let Some((_, ordered)) = self
            .unwitnessed
            .pop_front_if(|(size, _)| *size <= witnessed)
        {
            self.witnessed_ms
                .push(ordered.elapsed().as_secs_f64() * 1e3);
        }
        Ok(())
    }

    /// Orders what waits, as much as one commit takes; gives the records of its batches.
    pub fn order(&mut self, since: Instant) -> anyhow::Result<Vec<Bytes>> {
        let now = self.now(since);
        let Work::Order {
            orderer,
            rng,
            offers,
        } = &mut self.work
        else {
            anyhow::bail!("not the writer")
        };
        // A `witnessed` entry of the set-up stands alone: it is over this writer's own tree.
        let is_witnessed = |offer: &Offer| matches!(offer.body, Body::Witnessed(_));
        let next = offers.iter().position(is_witnessed).map(|at| at.max(1));
        let take = next.unwrap_or(offers.len()).min(ORDER_MAX);
        let mut offers: Vec<Offer> = offers.drain(..take).collect();
        if let Some(Offer { body, .. }) = offers.first_mut()
            && let Body::Witnessed(witnessed) = body
        {
            *witnessed = self
                .world
                .witnessed_again(self.replica.follower(), witnessed);
        }
        let begin = Instant::now();
        let mut tx = self.db.begin()?;
        let ordered = self
            .replica
            .order(tx.as_mut(), orderer, now, &offers, rng)?;
        let done = Instant::now();
        tx.commit()?;
        self.spent.order += done - begin;
        self.spent.commit += done.elapsed();
        for result in ordered.results {
            result.context("a pre-signed body was refused")?;
        }
        let mut records = Vec::new();
        for ordered in ordered.batches {
            let record = self.record(now, &ordered.batch);
            self.tally.batches += 1;
            self.tally.bytes += record.len() as u64;
            let size = ordered.batch.first_seq + ordered.batch.entries.len() as u64;
            self.unwitnessed.push_back((size, begin));
            records.push(record);
        }
        Ok(records)
    }

    fn record<T: Payload>(&mut self, now: UnixMs, payload: &T) -> Bytes {
        self.sequence += 1;
        let heading = Heading {
            genesis: self.replica.follower().state().registered().genesis(),
            from: self.id,
            to: None,
            session: [0; 16],
            cause: u128::from(self.sequence).to_be_bytes(),
            sequence: self.sequence,
            created: now,
            deadline: FOR_EVER,
        };
        Arc::new(seal(heading, payload, &self.key))
    }
}

/// Bodies as an honest service offers them.
fn offers(bodies: &[Body], tenant: Scope) -> impl Iterator<Item = Offer> {
    bodies
        .iter()
        .map(move |body| strongroom_world::offer(body, tenant))
}

/// Signatures that `apply` verifies in a body, at each node.
pub fn signatures(body: &Body) -> usize {
    match body {
        Body::Genesis(_) | Body::Tick | Body::Attempt(_) => 0,
        Body::Act(signed) => signed.endorsements.len(),
        Body::Authorized(authorization) => 1 + authorization.approvals.len(),
        Body::Finished(finished) => finished.certificates.len(),
        Body::Witnessed(witnessed) => witnessed.cosignatures.len(),
    }
}
