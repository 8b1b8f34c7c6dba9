//! Hours of the week at a fixed offset from UTC. There are no time zones, because zone data differ
//! between builds, and replicas of different builds must decide alike. A tenant follows daylight
//! saving by changing its policy.

use crate::form::{set, texts, words};
use std::fmt;
use std::str::FromStr;
use strongroom_types::UnixMs;
use strongroom_types::fields::{Fields, FormError};
use strongroom_types::json::Json;

const DAY_MINUTES: i128 = 24 * 60;
const WEEK_MINUTES: i128 = 7 * DAY_MINUTES;
/// Smallest and largest offset in use anywhere: UTC−12 and UTC+14.
const OFFSET_MINUTES: std::ops::RangeInclusive<i16> = -720..=840;

words! {
    /// A day of the week; texts list them from Monday.
    Day {
        /// Day 1 of ISO 8601.
        Monday "monday",
        /// Day 2 of ISO 8601.
        Tuesday "tuesday",
        /// Day 3 of ISO 8601.
        Wednesday "wednesday",
        /// Day 4 of ISO 8601.
        Thursday "thursday",
        /// Day 5 of ISO 8601.
        Friday "friday",
        /// Day 6 of ISO 8601.
        Saturday "saturday",
        /// Day 7 of ISO 8601.
        Sunday "sunday",
    }
}

/// Minutes since midnight, 0 to 1440; text form `HH:MM`, up to `24:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeOfDay(u16);

/// Text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a time of day is HH:MM from 00:00 to 24:00")]
pub struct NotATime;

impl FromStr for TimeOfDay {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let (hours, minutes) = text.split_once(':').ok_or(NotATime)?;

        // Each part must have exactly two digits: a time then has one spelling, so equal policies
        // have equal digests.
        let two = |text: &str, max: u16| {
            let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse()
                .ok()
                .filter(|n: &u16| digits && *n <= max)
                .ok_or(NotATime)
        };

        let minute = two(hours, 24)? * 60 + two(minutes, 59)?;

        // Minutes are at most 59, so this excludes 24:01 to 24:59.
        if i128::from(minute) <= DAY_MINUTES {
            Ok(Self(minute))
        } else {
            Err(NotATime)
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// The span from `from` (included) to `to` (excluded) on each of `days`. When `to` is before
/// `from`, the span runs over midnight and belongs to the day on which it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hours {
    /// Minutes to add to UTC, −720 to 840.
    pub utc_offset_minutes: i16,
    /// Days on which the span starts, ascending from Monday.
    pub days: Vec<Day>,
    /// First minute within, local time.
    pub from: TimeOfDay,
    /// First minute after the span, local time.
    pub to: TimeOfDay,
}

impl Hours {
    /// Whether `at` lies within these hours.
    #[must_use]
    pub fn contain(&self, at: UnixMs) -> bool {
        // 1970-01-01 was a Thursday, three days after Monday.
        let minutes =
            i128::from(at.0 / 60_000) + i128::from(self.utc_offset_minutes) + 3 * DAY_MINUTES;

        let of_week = minutes.rem_euclid(WEEK_MINUTES);
        let (today, minute) = (of_week / DAY_MINUTES, of_week % DAY_MINUTES);

        let on = |day: i128| self.days.iter().any(|d| *d as i128 == day);
        let (from, to) = (i128::from(self.from.0), i128::from(self.to.0));

        if from < to {
            return on(today) && (from..to).contains(&minute);
        }

        // The span runs over midnight: `at` is within it on the evening of a listed day, or on the
        // morning after one.
        (on(today) && minute >= from) || (on((today + 6) % 7) && minute < to)
    }

    pub(crate) fn read(f: &mut Fields<'_>) -> Result<Self, FormError> {
        let hours = Self {
            utc_offset_minutes: offset(&f.text("utc_offset_minutes")?)?,
            days: set(f, "days")?,
            from: f.parse("from")?,
            to: f.parse("to")?,
        };

        // Equal ends are refused, because they could mean no time or the whole day.
        if hours.from == hours.to {
            return Err(FormError::invalid(
                "to",
                "must differ from `from`; a whole day is 00:00 to 24:00",
            ));
        }

        if i128::from(hours.from.0) == DAY_MINUTES {
            return Err(FormError::invalid("from", "24:00 is 00:00 of the next day"));
        }

        Ok(hours)
    }

    pub(crate) fn write(&self) -> Json<'_> {
        Json::object([
            ("days", texts(&self.days)),
            ("from", Json::text(self.from)),
            ("to", Json::text(self.to)),
            ("utc_offset_minutes", Json::text(self.utc_offset_minutes)),
        ])
    }
}

fn offset(text: &str) -> Result<i16, FormError> {
    // `+60` and `060` parse too. Only the spelling that `write` makes is accepted, so that equal
    // policies have equal digests.
    let canonical = text
        .parse()
        .ok()
        .filter(|n: &i16| n.to_string() == text && OFFSET_MINUTES.contains(n));
    canonical
        .ok_or_else(|| FormError::invalid("utc_offset_minutes", "must be between -720 and 840"))
}
