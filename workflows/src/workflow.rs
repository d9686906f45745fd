//! The building blocks of workflows: typed calls of activities with a retry policy, polling, and nudges.
//!
//! The engine can lose an activity (a failed lock renewal deletes its queue row), so a workflow never waits for one without a
//! timer. Activities are idempotent and check themselves whether their run is still current.

use std::time::Duration;

use duroxide::{Either2, OrchestrationContext};
use serde::Serialize;
use toygres_domain::{instance::Endpoint, runtime::Progress};
use toygres_store::Reached;

use crate::{
    Failure, Timing,
    activities::{DeployPostgres, GenerateConnectionString, GetInstanceStatus, generate_connection_string, get_instance_status::Status},
    activity::{Activity, Run},
    timing::RetryPolicy,
};

/// The queue of every workflow for nudges.
pub const NUDGE: &str = "nudge";

/// Calls an activity, and repeats it according to the retry policy.
///
/// # Errors
/// The failure that is not retried, or the last one if too many attempts ended unexpectedly.
pub async fn call<A: Activity>(ctx: &OrchestrationContext, input: &A::Input, policy: RetryPolicy) -> Result<A::Output, Failure> {
    let input = encode(input)?;
    let mut pause = policy.pause;
    let mut broken = 0;
    loop {
        let work = ctx.schedule_activity(A::NAME, input.clone());
        let outcome = match policy.timeout {
            None => work.await.map_err(|error| Failure::decode(&error)),
            Some(timeout) => match ctx.select2(work, ctx.schedule_timer(timeout)).await {
                Either2::First(outcome) => outcome.map_err(|error| Failure::decode(&error)),
                Either2::Second(()) => Err(Failure::timed_out(timeout)),
            },
        };
        let failure = match outcome {
            Ok(output) => return serde_json::from_str(&output).map_err(|_| Failure::incompatible()),
            Err(failure) => failure,
        };
        match failure {
            Failure::Retry(_) => {}
            Failure::Broken(_) if broken + 1 < policy.attempts => broken += 1,
            other => return Err(other),
        }
        if policy.wakes {
            nudged(ctx, pause).await;
        } else {
            ctx.schedule_timer(pause).await;
        }
        pause = (pause * 2).min(policy.longest_pause);
    }
}

/// Waits for a nudge up to a time limit; returns the nudge's payload.
pub async fn nudged(ctx: &OrchestrationContext, at_most: Duration) -> Option<String> {
    match ctx.select2(ctx.dequeue_event(NUDGE), ctx.schedule_timer(at_most)).await {
        Either2::First(payload) => Some(payload),
        Either2::Second(()) => None,
    }
}

/// Encodes the input of an activity or a workflow.
///
/// # Errors
/// Never in practice: inputs are plain structs.
pub fn encode<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|_| Failure::incompatible())
}

/// The workflow of one run of an operation, with the methods that its steps share.
pub struct OperationRun<'a> {
    pub(crate) ctx: &'a OrchestrationContext,
    pub(crate) run: &'a Run,
    pub(crate) timing: &'a Timing,
}

impl OperationRun<'_> {
    /// Calls an activity that uses the runtime.
    pub(crate) async fn call<A: Activity>(&self, input: &A::Input) -> Result<A::Output, Failure> {
        call::<A>(self.ctx, input, self.timing.runtime).await
    }

    /// Calls an activity until it is done, with pauses on durable timers that nudges end early. The activity fails at the
    /// operation's deadline, which ends the loop.
    pub(crate) async fn until_done<A: Activity<Output = Progress>>(&self, input: &A::Input) -> Result<(), Failure> {
        let mut pauses = self.pauses();
        while let Progress::InProgress(_) = self.call::<A>(input).await? {
            pauses.wait().await;
        }
        Ok(())
    }

    /// Waits until the instance is ready, and logs in. If the endpoint changes or the instance disappears in between, it waits
    /// again.
    pub(crate) async fn reachable(&self) -> Result<Reached, Failure> {
        loop {
            let endpoint = self.ready().await?;
            let input = generate_connection_string::Input { run: self.run.clone(), endpoint: endpoint.clone() };
            if let Some(connection_string) = self.call::<GenerateConnectionString>(&input).await? {
                return Ok(Reached { endpoint, connection_string });
            }
            nudged(self.ctx, self.timing.poll_interval.0).await;
        }
    }

    /// Waits until the instance is ready, and calls an activity at its endpoint. If that changes in between, it waits again.
    pub(crate) async fn at_endpoint<A: Activity<Input = generate_connection_string::Input, Output = bool>>(
        &self,
    ) -> Result<Option<Reached>, Failure> {
        loop {
            let input = generate_connection_string::Input { run: self.run.clone(), endpoint: self.ready().await? };
            if self.call::<A>(&input).await? {
                return Ok(None);
            }
            nudged(self.ctx, self.timing.poll_interval.0).await;
        }
    }

    /// Polls the runtime until the instance is ready, and deploys it again if it disappears.
    pub(crate) async fn ready(&self) -> Result<Endpoint, Failure> {
        let mut pauses = self.pauses();
        loop {
            match self.call::<GetInstanceStatus>(self.run).await? {
                Status::Ready(endpoint) => return Ok(endpoint),
                Status::Vanished => self.call::<DeployPostgres>(self.run).await?,
                Status::Pending => {}
            }
            pauses.wait().await;
        }
    }

    /// The pauses between polls.
    pub(crate) fn pauses(&self) -> Pauses<'_> {
        let (next, longest) = self.timing.poll_interval;
        Pauses { ctx: self.ctx, next, longest }
    }
}

/// The pauses between polls: exponential up to a limit, and ended early by a nudge.
pub(crate) struct Pauses<'a> {
    ctx: &'a OrchestrationContext,
    next: Duration,
    longest: Duration,
}

impl Pauses<'_> {
    pub(crate) async fn wait(&mut self) {
        nudged(self.ctx, self.next).await;
        self.next = (self.next * 2).min(self.longest);
    }
}
