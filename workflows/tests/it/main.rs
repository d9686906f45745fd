//! Tests of the workflows: every kind of operation as a [`saga`], and tests specific to each kind. They use duroxide's in-memory
//! provider, and those of [`saga`] that depend on the provider also the one that servers use; a fake runtime in which failures can
//! be injected; and the real metadata store on a real PostgreSQL server.

mod addresses;
mod backups;
mod certificates;
mod changes;
mod clone;
mod create;
mod create_database;
mod delete;
mod downtime;
mod health;
mod hints;
mod janitor;
mod metrics;
mod monitor;
mod notices;
mod partitions;
mod probing;
mod registry;
mod repair;
mod repairs;
mod resize;
mod restart;
mod retry;
mod rotate_password;
mod saga;
mod set_parameters;
mod silent;
mod storage;
mod support;
mod suspend;
mod sweeper;
mod unreachable;
mod upgrade;
mod upgrade_instance;
