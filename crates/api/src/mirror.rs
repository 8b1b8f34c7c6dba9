//! The mirror: the journal as clients may read it, with the proofs they ask for.
//!
//! It is filled from the bus when a request needs it, not while transfers are on their way: reading
//! entries and cosignatures as they come would cost the API a commit each. Clients verify what it
//! gives; it is checked here as well, so that a broken store is reported instead of handing out
//! proofs that do not hold.

mod fill;
mod proofs;
mod rows;

use crate::problem::Problem;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use strongroom_journal::Genesis;
use strongroom_journal::follower::witness_name;
use strongroom_ports::bus::{Bus, Position, Topic};
use strongroom_ports::db::{Db, Tx};
use strongroom_tlog::note::NoteSignature;
use strongroom_tlog::{CosignVerifier, MemoryTree, Note, NoteVerifier, Proof, inclusion_proof};
use strongroom_types::{Code, NodeId};

pub(crate) use proofs::VaultName;
pub(crate) use rows::MirrorEntry;

/// The journal's public side, filled on demand.
#[derive(Default)]
pub(crate) struct Mirror(Mutex<Option<Loaded>>);

/// The part in memory: every node of the tree, and how far each topic was read.
pub(crate) struct Loaded {
    tree: MemoryTree,
    wants: Vec<(Topic, Position)>,
    log: NoteVerifier,
    witnesses: BTreeMap<NodeId, CosignVerifier>,
    quorum: u32,
}

fn internal(e: impl std::fmt::Display) -> Problem {
    tracing::error!(error = %e, "journal mirror");
    Problem::from(Code::Internal)
}

impl Loaded {
    fn new(genesis: &Genesis, tx: &mut dyn Tx, bus: &dyn Bus) -> Result<Self, Problem> {
        let verifier = |(node, key): (NodeId, [u8; 32])| {
            Ok::<_, Problem>((
                node,
                CosignVerifier::new(&witness_name(node), &key).map_err(internal)?,
            ))
        };
        Ok(Self {
            tree: rows::tree(tx)?,
            wants: fill::positions(genesis, tx, bus)?,
            log: NoteVerifier::new(&genesis.origin, &genesis.log_key).map_err(internal)?,
            witnesses: genesis
                .witness_keys()
                .map(verifier)
                .collect::<Result<_, _>>()?,
            quorum: genesis.quorum,
        })
    }

    /// The newest witnessed checkpoint that the tree covers, with its cosignature lines.
    fn witnessed(&self, tx: &mut dyn Tx) -> Result<Option<(u64, Note)>, Problem> {
        let Some(best) = rows::best(tx, self.quorum)? else {
            return Ok(None);
        };

        let mut note = Note::parse(&best.note).map_err(internal)?;
        for line in &best.lines {
            note.add(NoteSignature::parse_line(line).map_err(internal)?)
                .map_err(internal)?;
        }
        Ok(Some((best.size, note)))
    }

    fn prove(&self, tx: &mut dyn Tx, seq: u64) -> Result<Option<String>, Problem> {
        let Some((size, checkpoint)) = self.witnessed(tx)?.filter(|(size, _)| seq < *size) else {
            return Ok(None);
        };

        // Proofs end at the witnessed size: the tree itself is ahead of what witnesses have
        // cosigned.
        let hashes = inclusion_proof(&self.tree, seq, size).map_err(internal)?;
        Ok(Some(
            Proof {
                extra: Vec::new(),
                index: seq,
                hashes,
                checkpoint,
            }
            .to_text(),
        ))
    }
}

/// The mirror at one moment, caught up with the bus.
pub(crate) struct Look<'a> {
    loaded: MutexGuard<'a, Option<Loaded>>,
    tx: Box<dyn Tx + 'a>,
}

impl Mirror {
    /// Catches up with the bus and gives the mirror at that moment.
    pub(crate) fn look<'a>(
        &'a self,
        genesis: &Genesis,
        db: &'a dyn Db,
        bus: &dyn Bus,
    ) -> Result<Look<'a>, Problem> {
        // A request that panicked in here left nothing behind, since `take` comes first.
        let mut loaded = self.0.lock().unwrap_or_else(PoisonError::into_inner);

        // The memory is taken out here: after any error memory is made again from the tables.
        let mut current = match loaded.take() {
            Some(current) => current,
            None => Loaded::new(genesis, db.begin()?.as_mut(), bus)?,
        };

        fill::catch_up(&mut current, genesis, db, bus)?;
        *loaded = Some(current);

        // The look keeps the lock: tree and tables must be of one moment, or a proof would not
        // hold.
        Ok(Look {
            loaded,
            tx: db.begin()?,
        })
    }
}

impl Look<'_> {
    fn loaded(&self) -> Result<&Loaded, Problem> {
        self.loaded.as_ref().ok_or_else(|| internal("not loaded"))
    }

    /// The newest witnessed checkpoint: a signed note with cosignature lines.
    pub(crate) fn checkpoint(&mut self) -> Result<Option<String>, Problem> {
        let Self { loaded, tx } = self;
        let loaded = loaded.as_ref().ok_or_else(|| internal("not loaded"))?;
        Ok(loaded
            .witnessed(tx.as_mut())?
            .map(|(_, note)| note.to_text()))
    }

    /// Number of entries here.
    pub(crate) fn size(&self) -> Result<u64, Problem> {
        Ok(self.loaded()?.tree.size())
    }

    /// Entries from a position on.
    pub(crate) fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<MirrorEntry>, Problem> {
        Ok(rows::entries(self.tx.as_mut(), from, limit)?)
    }

    /// The proof text of an entry; none while no witnessed checkpoint covers it.
    pub(crate) fn proof(&mut self, seq: u64) -> Result<Option<String>, Problem> {
        let Self { loaded, tx } = self;
        let loaded = loaded.as_ref().ok_or_else(|| internal("not loaded"))?;

        // A position beyond the tree is refused and not answered as "not witnessed yet": a client
        // would wait for an entry that may never come.
        if seq >= loaded.tree.size() {
            return Err(Problem::new(
                Code::NotFound,
                format!("the journal has no entry {seq} yet"),
            ));
        }
        loaded.prove(tx.as_mut(), seq)
    }
}
