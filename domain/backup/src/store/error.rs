//! What a request to a store fails with, as one sentence.

use std::{fmt, sync::Arc};

/// What a request to a store fails with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{store}: {message}")]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    store: Arc<str>,
    message: String,
}

/// What can be done about a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum StoreErrorKind {
    /// The store refuses the credentials, or they may not do this.
    Denied,
    /// There is no such object.
    NotFound,
    /// There is another object of this name, which is not replaced: two writers, or a restored copy that writes into the archive of its
    /// source.
    Conflict,
    /// The store cannot be reached, is too slow, or fails. Trying again may help.
    Unavailable,
    /// The configuration is wrong.
    Configuration,
    /// What is in the object is not what was written.
    Damaged,
}

impl StoreError {
    pub(super) fn new(kind: StoreErrorKind, store: &Arc<str>, message: String) -> Self {
        Self { kind, store: store.clone(), message }
    }

    /// The failure of a request to a store whose login is in these settings.
    pub(super) fn of(source: &object_store::Error, store: &Arc<str>, login: &str) -> Self {
        let text = one_line(source);
        let kind = classify(source, &text);
        let message = match kind {
            StoreErrorKind::Denied => format!("it denies access ({}); check {login}", answer(&text)),
            StoreErrorKind::Configuration if is_container_missing(&text) => {
                format!("there is no such bucket or container ({}); check TOYGRES_BACKUP_STORE", answer(&text))
            }
            _ => shortened(&text),
        };
        Self::new(kind, store, message)
    }

    /// The failure to open a store whose login is in these settings.
    pub(super) fn of_configuration(source: &object_store::Error, store: &Arc<str>, login: &str) -> Self {
        let text = one_line(source);
        let is_login = ["Access Key", "service account"].iter().any(|subject| text.contains(subject));
        let message = if is_login { format!("{}; check {login}", shortened(&text)) } else { shortened(&text) };
        Self::new(StoreErrorKind::Configuration, store, message)
    }
}

fn classify(error: &object_store::Error, text: &str) -> StoreErrorKind {
    use object_store::Error;
    match error {
        Error::NotFound { .. } | Error::Generic { .. } if is_container_missing(text) => StoreErrorKind::Configuration,
        Error::NotFound { .. } => StoreErrorKind::NotFound,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => StoreErrorKind::Conflict,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => StoreErrorKind::Denied,
        Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => {
            StoreErrorKind::Configuration
        }
        Error::Generic { .. } if is_refused(text) => StoreErrorKind::Denied,
        _ => StoreErrorKind::Unavailable,
    }
}

/// The errors that tell this only in words have no type that could be matched.
fn is_container_missing(text: &str) -> bool {
    ["NoSuchBucket", "ContainerNotFound"].iter().any(|code| text.contains(code))
}

/// A refused listing has no type of its own either, nor the refusal to exchange a key or an identity for a token, which comes before a request.
fn is_refused(text: &str) -> bool {
    let has = |status: u16| text.contains(&format!("{STATUS}{status} "));
    has(401) || has(403) || (has(400) && text.contains("Error performing token request"))
}

const STATUS: &str = "status code: ";

/// The status and the code of an answer, such as `403 Forbidden, SignatureDoesNotMatch`: the rest are identifiers, and advice.
fn answer(text: &str) -> String {
    let status = between(text, STATUS, ':').unwrap_or_default();
    let code = between(text, "<Code>", '<').or_else(|| between(text, "\"error\":", ',')).unwrap_or_default();
    let parts = [status.trim(), code.trim_matches([' ', '"', '}'])];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { shortened(text) } else { shortened(&parts.join(", ")) }
}

fn between<'a>(text: &'a str, begin: &str, end: char) -> Option<&'a str> {
    text.split_once(begin)?.1.split(end).next()
}

/// Stores answer with pages of XML.
pub(super) fn one_line(error: &dyn fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str) -> String {
    const MAX: usize = 500;
    if text.chars().count() > MAX { text.chars().take(MAX).chain("...".chars()).collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(source: object_store::Error) -> (StoreErrorKind, String) {
        let error = StoreError::of(&source, &"the store".into(), "THE_KEY");
        (error.kind, error.to_string())
    }

    fn generic(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "GCS", source: text.into() }
    }

    #[test]
    fn a_refused_login_names_the_setting_and_the_code() {
        let body = "<?xml version=\"1.0\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>Many words</Message></Error>";
        let text = format!("Error performing PUT http://s3/b/a in 2ms - Server returned non-2xx status code: 403 Forbidden: {body}");
        let denied = (StoreErrorKind::Denied, "the store: it denies access (403 Forbidden, SignatureDoesNotMatch); check THE_KEY".to_owned());
        assert_eq!(explained(object_store::Error::PermissionDenied { path: "a".to_owned(), source: text.into() }), denied);
        // Google and the identity of a workload on Azure are asked for a token first.
        let token = |status: &str| {
            let body = "{\n\"error\": \"invalid_grant\",\n\"error_description\": \"Invalid JWT Signature.\"}";
            generic(&format!(
                "Error performing token request: Error performing POST REDACTED in 5ms - Server returned non-2xx status code: {status}: {body}"
            ))
        };
        let denied = (StoreErrorKind::Denied, "the store: it denies access (400 Bad Request, invalid_grant); check THE_KEY".to_owned());
        assert_eq!(explained(token("400 Bad Request")), denied);
        assert_eq!(explained(token("503 Service Unavailable")).0, StoreErrorKind::Unavailable);
        let listing = |answer: &str| generic(&format!("Error performing list request: ... - Server returned non-2xx status code: {answer}"));
        assert_eq!(explained(listing("403 Forbidden: <Code>AccessDenied</Code>")).0, StoreErrorKind::Denied);
        assert_eq!(explained(listing("404 Not Found: <Code>NoSuchBucket</Code>")).0, StoreErrorKind::Configuration);
        assert_eq!(explained(listing("400 Bad Request: <Code>InvalidArgument</Code>")).0, StoreErrorKind::Unavailable);
        assert_eq!(explained(generic("HTTP error")).0, StoreErrorKind::Unavailable);
    }

    #[test]
    fn a_page_of_xml_is_shortened() {
        let (_, text) = explained(generic(&"very \n".repeat(1000)));
        assert!(text.len() < 600 && text.ends_with("...") && !text.contains('\n'), "{text}");
    }
}
