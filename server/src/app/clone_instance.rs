//! Creates an instance with the data of another one as it is now.

use serde::Serialize;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    backup::{Facts, Protection, protection},
    instance::{Instance, InstanceState},
    operation::{OperationKind, Params},
    restoration::{DataSource, Restoration, RestoreTarget},
};
use toygres_store::{Accepted, Request, Subject};

use super::{
    App,
    create_instance::{self, CreateInstance},
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id_at, no_instance},
    restore_instance::DEADLINE,
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct CloneInstance {
    /// The id of the instance whose data the new one gets.
    pub source_id: String,
    /// The new instance. What it lacks is as in the source; its user, its database and its version always are.
    pub instance: CreateInstance,
}

/// See [`super::fingerprint`].
#[derive(Serialize)]
struct Fingerprint<'a> {
    v: u8,
    source: InstanceId,
    instance: create_instance::Fingerprint<'a>,
}

impl App {
    /// Accepts a clone, which a workflow makes as it restores an instance: from the data of the source if the host can copy it, and from the
    /// archive otherwise.
    ///
    /// # Errors
    /// [`Error::User`] with every error in the input, or that the name is taken, or why the source cannot be cloned, with the remedy.
    pub async fn clone_instance(&self, input: CloneInstance, requested_by: Option<String>) -> Result<Accepted> {
        let CloneInstance { source_id, instance } = input;
        let id = instance_id_at("sourceId", &source_id)?;
        let mut errors = FieldErrors::default();
        let accompanying = Accompanying { idempotency_key: errors.idempotency_key(instance.idempotency_key.clone()), revision: None, requested_by };
        let request = self.request_with_secret(accompanying, instance.password.as_ref(), |password| Fingerprint {
            v: 1,
            source: id,
            instance: instance.fingerprint(password),
        })?;
        if let Some(first) = self.store.replay(OperationKind::Restore, &request).await? {
            return Ok(first);
        }
        let source = self.store.instance(id).await?.ok_or_else(|| no_instance("sourceId", &source_id))?;
        let from = if self.runtime.copies() { self.data_of(&source).await? } else { self.archive_of(&source).await? };
        let new = self.parse_like(&source, instance, errors)?;
        self.store.accept(Subject::New(&new), &Params::Restore(from), &Request { deadline: DEADLINE, ..request }).await
    }

    /// The data of the source itself.
    async fn data_of(&self, source: &Instance) -> Result<DataSource> {
        if !matches!(source.state, InstanceState::Running | InstanceState::Suspended) {
            return Err(refusal(not_now(source, "an instance that runs, or is suspended, can be cloned")));
        }
        if self.store.credentials(source.id).await?.platform.is_none() {
            return Err(refusal(format!("'{}' was created by an earlier release, and has no roles of the platform", source.name)));
        }
        Ok(DataSource::Instance { source: source.id, method: None })
    }

    /// The archive of the source, as soon as it has what is committed now.
    async fn archive_of(&self, source: &Instance) -> Result<DataSource> {
        let name = &source.name;
        self.runtime.restores().map_err(refusal)?;
        let archive = self.store.archives_of(&[source.id]).await?.remove(&source.id);
        let facts = Facts {
            configured: self.backups.store.is_some(),
            policy: source.backups.or(self.backups.policy),
            state: source.state,
            has_roles: true,
            archive: archive.as_ref(),
        };
        let because = match protection(facts) {
            _ if source.state != InstanceState::Running => {
                not_now(source, "here an instance is cloned from its archive, which has everything only while the instance runs")
            }
            (Protection::Protected, _) => match archive {
                Some(archive) if archive.followed => {
                    let target = RestoreTarget::Time(self.store.now());
                    let restoration = Restoration { source: source.id, archive: archive.id, target, known: None, avoid: Vec::new(), clones: true };
                    return Ok(DataSource::Archive(restoration));
                }
                _ => format!("what '{name}' commits is not archived at the moment: try again in a few seconds"),
            },
            (Protection::NotConfigured, _) => {
                "here an instance is cloned from its archive, and there is no store for backups: the operator of the server sets \
                 TOYGRES_BACKUP_STORE"
                    .to_owned()
            }
            (Protection::Off, _) => {
                format!("here an instance is cloned from its archive: turn backups of '{name}' on with updateInstance, and wait for the first one")
            }
            (Protection::Failing, reason) => {
                let reason = reason.map(|reason| format!(": {}", reason.message)).unwrap_or_default();
                format!("what '{name}' commits is not archived at the moment{reason}")
            }
            (Protection::Starting | Protection::Stopped | Protection::Unsupported, _) => {
                format!("the first backup of '{name}' is not complete yet: wait until its protection is PROTECTED")
            }
        };
        Err(refusal(because))
    }
}

fn refusal(message: String) -> Error {
    Error::user(UserErrorCode::Conflict, "sourceId", message)
}

/// Why an instance in this state is not cloned, and what to do.
fn not_now(source: &Instance, rule: &str) -> String {
    let remedy = match source.state {
        InstanceState::Creating | InstanceState::Updating => "wait until the operation on it has ended",
        InstanceState::Suspended => "resume it first",
        InstanceState::Running | InstanceState::Failed | InstanceState::Deleting | InstanceState::Deleted => {
            "restore it from its archive, if it has one"
        }
    };
    format!("'{}' is {}, and {rule}: {remedy}", source.name, source.state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let source = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let instance = CreateInstance { name: "copy".to_owned(), ..CreateInstance::default() };
        let fingerprint = Fingerprint { v: 1, source, instance: instance.fingerprint(None) };
        let expected = r#"{"v":1,"source":"01890a5d-ac96-774b-bcce-b302099a8057","instance":{"v":1,"name":"copy"}}"#;
        assert_eq!(serde_json::to_string(&fingerprint).unwrap(), expected);
    }
}
