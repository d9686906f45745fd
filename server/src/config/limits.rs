//! How much callers may ask for.

use std::time::Duration;

use clap::{Args, value_parser};

use super::values::{parse_bool, size};
use crate::{
    graphql::QueryLimits,
    transport::{Limits, ServeOptions},
};

/// How much callers may ask for.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of requests")]
pub struct LimitsConfig {
    /// Nesting that a GraphQL request may have.
    #[arg(long, env = "TOYGRES_MAX_DEPTH", default_value = "16", value_parser = value_parser!(u32).range(1..=100))]
    pub max_depth: u32,
    /// Complexity that a GraphQL request may have: the sum of its fields; those of a list count once per possible entry.
    #[arg(long, env = "TOYGRES_MAX_COMPLEXITY", default_value = "20000", value_parser = value_parser!(u32).range(1..=10_000_000))]
    pub max_complexity: u32,
    /// Lexical tokens of one GraphQL document, which also bounds its aliases.
    #[arg(long, env = "TOYGRES_MAX_TOKENS", default_value = "10000", value_parser = value_parser!(u32).range(10..=10_000_000))]
    pub max_tokens: u32,
    /// Fields, arguments, values, variables and directives of one GraphQL document once its fragments are expanded.
    #[arg(long, env = "TOYGRES_MAX_EXPANDED_SIZE", default_value = "20000", value_parser = value_parser!(u32).range(10..=10_000_000))]
    pub max_expanded_size: u32,
    /// Bytes of the response to one operation.
    #[arg(long, env = "TOYGRES_MAX_RESPONSE_BYTES", default_value = "16777216", value_parser = value_parser!(u32).range(65_536..=1_073_741_824))]
    pub max_response_bytes: u32,
    /// Requests in one HTTP batch.
    #[arg(long, env = "TOYGRES_MAX_BATCH", default_value = "10", value_parser = value_parser!(u32).range(0..=1000))]
    pub max_batch: u32,
    /// Bytes of an HTTP body.
    #[arg(long, env = "TOYGRES_MAX_BODY_BYTES", default_value = "1048576", value_parser = value_parser!(u32).range(1024..=1_073_741_824))]
    pub max_body_bytes: u32,
    /// Bytes of a WebSocket message.
    #[arg(long, env = "TOYGRES_MAX_MESSAGE_BYTES", default_value = "262144", value_parser = value_parser!(u32).range(1024..=1_073_741_824))]
    pub max_message_bytes: u32,
    /// Operations at once on one socket.
    #[arg(long, env = "TOYGRES_MAX_OPERATIONS_PER_SOCKET", default_value = "1000", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub max_operations_per_socket: u32,
    /// Connections of clients at once, as far as the limit of open files allows.
    #[arg(long, env = "TOYGRES_MAX_CONNECTIONS", default_value = "20000", value_parser = value_parser!(u32).range(16..=1_000_000))]
    pub max_connections: u32,
    /// Connections at once from one address (a network of 64 bits with IPv6), in percent of all; set 100 behind a proxy,
    /// because all clients share its address.
    #[arg(long, env = "TOYGRES_MAX_CONNECTIONS_PER_ADDRESS_PERCENT", default_value = "50", value_parser = value_parser!(u32).range(1..=100))]
    pub max_connections_per_address_percent: u32,
    /// WebSockets at once that have not begun to authenticate. When there are more, the oldest of the address with the most is closed.
    #[arg(long, env = "TOYGRES_MAX_PENDING_SOCKETS", default_value = "1000", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub max_pending_sockets: u32,
    /// WebSockets and event streams at once.
    #[arg(long, env = "TOYGRES_MAX_SOCKETS", default_value = "10000", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub max_sockets: u32,
    /// Seconds that a query may take.
    #[arg(long, env = "TOYGRES_QUERY_SECONDS", default_value = "30", value_parser = value_parser!(u32).range(1..=3600))]
    pub query_seconds: u32,
    /// Whether introspection is allowed.
    #[arg(long, env = "TOYGRES_INTROSPECTION", default_value = "true", action = clap::ArgAction::Set, value_parser = parse_bool)]
    pub introspection: bool,
}

impl LimitsConfig {
    /// See [`QueryLimits`].
    #[must_use]
    pub fn of_queries(&self) -> QueryLimits {
        QueryLimits { depth: size(self.max_depth), complexity: size(self.max_complexity), introspection: self.introspection }
    }

    /// See [`Limits`].
    #[must_use]
    pub fn of_transports(&self) -> Limits {
        Limits {
            tokens: size(self.max_tokens),
            expanded_size: self.max_expanded_size.into(),
            response_bytes: size(self.max_response_bytes),
            batch: size(self.max_batch),
            body_bytes: size(self.max_body_bytes),
            message_bytes: size(self.max_message_bytes),
            operations_per_socket: size(self.max_operations_per_socket),
            sockets: size(self.max_sockets),
            pending_sockets: size(self.max_pending_sockets),
            operation_time: Duration::from_secs(self.query_seconds.into()),
            ..Limits::default()
        }
    }

    /// See [`ServeOptions`]. `connections` is what the limit of open files allows.
    #[must_use]
    pub fn of_connections(&self, connections: usize) -> ServeOptions {
        let per_address = connections.saturating_mul(size(self.max_connections_per_address_percent)).div_ceil(100);
        ServeOptions { connections, connections_per_address: per_address, ..ServeOptions::default() }
    }
}
