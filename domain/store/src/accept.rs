//! The requests for operations: only here are operations accepted, retried and cancelled, as the policy of their kind allows.

use std::time::Duration;

use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, FieldError, InstanceId, OperationId, Result, UserErrorCode,
    instance::{Instance, InstanceState, Reason, ReasonCode},
    name::InstanceName,
    operation::{Cancellation, Operation, OperationKind, OperationStatus, Params, suspend},
    secret::Secret,
};

use super::{
    NewInstance, OperationFilter, PageRequest, Store,
    addresses::refuse_former_name,
    backups, closing,
    credentials::require_platform,
    database_users, databases,
    errors::{Classify, is_unique_violation},
    finish::end,
    instances::{self, instance, instance_query},
    operations::{locked_both, not_found, operation, operation_query, unfinished},
};

/// The instance that an operation is for.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// An instance that the operation creates.
    New(&'a NewInstance),
    /// An existing instance.
    Existing(InstanceId),
}

/// The context of a request for an operation.
#[derive(Clone, Debug)]
pub struct Request {
    /// The caller's idempotency key, and digests of the input: the first is stored, and a match with any of them is the same input.
    pub idempotency: Option<(String, Vec<Vec<u8>>)>,
    /// The revision that the instance must have.
    pub revision: Option<i64>,
    /// The caller.
    pub requested_by: Option<String>,
    /// The time limit of operations that have a deadline.
    pub deadline: Duration,
    /// The password that the operation sets, or the verifier of the user that it makes; stored sealed.
    pub password: Option<Secret>,
}

/// An accepted operation.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The instance, as it is now.
    pub instance: Instance,
    /// The operation.
    pub operation: Operation,
    /// Whether it was accepted before, with the same idempotency key.
    pub replayed: bool,
}

impl Store {
    /// Accepts an operation: in one transaction, writes it together with the transitional state of the instance, and ends the
    /// operations that it supersedes. A repeated idempotency key returns the operation of the first call. If a deletion is in
    /// progress, another request for it returns that operation.
    ///
    /// # Errors
    /// [`Error::User`] with `NameTaken`, `NotFound`, `Protected`, `RevisionMismatch`, `IdempotencyMismatch`, or `Conflict` when
    /// the state does not allow it or another operation is in progress.
    pub async fn accept(&self, subject: Subject<'_>, params: &Params, request: &Request) -> Result<Accepted> {
        if let Some(first) = self.replay(params.kind(), request).await? {
            return Ok(first);
        }
        let accepted = match subject {
            Subject::New(new) => self.accept_new(new, params, request).await,
            Subject::Existing(id) => self.accept_existing(id, params, request).await,
        };
        match (accepted, subject) {
            // Two concurrent callers used the same key or the same name.
            (Err(error), _) if is_unique_violation(&error) => match (self.replay(params.kind(), request).await?, subject) {
                (Some(first), _) => Ok(first),
                (None, Subject::New(new)) => Err(self.name_taken(&new.name).await),
                (None, Subject::Existing(_)) => Err(error),
            },
            (accepted, _) => accepted,
        }
    }

    async fn accept_new(&self, new: &NewInstance, params: &Params, request: &Request) -> Result<Accepted> {
        let mut transaction = self.begin().await?;
        let state = params.kind().policy().during.unwrap_or(InstanceState::Running);
        let instance = self.insert_instance(&mut transaction, new, state).await?;
        refuse_former_name(&mut transaction, new.id, &new.name).await?;
        let operation = insert(&mut transaction, &instance, None, params, request).await?;
        transaction.commit().await.classify()?;
        Ok(Accepted { instance, operation, replayed: false })
    }

    async fn accept_existing(&self, id: InstanceId, params: &Params, request: &Request) -> Result<Accepted> {
        let policy = params.kind().policy();
        let mut transaction = self.begin().await?;
        let now = instances::locked(&mut transaction, id).await?;
        let in_progress = unfinished(&mut transaction, id).await?;
        if policy.supersedes
            && let Some(same) = in_progress.iter().find(|operation| operation.kind() == params.kind())
        {
            return Ok(Accepted { instance: now, operation: same.clone(), replayed: false });
        }
        check(&now, params, &in_progress, request)?;
        let accepted = begin(&mut transaction, &now, params, &in_progress, request).await?;
        self.prepare(&mut transaction, &now, params, request, &accepted.operation.id).await?;
        transaction.commit().await.classify()?;
        Ok(accepted)
    }

    /// Writes what an operation of this kind needs besides its parameters.
    async fn prepare(
        &self,
        connection: &mut PgConnection,
        now: &Instance,
        params: &Params,
        request: &Request,
        operation: &OperationId,
    ) -> Result<()> {
        match params {
            Params::CreateBackup(params) => {
                require_platform(connection, now).await?;
                backups::request(connection, now, params, operation).await
            }
            Params::RotatePassword(_) => {
                require_platform(connection, now).await?;
                self.begin_rotation(connection, now.id, request.password.as_ref()).await
            }
            Params::CreateDatabaseUser(params) => {
                require_platform(connection, now).await?;
                self.begin_user(connection, now, params, request.password.as_ref()).await
            }
            Params::DropDatabaseUser(params) => database_users::check_drop(connection, now, params).await,
            Params::CreateDatabase(params) => {
                require_platform(connection, now).await?;
                databases::check_create(connection, now, params).await
            }
            Params::DropDatabase(params) => databases::check_drop(connection, now, params).await,
            Params::Upgrade(_) => require_platform(connection, now).await,
            Params::Delete(params) => closing::begin(connection, now, params, operation).await,
            Params::Create(_)
            | Params::Restore(_)
            | Params::Restart(_)
            | Params::Repair(_)
            | Params::Suspend(_)
            | Params::Resume(_)
            | Params::Resize(_)
            | Params::SetParameters(_) => Ok(()),
        }
    }

    /// Retries a failed or cancelled operation, as a new operation of the same kind with the same parameters.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, or `Conflict` when it did not fail, or the instance has changed since.
    pub async fn retry_operation(&self, id: &OperationId, request: &Request) -> Result<Accepted> {
        let first = self.operation(id).await?.ok_or_else(|| not_found(id))?;
        if let Some(replayed) = self.replay(first.kind(), request).await? {
            return Ok(replayed);
        }
        let mut transaction = self.begin().await?;
        let (now, failed) = locked_both(&mut transaction, id).await?;
        if !matches!(failed.status, OperationStatus::Failed | OperationStatus::Cancelled) {
            return Err(conflict(format!("only a failed or cancelled operation can be retried; this one is {}", failed.status)));
        }
        if !failed.can_retry(&now) {
            return Err(conflict(format!(
                "'{}' is {} and {id} is not its latest operation, or cannot be repeated in this state; request a new operation instead",
                now.name, now.state
            )));
        }
        let in_progress = unfinished(&mut transaction, now.id).await?;
        check(&now, &failed.params, &in_progress, request)?;
        let accepted = begin(&mut transaction, &now, &failed.params, &in_progress, request).await?;
        self.prepare(&mut transaction, &now, &failed.params, request, &accepted.operation.id).await?;
        transaction.commit().await.classify()?;
        Ok(accepted)
    }

    /// Cancels an operation as the policy of its kind defines: either its workflow is requested to stop and clean up, or the
    /// operation ends immediately and the instance gets its former state.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`, or `Conflict` when it is finished or can no longer be cancelled.
    pub async fn cancel_operation(&self, id: &OperationId) -> Result<Accepted> {
        let mut transaction = self.begin().await?;
        let (instance, now) = locked_both(&mut transaction, id).await?;
        if now.status.is_terminal() {
            return Err(conflict(format!("the operation has finished already; its status is {}", now.status)));
        }
        let accepted = match now.kind().policy().cancellation {
            Cancellation::ByWorkflow | Cancellation::ByWorkflowBefore(_) if now.can_cancel() => {
                let row = operation_query!("UPDATE operations SET cancel_requested = true WHERE id = $1 RETURNING", "", id.as_str())
                    .fetch_one(&mut *transaction)
                    .await
                    .classify()?;
                Accepted { instance, operation: operation(row)?, replayed: false }
            }
            Cancellation::Before(step) | Cancellation::ByWorkflowBefore(step) if !now.can_cancel() => {
                let why = if now.former_state.is_some_and(|state| state.is_transitional()) {
                    "another operation was ended for this one".to_owned()
                } else {
                    format!("the step {} has begun", step.as_str().to_uppercase())
                };
                return Err(conflict(format!("{why}: it can no longer be cancelled")));
            }
            Cancellation::ByWorkflow | Cancellation::Before(_) | Cancellation::ByWorkflowBefore(_) => revert(&mut transaction, &now).await?,
        };
        transaction.commit().await.classify()?;
        Ok(accepted)
    }

    /// The error for a name in use, which says what it waits for if the instance is being deleted.
    pub(super) async fn name_taken(&self, name: &InstanceName) -> Error {
        let message = match self.deletion_of(name).await {
            Some((deletion, waits_for)) => {
                let why = waits_for.map_or_else(|| "is in progress".to_owned(), |reason| format!("waits: {}", reason.message));
                format!("an instance named '{name}' is being deleted; the name is free when {deletion} has finished, which {why}")
            }
            // Also if it was deleted meanwhile, or the database does not say.
            None => format!("an instance named '{name}' exists already; choose another name or delete it first"),
        };
        Error::user(UserErrorCode::NameTaken, "name", message)
    }

    /// The deletion that is in progress of the instance with this name, and the reason of the instance.
    async fn deletion_of(&self, name: &InstanceName) -> Option<(OperationId, Option<Reason>)> {
        let holder = self.instance_by_name(name.as_str()).await.ok()??;
        let statuses = Some(vec![OperationStatus::Pending, OperationStatus::Running]);
        let filter = OperationFilter { instance: Some(holder.id), kinds: Some(vec![OperationKind::Delete]), statuses };
        let deletion = self.operations(&filter, &PageRequest::first(1)).await.ok()?.items.pop()?;
        Some((deletion.id, holder.reason))
    }

    /// The result of an earlier request with the same idempotency key, which [`Self::accept`] returns too. Whoever refuses a request for another
    /// reason than its text looks here first: the first request, or something since, may have changed what the reason is.
    ///
    /// # Errors
    /// [`Error::User`] with `IdempotencyMismatch`.
    pub async fn replay(&self, kind: OperationKind, request: &Request) -> Result<Option<Accepted>> {
        let Some((key, digests)) = &request.idempotency else { return Ok(None) };
        let Some((operation, first_digest)) = self.operation_by_key(kind, key).await? else { return Ok(None) };
        if !first_digest.is_some_and(|first| digests.contains(&first)) {
            return Err(Error::user(
                UserErrorCode::IdempotencyMismatch,
                "idempotencyKey",
                "was used before with another input; use a new key for a new request",
            ));
        }
        let instance = self.instance(operation.instance).await?.ok_or_else(|| Error::internal("an operation without its instance"))?;
        Ok(Some(Accepted { instance, operation, replayed: true }))
    }
}

/// Rejects a request that the policy does not allow.
fn check(now: &Instance, params: &Params, in_progress: &[Operation], request: &Request) -> Result<()> {
    let (kind, policy) = (params.kind(), params.kind().policy());
    check_revision(now, request.revision)?;
    if policy.refused_when_protected && now.deletion_protected {
        return Err(Error::user(UserErrorCode::Protected, "id", format!("the deletion protection of '{}' is on; turn it off first", now.name)));
    }
    if policy.excludes
        && !policy.supersedes
        && let Some(other) = in_progress.iter().find(|operation| operation.kind().policy().excludes)
    {
        return Err(conflict(format!("'{}' has another operation in progress: {}; wait for it, or cancel it first", now.name, other.id)));
    }
    if let Params::Resize(resize) = params
        && policy.from.contains(&now.state)
    {
        resize.check(&now.spec).map_err(|error| Error::User(vec![error]))?;
    }
    if let Params::Upgrade(upgrade) = params
        && policy.from.contains(&now.state)
    {
        upgrade.check(&now.spec).map_err(Error::User)?;
        if upgrade.minor && now.state == InstanceState::Suspended {
            return Err(conflict(format!(
                "'{}' is suspended, and is started with the minor version that its host has when it is resumed; resume it first",
                now.name
            )));
        }
        if upgrade.minor && now.update_available.is_none() {
            let version = upgrade.version;
            let why = format!("the instance has PostgreSQL {version} already, and its host has no update of it; name a newer major version");
            return Err(Error::user(UserErrorCode::Invalid, "version", why));
        }
    }
    if !policy.from.contains(&now.state) {
        let allowed = policy.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        let remedy = if now.state == InstanceState::Suspended { "; resume it first" } else { "" };
        let kind = kind.to_string().replace('_', " ");
        return Err(conflict(format!("'{}' is {}; {kind} is possible when it is {allowed}{remedy}", now.name, now.state)));
    }
    Ok(())
}

pub(super) fn check_revision(now: &Instance, expected: Option<i64>) -> Result<()> {
    match expected {
        Some(revision) if revision != now.revision => Err(Error::User(vec![FieldError::new(
            UserErrorCode::RevisionMismatch,
            "revision",
            format!("'{}' is at revision {}, not {revision}; look at it again before you change it", now.name, now.revision),
        )])),
        _ => Ok(()),
    }
}

/// Changes the state of a locked instance for a new operation, and inserts the operation.
async fn begin(connection: &mut PgConnection, now: &Instance, params: &Params, in_progress: &[Operation], request: &Request) -> Result<Accepted> {
    let policy = params.kind().policy();
    let row = instance_query!(
        "UPDATE instances SET state = coalesce($2, state), operation_count = operation_count + 1,
             reason_code = CASE WHEN $2::text IS NULL THEN reason_code END, reason_message = CASE WHEN $2::text IS NULL THEN reason_message END,
             health_status = CASE WHEN $2::text IS NULL THEN health_status ELSE 'unknown' END
         WHERE id = $1 AND state = ANY($3) RETURNING",
        "",
        now.id.0,
        policy.during.map(InstanceState::as_str),
        &texts(policy.from)
    )
    .fetch_optional(&mut *connection)
    .await
    .classify()?
    .ok_or(Error::Superseded)?;
    let instance = instance(row)?;
    if policy.supersedes {
        let by = OperationId::new(params.kind(), instance.id, instance.operation_count);
        let reason = Reason::new(ReasonCode::Superseded, format!("{by} took over"));
        for operation in in_progress {
            end(connection, operation, OperationStatus::Cancelled, Some(&reason)).await?;
        }
    }
    let operation = insert(connection, &instance, Some(now.state), params, request).await?;
    Ok(Accepted { instance, operation, replayed: false })
}

async fn insert(
    connection: &mut PgConnection,
    instance: &Instance,
    former: Option<InstanceState>,
    params: &Params,
    request: &Request,
) -> Result<Operation> {
    let (kind, policy) = (params.kind(), params.kind().policy());
    let id = OperationId::new(kind, instance.id, instance.operation_count);
    let (key, digest) = request.idempotency.as_ref().map(|(key, digests)| (key.as_str(), digests.first().map(Vec::as_slice))).unzip();
    let row = operation_query!(
        "INSERT INTO operations (id, instance_id, kind, params, excludes, engine_id, status, steps, idempotency_key, input_digest, requested_by,
             former_state, deadline)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9, $10, $11, now() + make_interval(secs => $12)) RETURNING",
        "",
        id.as_str(),
        instance.id.0,
        kind.as_str(),
        params.to_json().map_err(Error::internal)?,
        policy.excludes,
        id.engine_id(1),
        Json(policy.plan()) as _,
        key,
        digest.flatten(),
        request.requested_by,
        former.map(InstanceState::as_str),
        policy.expires().then_some(request.deadline.as_secs_f64())
    )
    .fetch_one(connection)
    .await
    .classify()?;
    operation(row)
}

/// Ends an operation before it had an effect. The first step with an effect starts with a write of that step under the lock of this
/// row, so either the step or the cancellation comes first. The workflow of a finished operation does nothing more.
async fn revert(connection: &mut PgConnection, now: &Operation) -> Result<Accepted> {
    let policy = now.kind().policy();
    let former = now.former_state.ok_or(Error::Superseded)?;
    let instance = match policy.during {
        Some(during) => give_back(connection, now, former, during).await?,
        None => instances::touch(connection, now.instance).await?,
    };
    if now.kind() == OperationKind::Delete {
        closing::revert(connection, now.instance, &now.id).await?;
    }
    sqlx::query!("UPDATE operations SET cancel_requested = true WHERE id = $1", now.id.as_str()).execute(&mut *connection).await.classify()?;
    let why = Reason::new(ReasonCode::Cancelled, "the operation was cancelled before it changed anything");
    end(connection, now, OperationStatus::Cancelled, Some(&why)).await?;
    let operation = super::operations::locked(connection, &now.id).await?;
    Ok(Accepted { instance, operation, replayed: false })
}

/// Gives an instance the state that it had before an operation.
async fn give_back(connection: &mut PgConnection, now: &Operation, former: InstanceState, during: InstanceState) -> Result<Instance> {
    let suspended = suspend::reason();
    // A failed instance gets its former reason again, and a suspended one says that it is. A superseding operation has stopped the health check, and the sweeper starts
    // the next one.
    let row = instance_query!(
        "UPDATE instances SET state = $2, health_status = 'unknown',
             health_check_orchestration_id = CASE WHEN $5 THEN NULL ELSE health_check_orchestration_id END,
             (reason_code, reason_message) = (SELECT * FROM (
                     (SELECT error_code, error_message FROM operations
                      WHERE instance_id = $1 AND id <> $3 AND $2 = 'failed' AND status IN ('failed', 'cancelled') ORDER BY created_at DESC LIMIT 1)
                     UNION ALL SELECT $6::text, $7::text WHERE $2 = 'suspended') AS former)
         WHERE id = $1 AND state = $4 RETURNING",
        "",
        now.instance.0,
        former.as_str(),
        now.id.as_str(),
        during.as_str(),
        now.kind().policy().supersedes,
        suspended.code.as_str(),
        suspended.message
    )
    .fetch_optional(&mut *connection)
    .await
    .classify()?
    .ok_or(Error::Superseded)?;
    instance(row)
}

fn conflict(message: String) -> Error {
    Error::user(UserErrorCode::Conflict, "id", message)
}

pub(super) fn texts(states: &[InstanceState]) -> Vec<String> {
    states.iter().map(ToString::to_string).collect()
}
