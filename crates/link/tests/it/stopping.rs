//! The end of a link, whatever its signer does.

use super::fixture::Fixture;
use std::time::Duration;
use strongroom_stage::StopFlag;
use strongroom_wire::frame::ToSigner;
use strongroom_wire::topics;

const AT_ONCE: Duration = Duration::from_secs(2);

/// More than any socket buffers, in records that the bus takes.
const RECORDS: usize = 64;
const RECORD_BYTES: usize = 200_000;

fn with_much_to_send() -> Fixture {
    let mut fixture = Fixture::without_link();
    for _ in 0..RECORDS {
        fixture.publish(topics::JOURNAL_ENTRIES, &[7; RECORD_BYTES]);
    }
    fixture.start();
    fixture
}

/// A signer under SIGSTOP, or a hostile one: the process would keep its locks until it is killed,
/// and its successor could not start.
#[test]
fn hole_signer_that_reads_nothing_does_not_hold_the_stop() {
    let mut fixture = with_much_to_send();
    let signer = fixture.connect();
    // The buffers are full by then, and the link waits in its write.
    let _ = StopFlag::new().wait(Duration::from_millis(500));
    assert!(fixture.stops_within(AT_ONCE));
    drop(signer);
}

#[test]
fn hole_signer_that_sends_nothing_does_not_hold_the_stop() {
    let mut fixture = Fixture::new();
    let _signer = fixture.connect_silently();
    let _ = StopFlag::new().wait(Duration::from_millis(100));
    assert!(fixture.stops_within(AT_ONCE));
}

/// It would hold the socket: a link serves one connection at a time.
#[test]
fn signer_that_does_not_say_hello_is_let_go_for_the_next() {
    let fixture = Fixture::new();
    let mut silent = fixture.connect_silently();
    assert!(silent.is_closed());

    let mut signer = fixture.connect();
    fixture.publish(topics::JOURNAL_ENTRIES, b"entries");
    assert_eq!(signer.receive(), ToSigner::Batch(b"entries".to_vec()));
}

/// A pause is not the end of a connection: no record may be lost or cut by it.
#[test]
fn signer_that_reads_late_gets_every_record_whole() {
    let fixture = with_much_to_send();
    let mut signer = fixture.connect();
    let _ = StopFlag::new().wait(Duration::from_millis(500));
    for number in 0..RECORDS {
        let ToSigner::Batch(bytes) = signer.receive() else {
            panic!("not an entry: {number}");
        };
        assert!(bytes == [7; RECORD_BYTES], "{number}");
    }
}
