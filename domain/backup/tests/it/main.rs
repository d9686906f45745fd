//! Backups and restores with real PostgreSQL servers.

mod damage;
mod faults;
mod gaps;
mod points;
mod retention;
mod timelines;

mod archived;
mod cluster;
mod faulty_store;
