//! Whether the host of the instances answers.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use metrics::gauge;
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::{Reachability, Runtime},
};

use super::Health;

/// How often it is looked up. That is no call of its own while others are made.
const PERIOD: Duration = Duration::from_secs(2);

/// A host that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

impl Health {
    /// Follows whether the host answers, until `shutdown`: for the reports, the metric, and one line in the log when it stops answering
    /// and one when it answers again.
    pub async fn watch_runtime(self, runtime: Arc<dyn Runtime>, shutdown: CancellationToken) {
        while let Some(reachability) = shutdown.run_until_cancelled(runtime.reachability()).await {
            self.note(runtime.name(), reachability);
            if shutdown.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
                return;
            }
        }
    }

    fn note(&self, runtime: &str, reachability: Reachability) {
        let before = self.runtime.borrow().clone();
        let now = match reachability {
            Reachability::Reachable => None,
            Reachability::Unreachable { since, reason } => {
                let since = before.as_ref().map_or_else(|| Utc::now() - since.elapsed(), |before| before.since);
                Some(Unreachable { since, reason })
            }
        };
        gauge!("toygres_runtime_reachable").set(if now.is_none() { 1.0 } else { 0.0 });
        match (&before, &now) {
            (None, Some(Unreachable { since, reason })) => {
                let what = if reason.code == ReasonCode::DiskFull { "is full" } else { "does not answer" };
                tracing::warn!(runtime, %since, error = reason.message, "the host of the instances {what}; operations wait for it");
            }
            (Some(Unreachable { since, reason }), None) => {
                let seconds = (Utc::now() - since).num_seconds().max(0);
                let what = if reason.code == ReasonCode::DiskFull { "has space again" } else { "answers again" };
                tracing::info!(runtime, "the host of the instances {what}, after {seconds} s");
            }
            _ => {}
        }
        self.runtime.send_replace(now);
    }
}
