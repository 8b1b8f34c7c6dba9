//! Signers join what the committee released, and use a share when the witnessed journal names it.

use crate::cluster::Cluster;
use std::sync::atomic::Ordering;
use strongroom_journal::Body;
use strongroom_ports::db::Db as _;
use strongroom_types::{ActBody, CeremonyPlan, Code, KeyId, RegistryRecord, Tighten};
use strongroom_wire::envelope::{Heading, seal};
use strongroom_wire::frame::ToSigner;
use strongroom_wire::{CoordinatorMessage, Role, SignerMessage};

pub fn start(cluster: &Cluster, run: u32) -> CoordinatorMessage {
    CoordinatorMessage::Ceremony {
        tenant: cluster.world.tenant.id,
        key: cluster.world.tenant.key,
        run,
    }
}

pub fn refusal(cluster: &Cluster) -> Code {
    match &cluster.said.last().expect("an answer").1 {
        SignerMessage::Refused(refusal) => refusal.code,
        other => panic!("a refusal wanted: {other:?}"),
    }
}

pub fn shares(cluster: &mut Cluster, index: u16) -> Vec<(bool, i64)> {
    let disk = cluster.signer(index).disk.clone();
    let mut tx = disk.begin().unwrap();
    let rows = tx
        .query("SELECT active, run FROM signer_share ORDER BY run", &[])
        .unwrap();
    rows.iter()
        .map(|row| (row.bool(0).unwrap(), row.i64(1).unwrap()))
        .collect()
}

#[test]
fn a_ceremony_that_no_committee_released_is_refused_at_its_deadline() {
    let mut cluster = Cluster::new();
    assert!(cluster.to(1, &start(&cluster, 1)).is_empty());
    cluster.wait(30_000);
    assert_eq!(refusal(&cluster), Code::CeremonyNotApproved);
    // A ceremony that is proposed is not released.
    let committee = cluster.ledger().committee();
    cluster.act(ActBody::Put(cluster.world.ceremony_record()), &committee);
    cluster.to(1, &start(&cluster, 1));
    cluster.wait(30_000);
    assert_eq!(refusal(&cluster), Code::CeremonyNotApproved);
    cluster.release_again();
    assert!(
        cluster
            .to(1, &start(&cluster, 1))
            .iter()
            .any(|said| matches!(said, SignerMessage::Ceremony(_)))
    );
}

#[test]
fn a_released_ceremony_is_joined_only_under_a_witnessed_head() {
    let mut cluster = Cluster::new();
    let proposal = cluster.propose_ceremony();
    cluster.withhold = true;
    let committee = cluster.ledger().committee();
    cluster.act(ActBody::Release(proposal), &committee);
    assert!(
        cluster.to(1, &start(&cluster, 1)).is_empty(),
        "in this signer's log only"
    );
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    assert!(matches!(
        cluster.said.last().unwrap().1,
        SignerMessage::Ceremony(_)
    ));
}

#[test]
fn a_key_revoked_in_this_signers_log_is_not_made() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    cluster.withhold = true;
    let key = cluster.world.tenant.key;
    let committee = cluster.ledger().committee();
    cluster.act(ActBody::Tighten(Tighten::revoke(key)), &committee);
    cluster.to(1, &start(&cluster, 1));
    assert_eq!(refusal(&cluster), Code::CeremonyNotApproved);
}

#[test]
fn a_share_is_in_use_only_under_a_witnessed_finished_entry_that_names_it() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let finished = cluster.run_ceremony(1);
    assert_eq!(finished.certificates.len(), 3);
    assert_eq!(
        shares(&mut cluster, 1),
        [(false, 1)],
        "durable before it was certified"
    );
    cluster.withhold = true;
    cluster.submit(Body::Finished(Box::new(finished))).unwrap();
    assert_eq!(
        (
            shares(&mut cluster, 1),
            cluster.status(1)["keys_active"].as_str()
        ),
        (vec![(false, 1)], "0")
    );
    cluster.withhold = false;
    let n = cluster.withheld.len();
    cluster.let_through(n);
    assert_eq!(
        (
            shares(&mut cluster, 1),
            cluster.status(1)["keys_active"].as_str()
        ),
        (vec![(true, 1)], "1")
    );
    cluster.to(1, &start(&cluster, 2));
    assert_eq!(
        refusal(&cluster),
        Code::CeremonyNotApproved,
        "it is finished"
    );
}

#[test]
fn of_several_runs_the_journals_one_is_kept_and_the_others_are_erased() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let first = cluster.run_ceremony(1);
    let second = cluster.run_ceremony(2);
    assert_ne!(first.transcript, second.transcript);
    assert_eq!(shares(&mut cluster, 3), [(false, 1), (false, 2)]);
    cluster.submit(Body::Finished(Box::new(first))).unwrap();
    assert_eq!(shares(&mut cluster, 3), [(true, 1)]);
    let vault = cluster.world.tenant.first_vault();
    let admins = cluster.ledger().admins();
    cluster.act(
        ActBody::Put(strongroom_types::RegistryRecord::Vault(vault)),
        &admins,
    );
    cluster.assert_serves(3);
}

#[test]
fn a_run_is_never_begun_twice_and_its_certificate_is_given_again() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    cluster.to(1, &start(&cluster, 1));
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    // The polynomial of run 1 is lost: another one under the same session would be equivocation.
    cluster.to(1, &start(&cluster, 1));
    assert_eq!(refusal(&cluster), Code::Replayed);
    let finished = cluster.run_ceremony(2);
    assert_eq!(finished.certificates.len(), 3);
    cluster.signer(1).start(now).unwrap();
    cluster.wait(15_000);
    cluster.said.clear();
    cluster.to(1, &start(&cluster, 2));
    let again = cluster.certificates();
    assert_eq!(
        (again.transcript, again.certificates.first()),
        (finished.transcript, finished.certificates.first())
    );
    cluster.to(1, &start(&cluster, 1));
    assert_eq!(
        refusal(&cluster),
        Code::Replayed,
        "an older run never comes back"
    );
    cluster.submit(Body::Finished(Box::new(finished))).unwrap();
    assert_eq!(cluster.status(1)["keys_active"], "1");
}

#[test]
fn messages_of_faster_signers_are_kept_until_this_one_joins() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    cluster.relay_all();
    // What was relayed before is not relayed again.
    let from = cluster.said.len();
    cluster.to(1, &start(&cluster, 1));
    cluster.relay_from(from);
    assert_eq!(cluster.certificates().certificates.len(), 3);
}

/// A signer's message to the coordinator, as its own machine would seal it.
fn seal_of_signer(cluster: &mut Cluster, index: u16, message: &SignerMessage) -> Vec<u8> {
    cluster.sequence += 1;
    let signer = cluster.world.signer(index);
    let heading = Heading {
        genesis: cluster.world.genesis.hash(),
        from: signer.node,
        to: Some(cluster.world.service(Role::Coordinator).node),
        session: [0; 16],
        cause: u128::from(cluster.sequence).to_be_bytes(),
        sequence: cluster.sequence,
        created: cluster.now,
        deadline: cluster.now.plus(60_000),
    };
    seal(heading, message, &signer.signing)
}

/// Signer 3 fills the memory for early messages of signer 1.
fn flood(cluster: &mut Cluster) {
    for n in 0..1_500_u32 {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&n.to_be_bytes());
        let message = SignerMessage::Ceremony(strongroom_wire::CeremonyMessage {
            tenant: cluster.world.tenant.id,
            key: KeyId(key),
            run: 1,
            to: None,
            body: vec![0; 1_000],
        });
        let sealed = seal_of_signer(cluster, 3, &message);
        cluster.to(1, &CoordinatorMessage::Relay(sealed));
    }
}

#[test]
fn hole_early_messages_of_honest_signers_find_room_whatever_another_sends() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    flood(&mut cluster);
    for index in [2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    cluster.relay_all();
    let from = cluster.said.len();
    cluster.to(1, &start(&cluster, 1));
    cluster.relay_from(from);
    assert_eq!(cluster.certificates().certificates.len(), 3);
}

/// Its own early message is gone: the run does not finish, and the next one does.
#[test]
fn a_ceremony_whose_early_messages_were_dropped_finishes_with_a_later_run() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    cluster.relay_all();
    flood(&mut cluster);
    let from = cluster.said.len();
    cluster.to(1, &start(&cluster, 1));
    cluster.relay_from(from);
    assert!(cluster.certificates().certificates.is_empty());
    cluster.wait(15_000);
    assert_eq!(cluster.run_ceremony(2).certificates.len(), 3);
}

#[test]
fn a_relayed_message_that_is_not_a_signers_own_is_ignored() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [1, 2] {
        cluster.to(index, &start(&cluster, 1));
    }
    let (_, SignerMessage::Ceremony(message), sealed) = cluster.said.last().unwrap().clone() else {
        panic!("round 1")
    };
    let before = cluster.status(1)["ignored"].parse::<u64>().unwrap();
    // The coordinator seals words of its own, or relays broken copies.
    let forged = cluster.seal(
        Role::Coordinator,
        None,
        &SignerMessage::Ceremony(message),
        60_000,
    );
    cluster.to(1, &CoordinatorMessage::Relay(forged));
    let mut broken = sealed.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    cluster.to(1, &CoordinatorMessage::Relay(broken));
    assert_eq!(
        cluster.status(1)["ignored"].parse::<u64>().unwrap(),
        before + 2
    );
    cluster.to(3, &start(&cluster, 1));
    cluster.relay_all();
    assert_eq!(cluster.certificates().certificates.len(), 3);
}

#[test]
fn a_run_that_gets_no_answers_ends_with_a_reason() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    cluster.to(1, &start(&cluster, 1));
    cluster.wait(119_999);
    assert_eq!(cluster.status(1)["ceremonies"], "1");
    cluster.wait(1);
    assert_eq!(
        (cluster.status(1)["ceremonies"].as_str(), refusal(&cluster)),
        ("0", Code::CeremonyFault)
    );
    cluster.wait(15_000);
    assert_eq!(cluster.run_ceremony(2).certificates.len(), 3);
}

#[test]
fn a_share_that_cannot_be_made_durable_is_not_certified() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [1, 2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    // Everything but the last message to signer 1 arrives; then its disk is full.
    let mut to_one = Vec::new();
    let mut at = 0;
    while at < cluster.said.len() {
        let (from, message, sealed) = cluster.said[at].clone();
        at += 1;
        let SignerMessage::Ceremony(message) = message else {
            continue;
        };
        for index in [1, 2, 3]
            .into_iter()
            .filter(|to| *to != from && message.to.is_none_or(|only| only == *to))
        {
            if index == 1 && message.to == Some(1) && from == 3 {
                to_one.push(sealed.clone());
            } else {
                cluster.to(index, &CoordinatorMessage::Relay(sealed.clone()));
            }
        }
    }
    let id = cluster.signer_id(1);
    let last = cluster.seal(
        Role::Coordinator,
        Some(id),
        &CoordinatorMessage::Relay(to_one.remove(0)),
        30_000,
    );
    let now = cluster.now;
    cluster.signer(1).disk.full.store(true, Ordering::Relaxed);
    let error = cluster
        .signer(1)
        .node()
        .handle(ToSigner::Inbox(last), now)
        .unwrap_err();
    assert_eq!(error.code(), Code::DiskFull);
    assert!(
        cluster
            .certificates()
            .certificates
            .iter()
            .all(|(index, _)| *index != 1)
    );
    assert!(shares(&mut cluster, 1).is_empty());
}

#[test]
fn a_witness_and_a_signer_outside_of_the_roster_join_nothing() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let id = cluster.witness_id();
    let sealed = cluster.seal(Role::Coordinator, Some(id), &start(&cluster, 1), 30_000);
    cluster.give(id, ToSigner::Inbox(sealed));
    assert_eq!(refusal(&cluster), Code::NotInRoster);
    let unknown = CoordinatorMessage::Ceremony {
        tenant: cluster.world.tenant.id,
        key: KeyId([4; 16]),
        run: 1,
    };
    cluster.to(1, &unknown);
    cluster.wait(30_000);
    assert_eq!(refusal(&cluster), Code::CeremonyNotApproved);
}

#[test]
fn a_signer_of_genesis_that_the_plan_leaves_out_joins_nothing() {
    let mut cluster = Cluster::new();
    let RegistryRecord::Ceremony(plan) = cluster.world.ceremony_record() else {
        panic!("a plan")
    };
    let roster = vec![1, 2];
    let plan = RegistryRecord::Ceremony(CeremonyPlan { roster, ..plan });
    let committee = cluster.ledger().committee();
    cluster.act(ActBody::Put(plan), &committee);
    cluster.now = cluster.now.plus(cluster.world.options.delay_ms);
    cluster.release_again();

    cluster.to(3, &start(&cluster, 1));
    assert_eq!(refusal(&cluster), Code::NotInRoster);
    let joined = cluster.to(1, &start(&cluster, 1));
    let has_begun = |said: &SignerMessage| matches!(said, SignerMessage::Ceremony(_));
    assert!(joined.iter().any(has_begun));
}

#[test]
fn a_signer_stopped_during_a_ceremony_certifies_nothing() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    for index in [1, 2, 3] {
        cluster.to(index, &start(&cluster, 1));
    }
    let now = cluster.now;
    cluster
        .signer(3)
        .node()
        .admin(strongroom_wire::frame::AdminRequest::Stop, now);
    cluster.relay_all();
    assert!(cluster.certificates().certificates.is_empty());
    cluster.to(3, &start(&cluster, 2));
    assert_eq!(refusal(&cluster), Code::StoppedLocally);
}

#[test]
fn a_handed_revocation_of_a_key_keeps_its_ceremony_from_starting() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let key = cluster.world.tenant.key;
    let committee = cluster.ledger().committee();
    let revoke = cluster
        .ledger()
        .signed_act(ActBody::Tighten(Tighten::revoke(key)), &committee);
    let hand = strongroom_wire::frame::AdminRequest::Hand(revoke.to_json().to_text());
    let now = cluster.now;
    assert_eq!(
        cluster.signer(1).node().admin(hand, now),
        strongroom_wire::frame::AdminReply::Done
    );
    cluster.to(1, &start(&cluster, 1));
    assert_eq!(refusal(&cluster), Code::TighteningPending);
    assert!(
        cluster
            .to(2, &start(&cluster, 1))
            .iter()
            .any(|said| matches!(said, SignerMessage::Ceremony(_)))
    );
}

#[test]
fn a_quarantined_signer_joins_nothing() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let (now, version) = (cluster.now, 1);
    let body = ActBody::Tighten(Tighten::Quarantine(1));
    let act = cluster
        .world
        .act(now, strongroom_types::Scope::Platform, body, version);
    let act = cluster
        .world
        .sign(&act, &[strongroom_world::Who::PlatformAdmin]);
    cluster.submit(Body::Act(act)).unwrap();
    cluster.to(1, &start(&cluster, 1));
    assert_eq!(refusal(&cluster), Code::NotInRoster);
}

#[test]
fn a_candidate_put_in_use_by_hand_does_not_start() {
    let mut cluster = Cluster::new();
    cluster.release_ceremony();
    let first = cluster.run_ceremony(1);
    cluster.run_ceremony(2);
    let by_hand = |cluster: &mut Cluster, sql: &'static str| {
        cluster.signer(1).node = None;
        let disk = cluster.signer(1).disk.clone();
        let mut tx = disk.begin().unwrap();
        assert_eq!(tx.execute(sql, &[]).unwrap(), 1);
        tx.commit().unwrap();
        let now = cluster.now;
        cluster.signer(1).start(now).map_err(|error| error.code())
    };
    // The journal names nothing yet.
    let active = "UPDATE signer_share SET active = 1 WHERE run = 2";
    assert_eq!(by_hand(&mut cluster, active), Err(Code::StoreCorrupt));
    assert_eq!(
        by_hand(
            &mut cluster,
            "UPDATE signer_share SET active = 0 WHERE run = 2"
        ),
        Ok(())
    );
    cluster.wait(15_000);
    cluster.submit(Body::Finished(Box::new(first))).unwrap();
    assert_eq!(shares(&mut cluster, 1), [(true, 1)]);
}
