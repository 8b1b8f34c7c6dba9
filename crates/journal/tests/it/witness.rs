//! The witness: what it never cosigns, and what it owes.

use std::cell::RefCell;
use strongroom_journal::Body;
use strongroom_journal::follower::Follower;
use strongroom_journal::overlay::Overlay;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::witness::{Cosigned, Witness, WitnessMemory};
use strongroom_types::{ActBody, Code, Refusal, UnixMs};
use strongroom_wire::WitnessCosignature;
use strongroom_world::small::*;

fn witness(n: u16, last: Option<Cosigned>) -> Witness {
    let follower = Follower::new(genesis()).unwrap();
    Witness::new(
        &follower,
        node(n),
        &witness_seed(n),
        WitnessMemory {
            cosigned: last,
            ..WitnessMemory::default()
        },
    )
    .unwrap()
}

fn cosign_at(
    witness: &mut Witness,
    follower: &Follower,
    now: UnixMs,
) -> Result<WitnessCosignature, Code> {
    witness
        .cosign(follower, now, |_, _| Ok::<(), Refusal>(()))
        .map_err(|refusal| refusal.code)
}

#[test]
fn a_cosignature_counts_at_every_replica() {
    let mut log = log();
    log.tick(START);
    for n in 1..=3 {
        let signed = cosign_at(&mut witness(n, None), &log.follower, START).unwrap();
        log.follower.cosignature(node(n), &signed, START).unwrap();
    }
    assert_eq!(log.follower.fresh(START).unwrap().size, 2);
}

#[test]
fn nothing_is_signed_before_it_is_persisted() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    let order = RefCell::new(Vec::new());
    let failed = witness.cosign(&log.follower, START, |old, new| {
        order.borrow_mut().push((old.cloned(), new.size));
        Err(Refusal::from(Code::DiskFull))
    });
    assert_eq!(failed.unwrap_err().code, Code::DiskFull);
    assert_eq!(
        (order.into_inner(), witness.last()),
        (vec![(None, 2)], None)
    );
    let mut stored = None;
    let signed = witness.cosign(&log.follower, START, |_, new| {
        stored = Some(new.clone());
        Ok::<(), Refusal>(())
    });
    assert_eq!(stored.unwrap().body, signed.unwrap().body);
}

#[test]
fn a_quiet_journal_is_cosigned_again_without_another_write() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    assert!(witness.due(&log.follower, START));
    cosign_at(&mut witness, &log.follower, START).unwrap();
    assert!(!witness.due(&log.follower, at(14_999)) && witness.due(&log.follower, at(15_000)));
    let never =
        |_: Option<&Cosigned>, _: &Cosigned| -> Result<(), Refusal> { panic!("written again") };
    let again = witness.cosign(&log.follower, at(3_600_000), never).unwrap();
    assert_eq!(
        again.time_s,
        at(3_600_000).0 / 1000,
        "an old head that was cosigned before stays good"
    );
}

/// Else the head would grow stale until the clock has caught up.
#[test]
fn a_quiet_journal_is_cosigned_again_after_the_clock_was_put_back() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    cosign_at(&mut witness, &log.follower, at(60_000)).unwrap();
    assert!(!witness.due(&log.follower, at(45_001)) && witness.due(&log.follower, at(45_000)));
    let again = cosign_at(&mut witness, &log.follower, at(45_000)).unwrap();
    assert_eq!(again.time_s, at(45_000).0 / 1000);
}

#[test]
fn two_trees_of_one_size_are_never_cosigned() {
    let (mut log, mut other) = (log(), salted_log(2));
    log.tick(START);
    other.tick(START);
    let mut witness = witness(1, None);
    cosign_at(&mut witness, &log.follower, START).unwrap();
    assert_eq!(
        cosign_at(&mut witness, &other.follower, START),
        Err(Code::Conflict)
    );
    let mut restarted = self::witness(1, witness.last().cloned());
    assert_eq!(
        cosign_at(&mut restarted, &other.follower, START),
        Err(Code::Conflict)
    );
}

#[test]
fn a_smaller_tree_is_never_cosigned() {
    let (mut log, mut behind) = (log(), Follower::new(genesis()).unwrap());
    behind.append(&log.tick(START)).unwrap();
    log.tick(START);
    let mut witness = witness(1, None);
    cosign_at(&mut witness, &log.follower, START).unwrap();
    assert_eq!(
        cosign_at(&mut witness, &behind, START),
        Err(Code::HeadBelowFloor)
    );
}

#[test]
fn nothing_is_cosigned_before_entry_0_or_by_a_stranger() {
    let follower = Follower::new(genesis()).unwrap();
    assert_eq!(
        cosign_at(&mut witness(1, None), &follower, START),
        Err(Code::NotReady)
    );
    assert!(
        Witness::new(
            &follower,
            node(1),
            &witness_seed(2),
            WitnessMemory::default()
        )
        .is_err()
    );
}

#[test]
fn journal_time_is_bounded_by_the_witness_clock() {
    let mut log = log();
    log.tick(at(60_000));
    assert_eq!(
        cosign_at(&mut witness(1, None), &log.follower, at(54_999)),
        Err(Code::TimeOutOfBounds)
    );
    assert!(cosign_at(&mut witness(1, None), &log.follower, at(55_000)).is_ok());
    assert!(cosign_at(&mut witness(1, None), &log.follower, at(120_000)).is_ok());
    assert_eq!(
        cosign_at(&mut witness(1, None), &log.follower, at(120_001)),
        Err(Code::TimeOutOfBounds)
    );
}

#[test]
fn an_outage_does_not_wedge_the_journal() {
    let mut log = log();
    log.tick(START);
    let late = at(600_000);
    let mut witness = witness(1, None);
    assert_eq!(
        cosign_at(&mut witness, &log.follower, late),
        Err(Code::TimeOutOfBounds)
    );
    log.tick(late);
    assert!(
        cosign_at(&mut witness, &log.follower, late).is_ok(),
        "only the last entry must be young"
    );
}

#[test]
fn a_witness_that_was_away_may_cosign_an_old_head_that_is_witnessed() {
    let mut log = log();
    log.tick(START);
    cosign_tip(&mut log.follower, &[1, 2, 3], START);
    assert!(cosign_at(&mut witness(4, None), &log.follower, at(600_000)).is_ok());
}

#[test]
fn a_halted_replica_is_not_cosigned() {
    let (mut log, mut other) = (log(), salted_log(2));
    log.tick(START);
    log.follower.append(&other.tick(START)).unwrap_err();
    assert_eq!(
        cosign_at(&mut witness(1, None), &log.follower, START),
        Err(Code::Conflict)
    );
}

#[test]
fn a_withheld_tightening_ends_all_cosignatures_until_the_journal_has_it() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    assert!(
        witness
            .hand(&log.follower, &stop(1), START)
            .unwrap()
            .is_some()
    );
    assert_eq!(
        witness.hand(&log.follower, &stop(1), START).unwrap(),
        None,
        "handed twice is once"
    );
    log.tick(at(9_000));
    assert!(cosign_at(&mut witness, &log.follower, at(10_000)).is_ok());
    log.tick(at(10_001));
    assert_eq!(
        cosign_at(&mut witness, &log.follower, at(10_001)),
        Err(Code::TighteningPending)
    );
    log.order(at(11_000), &[Body::Act(stop(1))]);
    assert!(cosign_at(&mut witness, &log.follower, at(11_000)).is_ok());
    assert_eq!(witness.handed().count(), 0);
}

#[test]
fn the_duty_survives_a_restart_of_the_witness() {
    let mut log = log();
    log.tick(START);
    let act = witness(1, None)
        .hand(&log.follower, &stop(1), START)
        .unwrap()
        .unwrap();
    let mut again = Witness::new(
        &log.follower,
        node(1),
        &witness_seed(1),
        WitnessMemory {
            handed: vec![act],
            ..WitnessMemory::default()
        },
    )
    .unwrap();
    assert_eq!(
        cosign_at(&mut again, &log.follower, at(10_001)),
        Err(Code::TighteningPending)
    );
}

#[test]
fn the_duty_ends_when_the_act_expires() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    witness.hand(&log.follower, &stop(1), START).unwrap();
    let expired = at(3_600_000);
    log.tick(expired);
    assert!(cosign_at(&mut witness, &log.follower, expired).is_ok());
}

#[test]
fn handed_tightenings_are_seen_at_once_each_for_itself() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    witness.hand(&log.follower, &stop(1), START).unwrap();
    witness
        .hand(&log.follower, &quarantine(2, 3), START)
        .unwrap();
    let seen: Vec<_> = witness
        .handed_overlay(&log.follower, START)
        .map(|delta| {
            Overlay::new(log.follower.state())
                .with(delta)
                .platform()
                .unwrap()
        })
        .map(|platform| (platform.stopped, platform.quarantined))
        .collect();
    assert_eq!(seen, [(true, vec![]), (false, vec![3])]);
}

#[test]
fn what_apply_would_refuse_or_does_not_tighten_is_not_taken() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    let hand = |witness: &mut Witness, signed| {
        witness
            .hand(&log.follower, &signed, START)
            .unwrap_err()
            .code
    };
    assert_eq!(
        hand(&mut witness, platform_act(1, 1, ActBody::Resume)),
        Code::Unsupported
    );
    let mut forged = stop(1);
    strongroom_world::forge(&mut forged.endorsements[0]);
    assert_eq!(hand(&mut witness, forged), Code::BadSignature);
    assert_eq!(witness.handed().count(), 0);
}

#[test]
fn a_credential_has_at_most_16_open_handed_acts() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    for id in 0..16 {
        witness
            .hand(&log.follower, &quarantine(id, 1), START)
            .unwrap();
    }
    let refusal = witness.hand(&log.follower, &stop(99), START).unwrap_err();
    assert_eq!(
        (refusal.code, witness.handed().count()),
        (Code::QuotaExceeded, 16)
    );
}

#[test]
fn a_cosignature_by_this_witness_above_its_memory_retires_the_key_for_good() {
    let (mut log, mut behind) = (log(), Follower::new(genesis()).unwrap());
    behind.append(&log.tick(START)).unwrap();
    let mut before = witness(1, None);
    let early = cosign_at(&mut before, &behind, START).unwrap();
    log.tick(START);
    let late = cosign_at(&mut before, &log.follower, START).unwrap();
    let stored = |size| (size == 2).then(|| early.body.clone());
    let retires = |witness: &mut Witness, shown: &WitnessCosignature| {
        let stored = |size| Ok::<_, Refusal>(stored(size));
        witness.on_own_cosignature(shown, stored).unwrap()
    };
    assert!(!retires(&mut before, &early) && !retires(&mut before, &late));

    let mut restored = witness(
        1,
        Some(Cosigned {
            size: 2,
            body: early.body.clone(),
            time_s: early.time_s,
        }),
    );
    assert!(
        !retires(
            &mut restored,
            &WitnessCosignature {
                signature: [1; 64],
                ..late.clone()
            }
        ),
        "not its own"
    );
    assert!(retires(&mut restored, &late));
    log.tick(START);
    assert_eq!(
        cosign_at(&mut restored, &log.follower, START),
        Err(Code::SignerRetired),
        "however far it catches up"
    );
    assert!(!restored.due(&log.follower, START));
}

/// A disk that was put back and caught up on another line remembers a larger size than it is shown.
#[test]
fn a_cosignature_by_this_witness_below_its_memory_retires_a_key_whose_log_has_another_head_there() {
    let (mut log, mut behind) = (log(), Follower::new(genesis()).unwrap());
    behind.append(&log.tick(START)).unwrap();
    let early = cosign_at(&mut witness(1, None), &behind, START).unwrap();
    log.tick(START);
    let late = cosign_at(&mut witness(1, None), &log.follower, START).unwrap();
    let last = Cosigned {
        size: log.follower.tip().size,
        body: late.body.clone(),
        time_s: late.time_s,
    };

    let retires = |shown: &WitnessCosignature, stored: Option<&str>| {
        let mut witness = witness(1, Some(last.clone()));
        let stored = |size| {
            assert_eq!(size, behind.tip().size);
            Ok::<_, Refusal>(stored.map(str::to_owned))
        };
        let retires = witness.on_own_cosignature(shown, stored).unwrap();
        assert_eq!(witness.is_retired(), retires);
        retires
    };
    assert!(!retires(&early, Some(&early.body)));
    assert!(retires(&early, Some("another head")));
    assert!(retires(&early, None), "no batch of this line ended there");

    let forged = WitnessCosignature {
        signature: [1; 64],
        ..early
    };
    assert!(!retires(&forged, None), "not its own");
}

#[test]
fn a_witness_prints_no_secret() {
    let shown = format!("{:?}", witness(1, None));
    assert_eq!(shown, format!("Witness({}, ..)", node(1)));
}

#[test]
fn entry_0_is_cosigned_however_old_genesis_is_and_no_other_entry_is() {
    let late = at(86_400_000);
    let mut log = log();
    log.order(late, &[]);
    assert_eq!(log.follower.tip().at, genesis().created);
    assert!(cosign_at(&mut witness(1, None), &log.follower, late).is_ok());
    log.tick(START);
    assert_eq!(
        cosign_at(&mut witness(1, None), &log.follower, late),
        Err(Code::TimeOutOfBounds)
    );
}

#[test]
fn a_witness_repeats_its_newest_cosignature_as_it_was_and_a_retired_one_nothing() {
    let mut log = log();
    log.tick(START);
    let mut witness = witness(1, None);
    assert_eq!(witness.repeat().unwrap(), None);
    let cosigned = cosign_at(&mut witness, &log.follower, START).unwrap();
    log.tick(at(60_000));
    assert_eq!(witness.repeat().unwrap(), Some(cosigned));
    witness.retire();
    assert_eq!(witness.repeat().unwrap_err().code, Code::SignerRetired);
}
