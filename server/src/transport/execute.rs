//! Executes requests: the part that all transports share.

use std::{any::Any, fmt, panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{
    Executor, Request, Response, ServerError,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType},
};
use axum::http::{HeaderMap, HeaderValue};
use futures::{FutureExt, Stream, StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::{
    Limits, Session, TransportOptions,
    cpu_bound::{CpuBound, is_large},
    encode,
    expansion::{Unexpandable, expanded_size},
    lexical::Shape,
    nulls::{self, Source},
    refusal, root_field,
    ws::PendingSockets,
};

/// The ID of one request in the log. Resolvers get it with `ctx.data::<RequestId>()`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    pub(super) fn new() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cursor after which a reconnecting event stream resumes: its `Last-Event-ID` header. Resolvers get it with
/// `ctx.data_opt::<ResumeCursor>()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeCursor(pub String);

impl ResumeCursor {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let id = headers.get("last-event-id")?.to_str().ok()?;
        (!id.is_empty()).then(|| Self(id.to_owned()))
    }
}

/// The executor and its limits.
pub(super) struct Transport<E> {
    executor: E,
    pub(super) options: TransportOptions,
    sockets: Arc<Semaphore>,
    pub(super) pending_sockets: PendingSockets,
    cpu_bound: CpuBound,
}

/// The permit for an open socket or event stream.
pub(super) struct Socket {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Socket {
    fn drop(&mut self) {
        metrics::gauge!("toygres_sockets").decrement(1);
    }
}

/// One operation, ready to run.
pub(super) struct Operation {
    pub(super) kind: OperationType,
    pub(super) id: RequestId,
    request: Request,
    source: Source,
    /// Whether its document counts as large once its fragments are expanded.
    large: bool,
}

impl<E: Executor> Transport<E> {
    pub(super) fn new(executor: E, options: TransportOptions) -> Self {
        let sockets = options.limits.sockets.min(Semaphore::MAX_PERMITS);
        let pending_sockets = PendingSockets::new(options.limits.pending_sockets);
        Self { executor, options, sockets: Arc::new(Semaphore::new(sockets)), pending_sockets, cpu_bound: CpuBound::new() }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Acquires a [`Socket`]; `None` if the limit is reached.
    pub(super) fn socket(&self) -> Option<Socket> {
        let permit = Arc::clone(&self.sockets).try_acquire_owned().ok()?;
        metrics::gauge!("toygres_sockets").increment(1);
        Some(Socket { _permit: permit })
    }

    /// Whether [`Self::socket`] would have none.
    pub(super) fn has_no_socket(&self) -> bool {
        self.sockets.available_permits() == 0
    }

    /// Checks the limits of a document and parses it to find out the type of its operation.
    pub(super) async fn prepare(&self, mut request: Request, session: &Session, id: &RequestId) -> Result<Operation, Box<Response>> {
        let refuse = |response| Err(Box::new(self.finish(response, id)));
        let (shape, limits) = (Shape::of(&request.query), self.limits());
        if shape.tokens > limits.tokens {
            let message = format!("The document has {} tokens; at most {} are allowed.", shape.tokens, limits.tokens);
            return refuse(refusal::error("TOO_MANY_TOKENS", message));
        }
        if shape.nesting > limits.nesting {
            let message = format!("The document is nested {} levels deep; at most {} are allowed.", shape.nesting, limits.nesting);
            return refuse(refusal::error("TOO_DEEP", message));
        }
        if shape.longest_name > limits.name_bytes {
            let message = format!("The document has a name of {} bytes; at most {} are allowed.", shape.longest_name, limits.name_bytes);
            return refuse(refusal::error("TOO_LARGE", message));
        }
        let name = request.operation_name.clone();
        let parsed = match is_large(u64::try_from(shape.tokens).unwrap_or(u64::MAX)) {
            true => {
                let request = &mut request;
                self.cpu_bound.run(move || request.parsed_query()).await
            }
            false => request.parsed_query(),
        };
        let document = match parsed {
            Ok(document) => document,
            Err(error) => return refuse(syntax_error(error)),
        };
        let size = match expanded_size(document, limits.nesting) {
            Ok(size) if size <= limits.expanded_size => size,
            Ok(size) => {
                let message = format!(
                    "The document has {size} fields, arguments and directives once its fragments are expanded; at most {} are allowed.",
                    limits.expanded_size
                );
                return refuse(refusal::error("TOO_LARGE", message));
            }
            Err(Unexpandable::TooDeep) => {
                let message = format!("The document is nested more than {} levels deep through its fragments.", limits.nesting);
                return refuse(refusal::error("TOO_DEEP", message));
            }
            Err(Unexpandable::Cycle(fragment)) => {
                return refuse(refusal::error("BAD_REQUEST", format!("Cannot spread the fragment '{fragment}' within itself.")));
            }
        };
        // The executor reports that there is no such operation.
        let kind = operation(document, name.as_deref()).map_or(OperationType::Query, |operation| operation.ty);
        if kind == OperationType::Subscription {
            let mut document = document.clone();
            // The executor would run several fields concurrently.
            if !root_field::lift(&mut document, name.as_deref(), self.options.types.root(kind)) {
                let message = "A subscription selects exactly one field, not more through fragments, and through none with a directive.";
                return refuse(refusal::error("BAD_SUBSCRIPTION", message));
            }
            request.set_parsed_query(document);
        }
        session.insert_into(&mut request.data);
        request.data.insert(id.clone());
        let source = Source { query: request.query.clone(), operation_name: request.operation_name.clone() };
        Ok(Operation { kind, id: id.clone(), request, source, large: is_large(size) })
    }

    /// Runs a query or a mutation. A mutation continues when its caller disconnects, because part of it may already have happened.
    pub(super) async fn execute(&self, operation: Operation) -> Response {
        let Operation { kind, id, request, source, large } = operation;
        let execution = {
            let (executor, cpu_bound) = (self.executor.clone(), self.cpu_bound.clone());
            let execution = async move {
                let execution = executor.execute(request);
                // Validation is part of the first poll.
                if large { cpu_bound.first_poll(execution).await } else { execution.await }
            };
            AssertUnwindSafe(execution).catch_unwind()
        };
        let outcome = async {
            match kind {
                OperationType::Mutation => tokio::spawn(execution).await.unwrap_or_else(|error| Err(Box::new(error))),
                _ => execution.await,
            }
        };
        let mut response = match tokio::time::timeout(self.limits().operation_time, outcome).await {
            Ok(Ok(response)) => response,
            Ok(Err(panic)) => panicked(&id, &*panic),
            Err(_) => refusal::error("TIMEOUT", "The operation took too long."),
        };
        nulls::complete(&mut response, &self.options.types, &source);
        self.finish(self.limited(response), &id)
    }

    /// The response, or an error in place of one that is too large.
    fn limited(&self, response: Response) -> Response {
        let limit = self.limits().response_bytes;
        if encode::size(&response) <= limit {
            return response;
        }
        refusal::error("RESPONSE_TOO_LARGE", format!("The response is larger than {limit} bytes: request smaller pages or fewer fields."))
    }

    /// Runs any operation; a query or a mutation is a stream of one response.
    pub(super) fn stream(self: &Arc<Self>, operation: Operation) -> impl Stream<Item = Response> + Send + use<E> {
        let this = Arc::clone(self);
        if operation.kind != OperationType::Subscription {
            // Boxed, because otherwise the stream of every subscription would have the size of an execution.
            return stream::once(async move { this.execute(operation).await }).boxed().left_stream();
        }
        let Operation { id, request, source, large, .. } = operation;
        let responses = this.executor.execute_stream(request, None);
        let responses = if large { this.cpu_bound.clone().first_poll_of(responses).left_stream() } else { responses.right_stream() };
        AssertUnwindSafe(responses)
            .catch_unwind()
            .map(move |outcome| {
                let mut response = outcome.unwrap_or_else(|panic| panicked(&id, &*panic));
                nulls::complete(&mut response, &this.options.types, &source);
                this.finish(this.limited(response), &id)
            })
            .right_stream()
    }

    /// Every response passes through this function exactly once.
    pub(super) fn finish(&self, mut response: Response, id: &RequestId) -> Response {
        (self.options.on_response)(&mut response, id);
        response
    }
}

impl Operation {
    /// Sets the cursor after which a reconnecting event stream resumes.
    pub(super) fn resume(mut self, cursor: Option<ResumeCursor>) -> Self {
        if let Some(cursor) = cursor {
            self.request.data.insert(cursor);
        }
        self
    }
}

/// The operation of a document that the request selects, if there is one.
pub(super) fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => all.values().next(),
        (DocumentOperations::Multiple(_), None) => None,
    };
    operation.map(|operation| &operation.node)
}

/// As [`operation`], to be changed.
pub(super) fn operation_mut<'a>(document: &'a mut ExecutableDocument, name: Option<&str>) -> Option<&'a mut OperationDefinition> {
    let operation = match (&mut document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(all), Some(name)) => all.get_mut(name),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => all.values_mut().next(),
        (DocumentOperations::Multiple(_), None) => None,
    };
    operation.map(|operation| &mut operation.node)
}

fn syntax_error(error: ServerError) -> Response {
    let mut response = refusal::error("GRAPHQL_PARSE_FAILED", error.message);
    for ours in &mut response.errors {
        ours.locations.clone_from(&error.locations);
    }
    response
}

/// A panic of a resolver fails one operation, not the whole connection.
fn panicked(id: &RequestId, panic: &(dyn Any + Send)) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "not a text".to_owned());
    tracing::error!(request_id = %id, panic = %text, "a resolver panicked");
    refusal::error("INTERNAL", "Internal error.")
}
