//! Responses as bytes.

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::{
    body::Body,
    http::{StatusCode, header},
    response::Response,
};
use serde::Serialize;
use std::collections::BTreeMap;

use super::accept::Media;

/// The parts of a response that are sent.
#[derive(Serialize)]
pub(super) struct Payload<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> From<&'a GraphqlResponse> for Payload<'a> {
    fn from(response: &'a GraphqlResponse) -> Self {
        Self {
            errors: &response.errors,
            // The entry is absent, not null, when execution never began.
            data: (!never_executed(response)).then_some(&response.data),
            extensions: &response.extensions,
        }
    }
}

/// Whether the request failed before its execution, in parsing, validation or the coercion of variables. The executor does not
/// report this, but errors of an execution have a path and these have none.
pub(super) fn never_executed(response: &GraphqlResponse) -> bool {
    has_no_data(response) && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether a response has errors and no data.
pub(super) fn has_no_data(response: &GraphqlResponse) -> bool {
    response.data == Value::Null && !response.errors.is_empty()
}

/// The size of a response in bytes of JSON. Strings count as if nothing in them needed an escape.
pub(super) fn size(response: &GraphqlResponse) -> usize {
    let errors: usize = response.errors.iter().map(|error| error.message.len() + 64).sum();
    errors + size_of_value(&response.data)
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Boolean(_) => 5,
        // An estimate: most are small.
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Enum(name) => name.len() + 2,
        Value::List(items) => 2 + items.iter().map(|item| size_of_value(item) + 1).sum::<usize>(),
        Value::Object(fields) => 2 + fields.iter().map(|(name, value)| name.len() + 4 + size_of_value(value)).sum::<usize>(),
        // Base64 or an array of numbers, whichever.
        Value::Binary(bytes) => bytes.len() * 4,
    }
}

/// One response as JSON, on one line.
pub(super) fn json(response: &GraphqlResponse) -> String {
    to_json(&Payload::from(response))
}

/// Several responses as a JSON array.
pub(super) fn json_array(responses: &[GraphqlResponse]) -> String {
    to_json(&responses.iter().map(Payload::from).collect::<Vec<_>>())
}

/// Serializes a value as JSON.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        // Only maps with keys that are not strings cannot be serialized, and responses contain none. If it happens, the caller
        // still gets a response.
        tracing::error!(%error, "a response cannot be encoded");
        r#"{"errors":[{"message":"The response cannot be encoded.","extensions":{"code":"INTERNAL"}}]}"#.to_owned()
    })
}

/// An HTTP response with a body of JSON.
pub(super) fn body(status: StatusCode, media: Media, json: String) -> Response {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    with_headers(response, media)
}

/// A response with the headers of all responses.
pub(super) fn with_headers(mut response: Response, media: Media) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.content_type());
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, header::HeaderValue::from_static("Accept"));
    response
}
