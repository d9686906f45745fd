//! The command line: the binary against a server.

mod background;
mod commands;
mod failures;
mod initdb_gate;
mod interrupted;
mod licenses;
mod pipes;
mod terminal;
mod terminals;
mod tls;
mod tokens;
