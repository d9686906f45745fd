//! The integration tests of the server: one binary, one module per subject.

mod control_plane;
mod lifecycle;
mod live;
mod process;
mod requests;
mod support;
mod transport;
