//! What goes through a link, and what does not.

use super::fixture::{DefectiveBus, Fixture};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use strongroom_stage::post::message_id;
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::topics;

#[test]
fn a_request_reaches_the_signer_and_its_answer_the_outbox() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
    signer.send(&FromSigner::Hello { next_seq: 0 });

    fixture.publish_request(b"request");
    assert_eq!(signer.receive(), ToSigner::Inbox(b"request".to_vec()));

    let answer = fixture.sealed("answer");
    signer.send(&FromSigner::Outbox(answer.clone()));
    let published = fixture.published(&topics::signer_outbox(fixture.node), 1);
    assert_eq!(published[0].payload, answer);
    assert_eq!(published[0].key, fixture.node.0);
}

#[test]
fn what_a_signer_passes_on_reaches_the_journals_submissions() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
    let tightening = fixture.sealed("tightening");
    signer.send(&FromSigner::Submission(tightening.clone()));
    let published = fixture.published(topics::JOURNAL_SUBMITTED, 1);
    assert_eq!(published[0].payload, tightening);
}

#[test]
fn a_frame_sent_twice_has_one_message_id() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
    let (head, next) = (fixture.sealed("head"), fixture.sealed("next head"));
    signer.send(&FromSigner::Cosignature(head.clone()));
    signer.send(&FromSigner::Cosignature(head));
    signer.send(&FromSigner::Cosignature(next));
    let published = fixture.published(&topics::cosignatures(fixture.node), 3);
    assert_eq!(message_id(&published[0]), message_id(&published[1]));
    assert_ne!(message_id(&published[1]), message_id(&published[2]));
}

#[test]
fn entries_come_from_their_start_and_of_each_witness_the_latest_cosignature_its_own_too() {
    let fixture = Fixture::without_link();
    let theirs = topics::cosignatures(fixture.witness);
    for number in 0..3_u8 {
        fixture.publish(topics::JOURNAL_ENTRIES, &[number]);
        fixture.publish(&theirs, &[10 + number]);
        fixture.publish(&topics::cosignatures(fixture.node), &[20 + number]);
    }
    let mut fixture = fixture;
    fixture.start();

    let mut signer = fixture.connect();
    let mut received: Vec<_> = (0..5).map(|_| signer.receive()).collect();
    received.sort_by_key(|frame| match frame {
        ToSigner::Batch(bytes) | ToSigner::Cosignature(bytes) | ToSigner::Inbox(bytes) => bytes[0],
    });
    let entries = (0..3).map(|number| ToSigner::Batch(vec![number]));
    let newest = [12, 22].map(|number| ToSigner::Cosignature(vec![number]));
    let expected: Vec<_> = entries.chain(newest).collect();
    assert_eq!(received, expected);
}

#[test]
fn requests_made_between_two_connections_are_passed_on_once() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
    fixture.publish_request(b"first");
    assert_eq!(signer.receive(), ToSigner::Inbox(b"first".to_vec()));
    drop(signer);

    fixture.publish_request(b"second");
    let mut signer = fixture.connect();
    assert_eq!(signer.receive(), ToSigner::Inbox(b"second".to_vec()));
}

#[test]
fn requests_older_than_the_link_are_not_passed_on() {
    let mut fixture = Fixture::without_link();
    fixture.publish_request(b"old");
    fixture.start();
    fixture.publish_request(b"new");
    assert_eq!(
        fixture.connect().receive(),
        ToSigner::Inbox(b"new".to_vec())
    );
}

#[test]
fn bytes_that_are_not_a_frame_end_the_connection_and_publish_nothing() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
    signer.send_raw(&[9, 9, 9]);
    assert!(signer.is_closed());

    // The next connection is served.
    let mut signer = fixture.connect();
    let good = fixture.sealed("good");
    signer.send(&FromSigner::Outbox(good.clone()));
    let published = fixture.published(&topics::signer_outbox(fixture.node), 1);
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].payload, good);
}

/// What no reader opens would be a dead letter of each of them, for as long as a signer sends.
#[test]
fn hole_a_frame_that_the_signer_did_not_seal_is_dropped() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
    let mut forged = fixture.sealed("forged");
    *forged.last_mut().unwrap() ^= 1;
    let good = fixture.sealed("good");
    for bad in [
        b"garbage".to_vec(),
        forged,
        fixture.sealed_by(2, "another's"),
    ] {
        signer.send(&FromSigner::Cosignature(bad.clone()));
        signer.send(&FromSigner::Outbox(bad.clone()));
        signer.send(&FromSigner::Submission(bad));
    }

    // They come in order, so the others would be there by now.
    for (frame, topic) in [
        (
            FromSigner::Cosignature(good.clone()),
            topics::cosignatures(fixture.node),
        ),
        (
            FromSigner::Outbox(good.clone()),
            topics::signer_outbox(fixture.node),
        ),
        (
            FromSigner::Submission(good.clone()),
            topics::JOURNAL_SUBMITTED.to_owned(),
        ),
    ] {
        signer.send(&frame);
        let published = fixture.published(&topic, 1);
        assert_eq!(published.len(), 1, "{topic}");
        assert_eq!(published[0].payload, good, "{topic}");
    }
}

/// Otherwise the signer would be sent everything and heard no more.
#[test]
fn a_panic_while_reading_ends_the_connection_and_not_the_link() {
    let mut fixture = Fixture::without_link();
    let defect = fixture.sealed("defect");
    let bus = DefectiveBus(fixture.bus.clone(), defect.clone());
    fixture.start_on(Arc::new(bus));
    let mut signer = fixture.connect();
    signer.send(&FromSigner::Outbox(defect));
    assert!(signer.is_closed());

    let mut signer = fixture.connect();
    let good = fixture.sealed("good");
    signer.send(&FromSigner::Outbox(good.clone()));
    let published = fixture.published(&topics::signer_outbox(fixture.node), 1);
    assert_eq!(published[0].payload, good);
}

#[test]
fn the_socket_is_for_its_owner_only_and_replaces_one_left_behind() {
    let mut fixture = Fixture::without_link();
    std::fs::write(&fixture.socket, b"left behind").unwrap();
    fixture.start();
    let mode = std::fs::metadata(&fixture.socket)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(fixture.folder()).unwrap().count(), 1);
}
