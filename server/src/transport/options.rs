//! The options of the transports.

use std::{fmt, sync::Arc, time::Duration};

use async_graphql::Response;
use tokio_util::sync::CancellationToken;

use super::{Authenticate, FieldTypes, Open, RequestId};

/// Called with every response of every transport before it is encoded: the one place to mask errors.
pub type OnResponse = Arc<dyn Fn(&mut Response, &RequestId) + Send + Sync>;

/// The options of the transports.
#[derive(Clone)]
pub struct TransportOptions {
    /// The limits of requests.
    pub limits: Limits,
    /// The types of the schema's fields, which determine how errors propagate.
    pub types: Arc<FieldTypes>,
    /// Authenticates callers.
    pub authenticate: Arc<dyn Authenticate>,
    /// Called with every response, and with every rejection that has a GraphQL body.
    pub on_response: OnResponse,
    /// Closes every socket and stream, with codes after which clients reconnect.
    pub shutdown: CancellationToken,
}

impl Default for TransportOptions {
    /// Accepts every caller, masks no errors, never shuts down, and knows no types.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            types: Arc::default(),
            authenticate: Arc::new(Open),
            on_response: Arc::new(|_, _| {}),
            shutdown: CancellationToken::new(),
        }
    }
}

impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportOptions").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The limits of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an HTTP body.
    pub body_bytes: usize,
    /// How long a caller may take to send its body.
    pub body_time: Duration,
    /// Bytes of a WebSocket message.
    pub message_bytes: usize,
    /// Requests in one HTTP batch; 0 turns batches off.
    pub batch: usize,
    /// Lexical tokens of one document, counted before anything is parsed.
    pub tokens: usize,
    /// Nesting of brackets in one document. The parser is recursive, and a stack overflow aborts the process.
    pub nesting: usize,
    /// Bytes of a name. Validation compares an unknown name with known ones.
    pub name_bytes: usize,
    /// Operations of one document. Validation compares the variables of each with those of every fragment.
    pub operations: usize,
    /// Fields, arguments, values, variables and directives of one document once its fragments are expanded, which is what its validation
    /// costs.
    pub expanded_size: u64,
    /// `__typename` in one selection set, fragments included. They have no complexity.
    pub typenames: usize,
    /// Fields below `__schema` and `__type` in one operation, with fragments expanded. A client's introspection has about 150.
    pub introspection: usize,
    /// Large documents of one caller at once, of which one is parsed or validated, and the others wait.
    pub large_documents: usize,
    /// How long a large document may wait for a processor.
    pub large_document_wait: Duration,
    /// Bytes of a response.
    pub response_bytes: usize,
    /// How long a query may take. A mutation that takes longer gets the same error, but its execution continues.
    pub operation_time: Duration,
    /// Concurrent operations on one socket.
    pub operations_per_socket: usize,
    /// Concurrent WebSockets and event streams.
    pub sockets: usize,
    /// Sockets open at once whose `connection_init` has not arrived. When there are more, the oldest of the address with the most is
    /// closed.
    pub pending_sockets: usize,
    /// Bytes that such a socket may send.
    pub init_bytes: usize,
    /// How long a socket may stay open before its `connection_init` is accepted.
    pub init_timeout: Duration,
    /// How often the server sends a ping on a socket, or a comment on an event stream. A socket is closed if nothing was received
    /// since the last ping.
    pub ping_interval: Duration,
    /// Results that are queued for one socket. When the queue is full, each operation waits for a slot for one result, first come,
    /// first served, so a fast operation does not starve the others.
    pub socket_queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            body_time: Duration::from_secs(30),
            message_bytes: 256 * 1024,
            batch: 10,
            tokens: 10_000,
            nesting: 100,
            name_bytes: 64,
            operations: 100,
            expanded_size: 20_000,
            typenames: 20,
            introspection: 500,
            large_documents: 16,
            large_document_wait: Duration::from_secs(2),
            response_bytes: 16 * 1024 * 1024,
            operation_time: Duration::from_secs(30),
            operations_per_socket: 1000,
            sockets: 10_000,
            pending_sockets: 1000,
            init_bytes: 16 * 1024,
            init_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            socket_queue: 32,
        }
    }
}
