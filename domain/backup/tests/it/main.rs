//! Backups and restores with real PostgreSQL servers.

mod damage;
mod encryption;
mod faults;
mod gaps;
mod independent;
mod missing;
mod points;
mod retention;
mod stores;
mod timelines;

mod archived;
mod azurite;
mod cluster;
mod faulty_store;
mod proxy;
mod s3_server;
