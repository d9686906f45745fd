//! The archives of instances: which worker follows which, and how far each is.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, errors::Classify, parsed, reason};
use toygres_domain::{
    Error, InstanceId, Result,
    backup::{Archive, ArchiveId, Coverage, Retirement},
    instance::{PostgresVersion, Reason},
    roles::{REPLICATION, SUPERUSER},
    secret::Secret,
    wal::Lsn,
};

/// The archive of an instance, for the worker that owns it.
#[derive(Clone, Debug)]
pub struct OwnedArchive {
    /// The archive.
    pub archive: Archive,
    /// Whether the server of the instance may have its replication slot.
    pub has_slot: bool,
}

/// How far an archive is, as its worker reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchiveReport {
    /// The archive.
    pub id: ArchiveId,
    /// See [`Archive::followed`].
    pub followed: bool,
    /// See [`Archive::durable`].
    pub durable: Option<Lsn>,
    /// See [`Archive::flushed`].
    pub flushed: Option<Lsn>,
    /// See [`Archive::durable_at`].
    pub durable_at: Option<DateTime<Utc>>,
    /// See [`Archive::lag_seconds`].
    pub lag_seconds: Option<f64>,
    /// See [`Archive::failure`].
    pub failure: Option<Reason>,
}

struct ArchiveRow {
    id: Uuid,
    instance_id: Uuid,
    created_at: DateTime<Utc>,
    has_slot: bool,
    followed: bool,
    durable_lsn: Option<String>,
    flushed_lsn: Option<String>,
    durable_at: Option<DateTime<Utc>>,
    lag_seconds: Option<f64>,
    failure_code: Option<String>,
    failure_message: Option<String>,
    failing_since: Option<DateTime<Utc>>,
    coverage: Json<Coverage>,
    stored_bytes: i64,
    retired_at: Option<DateTime<Utc>>,
    postgres_version: Option<i32>,
    closing: Option<String>,
    incomplete_code: Option<String>,
    incomplete_message: Option<String>,
}

macro_rules! archive_query {
    ($after:expr $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            ArchiveRow,
            r#"SELECT id, instance_id, created_at, has_slot, followed AND coalesce(owned_until > clock_timestamp(), false) AS "followed!", durable_lsn, flushed_lsn,
                   durable_at, lag_seconds, failure_code, failure_message, failing_since, coverage AS "coverage: _", stored_bytes, closing,
                   incomplete_code, incomplete_message, retired_at, postgres_version "# + $after
            $(, $arg)*
        )
    };
}

impl Store {
    /// Takes over archives that no worker owns, at most `limit` of them, and keeps those of this worker for `lease`. An archive is begun for
    /// each running instance that has none and is to be backed up, which is so by `default` if nothing was chosen for it.
    pub async fn claim_archives(&self, worker: Uuid, default: bool, lease: Duration, limit: i64) -> Result<()> {
        sqlx::query!(
            "INSERT INTO archives (id, instance_id)
             SELECT gen_random_uuid(), instances.id FROM instances
             JOIN platform_passwords ON platform_passwords.instance_id = instances.id AND platform_passwords.role = $2
             WHERE state = 'running' AND coalesce(backups_enabled, $1)
                 AND NOT EXISTS (SELECT FROM archives WHERE instance_id = instances.id AND retired_at IS NULL)
             ON CONFLICT DO NOTHING",
            default,
            SUPERUSER
        )
        .execute(&self.pool)
        .await
        .classify()?;
        sqlx::query!(
            "UPDATE archives SET worker_id = $1, owned_until = clock_timestamp() + make_interval(secs => $2)
             WHERE worker_id = $1 OR id IN (
                 SELECT id FROM archives WHERE owned_until IS NULL OR owned_until < clock_timestamp()
                 ORDER BY owned_until NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED)",
            worker,
            lease.as_secs_f64(),
            limit
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Gives up what this worker owns, so that another can take it over at once.
    pub async fn release_archives(&self, worker: Uuid) -> Result<()> {
        sqlx::query!("UPDATE archives SET worker_id = NULL, owned_until = NULL WHERE worker_id = $1", worker).execute(&self.pool).await.classify()?;
        Ok(())
    }

    /// The archives that this worker owns, oldest first: more than one of an instance that was upgraded.
    pub async fn owned_archives(&self, worker: Uuid) -> Result<Vec<OwnedArchive>> {
        let rows = archive_query!("FROM archives WHERE worker_id = $1 AND owned_until > clock_timestamp() ORDER BY created_at", worker)
            .fetch_all(&self.pool)
            .await
            .classify()?;
        rows.into_iter().map(|row| Ok(OwnedArchive { has_slot: row.has_slot, archive: archive(row)? })).collect()
    }

    /// An archive, also a retired one.
    pub async fn archive(&self, id: ArchiveId) -> Result<Option<Archive>> {
        let row = archive_query!("FROM archives WHERE id = $1", id.0).fetch_optional(&self.pool).await.classify()?;
        row.map(archive).transpose()
    }

    /// The archives of these instances: those that go on.
    pub async fn archives_of(&self, instances: &[InstanceId]) -> Result<HashMap<InstanceId, Archive>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = archive_query!("FROM archives WHERE instance_id = ANY($1) AND retired_at IS NULL", &ids).fetch_all(&self.pool).await.classify()?;
        rows.into_iter().map(|row| archive(row).map(|archive| (archive.instance, archive))).collect()
    }

    /// The archives of these instances from before their upgrades, oldest first.
    pub async fn retired_archives_of(&self, instances: &[InstanceId]) -> Result<HashMap<InstanceId, Vec<Archive>>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let rows = archive_query!("FROM archives WHERE instance_id = ANY($1) AND retired_at IS NOT NULL ORDER BY retired_at", &ids);
        let mut retired: HashMap<InstanceId, Vec<Archive>> = HashMap::new();
        for row in rows.fetch_all(&self.pool).await.classify()? {
            let archive = archive(row)?;
            retired.entry(archive.instance).or_default().push(archive);
        }
        Ok(retired)
    }

    /// The archives from which instances are being restored.
    pub async fn archives_being_restored(&self) -> Result<HashSet<ArchiveId>> {
        let query = sqlx::query_scalar!(
            r#"SELECT (params ->> 'archive')::uuid AS "archive!" FROM operations WHERE kind = 'restore' AND status IN ('pending', 'running')"#
        );
        Ok(query.fetch_all(&self.pool).await.classify()?.into_iter().map(ArchiveId).collect())
    }

    /// Those of these instances that have roles of the platform.
    pub async fn with_platform_roles(&self, instances: &[InstanceId]) -> Result<Vec<InstanceId>> {
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        let found = sqlx::query_scalar!("SELECT instance_id FROM platform_passwords WHERE instance_id = ANY($1) AND role = $2", &ids, SUPERUSER);
        Ok(found.fetch_all(&self.pool).await.classify()?.into_iter().map(InstanceId).collect())
    }

    /// Records how far archives are, those that this worker owns.
    pub async fn report_archives(&self, worker: Uuid, reports: &[ArchiveReport]) -> Result<()> {
        let lsn = |lsn: Option<Lsn>| lsn.map(|lsn| lsn.to_string());
        let ids: Vec<_> = reports.iter().map(|report| report.id.0).collect();
        let followed: Vec<_> = reports.iter().map(|report| report.followed).collect();
        let durable: Vec<_> = reports.iter().map(|report| lsn(report.durable)).collect();
        let flushed: Vec<_> = reports.iter().map(|report| lsn(report.flushed)).collect();
        let durable_at: Vec<_> = reports.iter().map(|report| report.durable_at).collect();
        let lag: Vec<_> = reports.iter().map(|report| report.lag_seconds).collect();
        let codes: Vec<_> = reports.iter().map(|report| report.failure.as_ref().map(|reason| reason.code.to_string())).collect();
        let messages: Vec<_> = reports.iter().map(|report| report.failure.as_ref().map(|reason| reason.message.clone())).collect();
        sqlx::query!(
            "UPDATE archives SET followed = report.followed, durable_lsn = coalesce(report.durable, durable_lsn),
                 flushed_lsn = coalesce(report.flushed, flushed_lsn), durable_at = greatest(report.durable_at, archives.durable_at),
                 lag_seconds = report.lag, failure_code = report.code, failure_message = report.message,
                 failing_since = CASE WHEN report.code IS NOT NULL THEN coalesce(failing_since, clock_timestamp()) END
             FROM unnest($2::uuid[], $3::bool[], $4::text[], $5::text[], $6::timestamptz[], $7::float8[], $8::text[], $9::text[])
                 AS report (id, followed, durable, flushed, durable_at, lag, code, message)
             WHERE archives.id = report.id AND worker_id = $1",
            worker,
            &ids,
            &followed,
            &durable as _,
            &flushed as _,
            &durable_at as _,
            &lag as _,
            &codes as _,
            &messages as _
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records what can be restored from an archive that this worker owns, and what it takes in the store.
    pub async fn record_coverage(&self, worker: Uuid, id: ArchiveId, coverage: &Coverage, stored_bytes: u64) -> Result<()> {
        sqlx::query!(
            "UPDATE archives SET coverage = $3, stored_bytes = $4
             WHERE id = $2 AND worker_id = $1 AND (coverage, stored_bytes) IS DISTINCT FROM ($3, $4)",
            worker,
            id.0,
            Json(coverage) as _,
            i64::try_from(stored_bytes).unwrap_or(i64::MAX)
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records whether the server of the instance may have the replication slot of an archive.
    pub async fn record_slot(&self, id: ArchiveId, has_slot: bool) -> Result<()> {
        sqlx::query!("UPDATE archives SET has_slot = $2 WHERE id = $1 AND has_slot <> $2", id.0, has_slot).execute(&self.pool).await.classify()?;
        Ok(())
    }

    /// Deletes the record of an archive that is not in the store any more, and of its backups.
    pub async fn forget_archive(&self, id: ArchiveId) -> Result<()> {
        sqlx::query!("DELETE FROM archives WHERE id = $1", id.0).execute(&self.pool).await.classify()?;
        Ok(())
    }

    /// The password of the role for replication of an instance. It is made when it is asked for first, so that instances of a release before
    /// have one too.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the instance has no passwords any more.
    pub async fn replication_password(&self, id: InstanceId) -> Result<Secret> {
        let context = super::credentials::context(id, REPLICATION);
        sqlx::query!(
            "INSERT INTO platform_passwords (instance_id, role, sealed_password)
             SELECT instance_id, $2, $3 FROM credentials WHERE instance_id = $1 ON CONFLICT DO NOTHING",
            id.0,
            REPLICATION,
            self.keys.seal(&Secret::generate(), &context)
        )
        .execute(&self.pool)
        .await
        .classify()?;
        let sealed = sqlx::query_scalar!("SELECT sealed_password FROM platform_passwords WHERE instance_id = $1 AND role = $2", id.0, REPLICATION);
        self.keys.open(&sealed.fetch_optional(&self.pool).await.classify()?.ok_or(Error::Superseded)?, &context)
    }
}

fn archive(row: ArchiveRow) -> Result<Archive> {
    let lsn = |text: Option<String>| text.as_deref().map(parsed).transpose();
    Ok(Archive {
        id: ArchiveId(row.id),
        instance: InstanceId(row.instance_id),
        created_at: row.created_at,
        followed: row.followed,
        durable: lsn(row.durable_lsn)?,
        flushed: lsn(row.flushed_lsn)?,
        durable_at: row.durable_at,
        lag_seconds: row.lag_seconds,
        failure: reason(row.failure_code, row.failure_message).zip(row.failing_since),
        coverage: row.coverage.0,
        stored_bytes: row.stored_bytes,
        retired: row
            .retired_at
            .zip(row.postgres_version)
            .map(|(at, version)| version.try_into().map(|version| Retirement { at, version: PostgresVersion(version) }))
            .transpose()
            .map_err(Error::internal)?,
        closing: row.closing.as_deref().map(parsed).transpose()?,
        incomplete: reason(row.incomplete_code, row.incomplete_message),
    })
}
