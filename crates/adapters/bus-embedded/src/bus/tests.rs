#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use super::*;
use strongroom_ports::bus::Headers;

fn record(topic: &Topic, n: usize) -> Record {
    Record {
        topic: topic.clone(),
        key: b"k".to_vec(),
        headers: Headers::default(),
        payload: n.to_be_bytes().to_vec(),
    }
}

#[test]
fn the_embedded_bus_refuses_production() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bus");
    let result = EmbeddedBus::open(&path, Mode::Production, Options::default(), [1; 16]);
    assert!(matches!(result, Err(BusError::RefusedInProduction)));
    assert!(!path.exists());
    let result = EmbeddedBus::open_in_memory(Mode::Production, Options::default(), [1; 16]);
    assert!(matches!(result, Err(BusError::RefusedInProduction)));
}

#[test]
fn a_full_queue_pushes_back_and_then_says_so() {
    let options = Options {
        queue_records_max: 4,
        publish_wait: Duration::from_millis(20),
        ..Options::default()
    };
    let bus = EmbeddedBus::open_in_memory(Mode::Dev, options, [1; 16]).unwrap();
    let topic = Topic::new("t").unwrap();
    let four: Vec<_> = (0..4).map(|n| record(&topic, n)).collect();
    // The test holds the log's lock, as a disk that stalls would.
    let stalled = bus.lock_writer();
    std::thread::scope(|scope| {
        let accepted = scope.spawn(|| bus.publish(&four));
        while bus.lock().queued < 4 {
            std::thread::yield_now();
        }
        assert_eq!(bus.publish(&four[..1]), Err(BusError::Full));
        assert_eq!(
            bus.shutdown(Duration::from_millis(5)),
            Err(BusError::Timeout)
        );
        drop(stalled);
        accepted.join().unwrap().unwrap();
    });
    assert_eq!(bus.shutdown(Duration::ZERO), Ok(()));
    assert_eq!(bus.lock().bounds(&topic), (0, 4));
}

#[test]
fn publishers_that_wait_together_share_a_commit() {
    let bus = EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap();
    let topic = Topic::new("t").unwrap();
    let stalled = bus.lock_writer();
    std::thread::scope(|scope| {
        for n in 0..10 {
            let (bus, topic) = (&bus, &topic);
            scope.spawn(move || bus.publish(&[record(topic, n)]).unwrap());
        }
        while bus.lock().queued < 10 {
            std::thread::yield_now();
        }
        drop(stalled);
    });
    assert_eq!(bus.end(&topic).unwrap().next, 10);
    assert!(bus.fsyncs() <= 2, "{} commits", bus.fsyncs());
}

#[test]
fn records_older_than_the_tail_come_from_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bus");
    let open = || EmbeddedBus::open(&path, Mode::Dev, Options::default(), [1; 16]).unwrap();
    let topic = Topic::new("t").unwrap();
    let bus = open();
    bus.publish(&(0..5000).map(|n| record(&topic, n)).collect::<Vec<_>>())
        .unwrap();
    let start = bus.start(&topic).unwrap();
    let read = |bus: &EmbeddedBus, next: u64, max: usize| -> Vec<u64> {
        let position = Position { next, ..start };
        let got = bus
            .fetch(&[(topic.clone(), position)], max, Duration::ZERO)
            .unwrap();
        for d in &got {
            assert_eq!(d.record.payload, (d.offset as usize).to_be_bytes());
        }
        got.iter().map(|d| d.offset).collect()
    };
    assert_eq!(read(&bus, 0, 3), [0, 1, 2]);
    assert_eq!(read(&bus, 4998, 9), [4998, 4999]);
    drop(bus);
    assert_eq!(read(&open(), 4998, 9), [4998, 4999]);
}

#[test]
fn a_second_process_is_noticed_when_the_lock_did_not_keep_it_away() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bus");
    let open = || EmbeddedBus::open(&path, Mode::Dev, Options::default(), [1; 16]).unwrap();
    let topic = Topic::new("t").unwrap();
    let one = open();
    std::fs::remove_file(path.with_extension("lock")).unwrap();
    let two = open();
    one.publish(&[record(&topic, 0)]).unwrap();
    assert!(two.publish(&[record(&topic, 1)]).is_err());
    assert!(
        two.fetch(&[], 1, Duration::ZERO).is_err(),
        "a broken bus serves nothing"
    );
    drop((one, two));
    assert_eq!(open().end(&topic).unwrap().next, 1);
}

#[test]
fn retention_keeps_the_newest_records() {
    let options = Options {
        retention_records_max: Some(10),
        ..Options::default()
    };
    let bus = EmbeddedBus::open_in_memory(Mode::Dev, options, [1; 16]).unwrap();
    let topic = Topic::new("t").unwrap();
    for n in 0..25 {
        bus.publish(&[record(&topic, n)]).unwrap();
    }
    assert_eq!(
        (
            bus.start(&topic).unwrap().next,
            bus.end(&topic).unwrap().next
        ),
        (15, 25)
    );
}

/// All who may write to a topic can make dead letters of it, each as large as a record.
#[test]
fn hole_dead_letters_are_kept_up_to_a_number() {
    let bus = EmbeddedBus::open_in_memory(Mode::Dev, Options::default(), [1; 16]).unwrap();
    let topic = Topic::new("t").unwrap();
    let letters = topic.dead_letter().unwrap();
    for n in 0..=255 {
        bus.publish(&[record(&topic, n), record(&letters, n)])
            .unwrap();
    }
    for n in 0..10 {
        bus.publish(&[record(&topic, n), record(&letters, n)])
            .unwrap();
    }
    let bounds = |topic| (bus.start(topic).unwrap().next, bus.end(topic).unwrap().next);
    assert_eq!(bounds(&letters), (10, 266), "the oldest go first");
    assert_eq!(bounds(&topic), (0, 266));
}
