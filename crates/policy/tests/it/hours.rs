use crate::world::NOW;
use strongroom_policy::{Day, Hours};
use strongroom_types::UnixMs;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn hours(utc_offset_minutes: i16, days: &[Day], from: &str, to: &str) -> Hours {
    Hours {
        utc_offset_minutes,
        days: days.to_vec(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

#[test]
fn days_and_minutes_are_counted_from_the_epoch() {
    // NOW is Thursday 2026-01-01 00:00 UTC; the epoch was a Thursday too.
    for start in [NOW, UnixMs(0)] {
        let open = hours(0, &[Day::Thursday], "09:00", "17:00");
        assert!(!open.contain(start.plus(9 * HOUR - 1)));
        assert!(open.contain(start.plus(9 * HOUR)));
        assert!(open.contain(start.plus(17 * HOUR - 1)));
        assert!(!open.contain(start.plus(17 * HOUR)));
        assert!(!open.contain(start.plus(DAY + 9 * HOUR)), "Friday");
        assert!(
            open.contain(start.plus(7 * DAY + 9 * HOUR)),
            "next Thursday"
        );
    }
}

#[test]
fn each_day_is_its_own() {
    use Day::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let days = [
        Thursday, Friday, Saturday, Sunday, Monday, Tuesday, Wednesday,
    ];
    for (n, _) in days.iter().enumerate() {
        let at = NOW.plus(n as u64 * DAY + HOUR);
        let on: Vec<_> = days
            .iter()
            .filter(|day| hours(0, &[**day], "00:00", "24:00").contain(at))
            .collect();
        assert_eq!(on, [&days[n]]);
    }
}

#[test]
fn a_span_over_midnight_belongs_to_the_day_it_starts_on() {
    let night = hours(0, &[Day::Thursday], "22:00", "06:00");
    assert!(
        !night.contain(NOW),
        "Thursday 00:00 belongs to Wednesday's night"
    );
    assert!(!night.contain(NOW.plus(22 * HOUR - 1)));
    assert!(night.contain(NOW.plus(22 * HOUR)));
    assert!(night.contain(NOW.plus(DAY)));
    assert!(night.contain(NOW.plus(DAY + 6 * HOUR - 1)));
    assert!(!night.contain(NOW.plus(DAY + 6 * HOUR)));
    assert!(!night.contain(NOW.plus(DAY + 22 * HOUR)), "Friday's night");
}

#[test]
fn the_last_night_of_the_week_ends_on_monday() {
    let night = hours(0, &[Day::Sunday], "23:00", "01:00");
    let monday = NOW.plus(4 * DAY);
    assert!(night.contain(UnixMs(monday.0 - 1)));
    assert!(night.contain(monday));
    assert!(!night.contain(monday.plus(HOUR)));
    assert!(
        !night.contain(monday.plus(6 * DAY)),
        "Sunday 00:00 belongs to Saturday's night"
    );
}

#[test]
fn the_offset_moves_the_day() {
    // Thursday 00:00 UTC is Wednesday evening in the west and Thursday 14:00 in the east.
    assert!(hours(-1, &[Day::Wednesday], "23:59", "24:00").contain(NOW));
    assert!(hours(-720, &[Day::Wednesday], "12:00", "12:01").contain(NOW));
    assert!(hours(840, &[Day::Thursday], "14:00", "14:01").contain(NOW));
    // Sunday 23:00 UTC is Monday 01:00 at UTC+2, over the end of the week.
    let sunday_late = NOW.plus(3 * DAY + 23 * HOUR);
    assert!(hours(120, &[Day::Monday], "01:00", "01:01").contain(sunday_late));
    // At UTC-1 the epoch is still Wednesday.
    assert!(hours(-60, &[Day::Wednesday], "23:00", "24:00").contain(UnixMs(0)));
}

#[test]
fn the_end_of_time_has_a_day_too() {
    let always: Vec<_> = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .map(|day| day.parse().unwrap())
    .into();
    assert!(hours(840, &always, "00:00", "24:00").contain(UnixMs(u64::MAX)));
}
