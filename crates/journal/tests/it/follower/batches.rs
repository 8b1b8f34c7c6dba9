//! Batches: what is applied, what is skipped or refused, and what stops the replica.

use super::{code, follower, note};
use strongroom_journal::follower::SplitView;
use strongroom_journal::{Body, Entry, SealedEntry, entry};
use strongroom_tlog::{Checkpoint, Hash, NoteSigner, sign_note};
use strongroom_types::{Code, Scope};
use strongroom_wire::{JournalBatch, decode, encode};
use strongroom_world::small::*;

#[test]
fn a_follower_ends_where_the_writer_stands() {
    let (mut log, mut replica) = (log(), follower());
    for i in 0..5 {
        let applied = replica.append(&log.tick(at(i * 1000))).unwrap();
        assert_eq!(applied.len(), if i == 0 { 2 } else { 1 });
    }
    assert_eq!(replica.tip(), log.follower.tip());
    assert_eq!(
        (replica.size(), replica.state().map()),
        (6, log.follower.state().map())
    );
}

#[test]
fn a_batch_that_was_applied_before_is_skipped() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    replica.append(&one).unwrap();
    replica.append(&two).unwrap();
    assert_eq!(replica.append(&one).unwrap(), []);
    assert_eq!(replica.append(&two).unwrap(), []);
    assert_eq!((replica.size(), replica.halted()), (3, None));
}

#[test]
fn a_batch_that_overlaps_the_tip_adds_only_what_is_new() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    replica.append(&one).unwrap();
    let entries = [one.entries, two.entries].concat();
    let both = JournalBatch {
        first_seq: 0,
        entries,
        note: two.note,
    };
    assert_eq!(replica.append(&both).unwrap().len(), 1);
    assert_eq!(replica.tip(), log.follower.tip());
}

#[test]
fn a_gap_is_refused_and_the_missing_batch_still_fits() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    assert_eq!(code(replica.append(&two)), Code::NotReady);
    replica.append(&one).unwrap();
    replica.append(&two).unwrap();
}

#[test]
fn a_checkpoint_that_the_log_did_not_sign_is_refused_without_stopping() {
    let (mut log, mut replica) = (log(), follower());
    let good = log.tick(START);
    let stranger = NoteSigner::new(&genesis().origin, &[91; 32]).unwrap();
    let note = sign_note(&log.follower.tip().body, &stranger).unwrap();
    assert_eq!(
        code(replica.append(&JournalBatch {
            note,
            ..good.clone()
        })),
        Code::BadSignature
    );
    assert_eq!((replica.size(), replica.halted()), (0, None));
    replica.append(&good).unwrap();
}

#[test]
fn a_checkpoint_of_another_size_than_its_entries_give_proves_nothing() {
    let (mut log, mut replica) = (log(), follower());
    let (one, two) = (log.tick(START), log.tick(START));
    let spliced = JournalBatch {
        note: two.note.clone(),
        ..one.clone()
    };
    assert_eq!(code(replica.append(&spliced)), Code::Malformed);
    let empty = JournalBatch {
        first_seq: 2,
        entries: Vec::new(),
        note: one.note.clone(),
    };
    assert_eq!(code(replica.append(&empty)), Code::Malformed);
    let beyond = JournalBatch {
        first_seq: u64::MAX,
        ..one.clone()
    };
    assert_eq!(code(replica.append(&beyond)), Code::Malformed);
    assert_eq!(replica.halted(), None);
    replica.append(&one).unwrap();
    replica.append(&two).unwrap();
}

#[test]
fn a_checkpoint_of_another_origin_is_refused() {
    let (mut log, mut replica) = (log(), follower());
    let good = log.tick(START);
    let other = log
        .follower
        .tip()
        .body
        .replace(&genesis().origin, "other.example");
    assert_eq!(
        code(replica.append(&JournalBatch {
            note: note(&other),
            ..good
        })),
        Code::Malformed
    );
}

/// What cannot be read has no leaf, so the note proves nothing about it: had the log signed such an
/// entry, this build could not tell. The true batch behind it is still followed.
#[test]
fn an_entry_of_another_version_beside_the_logs_note_is_refused_by_name_without_stopping() {
    let (mut log, mut replica) = (log(), follower());
    replica.append(&log.tick(START)).unwrap();
    let good = log.tick(START);

    for version in [1, entry::VERSION + 1] {
        let mut sealed: SealedEntry = decode(&good.entries[0]).unwrap();
        sealed.entry.splice(..2, version.to_le_bytes());
        let mut old = good.clone();
        old.entries[0] = encode(&sealed);
        assert_eq!(code(replica.append(&old)), Code::UnknownEntry, "{version}");
        assert_eq!((replica.size(), replica.halted()), (2, None));
    }
    replica.append(&good).unwrap();
}

/// The log's note beside entries of another hand, ahead of the true ones: it says nothing about
/// them. Stopped by it, a replica would stop again at each start, at the same record.
#[test]
fn hole_entries_that_the_log_did_not_sign_do_not_stop_a_replica_and_the_true_ones_follow() {
    let mut log = log();
    let first = log.tick(START);
    let good = log
        .order(START, &[Body::Tick, Body::Act(stop(1))])
        .batches
        .pop()
        .unwrap()
        .batch;

    let mut altered = Vec::new();
    for (at, entry) in good.entries.iter().enumerate() {
        for byte in 0..entry.len() {
            let mut other = good.clone();
            other.entries[at][byte] ^= 1;
            altered.push(other);
        }
    }
    let mut swapped = good.clone();
    swapped.entries.reverse();
    let mut emptied = good.clone();
    emptied.entries.fill(Vec::new());
    altered.extend([swapped, emptied]);

    let mut replica = follower();
    replica.append(&first).unwrap();
    let before = replica.tip().clone();
    for batch in &altered {
        assert!(replica.append(batch).is_err());
        assert_eq!((replica.halted(), replica.tip()), (None, &before));
    }
    replica.append(&good).unwrap();
    assert_eq!(replica.tip(), log.follower.tip());
}

#[test]
fn a_batch_is_applied_whole_or_not_at_all_and_a_wrong_state_stops_the_replica() {
    let mut log = log();
    let first = log.tick(START);
    let before = log.follower.tip().clone();
    let second = log
        .order(START, &[Body::Tick, Body::Act(stop(1)), Body::Tick])
        .batches
        .pop()
        .unwrap()
        .batch;
    let tip = log.follower.tip().clone();
    let body = tip.body.replace(
        &Hash(tip.state_root.0).to_string(),
        &Hash(before.state_root.0).to_string(),
    );
    assert_ne!(body, tip.body);

    let mut replica = follower();
    replica.append(&first).unwrap();
    let (map, frontier) = (replica.state().map().clone(), replica.frontier().clone());
    let lie = JournalBatch {
        note: note(&body),
        ..second.clone()
    };
    assert_eq!(code(replica.append(&lie)), Code::Conflict);
    assert_eq!(
        (replica.state().map(), replica.frontier()),
        (&map, &frontier)
    );
    assert_eq!(replica.state().root(), before.state_root);
    assert_eq!(
        code(replica.append(&second)),
        Code::Conflict,
        "stopped for good"
    );
    assert_eq!(
        code(replica.fresh(START)),
        Code::Conflict,
        "and shares nothing"
    );
}

/// Entries and note do not fit each other: which of the two is false, they do not say.
#[test]
fn a_note_over_another_tree_than_its_entries_give_is_refused_without_stopping() {
    let mut log = log();
    let first = log.tick(START);
    let before = log.follower.tip().root.to_string();
    let second = log.tick(START);
    let tip = log.follower.tip().clone();
    let body = tip.body.replace(&tip.root.to_string(), &before);
    assert_ne!(body, tip.body);

    let mut replica = follower();
    replica.append(&first).unwrap();
    let lie = JournalBatch {
        note: note(&body),
        ..second.clone()
    };
    assert_eq!(code(replica.append(&lie)), Code::Malformed);
    assert_eq!(replica.halted(), None);
    replica.append(&second).unwrap();
    assert_eq!(*replica.tip(), tip);
}

#[test]
fn an_entry_that_apply_refuses_stops_the_replica_and_leaves_no_trace() {
    let mut log = log();
    let first = log.tick(at(9000));
    let mut replica = follower();
    replica.append(&first).unwrap();
    let before = replica.state().map().clone();
    // The hostile writer appends a good tick and one that goes back in time, and signs the tree
    // over both.
    let tick = |seq, at| {
        let (version, scope) = (entry::VERSION, Scope::Platform);
        SealedEntry::new(
            &Entry {
                version,
                seq,
                at,
                scope,
                body: Body::Tick,
            },
            [0; 32],
        )
    };
    let sealed = [tick(2, at(9000)), tick(3, at(8999))];
    let mut frontier = replica.frontier().clone();
    sealed
        .iter()
        .for_each(|s| frontier.append(s.leaf_hash(&s.open().unwrap())));
    let checkpoint = Checkpoint::with_state(
        &genesis().origin,
        4,
        frontier.root(),
        Hash(replica.state().root().0),
    )
    .unwrap();
    let entries = sealed.iter().map(encode).collect();
    let batch = JournalBatch {
        first_seq: 2,
        entries,
        note: note(&checkpoint.to_body()),
    };
    assert_eq!(code(replica.append(&batch)), Code::TimeWentBack);
    assert_eq!((replica.state().map(), replica.size()), (&before, 2));
    assert_eq!(replica.halted().unwrap().code, Code::TimeWentBack);
}

#[test]
fn a_second_tree_of_a_known_size_is_kept_as_evidence_and_stops_the_replica() {
    let (mut log, mut other, mut replica) = (log(), salted_log(2), follower());
    replica.append(&log.tick(START)).unwrap();
    let theirs = other.tick(START);
    assert_eq!(code(replica.append(&theirs)), Code::Conflict);
    let ours = log.follower.tip().body.clone();
    assert_eq!(
        replica.evidence(),
        [SplitView::Log {
            ours,
            note: theirs.note
        }]
    );
    assert!(replica.halted().is_some());
}
