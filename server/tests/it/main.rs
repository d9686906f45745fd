//! The integration tests of the server: one binary, one module per subject.

mod access;
mod address;
mod backups;
mod base_path;
mod certificates;
mod chaos;
mod checksums;
mod cli;
mod clone;
mod control_plane;
mod database_users;
mod db_init;
mod deletion;
mod disk;
mod drift;
mod environment;
mod examples;
mod exits;
mod fuzz;
mod health;
mod https;
mod idempotency;
mod inspection;
mod kubernetes;
mod lifecycle;
mod live;
mod logical_slots;
mod logs;
mod lost_objects;
mod metrics;
mod notices;
mod paging;
mod parameters;
mod passwords;
mod pid_one;
mod postgres;
#[expect(dead_code, reason = "the tests of stores use the rest")]
#[path = "../../../domain/backup/tests/it/proxy.rs"]
mod proxy;
mod recover;
mod releases;
mod repair;
mod requests;
mod resize;
mod restart;
mod restore;
mod restore_kubernetes;
mod rotate_password;
#[path = "../../../domain/backup/tests/it/s3_server.rs"]
mod s3_server;
mod secrets;
mod storage;
#[expect(dead_code, reason = "the benches use the rest")]
mod support;
mod suspend;
mod tour;
mod transport;
mod update;
mod upgrade;
mod verification;
mod webhooks;
