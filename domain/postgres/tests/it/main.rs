//! Connections to hosted instances, with real PostgreSQL servers, and with fake ones that are hostile.

mod check;
mod collations;
mod conflicts;
mod escalation;
mod hostile;
mod inspection;
mod metrics;
mod owner;
mod prober;
mod replication;
mod storage;
mod vitals;

mod fake_postgres;
mod server;
