//! Live delivery: one reader of the event log per server feeds every subscription from memory.
//!
//! The [`Hub`] is woken by NOTIFY, reads each event once, loads what it is about once, and hands the result to those who
//! watch everything and to those who watch that instance. A subscriber ([`Feed`]) keeps its own position: what it missed,
//! because it came late, resumes, or was too slow for the buffer, it reads from the table, so every event reaches it exactly
//! once and in order.

mod feed;
mod hub;

pub use feed::Feed;
pub(crate) use hub::load;
pub use hub::{Delivery, Hub};
