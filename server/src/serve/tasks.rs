//! Background tasks. Each has a name and one owner, and runs until the server stops: one that panics or ends before that ends
//! the server with its name and the reason. The supervisor of the server restarts it; a server that does half of its work would
//! look healthy.

use std::{any::Any, fmt::Display, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::task::{Id, JoinError, JoinSet};

/// The tasks of one owner. Dropping it aborts them.
#[derive(Default)]
pub(super) struct Tasks {
    running: JoinSet<(&'static str, String)>,
    names: Vec<(Id, &'static str)>,
}

impl Tasks {
    /// Starts a task.
    pub(super) fn spawn<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output: End> + Send + 'static,
    {
        let task = self.running.spawn(async move {
            let reason = match AssertUnwindSafe(task).catch_unwind().await {
                Ok(end) => end.reason(),
                Err(panic) => format!("panicked: {}", message(&*panic)),
            };
            (name, reason)
        });
        self.names.push((task.id(), name));
    }

    /// Waits until a task ends, and says which and why.
    pub(super) async fn failure(&mut self) -> String {
        match self.next().await {
            Some(Ok((name, reason))) => format!("the task '{name}' {reason}"),
            Some(Err(error)) => format!("a task ended: {error}"),
            None => std::future::pending().await,
        }
    }

    /// Waits until every task has ended, which they have been told to, but not longer than `grace`.
    pub(super) async fn join(&mut self, grace: Duration) {
        let all = async { while self.next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            let names: Vec<_> = self.names.iter().map(|(_, name)| *name).collect();
            tracing::warn!("did not end in time, and are aborted: {}", names.join(", "));
            self.running.abort_all();
        }
    }

    /// Waits until a task ends.
    async fn next(&mut self) -> Option<Result<(&'static str, String), JoinError>> {
        let ended = self.running.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        self.names.retain(|(running, _)| *running != id);
        Some(ended.map(|(_, outcome)| outcome))
    }
}

/// What a task returns.
pub(super) trait End {
    /// Why it ended before the server stopped.
    fn reason(self) -> String;
}

impl End for () {
    fn reason(self) -> String {
        "ended unexpectedly".to_owned()
    }
}

impl<E: Display> End for Result<(), E> {
    fn reason(self) -> String {
        self.map_or_else(|error| format!("failed: {error}"), End::reason)
    }
}

/// The message of a panic.
pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_is_named_with_the_reason() {
        let failure = async |task: futures::future::BoxFuture<'static, Result<(), String>>| {
            let mut tasks = Tasks::default();
            tasks.spawn("another", std::future::pending::<()>());
            tasks.spawn("hub", task);
            tasks.failure().await
        };
        assert_eq!(failure(async { panic!("index {}", 3) }.boxed()).await, "the task 'hub' panicked: index 3");
        assert_eq!(failure(async { Err("no socket".to_owned()) }.boxed()).await, "the task 'hub' failed: no socket");
        assert_eq!(failure(async { Ok(()) }.boxed()).await, "the task 'hub' ended unexpectedly");
    }

    #[tokio::test]
    async fn without_tasks_nothing_fails() {
        assert!(Tasks::default().failure().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_task_that_does_not_end_is_not_waited_for() {
        let mut tasks = Tasks::default();
        tasks.spawn("stuck", std::future::pending::<()>());
        tasks.join(Duration::from_millis(10)).await;
    }
}
