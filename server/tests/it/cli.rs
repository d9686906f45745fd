//! The command line: the binary against a server.

mod background;
pub mod commands;
mod contexts;
mod failures;
mod initdb_gate;
mod interrupted;
mod licenses;
mod pipes;
mod silent;
mod terminal;
mod terminals;
mod tls;
mod tokens;
