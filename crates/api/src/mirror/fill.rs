//! Filling the mirror from the bus.

use super::{Loaded, internal, rows};
use crate::problem::Problem;
use std::time::Duration;
use strongroom_journal::genesis::Registered;
use strongroom_journal::{Genesis, SealedEntry};
use strongroom_ports::bus::{Bus, BusError, Delivered, Position, Topic};
use strongroom_ports::db::{Db, Tx};
use strongroom_replica::{Incoming, first_position, journal_topics, open_incoming};
use strongroom_tlog::{Checkpoint, Cosignature, verify_cosignature, verify_note};
use strongroom_types::NodeId;
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

/// Adds the entries of a batch that are not here, if log and tree agree on them.
fn append_entries(
    loaded: &mut Loaded,
    tx: &mut dyn Tx,
    batch: &JournalBatch,
) -> Result<(), Problem> {
    let Ok(note) = verify_note(&batch.note, std::slice::from_ref(&loaded.log)) else {
        tracing::warn!(
            first_seq = batch.first_seq,
            "a batch without the log's signature was skipped"
        );
        return Ok(());
    };

    let checkpoint = Checkpoint::parse(&note.body).map_err(internal)?;
    let known = loaded.tree.size();

    if batch.first_seq > known || checkpoint.size() != batch.first_seq + batch.entries.len() as u64
    {
        tracing::warn!(
            first_seq = batch.first_seq,
            known,
            "a batch that does not follow was skipped"
        );
        return Ok(());
    }

    // When the topic was started again from entry 0, a batch may begin with entries that are here.
    let new = usize::try_from(known - batch.first_seq).unwrap_or(usize::MAX);
    for bytes in batch.entries.iter().skip(new) {
        let sealed: SealedEntry = decode(bytes).map_err(internal)?;
        let entry = sealed.open().map_err(internal)?;

        // The index of a leaf is its position, and proofs are asked for by position.
        if entry.seq != loaded.tree.size() {
            return Err(internal(format!(
                "entry {} where {} belongs",
                entry.seq,
                loaded.tree.size()
            )));
        }
        loaded.tree.append(rows::insert_entry(tx, &sealed, &entry)?);
    }

    // This is checked before the commit: with one wrong leaf in it no later proof would verify, and
    // the error drops both the rows and the tree.
    if loaded.tree.root_at(checkpoint.size()) != Some(checkpoint.root()) {
        return Err(internal(format!(
            "the tree of {} entries is not the one the log signed",
            checkpoint.size()
        )));
    }
    Ok(rows::put_note(
        tx,
        checkpoint.size(),
        &note.body,
        &batch.note,
    )?)
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
