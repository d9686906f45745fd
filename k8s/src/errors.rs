//! What went wrong at the API server, as a reason for people and a decision whether to try again.

use kube::{core::Status, error::Error};
use toygres_domain::{instance::ReasonCode, runtime::RuntimeError};

/// Translates the failure of an API call; `what` says what was being done, for example `make the Secret`.
pub(crate) fn runtime_error(what: &str, error: &Error) -> RuntimeError {
    match error {
        Error::Api(status) => api_error(what, status),
        other => RuntimeError::temporary(
            ReasonCode::RuntimeUnavailable,
            format!("Cannot {what}: the API server cannot be reached: {}", client_error(other)),
        ),
    }
}

/// What went wrong on this side of the connection. A credential plugin's failure is told without its words: they hold its
/// arguments and its output, and so perhaps a secret.
pub(crate) fn client_error(error: &Error) -> String {
    match error {
        Error::Auth(_) => "the credentials cannot be obtained; kubectl with the same kubeconfig says why".to_owned(),
        Error::Api(status) => status.message.clone(),
        Error::SerdeError(_) => "the answer cannot be read".to_owned(),
        other => chain(other),
    }
}

/// The reason for an object that the API server refuses, read from its own sentence: the body of a Status gives quotas,
/// permissions and admission the same reason, Forbidden.
pub(crate) fn refusal(message: &str) -> ReasonCode {
    if message.contains("exceeded quota") || message.contains("maximum ") && message.contains(" usage per ") {
        ReasonCode::QuotaExceeded
    } else if message.contains(" cannot ") && message.contains(" resource \"") {
        ReasonCode::Forbidden
    } else {
        ReasonCode::AdmissionRefused
    }
}

fn api_error(what: &str, status: &Status) -> RuntimeError {
    let message = format!("Cannot {what}: {}", status.message);
    match status.code {
        // The token may have been exchanged while the request was under way.
        401 => RuntimeError::temporary(ReasonCode::Forbidden, format!("Cannot {what}: the cluster does not know the control plane's credentials")),
        403 if is_terminating(status) => RuntimeError::permanent(ReasonCode::AdmissionRefused, message),
        403 => RuntimeError::permanent(refusal(&status.message), message),
        // Only objects that are looked up may be absent, and those calls take a 404 for an answer. What remains is the
        // namespace.
        404 => RuntimeError::permanent(ReasonCode::AdmissionRefused, message),
        // Somebody else was faster; the next attempt starts from what there is then.
        409 => RuntimeError::temporary(ReasonCode::RuntimeUnavailable, message),
        400 | 405 | 406 | 413 | 415 | 422 => RuntimeError::permanent(ReasonCode::AdmissionRefused, message),
        _ => RuntimeError::temporary(ReasonCode::RuntimeUnavailable, message),
    }
}

fn is_terminating(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
}

/// The text of an error and of its sources.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
