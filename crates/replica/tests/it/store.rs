use crate::fixture::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use std::sync::Arc;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::writer::{Offer, Orderer};
use strongroom_journal::{Body, Genesis};
use strongroom_replica::{Replica, ReplicaError};
use strongroom_tlog::{Hash, NoteSigner, sign_note};
use strongroom_types::{ActBody, Code};

#[test]
fn a_replica_is_after_a_start_what_it_was_before() {
    let mut log = log();
    let batches = [
        log.tick(START),
        log.batch(START, &[Body::Act(stop(1))]),
        log.tick(at(5)),
    ];
    let (db, replica) = stored(&batches);
    let again = Replica::open(&db, genesis()).unwrap();
    assert_eq!(again.follower().tip(), replica.follower().tip());
    assert_eq!(again.follower().tip(), log.follower.tip());
    assert_eq!(again.follower().state().map(), log.follower.state().map());
    assert!(again.follower().state().platform().unwrap().stopped);
}

#[test]
fn entries_and_batches_are_read_as_they_were_published() {
    let mut log = log();
    let batches = [
        log.tick(START),
        log.batch(START, &[Body::Act(stop(1)), Body::Tick]),
    ];
    let (db, replica) = stored(&batches);
    lose(&db, |tx| {
        assert_eq!(
            replica.entry(tx, 2).unwrap().unwrap().body,
            Body::Act(stop(1))
        );
        assert_eq!(replica.entry(tx, 4).unwrap(), None);
        assert_eq!(
            Replica::batch_after(tx, 0).unwrap().as_ref(),
            Some(&batches[0])
        );
        assert_eq!(
            Replica::batch_after(tx, 2).unwrap().as_ref(),
            Some(&batches[1])
        );
        assert_eq!(Replica::batch_after(tx, 4).unwrap(), None);
    });
}

#[test]
fn a_lost_transaction_leaves_nothing_and_the_reloaded_replica_takes_the_batch_again() {
    let mut log = log();
    let (one, two) = (log.tick(START), log.tick(START));
    let (db, mut replica) = stored(&[one]);
    lose(&db, |tx| replica.append(tx, &two)).unwrap();
    assert_eq!(replica.follower().size(), 3, "memory moved with the call");
    commit(&db, |tx| replica.reload(tx)).unwrap();
    assert_eq!(replica.follower().size(), 2);
    assert_eq!(append(&db, &mut replica, &two).len(), 1);
    assert_eq!(
        Replica::open(&db, genesis()).unwrap().follower().tip(),
        log.follower.tip()
    );
}

#[test]
fn a_replica_that_was_not_reloaded_after_a_lost_transaction_writes_nothing() {
    let mut log = log();
    let batches = [log.tick(START), log.tick(START), log.tick(START)];
    let (db, mut replica) = stored(&batches[..1]);
    lose(&db, |tx| replica.append(tx, &batches[1])).unwrap();
    assert!(matches!(
        lose(&db, |tx| replica.append(tx, &batches[2])),
        Err(ReplicaError::Stale)
    ));
}

#[test]
fn a_refused_batch_leaves_tables_and_memory_untouched() {
    let mut log = log();
    let first = log.tick(START);
    let (db, mut replica) = stored(&[first]);
    let good = log.batch(START, &[Body::Tick, Body::Tick]);
    let mut bad = good.clone();
    let last = bad.entries[1].len() - 40;
    bad.entries[1][last] ^= 1;
    commit(&db, |tx| replica.append(tx, &bad)).unwrap_err();
    assert_eq!(replica.follower().size(), 2);
    assert_eq!(Replica::open(&db, genesis()).unwrap().follower().size(), 2);
    assert_eq!(append(&db, &mut replica, &good).len(), 2);
}

#[test]
fn a_batch_that_the_log_signed_and_that_cannot_be_followed_stops_a_replica_in_memory() {
    let mut log = log();
    let first = log.tick(START);
    let before = Hash(log.follower.tip().state_root.0).to_string();
    let (db, mut replica) = stored(&[first]);

    // The log signs another state than its entries lead to.
    let mut bad = log.batch(START, &[Body::Act(stop(1))]);
    let tip = log.follower.tip();
    let body = tip
        .body
        .replace(&Hash(tip.state_root.0).to_string(), &before);
    let signer = NoteSigner::new(&genesis().origin, &log_seed()).unwrap();
    bad.note = sign_note(&body, &signer).unwrap();
    commit(&db, |tx| replica.append(tx, &bad)).unwrap_err();
    assert!(
        replica.follower().halted().is_some(),
        "a replica stops; it never goes on"
    );
    assert!(lose(&db, |tx| replica.reload(tx)).is_err());
    assert_eq!(Replica::open(&db, genesis()).unwrap().follower().size(), 2);
}

#[test]
fn a_split_view_of_a_head_that_memory_forgot_is_found_in_the_tables() {
    let (mut log, mut other) = (log(), salted_log(2));
    let batches = [log.tick(START), log.tick(START)];
    let (db, _) = stored(&batches);
    let mut replica = Replica::open(&db, genesis()).unwrap();
    assert_eq!(
        commit(&db, |tx| replica.append(tx, &batches[0])).unwrap(),
        []
    );
    assert_eq!(
        code(commit(&db, |tx| replica.append(tx, &other.tick(START)))),
        Code::Conflict
    );
    assert_eq!(replica.follower().evidence().len(), 1);
    assert!(replica.follower().halted().is_some());
}

#[test]
fn a_row_edited_by_hand_is_found_at_the_start() {
    let mut log = log();
    let batches = [log.tick(START), log.batch(START, &[Body::Act(stop(1))])];
    let edits = [
        "UPDATE journal_state SET state_value = x'00' WHERE state_key = x'01'",
        "DELETE FROM journal_state WHERE state_key = x'01'",
        "INSERT INTO journal_state (state_key, state_value) VALUES (x'63', x'00')",
        "UPDATE journal_meta SET size = 2",
        "UPDATE journal_meta SET note = (SELECT note FROM journal_head WHERE size = 2)",
        "UPDATE journal_meta SET note = NULL",
        "UPDATE journal_meta SET frontier = x'00'",
        "DELETE FROM journal_entry WHERE seq = 2",
        "UPDATE journal_entry SET sealed = (SELECT sealed FROM journal_entry WHERE seq = 1) WHERE seq = 2",
    ];
    for edit in edits {
        let (db, _) = stored(&batches);
        assert_eq!(
            commit(&db, |tx| tx.execute(edit, &[])).unwrap(),
            1,
            "{edit}"
        );
        assert_eq!(
            code(Replica::open(&db, genesis())),
            Code::StoreCorrupt,
            "{edit}"
        );
    }
}

#[test]
fn the_tables_of_another_installation_are_refused() {
    let (db, _) = stored(&[]);
    let other = Genesis {
        created: at(1),
        ..genesis().as_ref().clone()
    };
    assert_eq!(
        code(Replica::open(&db, Arc::new(other))),
        Code::GenesisMismatch
    );
}

#[test]
fn the_writers_own_batches_are_stored_as_others_follow_them() {
    let (db, mut replica) = stored(&[]);
    let orderer = Orderer::new(&genesis(), &log_seed()).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let offers = vec![Offer::tick(); 4500];
    let ordered = commit(&db, |tx| {
        replica.order(tx, &orderer, START, &offers, &mut rng)
    })
    .unwrap();
    assert!(ordered.batches.len() > 1);
    let (_, other) = stored(
        &ordered
            .batches
            .iter()
            .map(|b| b.batch.clone())
            .collect::<Vec<_>>(),
    );
    let mut again = Replica::open(&db, genesis()).unwrap();
    assert_eq!(again.follower().tip(), other.follower().tip());
    lose(&db, |tx| {
        let mut size = 0;
        for ordered in &ordered.batches {
            let batch = Replica::batch_after(tx, size).unwrap().unwrap();
            assert_eq!(batch, ordered.batch);
            size += batch.entries.len() as u64;
        }
        again.reload(tx).unwrap();
    });
}

#[test]
fn hole_witnessed_entry_over_another_tree_than_the_stored_one_stops_the_replica() {
    let mut log = log();
    let batches = [
        log.batch(START, &[Body::Act(stop(1))]),
        log.batch(START, &[Body::Act(platform_act(2, 2, ActBody::Resume))]),
        log.tick(START),
    ];
    let (db, replica) = stored(&batches);
    let ours = replica.follower().head(3).unwrap().body.clone();

    // The writer forgets that head in memory, and a replica does at its next start.
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    assert!(log.follower.head(3).is_none());
    let mut again = Replica::open(&db, genesis()).unwrap();
    assert!(again.follower().head(3).is_none());

    let other = ours.replace("state ", "other ");
    let witnessed = world().witnessed(&other, &[1, 2, 3], START);
    let batch = log.batch(START, &[Body::Witnessed(witnessed)]);
    let refused = lose(&db, |tx| again.append(tx, &batch));
    assert_eq!(code(refused), Code::Conflict);
    assert!(again.follower().halted().is_some());
    assert_eq!(again.follower().evidence().len(), 3);

    // A replica that gets the honest batch continues.
    let mut honest = Replica::open(&db, genesis()).unwrap();
    let mut log = strongroom_world::Log::new(&world());
    for bodies in [
        vec![Body::Act(stop(1))],
        vec![Body::Act(platform_act(2, 2, ActBody::Resume))],
        vec![Body::Tick],
    ] {
        log.batch(START, &bodies);
    }
    assert_eq!(honest.follower().tip(), log.follower.tip());
    let witnessed = world().witnessed(&ours, &[1, 2, 3], START);
    let batch = log.batch(START, &[Body::Witnessed(witnessed)]);
    append(&db, &mut honest, &batch);
    assert!(!honest.follower().state().platform().unwrap().stopped);
}
