//! Mutations: each writes its intent and returns at once; workflows do the rest.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use toygres_domain::{
    Error, InstanceId, OperationId, UserErrorCode,
    store::{Accepted, InstanceUpdate},
};

use super::{
    errors::{UserError, payload},
    types::{BigInt, ExposureType, Instance, LabelInput, Operation},
};
use crate::app::{self, App, HealthCheckSettings};

/// The root of mutations.
pub struct Mutation;

/// What to create.
#[derive(Clone, InputObject)]
pub struct CreateInstanceInput {
    /// A DNS label, unique among instances that are not deleted; part of the address that clients type.
    name: String,
    /// The role that clients log in as (default `app`).
    username: Option<String>,
    /// Its password; generated when left out.
    password: Option<String>,
    /// The database to make (default: like the username).
    database: Option<String>,
    /// Size of the volume in GiB (default 10).
    storage_gb: Option<i32>,
    /// The major version of PostgreSQL (default: the newest offered).
    postgres_version: Option<String>,
    /// Processor share in thousandths of a core (default 500).
    cpu_millis: Option<i32>,
    /// Memory in MiB (default 512).
    memory_mb: Option<i32>,
    /// Free labels.
    labels: Option<Vec<LabelInput>>,
    /// Whether deletion is refused (default false).
    deletion_protected: Option<bool>,
    /// Repeating the request with the same key returns the first answer instead of creating another.
    idempotency_key: Option<String>,
    /// Who can reach it (default: clients beside it).
    exposure: Option<ExposureInput>,
    /// How its health is checked.
    health_check: Option<HealthCheckInput>,
}

/// Who can reach an instance.
#[derive(Clone, InputObject)]
pub struct ExposureInput {
    /// Who.
    r#type: ExposureType,
    /// The address ranges (CIDR) that the load balancer lets in (default: all).
    source_ranges: Option<Vec<String>>,
    /// The DNS label that the cloud is to give the address.
    dns_label: Option<String>,
}

/// How the health of an instance is checked.
#[derive(Clone, InputObject)]
pub struct HealthCheckInput {
    /// Seconds from one check to the next (default 30).
    interval_seconds: Option<i32>,
    /// Seconds that one check may take (default 5).
    timeout_seconds: Option<i32>,
}

/// What to delete.
#[derive(Clone, InputObject)]
pub struct DeleteInstanceInput {
    /// Its id.
    id: ID,
    /// Keep the data (default false).
    keep_volumes: Option<bool>,
    /// Delete it only at this revision.
    revision: Option<BigInt>,
    /// Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

/// What to change.
#[derive(Clone, InputObject)]
pub struct UpdateInstanceInput {
    /// Its id.
    id: ID,
    /// All its labels from now on.
    labels: Option<Vec<LabelInput>>,
    /// Whether deletion is refused from now on.
    deletion_protected: Option<bool>,
    /// Change it only at this revision.
    revision: Option<BigInt>,
}

/// What to cancel.
#[derive(Clone, InputObject)]
pub struct CancelOperationInput {
    /// The operation's id.
    id: ID,
}

/// What to try again.
#[derive(Clone, InputObject)]
pub struct RetryOperationInput {
    /// The id of the operation that failed.
    id: ID,
    /// Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

macro_rules! payloads {
    ($($(#[$meta:meta])* $name:ident),*) => {$(
        $(#[$meta])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// The instance as it is now; null when there are user errors.
            instance: Option<Instance>,
            /// The operation that carries it out; null when there are user errors, or nothing takes time.
            operation: Option<Operation>,
            /// What was wrong with the input; empty when the request was accepted.
            user_errors: Vec<UserError>,
        }

        impl $name {
            fn of(outcome: toygres_domain::Result<Accepted>) -> Result<Self> {
                let (accepted, user_errors) = payload(outcome)?;
                let (instance, operation) = accepted.map(|accepted| (Instance(Arc::new(accepted.instance)), Operation(Arc::new(accepted.operation)))).unzip();
                Ok(Self { instance, operation, user_errors })
            }
        }
    )*};
}
payloads!(
    /// The answer to `createInstance`.
    CreateInstancePayload,
    /// The answer to `deleteInstance`.
    DeleteInstancePayload,
    /// The answer to `cancelOperation`.
    CancelOperationPayload,
    /// The answer to `retryOperation`.
    RetryOperationPayload
);

/// The answer to `updateInstance`.
#[derive(SimpleObject)]
pub struct UpdateInstancePayload {
    /// The instance as it is now; null when there are user errors.
    instance: Option<Instance>,
    /// What was wrong with the input; empty when the request was accepted.
    user_errors: Vec<UserError>,
}

/// Writes.
#[Object]
impl Mutation {
    /// Accepts a new instance and returns at once; follow the operation, or the instance, by subscription.
    async fn create_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to create.")] input: CreateInstanceInput,
    ) -> Result<CreateInstancePayload> {
        let CreateInstanceInput {
            name,
            username,
            password,
            database,
            storage_gb,
            postgres_version,
            cpu_millis,
            memory_mb,
            labels,
            deletion_protected,
            idempotency_key,
            exposure,
            health_check,
        } = input;
        let wanted = app::CreateInstance {
            name,
            username,
            password,
            database,
            storage_gb,
            postgres_version,
            cpu_millis,
            memory_mb,
            labels: pairs(labels.unwrap_or_default()),
            deletion_protected,
            exposure: exposure.map(|exposure| (exposure.r#type.into(), exposure.source_ranges.unwrap_or_default(), exposure.dns_label)),
            health_check: health_check
                .map(|check| HealthCheckSettings { interval_seconds: check.interval_seconds, timeout_seconds: check.timeout_seconds })
                .unwrap_or_default(),
        };
        CreateInstancePayload::of(ctx.data_unchecked::<App>().create_instance(wanted, idempotency_key).await)
    }

    /// Removes an instance, from any state; returns at once. The name is free again when it is gone.
    async fn delete_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to delete.")] input: DeleteInstanceInput,
    ) -> Result<DeleteInstancePayload> {
        let app = ctx.data_unchecked::<App>();
        DeleteInstancePayload::of(
            async {
                let id = instance_id(&input.id)?;
                let (keep_volumes, revision) = (input.keep_volumes.unwrap_or(false), input.revision.map(|revision| revision.0));
                let request = app.checked_request(input.idempotency_key, &(id, keep_volumes, revision))?;
                app.store.delete_instance(id, keep_volumes, revision, &request).await
            }
            .await,
        )
    }

    /// Changes labels or deletion protection, at once.
    async fn update_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateInstanceInput,
    ) -> Result<UpdateInstancePayload> {
        let app = ctx.data_unchecked::<App>();
        let outcome = async {
            let id = instance_id(&input.id)?;
            let labels = input
                .labels
                .map(|labels| app::labels(pairs(labels)).map_err(|message| Error::user(UserErrorCode::Invalid, "labels", message)))
                .transpose()?;
            let update = InstanceUpdate { labels, deletion_protected: input.deletion_protected, revision: input.revision.map(|revision| revision.0) };
            app.store.update_instance(id, &update).await
        };
        let (instance, user_errors) = payload(outcome.await)?;
        Ok(UpdateInstancePayload { instance: instance.map(|instance| Instance(Arc::new(instance))), user_errors })
    }

    /// Asks an operation to stop and to clean up. Removal, once begun, cannot be cancelled.
    async fn cancel_operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to cancel.")] input: CancelOperationInput,
    ) -> Result<CancelOperationPayload> {
        CancelOperationPayload::of(ctx.data_unchecked::<App>().store.request_cancel(&OperationId::from_any(&input.id)).await)
    }

    /// Tries a failed or cancelled operation again, as a new operation.
    async fn retry_operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to try again.")] input: RetryOperationInput,
    ) -> Result<RetryOperationPayload> {
        let app = ctx.data_unchecked::<App>();
        RetryOperationPayload::of(
            async {
                let id = OperationId::from_any(&input.id);
                let request = app.checked_request(input.idempotency_key, &id)?;
                app.store.retry_operation(&id, &request).await
            }
            .await,
        )
    }
}

fn pairs(labels: Vec<LabelInput>) -> Vec<(String, String)> {
    labels.into_iter().map(|label| (label.key, label.value)).collect()
}

fn instance_id(id: &ID) -> toygres_domain::Result<InstanceId> {
    id.parse().map_err(|_| Error::user(UserErrorCode::NotFound, "id", format!("no instance has the id {}", id.as_str())))
}
