//! Creates an instance with the data of a backup.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    backup::{Archive, BackupSettings, BackupStatus, CoveredInterval},
    instance::{Exposure, Instance, InstanceSpec},
    operation::{OperationKind, Params},
    restoration::{DataSource, Restoration, RestoreTarget},
    storage::{AutoGrow, AutoGrowChoice},
    wal::Lsn,
};
use toygres_store::{Accepted, NewInstance, Request, Subject};

use super::{
    App,
    backups::BackupChoice,
    create_instance::{self, CreateInstance, ExposureKind, ExposureSettings, HealthCheckSettings},
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id_at, no_instance},
    maintenance::MaintenanceChoice,
    update_backup::backup_id,
};

/// How long a restoration may take. How long it does depends on how much is restored.
pub(super) const DEADLINE: Duration = Duration::from_secs(24 * 3600);
/// How far the clock of an instance's server may be ahead of ours: a time that it has just shown is not refused for being in the future.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct RestoreInstance {
    /// The id of the instance that was backed up, which may be deleted.
    pub source_id: String,
    /// The point to restore.
    pub target: TargetChoice,
    /// The new instance. What it lacks is as in the source; its user, its database and its version always are.
    pub instance: CreateInstance,
}

/// The point to restore, unchecked: one of these, or none for everything that was archived.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TargetChoice {
    /// A time, by the clock of the server of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<DateTime<Utc>>,
    /// A position in the WAL, as PostgreSQL writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lsn: Option<String>,
    /// The id of a base backup, whose end is restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<String>,
}

/// See [`super::fingerprint`].
#[derive(Serialize)]
struct Fingerprint<'a> {
    v: u8,
    source: InstanceId,
    target: &'a TargetChoice,
    instance: create_instance::Fingerprint<'a>,
}

impl App {
    /// Accepts a restoration; a workflow carries it out.
    ///
    /// # Errors
    /// [`Error::User`] with every error in the input, or that the name is taken, or what can be restored instead.
    pub async fn restore_instance(&self, input: RestoreInstance, requested_by: Option<String>) -> Result<Accepted> {
        let RestoreInstance { source_id, target: choice, instance } = input;
        let id = instance_id_at("sourceId", &source_id)?;
        let mut errors = FieldErrors::default();
        let accompanying = Accompanying { idempotency_key: errors.idempotency_key(instance.idempotency_key.clone()), revision: None, requested_by };
        let request = self.request_with_secret(accompanying, instance.password.as_ref(), |password| Fingerprint {
            v: 1,
            source: id,
            target: &choice,
            instance: instance.fingerprint(password),
        })?;
        if let Some(first) = self.store.replay(OperationKind::Restore, &request).await? {
            return Ok(first);
        }
        self.runtime.restores().map_err(|why| Error::user(UserErrorCode::Conflict, "sourceId", why))?;
        let source = self.store.instance(id).await?.ok_or_else(|| no_instance("sourceId", &source_id))?;
        let archives = self.restorable_archives(id).await?;
        if archives.is_empty() {
            let message = format!("'{}' has no complete backup; what is not backed up cannot be restored", source.name);
            return Err(Error::user(UserErrorCode::Conflict, "sourceId", message));
        }
        let target = match self.target(choice, &archives).await {
            Ok(target) => Some(target),
            Err(Error::User(found)) => {
                errors.extend(found);
                None
            }
            Err(error) => return Err(error),
        };
        let retired = target.and_then(|(archive, _)| archive.retired);
        let source = match retired {
            // From before an upgrade.
            Some(retired) => Instance { spec: InstanceSpec { postgres_version: retired.version, ..source.spec }, ..source },
            None => source,
        };
        let new = self.parse_like(&source, instance, errors)?;
        let Some((archive, target)) = target else { return Err(Error::internal("a target without an error")) };
        let restoration = Restoration { source: id, archive: archive.id, target, known: None, avoid: Vec::new(), clones: false };
        let params = Params::Restore(DataSource::Archive(restoration));
        self.store.accept(Subject::New(&new), &params, &Request { deadline: DEADLINE, ..request }).await
    }

    /// A new instance with the data of another one. What is not said is as in that one.
    pub(super) fn parse_like(&self, source: &Instance, new: CreateInstance, mut errors: FieldErrors) -> Result<NewInstance> {
        if new.storage_gb.is_some_and(|storage_gb| storage_gb < source.spec.storage_gb) {
            let message = format!("must be at least {} GiB, the size of the source", source.spec.storage_gb);
            errors.add(UserErrorCode::OutOfRange, "storageGb", message);
        }
        self.parse(like(source, new), errors)
    }

    /// The archives of an instance from which something can be restored, the present one first, and then those from before its upgrades.
    async fn restorable_archives(&self, id: InstanceId) -> Result<Vec<Archive>> {
        let present = self.store.archives_of(&[id]).await?.remove(&id);
        let retired = self.store.retired_archives_of(&[id]).await?.remove(&id).unwrap_or_default();
        let archives = present.into_iter().chain(retired.into_iter().rev());
        Ok(archives.filter(|archive| !archive.intervals().is_empty()).collect())
    }

    /// The point to restore, and the archive that has it.
    async fn target<'a>(&self, choice: TargetChoice, archives: &'a [Archive]) -> Result<(&'a Archive, RestoreTarget)> {
        let refuse = |field: &str, message: String| Err(Error::user(UserErrorCode::Invalid, field, message));
        let having = |covers: &dyn Fn(&CoveredInterval) -> bool| archives.iter().find(|archive| archive.intervals().iter().any(covers));
        match choice {
            TargetChoice { time: None, lsn: None, backup_id: None } => match archives.first() {
                Some(latest) => Ok((latest, RestoreTarget::Latest)),
                None => refuse("target", "nothing was archived".to_owned()),
            },
            TargetChoice { time: Some(time), lsn: None, backup_id: None } => {
                let soon = archives.iter().find(|archive| archive.may_cover(time) && time <= self.store.now() + CLOCK_TOLERANCE);
                match having(&|interval| (interval.from..=interval.to).contains(&time)).or(soon) {
                    Some(archive) => Ok((archive, RestoreTarget::Time(time))),
                    None => refuse("target.time", format!("{} cannot be restored; what can: {}", at(time), ranges(archives))),
                }
            }
            TargetChoice { time: None, lsn: Some(text), backup_id: None } => match text.parse::<Lsn>() {
                Ok(lsn) => match having(&|interval| (interval.from_lsn..=interval.to_lsn).contains(&lsn)) {
                    Some(archive) => Ok((archive, RestoreTarget::Lsn(lsn))),
                    None => refuse("target.lsn", format!("{lsn} cannot be restored; what can: {}", ranges(archives))),
                },
                Err(_) => refuse("target.lsn", format!("'{text}' is no position in the WAL, such as 0/3000060")),
            },
            TargetChoice { time: None, lsn: None, backup_id: Some(text) } => {
                let found = match backup_id(&text) {
                    Ok(id) => self.store.backup(id).await?,
                    Err(_) => None,
                };
                let complete = found.filter(|backup| backup.status == BackupStatus::Available);
                let archive = complete.as_ref().and_then(|backup| archives.iter().find(|archive| archive.id == backup.archive));
                match archive.zip(complete.as_ref().and_then(|backup| backup.object)) {
                    Some((archive, object)) => Ok((archive, RestoreTarget::Backup(object))),
                    None => Err(Error::user(UserErrorCode::NotFound, "target.backupId", format!("the source has no complete backup {text}"))),
                }
            }
            _ => refuse("target", "name one of time, lsn and backupId, or none for everything that was archived".to_owned()),
        }
    }
}

/// What is asked for, with what is not said as in the source. A DNS label is not copied, because two instances cannot have the same.
fn like(source: &Instance, new: CreateInstance) -> CreateInstance {
    let InstanceSpec { postgres_version, storage_gb, cpu_millis, memory_mb, username, database, exposure, require_tls, health_check, parameters } =
        source.spec.clone();
    let BackupSettings { enabled, interval_hours, retention_days } = source.backups;
    let own_exposure = new.exposure.is_some();
    CreateInstance {
        username: Some(username.to_string()),
        database: Some(database.to_string()),
        postgres_version: Some(postgres_version.to_string()),
        storage_gb: new.storage_gb.or(Some(storage_gb)),
        cpu_millis: new.cpu_millis.or(Some(cpu_millis)),
        memory_mb: new.memory_mb.or(Some(memory_mb)),
        labels: new.labels.or_else(|| Some(source.labels.clone().into_iter().collect())),
        exposure: new.exposure.or(match exposure {
            Exposure::Cluster => None,
            Exposure::LoadBalancer { source_ranges, dns_label: _ } => {
                Some(ExposureSettings { kind: ExposureKind::LoadBalancer, source_ranges: Some(source_ranges), dns_label: None })
            }
        }),
        require_tls: new.require_tls.or((!own_exposure).then_some(require_tls)),
        health_check: new.health_check.or(Some(HealthCheckSettings {
            interval_seconds: Some(health_check.interval_seconds),
            timeout_seconds: Some(health_check.timeout_seconds),
        })),
        idle_suspend_minutes: new.idle_suspend_minutes.or(source.idle_suspend_minutes),
        maintenance_window: new.maintenance_window.or(source.maintenance_window.map(MaintenanceChoice::from)),
        storage_auto_grow: new.storage_auto_grow.or(source.storage_auto_grow.map(|AutoGrow { threshold_percent, max_gb }| {
            let max_gb = max_gb.max(new.storage_gb.unwrap_or(storage_gb));
            AutoGrowChoice { threshold_percent: Some(threshold_percent), max_gb: Some(max_gb) }
        })),
        parameters: new.parameters.or_else(|| {
            let values = parameters.restarted().values;
            (!values.is_empty()).then(|| values.into_iter().map(|(name, value)| (name, Some(value))).collect())
        }),
        backups: new.backups.or(Some(BackupChoice { enabled, interval_hours, retention_days })),
        ..new
    }
}

/// What can be restored, oldest first.
fn ranges(archives: &[Archive]) -> String {
    let range = |CoveredInterval { from, to, from_lsn, to_lsn }: CoveredInterval| format!("{} to {} ({from_lsn} to {to_lsn})", at(from), at(to));
    archives.iter().rev().flat_map(Archive::intervals).map(range).collect::<Vec<_>>().join(", ")
}

fn at(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let source = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let instance = CreateInstance { name: "copy".to_owned(), ..CreateInstance::default() };
        let target = TargetChoice { time: Some("2026-11-29T10:15:00Z".parse().unwrap()), ..TargetChoice::default() };
        let fingerprint = Fingerprint { v: 1, source, target: &target, instance: instance.fingerprint(None) };
        let expected = concat!(
            r#"{"v":1,"source":"01890a5d-ac96-774b-bcce-b302099a8057","target":{"time":"2026-11-29T10:15:00Z"},"#,
            r#""instance":{"v":1,"name":"copy"}}"#
        );
        assert_eq!(serde_json::to_string(&fingerprint).unwrap(), expected);
    }
}
