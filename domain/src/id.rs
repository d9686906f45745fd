//! Identifiers of instances and operations, and the ids of the workflows that serve them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identity of an instance: a UUID (version 7, so that ids sort by age), the same in the API, in logs, in the names
/// of runtime objects and in workflow ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(pub Uuid);

impl InstanceId {
    /// A new, unique id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The name in its certificate that no other instance has. Nobody resolves it: whoever connects by an address that instances share
    /// (local ones differ only in their port) can check that the server is this one.
    #[must_use]
    pub fn tls_name(self) -> String {
        format!("{self}.toygres.internal")
    }

    /// A number below `bound` (0 for a bound of 0) that is always the same for this instance and evenly distributed over many,
    /// to spread what would otherwise happen to all of them at once.
    #[must_use]
    pub fn spread(self, bound: u64) -> u64 {
        // The low half of a version 7 UUID is random.
        self.0.as_u64_pair().1.checked_rem(bound).unwrap_or(0)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for InstanceId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The identity of an operation: `<kind>-<instance>-<n>`, stable over all the runs that the engine needs for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(String);

impl OperationId {
    /// The id of the `n`th operation of `instance`.
    #[must_use]
    pub fn new(kind: crate::operation::OperationKind, instance: InstanceId, n: i64) -> Self {
        Self(format!("{}-{instance}-{n}", kind.as_str()))
    }

    /// Takes what a caller sent as an id; whether it exists is the store's to say. An engine id
    /// (`<operation id>-r<k>`) names its operation too, because that is what people copy out of logs.
    #[must_use]
    pub fn from_any(text: &str) -> Self {
        match text.rsplit_once("-r") {
            Some((operation, run)) if !run.is_empty() && run.bytes().all(|b| b.is_ascii_digit()) => Self(operation.to_owned()),
            _ => Self(text.to_owned()),
        }
    }

    /// The `n` of the id, which counts the operations of an instance.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.0.rsplit_once('-').and_then(|(_, number)| number.parse().ok())
    }

    /// The engine's id of the `run`th run of this operation.
    #[must_use]
    pub fn engine_id(&self, run: i32) -> String {
        format!("{}-r{run}", self.0)
    }

    /// The id of the workflow that follows this operation to its end.
    #[must_use]
    pub fn monitor_id(&self) -> String {
        format!("monitor-{}", self.0)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::OperationKind;

    #[test]
    fn an_engine_id_names_its_operation() {
        let instance = InstanceId::generate();
        let id = OperationId::new(OperationKind::Create, instance, 3);
        assert_eq!(id.engine_id(2), format!("create-{instance}-3-r2"));
        assert_eq!(OperationId::from_any(&id.engine_id(12)), id);
        assert_eq!(OperationId::from_any(id.as_str()), id);
        assert_eq!(OperationId::from_any("x-r").as_str(), "x-r");
    }
}
