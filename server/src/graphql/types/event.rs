//! `InstanceEvent` of the event log, and `InstanceChange` of the live list.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{event as domain, instance::Instance as DomainInstance, operation::Operation as DomainOperation};

use super::{Instance, Operation, instance::Reason};
use crate::graphql::{
    errors::error,
    loaders::{InstanceById, Loaders},
};

/// What an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::EventKind")]
pub enum InstanceEventType {
    /// The instance was asked for.
    InstanceCreated,
    /// The state went `from` -> `to`.
    StateChanged,
    /// The health went `from` -> `to`.
    HealthChanged,
    /// Something else about the instance changed: labels, protection, endpoint, reason.
    InstanceUpdated,
    /// An operation was accepted.
    OperationCreated,
    /// The status of an operation went `from` -> `to`.
    OperationChanged,
    /// A step of an operation began, ended or failed.
    OperationProgressed,
}

/// One change of an instance or of one of its operations.
pub struct InstanceEvent {
    event: domain::Event,
    instance: Option<Arc<DomainInstance>>,
    operation: Option<Arc<DomainOperation>>,
}

impl InstanceEvent {
    /// The event with what it is about, as far as that has been loaded.
    #[must_use]
    pub fn new(event: domain::Event, instance: Option<Arc<DomainInstance>>, operation: Option<Arc<DomainOperation>>) -> Self {
        Self { event, instance, operation }
    }
}

/// One change of an instance or of one of its operations, in the order of commits.
#[Object]
impl InstanceEvent {
    /// Its identity.
    async fn id(&self) -> ID {
        self.event.cursor.to_string().into()
    }
    /// Its place in the log; `after` this, the next one follows.
    async fn cursor(&self) -> String {
        self.event.cursor.to_string()
    }
    /// What changed.
    async fn r#type(&self) -> InstanceEventType {
        self.event.kind.into()
    }
    /// When it was written.
    async fn at(&self) -> DateTime<Utc> {
        self.event.at
    }
    /// The instance it belongs to.
    async fn instance_id(&self) -> ID {
        self.event.instance.to_string().into()
    }
    /// That instance as it is now.
    #[graphql(complexity = "child_complexity + 1")]
    async fn instance(&self, ctx: &Context<'_>) -> Result<Option<Instance>> {
        match &self.instance {
            Some(instance) => Ok(Some(Instance(instance.clone()))),
            None => Ok(ctx.data_unchecked::<Loaders>().load_one(InstanceById(self.event.instance)).await.map_err(error)?.map(Instance)),
        }
    }
    /// The operation that changed, as it is now.
    #[graphql(complexity = "child_complexity + 1")]
    async fn operation(&self, ctx: &Context<'_>) -> Result<Option<Operation>> {
        match (&self.operation, &self.event.operation) {
            (Some(operation), _) => Ok(Some(Operation(operation.clone()))),
            (None, Some(id)) => Ok(ctx.data_unchecked::<Loaders>().load_one(id.clone()).await.map_err(error)?.map(Operation)),
            (None, None) => Ok(None),
        }
    }
    /// The value before: a state, health or status.
    async fn from(&self) -> Option<String> {
        self.event.from.as_ref().map(|value| value.to_uppercase())
    }
    /// The value after.
    async fn to(&self) -> Option<String> {
        self.event.to.as_ref().map(|value| value.to_uppercase())
    }
    /// Why.
    async fn reason(&self) -> Option<Reason> {
        self.event.reason.as_ref().map(Reason::from)
    }
}

/// What an item of the live list means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum InstanceChangeType {
    /// An instance that is there at the start.
    Snapshot,
    /// The start is over: everything that was there has been sent.
    SnapshotComplete,
    /// An instance is new, has changed, or matches the filter from now on.
    Upserted,
    /// An instance is deleted, or does not match the filter any more.
    Removed,
}

/// One item of the live list of instances.
#[derive(SimpleObject)]
pub struct InstanceChange {
    /// What it means.
    pub r#type: InstanceChangeType,
    /// The instance as it is now; null with `SNAPSHOT_COMPLETE`.
    pub instance: Option<Instance>,
    /// Its id; null with `SNAPSHOT_COMPLETE`.
    pub instance_id: Option<ID>,
    /// Resume `after` this. Within the snapshot it leads back to its start.
    pub cursor: String,
}
