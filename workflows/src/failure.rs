//! Why an activity failed, as workflows see it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use toygres_domain::{
    Error, InstanceId,
    instance::{Endpoint, Reason, ReasonCode},
    runtime::{Observation, RuntimeError},
};

use crate::activity::ActivityContext;

/// Why an activity failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "failure", content = "reason")]
pub enum Failure {
    /// Another run or operation has taken over; the workflow changes nothing more.
    Superseded,
    /// A caller requested the cancellation.
    Cancelled,
    /// A temporary error of an external system: the activity is repeated until the operation's deadline, which the activities
    /// check.
    Retry(Reason),
    /// An unexpected error in this crate or in the engine: the activity is repeated a few times.
    Broken(Reason),
    /// A permanent error.
    Failed(Reason),
}

impl Failure {
    /// Encodes the failure as the text that the engine stores.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| error.to_string())
    }

    /// Decodes the error of an activity, which the activity or the engine reported.
    pub(crate) fn decode(text: &str) -> Self {
        // Other texts come from the engine: a panic, or an unknown activity. They can contain anything, so they are only logged.
        serde_json::from_str(text).unwrap_or_else(|_| Self::unexpected())
    }

    /// A panic, or an error of the engine, whose text is only in the log.
    pub(crate) fn unexpected() -> Self {
        Self::Broken(Reason::new(ReasonCode::Internal, "the step ended unexpectedly; the server's log says more"))
    }

    /// An input or output of another version.
    pub(crate) fn incompatible() -> Self {
        Self::Failed(Reason::new(ReasonCode::Internal, "a step got a message of another version"))
    }

    /// An activity that exceeded its time limit.
    #[must_use]
    pub fn timed_out(limit: Duration) -> Self {
        Self::Broken(Reason::new(ReasonCode::DeadlineExceeded, format!("the step gave no answer within {} s", limit.as_secs())))
    }

    /// Whether it is explained by the instance not being ready at this endpoint any more, so that its status must be polled again.
    pub(crate) async fn is_moved(&self, context: &ActivityContext, id: InstanceId, endpoint: &Endpoint) -> bool {
        matches!(self, Self::Retry(_)) && !matches!(context.runtime.observe(id).await, Ok(Observation::Ready(now)) if now == *endpoint)
    }

    /// The reason to show.
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
