//! `Operation` and its steps.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{InstanceId, operation as domain};
use toygres_store::{OperationFilter, PageRequest};

use super::{Instance, instance::Reason};
use crate::{
    app::App,
    graphql::{
        errors::{coded, error},
        loaders::{InstanceById, Loaders, OperationCountOf, OperationsOf},
        paging::{Arguments, Counted, counted, opaque, parts, wants_total},
    },
};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::OperationKind")]
pub enum OperationKind {
    /// Makes an instance.
    Create,
    /// Removes an instance.
    Delete,
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::OperationStatus")]
pub enum OperationStatus {
    /// Accepted; no workflow has taken it up yet.
    Pending,
    /// A workflow carries it out.
    Running,
    /// Done.
    Succeeded,
    /// It did not work out; the error says why.
    Failed,
    /// It was cancelled, by a caller or by a later operation.
    Cancelled,
}

/// The steps that operations are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::StepName")]
pub enum StepName {
    /// Make or repair the instance's objects in the runtime.
    DeployPostgres,
    /// Wait until the runtime says that it is ready.
    GetInstanceStatus,
    /// Find out how clients connect, and try it.
    GenerateConnectionString,
    /// Write the result to the metadata.
    UpdateMetadata,
    /// End the workflows that still work on the instance.
    StopWorkflows,
    /// Remove the instance's objects and wait until they are gone.
    DeletePostgres,
    /// Remove what a failed creation had made.
    CleanUp,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::StepStatus")]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Under way.
    Running,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Not needed any more.
    Skipped,
}

/// One step of an operation.
#[derive(Clone, Debug, SimpleObject)]
pub struct OperationStep {
    /// Which step.
    name: StepName,
    /// How it stands.
    status: StepStatus,
    /// How often it was begun.
    attempt: i32,
    /// When it was begun first.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
    /// What went wrong last, or what it waits for.
    error: Option<Reason>,
}

/// One accepted mutation that takes time, and how it goes.
#[derive(Clone)]
pub struct Operation(pub Arc<domain::Operation>);

/// One accepted mutation that takes time, and how it goes.
#[Object]
impl Operation {
    /// Its identity, the same in logs: `<kind>-<instance>-<n>`.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// What it does.
    async fn kind(&self) -> OperationKind {
        self.0.kind.into()
    }
    /// How it stands.
    async fn status(&self) -> OperationStatus {
        self.0.status.into()
    }
    /// The instance it works on.
    #[graphql(complexity = "child_complexity + 1")]
    async fn instance(&self, ctx: &Context<'_>) -> Result<Instance> {
        let found = ctx.data_unchecked::<Loaders>().load_one(InstanceById(self.0.instance)).await.map_err(error)?;
        found.map(Instance).ok_or_else(|| error(toygres_domain::Error::internal("an operation without its instance")))
    }
    /// Its steps, in order; those not begun yet are there from the start.
    async fn steps(&self) -> Vec<OperationStep> {
        self.0
            .steps
            .iter()
            .map(|step| OperationStep {
                name: step.name.into(),
                status: step.status.into(),
                attempt: step.attempt,
                started_at: step.started_at,
                finished_at: step.finished_at,
                error: step.error.as_ref().map(Reason::from),
            })
            .collect()
    }
    /// Why it failed or was cancelled.
    async fn error(&self) -> Option<Reason> {
        self.0.error.as_ref().map(Reason::from)
    }
    /// Whether somebody asked to cancel it.
    async fn cancel_requested(&self) -> bool {
        self.0.cancel_requested
    }
    /// When it ends at the latest.
    async fn deadline(&self) -> DateTime<Utc> {
        self.0.deadline
    }
    /// When it was accepted.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When a workflow took it up.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }
    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

/// Which operations are meant: every given condition must hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "OperationFilter")]
pub struct OperationFilterInput {
    /// Of this instance.
    instance_id: Option<ID>,
    /// Of one of these kinds.
    kind: Option<Vec<OperationKind>>,
    /// In one of these states.
    status: Option<Vec<OperationStatus>>,
}

impl TryFrom<OperationFilterInput> for OperationFilter {
    type Error = async_graphql::Error;
    fn try_from(input: OperationFilterInput) -> Result<Self> {
        Ok(Self {
            instance: input
                .instance_id
                .map(|id| id.parse().map_err(|_| coded("BAD_USER_INPUT", format!("filter.instanceId: '{}' is no instance id", *id))))
                .transpose()?,
            kinds: input.kind.map(|all| all.into_iter().map(Into::into).collect()),
            statuses: input.status.map(|all| all.into_iter().map(Into::into).collect()),
        })
    }
}

/// Operations of any instance.
pub(in crate::graphql) async fn list(ctx: &Context<'_>, filter: OperationFilter, arguments: Arguments) -> Result<Counted<Operation>> {
    let page = request(arguments)?;
    let store = &ctx.data_unchecked::<App>().store;
    let count = async { if wants_total(ctx) { store.count_operations(&filter).await } else { Ok(0) } };
    let (page, total) = futures::try_join!(store.operations(&filter, &page), count).map_err(error)?;
    Ok(counted(page, total, position, |operation| Operation(Arc::new(operation))))
}

/// Operations of one instance, which may stand in a list.
pub(super) async fn list_of(ctx: &Context<'_>, id: InstanceId, filter: OperationFilter, arguments: Arguments) -> Result<Counted<Operation>> {
    let page = request(arguments)?;
    let filter = OperationFilter { instance: None, ..filter };
    let loaders = ctx.data_unchecked::<Loaders>();
    let count =
        async { if wants_total(ctx) { loaders.load_one(OperationCountOf(id, filter.clone())).await.map(Option::unwrap_or_default) } else { Ok(0) } };
    let entries = loaders.load_one(OperationsOf(id, filter.clone(), page));
    let (page, total) = futures::try_join!(entries, count).map_err(error)?;
    Ok(counted(page.unwrap_or_default(), total, position, |operation| Operation(Arc::new(operation))))
}

fn request(arguments: Arguments) -> Result<PageRequest<(DateTime<Utc>, String)>> {
    arguments.request(|cursor| {
        let [micros, id] = parts::<2>(cursor)?;
        Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id))
    })
}

/// Where an operation stands in a list, as a cursor.
fn position(operation: &domain::Operation) -> String {
    opaque(&[&operation.created_at.timestamp_micros().to_string(), operation.id.as_str()])
}
