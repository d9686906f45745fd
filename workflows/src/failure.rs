//! Why an activity did not do what it was asked to, as workflows see it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use toygres_domain::{
    Error,
    instance::{Reason, ReasonCode},
    runtime::RuntimeError,
};

/// Why an activity did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "failure", content = "reason")]
pub enum Failure {
    /// Another run or operation is responsible now; leave everything as it is.
    Superseded,
    /// A caller asked to cancel.
    Cancelled,
    /// A temporary error of something outside: repeated until the operation's deadline, which the activities check.
    Retry(Reason),
    /// Something unexpected, a fault of ours or of the engine: worth a few more attempts.
    Broken(Reason),
    /// It cannot work.
    Failed(Reason),
}

impl Failure {
    /// The text that the engine keeps.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| error.to_string())
    }

    /// Reads what an activity, or the engine in its place, reported.
    pub(crate) fn decode(text: &str) -> Self {
        // What is not ours is the engine's: a panic, an unknown activity. The text can hold anything, so it stays in the log.
        serde_json::from_str(text).unwrap_or_else(|_| Self::unexpected())
    }

    /// A panic, or an error of the engine: the log has it, people need not.
    pub(crate) fn unexpected() -> Self {
        Self::Broken(Reason::new(ReasonCode::Internal, "the step ended unexpectedly; the server's log says more"))
    }

    /// An input or output of another version.
    pub(crate) fn incompatible() -> Self {
        Self::Failed(Reason::new(ReasonCode::Internal, "a step got a message of another version"))
    }

    /// An activity that took longer than it may.
    #[must_use]
    pub fn timed_out(limit: Duration) -> Self {
        Self::Broken(Reason::new(ReasonCode::DeadlineExceeded, format!("the step gave no answer within {} s", limit.as_secs())))
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
