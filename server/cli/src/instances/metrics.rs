//! `toygres instances metrics`

use std::{io, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use cynic::{QueryBuilder as _, SubscriptionBuilder as _};
use serde::Serialize;

use super::{find_id, not_found};
use crate::{
    client::Client,
    contract::{MetricName, MetricUnit, lower_case, schema},
    failure::{Failure, Kind, Result},
    follow::{TimeoutOption, expired},
    input::parse_duration,
    keys::Keys,
    output::{Display, Format, OutputOptions, Table, connection_notice, format_duration, print, print_line, stdout_is_terminal},
    subscription::{Event, Subscription},
};

/// Show metrics of an instance: connections, transactions, cache, WAL, disk and more, with their course.
#[derive(Args, Debug)]
pub struct Metrics {
    /// Name or id of the instance.
    name: String,
    /// Keep showing them: a table that is redrawn until q or Ctrl-C. With -o json, each reading is one line.
    #[arg(short, long)]
    follow: bool,
    /// How long ago the time begins (90s, 5m, 2h, 3d, 1w).
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    since: Duration,
    /// The time of one point (30s, 5m, 2h, 1d), one that fits by default.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    step: Option<Duration>,
    /// Only this metric; may be repeated.
    #[arg(long = "metric", value_name = "NAME", value_enum, ignore_case = true)]
    metrics: Vec<MetricName>,
    #[command(flatten)]
    timeout: TimeoutOption,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    names: Option<Vec<MetricName>>,
    from: Option<DateTime<Utc>>,
    step_seconds: Option<i32>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct MetricsQuery {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct Instance {
    #[arguments(names: $names, from: $from, stepSeconds: $step_seconds)]
    metrics: Vec<MetricSeries>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct MetricSeries {
    name: MetricName,
    unit: MetricUnit,
    step_seconds: i32,
    points: Vec<MetricPoint>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
struct MetricPoint {
    at: DateTime<Utc>,
    value: f64,
    minimum: f64,
    maximum: f64,
}

#[derive(cynic::QueryVariables)]
struct FollowVariables {
    id: cynic::Id,
    names: Option<Vec<MetricName>>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "FollowVariables")]
struct MetricsSubscription {
    #[arguments(instanceId: $id, names: $names)]
    instance_metrics: InstanceMetrics,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
struct InstanceMetrics {
    at: DateTime<Utc>,
    values: Vec<MetricValue>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
struct MetricValue {
    name: MetricName,
    unit: MetricUnit,
    value: Option<f64>,
}

impl Metrics {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let showing = async {
            let id = find_id(client, &self.name).await?;
            match (self.follow, self.output.output) {
                (true, Format::Table) => self.follow(client, id).await,
                (true, _) => self.print_readings(client, id).await,
                (false, _) => self.output.output.print(&self.read(client, &id).await?, |series| table(series)),
            }
        };
        tokio::select! {
            result = showing => result,
            () = expired(self.timeout.timeout) => Err(Failure::new(Kind::TimedOut, "the timeout expired")),
        }
    }

    async fn read(&self, client: &Client, id: &cynic::Id) -> Result<Vec<MetricSeries>> {
        let too_long = || Failure::usage("--since and --step have at most 68 years");
        let step_seconds = self.step.map(|step| i32::try_from(step.as_secs()).map_err(|_| too_long())).transpose()?;
        let since = i32::try_from(self.since.as_secs()).map_err(|_| too_long())?;
        let variables = Variables { id: id.clone(), names: self.names(), from: Some(Utc::now() - TimeDelta::seconds(since.into())), step_seconds };
        let MetricsQuery { instance } = client.run(MetricsQuery::build(variables)).await?;
        Ok(instance.ok_or_else(|| not_found(&self.name))?.metrics)
    }

    fn names(&self) -> Option<Vec<MetricName>> {
        (!self.metrics.is_empty()).then(|| self.metrics.clone())
    }

    /// Redraws the table with each reading; in a pipe, prints it anew.
    async fn follow(&self, client: &Client, id: cynic::Id) -> Result<()> {
        let is_terminal = stdout_is_terminal();
        let request = MetricsSubscription::build(FollowVariables { id: id.clone(), names: self.names() });
        let redraw = async {
            let mut subscription = if is_terminal { Subscription::quiet(client) } else { Subscription::new(client) };
            let mut display = Display::new(io::stdout());
            let mut page = String::new();
            loop {
                let event = subscription
                    .next_with_ticks(&request, |lost| if is_terminal { display.draw(&format!("{page}{}", connection_notice(lost))) } else { Ok(()) })
                    .await?;
                match event {
                    Event::Item(MetricsSubscription { instance_metrics }) => {
                        let at = instance_metrics.at.format("%H:%M:%S UTC");
                        page = format!("{}  {at}\n\n{}", self.name, table(&self.read(client, &id).await?));
                        if is_terminal { display.draw(&page)? } else { print(&page)? }
                    }
                    Event::Reconnected | Event::MustRefetch => {}
                    Event::Complete => return Ok(()),
                }
            }
        };
        if !is_terminal {
            return redraw.await;
        }
        let mut keys = Keys::listen();
        tokio::select! {
            result = redraw => result,
            () = keys.pressed(b'q') => Ok(()),
            _ = tokio::signal::ctrl_c() => Ok(()),
        }
    }

    async fn print_readings(&self, client: &Client, id: cynic::Id) -> Result<()> {
        let request = MetricsSubscription::build(FollowVariables { id, names: self.names() });
        let mut subscription = Subscription::new(client);
        loop {
            match subscription.next_with_ticks(&request, |_| Ok(())).await? {
                Event::Item(MetricsSubscription { instance_metrics }) => print_line(&instance_metrics)?,
                Event::Reconnected | Event::MustRefetch => {}
                Event::Complete => return Ok(()),
            }
        }
    }
}

fn table(series: &[MetricSeries]) -> String {
    if series.iter().all(|series| series.points.is_empty()) {
        return "There are no metrics of this time: they are read every 30 seconds while the instance runs.\n".to_owned();
    }
    let mut table = Table::with_header(["METRIC", "LATEST", "AVERAGE", "MINIMUM", "MAXIMUM", "COURSE"]);
    for MetricSeries { name, unit, points, .. } in series {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| text(value, unit));
        // Points of the same length; those that only a part of the time was read for count as much.
        let average = (!points.is_empty()).then(|| points.iter().map(|point| point.value).sum::<f64>() / points.len() as f64);
        table.row([
            lower_case(name),
            number(points.last().map(|point| point.value)),
            number(average),
            number(points.iter().map(|point| point.minimum).reduce(f64::min)),
            number(points.iter().map(|point| point.maximum).reduce(f64::max)),
            course(points),
        ]);
    }
    table.to_string()
}

/// A value with its unit.
fn text(value: f64, unit: &MetricUnit) -> String {
    match unit {
        MetricUnit::Ratio => format!("{:.1}%", value * 100.0),
        MetricUnit::Bytes => bytes(value),
        MetricUnit::BytesPerSecond => format!("{}/s", bytes(value)),
        MetricUnit::PerSecond => format!("{}/s", short(value)),
        MetricUnit::Seconds if value >= 100.0 => format_duration(TimeDelta::seconds(value.min(1e12) as i64)),
        MetricUnit::Seconds => format!("{}s", short(value)),
        MetricUnit::Count | MetricUnit::Other(_) => short(value),
    }
}

fn bytes(value: f64) -> String {
    let (mut value, mut unit) = (value, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    format!("{} {unit}", short(value))
}

/// Up to three digits after the point, of which small numbers need more.
fn short(value: f64) -> String {
    match value {
        value if value == value.trunc() => format!("{value:.0}"),
        value if value < 1.0 => format!("{value:.3}"),
        value if value < 100.0 => format!("{value:.1}"),
        value => format!("{value:.0}"),
    }
}

/// Bars of the last points: the highest is the maximum, the lowest is 0.
fn course(points: &[MetricPoint]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const WIDTH: usize = 30;
    let shown = &points[points.len().saturating_sub(WIDTH)..];
    let highest = shown.iter().map(|point| point.value).fold(0.0, f64::max);
    let bar = |point: &MetricPoint| {
        let part = if highest > 0.0 { point.value / highest } else { 0.0 };
        BARS[((part * 7.0).round() as usize).min(7)]
    };
    shown.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_easy_to_read() {
        let cases = [
            (0.981, MetricUnit::Ratio, "98.1%"),
            (1536.0, MetricUnit::Bytes, "1.5 KiB"),
            (5e12, MetricUnit::BytesPerSecond, "4.5 TiB/s"),
            (0.0333, MetricUnit::PerSecond, "0.033/s"),
            (42.0, MetricUnit::Count, "42"),
            (12.34, MetricUnit::Seconds, "12.3s"),
            (7200.0, MetricUnit::Seconds, "2h"),
        ];
        for (value, unit, expected) in cases {
            assert_eq!(text(value, &unit), expected);
        }
    }

    #[test]
    fn a_table_has_the_course_of_each_metric() {
        let point = |value: f64| MetricPoint { at: DateTime::UNIX_EPOCH, value, minimum: value - 1.0, maximum: value + 1.0 };
        let series = [
            MetricSeries { name: MetricName::Commits, unit: MetricUnit::PerSecond, step_seconds: 60, points: vec![point(1.0), point(7.0)] },
            MetricSeries { name: MetricName::CacheHitRatio, unit: MetricUnit::Ratio, step_seconds: 60, points: vec![] },
        ];
        let rows: Vec<Vec<String>> =
            table(&series).lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()).collect();
        assert_eq!(rows[1], ["commits", "7/s", "4/s", "0/s", "8/s", "▂█"]);
        assert_eq!(rows[2], ["cache hit ratio", "-", "-", "-", "-"]);
        assert!(table(&series[1..]).starts_with("There are no metrics"));
        assert_eq!(course(&vec![point(0.0); 40]), "▁".repeat(30));
    }
}
