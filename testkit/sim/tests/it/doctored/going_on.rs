//! What waits once nothing goes wrong any more (p).

use super::story::{Story, doctored, name};
use strongroom_sim::history::{Fact, Observation};

/// Longest time in which what waits gets its time.
const MOST_MS: u64 = 60_000;

fn proposed(s: &mut Story) {
    s.entry(Fact::Proposed(name(30)));
    s.witnessed();
}

#[test]
fn what_waits_for_long_after_the_last_fault_breaks_p() {
    let waits = |ms: u64, is_calm: bool| {
        doctored(|s| {
            proposed(s);
            s.wait(500_000);
            if is_calm {
                s.see(Observation::Calm);
            }
            s.wait(ms);
            s.witnessed();
        })
    };
    assert_eq!(waits(2 * MOST_MS, false), None, "while faults last");
    assert_eq!(waits(MOST_MS - 1_000, true), None);
    assert_eq!(waits(MOST_MS + 1_000, true), Some("p"));
}

#[test]
fn what_begins_to_wait_later_has_the_same_time() {
    let waits = |is_vouched: bool| {
        doctored(|s| {
            s.see(Observation::Calm);
            s.wait(2 * MOST_MS);
            proposed(s);
            if is_vouched {
                s.vouched(0);
            }
            s.wait(MOST_MS + 1_000);
            s.witnessed();
        })
    };
    assert_eq!(waits(true), None);
    assert_eq!(waits(false), Some("p"));
}

#[test]
fn newer_entries_put_nothing_off() {
    let ticks = |s: &mut Story| {
        proposed(s);
        s.see(Observation::Calm);
        for _ in 0..3 {
            s.wait(MOST_MS / 2);
            s.entry(Fact::Other);
            s.witnessed();
        }
    };
    assert_eq!(doctored(ticks), Some("p"));
}

#[test]
fn a_writer_whose_clock_was_ahead_is_waited_for() {
    let stamped_ahead = |ms: u64| {
        doctored(|s| {
            s.at += 600_000;
            proposed(s);
            s.at -= 600_000;
            s.see(Observation::Calm);
            s.wait(ms);
            s.witnessed();
        })
    };
    assert_eq!(stamped_ahead(600_000), None);
    assert_eq!(stamped_ahead(700_000), Some("p"));
}

#[test]
fn an_entry_that_was_kept_back_beyond_the_last_fault_is_waited_for() {
    let published = |after_ms: u64, ms: u64| {
        doctored(|s| {
            s.see(Observation::Calm);
            s.wait(after_ms);
            s.entry_stamped(600_000, Fact::Proposed(name(30)));
            s.wait(ms);
            s.witnessed();
        })
    };
    assert_eq!(published(1_000, 600_000), None);
    assert_eq!(published(1_000, 700_000), Some("p"));
    assert_eq!(
        published(10_000, 600_000),
        Some("p"),
        "stamped after the last fault"
    );
}

#[test]
fn a_time_ahead_of_every_clock_breaks_p() {
    let vouched = |ahead_ms: u64| {
        doctored(|s| {
            proposed(s);
            s.vouched(ahead_ms);
        })
    };
    assert_eq!(vouched(5_000), None, "clocks differ by the skew");
    assert_eq!(vouched(7_000), Some("p"));
}
