//! Connections to hosted instances, with real PostgreSQL servers, and with fake ones that are hostile.

mod check;
mod collations;
mod hostile;
mod owner;
mod prober;
mod replication;

mod fake_postgres;
mod server;
