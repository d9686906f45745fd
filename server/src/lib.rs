//! The server of Toygres: configuration, GraphQL, transports, live delivery, the process runtime, and the composition root
//! that puts them together with the metadata and the workflows.

// Both panic when the reader has gone: see `console`.
#![deny(clippy::print_stdout, clippy::print_stderr)]
// `MergedObject` nests the mutations in each other, one level for each.
#![recursion_limit = "256"]

pub mod access;
pub mod app;
mod base_path;
mod command;
pub mod config;
mod console;
mod endpoints;
mod environment;
pub mod graphql;
mod guard;
mod instance_metrics;
mod licenses;
pub mod live;
mod metrics;
mod playground;
mod postgres;
mod restore_volume;
pub mod secrets;
pub mod serve;
pub mod transport;
pub mod webhooks;

pub use command::run;
