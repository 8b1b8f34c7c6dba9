//! What the mirror believes: one log, one tree, a quorum over one checkpoint.

use crate::fixture::{Served, TENANT, bus, database};
use std::sync::Arc;
use strongroom_client::proof::Trust;
use strongroom_ports::db::Db as _;
use strongroom_tlog::{Checkpoint, Hash, Note, NoteSigner, sign_note};
use strongroom_types::UnixMs;
use strongroom_world::START;

const CHECKPOINT: &str = "/v1/journal/checkpoint";

/// A checkpoint over another tree of one entry, signed by the same log: an honest log makes one
/// entry 0 only.
fn fork(served: &Served) -> String {
    let world = &served.journal.world;
    let origin = &world.genesis.origin;
    let other = Checkpoint::with_state(origin, 1, Hash([7; 32]), Hash([7; 32]));
    let key = NoteSigner::new(origin, &world.log_key.to_bytes()).unwrap();
    sign_note(&other.unwrap().to_body(), &key).unwrap()
}

#[test]
fn an_entry_above_the_witnessed_checkpoint_has_no_proof() {
    let served = Served::new();
    served.all_batches();
    served.witnessed(1);
    let proof = |seq: u64| {
        let path = format!("/v1/journal/entries/{seq}/proof");
        served.get(TENANT, &path).status
    };
    assert_eq!(
        [proof(1), proof(2), proof(served.size() - 1)],
        [200, 503, 503]
    );
}

#[test]
fn a_batch_that_the_log_did_not_sign_is_skipped() {
    let served = Served::new();
    let batches = &served.journal.log.batches;
    let (last, before) = batches.split_last().unwrap();
    before.iter().for_each(|batch| served.batch(batch));
    let mut forged = last.clone();
    // Inside of the signature, behind the key's id.
    let at = forged.note.trim_end().len() - 20;
    let other = if &forged.note[at..=at] == "A" {
        "B"
    } else {
        "A"
    };
    forged.note.replace_range(at..=at, other);
    served.batch(&forged);
    served.batch(last);
    served.witnessed(served.last());
    let trust = Trust::new(&served.journal.world.genesis).unwrap();
    let note = served.get(TENANT, CHECKPOINT).body;
    assert_eq!(trust.checkpoint(&note).unwrap().0, served.size());
}

/// An old note of the log beside other entries proves nothing, and the true batch comes behind it.
#[test]
fn hole_batch_whose_entries_are_not_those_of_its_note_does_not_stop_the_proofs() {
    let served = Served::new();
    let batches = &served.journal.log.batches;
    let (last, before) = batches.split_last().unwrap();
    before.iter().for_each(|batch| served.batch(batch));

    let first_new = usize::try_from(served.size() - 1 - last.first_seq).unwrap();
    let garbage = [vec![1, 2, 3], batches[0].entries[0].clone()];
    for entry in garbage {
        let mut forged = last.clone();
        forged.entries[first_new] = entry;
        served.batch(&forged);
        assert_eq!(served.get(TENANT, "/v1/journal/entries").status, 200);
    }

    served.batch(last);
    served.witnessed(served.last());
    let path = format!("/v1/journal/entries/{}/proof", served.size() - 1);
    assert_eq!(served.get(TENANT, &path).status, 200);
}

/// A log that signs two trees is reported, not shown.
#[test]
fn two_trees_of_one_size_are_an_error() {
    let served = Served::new();
    let mut batch = served.journal.log.batches[0].clone();
    served.batch(&batch);
    served.witnessed(0);
    assert_eq!(served.get(TENANT, CHECKPOINT).status, 200);
    batch.note = fork(&served);
    served.batch(&batch);
    assert_eq!(
        served.get(TENANT, CHECKPOINT).outcome(),
        (500, "internal".to_owned())
    );
}

#[test]
fn witnesses_of_another_tree_do_not_make_a_quorum() {
    let served = Served::new();
    served.batch(&served.journal.log.batches[0]);
    let note = Note::parse(&fork(&served)).unwrap();
    let at = UnixMs(START.0);
    let of_fork = |seat| served.journal.world.cosignature(seat, note.body(), at);
    (1..=2).for_each(|seat| served.vouch(seat, &served.cosignature(seat, 0, START.0 / 1000)));
    (3..=4).for_each(|seat| served.vouch(seat, &of_fork(seat)));
    assert_eq!(served.get(TENANT, CHECKPOINT).status, 503);

    // The third cosigns this tree as well: three lines, and none of the other tree.
    served.vouch(3, &served.cosignature(3, 0, START.0 / 1000));
    let note = served.get(TENANT, CHECKPOINT).body;
    let lines = note.lines().filter(|line| line.starts_with('\u{2014}'));
    assert_eq!(lines.count(), 1 + 3, "{note}");
    let trust = Trust::new(&served.journal.world.genesis).unwrap();
    assert_eq!(trust.checkpoint(&note).unwrap().0, 1);
}

#[test]
fn checkpoints_below_the_witnessed_one_are_not_kept() {
    let served = Served::new();
    served.all_batches();
    served.witnessed(served.last());
    assert_eq!(served.get(TENANT, CHECKPOINT).status, 200);
    assert_eq!(served.count("SELECT count(*) FROM mirror_note"), 1);
    assert_eq!(served.count("SELECT count(*) FROM mirror_cosignature"), 3);
}

#[test]
fn a_gap_in_the_stored_entries_is_reported() {
    let (db, bus) = (database(), bus(1));
    let served = Served::on(Arc::clone(&db), Arc::clone(&bus));
    served.all_batches();
    assert_eq!(served.get(TENANT, "/v1/journal/entries").status, 200);
    drop(served);
    let mut tx = db.begin().unwrap();
    tx.execute("DELETE FROM mirror_entry WHERE seq = 1", &[])
        .unwrap();
    tx.commit().unwrap();
    let restarted = Served::on(db, bus);
    let answer = restarted.get(TENANT, "/v1/journal/entries");
    assert_eq!(answer.outcome(), (500, "store_corrupt".to_owned()));
}

/// A request that meets a new bus must not be answered from what the old one had.
#[test]
fn the_first_look_at_a_new_bus_shows_what_is_on_it() {
    let db = database();
    let first = Served::on(Arc::clone(&db), bus(1));
    let (_, before) = first.journal.log.batches.split_last().unwrap();
    before.iter().for_each(|batch| first.batch(batch));
    let entries = |served: &Served| {
        let page = served.get(TENANT, "/v1/journal/entries?limit=100").json();
        page["data"].as_array().unwrap().len() as u64
    };
    assert_eq!(entries(&first), first.size() - 1);
    drop(first);

    let renewed = Served::on(db, bus(2));
    renewed.all_batches();
    assert_eq!(entries(&renewed), renewed.size());
}

/// The first look fills the mirror, which takes longer than this wait.
#[test]
fn what_is_there_is_shown_however_short_the_wait() {
    let served = Served::new();
    served.all_batches();
    served.witnessed(served.last());
    let vault = served.journal.world.tenant.vault;
    let path = format!("/v1/vaults/{vault}/addresses/0-7?wait_ms=1");
    assert!(!served.get(TENANT, &path).json()["proof"].is_null());
}
