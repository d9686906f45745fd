//! Mutations: each writes its intent and returns at once; workflows do the rest.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use toygres_domain::{Error, InstanceId, OperationId, UserErrorCode};
use toygres_store::{Accepted, InstanceUpdate};

use super::{
    errors::{UserError, payload},
    guard::{admin, operator},
    types::{ApiToken, BigInt, ExposureType, Instance, LabelInput, Operation, TokenRole},
};
use crate::{
    access::Caller,
    app::{self, App, HealthCheckSettings},
};

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

/// What token to make.
#[derive(Clone, InputObject)]
pub struct CreateApiTokenInput {
    /// What it is for: 1 to 100 characters.
    name: String,
    /// What its bearer may do.
    role: TokenRole,
    /// After so many days it ends by itself (1 to 3650; never, when left out).
    expires_in_days: Option<i32>,
}

/// The answer to `createApiToken`.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token; null when there are user errors.
    api_token: Option<ApiToken>,
    /// Its secret. It is stored nowhere, so keep it now.
    secret: Option<String>,
    /// What was wrong with the input; empty when the token was made.
    user_errors: Vec<UserError>,
}

/// What token to end.
#[derive(Clone, InputObject)]
pub struct RevokeApiTokenInput {
    /// Its id.
    id: ID,
}

/// The answer to `revokeApiToken`.
#[derive(SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// The token as it is now; null when there are user errors.
    api_token: Option<ApiToken>,
    /// What was wrong with the input; empty when the token was ended.
    user_errors: Vec<UserError>,
}

/// Writes.
#[Object]
impl Mutation {
    /// Accepts a new instance and returns at once; follow the operation, or the instance, by subscription.
    #[graphql(guard = "operator()")]
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
        CreateInstancePayload::of(ctx.data_unchecked::<App>().create_instance(wanted, idempotency_key, requester(ctx)).await)
    }

    /// Removes an instance, from any state; returns at once. The name is free again when it is gone.
    #[graphql(guard = "operator()")]
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
                let request = app.checked_request(input.idempotency_key, &(id, keep_volumes, revision), requester(ctx))?;
                app.store.delete_instance(id, keep_volumes, revision, &request).await
            }
            .await,
        )
    }

    /// Changes labels or deletion protection, at once.
    #[graphql(guard = "operator()")]
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

    /// Asks an operation to stop and to clean up. Progress, once begun, cannot be cancelled.
    #[graphql(guard = "operator()")]
    async fn cancel_operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to cancel.")] input: CancelOperationInput,
    ) -> Result<CancelOperationPayload> {
        CancelOperationPayload::of(ctx.data_unchecked::<App>().store.request_cancel(&OperationId::from_any(&input.id)).await)
    }

    /// Tries a failed or cancelled operation again, as a new operation.
    #[graphql(guard = "operator()")]
    async fn retry_operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to try again.")] input: RetryOperationInput,
    ) -> Result<RetryOperationPayload> {
        let app = ctx.data_unchecked::<App>();
        RetryOperationPayload::of(
            async {
                let id = OperationId::from_any(&input.id);
                let request = app.checked_request(input.idempotency_key, &id, requester(ctx))?;
                app.store.retry_operation(&id, &request).await
            }
            .await,
        )
    }

    /// Makes an API token. Its secret is in this answer only.
    #[graphql(guard = "admin()")]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What token to make.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let app = ctx.data_unchecked::<App>();
        let (made, user_errors) = payload(app.create_token(&input.name, input.role.into(), input.expires_in_days).await)?;
        let (api_token, secret) = made.map(|(token, secret)| (ApiToken(token), secret.expose().to_owned())).unzip();
        Ok(CreateApiTokenPayload { api_token, secret, user_errors })
    }

    /// Ends an API token at once; its open subscriptions end with it.
    #[graphql(guard = "admin()")]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What token to end.")] input: RevokeApiTokenInput,
    ) -> Result<RevokeApiTokenPayload> {
        let store = &ctx.data_unchecked::<App>().store;
        let outcome = match input.id.parse() {
            Ok(id) => store.revoke_token(id).await,
            Err(_) => Err(Error::user(UserErrorCode::NotFound, "id", format!("no token has the id {}", input.id.as_str()))),
        };
        let (token, user_errors) = payload(outcome)?;
        Ok(RevokeApiTokenPayload { api_token: token.map(ApiToken), user_errors })
    }
}

fn requester(ctx: &Context<'_>) -> Option<String> {
    ctx.data_opt::<Caller>().and_then(|caller| caller.name.as_deref().map(str::to_owned))
}

fn pairs(labels: Vec<LabelInput>) -> Vec<(String, String)> {
    labels.into_iter().map(|label| (label.key, label.value)).collect()
}

fn instance_id(id: &ID) -> toygres_domain::Result<InstanceId> {
    id.parse().map_err(|_| Error::user(UserErrorCode::NotFound, "id", format!("no instance has the id {}", id.as_str())))
}
