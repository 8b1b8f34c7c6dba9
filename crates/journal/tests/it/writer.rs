//! The orderer: what it appends, when, and in which batches.

use crate::code;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use strongroom_journal::entry::ENTRY_BYTES_MAX;
use strongroom_journal::follower::Follower;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::writer::{BATCH_BYTES_MAX, HOLD_MAX_MS, Ordered, Orderer, TICK_AFTER_MS};
use strongroom_journal::{Body, Finished, SealedEntry, State};
use strongroom_types::{
    ActBody, Code, Digest, KeyId, NodeId, RegistryRecord, Signed, User, UserId,
};
use strongroom_wire::codec::RECORD_BYTES_MAX;
use strongroom_wire::envelope::Heading;
use strongroom_wire::frame::{FRAME_BYTES_MAX, ToSigner};
use strongroom_wire::{JournalBatch, encode, seal};
use strongroom_world::small::*;

#[test]
fn entry_0_is_the_genesis() {
    let mut log = log();
    let ordered = log.order(START, &[]);
    let batch = &ordered.batches[0];
    assert_eq!(
        (
            batch.batch.first_seq,
            batch.applied.len(),
            ordered.results.len()
        ),
        (0, 1, 0)
    );
    let entry = batch.applied[0].0.open().unwrap();
    assert_eq!(
        (entry.seq, entry.body, entry.at),
        (0, Body::Genesis(genesis().hash()), START)
    );
    assert_eq!(
        log.order(START, &[]),
        Ordered::default(),
        "and nothing is appended for nothing"
    );
}

#[test]
fn another_key_than_the_log_key_orders_nothing() {
    assert_eq!(
        Orderer::new(&genesis(), &[91; 32]).unwrap_err().code,
        Code::InvalidReference
    );
}

#[test]
fn journal_time_never_decreases_when_the_clock_does() {
    let mut log = log();
    log.tick(at(5000));
    let late = log.order(at(1000), &[Body::Tick]);
    assert_eq!(late.batches[0].applied[0].0.open().unwrap().at, at(5000));
}

#[test]
fn what_apply_refuses_is_not_appended_and_the_rest_is() {
    let mut log = log();
    let mut forged = stop(1);
    strongroom_world::forge(&mut forged.endorsements[0]);
    let bodies = [
        Body::Tick,
        Body::Act(forged),
        Body::Act(stop(2)),
        Body::Act(stop(2)),
        Body::Tick,
    ];
    let ordered = log.order(START, &bodies);
    let codes: Vec<_> = ordered
        .results
        .iter()
        .map(|r| r.as_ref().map_err(|refusal| refusal.code).copied())
        .collect();
    assert_eq!(
        codes,
        [
            Ok(1),
            Err(Code::BadSignature),
            Ok(2),
            Err(Code::UsedAuthority),
            Ok(3)
        ]
    );
    assert_eq!(
        Follower::new(genesis())
            .unwrap()
            .append(&ordered.batches[0].batch)
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn a_submission_about_nothing_known_is_refused() {
    let mut log = log();
    let finished = Finished {
        key: KeyId([1; 16]),
        transcript: Digest([0; 32]),
        public: Vec::new(),
        certificates: Vec::new(),
    };
    let junk = Signed {
        text: "{}".into(),
        endorsements: Vec::new(),
    };
    let ordered = log.order(
        START,
        &[
            Body::Finished(Box::new(finished)),
            Body::Act(junk),
            Body::Genesis(genesis().hash()),
        ],
    );
    let codes: Vec<_> = ordered
        .results
        .into_iter()
        .map(|r| r.unwrap_err().code)
        .collect();
    assert_eq!(codes, [Code::UnknownKey, Code::Malformed, Code::Malformed]);
}

#[test]
fn entry_of_128_kib_fits_batch_record_and_frame() {
    let sealed = SealedEntry {
        entry: vec![1; ENTRY_BYTES_MAX],
        salt: [2; 32],
    };
    let batch = JournalBatch {
        first_seq: u64::MAX,
        entries: vec![encode(&sealed)],
        note: "n".repeat(2000),
    };
    assert!(encode(&batch).len() <= BATCH_BYTES_MAX);

    // The largest batch of all is what its envelope must have room for.
    let note = "n".repeat(BATCH_BYTES_MAX - encode(&batch).len() + batch.note.len());
    let largest = JournalBatch { note, ..batch };
    assert_eq!(encode(&largest).len(), BATCH_BYTES_MAX);
    let heading = Heading {
        genesis: genesis().hash(),
        from: NodeId([1; 16]),
        to: Some(NodeId([1; 16])),
        session: [0; 16],
        cause: [0; 16],
        sequence: 0,
        created: START,
        deadline: START,
    };
    let record = seal(heading, &largest, &SigningKey::from_bytes(&[1; 32]));
    assert!(record.len() <= RECORD_BYTES_MAX);
    assert!(encode(&ToSigner::Batch(record)).len() <= FRAME_BYTES_MAX);
}

#[test]
fn a_batch_stays_within_a_record_and_the_rest_follows_in_the_next() {
    let mut log = log();
    let bodies = vec![Body::Tick; 4500];
    let ordered = log.order(START, &bodies);
    assert!(ordered.batches.len() > 1);
    let mut replica = Follower::new(genesis()).unwrap();
    for batch in &ordered.batches {
        assert!(encode(&batch.batch).len() <= BATCH_BYTES_MAX);
        replica.append(&batch.batch).unwrap();
    }
    assert_eq!(replica.tip(), log.follower.tip());

    // Each but the last is nearly full: every batch has a head that all witnesses cosign.
    let (_, full) = ordered.batches.split_last().unwrap();
    for batch in full {
        let bytes = encode(&batch.batch).len();
        assert!(bytes > BATCH_BYTES_MAX / 10 * 9, "{bytes} bytes");
    }
    let huge = Signed {
        text: "x".repeat(ENTRY_BYTES_MAX),
        endorsements: Vec::new(),
    };
    let refused = log.order(START, &[Body::Act(huge)]);
    assert!(refused.batches.is_empty());
    let codes: Vec<_> = refused.results.into_iter().map(code).collect();
    assert_eq!(codes, [Code::RecordTooLarge]);
}

#[test]
fn a_tick_is_due_only_when_an_unwitnessed_tip_grows_old() {
    let mut log = log();
    log.tick(START);
    assert!(!Orderer::tick_due(&log.follower, at(TICK_AFTER_MS - 1)));
    assert!(Orderer::tick_due(&log.follower, at(TICK_AFTER_MS)));
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    assert!(!Orderer::tick_due(&log.follower, at(TICK_AFTER_MS)));
}

#[test]
fn a_quiet_journal_ticks_before_readers_call_it_stale() {
    let mut log = log();
    log.tick(START);
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    let half = genesis().bounds.tick_max_ms / 2;
    assert!(!Orderer::tick_due(&log.follower, at(half - 1)));
    assert!(Orderer::tick_due(&log.follower, at(half)));
}

/// A stop of the platform, and a resume that waits to be witnessed.
fn resumed() -> strongroom_world::Log {
    let mut log = log();
    log.batch(START, &[Body::Act(stop(1))]);
    log.batch(START, &[Body::Act(platform_act(2, 2, ActBody::Resume))]);
    log
}

#[test]
fn the_writer_takes_the_k_earliest_words_over_one_head() {
    let mut log = resumed();
    assert_eq!(Orderer::witnessed_due(&log.follower), None);
    for (seat, at_ms) in [(4, 4_000), (1, 3_000)] {
        cosign_tip(&mut log.follower, &[seat], at(at_ms));
    }
    assert_eq!(Orderer::witnessed_due(&log.follower), None, "two of three");
    for (seat, at_ms) in [(2, 1_000), (3, 2_000), (3, 5_000)] {
        cosign_tip(&mut log.follower, &[seat], at(at_ms));
    }
    let due = Orderer::witnessed_due(&log.follower).unwrap();
    let Body::Witnessed(witnessed) = &due.body else {
        panic!("a witnessed entry")
    };
    let mut times: Vec<u64> = witnessed.cosignatures.iter().map(|c| c.time_s).collect();
    times.sort_unstable();
    assert_eq!(times, [1_000, 2_000, 3_000].map(|ms| at(ms).0 / 1000));
    assert_eq!(witnessed.checkpoint, log.follower.tip().body);

    let ordered = log.order(at(5_000), &[due.body]);
    assert_eq!(ordered.results, [Ok(3)]);
    assert!(!log.follower.state().platform().unwrap().stopped);
    assert_eq!(Orderer::witnessed_due(&log.follower), None);
}

#[test]
fn cosignatures_over_two_heads_are_not_a_quorum_over_one() {
    let mut log = resumed();
    cosign_tip(&mut log.follower, &[1, 2], START);
    log.tick(START);
    cosign_tip(&mut log.follower, &[3, 4], START);
    assert_eq!(log.follower.witnessed(), 3, "by all four");
    let due = Orderer::witnessed_due(&log.follower);
    assert_eq!(due, None, "no three over one text");
    cosign_tip(&mut log.follower, &[1], START);
    assert!(Orderer::witnessed_due(&log.follower).is_some());
}

/// A proposal of the platform's admin, which waits until its entry is witnessed.
pub fn proposal(id: u8, version: u64) -> Body {
    let user = User {
        id: UserId([id; 16]),
        name: "someone".parse().unwrap(),
    };
    let put = ActBody::Put(RegistryRecord::User(user));
    Body::Act(platform_act(id, version, put))
}

/// The head that the `witnessed` entry which is due now is about.
fn head_due(log: &strongroom_world::Log) -> Option<String> {
    let due = Orderer::witnessed_due(&log.follower)?;
    let Body::Witnessed(witnessed) = due.body else {
        panic!("a witnessed entry")
    };
    Some(witnessed.checkpoint)
}

/// Else a stream of new items would keep everything from being settled.
#[test]
fn words_over_a_head_stay_good_when_more_begins_to_wait() {
    let mut log = log();
    log.batch(START, &[proposal(1, 1)]);
    let head = log.follower.tip().body.clone();
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    log.batch(at(1_000), &[proposal(2, 2)]);
    assert_eq!(head_due(&log), Some(head));

    let due = Orderer::witnessed_due(&log.follower).unwrap();
    log.batch(at(1_000), &[due.body]);
    let waiting = log.follower.state().waiting().unwrap().items;
    assert_eq!(waiting.len(), 1, "the newer one waits on");
    assert_eq!(head_due(&log), None);
}

/// Witnesses that come back cosign the tip alone.
#[test]
fn words_over_many_heads_without_a_quorum_do_not_keep_those_over_the_tip_out() {
    let mut log = log();
    log.batch(START, &[proposal(1, 1)]);
    for _ in 0..20 {
        cosign_tip(&mut log.follower, &[1], START);
        log.tick(START);
    }
    assert_eq!(head_due(&log), None);
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    assert_eq!(head_due(&log), Some(log.follower.tip().body.clone()));
}

#[test]
fn the_writer_ignores_a_word_that_is_undated_or_ahead() {
    let mut log = resumed();
    cosign_tip(&mut log.follower, &[1, 2], START);
    let body = log.follower.tip().body.clone();
    for time in [strongroom_types::UnixMs(0), at(6_000)] {
        let said = cosignature(3, &body, time);
        log.follower.cosignature(node(3), &said, START).unwrap();
    }
    assert_eq!(Orderer::witnessed_due(&log.follower), None);
}

#[test]
fn submissions_wait_while_the_tip_leaves_something_waiting() {
    let mut log = resumed();
    assert!(Orderer::holds(&log.follower, at(HOLD_MAX_MS - 1)));
    assert!(
        !Orderer::holds(&log.follower, at(HOLD_MAX_MS)),
        "a witness may be waiting for a submission"
    );
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    let due = Orderer::witnessed_due(&log.follower).unwrap();
    log.order(at(1_000), &[due.body]);
    assert!(!Orderer::holds(&log.follower, at(1_000)));
}

#[test]
fn a_full_batch_that_leaves_something_waiting_is_the_last() {
    let mut log = log();
    log.batch(START, &[Body::Act(stop(1))]);
    let mut bodies = vec![Body::Act(platform_act(2, 2, ActBody::Resume))];
    bodies.extend(vec![Body::Tick; 4500]);
    let ordered = log.order(START, &bodies);
    assert_eq!(ordered.batches.len(), 1);
    let late = ordered.results.last().unwrap();
    assert_eq!(late.as_ref().unwrap_err().code, Code::NotReady);
}

/// A step of the platform's life: 0 tick, 1 stop, 2 resume, else quarantine of one of four signers
/// (one unknown).
fn body(kind: u8, id: u8, version: u64) -> Body {
    match kind {
        0 => Body::Tick,
        1 => Body::Act(stop(id)),
        2 => Body::Act(platform_act(id, version, ActBody::Resume)),
        _ => Body::Act(quarantine(id, u16::from(kind - 2))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_replica_follows_whatever_the_writer_orders(
        batches in prop::collection::vec(
            (0u64..4000, prop::collection::vec((0u8..7, 0u8..12, 1u64..6), 0..6)), 1..12),
    ) {
        let mut log = log();
        let mut replica = Follower::new(genesis()).unwrap();
        let mut now = START;
        for (step, kinds) in batches {
            now = now.plus(step);
            let bodies: Vec<Body> = kinds.iter().map(|(k, id, v)| body(*k, *id, *v)).collect();
            let ordered = log.order(now, &bodies);
            prop_assert_eq!(ordered.results.len(), bodies.len());
            for batch in &ordered.batches {
                prop_assert_eq!(&replica.append(&batch.batch).unwrap(), &batch.applied);
            }
            prop_assert_eq!(replica.tip(), log.follower.tip());
            let again = State::from_map(genesis(), replica.state().map().clone());
            prop_assert_eq!(again.root(), replica.tip().state_root);
        }
        let views: Vec<_> = (1..=replica.size()).filter(|n| replica.head(*n).is_some()).collect();
        for size in views {
            prop_assert_eq!(replica.head_view(size).unwrap().position().unwrap().next_seq, size);
        }
    }
}

#[test]
fn entry_0_follows_from_genesis_alone_and_later_entries_are_salted() {
    let first = |seed, now| {
        let mut log = salted_log(seed);
        (log.batch(now, &[]), log.tick(now))
    };
    let (one, next) = first(1, at(5));
    let (two, other) = first(2, at(86_400_000));
    assert_eq!(one, two);
    assert_ne!(next, other);
    assert_ne!(next.note, first(3, at(5)).1.note, "same time, another salt");
}
