//! Backups and restores with real PostgreSQL servers.

mod damage;
mod faults;
mod gaps;
mod independent;
mod points;
mod retention;
mod s3;
mod timelines;

mod archived;
mod cluster;
mod fake_s3;
mod faulty_store;
