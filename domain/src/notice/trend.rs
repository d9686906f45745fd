//! Notices about how the metrics of an instance have developed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    NoticeCode,
    thresholds::{
        BUFFERS, CACHE_HIT, CACHE_LEAST, CACHE_MISSES, CACHE_WINDOW, FULL_IN_HOURS, GROWTH_LEAST, GROWTH_OUTLIERS, GROWTH_WINDOW, STEP, of,
    },
};
use crate::{
    metric::{MetricName, Reading},
    storage::Usage,
};

const MIB: i64 = 1 << 20;

/// What is known of an instance over the latest hours.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// Readings in order, about as far apart as [`Trend::times`] says.
    pub readings: Vec<Reading>,
    /// The present time.
    pub now: DateTime<Utc>,
    /// `shared_buffers` in bytes, if the server has told it.
    pub shared_buffers: Option<i64>,
    /// The memory of the instance in MiB.
    pub memory_mb: i32,
    /// The volume, if its host limits it.
    pub volume: Option<Growth>,
}

/// How far a volume can grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The size in GiB that it has, or grows to by itself.
    pub storage_gb: i32,
    /// The bytes that can be used of it then.
    pub usable_bytes: i64,
    /// Whether it grows by itself.
    pub is_automatic: bool,
}

impl Trend {
    /// How often a trend is looked at. It develops over hours, and each look reads [`Trend::times`] from the metadata database.
    pub const INTERVAL: Duration = Duration::from_secs(10 * 60);

    /// The times whose readings are needed, and how much earlier each may have been made.
    #[must_use]
    pub fn times(now: DateTime<Utc>) -> (Vec<DateTime<Utc>>, TimeDelta) {
        let steps = (GROWTH_WINDOW.num_seconds() / STEP.num_seconds()) as i32;
        ((0..=steps).rev().map(|step| now - STEP * step).collect(), STEP)
    }

    /// The notices that it is about, each with its message or `None` if there is no reason for it, as far as is known. `has` says which there
    /// are now.
    pub fn notices(&self, has: impl Fn(NoticeCode) -> bool) -> [(NoticeCode, Option<String>); 2] {
        [
            (NoticeCode::StorageFilling, self.storage_filling(has(NoticeCode::StorageFilling))),
            (NoticeCode::CacheHitLow, self.cache_hit_low(has(NoticeCode::CacheHitLow))),
        ]
    }

    fn storage_filling(&self, has: bool) -> Option<String> {
        let Growth { storage_gb, usable_bytes, is_automatic } = self.volume?;
        let used = self.readings.last()?.values.get(MetricName::VolumeUsed)?;
        // A float saturates.
        let usage = Usage { used_bytes: used as i64, capacity_bytes: usable_bytes };
        let room = (usage.available_bytes() - usage.reserve_bytes()).max(0) as f64;
        let hours = room / self.growth_per_hour()?;
        (hours < of(FULL_IN_HOURS, has)).then(|| match is_automatic {
            true => format!(
                "the data grows so fast that the volume, which grows to {storage_gb} GiB only, is full within a day: raise storageAutoGrow.maxGb \
                 (updateInstance), or delete data"
            ),
            false => format!(
                "the data grows so fast that the volume, which has {storage_gb} GiB, is full within a day: resize the instance (resizeInstance), turn \
                 on storageAutoGrow (updateInstance), or delete data"
            ),
        })
    }

    /// The bytes per hour by which the volume grows, if it does: on average, without the times in which it grew fastest.
    fn growth_per_hour(&self) -> Option<f64> {
        let mut growths: Vec<_> = self
            .pairs(GROWTH_WINDOW)
            .filter_map(|(before, now, hours)| Some((now.values.get(MetricName::VolumeUsed)? - before.values.get(MetricName::VolumeUsed)?, hours)))
            .collect();
        if is_shorter(growths.iter().map(|(_, hours)| hours).sum::<f64>(), GROWTH_LEAST) {
            return None;
        }
        growths.sort_by(|(one, one_hours), (other, other_hours)| (one / one_hours).total_cmp(&(other / other_hours)));
        growths.truncate(growths.len() - growths.len() / GROWTH_OUTLIERS);
        let (bytes, hours) = growths.iter().fold((0.0, 0.0), |(bytes, hours), (growth, time)| (bytes + growth, hours + time));
        Some(bytes / hours).filter(|rate| *rate > 0.0)
    }

    fn cache_hit_low(&self, has: bool) -> Option<String> {
        let shared_buffers = self.shared_buffers?;
        let useful_mb = i64::from(self.memory_mb) * BUFFERS / 100;
        let databases = self.readings.last()?.values.get(MetricName::DatabaseSize)?;
        if shared_buffers >= useful_mb * MIB || databases <= shared_buffers as f64 {
            return None;
        }
        let (mut hit, mut missed, mut hours) = (0.0, 0.0, 0.0);
        for (before, now, time) in self.pairs(CACHE_WINDOW).filter(|(before, now, _)| before.epoch == now.epoch) {
            let growth = |counter| Some((now.values.get(counter)? - before.values.get(counter)?).max(0.0));
            let (Some(found), Some(read)) = (growth(MetricName::BlocksHit), growth(MetricName::BlocksRead)) else { continue };
            (hit, missed, hours) = (hit + found, missed + read, hours + time);
        }
        let is_low = !is_shorter(hours, CACHE_LEAST)
            && missed / (hours * 3600.0) >= of(CACHE_MISSES, has)
            && hit * 100.0 < (hit + missed) * of(CACHE_HIT, has);
        is_low.then(|| {
            format!(
                "less than {} % of the blocks that statements need are found in shared_buffers, which has {} of the {} MiB of the instance: set \
                 shared_buffers to {useful_mb}MB (setParameters, with a restart), or add an index where whole tables are read",
                CACHE_HIT[0],
                size(shared_buffers),
                self.memory_mb
            )
        })
    }

    /// Neighbouring readings within the latest time, and the hours between them. What is further apart than two steps was not read meanwhile.
    fn pairs(&self, window: TimeDelta) -> impl Iterator<Item = (&Reading, &Reading, f64)> {
        let from = self.now - window - STEP;
        self.readings.windows(2).filter_map(move |pair| {
            let [before, now] = pair else { return None };
            let time = now.at - before.at;
            (before.at >= from && time > TimeDelta::zero() && time <= STEP * 2).then(|| (before, now, time.as_seconds_f64() / 3600.0))
        })
    }
}

fn is_shorter(hours: f64, least: TimeDelta) -> bool {
    hours * 3600.0 < least.as_seconds_f64()
}

/// As PostgreSQL writes it.
fn size(bytes: i64) -> String {
    if bytes % MIB == 0 { format!("{}MB", bytes / MIB) } else { format!("{}kB", bytes / 1024) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::MetricValues;

    const GIB: i64 = 1 << 30;
    const NOW: i64 = 1_000_000_000;

    fn at(minutes_ago: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW - minutes_ago * 60, 0).unwrap()
    }

    /// Readings at these minutes before now, each with what is used of the volume and the counters of blocks.
    fn readings(list: &[(i64, i64, [f64; 2])]) -> Vec<Reading> {
        let reading = |(minutes_ago, used, [hit, read]): &(i64, i64, [f64; 2])| {
            let mut values = MetricValues::default();
            values.set(MetricName::VolumeUsed, Some(*used as f64));
            values.set(MetricName::DatabaseSize, Some((4 * GIB) as f64));
            values.set(MetricName::BlocksHit, Some(*hit));
            values.set(MetricName::BlocksRead, Some(*read));
            Reading { at: at(*minutes_ago), epoch: 1, values }
        };
        list.iter().map(reading).collect()
    }

    fn trend(readings: Vec<Reading>) -> Trend {
        let volume = Some(Growth { storage_gb: 10, usable_bytes: 10 * GIB, is_automatic: false });
        Trend { readings, now: at(0), shared_buffers: Some(64 * MIB), memory_mb: 1024, volume }
    }

    /// The volume with this use at the end, which grew by these MiB in each half hour, the latest last.
    fn grown(used: i64, growths: &[i64]) -> Trend {
        let mut present = used;
        let mut list = vec![(0, present, [0.0; 2])];
        for (number, growth) in (1..).zip(growths.iter().rev()) {
            present -= growth * MIB;
            list.push((number * 30, present, [0.0; 2]));
        }
        list.reverse();
        trend(readings(&list))
    }

    fn told(trend: &Trend, code: NoticeCode, has: bool) -> Option<String> {
        let notices = trend.notices(|present| has && present == code);
        notices.into_iter().find(|(present, _)| *present == code).unwrap().1
    }

    fn filling(trend: &Trend, has: bool) -> bool {
        told(trend, NoticeCode::StorageFilling, has).is_some()
    }

    #[test]
    fn the_times_reach_back_as_far_as_the_windows() {
        let (times, tolerance) = Trend::times(at(0));
        assert_eq!((times.len(), times[0], times[12]), (13, at(360), at(0)));
        assert_eq!(tolerance, TimeDelta::minutes(30));
    }

    #[test]
    fn a_volume_that_is_full_within_a_day_is_told() {
        // 5 GiB are left, of which 1 GiB is the reserve: 171 MiB an hour fill it in 24 hours, 114 in 36.
        assert!(filling(&grown(5 * GIB, &[87; 12]), false));
        assert!(!filling(&grown(5 * GIB, &[84; 12]), false));
        assert!(filling(&grown(5 * GIB, &[58; 12]), true), "it stays until it is clearly slower");
        assert!(!filling(&grown(5 * GIB, &[56; 12]), true));
        assert!(!filling(&grown(5 * GIB, &[-100; 12]), true), "it shrinks");
        assert!(filling(&grown(9 * GIB + GIB / 2, &[1; 12]), false), "nothing is left but the reserve");
        let message = told(&grown(5 * GIB, &[87; 12]), NoticeCode::StorageFilling, false);
        assert_eq!(message, told(&grown(6 * GIB, &[120; 12]), NoticeCode::StorageFilling, false), "the message stays the same");
        assert!(message.unwrap().contains("(resizeInstance)"));
    }

    #[test]
    fn data_that_is_loaded_once_is_no_growth() {
        let mut once = [0; 12];
        once[7] = 3000;
        once[8] = 900;
        assert!(!filling(&grown(5 * GIB, &once), false));
        // Every hour.
        assert!(filling(&grown(5 * GIB, &[0, 400, 0, 400, 0, 400, 0, 400, 0, 400, 0, 400]), false));
    }

    #[test]
    fn what_is_known_for_three_hours_is_a_trend() {
        assert!(!filling(&grown(5 * GIB, &[200; 5]), false));
        assert!(filling(&grown(5 * GIB, &[200; 6]), false));
        // It was suspended for three hours, in which nobody read.
        let mut interrupted = grown(5 * GIB, &[200; 12]);
        interrupted.readings.drain(3..8);
        assert!(filling(&interrupted, false));
        interrupted.readings.remove(0);
        assert!(!filling(&interrupted, false), "{interrupted:?}");
        assert!(!filling(&trend(Vec::new()), true));
    }

    #[test]
    fn a_volume_that_grows_by_itself_is_full_at_its_maximum() {
        let with = |storage_gb: i32| {
            let volume = Some(Growth { storage_gb, usable_bytes: i64::from(storage_gb) * GIB, is_automatic: true });
            told(&Trend { volume, ..grown(5 * GIB, &[87; 12]) }, NoticeCode::StorageFilling, false)
        };
        assert_eq!(with(100), None);
        assert!(with(10).unwrap().contains("the volume, which grows to 10 GiB only, is full within a day: raise storageAutoGrow.maxGb"));
    }

    /// A trend with this many blocks hit and read in half an hour.
    fn cached(hit: f64, read: f64) -> Trend {
        trend(readings(&[(30, GIB, [5.0, 5.0]), (0, GIB, [5.0 + hit, 5.0 + read])]))
    }

    fn is_cache_low(trend: &Trend, has: bool) -> bool {
        told(trend, NoticeCode::CacheHitLow, has).is_some()
    }

    #[test]
    fn a_cache_that_misses_much_is_told_while_there_is_memory_to_spare() {
        assert!(is_cache_low(&cached(1_700_000.0, 200_000.0), false));
        assert!(!is_cache_low(&cached(1_900_000.0, 200_000.0), false), "more than 90 %");
        assert!(is_cache_low(&cached(1_900_000.0, 200_000.0), true), "until it is clearly more");
        assert!(!is_cache_low(&cached(0.0, 170_000.0), false), "few blocks are read");
        let low = cached(0.0, 200_000.0);
        let with = |shared_buffers, memory_mb| is_cache_low(&Trend { shared_buffers, memory_mb, ..low.clone() }, true);
        assert!(with(Some(408 * MIB), 1024) && !with(Some(409 * MIB), 1024), "40 %");
        assert!(!with(None, 1024) && !with(Some(4 * GIB), 1_000_000), "not known, and as large as the databases");
        assert!(
            told(&low, NoticeCode::CacheHitLow, false).unwrap().contains("has 64MB of the 1024 MiB of the instance: set shared_buffers to 409MB")
        );
    }

    #[test]
    fn a_cache_is_judged_by_what_one_server_has_counted_for_a_while() {
        let mut restarted = cached(0.0, 200_000.0);
        restarted.readings[1].epoch = 2;
        assert!(!is_cache_low(&restarted, true));
        let mut new = cached(0.0, 200_000.0);
        new.readings[0].at = at(20);
        assert!(!is_cache_low(&new, true));
    }
}
