//! Filling the mirror from the bus.

use super::{Loaded, internal, rows};
use crate::problem::Problem;
use std::fmt::Display;
use std::time::Duration;
use strongroom_journal::genesis::Registered;
use strongroom_journal::{Entry, Genesis, SealedEntry};
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Topic};
use strongroom_ports::db::{Db, Tx};
use strongroom_replica::{Incoming, first_position, journal_topics, open_incoming};
use strongroom_tlog::{Checkpoint, Cosignature, Hash, MemoryTree, verify_cosignature, verify_note};
use strongroom_types::{Code, NodeId, Refusal};
use strongroom_wire::{JournalBatch, WitnessCosignature, decode};

/// Most records of one transaction.
const RECORDS_MAX: usize = 256;
/// Checkpoints kept while no newer one is witnessed.
const UNWITNESSED_MAX: u64 = 4096;

/// Position of each topic from which it is read on; at first the entries' start, and near the end
/// of the cosignatures.
pub(super) fn positions(
    genesis: &Genesis,
    tx: &mut dyn Tx,
    bus: &dyn Bus,
) -> Result<Vec<(Topic, Position)>, Problem> {
    let mut wants = Vec::new();
    for topic in journal_topics(genesis)? {
        let known = rows::position(tx, topic.as_str())?;
        let position = match known {
            Some(known) => known,
            None => first_position(bus, &topic)?,
        };
        wants.push((topic, position));
    }
    Ok(wants)
}

/// Reads everything that is on the bus now.
pub(super) fn catch_up(
    loaded: &mut Loaded,
    genesis: &Genesis,
    db: &dyn Db,
    bus: &dyn Bus,
) -> Result<(), Problem> {
    let registered = Registered::of(genesis);
    loop {
        let records = match bus.fetch(&loaded.wants, RECORDS_MAX, Duration::ZERO) {
            // The bus may be new or cut: entries that are here already are skipped.
            Err(BusError::PositionGone { topic, .. }) => {
                let begin = first_position(bus, &topic)?;
                loaded
                    .wants
                    .iter_mut()
                    .filter(|(known, _)| *known == topic)
                    .for_each(|want| want.1 = begin);
                continue;
            }
            other => other?,
        };

        if records.is_empty() {
            return Ok(());
        }

        // Memory runs ahead of the tables until the commit. `Mirror::look` drops it on any error.
        let mut tx = db.begin()?;
        for delivered in &records {
            on_record(loaded, tx.as_mut(), &registered, delivered)?;
            for (topic, position) in &mut loaded.wants {
                if *topic == delivered.topic {
                    position.next = delivered.offset + 1;
                }
            }
        }
        rows::put_positions(
            tx.as_mut(),
            loaded.wants.iter().map(|(topic, at)| (topic.as_str(), *at)),
        )?;

        // Proofs are given under the newest witnessed checkpoint only. The second bound keeps the
        // tables small while witnesses are away.
        let best = rows::best(tx.as_mut(), loaded.quorum)?.map_or(0, |best| best.size);
        rows::prune(
            tx.as_mut(),
            best.max(loaded.tree.size().saturating_sub(UNWITNESSED_MAX)),
        )?;
        tx.commit()?;
    }
}

/// Takes one record. One that does not verify proves nothing and is skipped.
fn on_record(
    loaded: &mut Loaded,
    tx: &mut dyn Tx,
    registered: &Registered,
    delivered: &Delivered,
) -> Result<(), Problem> {
    match open_incoming(&delivered.record.payload, registered) {
        Ok(Incoming::Batch(batch)) => append_entries(loaded, tx, &batch),
        Ok(Incoming::Cosignature {
            witness,
            cosignature,
            ..
        }) => keep_cosignature(loaded, tx, witness, &cosignature),
        Err(refusal) => {
            tracing::warn!(topic = %delivered.topic, %refusal, "a journal record was skipped");
            Ok(())
        }
    }
}

/// Adds the entries of a batch that are not here, if log and tree agree on them. A batch that
/// proves nothing against the log is skipped, as a replica does: the true one may be behind it.
fn append_entries(
    loaded: &mut Loaded,
    tx: &mut dyn Tx,
    batch: &JournalBatch,
) -> Result<(), Problem> {
    let skip = |why: &dyn Display| {
        tracing::warn!(first_seq = batch.first_seq, %why, "a batch was skipped");
        Ok(())
    };

    let Ok(note) = verify_note(&batch.note, std::slice::from_ref(&loaded.log)) else {
        return skip(&"the log did not sign it");
    };
    let Ok(checkpoint) = Checkpoint::parse(&note.body) else {
        return skip(&"its note does not hold a checkpoint");
    };
    let (known, size) = (loaded.tree.size(), checkpoint.size());
    if batch.first_seq > known || size != batch.first_seq + batch.entries.len() as u64 {
        return skip(&"it does not follow");
    }

    // Two trees of one size under the log's signature are reported, not shown.
    if size <= known && loaded.tree.root_at(size) != Some(checkpoint.root()) {
        return Err(internal(format!(
            "the log signed two trees of {size} entries"
        )));
    }

    // The record is the writer's by its key on the bus, and the note may be an old one. An error
    // would come before the position is saved, and come again at each request.
    let entries = match signed_entries(&loaded.tree, batch, checkpoint.root()) {
        Ok(entries) => entries,
        Err(refusal) => return skip(&refusal),
    };

    for (sealed, entry) in entries {
        // The index of a leaf is its position, and proofs are asked for by position.
        if entry.seq != loaded.tree.size() {
            let belongs = loaded.tree.size();
            return Err(internal(format!(
                "entry {} where {belongs} belongs",
                entry.seq
            )));
        }
        loaded.tree.append(rows::insert_entry(tx, &sealed, &entry)?);
    }
    Ok(rows::put_note(tx, size, &note.body, &batch.note)?)
}

/// The entries of a batch that are not in the tree, opened, if they are those that the log signed.
fn signed_entries(
    tree: &MemoryTree,
    batch: &JournalBatch,
    root: Hash,
) -> Result<Vec<(SealedEntry, Entry)>, Refusal> {
    // When the topic was started again from entry 0, a batch may begin with entries that are here.
    let known = usize::try_from(tree.size() - batch.first_seq).unwrap_or(usize::MAX);
    let mut entries = Vec::new();
    for bytes in batch.entries.iter().skip(known) {
        let sealed: SealedEntry = decode(bytes)?;
        let entry = sealed.open()?;
        entries.push((sealed, entry));
    }
    if entries.is_empty() {
        return Ok(entries);
    }

    // The root is computed beside the tree, before a row is written: with one wrong leaf in them no
    // later proof would verify.
    let mut frontier = tree.frontier();
    for (sealed, entry) in &entries {
        frontier.append(sealed.leaf_hash(entry));
    }
    if frontier.root() != root {
        let detail = format!(
            "at size {}: the entries are not those that the log signed",
            frontier.size()
        );
        return Err(Refusal::new(Code::Malformed, detail));
    }
    Ok(entries)
}

/// Keeps a cosignature that verifies.
fn keep_cosignature(
    loaded: &Loaded,
    tx: &mut dyn Tx,
    node: NodeId,
    shown: &WitnessCosignature,
) -> Result<(), Problem> {
    // The signers and witnesses of genesis are all here: no quorum counts anyone else.
    let Some(key) = loaded.witnesses.get(&node) else {
        return Ok(());
    };

    let signed = Cosignature {
        name: key.name().to_owned(),
        key_id: key.key_id(),
        time_s: shown.time_s,
        signature: shown.signature,
    };

    // The cosignature is verified before it is kept, because `rows::best` counts rows: a false one
    // would make a head witnessed that is not.
    let checkpoint = Checkpoint::parse(&shown.body);
    match checkpoint {
        Ok(checkpoint) if verify_cosignature(&shown.body, &signed, key).is_ok() => Ok(
            rows::put_cosignature(tx, checkpoint.size(), node, &shown.body, &signed.to_line())?,
        ),
        Ok(_) | Err(_) => {
            tracing::warn!(%node, "a cosignature that does not verify was skipped");
            Ok(())
        }
    }
}
