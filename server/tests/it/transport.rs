//! The transports, over real connections to a small schema.

mod clients;
mod http;
mod legacy_ws;
mod limits;
mod serving;
mod sse;
mod support;
mod ws;
mod ws_sharing;
