//! Queries on the engine's tables, for information that its interface does not provide. The results are empty if the engine stores
//! its workflows elsewhere, as in tests.

use std::{collections::HashSet, time::Duration};

use chrono::Utc;
use toygres_domain::Result;
use toygres_store::Store;

use super::SCHEMA;

/// Adds the index for the engine's fetch: see `SETTINGS` in [`super`].
pub(super) async fn ensure_index(store: &Store) -> Result<()> {
    store
        .execute_foreign(format!(
            "CREATE INDEX IF NOT EXISTS toygres_orchestrator_queue_visible_at_id ON {SCHEMA}.orchestrator_queue (visible_at, id)"
        ))
        .await
}

/// Up to `limit` workflows that have continued as new and whose former executions still exist.
pub(crate) async fn workflows_that_continued(store: &Store, limit: usize) -> Result<Vec<String>> {
    if !exist(store).await? {
        return Ok(Vec::new());
    }
    // The latest execution may have ended while the next one has not started.
    store
        .select_foreign(format!(
            "SELECT DISTINCT i.instance_id FROM {SCHEMA}.executions e JOIN {SCHEMA}.instances i ON i.instance_id = e.instance_id
             WHERE e.status = 'ContinuedAsNew' AND e.execution_id < i.current_execution_id LIMIT {limit}"
        ))
        .await
}

/// Health checks that are running according to the engine but that nothing will wake: they have no timer, no message and no
/// activity. The engine writes each turn of a workflow in one transaction, so one statement sees a consistent state.
pub(crate) async fn health_checks_without_future(store: &Store) -> Result<HashSet<String>> {
    if !exist(store).await? {
        return Ok(HashSet::new());
    }
    let dead = store
        .select_foreign(format!(
            "SELECT i.instance_id FROM {SCHEMA}.instances i
             JOIN {SCHEMA}.executions e ON e.instance_id = i.instance_id AND e.execution_id = i.current_execution_id
             WHERE starts_with(i.instance_id, 'health-') AND e.status NOT IN ('Completed', 'Failed')
               AND NOT EXISTS (SELECT 1 FROM {SCHEMA}.orchestrator_queue q WHERE q.instance_id = i.instance_id)
               AND NOT EXISTS (SELECT 1 FROM {SCHEMA}.worker_queue q WHERE q.instance_id = i.instance_id)"
        ))
        .await?;
    Ok(dead.into_iter().collect())
}

/// Moves what becomes visible or is unlocked in the future to an earlier time, by as much as this machine's clock was set back.
pub(crate) async fn move_timers(store: &Store, step: Duration) -> Result<()> {
    if !exist(store).await? {
        return Ok(());
    }
    let (now, step) = (Utc::now().timestamp_millis(), step.as_millis());
    let queue = |table: &str| {
        format!(
            "UPDATE {SCHEMA}.{table} SET visible_at = visible_at - {step} * interval '1 millisecond', locked_until = locked_until - {step}
             WHERE visible_at > to_timestamp({now} / 1000.0) OR locked_until > {now}"
        )
    };
    let locks = format!("UPDATE {SCHEMA}.instance_locks SET locked_until = locked_until - {step} WHERE locked_until > {now}");
    // One statement, and so all or nothing.
    let (turns, activities) = (queue("orchestrator_queue"), queue("worker_queue"));
    store.execute_foreign(format!("WITH turns AS ({turns}), activities AS ({activities}) {locks}")).await
}

async fn exist(store: &Store) -> Result<bool> {
    let found = store.select_foreign(format!("SELECT 'yes' WHERE to_regclass('{SCHEMA}.orchestrator_queue') IS NOT NULL")).await?;
    Ok(!found.is_empty())
}
