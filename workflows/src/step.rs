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
    /// A passing trouble of something outside: repeated until the operation's deadline, which the activities check.
    Retry(Reason),
    /// Something unexpected, a fault of ours or of the engine: worth a few more attempts.
    Broken(Reason),
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
        serde_json::from_str(text).unwrap_or_else(|_| Self::unexpected())
    }

    /// A panic, or an error of the engine: the log has it, people need not.
    pub(crate) fn unexpected() -> Self {
        Self::Broken(Reason::new(ReasonCode::Internal, "the step ended unexpectedly; the server's log says more"))
    }

    /// That a step took longer than it may.
    #[must_use]
    pub fn late(limit: Duration) -> Self {
        Self::Broken(Reason::new(ReasonCode::DeadlineExceeded, format!("the step gave no answer within {} s", limit.as_secs())))
    }

    /// The reason to show for an end of this kind.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Superseded => Reason::new(ReasonCode::Superseded, "another operation took over"),
            Self::Cancelled => Reason::new(ReasonCode::Cancelled, "the operation was cancelled"),
            Self::Retry(reason) | Self::Broken(reason) | Self::Failed(reason) => reason.clone(),
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
                Self::Broken(Reason::new(ReasonCode::Internal, "an internal error; the server's log says more"))
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
    /// After so long an attempt counts as lost. None waits for as long as it takes: for an activity that bounds itself, in a
    /// workflow that the sweeper replaces when the engine has lost its activity. It saves the engine a timer.
    pub timeout: Option<Duration>,
    /// So many attempts may break. Passing troubles are not counted: the activity itself ends those at the deadline.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles each time.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Whether a nudge ends a pause, so that a cancellation need not wait for it.
    pub wakes: bool,
}

/// How patient workflows and activities are. Tests shorten it; the defaults are what servers use.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// For writes to the metadata: quick, and worth many attempts.
    pub metadata: Patience,
    /// For verbs of the runtime.
    pub runtime: Patience,
    /// For a check of the health.
    pub health: Patience,
    /// How long a check may take with all that belongs to it; more than the longest time-out of an instance.
    pub check: Duration,
    /// The first and the longest pause between two looks at something that is under way.
    pub looks: (Duration, Duration),
    /// How long one look may wait within an activity, which is much cheaper than a turn of the engine.
    pub linger: Duration,
    /// How long a verb of the runtime may take: less than the step's timeout, so that nothing goes on behind its back.
    pub verb: Duration,
    /// How long after its deadline an operation may clean up.
    pub clean_up: Duration,
    /// How long after its deadline an operation's workflow counts as stuck; more than `clean_up`.
    pub stuck: Duration,
    /// How long the engine may take to know a workflow that was started.
    pub start: Duration,
    /// How often a monitor looks by itself.
    pub monitor: Duration,
    /// Failed checks in a row that make an outage, when only the probe saw them.
    pub confirmations: u32,
    /// The pause between a failed check and its repetition.
    pub recheck: Duration,
    /// How long a repetition may take at the most: the first check had the instance's whole time-out, and an outage must be
    /// certain soon after it.
    pub recheck_timeout: Duration,
    /// The pause between checks of an instance that is known to be unhealthy, so that recovery shows soon.
    pub recovery: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let metadata = Patience {
            timeout: Some(Duration::from_secs(30)),
            attempts: 20,
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(10),
            wakes: false,
        };
        Self {
            metadata,
            runtime: Patience { timeout: Some(Duration::from_secs(120)), attempts: 6, pause: Duration::from_millis(500), wakes: true, ..metadata },
            health: Patience { timeout: None, attempts: 20, pause: Duration::from_secs(1), ..metadata },
            check: Duration::from_secs(90),
            looks: (Duration::from_millis(500), Duration::from_secs(5)),
            linger: Duration::from_millis(1500),
            verb: Duration::from_secs(100),
            clean_up: Duration::from_secs(120),
            stuck: Duration::from_secs(240),
            start: Duration::from_secs(30),
            monitor: Duration::from_secs(30),
            confirmations: 3,
            recheck: Duration::from_millis(500),
            recheck_timeout: Duration::from_millis(750),
            recovery: Duration::from_secs(2),
        }
    }
}

/// Carries out one activity.
///
/// # Errors
/// The failure that ends the step: the last one when too many attempts broke.
pub async fn step<In: Serialize, Out: DeserializeOwned>(
    ctx: &OrchestrationContext,
    activity: &str,
    input: &In,
    patience: Patience,
) -> Result<Out, Failure> {
    let input = encode(input)?;
    let mut pause = patience.pause;
    let mut broken = 0;
    loop {
        let work = ctx.schedule_activity(activity, input.clone());
        let outcome = match patience.timeout {
            None => work.await.map_err(|error| Failure::decode(&error)),
            Some(timeout) => match ctx.select2(work, ctx.schedule_timer(timeout)).await {
                Either2::First(outcome) => outcome.map_err(|error| Failure::decode(&error)),
                Either2::Second(()) => Err(Failure::late(timeout)),
            },
        };
        let failure = match outcome {
            Ok(output) => {
                return serde_json::from_str(&output)
                    .map_err(|_| Failure::Failed(Reason::new(ReasonCode::Internal, "a step gave an answer of another version")));
            }
            Err(failure) => failure,
        };
        match failure {
            Failure::Retry(_) => {}
            Failure::Broken(_) if broken + 1 < patience.attempts => broken += 1,
            other => return Err(other),
        }
        if patience.wakes {
            nudged(ctx, pause).await;
        } else {
            ctx.schedule_timer(pause).await;
        }
        pause = (pause * 2).min(patience.longest_pause);
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
