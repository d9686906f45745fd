//! The Runtime that runs instances as local PostgreSQL processes, and the embedded metadata database, which is one more such
//! process.
//!
//! All files are in one data directory ([`DataDir`]). The process that holds its lock is the *host*: only the host restarts
//! servers, stops everything at its shutdown and runs the [`Embedded`] metadata database. Other control planes on the same
//! directory can run every verb; the host finds their instances by polling.
//!
//! The state consists of the files and the running processes, and never of the memory of a control plane, so that any of them can
//! be killed at any time:
//!
//! | in `instances/` | what it is |
//! |---|---|
//! | `<uuid>/` | deployed; should run |
//! | `.staging-<uuid>/` | being created; deleted after a crash |
//! | `.removed-<uuid>/` | being deleted |
//! | `.keeping-<uuid>/` | being moved to `kept/` |
//! | `<uuid>.lock` | held by the verb that changes the instance (`flock`) |
//!
//! `verification/` has the copy of a base backup that is being verified, `postgresql/` the versions that `toygres postgres install` fetched.
//!
//! The background work is [`ProcessRuntime::supervise`] and [`Embedded::supervise`]: futures that the server spawns and owns.

mod account;
mod binaries;
mod build;
mod certificate;
mod cleanup;
mod cluster;
mod crash_loop;
mod data_dir;
mod digest;
mod disk;
mod drift;
mod embedded;
mod error;
mod instance_dirs;
mod lock;
mod log_file;
mod orphans;
mod packages;
mod port;
mod process_table;
mod reaper;
mod release;
mod resize;
mod restart;
mod restore;
mod runtime;
mod settings;
mod supervisor;
mod suspend;
mod upgrade;
mod verify;

pub use account::Account;
pub use binaries::{Binaries, Installation, MissingPart, Source};
pub use data_dir::{DataDir, HostLock};
pub use disk::DiskSpace;
pub use embedded::Embedded;
pub use error::{Error, Result};
pub use orphans::reap_orphans;
pub use packages::{Installed, Packages, Release};
pub use runtime::{ProcessConfig, ProcessRuntime};
pub use supervisor::Role;
