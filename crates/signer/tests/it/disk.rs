//! Restarted, restored, damaged, full.

use crate::cluster::Cluster;
use crate::coordinator::answer;
use std::sync::atomic::Ordering;
use strongroom_journal::state::Lookup as _;
use strongroom_journal::{Authorization, Body, SealedEntry};
use strongroom_ports::db::Db as _;
use strongroom_ports::keys::KeyProtector as _;
use strongroom_signer_core::Fatal;
use strongroom_types::{Code, UnixMs};
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::{CoordinatorMessage, Role};

#[test]
fn a_restored_disk_is_retired_for_good_and_shares_nothing() {
    let mut cluster = Cluster::ready();
    let backup = cluster.signer(1).disk.sqlite.snapshot().unwrap();
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    let payment = cluster.authorized(300_000, &[]);
    cluster.signer(1).node = None;
    cluster.signer(1).disk.sqlite.restore_from(&backup).unwrap();
    for _ in 0..2 {
        let now = cluster.now;
        cluster.signer(1).start(now).unwrap();
        assert!(cluster.signer(1).node().is_retired());
        cluster.pump();
        cluster.wait(15_000);
        assert_eq!(
            cluster.status(1)["tip"],
            cluster.size().to_string(),
            "it follows"
        );
        assert!(
            cluster.status(1)["cosigned"].parse::<u64>().unwrap() < cluster.size(),
            "and cosigns nothing"
        );
        assert_eq!(cluster.refused_commitments(1), Code::SignerRetired);
        let mut request = cluster.request(&payment, &[2, 3]);
        request.commitments[0][0].0 = 1;
        assert_eq!(cluster.ask(1, &request).code(), Code::SignerRetired);
    }
    cluster.assert_signs(2, &payment);
}

#[test]
fn a_disk_restored_within_one_start_is_found_by_its_own_newer_cosignature() {
    let mut cluster = Cluster::ready();
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    let (disk, marker) = (
        cluster.signer(1).disk.sqlite.snapshot().unwrap(),
        cluster.signer(1).marker.clone(),
    );
    let stands = marker_value(&marker);
    let payment = cluster.authorized(300_000, &[]);
    // Disk and marker are both put back, as if the start in between had never been.
    cluster.signer(1).node = None;
    cluster.signer(1).disk.sqlite.restore_from(&disk).unwrap();
    set_marker(&marker, stands);
    let id = cluster.signer_id(1);
    cluster.cut_off.insert(id);
    cluster.signer(1).start(now).unwrap();
    assert!(!cluster.signer(1).node().is_retired(), "nothing tells yet");
    // Another node shows it what it has cosigned since.
    let own = own_cosignature(&mut cluster);
    cluster.give(id, ToSigner::Cosignature(own));
    assert!(cluster.signer(1).node().is_retired());
    cluster.signer(1).start(now).unwrap();
    assert!(cluster.signer(1).node().is_retired(), "for good");
    cluster.assert_signs(2, &payment);
}

/// The cosignature that retires a key was made by another life of it, which may vouch for anything.
#[test]
fn the_cosignature_that_retires_a_key_counts_for_no_quorum_here() {
    let mut cluster = Cluster::ready();
    let id = cluster.signer_id(1);
    cluster.cut_off.insert(id);
    cluster.authorized(300_000, &[]);
    let (size, record) = (cluster.size(), cluster.batches.last().unwrap().1.clone());
    let body = cluster.writer().tip().body.clone();
    let witnessed =
        |cluster: &mut Cluster| -> u64 { cluster.status(1)["witnessed"].parse().unwrap() };

    // It is shown once before the entries, and once more after them.
    let own = cluster.cosigned(1, &body);
    cluster.give(id, ToSigner::Cosignature(own.clone()));
    assert!(cluster.signer(1).node().is_retired());
    cluster.give(id, ToSigner::Batch(record));
    assert_eq!(cluster.status(1)["tip"], size.to_string());
    cluster.give(id, ToSigner::Cosignature(own));

    let quorum = u16::try_from(cluster.world.genesis.quorum).unwrap();
    for seat in 2..=quorum {
        let cosigned = cluster.cosigned(seat, &body);
        cluster.give(id, ToSigner::Cosignature(cosigned));
    }
    assert!(witnessed(&mut cluster) < size);
    let last = cluster.cosigned(quorum + 1, &body);
    cluster.give(id, ToSigner::Cosignature(last));
    assert_eq!(witnessed(&mut cluster), size);
}

fn marker_value(marker: &crate::machine::MemoryMarker) -> Option<[u8; 16]> {
    use strongroom_signer_core::Marker as _;
    marker.read().unwrap()
}

fn set_marker(marker: &crate::machine::MemoryMarker, value: Option<[u8; 16]>) {
    use strongroom_signer_core::Marker as _;
    marker.clone().write(value.unwrap()).unwrap();
}

/// The same world once more gives the very cosignature that signer 1 made over the newest head.
fn own_cosignature(cluster: &mut Cluster) -> Vec<u8> {
    let mut twin = Cluster::ready();
    assert_eq!(
        twin.batches.last().unwrap().0 + 1,
        cluster.batches.last().unwrap().0
    );
    twin.withhold = true;
    let record = cluster.batches.last().unwrap().1.clone();
    let id = cluster.signer_id(1);
    twin.give(id, ToSigner::Batch(record));
    twin.withheld.last().unwrap().1.clone()
}

#[test]
fn a_full_disk_ends_the_process_with_nothing_released() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let body = cluster.body(&payment, &[]);
    let id = cluster.signer_id(1);
    cluster.cut_off.insert(id);
    cluster.submit(body).unwrap();
    let record = cluster.batches.last().unwrap().1.clone();
    let now = cluster.now;
    cluster.signer(1).disk.full.store(true, Ordering::Relaxed);
    let error = cluster
        .signer(1)
        .node()
        .handle(ToSigner::Batch(record.clone()), now)
        .unwrap_err();
    assert_eq!(error.code(), Code::DiskFull);
    // The process must end: it never answers again.
    cluster.signer(1).disk.full.store(false, Ordering::Relaxed);
    assert!(
        cluster
            .signer(1)
            .node()
            .handle(ToSigner::Batch(record), now)
            .is_err()
    );
    assert!(cluster.signer(1).node().tick(now).is_err());
    cluster.cut_off.clear();
    cluster.signer(1).start(now).unwrap();
    cluster.pump();
    cluster.wait(15_000);
    cluster.assert_signs(1, &payment);
}

#[test]
fn an_edited_share_does_not_start() {
    for sql in [
        "UPDATE signer_share SET wrapped = zeroblob(400)",
        "UPDATE signer_share SET epoch = 2",
        "UPDATE signer_share SET transcript = zeroblob(32)",
        "UPDATE signer_share SET threshold_key = zeroblob(16)",
        "UPDATE signer_share SET tenant = zeroblob(16)",
    ] {
        let mut cluster = Cluster::ready();
        edit(&mut cluster, 1, sql);
        let now = cluster.now;
        let error = cluster.signer(1).start(now).unwrap_err();
        assert!(
            matches!(error.code(), Code::StoreCorrupt | Code::UnknownKey),
            "{sql}: {error}"
        );
        let payment = cluster.authorized(300_000, &[]);
        cluster.assert_signs(2, &payment);
    }
}

/// Associated data of a stored share: seven fields, each with its length before it.
fn associated_data(fields: &[Vec<u8>]) -> Vec<u8> {
    let with_length = |field: &Vec<u8>| {
        let length = u32::try_from(field.len()).unwrap().to_be_bytes();
        [&length, field.as_slice()].concat()
    };
    fields.iter().flat_map(with_length).collect()
}

/// Wraps the share of signer 1 again, under other associated data, and starts it.
fn rewrapped(fields: &[Vec<u8>], to: &[Vec<u8>]) -> Result<(), Fatal> {
    let mut cluster = Cluster::ready();
    let now = cluster.now;
    let machine = cluster.signer(1);
    machine.node = None;
    let (disk, protector) = (machine.disk.clone(), machine.protector());

    let mut tx = disk.begin().unwrap();
    let rows = tx.query("SELECT wrapped FROM signer_share", &[]).unwrap();
    let secret = protector
        .unwrap(&associated_data(fields), rows[0].blob(0).unwrap())
        .expect("each field is bound");
    let wrapped = protector.wrap(&associated_data(to), &secret).unwrap();
    let args = [(&wrapped).into()];
    tx.execute("UPDATE signer_share SET wrapped = $1", &args)
        .unwrap();
    tx.commit().unwrap();
    machine.start(now)
}

#[test]
fn a_share_wrapped_for_another_place_does_not_start_though_the_wrapping_key_is_one() {
    let cluster = Cluster::ready();
    let (tenant, key) = (cluster.world.tenant.id, cluster.world.tenant.key);
    let public = cluster.ledger().state.threshold_key(tenant, key).unwrap();
    let transcript = public.public.unwrap().transcript;
    let fields = [
        b"strongroom/key-share/v1".to_vec(),
        cluster.world.genesis.hash().0.to_vec(),
        tenant.0.to_vec(),
        key.0.to_vec(),
        1_u32.to_be_bytes().to_vec(),
        1_u16.to_be_bytes().to_vec(),
        transcript.0.to_vec(),
    ];
    rewrapped(&fields, &fields).expect("wrapped as it was");

    // A change of any field (purpose, installation, tenant, key, epoch, signer, transcript) makes
    // it a share of something else.
    for field in 0..fields.len() {
        let mut other = fields.clone();
        *other[field].last_mut().unwrap() ^= 1;
        let error = rewrapped(&fields, &other).unwrap_err();
        assert_eq!(error.code(), Code::StoreCorrupt, "field {field}: {error}");
        assert!(
            error.to_string().contains("integrity check"),
            "field {field}: {error}"
        );
    }
}

/// Cosignatures among what a node sends.
fn cosignatures(frames: &[FromSigner]) -> usize {
    let is_one = |frame: &&FromSigner| matches!(frame, FromSigner::Cosignature(_));
    frames.iter().filter(is_one).count()
}

#[test]
fn a_cosignature_made_at_a_tick_is_on_disk_before_it_leaves() {
    let mut cluster = Cluster::ready();
    let (id, now) = (cluster.signer_id(1), cluster.now);
    cluster.cut_off.insert(id);
    cluster.submit(Body::Tick).unwrap();
    let (size, record) = (cluster.size(), cluster.batches.last().unwrap().1.clone());

    // With a clock that is behind, the entry is taken, and cosigned at a later tick only.
    let behind = UnixMs(now.0 - 600_000);
    let machine = cluster.signer(1);
    let node = machine.node();
    let taken = node.handle(ToSigner::Batch(record), behind).unwrap();
    assert_eq!(cosignatures(&taken), 0);

    // What cannot be written must not leave the process.
    machine.disk.full.store(true, Ordering::Relaxed);
    let error = machine.node().tick(now).unwrap_err();
    assert_eq!(error.code(), Code::DiskFull);
    machine.disk.full.store(false, Ordering::Relaxed);

    machine.start(now).unwrap();
    let ticked = machine.node().tick(now).unwrap();
    assert_eq!(cosignatures(&ticked), 1);
    machine.start(now).unwrap();
    assert_eq!(cluster.status(1)["cosigned"], size.to_string());
}

#[test]
fn another_signers_share_does_not_start_here() {
    let mut cluster = Cluster::ready();
    let theirs = {
        let disk = cluster.signer(2).disk.clone();
        let mut tx = disk.begin().unwrap();
        let rows = tx.query("SELECT wrapped FROM signer_share", &[]).unwrap();
        rows[0].blob(0).unwrap().to_vec()
    };
    let disk = cluster.signer(1).disk.clone();
    let mut tx = disk.begin().unwrap();
    tx.execute("UPDATE signer_share SET wrapped = $1", &[(&theirs).into()])
        .unwrap();
    tx.commit().unwrap();
    let now = cluster.now;
    assert_eq!(
        cluster.signer(1).start(now).unwrap_err().code(),
        Code::StoreCorrupt
    );
}

#[test]
fn an_edited_state_does_not_start() {
    let mut cluster = Cluster::ready();
    let edit_one = "UPDATE journal_state SET state_value = zeroblob(8) WHERE state_key = (SELECT MAX(state_key) FROM journal_state)";
    edit(&mut cluster, 1, edit_one);
    let now = cluster.now;
    assert_eq!(
        cluster.signer(1).start(now).unwrap_err().code(),
        Code::StoreCorrupt
    );
}

/// Puts another body into an entry on the disk of signer 1.
fn edit_entry(cluster: &mut Cluster, at: u64, change: impl FnOnce(&mut Authorization)) {
    let disk = cluster.signer(1).disk.clone();
    let mut tx = disk.begin().unwrap();
    let row = tx
        .query(
            "SELECT sealed FROM journal_entry WHERE seq = $1",
            &[seq(at)],
        )
        .unwrap();
    let sealed: SealedEntry = strongroom_wire::decode(row[0].blob(0).unwrap()).unwrap();
    let mut entry = sealed.open().unwrap();
    let Body::Authorized(authorization) = &mut entry.body else {
        panic!("an authorization")
    };
    change(authorization);
    let forged = strongroom_wire::encode(&SealedEntry::new(&entry, sealed.salt));
    tx.execute(
        "UPDATE journal_entry SET sealed = $1 WHERE seq = $2",
        &[(&forged).into(), seq(at)],
    )
    .unwrap();
    tx.commit().unwrap();
}

#[test]
fn an_intent_that_was_edited_on_disk_is_not_believed() {
    let mut cluster = Cluster::ready();
    let (payment, other) = (
        cluster.authorized(300_000, &[]),
        cluster.authorized(310_000, &[]),
    );
    let request = cluster.request(&payment, &[1, 2]);
    let theirs = cluster.world.signed_intent(&other.intent);
    let at = cluster.size() - 2;
    edit_entry(&mut cluster, at, |authorization| {
        authorization.intent = theirs
    });
    assert_eq!(cluster.ask(1, &request).code(), Code::StoreCorrupt);
    cluster.assert_signs(1, &other);
    cluster.assert_signs(2, &payment);
}

#[test]
fn an_attempt_that_was_edited_on_disk_is_not_believed() {
    let changes: [fn(&mut Authorization); 6] = [
        |a| a.attempt.intent = strongroom_types::Digest([7; 32]),
        |a| a.attempt.parent = Some(1),
        |a| a.attempt.fee_max = 19_999.into(),
        |a| a.attempt.number = 2,
        |a| a.attempt.kind = strongroom_types::AttemptKind::Bump,
        |a| a.attempt.unsigned_digest = strongroom_types::Digest([7; 32]),
    ];
    let mut cluster = Cluster::ready();
    for change in changes {
        let payment = cluster.authorized(300_000, &[]);
        let request = cluster.request(&payment, &[1, 2]);
        let at = cluster.size() - 1;
        edit_entry(&mut cluster, at, change);
        assert_eq!(cluster.ask(1, &request).code(), Code::StoreCorrupt);
        cluster.assert_serves(1);
    }
}

#[test]
fn another_installations_disk_does_not_start() {
    let mut cluster = Cluster::ready();
    edit(
        &mut cluster,
        1,
        "UPDATE journal_meta SET genesis = zeroblob(32)",
    );
    let now = cluster.now;
    assert_eq!(
        cluster.signer(1).start(now).unwrap_err().code(),
        Code::GenesisMismatch
    );
}

#[test]
fn a_request_waiting_when_the_process_dies_is_not_answered_by_the_next_life() {
    let mut cluster = Cluster::ready();
    let payment = cluster.payment(300_000);
    let request = cluster.request(&payment, &[1, 2]);
    let id = cluster.signer_id(1);
    let sealed = cluster.seal(
        Role::Coordinator,
        Some(id),
        &CoordinatorMessage::Sign(request),
        30_000,
    );
    assert!(answer(cluster.give(id, ToSigner::Inbox(sealed.clone()))).is_nothing());
    let now = cluster.now;
    cluster.signer(1).start(now).unwrap();
    cluster.authorize(&payment, &[]);
    cluster.wait(15_000);
    assert_eq!(
        answer(cluster.give(id, ToSigner::Inbox(sealed))).code(),
        Code::CommitmentUnknown
    );
    cluster.assert_signs(1, &payment);
}

fn seq(value: u64) -> strongroom_ports::db::Arg<'static> {
    strongroom_ports::db::Arg::u64(value).unwrap()
}

fn edit(cluster: &mut Cluster, index: u16, sql: &'static str) {
    cluster.signer(index).node = None;
    let disk = cluster.signer(index).disk.clone();
    let mut tx = disk.begin().unwrap();
    assert!(tx.execute(sql, &[]).unwrap() > 0);
    tx.commit().unwrap();
}
