//! The tests of the Kubernetes runtime: the objects against golden files, observations against recordings of a real cluster, and
//! the verbs against the fake API server.

mod addresses;
#[expect(dead_code, reason = "the tests of backups use the rest")]
#[path = "../../../domain/backup/tests/it/archived.rs"]
mod archived;
mod chart;
#[expect(dead_code, reason = "the tests of backups use the rest")]
#[path = "../../../domain/backup/tests/it/cluster.rs"]
mod cluster;
mod connecting;
mod contract;
mod crashes;
mod drift;
mod fixture;
mod golden;
mod images;
mod infra;
mod nudging;
mod observations;
mod permissions;
#[cfg(target_os = "linux")]
mod pid_namespace;
mod reachability;
mod resizes;
mod restarts;
mod restores;
mod steps;
mod suspensions;
mod updates;
mod upgrades;
mod verbs;
mod verifications;

use toygres_k8s_fake::{self as fake, recordings};
