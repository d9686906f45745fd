//! `MetricSeries` and `InstanceMetrics`.

use async_graphql::SimpleObject;
use chrono::{DateTime, TimeDelta, Utc};
use toygres_domain::{
    instance::HealthCheckPolicy,
    metric::{self as domain, MetricWindow, Reading, SummaryPoint, longest_pause, summarize},
};

use super::{MetricName, MetricUnit};

/// A metric of an instance over time.
#[derive(Clone, Debug, SimpleObject)]
pub struct MetricSeries {
    /// The metric.
    name: MetricName,
    /// The unit of its values.
    unit: MetricUnit,
    /// The seconds of one point.
    step_seconds: i32,
    /// The points in order. Those without a value are left out: while nobody read the instance, and of rates also across a restart of its server
    /// or a reset of its statistics.
    points: Vec<MetricPoint>,
}

/// The values of a metric in the time of one point.
#[derive(Clone, Debug, SimpleObject)]
pub struct MetricPoint {
    /// When the time begins. Times begin at multiples of the step.
    at: DateTime<Utc>,
    /// The average. That of a rate is what was counted, divided by the time.
    value: f64,
    /// The smallest value.
    minimum: f64,
    /// The largest value.
    maximum: f64,
}

/// The latest reading of the metrics of an instance.
#[derive(Clone, Debug, SimpleObject)]
pub struct InstanceMetrics {
    /// When it was made.
    at: DateTime<Utc>,
    /// Its values, in the order that was asked for.
    values: Vec<MetricValue>,
}

/// The latest value of a metric.
#[derive(Clone, Debug, SimpleObject)]
pub struct MetricValue {
    /// The metric.
    name: MetricName,
    /// The unit of the value.
    unit: MetricUnit,
    /// The value; that of a rate is the one since the reading before. Null if there is none.
    value: Option<f64>,
}

impl MetricSeries {
    /// The series of these metrics.
    pub fn of(names: &[domain::MetricName], window: &MetricWindow, points: &[SummaryPoint]) -> Vec<Self> {
        let point = |at: DateTime<Utc>, summary: domain::MetricSummary| {
            let domain::MetricSummary { average, minimum, maximum } = summary;
            MetricPoint { at, value: average, minimum, maximum }
        };
        names
            .iter()
            .map(|name| Self {
                name: (*name).into(),
                unit: name.definition().unit.into(),
                step_seconds: window.step_seconds,
                points: points.iter().filter_map(|of| Some(point(of.at, of.metrics.get(*name)?))).collect(),
            })
            .collect()
    }
}

impl InstanceMetrics {
    /// The last of these readings.
    pub fn latest(names: &[domain::MetricName], readings: &[Reading], policy: &HealthCheckPolicy) -> Option<Self> {
        let at = readings.last()?.at;
        let point = summarize(readings, at, TimeDelta::seconds(1), longest_pause(policy)).pop()?;
        let value = |name: &domain::MetricName| MetricValue {
            name: (*name).into(),
            unit: name.definition().unit.into(),
            value: point.metrics.get(*name).map(|summary| summary.average),
        };
        Some(Self { at, values: names.iter().map(value).collect() })
    }

    /// When it was made.
    pub fn read_at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// The metrics that are asked for, each once; all of them by default.
pub fn metric_names(names: Option<Vec<MetricName>>) -> Vec<domain::MetricName> {
    let Some(names) = names else { return domain::MetricName::ALL.to_vec() };
    let mut chosen = Vec::new();
    for name in names.into_iter().map(|name| name.0) {
        if !chosen.contains(&name) {
            chosen.push(name);
        }
    }
    chosen
}
