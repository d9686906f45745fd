//! Rates, and summaries of times.

use chrono::{DateTime, TimeDelta, Utc};

use super::{MetricKind, MetricName, MetricValues, Reading};

/// The values of a metric in a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricSummary {
    /// Their average. That of a rate is what was counted, divided by the time.
    pub average: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
}

/// What a time looked like.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryPoint {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The readings in it.
    pub readings: i32,
    /// A summary of each metric, as far as it has values.
    pub metrics: MetricValues<MetricSummary>,
}

/// Summaries of the times of `step` from `from` on, of readings in order. Times begin at multiples of the step since 1970. Those without a
/// reading are left out; a metric without a value in a time has no summary.
///
/// A rate is one between two readings, and belongs to the time of the later: readings from before `from` only serve the first one. There
/// is none between two readings that are further apart than `longest_pause`, nor across a reset of the statistics, or a restart or crash of
/// the server, nor for a counter that is lower than before (a database was dropped).
#[must_use]
pub fn summarize(readings: &[Reading], from: DateTime<Utc>, step: TimeDelta, longest_pause: TimeDelta) -> Vec<SummaryPoint> {
    let mut points = Points::new(step);
    let mut before: Option<&Reading> = None;
    for reading in readings {
        if reading.at >= from {
            let at = points.at(reading.at, 1);
            let before = before.filter(|before| before.epoch == reading.epoch && reading.at - before.at <= longest_pause);
            for (metric, sum) in MetricName::ALL.iter().zip(at) {
                if let Some((value, weight)) = value(*metric, before, reading) {
                    sum.add(MetricSummary { average: value, minimum: value, maximum: value }, weight);
                }
            }
        }
        before = Some(reading);
    }
    points.finish()
}

/// Summaries of the times of a longer `step`, of those of shorter ones in order. Each counts as much as it has readings.
#[must_use]
pub fn merge(shorter: &[SummaryPoint], step: TimeDelta) -> Vec<SummaryPoint> {
    let mut points = Points::new(step);
    for point in shorter {
        let at = points.at(point.at, point.readings);
        for (metric, sum) in MetricName::ALL.iter().zip(at) {
            if let Some(summary) = point.metrics.get(*metric) {
                sum.add(summary, f64::from(point.readings.max(1)));
            }
        }
    }
    points.finish()
}

/// The value of a metric in a reading, and how much it counts in an average.
fn value(metric: MetricName, before: Option<&Reading>, now: &Reading) -> Option<(f64, f64)> {
    let growth = |counter: MetricName| {
        let growth = now.values.get(counter)? - before?.values.get(counter)?;
        (growth >= 0.0).then_some(growth)
    };
    match metric.definition().kind {
        MetricKind::Gauge => now.values.get(metric).map(|value| (value, 1.0)),
        MetricKind::Counter => {
            let seconds = (now.at - before?.at).as_seconds_f64();
            (seconds > 0.0).then_some((growth(metric)? / seconds, seconds))
        }
        MetricKind::Share(part, rest) => {
            let (part, rest) = (growth(part)?, growth(rest)?);
            (part + rest > 0.0).then_some((part / (part + rest), part + rest))
        }
    }
}

struct Points {
    step: i64,
    finished: Vec<SummaryPoint>,
    current: Option<(i64, i32, Vec<Sum>)>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    total: f64,
    weight: f64,
    bounds: Option<(f64, f64)>,
}

impl Points {
    fn new(step: TimeDelta) -> Self {
        Self { step: step.num_seconds().max(1), finished: Vec::new(), current: None }
    }

    /// The sums of the time that `at` is in, which has this number of readings more.
    fn at(&mut self, at: DateTime<Utc>, readings: i32) -> &mut [Sum] {
        let number = at.timestamp().div_euclid(self.step);
        if self.current.as_ref().is_some_and(|(current, ..)| *current != number) {
            self.close();
        }
        let (_, count, sums) = self.current.get_or_insert_with(|| (number, 0, vec![Sum::default(); MetricName::COUNT]));
        *count += readings;
        sums
    }

    fn close(&mut self) {
        let Some((number, readings, sums)) = self.current.take() else { return };
        let Some(at) = number.checked_mul(self.step).and_then(|seconds| DateTime::from_timestamp(seconds, 0)) else { return };
        let summaries: Vec<_> = sums.into_iter().map(Sum::summary).collect();
        self.finished.push(SummaryPoint { at, readings, metrics: MetricValues::from_slice(&summaries) });
    }

    fn finish(mut self) -> Vec<SummaryPoint> {
        self.close();
        self.finished
    }
}

impl Sum {
    fn add(&mut self, value: MetricSummary, weight: f64) {
        let MetricSummary { average, minimum, maximum } = value;
        self.total += average * weight;
        self.weight += weight;
        let (lowest, highest) = self.bounds.unwrap_or((minimum, maximum));
        self.bounds = Some((lowest.min(minimum), highest.max(maximum)));
    }

    fn summary(self) -> Option<MetricSummary> {
        let (minimum, maximum) = self.bounds?;
        // Rounding must not bring the average outside.
        Some(MetricSummary { average: (self.total / self.weight).clamp(minimum, maximum), minimum, maximum })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: TimeDelta = TimeDelta::seconds(90);
    const MINUTE: TimeDelta = TimeDelta::minutes(1);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn reading(second: i64, epoch: i64, values: &[(MetricName, f64)]) -> Reading {
        let mut all = MetricValues::default();
        values.iter().for_each(|(name, value)| all.set(*name, Some(*value)));
        Reading { at: at(second), epoch, values: all }
    }

    fn commits(second: i64, epoch: i64, count: f64) -> Reading {
        reading(second, epoch, &[(MetricName::Commits, count)])
    }

    /// The average, minimum and maximum of a metric by the second at which each time begins.
    fn shown(points: &[SummaryPoint], metric: MetricName) -> Vec<(i64, Option<[f64; 3]>)> {
        let of = |summary: MetricSummary| [summary.average, summary.minimum, summary.maximum];
        points.iter().map(|point| (point.at.timestamp(), point.metrics.get(metric).map(of))).collect()
    }

    #[test]
    fn a_rate_is_what_was_counted_in_the_time() {
        let readings = [commits(0, 1, 100.0), commits(30, 1, 130.0), commits(60, 1, 130.0), commits(80, 1, 190.0)];
        let points = summarize(&readings, at(0), MINUTE, PAUSE);
        // 60 in 50 seconds, not the average of two rates.
        assert_eq!(shown(&points, MetricName::Commits), [(0, Some([1.0, 1.0, 1.0])), (60, Some([1.2, 0.0, 3.0]))]);
        assert_eq!(points.iter().map(|point| point.readings).collect::<Vec<_>>(), [2, 2]);
        // What was read before only serves the first rate.
        assert_eq!(shown(&summarize(&readings, at(30), MINUTE, PAUSE), MetricName::Commits)[0], (0, Some([1.0, 1.0, 1.0])));
        assert_eq!(shown(&summarize(&readings[1..], at(30), MINUTE, PAUSE), MetricName::Commits)[0], (0, None), "nothing to compare with");
    }

    #[test]
    fn there_is_no_rate_across_a_reset_a_restart_or_a_gap() {
        let value = |before: Reading, now: Reading| {
            let points = summarize(&[before, now], at(1), TimeDelta::seconds(1000), PAUSE);
            points[0].metrics.get(MetricName::Commits).map(|summary| summary.average)
        };
        assert_eq!(value(commits(0, 1, 100.0), commits(30, 1, 400.0)), Some(10.0));
        assert_eq!(value(commits(0, 1, 100.0), commits(30, 2, 400.0)), None, "another epoch, although it is higher");
        assert_eq!(value(commits(0, 1, 100.0), commits(30, 1, 40.0)), None, "lower");
        assert_eq!(value(commits(0, 1, 100.0), commits(91, 1, 400.0)), None, "nobody read for a while");
        assert_eq!(value(commits(0, 1, 100.0), commits(90, 1, 100.0)), Some(0.0), "nothing happened");
        assert_eq!(value(commits(0, 1, 100.0), reading(30, 1, &[])), None, "the server did not tell");
    }

    #[test]
    fn a_gauge_needs_nothing_before_it() {
        let readings = [(0, 5.0), (59, 10.0), (300, 7.0)].map(|(second, value)| reading(second, second, &[(MetricName::Connections, value)]));
        let points = summarize(&readings, at(0), MINUTE, PAUSE);
        assert_eq!(shown(&points, MetricName::Connections), [(0, Some([7.5, 5.0, 10.0])), (300, Some([7.0, 7.0, 7.0]))]);
    }

    #[test]
    fn the_part_of_the_cache_counts_each_block() {
        let blocks = |second, hit, read| reading(second, 1, &[(MetricName::BlocksHit, hit), (MetricName::BlocksRead, read)]);
        // 90 of 100, nothing, 0 of 300.
        let readings = [blocks(0, 0.0, 0.0), blocks(10, 90.0, 10.0), blocks(20, 90.0, 10.0), blocks(30, 90.0, 310.0)];
        let points = summarize(&readings, at(1), MINUTE, PAUSE);
        assert_eq!(shown(&points, MetricName::CacheHitRatio), [(0, Some([0.225, 0.0, 0.9]))]);
        let idle = summarize(&readings[1..3], at(11), MINUTE, PAUSE);
        assert_eq!(shown(&idle, MetricName::CacheHitRatio), [(0, None)], "no blocks, no ratio");
    }

    #[test]
    fn longer_times_are_made_of_shorter_ones() {
        let readings: Vec<_> = (0..=240).map(|number| commits(number * 30, 1, (number * number) as f64)).collect();
        let hours = summarize(&readings, at(0), TimeDelta::hours(1), PAUSE);
        let minutes = summarize(&readings, at(0), MINUTE, PAUSE);
        let merged = merge(&minutes, TimeDelta::hours(1));
        assert_eq!(hours.len(), 3);
        for (one, other) in hours.iter().zip(&merged) {
            assert_eq!((one.at, one.readings), (other.at, other.readings));
            let of = |point: &SummaryPoint| point.metrics.get(MetricName::Commits).unwrap();
            assert_eq!((of(one).minimum, of(one).maximum), (of(other).minimum, of(other).maximum));
            // The first reading has no rate, so its minute counts more than it should.
            assert!((of(one).average - of(other).average).abs() < 0.05, "{one:?} {other:?}");
        }
        assert!(merge(&[], MINUTE).is_empty());
    }
}
