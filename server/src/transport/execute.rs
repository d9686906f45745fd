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
    Credentials, Denied, Limits, Session, TransportOptions,
    cpu_bound::{Busy, CallerKey, CpuBound, is_large},
    document::{Refused, check, check_text},
    encode,
    field_order::FieldOrder,
    nulls::{self, Source},
    numbers, refusal, root_field,
    sharing::{Groups, Outgoing, Question, Sharing},
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
    groups: Arc<Groups>,
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
    order: Arc<FieldOrder>,
    /// The caller, if its document counts as large.
    heavy: Option<CallerKey>,
    /// The results that a subscription shares with others.
    sharing: Option<Sharing>,
}

impl<E: Executor> Transport<E> {
    pub(super) fn new(executor: E, options: TransportOptions) -> Self {
        let sockets = options.limits.sockets.min(Semaphore::MAX_PERMITS);
        let pending_sockets = PendingSockets::new(options.limits.pending_sockets);
        let cpu_bound = CpuBound::new(options.limits.large_documents, options.limits.large_document_wait);
        Self { executor, options, sockets: Arc::new(Semaphore::new(sockets)), pending_sockets, cpu_bound, groups: Arc::default() }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// Authenticates a caller. One without credentials is identified by its address.
    pub(super) async fn authenticate(&self, credentials: Credentials<'_>) -> Result<Session, Denied> {
        let address = credentials.address;
        Ok(self.options.authenticate.authenticate(credentials).await?.or_address(address))
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
        let limits = self.limits();
        let tokens = match check_text(&request.query, limits) {
            Ok(tokens) => tokens,
            Err(Refused { code, message }) => return refuse(refusal::error(code, message)),
        };
        let name = request.operation_name.clone();
        let variables = std::mem::take(&mut request.variables);
        let long = is_large(request.query.len(), u64::try_from(tokens).unwrap_or(u64::MAX));
        let checked = {
            let request = &mut request;
            let types = &self.options.types;
            let check = move || match request.parsed_query() {
                Ok(document) => match check(document, &variables, types, limits) {
                    Ok(size) => Ok((document, variables, size)),
                    Err(Refused { code, message }) => Err(Box::new(refusal::error(code, message))),
                },
                Err(error) => Err(Box::new(syntax_error(error))),
            };
            if long { self.cpu_bound.run(session.caller(), check).await.unwrap_or_else(|Busy| Err(Box::new(busy()))) } else { check() }
        };
        let (document, variables, size) = match checked {
            Ok(checked) => checked,
            Err(response) => return refuse(*response),
        };
        // The executor reports that there is no such operation.
        let kind = operation(document, name.as_deref()).map_or(OperationType::Query, |operation| operation.ty);
        let order = FieldOrder::of(document, name.as_deref(), &variables, &self.options.types);
        let mut order = Arc::new(order);
        let mut sharing = None;
        if kind == OperationType::Subscription {
            let mut document = document.clone();
            // The executor would run several fields concurrently.
            if !root_field::lift(&mut document, name.as_deref(), self.options.types.root(kind)) {
                let message = "A subscription selects exactly one field, and the fragments around it have no directives.";
                return refuse(refusal::error("BAD_SUBSCRIPTION", message));
            }
            sharing = session.rights().map(|rights| {
                let variables = root_field::variables_except_start(&document, name.as_deref(), &request.query, &variables);
                let (query, operation_name) = (request.query.clone(), name.clone());
                let question = Question { query, operation_name, variables: encode::to_json(&variables), rights };
                self.groups.join(question, Arc::clone(&order))
            });
            if let Some(sharing) = &sharing {
                order = sharing.order();
                request.data.insert(sharing.clone());
            }
            request.set_parsed_query(document);
        }
        request.variables = variables;
        session.insert_into(&mut request.data);
        request.data.insert(id.clone());
        let out_of_range = numbers::out_of_range(&request.variables);
        let source = Source { query: request.query.clone(), operation_name: request.operation_name.clone(), out_of_range };
        let heavy = (long || is_large(0, size)).then(|| session.caller().clone());
        Ok(Operation { kind, id: id.clone(), request, source, order, heavy, sharing })
    }

    /// Runs a query or a mutation. A mutation continues when its caller disconnects, because part of it may already have happened.
    pub(super) async fn execute(&self, operation: Operation) -> Response {
        let Operation { kind, id, request, source, order, heavy, sharing: _ } = operation;
        let execution = {
            let (executor, cpu_bound) = (self.executor.clone(), self.cpu_bound.clone());
            let execution = async move {
                let execution = executor.execute(request);
                // Validation is part of the first poll.
                match heavy {
                    Some(caller) => cpu_bound.first_poll(&caller, execution).await.unwrap_or_else(|Busy| busy()),
                    None => execution.await,
                }
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
        numbers::explain(&mut response, &self.options.types, &source);
        nulls::complete(&mut response, &self.options.types, &source);
        order.apply(&mut response.data);
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
    pub(super) fn stream(self: &Arc<Self>, operation: Operation) -> impl Stream<Item = Outgoing> + Send + use<E> {
        let this = Arc::clone(self);
        if operation.kind != OperationType::Subscription {
            // Boxed, because otherwise the stream of every subscription would have the size of an execution.
            return stream::once(async move { Outgoing::Own(this.execute(operation).await) }).boxed().left_stream();
        }
        let Operation { id, request, source, order, heavy, sharing, .. } = operation;
        let responses = this.executor.execute_stream(request, None);
        let responses = match heavy {
            Some(caller) => {
                this.cpu_bound.clone().first_poll_of(caller, responses).map(|response| response.unwrap_or_else(|Busy| busy())).left_stream()
            }
            None => responses.right_stream(),
        };
        AssertUnwindSafe(responses)
            .catch_unwind()
            .map(move |outcome| {
                let response = outcome.unwrap_or_else(|panic| panicked(&id, &*panic));
                let outgoing = match &sharing {
                    Some(sharing) => sharing.outgoing(response),
                    None => Outgoing::Own(response),
                };
                let Outgoing::Own(mut response) = outgoing else { return outgoing };
                numbers::explain(&mut response, &this.options.types, &source);
                nulls::complete(&mut response, &this.options.types, &source);
                order.apply(&mut response.data);
                Outgoing::Own(this.finish(this.limited(response), &id))
            })
            .right_stream()
    }

    /// Every response passes through this function exactly once, except a shared result, which has no errors.
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

/// As [`operation`], mutable.
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

/// The caller has too many large documents at once.
fn busy() -> Response {
    refusal::error(refusal::RATE_LIMITED, "Too many large documents at once. Send them one after the other, or smaller ones.")
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
