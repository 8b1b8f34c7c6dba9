//! The journal in the attacker's hands: an honest writer's work, and what a hostile one can do.

use super::{Ground, Kind, now};
use anyhow::bail;
use std::time::Duration;
use strongroom_journal::entry::{SealedEntry, VERSION};
use strongroom_journal::state::Lookup as _;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_journal::{Body, Entry, State, apply};
use strongroom_tlog::{Checkpoint, Hash, sign_note};
use strongroom_types::{ActBody, Refusal, RegistryRecord, Scope, Signed, Tighten, UnixMs};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{JournalBatch, Role};
use strongroom_world::{Ledger, Who, offer};

/// What came of an entry that a hostile writer appends whatever the rules say.
pub enum Forced {
    /// The rules take it, at this position.
    Taken(u64),
    /// No replica takes it: each stops at this batch.
    Stopped(Refusal, JournalBatch),
}

impl Ground {
    /// The writer's state as a ledger: for its short forms only.
    pub fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::empty(self.world.clone());
        ledger.state = self.log.follower.state().clone();
        ledger.now = now();
        ledger
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.log.follower.size()
    }

    /// Orders a body as an honest writer does, publishes it, and waits until a quorum cosigned it
    /// and whatever waited for witnessed time has it.
    pub fn submit(&mut self, body: Body) -> anyhow::Result<u64> {
        let seq = self.order(&body, now()).map_err(|refusal| {
            anyhow::anyhow!("the journal refuses what the row needs: {refusal}")
        })?;
        self.wait_witnessed()?;
        self.settle()?;
        Ok(seq)
    }

    /// Orders a body under a stamp and publishes it to every node that is not cut off.
    pub fn order(&mut self, body: &Body, stamp: UnixMs) -> Result<u64, Refusal> {
        let offer = offer(body, self.world.scope());
        self.order_offer(&offer, stamp)
    }

    /// The same under any scope.
    pub fn order_offer(&mut self, offer: &Offer, stamp: UnixMs) -> Result<u64, Refusal> {
        self.keep_hostile(Kind::Submission, &strongroom_wire::encode(&offer.body));
        let ordered = self.log.order_offers(stamp, std::slice::from_ref(offer));
        for batch in &ordered.batches {
            self.publish(&batch.batch);
        }
        let mut results = ordered.results.into_iter();
        results.next().unwrap_or(Ok(0))
    }

    /// Appends a body although the rules may forbid it, under a checkpoint that the log's key signs.
    pub fn force(&mut self, body: &Body, stamp: UnixMs) -> anyhow::Result<Forced> {
        self.force_offer(&offer(body, self.world.scope()), stamp)
    }

    /// The same under any scope.
    pub fn force_offer(&mut self, offer: &Offer, stamp: UnixMs) -> anyhow::Result<Forced> {
        let refusal = match self.order_offer(offer, stamp) {
            Ok(seq) => return Ok(Forced::Taken(seq)),
            Err(refusal) => refusal,
        };

        let at = stamp.max(self.log.follower.tip().at);
        let batch = self.signed(&self.entry(offer, at), self.log.follower.state())?;
        self.publish(&batch);
        Ok(Forced::Stopped(refusal, batch))
    }

    /// Appends a body under this very stamp, which an honest writer would never give it.
    pub fn force_at(&mut self, offer: &Offer, stamp: UnixMs) -> anyhow::Result<Forced> {
        let entry = self.entry(offer, stamp);
        let mut state = self.log.follower.state().clone();
        let refusal = match apply(&state, &entry) {
            Ok(delta) => {
                state.commit(&delta);
                None
            }
            Err(refusal) => Some(refusal),
        };

        let batch = self.signed(&entry, &state)?;
        self.publish(&batch);
        if let Some(refusal) = refusal {
            return Ok(Forced::Stopped(refusal, batch));
        }
        let taken = self.log.follower.append(&batch);
        taken.map_err(|refusal| anyhow::anyhow!("the writer's own batch: {refusal}"))?;
        self.log.batches.push(batch);
        Ok(Forced::Taken(entry.seq))
    }

    fn entry(&self, offer: &Offer, at: UnixMs) -> Entry {
        Entry {
            version: VERSION,
            seq: self.log.follower.size(),
            at,
            scope: offer.scope,
            body: offer.body.clone(),
        }
    }

    /// The batch of one more entry, under a checkpoint with the root of this state. Where no replica
    /// can compute the state that the entry would leave, that of before is as good as any.
    fn signed(&self, entry: &Entry, state: &State) -> anyhow::Result<JournalBatch> {
        self.under(entry, Hash(state.root().0))
    }

    /// The next entry as a batch that the log's key signs with any state root; no rule is asked,
    /// and nothing of the body is read.
    pub fn forge(&self, offer: &Offer, at: UnixMs, root: Hash) -> anyhow::Result<JournalBatch> {
        self.under(&self.entry(offer, at), root)
    }

    fn under(&self, entry: &Entry, state_root: Hash) -> anyhow::Result<JournalBatch> {
        let sealed = SealedEntry::new(entry, [7; 32]);
        let mut frontier = self.log.follower.frontier().clone();
        frontier.append(sealed.leaf_hash(entry));
        let (root, origin) = (frontier.root(), &self.world.genesis.origin);
        let checkpoint = Checkpoint::with_state(origin, frontier.size(), root, state_root)?;
        let log = strongroom_tlog::NoteSigner::new(origin, &self.world.log_key.to_bytes())?;
        Ok(JournalBatch {
            first_seq: entry.seq,
            entries: vec![strongroom_wire::encode(&sealed)],
            note: sign_note(&checkpoint.to_body(), &log)?,
        })
    }

    /// Sends a batch to every node that is not cut off, and keeps it for those that come later.
    pub fn publish(&mut self, batch: &JournalBatch) {
        let sealed = self.seal(Role::Writer, None, batch);
        self.batches.push((batch.first_seq, sealed.clone()));
        for seat in self.seats() {
            if !self.cut_off.contains(&seat) {
                self.send(seat, &ToSigner::Batch(sealed.clone()));
            }
        }
    }

    /// Sends a batch to one node alone.
    pub fn show(&mut self, seat: u16, batch: &JournalBatch) {
        let sealed = self.seal(Role::Writer, None, batch);
        self.send(seat, &ToSigner::Batch(sealed));
    }

    /// Appends a tick and waits until it is witnessed.
    pub fn tick(&mut self) -> anyhow::Result<()> {
        self.submit(Body::Tick).map(drop)
    }

    /// Waits until the writer's end has a quorum's fresh cosignatures.
    pub fn wait_witnessed(&mut self) -> anyhow::Result<()> {
        self.until("the newest entry is not witnessed", |ground| {
            let follower = &ground.log.follower;
            let fresh = follower.fresh(now()).ok();
            Ok(fresh
                .is_some_and(|head| head.size == follower.size())
                .then_some(()))
        })
    }

    /// Has the writer append what the witnesses' words settle, once their second is over.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        while let Some(offer) = Orderer::witnessed_due(&self.log.follower) {
            self.wait(Duration::from_millis(1_000))?;
            self.order_offer(&offer, now())
                .map_err(|refusal| anyhow::anyhow!("a witnessed entry: {refusal}"))?;
            self.wait_witnessed()?;
        }
        Ok(())
    }

    /// Waits until each running node that is not cut off says of itself that it has a fresh head of
    /// the journal's whole size.
    pub fn wait_nodes(&mut self) -> anyhow::Result<()> {
        let size = self.size();
        self.until("a node is not fresh", |ground| {
            for seat in ground.seats() {
                if ground.cut_off.contains(&seat) {
                    continue;
                }
                let status = ground.node(seat)?.status()?;
                let fresh = status
                    .get("fresh")
                    .and_then(|said| said.strip_prefix("yes, up to "));
                if fresh.and_then(|said| said.parse().ok()) != Some(size) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
    }

    /// Creates the world's tenant.
    pub fn create_tenant(&mut self) -> anyhow::Result<()> {
        let act = self.world.create_tenant(now());
        self.submit(Body::Act(act)).map(drop)
    }

    /// The tenant's first vault.
    pub fn make_vault(&mut self) -> anyhow::Result<()> {
        let vault = self.world.tenant.first_vault();
        let boards = [self.ledger().admins(), self.ledger().committee()].concat();
        self.act(ActBody::Put(RegistryRecord::Vault(vault)), &boards)
            .map(drop)
    }

    /// Appends an act of the tenant, signed by these people.
    pub fn act(&mut self, body: ActBody, who: &[Who]) -> anyhow::Result<u64> {
        let act = self.ledger().signed_act(body, who);
        self.submit(Body::Act(act))
    }

    /// Appends a tightening by the tenant's admins.
    pub fn tighten(&mut self, what: Tighten) -> anyhow::Result<u64> {
        let who = self.ledger().admins();
        self.act(ActBody::Tighten(what), &who)
    }

    /// An act of the platform, which the writer does not have yet.
    pub fn platform_act(&self, body: ActBody) -> anyhow::Result<Signed> {
        let Ok(platform) = self.log.follower.state().platform() else {
            bail!("the journal has no genesis yet")
        };
        let act = self
            .world
            .act(now(), Scope::Platform, body, platform.version);
        Ok(self.world.sign(&act, &[Who::PlatformAdmin]))
    }
}
