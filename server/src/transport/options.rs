//! The options of the transports.

use std::{fmt, sync::Arc, time::Duration};

use async_graphql::Response;
use tokio_util::sync::CancellationToken;

use super::{Authenticate, FieldTypes, Open, RequestId};

/// Sees every response before it is encoded, whatever the transport: the one place to mask errors.
pub type OnResponse = Arc<dyn Fn(&mut Response, &RequestId) + Send + Sync>;

/// How the transports behave.
#[derive(Clone)]
pub struct TransportOptions {
    /// The limits of what a caller may ask for.
    pub limits: Limits,
    /// What the schema says of its fields: how far the failure of one reaches.
    pub types: Arc<FieldTypes>,
    /// Who is admitted.
    pub authenticate: Arc<dyn Authenticate>,
    /// Called with every response, and with every refusal that has a GraphQL body.
    pub on_response: OnResponse,
    /// Ends every socket and stream, with codes after which clients reconnect.
    pub shutdown: CancellationToken,
}

impl Default for TransportOptions {
    /// Admits everybody, masks nothing, ends nothing, and knows nothing of the schema.
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

/// The limits of what a caller may ask for.
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
    /// Brackets open at once in one document: the parser recurses, and a stack that overflows ends the process.
    pub nesting: usize,
    /// How long a query may take. A mutation that takes longer is answered with the same error but runs to its end.
    pub operation_time: Duration,
    /// Operations running at once on one socket.
    pub operations_per_socket: usize,
    /// WebSockets and event streams open at once.
    pub sockets: usize,
    /// How long a socket may stay open before its `connection_init` is accepted.
    pub init_timeout: Duration,
    /// How often the server pings a socket, or comments on an event stream. A socket from which nothing has come since
    /// the last ping is closed.
    pub ping_interval: Duration,
    /// How long the peer of a socket may refuse to read.
    pub write_timeout: Duration,
    /// Results that wait to be written to one socket. When it is full, each operation waits with one result for its turn,
    /// first come, first served, so the busiest cannot crowd the others out.
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
            operation_time: Duration::from_secs(30),
            operations_per_socket: 1000,
            sockets: 10_000,
            init_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(25),
            write_timeout: Duration::from_secs(10),
            socket_queue: 32,
        }
    }
}
