//! `restoreInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};

use super::{app, like_source::LikeSourceInput, requester};
use crate::{
    app::restore_instance::{RestoreInstance, TargetChoice},
    graphql::guard::operator,
};

/// Input of `restoreInstance`. What is omitted is as in the source, whose user, database and version of PostgreSQL the new instance has.
#[derive(InputObject)]
pub struct RestoreInstanceInput {
    /// The ID of the instance that was backed up. It may run, and it may be deleted as long as its backups are kept.
    source_id: ID,
    /// The point to restore (default: everything that was archived).
    target: Option<RestoreTargetInput>,
    #[graphql(flatten)]
    instance: LikeSourceInput,
}

/// A point to restore: at most one field.
#[derive(InputObject)]
pub struct RestoreTargetInput {
    /// A time within `recovery.intervals`, by the clock of the server: what was committed by then, and nothing later.
    time: Option<DateTime<Utc>>,
    /// A position in the WAL, such as `0/3000060`.
    lsn: Option<String>,
    /// The ID of a backup: the moment at which it was complete.
    backup_id: Option<ID>,
}

operation_payload! {
    /// Payload of `restoreInstance`.
    RestoreInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RestoreInstanceMutation;

#[Object]
impl RestoreInstanceMutation {
    /// Creates an instance with the data of another one, as it was at a point in time. The source stays as it is. Returns at once; subscribe
    /// to the operation to follow it.
    #[graphql(guard = "operator()")]
    async fn restore_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to restore.")] input: RestoreInstanceInput,
    ) -> Result<RestoreInstancePayload> {
        let RestoreInstanceInput { source_id, target, instance } = input;
        let target = target.map(|RestoreTargetInput { time, lsn, backup_id }| TargetChoice { time, lsn, backup_id: backup_id.map(|id| id.0) });
        let input = RestoreInstance { source_id: source_id.0, target: target.unwrap_or_default(), instance: instance.into() };
        RestoreInstancePayload::new(app(ctx).restore_instance(input, requester(ctx)).await)
    }
}
