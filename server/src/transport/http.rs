//! GraphQL over HTTP: POST and GET, batches by POST.

use std::sync::Arc;

use async_graphql::{BatchRequest, BatchResponse, Executor, Request as GraphqlRequest, Response as GraphqlResponse, parser::types::OperationType};
use async_graphql_axum::GraphQLResponse;
use axum::{
    body::{self, Bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::future;

use super::{
    Credentials, RequestId, ResumeCursor, Session,
    accept::{Accept, Media, is_utf8},
    encode,
    execute::{Operation, Transport},
    params,
    refusal::{self, Refusal},
    serve::peer_address,
    sse,
};

/// Handles a GET or POST request.
pub(super) async fn answer<E: Executor>(transport: Arc<Transport<E>>, request: Request) -> Response {
    let id = RequestId::new();
    let mut response = match try_answer(&transport, request, &id).await {
        Ok(response) => response,
        Err(mut refusal) => {
            refusal.body = Box::new(transport.finish(*refusal.body, &id));
            refusal.into_response()
        }
    };
    if let Some(value) = id.header() {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

async fn try_answer<E: Executor>(transport: &Arc<Transport<E>>, request: Request, id: &RequestId) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let accept = Accept::of(&parts.headers).ok_or_else(not_acceptable)?;
    if parts.method == Method::POST {
        check_content_type(&parts.headers)?;
    }
    let credentials = Credentials { headers: &parts.headers, init: None, address: peer_address(&parts.extensions) };
    let session = transport.authenticate(credentials).await?;
    let resume = ResumeCursor::of(&parts.headers);
    if parts.method == Method::GET {
        let request = params::from_uri(&parts.uri).map_err(Refusal::bad_request)?;
        let prepared = transport.prepare(request, &session, id).await;
        if prepared.as_ref().is_ok_and(|operation| operation.kind == OperationType::Mutation) {
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "A mutation needs POST.").allow("POST"));
        }
        return single(transport, accept, prepared, session, resume).await;
    }
    let bytes = read(transport, &parts.headers, body).await?;
    match params::from_body(bytes).await? {
        BatchRequest::Single(request) => {
            let prepared = transport.prepare(request, &session, id).await;
            single(transport, accept, prepared, session, resume).await
        }
        BatchRequest::Batch(all) => batch(transport, accept, all, &session, id).await,
    }
}

/// Executes one operation.
async fn single<E: Executor>(
    transport: &Arc<Transport<E>>,
    accept: Accept,
    prepared: Result<Operation, Box<GraphqlResponse>>,
    session: Session,
    resume: Option<ResumeCursor>,
) -> Result<Response, Refusal> {
    let subscribes = prepared.as_ref().is_ok_and(|operation| operation.kind == OperationType::Subscription);
    if accept.best == Media::Events || (subscribes && accept.events) {
        let prepared = prepared.map(|operation| operation.resume(resume));
        return sse::answer(transport, prepared, &session);
    }
    if subscribes {
        return Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            "SUBSCRIPTION_NEEDS_STREAM",
            "A subscription needs a WebSocket (graphql-transport-ws) or the header `Accept: text/event-stream`.",
        ));
    }
    let response = match prepared {
        Ok(operation) => transport.execute(operation).await,
        Err(response) => *response,
    };
    if refusal::is_rate_limited(&response) {
        return Ok(Refusal::rate_limited(response).into_response());
    }
    let status = match accept.best {
        Media::GraphqlResponse if encode::never_executed(&response) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    };
    let mut answer = if encode::never_executed(&response) {
        // async-graphql would add `data: null`.
        encode::body(status, accept.best, encode::json(&response))
    } else {
        encode::with_headers(GraphQLResponse::from(response).into_response(), accept.best)
    };
    *answer.status_mut() = status;
    Ok(answer)
}

/// Executes several operations: queries concurrently, but all operations in order if one of them is a mutation.
async fn batch<E: Executor>(
    transport: &Arc<Transport<E>>,
    accept: Accept,
    all: Vec<GraphqlRequest>,
    session: &Session,
    id: &RequestId,
) -> Result<Response, Refusal> {
    let limit = transport.limits().batch;
    if all.is_empty() || all.len() > limit {
        let message = format!("A batch has {} requests; 1 to {limit} are allowed.", all.len());
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "BAD_BATCH", message));
    }
    if accept.best == Media::Events {
        return Err(Refusal::bad_request("An event stream carries one operation, not a batch."));
    }
    let mut prepared = Vec::with_capacity(all.len());
    for request in all {
        prepared.push(transport.prepare(request, session, id).await);
    }
    let mutates = prepared.iter().any(|one| one.as_ref().is_ok_and(|operation| operation.kind == OperationType::Mutation));
    let answers = prepared.into_iter().map(|one| async {
        match one {
            Ok(operation) if operation.kind == OperationType::Subscription => {
                transport.finish(refusal::error("SUBSCRIPTION_NEEDS_STREAM", "A batch cannot carry a subscription."), id)
            }
            Ok(operation) => transport.execute(operation).await,
            Err(response) => *response,
        }
    });
    let mut responses = Vec::new();
    if mutates {
        for answer in answers {
            responses.push(answer.await);
        }
    } else {
        responses = future::join_all(answers).await;
    }
    if responses.iter().any(encode::never_executed) {
        return Ok(encode::body(StatusCode::OK, accept.best, encode::json_array(&responses)));
    }
    Ok(encode::with_headers(GraphQLResponse::from(BatchResponse::Batch(responses)).into_response(), accept.best))
}

/// Reads a body within the limits of size and time.
async fn read<E: Executor>(transport: &Transport<E>, headers: &HeaderMap, body: body::Body) -> Result<Bytes, Refusal> {
    let limits = transport.limits();
    let too_large = || {
        let message = format!("The body is larger than {} bytes.", limits.body_bytes);
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", message)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.body_bytes) {
        return Err(too_large());
    }
    match tokio::time::timeout(limits.body_time, body::to_bytes(body, limits.body_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::bad_request("The body ended early.")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "BODY_TIMEOUT", "The body took too long to arrive.")),
    }
}

fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// Accepts only `application/json` in UTF-8. Other types, in particular those that an HTML form of another site can send, are
/// rejected.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let unsupported = |message: &str| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(unsupported("The body must be `Content-Type: application/json`."));
    }
    let foreign = parts
        .filter_map(|part| part.split_once('='))
        .any(|(name, value)| name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value.trim().trim_matches('"')));
    if foreign {
        return Err(unsupported("The body must be encoded in UTF-8."));
    }
    match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"" | b"identity") => Ok(()),
        Some(_) => Err(unsupported("The body must not be compressed.")),
    }
}

fn not_acceptable() -> Refusal {
    Refusal::new(
        StatusCode::NOT_ACCEPTABLE,
        "NOT_ACCEPTABLE",
        "The answer is `application/graphql-response+json`, `application/json` or, for a stream, `text/event-stream`.",
    )
}
