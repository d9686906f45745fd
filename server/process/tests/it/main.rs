//! The process runtime and the embedded metadata database, with real PostgreSQL servers.

mod binaries;
mod contract;
mod crash;
mod crash_loop;
mod data_dir;
mod drift;
mod embedded;
mod hosts;
mod identity;
mod instance_files;
mod owner;
mod parameters;
mod restart;
mod suspend;
mod tls;
mod upgrade;

mod control_plane;
mod home;
mod psql;
