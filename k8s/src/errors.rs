//! Errors of API calls, translated into a reason for users and whether to retry.

use kube::{core::Status, error::Error};
use toygres_domain::{instance::ReasonCode, runtime::RuntimeError};

use crate::wording;

/// Translates the error of an API call; `what` names the action, for example `apply the Secret`.
pub(crate) fn runtime_error(what: &str, error: &Error) -> RuntimeError {
    match error {
        Error::Api(status) => api_error(what, status),
        other => RuntimeError::temporary(
            ReasonCode::RuntimeUnavailable,
            format!("Cannot {what}: the API server cannot be reached: {}", client_error(other)),
        ),
    }
}

/// The text of an error of the client. The text of a credential plugin's error is omitted: it contains the plugin's arguments and
/// output, and so possibly a secret.
pub(crate) fn client_error(error: &Error) -> String {
    match error {
        Error::Auth(_) => "the credentials cannot be obtained; run kubectl with the same kubeconfig to see why".to_owned(),
        Error::Api(status) => status.message.clone(),
        Error::SerdeError(_) => "the response cannot be parsed".to_owned(),
        other => chain(other),
    }
}

fn api_error(what: &str, status: &Status) -> RuntimeError {
    let message = format!("Cannot {what}: {}", status.message);
    match status.code {
        // The token may have been rotated during the request.
        401 => RuntimeError::temporary(ReasonCode::Forbidden, format!("Cannot {what}: the cluster does not accept the control plane's credentials")),
        403 if is_terminating(status) => RuntimeError::permanent(ReasonCode::AdmissionRefused, message),
        403 => match wording::refusal(&status.message) {
            // An API server that has just started has not loaded its roles yet. The control plane checks its permissions at start, so
            // this error is transient.
            ReasonCode::Forbidden => RuntimeError::temporary(ReasonCode::Forbidden, message),
            // Deleting something else in the namespace makes room.
            ReasonCode::QuotaExceeded if wording::is_used_up(&status.message) => RuntimeError::temporary(ReasonCode::QuotaExceeded, message),
            code => RuntimeError::permanent(code, message),
        },
        // The calls for objects that may be absent handle a 404 themselves. What remains is the namespace.
        404 => RuntimeError::permanent(ReasonCode::AdmissionRefused, message),
        // The object was changed concurrently; the next attempt starts from its new state.
        409 => RuntimeError::temporary(ReasonCode::RuntimeUnavailable, message),
        400 | 405 | 406 | 413 | 415 | 422 => RuntimeError::permanent(ReasonCode::AdmissionRefused, message),
        _ => RuntimeError::temporary(ReasonCode::RuntimeUnavailable, message),
    }
}

fn is_terminating(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
}

/// The text of an error followed by those of its sources.
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
