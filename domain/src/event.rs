//! The event log: one entry per change of an instance or an operation, in commit order.

use chrono::{DateTime, Utc};

use crate::{InstanceId, OperationId, instance::Reason};

/// A position in the event log: everything up to and including this number has been seen. Zero is before the first event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor(pub i64);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(seq) if seq >= 0 => Ok(Self(seq)),
            _ => Err("is not a cursor that this API gave out".to_owned()),
        }
    }
}

/// One change.
#[derive(Clone, Debug)]
pub struct Event {
    /// The position in the log.
    pub cursor: Cursor,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The kind of change.
    pub kind: EventKind,
    /// The instance it belongs to.
    pub instance: InstanceId,
    /// The operation that changed, if one did.
    pub operation: Option<OperationId>,
    /// The value before (a state, health or status), if one value changed.
    pub from: Option<String>,
    /// The value after.
    pub to: Option<String>,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
}

crate::instance::text_enum! {
    /// The kinds of events.
    pub enum EventKind {
        /// The creation of an instance was accepted.
        InstanceCreated,
        /// The state went `from` -> `to`.
        StateChanged,
        /// The health went `from` -> `to`.
        HealthChanged,
        /// Another field of the instance changed: labels, protection, endpoint, reason.
        InstanceUpdated,
        /// An operation was accepted.
        OperationCreated,
        /// The status of an operation went `from` -> `to`.
        OperationChanged,
        /// A step of an operation began, ended or failed.
        OperationProgressed,
    }
}
