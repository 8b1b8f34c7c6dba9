use crate::fixture::*;
use strongroom_journal::Body;
use strongroom_journal::witness::Witness;
use strongroom_replica::{Replica, ReplicaError};
use strongroom_store_sqlite::SqliteDb;
use strongroom_types::{Act, ActBody, Code, Digest, Document as _, Tighten, UnixMs};
use strongroom_wire::WitnessCosignature;
use strongroom_world::{Ledger, Log, Who};

fn cosign(
    db: &SqliteDb,
    replica: &mut Replica,
    witness: &mut Witness,
    now: UnixMs,
) -> Result<WitnessCosignature, ReplicaError> {
    commit(db, |tx| replica.cosign(tx, witness, now))
}

#[test]
fn what_is_cosigned_is_stored_in_the_same_transaction() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    let signed = cosign(&db, &mut replica, &mut witness, START).unwrap();
    assert_eq!(signed, cosignature(1, &log.follower.tip().body, START));
    let again = Replica::open(&db, genesis())
        .unwrap()
        .witness(node(1), &witness_seed(1))
        .unwrap();
    assert_eq!(again.last().unwrap().body, signed.body);
}

#[test]
fn a_cosignature_whose_transaction_was_lost_is_not_made_upon_again() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    lose(&db, |tx| replica.cosign(tx, &mut witness, START)).unwrap();
    append(&db, &mut replica, &log.tick(START));
    let stale = cosign(&db, &mut replica, &mut witness, START);
    assert!(
        matches!(stale, Err(ReplicaError::Stale)),
        "memory is ahead of the disk"
    );
    commit(&db, |tx| replica.reload(tx)).unwrap();
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    assert_eq!(
        cosign(&db, &mut replica, &mut witness, START).unwrap().body,
        log.follower.tip().body
    );
}

#[test]
fn a_head_whose_transaction_was_lost_is_not_cosigned_from_memory() {
    let mut log = log();
    let (one, two) = (log.tick(START), log.tick(START));
    let (db, mut replica) = stored(&[one]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    lose(&db, |tx| replica.cosign(tx, &mut witness, START)).unwrap();
    let again = cosign(&db, &mut replica, &mut witness, START);
    assert!(
        matches!(again, Err(ReplicaError::Stale)),
        "the same head again would be signed but not stored"
    );
    commit(&db, |tx| replica.reload(tx)).unwrap();
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    lose(&db, |tx| replica.append(tx, &two)).unwrap();
    assert!(matches!(
        cosign(&db, &mut replica, &mut witness, START),
        Err(ReplicaError::Stale)
    ));
}

#[test]
fn of_two_processes_with_one_key_only_one_cosigns() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut twin = Replica::open(&db, genesis()).unwrap();
    let mut first = replica.witness(node(1), &witness_seed(1)).unwrap();
    let mut second = twin.witness(node(1), &witness_seed(1)).unwrap();
    cosign(&db, &mut replica, &mut first, START).unwrap();
    assert!(matches!(
        cosign(&db, &mut twin, &mut second, START),
        Err(ReplicaError::Stale)
    ));
}

#[test]
fn a_log_that_lacks_what_was_cosigned_does_not_open() {
    let mut log = log();
    let batches = [log.tick(START), log.tick(START)];
    let (db, mut replica) = stored(&batches);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    cosign(&db, &mut replica, &mut witness, START).unwrap();
    commit(&db, |tx| {
        tx.execute("UPDATE journal_witness SET cosigned_size = 9", &[])
    })
    .unwrap();
    assert_eq!(code(Replica::open(&db, genesis())), Code::StoreCorrupt);
    commit(&db, |tx| {
        tx.execute("UPDATE journal_witness SET cosigned_size = 2", &[])
    })
    .unwrap();
    assert_eq!(code(Replica::open(&db, genesis())), Code::StoreCorrupt);
    commit(&db, |tx| {
        tx.execute("UPDATE journal_witness SET cosigned_size = 3", &[])
    })
    .unwrap();
    Replica::open(&db, genesis()).unwrap();
}

#[test]
fn a_log_that_was_put_back_behind_what_was_cosigned_does_not_open() {
    let mut log = log();
    let (one, two) = (log.tick(START), log.tick(START));
    let (db, _) = stored(&[one]);
    let body = log.follower.tip().body.clone();
    commit(&db, |tx| {
        let head = [3i64.into(), (&two.note).into()];
        tx.execute(
            "INSERT INTO journal_head (size, note) VALUES ($1, $2)",
            &head,
        )
        .unwrap();
        let cosigned = "UPDATE journal_witness SET cosigned_size = 3, cosigned_body = $1";
        assert_eq!(tx.execute(cosigned, &[(&body).into()]).unwrap(), 1);
    });
    assert_eq!(code(Replica::open(&db, genesis())), Code::StoreCorrupt);
}

#[test]
fn a_handed_tightening_survives_a_restart_and_is_forgotten_once_the_journal_has_it() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    commit(&db, |tx| replica.hand(tx, &mut witness, &stop(1), START)).unwrap();
    let mut replica = Replica::open(&db, genesis()).unwrap();
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    assert_eq!(witness.handed().count(), 1);
    append(&db, &mut replica, &log.tick(at(11_000)));
    assert_eq!(
        code(cosign(&db, &mut replica, &mut witness, at(11_000))),
        Code::TighteningPending
    );
    append(
        &db,
        &mut replica,
        &log.batch(at(11_000), &[Body::Act(stop(1))]),
    );
    cosign(&db, &mut replica, &mut witness, at(11_000)).unwrap();
    let replica = Replica::open(&db, genesis()).unwrap();
    assert_eq!(
        replica
            .witness(node(1), &witness_seed(1))
            .unwrap()
            .handed()
            .count(),
        0
    );
}

#[test]
fn a_cosignature_by_this_witness_beyond_the_disk_retires_the_key_across_restarts() {
    let mut log = log();
    let (one, two) = (log.tick(START), log.tick(START));
    let (db, mut replica) = stored(&[one]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    cosign(&db, &mut replica, &mut witness, START).unwrap();
    let unknown = cosignature(1, &log.follower.tip().body, START);
    commit(&db, |tx| {
        replica.on_own_cosignature(tx, &mut witness, &unknown)
    })
    .unwrap();
    append(&db, &mut replica, &two);
    assert_eq!(
        code(cosign(&db, &mut replica, &mut witness, START)),
        Code::SignerRetired
    );
    let mut again = Replica::open(&db, genesis()).unwrap();
    let mut witness = again.witness(node(1), &witness_seed(1)).unwrap();
    assert!(again.is_retired());
    assert_eq!(
        code(cosign(&db, &mut again, &mut witness, START)),
        Code::SignerRetired
    );
}

/// A disk that was put back, and followed another line past what it had cosigned before.
#[test]
fn a_cosignature_by_this_witness_over_a_head_that_is_not_stored_retires_the_key() {
    let (mut log, mut other) = (log(), salted_log(2));
    let batches = [log.tick(START), log.tick(START), log.tick(START)];
    other.tick(START);
    let same_size = other.follower.tip().body.clone();
    other.tick(START);
    other.batch(START, &[Body::Tick, Body::Tick]);
    let beyond = other.follower.tip().body.clone();

    for (shown, is_known) in [
        (None, true),
        (Some(same_size), false),
        (Some(beyond), false),
    ] {
        let (db, mut replica) = stored(&batches[..1]);
        let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
        let early = cosign(&db, &mut replica, &mut witness, START).unwrap();
        append(&db, &mut replica, &batches[1]);
        append(&db, &mut replica, &batches[2]);
        cosign(&db, &mut replica, &mut witness, START).unwrap();

        let shown = shown.map_or(early, |body| cosignature(1, &body, START));
        commit(&db, |tx| {
            replica.on_own_cosignature(tx, &mut witness, &shown)
        })
        .unwrap();
        assert_eq!(replica.is_retired(), !is_known, "{}", shown.body);
    }
}

#[test]
fn a_key_retired_on_disk_cosigns_nothing_even_if_memory_does_not_know() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    commit(&db, |tx| {
        tx.execute("UPDATE journal_witness SET retired = 1", &[])
    })
    .unwrap();
    assert_eq!(
        code(cosign(&db, &mut replica, &mut witness, START)),
        Code::SignerRetired
    );
}

#[test]
fn the_end_of_a_duty_is_stored_with_its_entry_and_the_newest_ends_are_kept() {
    use strongroom_journal::witness::HANDED_ENDED_MAX;
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    let rows = |db: &SqliteDb| {
        let all = "SELECT digest FROM journal_handed";
        commit(db, |tx| tx.query(all, &[]).unwrap().len())
    };
    let many = u8::try_from(HANDED_ENDED_MAX).unwrap() + 3;
    for id in 0..many {
        // The acts are spread over minutes, because an admin has a quota of tightenings per minute.
        let now = START.plus(u64::from(id) * 2_000);
        commit(&db, |tx| replica.hand(tx, &mut witness, &stop(id), now)).unwrap();
        let batch = log.batch(now, &[Body::Tick, Body::Act(stop(id)), Body::Tick]);
        commit(&db, |tx| {
            let watch = &mut |state: &_, entry: &_| witness.on_entry(state, entry, now);
            replica.append_with(tx, &batch, watch).unwrap();
            replica.settle_handed(tx, &mut witness, now).unwrap();
        });
    }
    let entry = log.follower.size() - 2;
    assert_eq!(rows(&db), HANDED_ENDED_MAX);

    let mut replica = Replica::open(&db, genesis()).unwrap();
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    assert_eq!(witness.handed().count(), 0);
    let ended: Vec<_> = witness.handed_ended().cloned().collect();
    assert_eq!(ended.len(), HANDED_ENDED_MAX);
    let last = ended
        .iter()
        .find(|ended| ended.entry == Some(entry))
        .unwrap();
    assert_eq!(last.code, Code::UsedAuthority);
    let again = commit(&db, |tx| {
        replica.hand(tx, &mut witness, &stop(many - 1), START)
    });
    let ReplicaError::Refused(refusal) = again.unwrap_err() else {
        panic!("a refusal")
    };
    let named = format!("handed before, in the journal, entry {entry}");
    assert!(refusal.detail.ends_with(&named), "{}", refusal.detail);
}

/// When `hand` refuses an act, the ends that it noticed must be stored all the same: after a crash
/// the entry that ended them would not be known.
#[test]
fn an_end_that_is_noticed_by_a_refused_act_is_stored() {
    let mut log = log();
    let (db, mut replica) = stored(&[log.tick(START)]);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    commit(&db, |tx| replica.hand(tx, &mut witness, &stop(1), START)).unwrap();
    let batch = log.batch(at(1_000), &[Body::Act(stop(1))]);
    commit(&db, |tx| {
        let watch = &mut |state: &_, entry: &_| witness.on_entry(state, entry, at(1_000));
        replica.append_with(tx, &batch, watch).unwrap();
    });
    let again = commit(&db, |tx| {
        replica.hand(tx, &mut witness, &stop(1), at(1_000))
    });
    assert_eq!(code(again), Code::UsedAuthority);

    let replica = Replica::open(&db, genesis()).unwrap();
    let witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    assert_eq!(witness.handed().count(), 0);
    let ended: Vec<_> = witness.handed_ended().map(|ended| ended.entry).collect();
    assert_eq!(ended, [Some(log.follower.size() - 1)]);
}

/// The act's duty ended when its signer's credential was revoked; another admin then signs the same
/// text.
#[test]
fn an_act_that_ended_is_stored_as_open_when_it_is_handed_again() {
    let ledger = Ledger::ready(world());
    let now = ledger.now;
    let mut log = Log::of(&ledger);
    let (db, mut replica) = stored(&log.batches);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    let [first, second] = [0, 1].map(Who::Admin);
    let tighten = |what, who| ledger.signed_act(ActBody::Tighten(what), &[who]);
    let by_first = tighten(Tighten::Stop, first);
    commit(&db, |tx| replica.hand(tx, &mut witness, &by_first, now)).unwrap();
    let revoke = Tighten::revoke(ledger.world.person(first).credential.id);
    let batch = log.batch(now, &[Body::Act(tighten(revoke, second))]);
    append(&db, &mut replica, &batch);
    commit(&db, |tx| replica.settle_handed(tx, &mut witness, now)).unwrap();
    assert_eq!(
        (witness.handed().count(), witness.handed_ended().count()),
        (0, 1)
    );

    // Another duty ends after that, and storing its end deletes the rows of forgotten ends.
    let act = Act::parse(&by_first.text).unwrap();
    let by_second = ledger.world.sign(&act, &[second]);
    let cancel = tighten(Tighten::Cancel(Digest([7; 32])), second);
    for signed in [&by_second, &cancel] {
        commit(&db, |tx| replica.hand(tx, &mut witness, signed, now)).unwrap();
    }
    let later = now.plus(1_000);
    append(&db, &mut replica, &log.batch(later, &[Body::Act(cancel)]));
    commit(&db, |tx| replica.settle_handed(tx, &mut witness, later)).unwrap();

    let replica = Replica::open(&db, genesis()).unwrap();
    let witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    let open: Vec<_> = witness.handed().map(|act| act.signed.clone()).collect();
    assert_eq!(open, [by_second]);
    assert_eq!(witness.handed_ended().count(), 1);
}

/// The act is kept with all of its signatures, in memory and after a start.
#[test]
fn a_signature_that_is_added_to_a_handed_act_is_stored_in_its_place() {
    let ledger = Ledger::ready(world());
    let now = ledger.now;
    let log = Log::of(&ledger);
    let (db, mut replica) = stored(&log.batches);
    let mut witness = replica.witness(node(1), &witness_seed(1)).unwrap();
    let cancel = ActBody::Tighten(Tighten::Cancel(Digest([7; 32])));
    let by_clerk = ledger.signed_act(cancel, &[Who::Clerk]);
    let act = Act::parse(&by_clerk.text).unwrap();
    let by_both = ledger.world.sign(&act, &[Who::Clerk, Who::Initiator]);
    for signed in [&by_clerk, &by_both] {
        commit(&db, |tx| replica.hand(tx, &mut witness, signed, now)).unwrap();
    }
    for replica in [replica, Replica::open(&db, genesis()).unwrap()] {
        let witness = replica.witness(node(1), &witness_seed(1)).unwrap();
        let open: Vec<_> = witness.handed().map(|act| &act.signed).collect();
        assert_eq!(open, [&by_both]);
    }
}
