//! One step of a workflow: an activity, raced against a timer and repeated while that makes sense.
//!
//! The engine can lose an activity (a failed lock renewal deletes its queue row), so a workflow never waits for one without
//! a timer beside it; the activities are idempotent and check for themselves whether they are still wanted.

use std::time::Duration;

use duroxide::{Either2, OrchestrationContext};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use toygres_domain::{
    Error, OperationId,
    instance::{Reason, ReasonCode},
    runtime::RuntimeError,
};

/// The queue of every workflow for messages that say "look again".
pub const NUDGE: &str = "nudge";

/// The input of a workflow that carries out an operation, and of its activities: ids only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The operation.
    pub operation: OperationId,
    /// The run of it.
    pub run: i32,
}

/// Why an activity did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "failure", content = "reason")]
pub enum Failure {
    /// Somebody else is responsible now; leave everything as it is.
    Superseded,
    /// A caller asked to cancel.
    Cancelled,
    /// A passing trouble.
    Retry(Reason),
    /// It cannot work.
    Failed(Reason),
}

impl Failure {
    /// How the engine carries it.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| error.to_string())
    }

    fn decode(text: &str) -> Self {
        // What is not ours is the engine's: a panic, an unknown activity. The text can hold anything, so it stays in the log.
        serde_json::from_str(text)
            .unwrap_or_else(|_| Self::Retry(Reason::new(ReasonCode::Internal, "the step ended unexpectedly; the server's log says more")))
    }

    /// The reason to show for an end of this kind.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Superseded => Reason::new(ReasonCode::Superseded, "another operation took over"),
            Self::Cancelled => Reason::new(ReasonCode::Cancelled, "the operation was cancelled"),
            Self::Retry(reason) | Self::Failed(reason) => reason.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Superseded => Self::Superseded,
            Error::Unavailable(cause) => {
                tracing::warn!(%cause, "the metadata database did not answer an activity");
                Self::Retry(Reason::new(ReasonCode::Internal, "the metadata database is not available"))
            }
            other => {
                tracing::error!(error = %other, "an activity failed");
                Self::Retry(Reason::new(ReasonCode::Internal, "an internal error; the server's log says more"))
            }
        }
    }
}

impl From<RuntimeError> for Failure {
    fn from(error: RuntimeError) -> Self {
        if error.retryable { Self::Retry(error.reason) } else { Self::Failed(error.reason) }
    }
}

/// How patient a step is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After so long an attempt counts as lost.
    pub timeout: Duration,
    /// So many attempts at the most.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles up to 10 s.
    pub pause: Duration,
}

impl Patience {
    /// For writes to the metadata: they are quick, and worth many attempts.
    pub const METADATA: Self = Self { timeout: Duration::from_secs(30), attempts: 1000, pause: Duration::from_millis(200) };
    /// For verbs of the runtime.
    pub const RUNTIME: Self = Self { timeout: Duration::from_secs(120), attempts: 6, pause: Duration::from_millis(500) };
}

/// Carries out one activity.
///
/// # Errors
/// The failure that ends the step: the last one when the attempts are used up.
pub async fn step<In: Serialize, Out: DeserializeOwned>(
    ctx: &OrchestrationContext,
    activity: &str,
    input: &In,
    patience: Patience,
) -> Result<Out, Failure> {
    let input = encode(input)?;
    let mut pause = patience.pause;
    let mut attempt = 1;
    loop {
        let work = ctx.schedule_activity(activity, input.clone());
        let failure = match ctx.select2(work, ctx.schedule_timer(patience.timeout)).await {
            Either2::First(Ok(output)) => {
                return serde_json::from_str(&output).map_err(|_| Failure::Failed(Reason::new(ReasonCode::Internal, "a step gave an answer of another version")));
            }
            Either2::First(Err(error)) => Failure::decode(&error),
            Either2::Second(()) => {
                Failure::Retry(Reason::new(ReasonCode::DeadlineExceeded, format!("the step gave no answer within {} s", patience.timeout.as_secs())))
            }
        };
        match failure {
            Failure::Retry(_) if attempt < patience.attempts => {
                ctx.schedule_timer(pause).await;
                pause = (pause * 2).min(Duration::from_secs(10));
                attempt += 1;
            }
            other => return Err(other),
        }
    }
}

/// Waits until a nudge comes or the time is over; returns the nudge's payload.
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
    serde_json::to_string(value).map_err(|error| Failure::Failed(Reason::new(ReasonCode::Internal, error.to_string())))
}
