//! `InstanceEvent`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use toygres_domain::{event as domain, instance::Instance as DomainInstance, operation::Operation as DomainOperation};

use super::{Instance, InstanceEventType, NodeId, NoticeChange, Operation, Reason};
use crate::graphql::{
    errors::error,
    loaders::{InstanceById, Loaders},
};

/// See the GraphQL type below.
pub struct InstanceEvent {
    event: domain::Event,
    instance: Option<Arc<DomainInstance>>,
    operation: Option<Arc<DomainOperation>>,
}

impl InstanceEvent {
    /// An event, with its instance and operation if they are already loaded.
    #[must_use]
    pub fn new(event: domain::Event, instance: Option<Arc<DomainInstance>>, operation: Option<Arc<DomainOperation>>) -> Self {
        Self { event, instance, operation }
    }
}

/// One change of an instance or of one of its operations, in the order of commits.
#[Object]
impl InstanceEvent {
    /// The ID of the event.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Event(self.event.cursor.seq).into()
    }
    /// The position in the log, to resume from.
    async fn cursor(&self) -> String {
        self.event.cursor.to_string()
    }
    /// What changed.
    async fn r#type(&self) -> InstanceEventType {
        self.event.kind.into()
    }
    /// When the event was written.
    async fn at(&self) -> DateTime<Utc> {
        self.event.cursor.at
    }
    /// The ID of the instance that the event belongs to.
    async fn instance_id(&self) -> ID {
        self.event.instance.to_string().into()
    }
    /// The instance that the event belongs to, as it is now.
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
    /// The value before the change: a state, health or status.
    async fn from(&self) -> Option<String> {
        self.event.from.as_ref().map(|value| value.to_uppercase())
    }
    /// The value after the change.
    async fn to(&self) -> Option<String> {
        self.event.to.as_ref().map(|value| value.to_uppercase())
    }
    /// The notices that came and went with the change.
    async fn notices(&self) -> Vec<NoticeChange> {
        self.event.notices.iter().map(NoticeChange::from).collect()
    }
    /// The reason for the change.
    async fn reason(&self) -> Option<Reason> {
        self.event.reason.as_ref().map(Reason::from)
    }
}
