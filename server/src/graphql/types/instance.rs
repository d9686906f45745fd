//! `Instance`.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{
    InstanceId,
    event::Cursor,
    instance::{self as domain, InstanceState as DomainState},
    metric::MetricWindow,
    name::SqlName,
    notice::NoticeCode,
    operation::{OperationKind as DomainKind, OperationStatus as DomainStatus},
    server_log::{LogCursor, LogFilter},
    statement_statistics::TopQueryOrder as DomainOrder,
};
use toygres_postgres as postgres;
use toygres_store::{OperationFilter, PageRequest};

use super::{
    AvailableUpdate, Backup, BackupPolicy, BigInt, Certificate, Database, DatabaseUser, Exposure, HealthCheck, HealthCheckPolicy, HealthStatus,
    HealthSummary, InstanceActivity, InstanceEvent, InstanceParameter, InstanceState, Label, LogEntries, LogSeverity, MaintenanceWindow, MetricName,
    MetricSeries, Notice, Operation, OperationFilterInput, OperationKind, Reason, Recovery, StorageAutoGrow, StorageUsage, TopQueries, TopQueryOrder,
    UpgradeTarget, log_page, metric_names,
};
use crate::{
    app::{
        App, available_operations, excludes_now,
        limits::{ACTIVITY_SESSIONS, TOP_QUERIES},
    },
    graphql::{
        complexity::{INSPECTION, list_complexity, metrics_complexity, page_complexity},
        errors::{coded, error},
        guard::operator,
        loaders::{
            ArchiveOf, BackupsOf, CertificateOf, DatabaseUsersOf, DatabasesOf, EventsOf, HealthChecksOf, HealthSummaryOf, Loaders, MetricsOf,
            OperationsOf, PasswordOf, PlatformRolesOf, RetiredArchivesOf, StorageOf,
        },
        paging::{Arguments, Counted, Uncounted, opaque, parts, uncounted},
    },
};

/// The address that clients connect to.
#[derive(Clone, Debug, SimpleObject)]
pub struct Endpoint {
    /// The host name or IP address.
    host: String,
    /// The TCP port.
    port: i32,
}

/// See the GraphQL type below.
#[derive(Clone)]
pub struct Instance(pub Arc<domain::Instance>);

/// A hosted PostgreSQL server.
#[Object]
impl Instance {
    /// The ID of the instance: a UUID, the same in logs and on the objects of the runtime.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// The name of the instance, unique among instances that are not deleted.
    async fn name(&self) -> &str {
        self.0.name.as_str()
    }
    /// The stage of the instance's life.
    async fn state(&self) -> InstanceState {
        self.0.state.into()
    }
    /// What health checks found.
    async fn health(&self) -> HealthStatus {
        self.0.health.into()
    }
    /// Why the instance is not as it should be, or what it waits for.
    async fn reason(&self) -> Option<Reason> {
        self.0.reason.as_ref().map(Reason::from)
    }
    /// What else there is to know about the instance, oldest first. A notice is no outage: state and health stay. Each change is an
    /// event.
    async fn notices(&self) -> Vec<Notice> {
        self.0.notices.iter().map(Notice::from).collect()
    }
    /// The major version of PostgreSQL.
    async fn postgres_version(&self) -> String {
        self.0.spec.postgres_version.to_string()
    }
    /// The newer major versions of PostgreSQL that are offered here, newest first. `upgradeInstance` upgrades the instance to one. Empty while it is
    /// created or deleted.
    #[graphql(complexity = "5 * child_complexity + 1")]
    async fn upgrade_targets(&self, ctx: &Context<'_>) -> Vec<UpgradeTarget> {
        ctx.data_unchecked::<App>().upgrade_targets(&self.0).into_iter().map(UpgradeTarget::from).collect()
    }
    /// The update that the server does not run yet: a newer minor version that is installed, or another image that is configured. `upgradeInstance` with
    /// the version that the instance has applies it. Null if there is none, or none is known yet.
    async fn update_available(&self) -> Option<AvailableUpdate> {
        self.0.update_available.as_ref().map(AvailableUpdate::from)
    }
    /// The size of the volume in GiB.
    async fn storage_gb(&self) -> i32 {
        self.0.spec.storage_gb
    }
    /// The CPU in millicores.
    async fn cpu_millis(&self) -> i32 {
        self.0.spec.cpu_millis
    }
    /// The memory in MiB.
    async fn memory_mb(&self) -> i32 {
        self.0.spec.memory_mb
    }
    /// The role that clients log in as.
    async fn username(&self) -> &str {
        self.0.spec.username.as_str()
    }
    /// The database of that role.
    async fn database(&self) -> &str {
        self.0.spec.database.as_str()
    }
    /// The network access of the instance.
    async fn exposure(&self) -> Exposure {
        Exposure::from(&self.0.spec.exposure)
    }
    /// Whether clients without TLS are refused.
    async fn require_tls(&self) -> bool {
        self.0.spec.require_tls
    }
    /// The parameters of the server that its owner has set, by name. `setParameters` changes them.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn parameters(&self) -> Vec<InstanceParameter> {
        InstanceParameter::of(&self.0.spec)
    }
    /// The certificate that the server presents to clients that use TLS, as far as it was seen. Null before, and if the server has no TLS.
    #[graphql(complexity = "child_complexity + 30")]
    async fn certificate(&self, ctx: &Context<'_>) -> Result<Option<Certificate>> {
        let known = ctx.data_unchecked::<Loaders>().load_one(CertificateOf(self.0.id)).await.map_err(error)?;
        Ok(known.and_then(|known| Certificate::presented(&known, self.0.spec.require_tls)))
    }
    /// The address that clients connect to. Null until the instance is running.
    async fn endpoint(&self) -> Option<Endpoint> {
        self.0.endpoint.as_ref().map(|endpoint| Endpoint { host: endpoint.host.clone(), port: endpoint.port.into() })
    }
    /// The URL for clients, including the password. Null until the instance is running. It stays the same while the instance is suspended,
    /// when nobody can connect. While there is a notice `PASSWORD_CHANGED`, it is
    /// without the password, because the one that is stored does not log in. Requires the role `OPERATOR`.
    #[graphql(guard = "operator()")]
    async fn connection_string(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let Some(url) = &self.0.connection_string else { return Ok(None) };
        if self.0.has_notice(NoticeCode::PasswordChanged) {
            return Ok(Some(url.clone()));
        }
        let password = ctx.data_unchecked::<Loaders>().load_one(PasswordOf(self.0.id)).await.map_err(error)?;
        Ok(password.and_then(|password| postgres::connection_string_with_password(url, &password)))
    }
    /// The ID of the workflow that checks the health of the instance.
    async fn health_check_orchestration_id(&self) -> Option<&str> {
        self.0.health_check_orchestration_id.as_deref()
    }
    /// The latest health check.
    #[graphql(complexity = "child_complexity + 5")]
    async fn latest_health_check(&self, ctx: &Context<'_>) -> Result<Option<HealthCheck>> {
        let page = ctx.data_unchecked::<Loaders>().load_one(HealthChecksOf(self.0.id, PageRequest::first(1))).await.map_err(error)?;
        Ok(page.and_then(|page| page.items.into_iter().next()).map(HealthCheck))
    }
    /// A summary of the health checks of the last 24 hours.
    #[graphql(complexity = "child_complexity + 10")]
    async fn health_summary(&self, ctx: &Context<'_>) -> Result<HealthSummary> {
        let summary = ctx.data_unchecked::<Loaders>().load_one(HealthSummaryOf(self.0.id)).await.map_err(error)?;
        Ok(summary.unwrap_or_default().into())
    }
    /// The health checks of the instance, newest first.
    #[graphql(complexity = "page_complexity(first, last, child_complexity)")]
    async fn health_checks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<HealthCheck>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse().ok())?;
        let page = ctx.data_unchecked::<Loaders>().load_one(HealthChecksOf(self.0.id, page)).await.map_err(error)?;
        Ok(uncounted(page.unwrap_or_default(), |check| check.id.to_string(), HealthCheck))
    }
    /// The users of the instance by name: the one that it was created with, and those that `createDatabaseUser` has made. Roles that were made
    /// by SQL are not among them.
    #[graphql(complexity = "page_complexity(first, last, child_complexity)")]
    async fn database_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<DatabaseUser>> {
        let page = Arguments { first, after, last, before }.request(|cursor| SqlName::try_from(cursor.to_owned()).ok().map(String::from))?;
        let page = ctx.data_unchecked::<Loaders>().load_one(DatabaseUsersOf(self.0.id, page)).await.map_err(error)?;
        Ok(uncounted(page.unwrap_or_default(), |user| user.name.to_string(), DatabaseUser))
    }
    /// The databases of the instance by name: the one that it was created with, and those that `createDatabase` has made. Databases that were
    /// made by SQL are not among them.
    #[graphql(complexity = "page_complexity(first, last, child_complexity)")]
    async fn databases(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<Database>> {
        let page = Arguments { first, after, last, before }.request(|cursor| SqlName::try_from(cursor.to_owned()).ok().map(String::from))?;
        let page = ctx.data_unchecked::<Loaders>().load_one(DatabasesOf(self.0.id, page)).await.map_err(error)?;
        Ok(uncounted(page.unwrap_or_default(), |database| database.name.to_string(), Database))
    }
    /// How the instance is backed up, and whether that protects it.
    #[graphql(complexity = "child_complexity + 10")]
    async fn backup_policy(&self, ctx: &Context<'_>) -> Result<BackupPolicy> {
        let loaders = ctx.data_unchecked::<Loaders>();
        let archive = loaders.load_one(ArchiveOf(self.0.id)).await.map_err(error)?;
        let has_roles = loaders.load_one(PlatformRolesOf(self.0.id)).await.map_err(error)?.unwrap_or(false);
        Ok(BackupPolicy::new(&self.0, &ctx.data_unchecked::<App>().backups, has_roles, archive.as_deref()))
    }
    /// What can be restored of the instance. Null if nothing was ever archived. `instanceBackups` follows it.
    #[graphql(complexity = "child_complexity + 10")]
    async fn recovery(&self, ctx: &Context<'_>) -> Result<Option<Recovery>> {
        let loaders = ctx.data_unchecked::<Loaders>();
        let present = loaders.load_one(ArchiveOf(self.0.id)).await.map_err(error)?;
        let retired = loaders.load_one(RetiredArchivesOf(self.0.id)).await.map_err(error)?.unwrap_or_default();
        Ok(Recovery::of(present.as_deref(), &retired))
    }
    /// The base backups of the instance, newest first. Those of a deleted instance are kept for the days of its policy.
    #[graphql(complexity = "page_complexity(first, last, child_complexity)")]
    async fn backups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<Backup>> {
        let page = Arguments { first, after, last, before }.request(|cursor| {
            let [micros, id] = parts::<2>(cursor)?;
            Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?))
        })?;
        let page = ctx.data_unchecked::<Loaders>().load_one(BackupsOf(self.0.id, page)).await.map_err(error)?;
        let cursor = |backup: &toygres_domain::backup::Backup| opaque(&[&backup.created_at.timestamp_micros().to_string(), &backup.id.to_string()]);
        Ok(uncounted(page.unwrap_or_default(), cursor, Backup))
    }
    /// The labels of the instance.
    async fn labels(&self) -> Vec<Label> {
        self.0.labels.iter().map(|(key, value)| Label { key: key.clone(), value: value.clone() }).collect()
    }
    /// Whether deletion is refused.
    async fn deletion_protected(&self) -> bool {
        self.0.deletion_protected
    }
    /// The minutes without a session of a client after which the instance is suspended. Null if it never is.
    async fn idle_suspend_minutes(&self) -> Option<i32> {
        self.0.idle_suspend_minutes
    }
    /// When updates (`updateAvailable`) are applied by themselves. Null if they never are.
    async fn maintenance_window(&self) -> Option<MaintenanceWindow> {
        self.0.maintenance_window.map(MaintenanceWindow::from)
    }
    /// When the volume grows by itself. Null if it never does.
    async fn storage_auto_grow(&self) -> Option<StorageAutoGrow> {
        self.0.storage_auto_grow.map(Into::into)
    }
    /// What the instance uses of its volume, measured once a minute, and more often when that may soon be full. Null before the first
    /// measurement, and of an instance of an earlier release without roles of the platform. It is an event when it has moved by a hundredth of
    /// the capacity.
    #[graphql(complexity = "child_complexity + 2")]
    async fn storage_usage(&self, ctx: &Context<'_>) -> Result<Option<StorageUsage>> {
        let usage = ctx.data_unchecked::<Loaders>().load_one(StorageOf(self.0.id)).await.map_err(error)?;
        Ok(usage.map(Into::into))
    }
    /// Metrics of the instance over time, read every 30 seconds with its health checks. They are kept for as long as the health checks; hours are
    /// kept for longer, and are what steps of an hour and more are made of. All series together have at most 10,000 points. `instanceMetrics`
    /// follows the latest values.
    #[graphql(complexity = "metrics_complexity(names.as_ref().map(Vec::len), from, to, step_seconds, child_complexity)")]
    async fn metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The metrics (default: all).")] names: Option<Vec<MetricName>>,
        #[graphql(desc = "The beginning of the time (default: an hour before `to`).")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "The end of the time (default: now).")] to: Option<DateTime<Utc>>,
        #[graphql(
            desc = "The seconds of one point: 30 to 604800, and whole hours if it is more than an hour (default: what makes at most about 300 points)."
        )]
        step_seconds: Option<i32>,
    ) -> Result<Vec<MetricSeries>> {
        let names = metric_names(names);
        let window = MetricWindow::new(from, to, step_seconds, ctx.data_unchecked::<App>().store.now()).map_err(error)?;
        window.check(names.len()).map_err(error)?;
        let interval = self.0.spec.health_check.interval_seconds;
        let points = ctx.data_unchecked::<Loaders>().load_one(MetricsOf(self.0.id, window, interval)).await.map_err(error)?;
        Ok(MetricSeries::of(&names, &window, &points.unwrap_or_default()))
    }
    /// What the sessions of clients do now, asked of the server of the instance, which takes a few seconds at the most. Sessions of the platform
    /// (health checks, operations, backups) are left out. Requires the role `OPERATOR`, because statements can contain secrets; those that are
    /// known by their form are masked.
    #[graphql(guard = "operator()", complexity = "INSPECTION + list_complexity(first, ACTIVITY_SESSIONS, child_complexity)")]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ sessions (default 100, maximum 200), those that do something first.")] first: Option<i32>,
    ) -> Result<InstanceActivity> {
        Ok(InstanceActivity::new(ctx.data_unchecked::<App>().activity(&self.0, first).await.map_err(error)?))
    }
    /// The statements that have cost the instance most since its statistics were reset, asked of its server, which takes a few seconds at the
    /// most. Those of the platform are left out. Requires the role `OPERATOR`, because statements can contain secrets; those that are known by
    /// their form are masked.
    #[graphql(guard = "operator()", complexity = "INSPECTION + list_complexity(first, TOP_QUERIES, child_complexity)")]
    async fn top_queries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order (default: `TOTAL_TIME`).")] order_by: Option<TopQueryOrder>,
        #[graphql(desc = "Returns the first _n_ statements (default 20, maximum 100).")] first: Option<i32>,
    ) -> Result<TopQueries> {
        let order = order_by.map_or(DomainOrder::TotalTime, |order| order.0);
        Ok(TopQueries::new(ctx.data_unchecked::<App>().top_queries(&self.0, order, first).await.map_err(error)?))
    }
    /// The log of the server, read from its host, oldest entry first: without `after` the newest entries, with `after` those that follow the
    /// cursor. The host keeps a limited amount. `instanceLogs` follows it. Requires the role `OPERATOR`, because messages can contain secrets;
    /// those that are known by their form are masked.
    #[graphql(guard = "operator()", complexity = "INSPECTION + page_complexity(first, None, child_complexity)")]
    async fn logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns at most _n_ entries (default 50, maximum 500): the newest, or those that follow `after`.")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor, of this field or of `instanceLogs`.")] after: Option<String>,
        #[graphql(desc = "Returns the entries of this severity and above.")] severity: Option<LogSeverity>,
        #[graphql(desc = "Returns the entries from this time on.")] since: Option<DateTime<Utc>>,
        #[graphql(desc = "Returns the entries with this text in their message, another text or a name. Upper and lower case are the same.")]
        contains: Option<String>,
    ) -> Result<LogEntries> {
        let cursor = |text: String| {
            text.parse::<LogCursor>().map_err(|_| coded("BAD_USER_INPUT", format!("after: '{text}' is not a cursor of this connection")))
        };
        let after = after.map(cursor).transpose()?;
        let filter = LogFilter::new(severity.map(|severity| severity.0), since, contains.as_deref());
        Ok(log_page(ctx.data_unchecked::<App>().logs(&self.0, first, after, &filter).await.map_err(error)?))
    }
    /// How the health of the instance is checked.
    async fn health_check_policy(&self) -> HealthCheckPolicy {
        (&self.0.spec.health_check).into()
    }
    /// A number that grows with every change. A mutation with this revision is refused if the instance has changed since.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }
    /// When the instance was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When the instance last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
    /// When the instance was deleted.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.0.deleted_at
    }
    /// The operations of the instance, newest first.
    #[graphql(complexity = "page_complexity(first, last, child_complexity)")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
        #[graphql(desc = "Selects operations. `instanceId` has no effect here.")] filter: Option<OperationFilterInput>,
    ) -> Result<Counted<Operation>> {
        let filter = filter.map(OperationFilter::try_from).transpose()?.unwrap_or_default();
        super::operation::list_of(ctx, self.0.id, filter, Arguments { first, after, last, before }).await
    }
    /// The events of the instance, oldest first.
    #[graphql(complexity = "page_complexity(first, last, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<InstanceEvent>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse::<Cursor>().ok())?;
        let page = ctx.data_unchecked::<Loaders>().load_one(EventsOf(self.0.id, page)).await.map_err(error)?;
        let instance = self.0.clone();
        Ok(uncounted(page.unwrap_or_default(), |event| event.cursor.to_string(), |event| InstanceEvent::new(event, Some(instance.clone()), None)))
    }
    /// The kinds of operations that would be accepted now.
    #[graphql(complexity = 5)]
    async fn available_operations(&self, ctx: &Context<'_>) -> Result<Vec<OperationKind>> {
        let available = available_operations(&self.0, false);
        // The operations in progress are only read if the answer depends on them.
        if !available.iter().any(|kind| excludes_now(*kind)) {
            return Ok(available.into_iter().map(OperationKind::from).collect());
        }
        let in_progress = excluding_operation(ctx, self.0.id).await?.is_some();
        Ok(available_operations(&self.0, in_progress).into_iter().map(OperationKind::from).collect())
    }
    /// The operation that the instance is `CREATING`, `UPDATING` or `DELETING` for. Null in any other state: `operations` has those that leave the
    /// state as it is.
    #[graphql(complexity = "child_complexity + 5")]
    async fn current_operation(&self, ctx: &Context<'_>) -> Result<Option<Operation>> {
        // Most instances of a list are in no such state, and cost nothing.
        if !matches!(self.0.state, DomainState::Creating | DomainState::Updating | DomainState::Deleting) {
            return Ok(None);
        }
        excluding_operation(ctx, self.0.id).await
    }
}

/// The operation in progress that excludes others.
async fn excluding_operation(ctx: &Context<'_>, id: InstanceId) -> Result<Option<Operation>> {
    let unfinished = DomainStatus::ALL.iter().copied().filter(|status| !status.is_terminal()).collect();
    let excluding = DomainKind::ALL.iter().copied().filter(|kind| kind.policy().excludes).collect();
    let filter = OperationFilter { instance: None, kinds: Some(excluding), statuses: Some(unfinished) };
    let page = ctx.data_unchecked::<Loaders>().load_one(OperationsOf(id, filter, PageRequest::first(1))).await.map_err(error)?;
    Ok(page.and_then(|page| page.items.into_iter().next()).map(|operation| Operation(Arc::new(operation))))
}
