//! Makes deleted instances of the archives in the store that the metadata does not know, so that they can be restored: after the loss of the
//! metadata database, or of the machine.

use toygres_backup::{BackupError, FoundArchives, find_archives};
use toygres_domain::{Error, FieldError, InstanceId, Result, UserErrorCode, instance::Instance};
use toygres_store::Accepted;

use super::{App, create_instance::CreateInstance, restore_instance::RestoreInstance};

/// The input.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImportBackups {
    /// Whether each instance is restored at once, to its latest point and under its own name.
    pub restore: bool,
}

/// What was imported.
#[derive(Debug, Default)]
pub struct ImportedBackups {
    /// The instances that were imported now, or earlier and not restored since, in the order of their names. Of those with the same name, the
    /// one that was archived last comes first.
    pub instances: Vec<Instance>,
    /// Their restorations.
    pub restorations: Vec<Accepted>,
    /// Why others are not imported, or not restored, and which base backups are left out.
    pub errors: Vec<FieldError>,
}

impl App {
    /// Imports what the store has.
    ///
    /// # Errors
    /// [`Error::User`] if there is no store, or it fails: what has been imported by then stays. An archive that cannot be read is an error in
    /// [`ImportedBackups::errors`], and hinders no other.
    pub async fn import_backups(&self, input: ImportBackups, requested_by: Option<String>) -> Result<ImportedBackups> {
        let refused = |message: String| Error::user(UserErrorCode::Conflict, "", message);
        let Some(objects) = &self.backups.objects else {
            return Err(refused("there is no store for backups: the operator of the server sets TOYGRES_BACKUP_STORE".to_owned()));
        };
        if input.restore {
            self.runtime.restores().map_err(refused)?;
        }
        let earlier = self.store.imported_instances().await?;
        let known = self.store.instance_ids().await?;
        let found = find_archives(objects, &|id| known.contains(&id)).await.map_err(|error| refused(error.reason().message))?;
        let FoundArchives { archives, unreadable, damaged } = found;
        let mut imported = ImportedBackups::default();
        imported.errors.extend(unreadable.iter().map(unread));
        imported.errors.extend(damaged.iter().map(left_out));
        for archive in &archives {
            imported.instances.extend(self.store.import_archive(archive).await?);
        }
        for id in earlier {
            imported.instances.extend(self.store.instance(id).await?);
        }
        let ids: Vec<_> = imported.instances.iter().map(|instance| instance.id).collect();
        let kept = self.store.archives_of(&ids).await?;
        let last = |instance: &Instance| kept.get(&instance.id).and_then(|archive| archive.intervals().last().map(|interval| interval.to));
        // The first of those with the same name gets it: what is older was deleted before.
        imported.instances.sort_by(|one, other| one.name.cmp(&other.name).then_with(|| last(other).cmp(&last(one))));
        if !input.restore {
            return Ok(imported);
        }
        for instance in &imported.instances {
            // Otherwise it ended without being deleted.
            if kept.get(&instance.id).is_some_and(|archive| archive.closing.is_some()) {
                imported.errors.push(about(instance, deleted(instance)));
                continue;
            }
            let copy = CreateInstance { name: instance.name.to_string(), ..CreateInstance::default() };
            let restore = RestoreInstance { source_id: instance.id.to_string(), instance: copy, ..RestoreInstance::default() };
            match self.restore_instance(restore, requested_by.clone()).await {
                Ok(accepted) => imported.restorations.push(accepted),
                Err(Error::User(errors)) => imported.errors.extend(errors.into_iter().map(|error| about(instance, error))),
                Err(error) => return Err(error),
            }
        }
        Ok(imported)
    }
}

fn unread((instance, error): &(InstanceId, BackupError)) -> FieldError {
    let message = format!(
        "an archive of the instance {instance} cannot be read, so it is not imported: {}; mend it, or move it out of the store, and import again",
        error.reason().message
    );
    FieldError::new(UserErrorCode::Conflict, "", message)
}

fn left_out((instance, error): &(InstanceId, BackupError)) -> FieldError {
    let message = format!("the instance {instance} is imported without one of its backups: {}", error.reason().message);
    FieldError::new(UserErrorCode::Conflict, "", message)
}

/// What is said of an instance that somebody had deleted.
fn deleted(instance: &Instance) -> FieldError {
    let at = instance.deleted_at.map(|at| at.format(" at %Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
    FieldError::new(UserErrorCode::Conflict, "restore", format!("it had been deleted{at}; restoreInstance restores it nevertheless"))
}

/// The input has no field that is wrong, so the message names the instance.
fn about(instance: &Instance, FieldError { code, message, .. }: FieldError) -> FieldError {
    FieldError::new(code, "restore", format!("'{}' ({}) is imported and not restored: {message}", instance.name, instance.id))
}
