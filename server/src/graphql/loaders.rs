//! Loaders: values that many fields of one request need are read with one statement, however long the list is.
//!
//! async-graphql collects keys and passes them to `load` together. A key may also be a page of a nested list: entries that request
//! the same page, as those of one list do, share a statement.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::{
    SchemaBuilder,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use toygres_domain::{
    Error, InstanceId, OperationId,
    backup::{Archive, Backup, BackupId},
    database::Database,
    database_user::DatabaseUser,
    event::{Cursor, Event},
    health::{HealthCheck, HealthSummary},
    instance::{HealthCheckPolicy, Instance},
    metric::{MetricWindow, SummaryPoint},
    operation::Operation,
    secret::Secret,
    storage::StorageUsage,
};
use toygres_store::{BackupPosition, InstanceCertificate, OperationFilter, Page, PageRequest, Store};

use super::batching;

/// Reads values by key.
pub(super) struct Reader(Store);

/// The loader for all keys, which resolvers get from their context.
pub(super) type Loaders = DataLoader<Reader>;

/// Adds the loaders to a schema.
pub(super) fn install<Q, M, S>(builder: SchemaBuilder<Q, M, S>, store: Store) -> SchemaBuilder<Q, M, S> {
    builder.data(DataLoader::new(Reader(store), batching::spawn))
}

/// An instance by its id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct InstanceById(pub(super) InstanceId);

/// The password of an instance, unsealed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PasswordOf(pub(super) InstanceId);

/// What is known of the certificate of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CertificateOf(pub(super) InstanceId);

/// A summary of an instance's health checks of the last 24 hours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct HealthSummaryOf(pub(super) InstanceId);

/// What an instance uses of its volume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct StorageOf(pub(super) InstanceId);

/// A page of an instance's operations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OperationsOf(pub(super) InstanceId, pub(super) OperationFilter, pub(super) PageRequest<(DateTime<Utc>, String)>);

/// The number of operations of an instance that match the filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct OperationCountOf(pub(super) InstanceId, pub(super) OperationFilter);

/// A page of an instance's events.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct EventsOf(pub(super) InstanceId, pub(super) PageRequest<Cursor>);

/// A page of an instance's health checks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct HealthChecksOf(pub(super) InstanceId, pub(super) PageRequest<i64>);

/// An instance's metrics over time. Instances that are checked equally often are read together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MetricsOf(pub(super) InstanceId, pub(super) MetricWindow, pub(super) i32);

/// A page of an instance's users.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DatabaseUsersOf(pub(super) InstanceId, pub(super) PageRequest<String>);

/// A page of an instance's base backups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BackupsOf(pub(super) InstanceId, pub(super) PageRequest<BackupPosition>);

/// When the next base backup of the same archive was finished that is complete and can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct NextBackup(pub(super) BackupId);

/// The archives of an instance from before its upgrades, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RetiredArchivesOf(pub(super) InstanceId);

/// The archive of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ArchiveOf(pub(super) InstanceId);

/// Whether an instance has roles of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PlatformRolesOf(pub(super) InstanceId);

/// A page of an instance's databases.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DatabasesOf(pub(super) InstanceId, pub(super) PageRequest<String>);

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

impl Loader<InstanceById> for Reader {
    type Value = Arc<Instance>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[InstanceById]) -> Loaded<InstanceById, Arc<Instance>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.instances_by_id(&ids).await?.into_iter().map(|instance| (InstanceById(instance.id), Arc::new(instance))).collect())
    }
}

impl Loader<OperationId> for Reader {
    type Value = Arc<Operation>;
    type Error = Arc<Error>;
    async fn load(&self, ids: &[OperationId]) -> Loaded<OperationId, Arc<Operation>> {
        Ok(self.0.operations_by_id(ids).await?.into_iter().map(|operation| (operation.id.clone(), Arc::new(operation))).collect())
    }
}

impl Loader<PasswordOf> for Reader {
    type Value = Secret;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[PasswordOf]) -> Loaded<PasswordOf, Secret> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.passwords(&ids).await?.into_iter().map(|(id, password)| (PasswordOf(id), password)).collect())
    }
}

impl Loader<CertificateOf> for Reader {
    type Value = InstanceCertificate;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[CertificateOf]) -> Loaded<CertificateOf, InstanceCertificate> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.instance_certificates(&ids).await?.into_iter().map(|(id, certificate)| (CertificateOf(id), certificate)).collect())
    }
}

impl Loader<HealthSummaryOf> for Reader {
    type Value = HealthSummary;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[HealthSummaryOf]) -> Loaded<HealthSummaryOf, HealthSummary> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.health_summaries(&ids).await?.into_iter().map(|(id, summary)| (HealthSummaryOf(id), summary)).collect())
    }
}

impl Loader<StorageOf> for Reader {
    type Value = StorageUsage;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[StorageOf]) -> Loaded<StorageOf, StorageUsage> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.storage_usages(&ids).await?.into_iter().map(|(id, usage)| (StorageOf(id), usage)).collect())
    }
}

impl Loader<OperationsOf> for Reader {
    type Value = Page<Operation>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[OperationsOf]) -> Loaded<OperationsOf, Page<Operation>> {
        let mut all = HashMap::new();
        for ((filter, page), ids) in alike(keys, |OperationsOf(id, filter, page)| (*id, (filter, page))) {
            let pages = self.0.operations_of(&ids, filter, page).await?;
            all.extend(pages.into_iter().map(|(id, entries)| (OperationsOf(id, filter.clone(), page.clone()), entries)));
        }
        Ok(all)
    }
}

impl Loader<OperationCountOf> for Reader {
    type Value = i64;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[OperationCountOf]) -> Loaded<OperationCountOf, i64> {
        let mut all = HashMap::new();
        for (filter, ids) in alike(keys, |OperationCountOf(id, filter)| (*id, filter)) {
            let counts = self.0.count_operations_of(&ids, filter).await?;
            all.extend(counts.into_iter().map(|(id, count)| (OperationCountOf(id, filter.clone()), count)));
        }
        Ok(all)
    }
}

impl Loader<NextBackup> for Reader {
    type Value = DateTime<Utc>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[NextBackup]) -> Loaded<NextBackup, DateTime<Utc>> {
        let ids: Vec<_> = keys.iter().map(|NextBackup(id)| *id).collect();
        Ok(self.0.next_backups(&ids).await?.into_iter().map(|(id, next)| (NextBackup(id), next)).collect())
    }
}

impl Loader<EventsOf> for Reader {
    type Value = Page<Event>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[EventsOf]) -> Loaded<EventsOf, Page<Event>> {
        let mut all = HashMap::new();
        for (page, ids) in alike(keys, |EventsOf(id, page)| (*id, page)) {
            let pages = self.0.events_of(&ids, page).await?;
            all.extend(pages.into_iter().map(|(id, entries)| (EventsOf(id, page.clone()), entries)));
        }
        Ok(all)
    }
}

impl Loader<HealthChecksOf> for Reader {
    type Value = Page<HealthCheck>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[HealthChecksOf]) -> Loaded<HealthChecksOf, Page<HealthCheck>> {
        let mut all = HashMap::new();
        for (page, ids) in alike(keys, |HealthChecksOf(id, page)| (*id, page)) {
            let pages = self.0.health_checks_of(&ids, page).await?;
            all.extend(pages.into_iter().map(|(id, entries)| (HealthChecksOf(id, page.clone()), entries)));
        }
        Ok(all)
    }
}

impl Loader<MetricsOf> for Reader {
    type Value = Arc<Vec<SummaryPoint>>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[MetricsOf]) -> Loaded<MetricsOf, Arc<Vec<SummaryPoint>>> {
        let mut all = HashMap::new();
        for ((window, interval_seconds), ids) in alike(keys, |MetricsOf(id, window, interval_seconds)| (*id, (*window, *interval_seconds))) {
            let policy = HealthCheckPolicy { interval_seconds, timeout_seconds: 0 };
            let points = self.0.metric_points(&ids, &window, &policy).await?;
            all.extend(points.into_iter().map(|(id, points)| (MetricsOf(id, window, interval_seconds), Arc::new(points))));
        }
        Ok(all)
    }
}

impl Loader<DatabaseUsersOf> for Reader {
    type Value = Page<DatabaseUser>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[DatabaseUsersOf]) -> Loaded<DatabaseUsersOf, Page<DatabaseUser>> {
        let mut all = HashMap::new();
        for (page, ids) in alike(keys, |DatabaseUsersOf(id, page)| (*id, page)) {
            let pages = self.0.database_users_of(&ids, page).await?;
            all.extend(pages.into_iter().map(|(id, entries)| (DatabaseUsersOf(id, page.clone()), entries)));
        }
        Ok(all)
    }
}

impl Loader<DatabasesOf> for Reader {
    type Value = Page<Database>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[DatabasesOf]) -> Loaded<DatabasesOf, Page<Database>> {
        let mut all = HashMap::new();
        for (page, ids) in alike(keys, |DatabasesOf(id, page)| (*id, page)) {
            let pages = self.0.databases_of(&ids, page).await?;
            all.extend(pages.into_iter().map(|(id, entries)| (DatabasesOf(id, page.clone()), entries)));
        }
        Ok(all)
    }
}

impl Loader<BackupsOf> for Reader {
    type Value = Page<Backup>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[BackupsOf]) -> Loaded<BackupsOf, Page<Backup>> {
        let mut all = HashMap::new();
        for (page, ids) in alike(keys, |BackupsOf(id, page)| (*id, page)) {
            let pages = self.0.backups_of(&ids, page).await?;
            all.extend(pages.into_iter().map(|(id, entries)| (BackupsOf(id, page.clone()), entries)));
        }
        Ok(all)
    }
}

impl Loader<ArchiveOf> for Reader {
    type Value = Arc<Archive>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[ArchiveOf]) -> Loaded<ArchiveOf, Arc<Archive>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.archives_of(&ids).await?.into_iter().map(|(id, archive)| (ArchiveOf(id), Arc::new(archive))).collect())
    }
}

impl Loader<RetiredArchivesOf> for Reader {
    type Value = Arc<Vec<Archive>>;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[RetiredArchivesOf]) -> Loaded<RetiredArchivesOf, Arc<Vec<Archive>>> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let retired = self.0.retired_archives_of(&ids).await?;
        Ok(retired.into_iter().map(|(id, archives)| (RetiredArchivesOf(id), Arc::new(archives))).collect())
    }
}

impl Loader<PlatformRolesOf> for Reader {
    type Value = bool;
    type Error = Arc<Error>;
    async fn load(&self, keys: &[PlatformRolesOf]) -> Loaded<PlatformRolesOf, bool> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        Ok(self.0.with_platform_roles(&ids).await?.into_iter().map(|id| (PlatformRolesOf(id), true)).collect())
    }
}

/// Groups instances by the request that they have in common.
fn alike<'a, K, A: Eq + Hash>(keys: &'a [K], split: impl Fn(&'a K) -> (InstanceId, A)) -> HashMap<A, Vec<InstanceId>> {
    let mut groups: HashMap<A, Vec<InstanceId>> = HashMap::new();
    for (id, asked) in keys.iter().map(split) {
        groups.entry(asked).or_default().push(id);
    }
    groups
}
