//! The URL with which clients connect to an instance.

use crate::instance::{Endpoint, InstanceSpec};

/// The URL that clients use, without the password.
#[must_use]
pub fn connection_string(endpoint: &Endpoint, spec: &InstanceSpec) -> String {
    // Where TLS is only offered, libpq, psycopg and sqlx prefer it by themselves; npm's pg takes `prefer` for `verify-full`.
    let mode = if spec.require_tls { "?sslmode=require" } else { "" };
    let host = if endpoint.host.contains(':') { format!("[{}]", endpoint.host) } else { endpoint.host.clone() };
    format!("postgresql://{}@{host}:{}/{}{mode}", spec.username, endpoint.port, spec.database)
}
