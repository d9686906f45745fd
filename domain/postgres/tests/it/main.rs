//! Connections to hosted instances, with real PostgreSQL servers.

mod check;
mod prober;

mod server;
