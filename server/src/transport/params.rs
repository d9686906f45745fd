//! The parameters of a request, from the body of a POST, the query string of a GET, or a message of a socket.
//!
//! Bodies are read by the extractor of async-graphql-axum. It is more lenient than the specification in what it accepts (a request
//! without a query, an array in place of an object) and refuses `extensions` that are `null`, so the types of a request's
//! entries are checked first. Query strings are read here: the library looks for `operation_name` instead of `operationName`.

use async_graphql::{BatchRequest, Extensions, ParseRequestError, Request, Variables};
use async_graphql_axum::GraphQLBatchRequest;
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Query},
    http::{HeaderValue, Method, Uri, header},
};
use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;

/// Reads the body of a POST, which is JSON: one request, or a batch.
pub(super) async fn from_body(bytes: Bytes) -> Result<BatchRequest, Refusal> {
    let bytes = match checked(bytes).map_err(Refusal::bad_request)? {
        Some(bytes) => bytes,
        // The extractor does not accept an empty batch; the limit of batches rejects it.
        None => return Ok(BatchRequest::Batch(Vec::new())),
    };
    let mut request = axum::extract::Request::new(Body::from(bytes));
    *request.method_mut() = Method::POST;
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(GraphQLBatchRequest::<Refusal>::from_request(request, &()).await?.into_inner())
}

/// Reads the query string of a GET. The error is for the caller.
pub(super) fn from_uri(uri: &Uri) -> Result<Request, String> {
    let Query(InQuery { query, operation_name, variables, extensions }) = Query::try_from_uri(uri).map_err(|error| error.body_text())?;
    let mut request = Request::new(query.ok_or("The `query` parameter is missing.")?);
    // An HTML form sends empty fields too.
    request.operation_name = operation_name.filter(|name| !name.is_empty());
    request.variables = json_parameter::<Option<Variables>>("variables", variables)?.unwrap_or_default();
    request.extensions = json_parameter::<Option<Extensions>>("extensions", extensions)?.unwrap_or_default();
    Ok(request)
}

/// Reads the payload of a message. The error is for the caller.
pub(super) fn from_payload(mut payload: Value) -> Result<Request, String> {
    check(&mut payload)?;
    serde_json::from_value(payload).map_err(|error| error.to_string())
}

impl From<ParseRequestError> for Refusal {
    fn from(error: ParseRequestError) -> Self {
        Self::bad_request(error.to_string())
    }
}

/// Checks the body and adapts it to the extractor; `None` for an empty batch.
fn checked(bytes: Bytes) -> Result<Option<Bytes>, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("The body is empty; it must be a JSON object with a `query`.".to_owned());
    }
    let mut body: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let changed = match &mut body {
        Value::Array(batch) if batch.is_empty() => return Ok(None),
        Value::Array(batch) => batch.iter_mut().map(check).try_fold(false, |changed, one| one.map(|one| changed | one))?,
        single => check(single)?,
    };
    if changed { serde_json::to_vec(&body).map(|bytes| Some(bytes.into())).map_err(|error| error.to_string()) } else { Ok(Some(bytes)) }
}

/// Checks the types of a request's entries. Removes `extensions` that are `null`, and returns whether it did.
fn check(request: &mut Value) -> Result<bool, String> {
    let Value::Object(request) = request else { return Err("A request must be a JSON object.".to_owned()) };
    match request.get("query") {
        Some(Value::String(_)) => {}
        None | Some(Value::Null) => return Err("`query` is missing.".to_owned()),
        Some(_) => return Err("`query` must be a string.".to_owned()),
    }
    if !matches!(request.get("operationName"), None | Some(Value::String(_) | Value::Null)) {
        return Err("`operationName` must be a string or null.".to_owned());
    }
    for name in ["variables", "extensions"] {
        if !matches!(request.get(name), None | Some(Value::Object(_) | Value::Null)) {
            return Err(format!("`{name}` must be an object or null."));
        }
    }
    Ok(request.get("extensions").is_some_and(Value::is_null) && request.remove("extensions").is_some())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InQuery {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// A parameter of a query string that contains JSON.
fn json_parameter<T: Default + for<'de> Deserialize<'de>>(name: &str, text: Option<String>) -> Result<T, String> {
    match text.as_deref() {
        None | Some("") => Ok(T::default()),
        Some(text) => serde_json::from_str(text).map_err(|_| format!("`{name}` must be a JSON object or null.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_objects_or_arrays_of_objects() {
        let read = async |body: &'static str| from_body(Bytes::from_static(body.as_bytes())).await;
        assert!(matches!(read(r#" {"query":"{a}","extensions":null,"variables":null}"#).await, Ok(BatchRequest::Single(_))));
        let batch = read(r#"[{"query":"{a}"},{"query":"{b}","extensions":null}]"#).await;
        assert!(matches!(batch, Ok(BatchRequest::Batch(all)) if all.len() == 2));
        assert!(matches!(read("[]").await, Ok(BatchRequest::Batch(all)) if all.is_empty()));
        for (body, part) in [
            ("", "empty"),
            ("  ", "empty"),
            ("{", "EOF"),
            ("3", "must be a JSON object"),
            ("{}", "`query` is missing"),
            (r#"{"query":null}"#, "`query` is missing"),
            (r#"{"query":3}"#, "`query` must be"),
            (r#"{"query":"{a}","variables":[]}"#, "`variables` must be"),
            (r#"{"query":"{a}","operationName":{}}"#, "`operationName` must be"),
            (r#"{"query":"{a}","extensions":0}"#, "`extensions` must be"),
            (r#"[["{a}"]]"#, "must be a JSON object"),
            (r#"[{"query":"{a}"},3]"#, "must be a JSON object"),
            (r#"{"query":"{a}"} {"#, "trailing"),
        ] {
            let refusal = read(body).await.expect_err(body);
            assert!(refusal.body.errors[0].message.contains(part), "{body}: {refusal:?}");
        }
    }

    #[test]
    fn query_strings_carry_json() {
        let uri = |query: &str| format!("/graphql?{query}").parse::<Uri>().expect("a URI");
        let request = from_uri(&uri("query=%7Ba%7D&operationName=A&variables=%7B%22x%22%3A1%7D")).expect("valid");
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{a}", Some("A")));
        assert_eq!(serde_json::to_string(&request.variables).expect("JSON"), r#"{"x":1}"#);
        for query in ["", "query=%7Ba%7D&variables=3", "query=%7Ba%7D&variables=%5B%5D", "query=%7Ba%7D&extensions=x"] {
            assert!(from_uri(&uri(query)).is_err(), "{query}");
        }
        assert!(from_uri(&uri("query=%7Ba%7D&variables=null&operationName=")).is_ok());
    }
}
