//! Cases of the bus port.

use std::time::{Duration, Instant};

use strongroom_ports::bus::{Bus, BusError, Delivered, Headers, Position, Record, Topic};

const NOW: Duration = Duration::ZERO;
/// A wait longer than any healthy bus needs; only a failing test waits for it.
const LONG: Duration = Duration::from_secs(10);

/// A bus under test. Make it with a small queue, so that pushing back is exercised.
pub trait BusFixture {
    /// The bus.
    fn bus(&self) -> &dyn Bus;
    /// Drops a topic's records before `oldest`, as retention does.
    fn trim(&self, topic: &Topic, oldest: u64);
    /// Closes the bus and opens the same log again.
    fn reopen(&mut self);
    /// Replaces the log by a new, empty one.
    fn recreate(&mut self);
}

fn topic(name: &str) -> Topic {
    Topic::new(name).unwrap()
}

fn record(topic: &Topic, key: u8, n: u64) -> Record {
    let headers = Headers {
        schema: 3,
        deadline_ms: 1_700_000_000_000 + n,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into(),
        marks: vec![key, 1, 2],
    };
    Record {
        topic: topic.clone(),
        key: vec![key],
        headers,
        payload: n.to_be_bytes().to_vec(),
    }
}

fn number(d: &Delivered) -> u64 {
    u64::from_be_bytes(d.record.payload.as_slice().try_into().unwrap())
}

/// Everything from a position to the end.
fn drain(bus: &dyn Bus, topic: &Topic, mut position: Position) -> Vec<Delivered> {
    let mut all = Vec::new();
    loop {
        let got = bus.fetch(&[(topic.clone(), position)], 7, NOW).unwrap();
        let Some(last) = got.last() else { return all };
        position.next = last.offset + 1;
        all.extend(got);
    }
}

fn drain_all(bus: &dyn Bus, topic: &Topic) -> Vec<Delivered> {
    drain(bus, topic, bus.start(topic).unwrap())
}

/// Headers, key and payload are carried unchanged, at their size limits too.
pub fn records_come_back_whole(f: &mut impl BusFixture) {
    let t = topic("whole.v1");
    let mut big = record(&t, 2, 2);
    big.payload = vec![0xa5; Record::PAYLOAD_MAX];
    big.key = vec![0; Record::KEY_MAX];
    big.headers.marks = vec![9; Record::MARKS_MAX];
    let mut empty = record(&t, 3, 3);
    empty.payload.clear();
    empty.key.clear();
    empty.headers = Headers::default();
    let sent = vec![record(&t, 1, 1), big, empty];
    f.bus().publish(&sent).unwrap();
    let got = drain_all(f.bus(), &t);
    assert!(got.iter().all(|d| d.topic == t && d.partition == 0));
    assert_eq!(got.into_iter().map(|d| d.record).collect::<Vec<_>>(), sent);
}

/// Several publishers, one key each: each key's numbers ascend.
pub fn one_key_keeps_its_order(f: &mut impl BusFixture) {
    let t = topic("order.v1");
    let bus = f.bus();
    std::thread::scope(|scope| {
        for key in 0..4u8 {
            let t = &t;
            scope.spawn(move || {
                for n in 0..50 {
                    bus.publish(&[record(t, key, 2 * n), record(t, key, 2 * n + 1)])
                        .unwrap();
                }
            });
        }
    });
    let got = drain_all(bus, &t);
    for key in 0..4u8 {
        let numbers: Vec<u64> = got
            .iter()
            .filter(|d| d.record.key == [key])
            .map(number)
            .collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }
}

/// Offsets count 0, 1, 2, … and follow the order of one call.
pub fn offsets_are_dense_and_a_batch_stays_in_order(f: &mut impl BusFixture) {
    let (a, b) = (topic("a.v1"), topic("b.v1"));
    let batch: Vec<_> = (0..20)
        .map(|n| record(if n % 2 == 0 { &a } else { &b }, 1, n))
        .collect();
    f.bus().publish(&batch).unwrap();
    let got = drain_all(f.bus(), &b);
    assert_eq!(
        got.iter().map(|d| d.offset).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    assert_eq!(
        got.iter().map(number).collect::<Vec<_>>(),
        (0..10).map(|n| 2 * n + 1).collect::<Vec<_>>()
    );
    assert_eq!(f.bus().end(&b).unwrap().next, 10);
}

/// The bus keeps no position: a crashed consumer asks again and gets the same.
pub fn the_same_position_gives_the_same_records_again(f: &mut impl BusFixture) {
    let t = topic("again.v1");
    f.bus()
        .publish(&(0..10).map(|n| record(&t, 1, n)).collect::<Vec<_>>())
        .unwrap();
    let want = [(
        t.clone(),
        Position {
            next: 4,
            ..f.bus().start(&t).unwrap()
        },
    )];
    let first = f.bus().fetch(&want, 3, NOW).unwrap();
    assert_eq!(
        first.iter().map(|d| d.offset).collect::<Vec<_>>(),
        [4, 5, 6]
    );
    assert_eq!(f.bus().fetch(&want, 3, NOW).unwrap(), first);
}

/// One consumer's reading moves no other one.
pub fn consumers_are_independent(f: &mut impl BusFixture) {
    let t = topic("two.v1");
    f.bus().publish(&[record(&t, 1, 0)]).unwrap();
    assert_eq!(drain_all(f.bus(), &t), drain_all(f.bus(), &t));
}

/// A consumer may start before the first record was published.
pub fn an_unknown_topic_begins_at_zero(f: &mut impl BusFixture) {
    let t = topic("later.v1");
    let start = f.bus().start(&t).unwrap();
    assert_eq!((start.next, f.bus().end(&t).unwrap()), (0, start));
    assert!(
        f.bus()
            .fetch(&[(t.clone(), start)], 9, NOW)
            .unwrap()
            .is_empty()
    );
    f.bus().publish(&[record(&t, 1, 5)]).unwrap();
    assert_eq!(drain(f.bus(), &t, start).len(), 1);
}

fn gone(result: Result<Vec<Delivered>, BusError>) -> (u64, u64, u64, bool) {
    match result {
        Err(BusError::PositionGone {
            wanted,
            oldest,
            end,
            same_log,
            ..
        }) => (wanted, oldest, end, same_log),
        other => panic!("expected PositionGone, got {other:?}"),
    }
}

/// A log that lost its end (restored backup) is not silently waited for.
pub fn a_position_beyond_the_end_is_an_error(f: &mut impl BusFixture) {
    let t = topic("beyond.v1");
    f.bus()
        .publish(&[record(&t, 1, 0), record(&t, 1, 1)])
        .unwrap();
    let beyond = Position {
        next: 3,
        ..f.bus().start(&t).unwrap()
    };
    assert_eq!(
        gone(f.bus().fetch(&[(t.clone(), beyond)], 9, LONG)),
        (3, 0, 2, true)
    );
}

/// Retention that passed a consumer is not silently skipped; the newest records stay readable.
pub fn a_position_before_the_oldest_record_is_an_error(f: &mut impl BusFixture) {
    let t = topic("trimmed.v1");
    f.bus()
        .publish(&(0..10).map(|n| record(&t, 1, n)).collect::<Vec<_>>())
        .unwrap();
    let old = f.bus().start(&t).unwrap();
    f.trim(&t, 6);
    assert_eq!(
        gone(f.bus().fetch(&[(t.clone(), old)], 9, NOW)),
        (0, 6, 10, true)
    );
    let five = Position { next: 5, ..old };
    assert_eq!(
        gone(f.bus().fetch(&[(t.clone(), five)], 9, NOW)),
        (5, 6, 10, true)
    );
    assert_eq!(
        drain_all(f.bus(), &t)
            .iter()
            .map(number)
            .collect::<Vec<_>>(),
        [6, 7, 8, 9]
    );
    f.trim(&t, 10);
    assert_eq!(f.bus().start(&t).unwrap(), f.bus().end(&t).unwrap());
    f.reopen();
    assert_eq!(
        f.bus().start(&t).unwrap().next,
        10,
        "the end survives the last record"
    );
}

/// A recreated log with as many records is still another log.
pub fn a_position_of_another_log_is_an_error(f: &mut impl BusFixture) {
    let t = topic("other.v1");
    f.bus().publish(&[record(&t, 1, 0)]).unwrap();
    let position = f.bus().end(&t).unwrap();
    f.recreate();
    f.bus().publish(&[record(&t, 1, 0)]).unwrap();
    assert_eq!(
        gone(f.bus().fetch(&[(t.clone(), position)], 9, NOW)),
        (1, 0, 1, false)
    );
}

/// Each part has a limit; when one is passed, nothing of the call is published.
pub fn an_oversize_record_is_refused_with_its_size(f: &mut impl BusFixture) {
    let t = topic("large.v1");
    let refused = |part: &str, size_found: usize, change: &dyn Fn(&mut Record)| {
        let mut large = record(&t, 1, 1);
        change(&mut large);
        match f.bus().publish(&[record(&t, 1, 0), large]) {
            Err(BusError::TooLarge {
                part: p, size, max, ..
            }) => {
                assert_eq!((p, size, max), (part, size_found, size_found - 1));
            }
            other => panic!("expected TooLarge, got {other:?}"),
        }
    };
    refused("payload", Record::PAYLOAD_MAX + 1, &|r| {
        r.payload = vec![0; Record::PAYLOAD_MAX + 1]
    });
    refused("key", Record::KEY_MAX + 1, &|r| {
        r.key = vec![0; Record::KEY_MAX + 1]
    });
    refused("marks", Record::MARKS_MAX + 1, &|r| {
        r.headers.marks = vec![0; Record::MARKS_MAX + 1]
    });
    refused("traceparent", Record::TRACEPARENT_MAX + 1, &|r| {
        r.headers.traceparent = "x".repeat(Record::TRACEPARENT_MAX + 1);
    });
    assert_eq!(f.bus().end(&t).unwrap().next, 0);
}

/// `publish` returned, so the records are there after a restart, under the same positions.
pub fn published_records_survive_reopening(f: &mut impl BusFixture) {
    let t = topic("durable.v1");
    f.bus()
        .publish(&(0..30).map(|n| record(&t, 1, n)).collect::<Vec<_>>())
        .unwrap();
    let (before, end) = (drain_all(f.bus(), &t), f.bus().end(&t).unwrap());
    f.reopen();
    assert_eq!(drain_all(f.bus(), &t), before);
    assert_eq!(f.bus().end(&t).unwrap(), end);
    f.bus().publish(&[record(&t, 1, 30)]).unwrap();
    assert_eq!(number(&drain(f.bus(), &t, end)[0]), 30);
}

/// Delivery is at least once: the removal of duplicates is the consumer's work.
pub fn duplicates_are_delivered_not_merged(f: &mut impl BusFixture) {
    let t = topic("twice.v1");
    let r = record(&t, 1, 1);
    f.bus().publish(std::slice::from_ref(&r)).unwrap();
    f.bus().publish(std::slice::from_ref(&r)).unwrap();
    assert_eq!(drain_all(f.bus(), &t).len(), 2);
}

/// Publishers of far more than the queue holds are held back; nothing is dropped or doubled.
pub fn many_publishers_lose_nothing(f: &mut impl BusFixture) {
    let t = topic("many.v1");
    let bus = f.bus();
    std::thread::scope(|scope| {
        for key in 0..8u8 {
            let t = &t;
            scope.spawn(move || {
                for n in 0..40 {
                    let batch: Vec<_> = (0..5).map(|i| record(t, key, n * 5 + i)).collect();
                    bus.publish(&batch).unwrap();
                }
            });
        }
    });
    let mut ids: Vec<_> = drain_all(bus, &t)
        .iter()
        .map(|d| (d.record.key.clone(), number(d)))
        .collect();
    assert_eq!(ids.len(), 8 * 200);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8 * 200);
}

/// A blocked fetch returns when a record comes, not when its time is over.
pub fn a_waiting_consumer_is_woken(f: &mut impl BusFixture) {
    let t = topic("wake.v1");
    let bus = f.bus();
    let start = bus.start(&t).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let began = Instant::now();
            (
                bus.fetch(&[(t.clone(), start)], 9, LONG).unwrap(),
                began.elapsed(),
            )
        });
        std::thread::sleep(Duration::from_millis(20));
        bus.publish(&[record(&t, 1, 7)]).unwrap();
        let (got, waited) = waiting.join().unwrap();
        assert_eq!(got.iter().map(number).collect::<Vec<_>>(), [7]);
        assert!(waited < LONG / 2, "woken after {waited:?}");
    });
}

/// Without records the answer is empty, and comes when the time is over and not before.
pub fn an_empty_fetch_times_out_empty(f: &mut impl BusFixture) {
    let t = topic("quiet.v1");
    let start = f.bus().start(&t).unwrap();
    let began = Instant::now();
    assert!(
        f.bus()
            .fetch(&[(t, start)], 9, Duration::from_millis(30))
            .unwrap()
            .is_empty()
    );
    assert!(began.elapsed() >= Duration::from_millis(30));
}

/// Every topic with records gets its turn, even when fewer records than topics are asked for.
pub fn a_busy_topic_does_not_starve_a_quiet_one(f: &mut impl BusFixture) {
    let (busy, quiet) = (topic("busy.v1"), topic("quiet.v1"));
    f.bus()
        .publish(&(0..30).map(|n| record(&busy, 1, n)).collect::<Vec<_>>())
        .unwrap();
    f.bus().publish(&[record(&quiet, 1, 0)]).unwrap();
    let wants = [
        (busy.clone(), f.bus().start(&busy).unwrap()),
        (quiet.clone(), f.bus().start(&quiet).unwrap()),
    ];
    let got = f.bus().fetch(&wants, 10, NOW).unwrap();
    assert_eq!(got.len(), 10, "a quiet topic's share is not wasted");
    assert!(got.iter().any(|d| d.topic == quiet));
    let turns: Vec<Topic> = (0..4)
        .flat_map(|_| f.bus().fetch(&wants, 1, NOW).unwrap())
        .map(|d| d.topic)
        .collect();
    assert!(turns.contains(&busy) && turns.contains(&quiet), "{turns:?}");
}

/// After shutdown nothing is accepted, and what was accepted is there.
pub fn a_closed_bus_refuses_everything(f: &mut impl BusFixture) {
    let t = topic("closed.v1");
    let start = f.bus().start(&t).unwrap();
    let bus = f.bus();
    let accepted = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bus.fetch(&[(t.clone(), start)], 9, LONG));
        let publishing: Vec<_> = (0..8)
            .map(|key| {
                let t = &t;
                scope.spawn(move || {
                    (0..20)
                        .filter(|n| bus.publish(&[record(t, key, *n)]).is_ok())
                        .count()
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(3));
        bus.shutdown(LONG).unwrap();
        let accepted: usize = publishing.into_iter().map(|p| p.join().unwrap()).sum();
        let _ = waiting.join().unwrap();
        assert_eq!(bus.publish(&[record(&t, 1, 1)]), Err(BusError::Closed));
        assert_eq!(
            bus.fetch(&[(t.clone(), start)], 9, NOW),
            Err(BusError::Closed)
        );
        accepted
    });
    f.reopen();
    assert_eq!(drain_all(f.bus(), &t).len(), accepted);
}

/// Each lone publish costs one sync; fetching costs none.
pub fn syncs_are_counted(f: &mut impl BusFixture) {
    let t = topic("syncs.v1");
    let before = f.bus().fsyncs();
    f.bus()
        .publish(&[record(&t, 1, 0), record(&t, 1, 1)])
        .unwrap();
    f.bus().publish(&[record(&t, 1, 2)]).unwrap();
    f.bus().publish(&[]).unwrap();
    drain_all(f.bus(), &t);
    assert_eq!(f.bus().fsyncs() - before, 2);
}
