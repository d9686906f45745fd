//! The server of Toygres: configuration, GraphQL, transports, live delivery, the process runtime, and the composition root
//! that puts them together with the metadata and the workflows.

pub mod access;
pub mod app;
mod command;
pub mod config;
mod endpoints;
pub mod graphql;
mod guard;
mod licenses;
pub mod live;
mod metrics;
mod playground;
pub mod secrets;
pub mod serve;
pub mod transport;

pub use command::run;
