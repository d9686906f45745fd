//! The event log: one entry per change of an instance or an operation, in commit order.

use chrono::{DateTime, Utc};

use crate::{InstanceId, OperationId, instance::Reason, notice::NoticeChange};

/// A position in the event log: everything up to and including this event has been seen.
///
/// The time binds it to its log: another log, or a former state of this one that was restored and continued, has an event of
/// another time at the same number. Its text is `<number>-<microseconds since 1970>`, which clients treat as opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// The number of the event, or that of the last deleted one. Zero is before the first event.
    pub seq: i64,
    /// When the event was written; for number zero, when the log was created.
    pub at: DateTime<Utc>,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.seq, self.at.timestamp_micros())
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = || {
            let (seq, micros) = text.split_once('-')?;
            let seq = seq.parse().ok().filter(|seq| *seq >= 0)?;
            Some(Self { seq, at: DateTime::from_timestamp_micros(micros.parse().ok()?)? })
        };
        parsed().ok_or_else(|| "is not a cursor that this API gave out".to_owned())
    }
}

/// One change.
#[derive(Clone, Debug)]
pub struct Event {
    /// The position in the log, and when it was written.
    pub cursor: Cursor,
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
    /// The notices that came and went with the change.
    pub notices: Vec<NoticeChange>,
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
        /// Another field of the instance changed: labels, protection, endpoint, reason, notices.
        InstanceUpdated,
        /// Something of the instance that somebody had deleted or edited was put back.
        InstanceRepaired,
        /// An operation was accepted.
        OperationCreated,
        /// The status of an operation went `from` -> `to`.
        OperationChanged,
        /// A step of an operation began, ended or failed.
        OperationProgressed,
    }
}
