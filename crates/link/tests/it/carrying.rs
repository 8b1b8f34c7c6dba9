//! What goes through a link, and what does not.

use super::fixture::{DefectiveBus, Fixture, Signer};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use strongroom_stage::post::message_id;
use strongroom_wire::frame::{FromSigner, ToSigner};
use strongroom_wire::topics;

#[test]
fn a_request_reaches_the_signer_and_its_answer_the_outbox() {
    let fixture = Fixture::new();
    let mut signer = fixture.connect();
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

/// A signer whose disk was put back must learn what it has cosigned since, before anything else.
#[test]
fn hole_a_signers_own_newest_cosignatures_come_before_all_else_the_newest_first() {
    let fixture = Fixture::new();
    let [own, theirs] = [fixture.node, fixture.witness].map(topics::cosignatures);
    for number in 0..3_u8 {
        fixture.publish(topics::JOURNAL_ENTRIES, &[number]);
        fixture.publish(&theirs, &[10 + number]);
        fixture.publish_request(&[20 + number]);
    }
    for number in 100..120_u8 {
        fixture.publish(&own, &[number]);
    }

    // One that dies before it reads anything may have cosigned again what it remembers, and that
    // is its newest record then: some older ones are shown, too.
    let mut signer = fixture.connect();
    let mut received = |count: usize| -> Vec<_> { (0..count).map(|_| signer.receive()).collect() };
    let newest = (104..120).rev();
    let expected: Vec<_> = newest
        .map(|number| ToSigner::Cosignature(vec![number]))
        .collect();
    assert_eq!(received(16), expected);

    // Each topic is in order; of each other witness the newest cosignature comes.
    let mut rest = received(7);
    rest.sort_by_key(|frame| match frame {
        ToSigner::Batch(bytes) | ToSigner::Cosignature(bytes) | ToSigner::Inbox(bytes) => bytes[0],
    });
    let entries = (0..3).map(|number| ToSigner::Batch(vec![number]));
    let requests = (20..23).map(|number| ToSigner::Inbox(vec![number]));
    let newest = [ToSigner::Cosignature(vec![12])];
    assert_eq!(
        rest,
        entries.chain(newest).chain(requests).collect::<Vec<_>>()
    );

    // What another copy of the signer publishes from now on is shown as it comes.
    fixture.publish(&own, &[120]);
    assert_eq!(received(1), [ToSigner::Cosignature(vec![120])]);
}

/// A fixture's bus with four batches, the last of which ends at 6, and bytes that do not decode.
fn with_entries() -> (Fixture, [Vec<u8>; 5]) {
    let mut fixture = Fixture::without_link();
    let records = [
        fixture.batch(0, 2),
        fixture.batch(2, 1),
        b"not a batch".to_vec(),
        fixture.batch(3, 2),
        fixture.batch(5, 1),
    ];
    for record in &records {
        fixture.publish(topics::JOURNAL_ENTRIES, record);
    }
    fixture.publish(&topics::cosignatures(fixture.node), b"own");
    fixture.start();
    (fixture, records)
}

/// A signer that has `next_seq` entries, once the link has looked at the bus for it.
fn connected_at(fixture: &Fixture, next_seq: u64) -> Signer {
    let mut signer = fixture.connect_at(next_seq);
    assert_eq!(signer.receive(), ToSigner::Cosignature(b"own".to_vec()));
    signer
}

/// Entries that such a signer gets at first.
fn first_entries(fixture: &Fixture, next_seq: u64) -> Vec<Vec<u8>> {
    let mut signer = connected_at(fixture, next_seq);
    fixture.publish(topics::JOURNAL_ENTRIES, b"the end");
    let received = std::iter::from_fn(|| match signer.receive() {
        ToSigner::Batch(bytes) => Some(bytes).filter(|bytes| bytes != b"the end"),
        frame => panic!("{frame:?}"),
    });
    received.collect()
}

#[test]
fn entries_that_a_signer_has_are_not_sent_again_but_for_the_newest_record() {
    for (next_seq, missing) in [
        (0, vec![0, 1, 2, 3, 4]),
        (2, vec![1, 2, 3, 4]),
        (3, vec![2, 3, 4]),
        // A batch that it has in part.
        (4, vec![2, 3, 4]),
        // A writer that was started just before it waits for an answer to its newest batch.
        (6, vec![2, 4]),
        (7, vec![2, 4]),
    ] {
        let (fixture, records) = with_entries();
        let expected: Vec<_> = missing.into_iter().map(|n: usize| &records[n]).collect();
        assert_eq!(
            first_entries(&fixture, next_seq).iter().collect::<Vec<_>>(),
            expected,
            "{next_seq}"
        );
    }
}

#[test]
fn a_signer_that_connects_again_gets_what_it_then_says_it_lacks() {
    let (fixture, records) = with_entries();
    assert_eq!(first_entries(&fixture, 6).len(), 2);
    let again = first_entries(&fixture, 0);
    assert_eq!(again[..5], records);
}

/// A writer that starts publishes its newest batch again, and a second line of the log at sizes that
/// the signer has must freeze it.
#[test]
fn entries_that_are_published_while_a_signer_is_connected_are_sent_whatever_it_has() {
    let (fixture, records) = with_entries();
    let mut signer = connected_at(&fixture, 6);
    assert_eq!(signer.receive(), ToSigner::Batch(records[2].clone()));
    assert_eq!(signer.receive(), ToSigner::Batch(records[4].clone()));
    for known in [&records[0], &records[4]] {
        fixture.publish(topics::JOURNAL_ENTRIES, known);
        assert_eq!(signer.receive(), ToSigner::Batch(known.clone()));
    }
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
