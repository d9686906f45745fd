//! `Instance` and what belongs to it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{
    event::Cursor,
    instance::{self as domain, Exposure as DomainExposure},
};
use toygres_postgres as probe;
use toygres_store::{InstanceOrder, InstanceOrderField, OperationFilter, PageRequest};

use super::{BigInt, HealthCheck, InstanceEvent, Operation, OperationFilterInput, health::HealthSummary};
use crate::graphql::{
    errors::error,
    guard::operator,
    loaders::{EventsOf, HealthChecksOf, HealthSummaryOf, Loaders, PasswordOf},
    paging::{Arguments, Counted, Uncounted, uncounted},
};

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::InstanceState")]
pub enum InstanceState {
    /// Being made; nothing to connect to yet.
    Creating,
    /// Made. Whether it answers is its health.
    Running,
    /// Being removed.
    Deleting,
    /// Gone; the record is kept as history.
    Deleted,
    /// Making or removing it did not work out; the reason says why. Retry the operation, or delete the instance.
    Failed,
}

/// What health checks found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::HealthStatus")]
pub enum HealthStatus {
    /// The last check logged in and got its answer.
    Healthy,
    /// It does not answer, and that is confirmed.
    Unhealthy,
    /// Not checked yet, or nothing to check.
    Unknown,
}

/// Why something is not what it should be, or what it waits for.
#[derive(Clone, Debug, SimpleObject)]
pub struct Reason {
    /// What kind of reason; stable, for programs.
    pub code: ReasonCode,
    /// One sentence for people.
    pub message: String,
}

impl From<&domain::Reason> for Reason {
    fn from(reason: &domain::Reason) -> Self {
        Self { code: reason.code.into(), message: reason.message.clone() }
    }
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::ReasonCode")]
pub enum ReasonCode {
    /// The database is starting, or recovering after a crash.
    StartingUp,
    /// The server's process ended.
    ProcessExited,
    /// It keeps ending soon after its start.
    CrashLoop,
    /// It was killed because it needed more memory than it was given.
    OutOfMemory,
    /// The image cannot be pulled.
    ImagePullFailed,
    /// No node has room for it.
    Unschedulable,
    /// Its volume cannot be provided.
    VolumeNotBound,
    /// A quota is in the way.
    QuotaExceeded,
    /// The cluster refused the objects.
    AdmissionRefused,
    /// The control plane lacks a permission.
    Forbidden,
    /// The host of instances cannot be reached.
    RuntimeUnavailable,
    /// The PostgreSQL binaries for it are not installed.
    PostgresMissing,
    /// Nobody listens at the endpoint.
    ConnectionRefused,
    /// The endpoint did not answer in time.
    ConnectionTimeout,
    /// The endpoint's name does not resolve.
    DnsFailed,
    /// The TLS handshake failed.
    TlsFailed,
    /// The instance's own credentials were refused.
    AuthenticationFailed,
    /// All its connections are taken.
    TooManyConnections,
    /// It answers but takes no writes.
    ReadOnly,
    /// Its disk is full.
    DiskFull,
    /// The connection broke.
    ConnectionLost,
    /// It answered with an error.
    QueryFailed,
    /// The operation's deadline passed.
    DeadlineExceeded,
    /// Somebody cancelled the operation.
    Cancelled,
    /// Another operation took over.
    Superseded,
    /// Something remains that could not be removed.
    RemovalIncomplete,
    /// A fault of the control plane; its log says more.
    Internal,
}

/// Where clients connect.
#[derive(Clone, Debug, SimpleObject)]
pub struct Endpoint {
    /// Host name or address.
    host: String,
    /// TCP port.
    port: i32,
}

/// A label that a caller put on an instance.
#[derive(Clone, Debug, SimpleObject)]
pub struct Label {
    /// Its key, unique on the instance.
    key: String,
    /// Its value.
    value: String,
}

/// A label.
#[derive(Clone, Debug, InputObject)]
pub struct LabelInput {
    /// 1 to 63 letters, digits or any of `- _ . /`; unique on the instance.
    pub key: String,
    /// Up to 63 of the same characters.
    pub value: String,
}

/// Who can reach an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::app::ExposureKind")]
pub enum ExposureType {
    /// Clients beside it: in the cluster, or on this machine.
    Cluster,
    /// Clients outside, through a load balancer.
    LoadBalancer,
}

/// Who can reach an instance, and how.
#[derive(Clone, Debug, SimpleObject)]
pub struct Exposure {
    /// Who.
    r#type: ExposureType,
    /// The address ranges (CIDR) that the load balancer lets in; empty lets in everyone.
    source_ranges: Vec<String>,
    /// The DNS label that the cloud gives the address.
    dns_label: Option<String>,
}

/// A hosted PostgreSQL.
#[derive(Clone)]
pub struct Instance(pub Arc<domain::Instance>);

/// A hosted PostgreSQL.
#[Object]
impl Instance {
    /// Its identity: a UUID, the same in logs and on the runtime's objects.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// Its name, unique among instances that are not deleted.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }
    /// Where it is in its life.
    async fn state(&self) -> InstanceState {
        self.0.state.into()
    }
    /// What health checks found.
    async fn health(&self) -> HealthStatus {
        self.0.health.into()
    }
    /// Why it is not what it should be, or what it waits for.
    async fn reason(&self) -> Option<Reason> {
        self.0.reason.as_ref().map(Reason::from)
    }
    /// The major version of PostgreSQL.
    async fn postgres_version(&self) -> String {
        self.0.spec.postgres_version.to_string()
    }
    /// Size of its volume in GiB.
    async fn storage_gb(&self) -> i32 {
        self.0.spec.storage_gb
    }
    /// Processor share in thousandths of a core.
    async fn cpu_millis(&self) -> i32 {
        self.0.spec.cpu_millis
    }
    /// Memory in MiB.
    async fn memory_mb(&self) -> i32 {
        self.0.spec.memory_mb
    }
    /// The role that clients log in as.
    async fn username(&self) -> &str {
        self.0.spec.username.as_str()
    }
    /// The database made for the caller.
    async fn database(&self) -> &str {
        self.0.spec.database.as_str()
    }
    /// Who can reach it.
    async fn exposure(&self) -> Exposure {
        match &self.0.spec.exposure {
            DomainExposure::Cluster => Exposure { r#type: ExposureType::Cluster, source_ranges: Vec::new(), dns_label: None },
            DomainExposure::LoadBalancer { source_ranges, dns_label } => {
                Exposure { r#type: ExposureType::LoadBalancer, source_ranges: source_ranges.clone(), dns_label: dns_label.clone() }
            }
        }
    }
    /// Where clients connect, once it runs.
    async fn endpoint(&self) -> Option<Endpoint> {
        self.0.endpoint.as_ref().map(|endpoint| Endpoint { host: endpoint.host.clone(), port: endpoint.port.into() })
    }
    /// The URL for clients, with the password in it; null until it runs. Needs the role OPERATOR.
    #[graphql(guard = "operator()")]
    async fn connection_string(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(url) = &self.0.connection_string else { return Ok(None) };
        let password = ctx.data_unchecked::<Loaders>().load_one(PasswordOf(self.0.id)).await.map_err(error)?;
        Ok(password.and_then(|password| probe::connection_string_with_password(url, &password)))
    }
    /// The workflow that checks its health.
    async fn health_check_orchestration_id(&self) -> Option<&str> {
        self.0.health_check_orchestration_id.as_deref()
    }
    /// The latest sample of its health.
    #[graphql(complexity = 5)]
    async fn latest_health_check(&self, ctx: &Context<'_>) -> Result<Option<HealthCheck>> {
        let page = ctx.data_unchecked::<Loaders>().load_one(HealthChecksOf(self.0.id, PageRequest::first(1))).await.map_err(error)?;
        Ok(page.and_then(|page| page.items.into_iter().next()).map(HealthCheck))
    }
    /// What the samples of the last 24 hours add up to.
    #[graphql(complexity = 10)]
    async fn health_summary(&self, ctx: &Context<'_>) -> Result<HealthSummary> {
        let summary = ctx.data_unchecked::<Loaders>().load_one(HealthSummaryOf(self.0.id)).await.map_err(error)?;
        Ok(summary.unwrap_or_default().into())
    }
    /// Its samples, the newest first.
    #[graphql(complexity = "first.or(last).unwrap_or(50).max(0) as usize * child_complexity + 5")]
    async fn health_checks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many (50; 500 at the most).")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<HealthCheck>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse().ok())?;
        let page = ctx.data_unchecked::<Loaders>().load_one(HealthChecksOf(self.0.id, page)).await.map_err(error)?;
        Ok(uncounted(page.unwrap_or_default(), |check| check.id.to_string(), HealthCheck))
    }
    /// Free labels of the caller.
    async fn labels(&self) -> Vec<Label> {
        self.0.labels.iter().map(|(key, value)| Label { key: key.clone(), value: value.clone() }).collect()
    }
    /// Whether deletion is refused.
    async fn deletion_protected(&self) -> bool {
        self.0.deletion_protected
    }
    /// Counts every change; send it along with a deletion or update to be sure that nothing changed in between.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }
    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
    /// When it was gone.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.0.deleted_at
    }
    /// Its operations, the newest first.
    #[graphql(complexity = "first.or(last).unwrap_or(50).max(0) as usize * child_complexity + 5")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many (50; 500 at the most).")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; an instanceId in it has no effect here.")] filter: Option<OperationFilterInput>,
    ) -> Result<Counted<Operation>> {
        let filter = filter.map(OperationFilter::try_from).transpose()?.unwrap_or_default();
        super::operation::list_of(ctx, self.0.id, filter, Arguments { first, after, last, before }).await
    }
    /// Its events, the oldest first.
    #[graphql(complexity = "first.or(last).unwrap_or(50).max(0) as usize * child_complexity + 5")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many (50; 500 at the most).")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<InstanceEvent>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse::<Cursor>().ok())?;
        let page = ctx.data_unchecked::<Loaders>().load_one(EventsOf(self.0.id, page)).await.map_err(error)?;
        let instance = self.0.clone();
        Ok(uncounted(page.unwrap_or_default(), |event| event.cursor.to_string(), |event| InstanceEvent::new(event, Some(instance.clone()), None)))
    }
}

/// Which instances are meant: every given condition must hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "InstanceFilter")]
pub struct InstanceFilterInput {
    /// One of these states; when left out, every state but `DELETED`.
    state: Option<Vec<InstanceState>>,
    /// One of these health statuses.
    health: Option<Vec<HealthStatus>>,
    /// The name contains this text.
    name_contains: Option<String>,
    /// It carries all these labels.
    labels: Option<Vec<LabelInput>>,
}

impl From<InstanceFilterInput> for domain::InstanceFilter {
    fn from(input: InstanceFilterInput) -> Self {
        Self {
            states: input.state.map(|all| all.into_iter().map(Into::into).collect()),
            health: input.health.map(|all| all.into_iter().map(Into::into).collect()),
            name_contains: input.name_contains,
            labels: input.labels.into_iter().flatten().map(|label| (label.key, label.value)).collect(),
        }
    }
}

/// By what instances are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum InstanceOrderByField {
    /// When they were asked for.
    CreatedAt,
    /// Their name.
    Name,
}

/// Which way a list goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// The smallest or oldest first.
    Asc,
    /// The greatest or newest first.
    Desc,
}

/// The order of instances.
#[derive(Clone, Copy, Debug, InputObject)]
#[graphql(name = "InstanceOrder")]
pub struct InstanceOrderInput {
    /// By what.
    field: InstanceOrderByField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<InstanceOrderInput> for InstanceOrder {
    fn from(input: InstanceOrderInput) -> Self {
        let field = match input.field {
            InstanceOrderByField::CreatedAt => InstanceOrderField::CreatedAt,
            InstanceOrderByField::Name => InstanceOrderField::Name,
        };
        Self { field, descending: input.direction == OrderDirection::Desc }
    }
}
