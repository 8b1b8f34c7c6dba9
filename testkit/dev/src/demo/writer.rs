//! A hostile writer, played with the writer's own valid keys and its database.

use super::people::{People, now};
use crate::layout::Layout;
use crate::platform::Platform;
use anyhow::{Context as _, bail};
use std::sync::Arc;
use strongroom::roles::RoleName;
use strongroom::secrets::{HeldKeys, RoleSecrets};
use strongroom_host::SystemEntropy;
use strongroom_journal::entry::{Body, Entry, SealedEntry, VERSION};
use strongroom_journal::state::Lookup as _;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_ports::db::Db as _;
use strongroom_ports::host::Entropy as _;
use strongroom_replica::Replica;
use strongroom_stage::post::{Cause, Post};
use strongroom_store_sqlite::SqliteDb;
use strongroom_tlog::{Checkpoint, Hash, NoteSigner, sign_note};
use strongroom_types::{
    Act, ActBody, Code, Digest, Document as _, RegistryRecord, Scope, Signed, UnixMs, User, UserId,
};
use strongroom_wire::{JournalBatch, encode, topics};

/// Time by which the proposal is back-dated: longer than the demo's delays of 2 s.
const BACK_MS: u64 = 3_000;

/// The hostile writer. The honest one must not run at the same time.
pub struct HostileWriter<'a> {
    platform: &'a Platform,
    post: Post,
    orderer: Orderer,
    log: NoteSigner,
    db: SqliteDb,
    replica: Replica,
}

impl<'a> HostileWriter<'a> {
    /// Takes over the writer's keys and database.
    pub fn open(platform: &'a Platform, layout: &Layout) -> anyhow::Result<Self> {
        let (genesis, hash) = (&platform.genesis, platform.genesis.hash());
        let secrets = RoleSecrets::open(&layout.secrets(), RoleName::Writer, hash)?;
        let HeldKeys::LogKey(seed) = &secrets.held else {
            bail!("the writer's secrets hold no log key");
        };

        let db = SqliteDb::open(&layout.role(RoleName::Writer).join("store.sqlite"))?;
        let replica = Replica::load(db.begin()?.as_mut(), Arc::clone(genesis))?;
        Ok(Self {
            post: platform.post(RoleName::Writer)?,
            orderer: Orderer::new(genesis, seed)?,
            log: NoteSigner::new(&genesis.origin, seed)?,
            platform,
            db,
            replica,
        })
    }

    /// Number of entries of its journal.
    pub fn size(&self) -> u64 {
        self.replica.follower().size()
    }

    /// Appends a proposal of the committee under the oldest stamp that a replica takes, that of the
    /// last entry. It is a valid entry, so that an honest writer goes on from it later.
    pub fn back_date_proposal(&mut self, people: &People) -> anyhow::Result<Digest> {
        let stamp = self.replica.follower().tip().at;
        let age_ms = now().since(stamp);
        if age_ms < BACK_MS {
            bail!("the journal is only {age_ms} ms quiet, so nothing can be back-dated further");
        }

        let put = ActBody::Put(RegistryRecord::User(User {
            id: UserId([9; 16]),
            name: "Mallory".parse()?,
        }));
        let proposal = self.signed(people, put)?;
        let offer = Offer {
            scope: Scope::Tenant(people.tenant),
            body: Body::Act(proposal.clone()),
        };

        // The shipped orderer makes the batch: only the stamp is chosen, as a hostile writer can.
        let mut tx = self.db.begin()?;
        let rng = &mut *SystemEntropy.rng();
        let ordered = self
            .replica
            .order(tx.as_mut(), &self.orderer, stamp, &[offer], rng)?;
        tx.commit()?;

        for result in ordered.results {
            result?;
        }
        for ordered in &ordered.batches {
            self.publish(&ordered.batch)?;
        }

        println!("      the proposal is in the journal, back-dated by {age_ms} ms");
        Ok(Act::digest_of(&proposal.text))
    }

    /// Appends its release with the stamp of now, although its own replica refuses it, under a
    /// checkpoint that the log key signs.
    pub fn force_release(
        &mut self,
        people: &People,
        proposal: Digest,
    ) -> anyhow::Result<JournalBatch> {
        let release = self.signed(people, ActBody::Release(proposal))?;
        let follower = self.replica.follower();
        let entry = Entry {
            version: VERSION,
            seq: follower.size(),
            at: now(),
            scope: Scope::Tenant(people.tenant),
            body: Body::Act(release),
        };

        // If the rules took the release by its stamp, the attack would have succeeded here.
        match strongroom_journal::apply(follower.state(), &entry) {
            Err(refusal) if refusal.code == Code::NotWitnessed => {}
            other => bail!("A RELEASE IS TAKEN BY ITS STAMP: {:?}", other.map(drop)),
        }

        // The state that it would leave has a root that no replica can compute; this one is the
        // last.
        let sealed = SealedEntry::new(&entry, [7; 32]);
        let mut frontier = follower.frontier().clone();
        frontier.append(sealed.leaf_hash(&entry));
        let (root, state_root) = (frontier.root(), Hash(follower.state().root().0));

        // The log's own key signs it: a batch under another key is dropped and stops no signer.
        let origin = &self.platform.genesis.origin;
        let checkpoint = Checkpoint::with_state(origin, frontier.size(), root, state_root)?;
        let batch = JournalBatch {
            first_seq: entry.seq,
            entries: vec![encode(&sealed)],
            note: sign_note(&checkpoint.to_body(), &self.log)?,
        };
        self.publish(&batch)?;
        Ok(batch)
    }

    fn signed(&self, people: &People, body: ActBody) -> anyhow::Result<Signed> {
        let tenant = self.replica.follower().state().tenant(people.tenant)?;
        Ok(people.admin_act(tenant.version, body, &SystemEntropy))
    }

    fn publish(&mut self, batch: &JournalBatch) -> anyhow::Result<()> {
        let cause = Cause::own(&[batch.note.as_bytes()], UnixMs(i64::MAX as u64));
        let to = (topics::JOURNAL_ENTRIES, b"journal".as_slice());
        let record = self.post.record(now(), to, None, batch, &cause)?;
        let published = self.platform.bus.publish(&[record]);
        published.context("the bus takes the writer's batch")
    }
}
