//! What is read of the servers and the metadata database before and after a measurement.

use std::time::Duration;

use super::support::{self, Database, Server};

/// The CPU times and counters at one time.
pub struct Snapshot {
    pub server: Duration,
    pub database: Duration,
    /// The number of checks up to each bound of lag.
    lags: Vec<(f64, f64)>,
    /// Attempts to renew a certificate that failed.
    pub failed_renewals: u64,
    /// Workflows that a prober woke.
    pub hints: u64,
    /// Samples that could not be stored.
    pub lost: u64,
    /// The instances that each server probes.
    pub shares: Vec<u64>,
}

impl Snapshot {
    pub async fn take(servers: &[Server], metadata: &Database) -> Self {
        let mut taken = Self {
            server: servers.iter().map(Server::cpu).sum(),
            database: support::cpu_of_family(metadata.postmaster()),
            lags: Vec::new(),
            failed_renewals: 0,
            hints: 0,
            lost: 0,
            shares: Vec::new(),
        };
        for server in servers {
            let scraped = server.get("/metrics").await.text().await.expect("metrics are text");
            let numbers = |metric: &str| -> Vec<u64> {
                scraped.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok()).collect()
            };
            taken.failed_renewals += numbers("toygres_instance_certificate_failures_total").iter().sum::<u64>();
            taken.hints += numbers("toygres_probe_hints_total").iter().sum::<u64>();
            taken.lost += numbers("toygres_health_samples_lost_total").iter().sum::<u64>();
            taken.shares.extend(numbers("toygres_probed_instances"));
            let lags = scraped.lines().filter_map(|line| line.strip_prefix("toygres_health_check_lag_seconds_bucket{le=\"")?.split_once("\"} "));
            for (number, (bound, count)) in lags.enumerate() {
                let (bound, count) = (bound.parse().unwrap_or(f64::INFINITY), count.parse::<f64>().expect("a count"));
                match taken.lags.get_mut(number) {
                    Some((_, sum)) => *sum += count,
                    None => taken.lags.push((bound, count)),
                }
            }
        }
        taken
    }

    /// A quantile of the lags since `before`, interpolated within a bucket.
    pub fn lag(&self, before: &Self, quantile: f64) -> f64 {
        let counts: Vec<(f64, f64)> = self
            .lags
            .iter()
            .map(|(bound, count)| (*bound, count - before.lags.iter().find(|(other, _)| other == bound).map_or(0.0, |(_, count)| *count)))
            .collect();
        let wanted = counts.last().map_or(0.0, |(_, all)| all * quantile);
        let mut below = (0.0, 0.0);
        for (bound, count) in counts {
            if count >= wanted {
                let part = if count > below.1 { (wanted - below.1) / (count - below.1) } else { 1.0 };
                return if bound.is_finite() { below.0 + (bound - below.0) * part } else { bound };
            }
            below = (bound, count);
        }
        f64::NAN
    }
}

/// The sizes of the tables that could grow.
pub async fn tables(sql: &tokio_postgres::Client) -> Vec<String> {
    let mut sizes = Vec::new();
    for (table, rows) in [
        ("duroxide.history", "count(*)"),
        ("duroxide.executions", "count(*)"),
        ("duroxide.orchestrator_queue", "count(*)"),
        ("duroxide.worker_queue", "count(*)"),
        // Not counted, because counting millions of rows would affect the lags; the oldest rows are deleted first.
        ("toygres.health_checks", "max(id) - min(id) + 1"),
        ("toygres.instance_metrics", "count(*)"),
        ("toygres.events", "count(*)"),
    ] {
        let query = format!("SELECT {rows}, pg_total_relation_size('{table}') FROM {table}");
        let row = sql.query_one(&query, &[]).await.expect("the table is there");
        let (rows, bytes): (i64, i64) = (row.get(0), row.get(1));
        sizes.push(format!("{} {rows} rows {:.1} MB", table.split('.').next_back().unwrap_or(table), bytes as f64 / 1e6));
    }
    sizes
}
