//! The command line as people and scripts use it: the real binary against the real server.

mod failures;
mod interrupted;
mod pipes;
mod support;
mod terminals;
mod tls;
mod tokens;
