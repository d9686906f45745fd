//! Following an operation until it finishes.

use std::time::Duration;

use clap::Args;
use cynic::SubscriptionBuilder as _;
use tokio::time::sleep;

use crate::{
    client::Client,
    contract::{Operation, OperationStatus, schema},
    failure::{Failure, Kind, Result},
    input::parse_duration,
    output::printable,
    subscription::{Event, Subscription},
};

/// Whether to wait for an operation, and for how long.
#[derive(Args, Clone, Copy, Debug)]
pub struct WaitOptions {
    /// Wait until the operation has finished, and show its steps on stderr. Exit code 0 means that it succeeded.
    #[arg(long)]
    pub(crate) wait: bool,
    /// Stop waiting after this time (90s, 5m, 2h, 3d, 1w), with exit code 124; the operation continues.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, requires = "wait")]
    pub(crate) wait_timeout: Option<Duration>,
}

/// How long to watch.
#[derive(Args, Clone, Copy, Debug)]
pub struct TimeoutOption {
    /// Stop after this time (90s, 5m, 2h, 3d, 1w), with exit code 124.
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,
}

#[derive(cynic::QueryVariables)]
struct OperationVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "OperationVariables")]
struct OperationSubscription {
    #[arguments(id: $id)]
    operation: Operation,
}

/// Receives the changes of an operation that is followed.
pub(crate) trait Observer {
    /// The operation is received for the first time, or has changed.
    fn changed(&mut self, operation: &Operation) -> Result<()>;

    /// Called every second.
    fn tick(&mut self, _disconnected: bool) -> Result<()> {
        Ok(())
    }

    /// Whether the observer shows a lost connection itself.
    fn shows_connection(&self) -> bool {
        false
    }
}

/// Shows nothing.
pub(crate) struct Silent;

impl Observer for Silent {
    fn changed(&mut self, _: &Operation) -> Result<()> {
        Ok(())
    }
}

/// How often [`poll`] asks.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Longer than the deadline of most operations.
const POLL_TIMEOUT: Duration = Duration::from_secs(900);

/// Asks again and again until there is an answer.
pub(crate) async fn poll<T>(mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let polling = async {
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            sleep(POLL_INTERVAL).await;
        }
    };
    let expired = |_| Err(Failure::new(Kind::TimedOut, format!("it did not happen within {} minutes", POLL_TIMEOUT.as_secs() / 60)));
    tokio::time::timeout(POLL_TIMEOUT, polling).await.unwrap_or_else(expired)
}

/// Follows an operation until it has finished, and returns it.
///
/// It reconnects when the server restarts. A timeout or Ctrl-C does not affect the operation.
pub(crate) async fn follow(client: &Client, id: &cynic::Id, timeout: Option<Duration>, observer: &mut impl Observer) -> Result<Operation> {
    let following = async {
        let request = OperationSubscription::build(OperationVariables { id: id.clone() });
        let mut subscription = if observer.shows_connection() { Subscription::quiet(client) } else { Subscription::new(client) };
        let mut latest = None;
        loop {
            match subscription.next_with_ticks(&request, |disconnected| observer.tick(disconnected)).await? {
                Event::Item(OperationSubscription { operation }) => {
                    observer.changed(&operation)?;
                    latest = Some(operation);
                }
                Event::Reconnected | Event::MustRefetch => {}
                Event::Complete => return latest.ok_or_else(|| Failure::new(Kind::NotFound, format!("there is no operation {}", id.inner()))),
            }
        }
    };
    let hint = format!("the operation continues: follow it with `toygres operations watch {}`", id.inner());
    tokio::select! {
        result = following => result,
        () = expired(timeout) => Err(Failure::new(Kind::TimedOut, format!("the timeout expired; {hint}"))),
        _ = tokio::signal::ctrl_c() => Err(Failure::new(Kind::Interrupted, format!("interrupted; {hint}"))),
    }
}

/// An error if the operation failed or was cancelled.
pub(crate) fn check_outcome(operation: &Operation) -> Result<()> {
    let outcome = match operation.status {
        OperationStatus::Failed => "failed",
        OperationStatus::Cancelled => "was cancelled",
        _ => return Ok(()),
    };
    let reason = operation.error.as_ref().map(|reason| format!(": {}", printable(&reason.text()))).unwrap_or_default();
    let hint = match operation.can_retry {
        true => format!("\n(retry it with `toygres operations retry {}`)", operation.id.inner()),
        false => String::new(),
    };
    Err(Failure::new(Kind::Failed, format!("the operation {outcome}{reason}{hint}")))
}

/// Completes after the timeout; never without one.
pub(crate) async fn expired(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => sleep(timeout).await,
        None => std::future::pending().await,
    }
}
