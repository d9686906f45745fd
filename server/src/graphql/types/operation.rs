//! `Operation` and its steps.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{Error, InstanceId, instance::Instance as DomainInstance, operation as domain};
use toygres_store::{OperationFilter, PageRequest};

use super::{Instance, OperationKind, OperationStatus, Reason, RestoreMethod, StepName, StepStatus};
use crate::{
    app::App,
    graphql::{
        errors::error,
        loaders::{InstanceById, Loaders, OperationCountOf, OperationsOf},
        paging::{Arguments, Counted, counted, opaque, parts, wants_total},
    },
};

/// A step of an operation.
#[derive(Clone, Debug, SimpleObject)]
pub struct OperationStep {
    /// The name of the step.
    name: StepName,
    /// The status of the step.
    status: StepStatus,
    /// The number of times the step was started.
    attempt: i32,
    /// When the step was first started.
    started_at: Option<DateTime<Utc>>,
    /// When the step finished.
    finished_at: Option<DateTime<Utc>>,
    /// The last error, or what the step waits for.
    error: Option<Reason>,
    /// What the step found, a sentence each. Empty if its status says everything.
    findings: Vec<String>,
}

impl From<&domain::Step> for OperationStep {
    fn from(step: &domain::Step) -> Self {
        let domain::Step { name, status, attempt, started_at, finished_at, error, findings } = step;
        Self {
            name: (*name).into(),
            status: (*status).into(),
            attempt: *attempt,
            started_at: *started_at,
            finished_at: *finished_at,
            error: error.as_ref().map(Reason::from),
            findings: findings.clone(),
        }
    }
}

/// What a new instance gets its data from.
#[derive(SimpleObject)]
pub struct OperationRestoration {
    /// The ID of the instance whose data it is. That may be deleted meanwhile.
    source_id: ID,
    /// How the data gets into the new instance. Null until a clone has copied it.
    method: Option<RestoreMethod>,
    /// Whether the new instance is a clone of the source as it is now (`cloneInstance`).
    clones: bool,
}

/// See the GraphQL type below.
#[derive(Clone)]
pub struct Operation(pub Arc<domain::Operation>);

/// An accepted request that takes time, and its progress.
#[Object]
impl Operation {
    /// The ID of the operation: `<kind>-<instance>-<n>`, the same in logs.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// What the operation does.
    async fn kind(&self) -> OperationKind {
        self.0.kind().into()
    }
    /// The status of the operation.
    async fn status(&self) -> OperationStatus {
        self.0.status.into()
    }
    /// The instance that the operation works on.
    #[graphql(complexity = "child_complexity + 1")]
    async fn instance(&self, ctx: &Context<'_>) -> Result<Instance> {
        self.subject(ctx).await.map(Instance)
    }
    /// The steps in order, including those not started yet.
    async fn steps(&self) -> Vec<OperationStep> {
        self.0.steps.iter().map(OperationStep::from).collect()
    }
    /// What `restoreInstance` and `cloneInstance` restore. Null for other operations.
    async fn restoration(&self) -> Option<OperationRestoration> {
        let domain::Params::Restore(source) = &self.0.params else { return None };
        let (source_id, method) = (source.instance().to_string().into(), source.method().map(Into::into));
        Some(OperationRestoration { source_id, method, clones: source.clones() })
    }
    /// Why the operation failed or was cancelled.
    async fn error(&self) -> Option<Reason> {
        self.0.error.as_ref().map(Reason::from)
    }
    /// Whether cancellation was requested.
    async fn cancel_requested(&self) -> bool {
        self.0.cancel_requested
    }
    /// Whether `cancelOperation` would be accepted now.
    async fn can_cancel(&self) -> bool {
        self.0.can_cancel()
    }
    /// Whether `retryOperation` would be accepted now.
    async fn can_retry(&self, ctx: &Context<'_>) -> Result<bool> {
        // The instance is only read if the answer depends on it.
        if !self.0.status.is_terminal() || self.0.status == domain::OperationStatus::Succeeded {
            return Ok(false);
        }
        let instance = self.subject(ctx).await?;
        Ok(self.0.can_retry(&instance))
    }
    /// Who requested the operation: the name of an API token, or why the control plane did. Null for a caller without a token.
    async fn requested_by(&self) -> Option<&str> {
        self.0.requested_by.as_deref()
    }
    /// When the operation fails if it is not finished. Null if it continues until it succeeds.
    async fn deadline(&self) -> Option<DateTime<Utc>> {
        self.0.deadline
    }
    /// When the operation was accepted.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When a workflow started to carry out the operation.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }
    /// When the operation finished.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

impl Operation {
    async fn subject(&self, ctx: &Context<'_>) -> Result<Arc<DomainInstance>> {
        let found = ctx.data_unchecked::<Loaders>().load_one(InstanceById(self.0.instance)).await.map_err(error)?;
        found.ok_or_else(|| error(Error::internal("an operation without its instance")))
    }
}

/// A page of the operations of all instances.
pub(in crate::graphql) async fn list(ctx: &Context<'_>, filter: OperationFilter, arguments: Arguments) -> Result<Counted<Operation>> {
    let page = request(arguments)?;
    let store = &ctx.data_unchecked::<App>().store;
    let count = async { if wants_total(ctx) { store.count_operations(&filter).await } else { Ok(0) } };
    let (page, total) = futures::try_join!(store.operations(&filter, &page), count).map_err(error)?;
    Ok(counted(page, total, cursor, |operation| Operation(Arc::new(operation))))
}

/// A page of the operations of one instance, which may itself be an entry of a list.
pub(super) async fn list_of(ctx: &Context<'_>, id: InstanceId, filter: OperationFilter, arguments: Arguments) -> Result<Counted<Operation>> {
    let page = request(arguments)?;
    let filter = OperationFilter { instance: None, ..filter };
    let loaders = ctx.data_unchecked::<Loaders>();
    let count =
        async { if wants_total(ctx) { loaders.load_one(OperationCountOf(id, filter.clone())).await.map(Option::unwrap_or_default) } else { Ok(0) } };
    let entries = loaders.load_one(OperationsOf(id, filter.clone(), page));
    let (page, total) = futures::try_join!(entries, count).map_err(error)?;
    Ok(counted(page.unwrap_or_default(), total, cursor, |operation| Operation(Arc::new(operation))))
}

fn request(arguments: Arguments) -> Result<PageRequest<(DateTime<Utc>, String)>> {
    arguments.request(|cursor| {
        let [micros, id] = parts::<2>(cursor)?;
        Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id))
    })
}

fn cursor(operation: &domain::Operation) -> String {
    opaque(&[&operation.created_at.timestamp_micros().to_string(), operation.id.as_str()])
}
