//! The weekly time in which the control plane may restart an instance by itself, to apply an update.

use chrono::{DateTime, Datelike, Days, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

crate::instance::text_enum! {
    /// A day of the week.
    pub enum Weekday {
        /// Monday.
        Monday,
        /// Tuesday.
        Tuesday,
        /// Wednesday.
        Wednesday,
        /// Thursday.
        Thursday,
        /// Friday.
        Friday,
        /// Saturday.
        Saturday,
        /// Sunday.
        Sunday,
    }
}

/// A weekly maintenance window, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenanceWindow {
    /// The day on which it begins.
    pub weekday: Weekday,
    /// The time at which it begins.
    pub start: NaiveTime,
    /// How long it is. It may end on the next day.
    pub duration_minutes: i32,
}

impl MaintenanceWindow {
    /// When the window that `at` is in began; `None` if it is in none.
    #[must_use]
    pub fn began(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let days = (at.weekday().num_days_from_monday() + 7 - self.weekday as u32) % 7;
        // On its own day before its time, the last one began a week ago, and is shorter than that.
        let began = (at.date_naive() - Days::new(days.into())).and_time(self.start).and_utc();
        (began <= at && at < began + TimeDelta::minutes(self.duration_minutes.into())).then_some(began)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_end_on_the_next_day() {
        let window = MaintenanceWindow { weekday: Weekday::Sunday, start: NaiveTime::from_hms_opt(23, 30, 0).unwrap(), duration_minutes: 60 };
        // 2026-11-29 is a Sunday.
        let began: DateTime<Utc> = "2026-11-29T23:30:00Z".parse().unwrap();
        for (at, is_in) in [
            ("2026-11-29T23:29:59Z", false),
            ("2026-11-29T23:30:00Z", true),
            ("2026-11-30T00:29:59Z", true),
            ("2026-11-30T00:30:00Z", false),
            ("2026-11-28T23:45:00Z", false),
            ("2026-12-06T00:15:00Z", false),
        ] {
            assert_eq!(window.began(at.parse().unwrap()), is_in.then_some(began), "{at}");
        }
        for (day, weekday) in (23..=29).zip(Weekday::ALL) {
            let window = MaintenanceWindow { weekday: *weekday, ..window };
            assert!(window.began(format!("2026-11-{day}T23:45:00Z").parse().unwrap()).is_some(), "{weekday}");
        }
    }
}
