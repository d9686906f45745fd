//! Webhooks: delivers the events of the log to the receivers that administrators named, signed after the Standard Webhooks specification.
//!
//! There is no queue: each webhook has a position in the event log, which moves on when its receiver has accepted a message. So each message is
//! delivered at least once, and in the order of the log. A webhook belongs to one server at a time, by a lease in the database, and has one message
//! under way at a time.

mod address;
mod delivery;
mod message;
mod sender;
mod worker;

pub use address::AddressPolicy;
pub use message::test_message;
pub use sender::{Answer, Sender};
pub use worker::run;

/// The deliveries, by result.
pub(crate) const DELIVERIES: &str = "toygres_webhook_deliveries_total";
/// The age of what is to be delivered.
pub(crate) const LAG: &str = "toygres_webhook_lag_seconds";
/// The webhooks, by state.
pub(crate) const WEBHOOKS: &str = "toygres_webhooks";
/// The values of the label `state` of [`WEBHOOKS`].
pub(crate) const STATES: [&str; 4] = ["enabled", "failing", "disabled", "given_up"];
/// The values of the label `result` of [`DELIVERIES`].
pub(crate) const RESULTS: [&str; 4] = ["delivered", "refused", "failed", "gone"];
