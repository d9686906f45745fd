//! The command line: the binary against a server.

mod background;
pub mod commands;
mod contexts;
mod demo;
mod failures;
pub mod initdb_gate;
mod interrupted;
mod licenses;
mod pipes;
mod silent;
pub mod terminal;
mod terminals;
mod tls;
mod tokens;
