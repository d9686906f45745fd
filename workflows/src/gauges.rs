//! Metrics of the content of the tables: instances, operations in progress, the engine's queues, sizes, and the delay of the
//! janitor. Every server that runs workflows reports the same values, so a dashboard uses the maximum over servers, not the sum.

use std::{collections::HashSet, time::Duration};

use metrics::gauge;
use tokio_util::sync::CancellationToken;
use toygres_domain::{Result, notice::NoticeCode, operation::OperationKind};
use toygres_store::{SCHEMA, Store};

use crate::{Engine, engine, janitor::Retention};

const PERIOD: Duration = Duration::from_secs(15);

/// Runs until `shutdown`.
pub async fn run(store: Store, engine: Engine, retention: Retention, shutdown: CancellationToken) {
    // Combinations without instances or operations are reported as 0 from the start.
    let kinds = OperationKind::ALL.iter().flat_map(|kind| ["pending", "running"].map(|status| [kind.as_str(), status]));
    let mut known: HashSet<_> = kinds.map(|[kind, status]| ["operations", kind, status].map(str::to_owned)).collect();
    while !shutdown.is_cancelled() {
        if let Err(error) = look(&store, &engine, retention, &mut known).await {
            tracing::debug!(%error, "the metrics of the tables are not up to date");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// `known` has the combinations that were reported before: one that is now empty must be reported as 0 instead of its last value.
async fn look(store: &Store, engine: &Engine, retention: Retention, known: &mut HashSet<[String; 3]>) -> Result<()> {
    let mut now = HashSet::new();
    for counted in store.instance_counts().await? {
        gauge!("toygres_instances", "state" => counted.state.clone(), "health" => counted.health.clone()).set(counted.count as f64);
        now.insert(["instances".to_owned(), counted.state, counted.health]);
    }
    let notices = store.notice_counts().await?;
    for code in NoticeCode::ALL {
        let count = notices.iter().find(|(present, _)| present == code.as_str()).map_or(0, |(_, count)| *count);
        gauge!("toygres_instance_notices", "code" => code.as_str()).set(count as f64);
    }
    gauge!("toygres_instances_update_available").set(store.updates_available().await? as f64);
    let totals = store.storage_totals().await?;
    gauge!("toygres_instance_storage_used_bytes").set(totals.used_bytes);
    gauge!("toygres_instance_storage_capacity_bytes").set(totals.capacity_bytes);
    gauge!("toygres_instances_read_only").set(totals.read_only as f64);
    for counted in store.operation_counts().await? {
        let labels = [("kind", counted.kind.clone()), ("status", counted.status.clone())];
        gauge!("toygres_operations_unfinished", &labels).set(counted.count as f64);
        gauge!("toygres_operations_oldest_seconds", &labels).set(counted.oldest_seconds);
        now.insert(["operations".to_owned(), counted.kind, counted.status]);
    }
    for [what, one, other] in known.difference(&now) {
        if what == "instances" {
            gauge!("toygres_instances", "state" => one.clone(), "health" => other.clone()).set(0.0);
        } else {
            let labels = [("kind", one.clone()), ("status", other.clone())];
            gauge!("toygres_operations_unfinished", &labels).set(0.0);
            gauge!("toygres_operations_oldest_seconds", &labels).set(0.0);
        }
    }
    *known = now;
    let (orchestrations, activities) = engine.queue_depths().await?;
    gauge!("toygres_engine_queue_due", "queue" => "orchestrations").set(orchestrations as f64);
    gauge!("toygres_engine_queue_due", "queue" => "activities").set(activities as f64);
    for table in store.table_sizes(&[SCHEMA, engine::SCHEMA]).await? {
        let labels = [("schema", table.schema), ("table", table.table)];
        gauge!("toygres_table_bytes", &labels).set(table.bytes);
        gauge!("toygres_table_rows", &labels).set(table.rows);
    }
    let lag = store.retention_lag(retention.events, retention.health_checks).await?;
    gauge!("toygres_janitor_lag_seconds", "of" => "events").set(lag.events);
    gauge!("toygres_janitor_lag_seconds", "of" => "health_checks").set(lag.health_checks);
    Ok(())
}
