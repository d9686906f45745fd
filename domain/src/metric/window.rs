//! The times that a caller asks for.

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::INTERVAL;
use crate::{Error, FieldError, Result, UserErrorCode};

/// Seconds of one point. One of an hour and more has whole hours, because older times are only kept as those.
pub const STEP_SECONDS: (i32, i32) = (30, 604_800);
/// Points of one series.
pub const MAX_POINTS: i64 = 1_500;
/// Points of all series of an instance in one answer.
pub const MAX_ALL_POINTS: i64 = 10_000;
const HOUR: i64 = 3_600;
/// Years of the times that can be asked for, so that every computation with them is one that works.
const YEARS: std::ops::Range<i32> = 2000..2200;
/// The steps that are chosen if none is asked for: the first with which there are at most [`USUAL_POINTS`].
const USUAL_STEPS: [i64; 6] = [60, 300, 900, HOUR, 6 * HOUR, 24 * HOUR];
const USUAL_POINTS: i64 = 300;

/// A range of time in steps, which begin at multiples of the step since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetricWindow {
    /// The beginning of the first step.
    pub from: DateTime<Utc>,
    /// The end of the last step.
    pub to: DateTime<Utc>,
    /// Its length in seconds.
    pub step_seconds: i32,
}

impl MetricWindow {
    /// The steps that `from` to `to` touch: by default the last hour, in steps of a length that fits.
    ///
    /// # Errors
    /// [`Error::User`] if a value is out of range.
    pub fn new(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>, step_seconds: Option<i32>, now: DateTime<Utc>) -> Result<Self> {
        let to = to.unwrap_or(now);
        let from = from.or_else(|| to.checked_sub_signed(TimeDelta::seconds(HOUR))).unwrap_or(to);
        for (field, time) in [("from", from), ("to", to)] {
            if !YEARS.contains(&time.year()) {
                return Err(Error::user(UserErrorCode::OutOfRange, field, format!("must be in the years {} to {}", YEARS.start, YEARS.end - 1)));
            }
        }
        if from >= to {
            return Err(Error::user(UserErrorCode::OutOfRange, "from", "must be before to"));
        }
        let seconds = (to - from).num_seconds();
        let step = step_seconds.map_or_else(|| usual_step(seconds), i64::from);
        let (least, most) = STEP_SECONDS;
        if !(i64::from(least)..=i64::from(most)).contains(&step) || (step > HOUR && step % HOUR != 0) {
            let message = format!("must be {least} to {most}, and a multiple of {HOUR} if it is more than that");
            return Err(Error::user(UserErrorCode::OutOfRange, "stepSeconds", message));
        }
        let points = seconds / step + 1;
        if points > MAX_POINTS {
            return Err(too_many(format!("{points} points from `from` to `to` are more than {MAX_POINTS}"), seconds, MAX_POINTS));
        }
        let at = |number: i64| DateTime::from_timestamp(number * step, 0).ok_or_else(|| Error::internal("a time of these years is one"));
        // The end is not part of the range.
        let last_second = if to.timestamp_subsec_nanos() == 0 { to.timestamp() - 1 } else { to.timestamp() };
        let (first, last) = (from.timestamp().div_euclid(step), last_second.div_euclid(step));
        let step_seconds = i32::try_from(step).map_err(Error::internal)?;
        Ok(Self { from: at(first)?, to: at(last + 1)?, step_seconds })
    }

    /// Whether the answer for this number of metrics is small enough.
    ///
    /// # Errors
    /// [`Error::User`] if it is not.
    pub fn check(&self, metrics: usize) -> Result<()> {
        let metrics = i64::try_from(metrics).unwrap_or(i64::MAX);
        if metrics.saturating_mul(self.points()) > MAX_ALL_POINTS {
            let message = format!("{metrics} metrics of {} points each are more than {MAX_ALL_POINTS} points", self.points());
            return Err(too_many(message, (self.to - self.from).num_seconds(), (MAX_ALL_POINTS / metrics).max(1)));
        }
        Ok(())
    }

    /// The length of a step.
    #[must_use]
    pub fn step(&self) -> TimeDelta {
        TimeDelta::seconds(self.step_seconds.into())
    }

    /// The number of steps.
    #[must_use]
    pub fn points(&self) -> i64 {
        (self.to - self.from).num_seconds() / i64::from(self.step_seconds.max(1))
    }

    /// Whether it is made of summaries of hours.
    #[must_use]
    pub fn is_hourly(&self) -> bool {
        i64::from(self.step_seconds) >= HOUR
    }

    /// About how many rows have to be read for it.
    #[must_use]
    pub fn rows(&self) -> i64 {
        (self.to - self.from).num_seconds() / if self.is_hourly() { HOUR } else { INTERVAL.as_secs() as i64 }
    }
}

fn usual_step(seconds: i64) -> i64 {
    let [.., longest] = USUAL_STEPS;
    USUAL_STEPS.into_iter().find(|step| seconds / step <= USUAL_POINTS).unwrap_or(longest)
}

/// What is too much, with a step that is long enough.
fn too_many(message: String, seconds: i64, points: i64) -> Error {
    let least = seconds / points.max(2).saturating_sub(1) + 1;
    let step = if least > HOUR { (least + HOUR - 1) / HOUR * HOUR } else { least.max(STEP_SECONDS.0.into()) };
    let remedy = if step <= i64::from(STEP_SECONDS.1) { format!("use a stepSeconds of at least {step}") } else { "ask for less time".to_owned() };
    Error::User(vec![FieldError::new(UserErrorCode::OutOfRange, "stepSeconds", format!("{message}: {remedy}, a shorter range, or fewer names"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    const NOW: i64 = 1_000_000_000;

    fn window(seconds: i64, step_seconds: Option<i32>) -> Result<MetricWindow> {
        MetricWindow::new(Some(at(NOW - seconds)), None, step_seconds, at(NOW))
    }

    #[test]
    fn the_steps_are_aligned_and_touch_the_range() {
        let hour = MetricWindow::new(None, None, None, at(NOW)).unwrap();
        assert_eq!((hour.step_seconds, hour.from, hour.to, hour.points()), (60, at(NOW - 3640), at(NOW + 20), 61));
        let exact = MetricWindow::new(Some(at(999_997_200)), Some(at(1_000_000_800)), Some(3600), at(NOW)).unwrap();
        assert_eq!((exact.from, exact.to, exact.points()), (at(999_997_200), at(1_000_000_800), 1));
        assert!(exact.is_hourly() && !hour.is_hourly());
        assert_eq!((exact.rows(), hour.rows()), (1, 122));
    }

    #[test]
    fn a_step_that_is_not_asked_for_fits_the_range() {
        for (hours, step) in [(1, 60), (24, 300), (48, 900), (24 * 7, 3600), (24 * 30, 21_600), (24 * 90, 86_400), (24 * 3650, 86_400 * 100)] {
            match window(hours * 3600, None) {
                Ok(window) => assert_eq!(window.step_seconds, step, "{hours} h"),
                Err(error) => assert!(hours > 24 * 1500, "{hours} h: {error}"),
            }
        }
    }

    #[test]
    fn what_is_too_much_names_the_field_and_a_step_that_works() {
        let error = |outcome: Result<MetricWindow>| outcome.unwrap_err().to_string();
        let too_fine = error(window(86_400, Some(30)));
        assert_eq!(
            too_fine,
            "stepSeconds: 2881 points from `from` to `to` are more than 1500: use a stepSeconds of at least 58, a shorter range, or fewer names"
        );
        let day = window(86_400, Some(58)).unwrap();
        assert!(day.points() <= MAX_POINTS, "{day:?}");
        assert!(day.check(6).is_ok());
        let many = day.check(24).unwrap_err().to_string();
        let step: i32 = many.split("at least ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        window(86_400, Some(step)).unwrap().check(24).unwrap();
        for step in [29, 0, -1, 3601, 604_801] {
            assert!(error(window(3600, Some(step))).starts_with("stepSeconds: must be 30 to 604800"), "{step}");
        }
        assert_eq!(error(window(0, None)), "from: must be before to");
        // Any time that can be written is answered.
        assert!(MetricWindow::new(Some(DateTime::<Utc>::MIN_UTC), Some(DateTime::<Utc>::MAX_UTC), Some(604_800), at(NOW)).is_err());
        assert!(MetricWindow::new(None, Some(DateTime::<Utc>::MIN_UTC), None, at(NOW)).is_err());
    }
}
