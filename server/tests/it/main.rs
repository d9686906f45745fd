//! The integration tests of the server: one binary, one module per subject.

mod access;
mod backups;
mod base_path;
mod certificates;
mod chaos;
mod cli;
mod control_plane;
mod database_users;
mod disk;
mod drift;
mod environment;
mod examples;
mod exits;
#[expect(dead_code, reason = "the tests of backups use the rest")]
#[path = "../../../domain/backup/tests/it/fake_s3.rs"]
mod fake_s3;
mod fuzz;
mod health;
mod https;
mod kubernetes;
mod lifecycle;
mod live;
mod paging;
mod parameters;
mod passwords;
mod pid_one;
mod repair;
mod requests;
mod resize;
mod restart;
mod restore;
mod restore_kubernetes;
mod rotate_password;
mod secrets;
#[expect(dead_code, reason = "the benches use the rest")]
mod support;
mod suspend;
mod tour;
mod transport;
