//! Metrics of this server for Prometheus, at `/metrics`. The workflow engine adds its own through the same facade.
//! docs/OPERATIONS.md lists them all.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::layers::{FilterLayer, Layer};
use strum::VariantArray;
use tokio_util::sync::CancellationToken;
use toygres_workflows::{instance_metrics::READINGS, probing};

use crate::{
    app::{
        inspection::{self, Inspection, InspectionResult},
        logs,
    },
    webhooks,
};

/// Upper bounds in seconds for the lag of events: from well below the promise of milliseconds to an outage.
const LAG: &[f64] = &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
/// For what a check costs and how late it is: the promise is 3 s.
const CHECKS: &[f64] = &[0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0];
/// For operations: most have a deadline of ten minutes, those that copy data one of a day at most.
const OPERATIONS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, 21_600.0, 86_400.0];
/// For a round of the janitor.
const ROUNDS: &[f64] = &[0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];
/// How often recorded values are sorted into their buckets, which otherwise happens only when `/metrics` is read.
const UPKEEP: Duration = Duration::from_secs(5);
/// The engine labels these with an ever growing number, so they would take ever more memory.
const WITHOUT_BOUND: [&str; 1] = ["duroxide_orchestration_continue_as_new_total"];

/// Installs the recorder.
///
/// # Errors
/// One sentence, when this process has a recorder already.
pub(crate) fn install() -> Result<PrometheusHandle, String> {
    let mut builder = PrometheusBuilder::new();
    for (metric, bounds) in [
        ("toygres_event_lag_seconds", LAG),
        ("toygres_health_check_latency_seconds", CHECKS),
        ("toygres_health_check_lag_seconds", CHECKS),
        ("toygres_operation_seconds", OPERATIONS),
        ("toygres_janitor_round_seconds", ROUNDS),
    ] {
        builder = builder.set_buckets_for_metric(Matcher::Full(metric.to_owned()), bounds).map_err(|error| error.to_string())?;
    }
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(FilterLayer::from_patterns(WITHOUT_BOUND).layer(recorder))
        .map_err(|error| format!("metrics cannot be collected: {error}"))?;
    describe();
    Ok(handle)
}

/// Sorts recorded values into their buckets, until `shutdown`.
pub(crate) async fn upkeep(handle: PrometheusHandle, shutdown: CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(UPKEEP)).await.is_some() {
        handle.run_upkeep();
    }
}

fn describe() {
    describe_gauge!("toygres_sockets", "WebSockets and event streams that are open");
    describe_gauge!("toygres_connections", "Connections of clients that are open");
    describe_counter!("toygres_connections_refused_total", "Connections closed as soon as they were accepted, by the limit that they exceeded");
    describe_counter!("toygres_sockets_displaced_total", "WebSockets closed before they began to authenticate, because there were too many");
    describe_gauge!(
        "toygres_tls_certificate_expiry_timestamp_seconds",
        "When the certificate of the server's own address expires, as Unix time; 0 without TLS"
    );
    describe_gauge!(
        "toygres_instance_certificate_expiry_timestamp_seconds",
        "When the first of the certificates that running instances present expires, as Unix time; the same from every worker"
    );
    describe_gauge!("toygres_instances_update_available", "Instances whose server a restart would give another minor version or image");
    describe_counter!("toygres_address_changes_total", "Instances that were given another name or exposure");
    describe_counter!("toygres_address_change_failures_total", "Attempts to give an instance the address of another name or exposure that failed");
    describe_counter!("toygres_instance_certificate_failures_total", "Attempts to issue or renew the certificate of an instance that failed");
    describe_counter!("toygres_authentications_refused_total", "Requests and sockets without a valid token, by reason");
    describe_gauge!("toygres_feeds", "Subscriptions that follow the event log");
    describe_counter!("toygres_events_read_total", "Events read from the log, once for all subscribers");
    describe_histogram!("toygres_event_lag_seconds", "From the write of an event to its hand-out to subscribers");
    describe_counter!("toygres_deliveries_total", "Results sent to subscribers");
    describe_counter!(
        "toygres_subscription_executions_total",
        "Results of instances, events and operations that were executed for a subscriber; others that ask the same share them"
    );
    describe_counter!("toygres_events_coalesced_total", "Events of state streams that a later one of the same instance replaced");
    describe_counter!("toygres_feed_resyncs_total", "Subscribers that fell behind and read on from the table");
    describe_gauge!("toygres_clock_skew_seconds", "How far the clock of this machine is ahead of the metadata database's");
    describe_counter!("toygres_clock_steps_total", "Times that the clock of this machine was set back, and timers were moved with it");
    describe_counter!("toygres_listener_connects_total", "Times that the listening connection was made; all but the first were losses");

    describe_counter!("toygres_health_checks_total", "Health checks, by what they found");
    describe_histogram!("toygres_health_check_latency_seconds", "What a successful check took: login, if there was one, and query");
    describe_histogram!("toygres_health_check_lag_seconds", "From the moment at which a check was due to its being done");
    describe_counter!(READINGS, "Readings of metrics of instances, by whether they were stored");
    describe_gauge!(probing::PROBED, "Running instances that are this worker's share to probe");
    describe_counter!(probing::HINTS, "Nudges of health check workflows by the prober of this worker");
    describe_counter!(probing::LOST, "Samples of probes that could not be stored");
    describe_gauge!("toygres_probe_connections", "Connections kept between checks");
    describe_counter!("toygres_health_checks_postponed_total", "Checks of silent instances that were postponed because too many others waited");
    describe_counter!("toygres_probe_logins_total", "Checks that logged in");
    describe_counter!("toygres_probe_connections_lost_total", "Kept connections that broke");

    describe_counter!(inspection::METRIC, "Requests to instances about what runs in them, by what was asked and what came of it");
    describe_gauge!(logs::STREAMS, "Logs of instances that subscribers follow");
    describe_counter!(logs::ENTRIES, "Entries of logs that were handed to subscribers");
    describe_counter!(logs::GAPS, "Times that a reader of a log was told that entries are missing");
    describe_gauge!("toygres_instances", "Instances that are not deleted, by state and health; the same from every server");
    describe_gauge!("toygres_instance_notices", "Notices of instances, by code; the same from every server");
    describe_gauge!("toygres_instance_storage_used_bytes", "What instances use of their volumes together; the same from every server");
    describe_gauge!("toygres_instance_storage_capacity_bytes", "What instances can use of their volumes together; the same from every server");
    describe_gauge!("toygres_instances_read_only", "Instances that take no writes because their volume is nearly full; the same from every server");
    describe_counter!("toygres_storage_growths_total", "Resizes that this server requested because a volume was nearly full");
    describe_gauge!("toygres_operations_unfinished", "Operations that are not over, by kind and status; the same from every server");
    describe_gauge!("toygres_operations_oldest_seconds", "Age of the oldest operation that is not over; the same from every server");
    describe_histogram!("toygres_operation_seconds", "From the acceptance of an operation to its end, by kind and result");
    describe_gauge!("toygres_data_disk_available_bytes", "Space that is available on the disk of the data directory (process runtime)");
    describe_gauge!("toygres_data_disk_size_bytes", "Size of that disk");
    describe_gauge!("toygres_runtime_reachable", "1 while the host of the instances answers this server and its disk has space, else 0");
    describe_counter!(
        "toygres_repairs_total",
        "Objects of running and suspended instances that somebody deleted or edited and that were put back, by kind"
    );
    describe_counter!("toygres_sweeper_repairs_total", "What the sweeper found lost and repaired");
    describe_gauge!("toygres_engine_queue_due", "Work of the engine that is due and not taken up; the same from every server");

    describe_gauge!("toygres_backup_archives", "Archives that this worker owns");
    describe_gauge!("toygres_backup_archives_followed", "Archives of instances whose WAL this worker archives at the moment");
    describe_gauge!("toygres_backup_archives_failing", "Archives of instances whose WAL this worker cannot archive");
    describe_gauge!("toygres_backup_lag_seconds", "The most seconds of commits of one instance that are not durable in the store");
    describe_gauge!("toygres_backup_wal_kept_bytes", "The most WAL that the server of one instance keeps because it is not durable in the store");
    describe_gauge!("toygres_base_backups_running", "Base backups that this worker is taking");
    describe_counter!("toygres_base_backups_total", "Attempts to take a base backup that have ended, by result");
    describe_gauge!("toygres_backup_archives_damaged", "Archives that this worker owns whose latest verification of a base backup has failed");
    describe_counter!("toygres_backup_verifications_total", "Verifications of base backups that have ended, by result");
    describe_counter!("toygres_backup_failures_total", "Failures of backups, by what failed");

    describe_counter!(webhooks::DELIVERIES, "Attempts to deliver a message to a webhook, by result");
    describe_gauge!(webhooks::LAG, "The age of the oldest event that an enabled webhook has not come to; the same from every worker");
    describe_gauge!(
        webhooks::WEBHOOKS,
        "Webhooks by state, of which failing is a part of enabled and given_up of disabled; the same from every worker"
    );

    describe_counter!("toygres_janitor_dropped_total", "Records that the janitor dropped");
    describe_histogram!("toygres_janitor_round_seconds", "What a round of the janitor took");
    describe_gauge!("toygres_janitor_last_round_timestamp_seconds", "When a round of the janitor was last done, as Unix time");
    describe_gauge!("toygres_janitor_lag_seconds", "How far the oldest record is behind its retention; the same from every server");
    describe_gauge!("toygres_table_bytes", "What a table takes on disk, with its indexes; the same from every server");
    describe_gauge!("toygres_table_rows", "Rows of a table, as PostgreSQL estimates them; the same from every server");

    // What has not happened yet reads 0, so that an alert on its rate needs no special case.
    for name in [
        "toygres_clock_steps_total",
        "toygres_events_coalesced_total",
        "toygres_feed_resyncs_total",
        "toygres_health_checks_postponed_total",
        "toygres_address_changes_total",
        "toygres_address_change_failures_total",
        "toygres_instance_certificate_failures_total",
        logs::ENTRIES,
        logs::GAPS,
        "toygres_probe_connections_lost_total",
        "toygres_probe_logins_total",
        "toygres_sockets_displaced_total",
        "toygres_storage_growths_total",
    ] {
        counter!(name).increment(0);
    }
    gauge!("toygres_tls_certificate_expiry_timestamp_seconds").set(0.0);
    gauge!(logs::STREAMS).set(0.0);
    for limit in ["total", "address"] {
        counter!("toygres_connections_refused_total", "limit" => limit).increment(0);
    }
    for reason in ["missing", "unknown", "expired", "throttled"] {
        counter!("toygres_authentications_refused_total", "reason" => reason).increment(0);
    }
    for result in webhooks::RESULTS {
        counter!(webhooks::DELIVERIES, "result" => result).increment(0);
    }
    for state in webhooks::STATES {
        gauge!(webhooks::WEBHOOKS, "state" => state).set(0.0);
    }
    gauge!(webhooks::LAG).set(0.0);
    for kind in toygres_domain::drift::DriftKind::ALL {
        counter!("toygres_repairs_total", "what" => kind.as_str()).increment(0);
    }
    for what in Inspection::VARIANTS {
        for result in InspectionResult::VARIANTS {
            counter!(inspection::METRIC, "what" => <&str>::from(what), "result" => <&str>::from(result)).increment(0);
        }
    }
    for result in ["available", "failed"] {
        counter!("toygres_base_backups_total", "result" => result).increment(0);
    }
    for result in ["verified", "failed", "error"] {
        counter!("toygres_backup_verifications_total", "result" => result).increment(0);
    }
    for what in ["follow", "base", "record", "maintenance", "reconcile", "close"] {
        counter!("toygres_backup_failures_total", "what" => what).increment(0);
    }
    for result in ["stored", "lost"] {
        counter!(READINGS, "result" => result).increment(0);
    }
    for what in ["monitors", "operations", "orphans", "health_checks", "stray_health_checks", "remains"] {
        counter!("toygres_sweeper_repairs_total", "what" => what).increment(0);
    }
}
