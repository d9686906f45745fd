//! Queries: read the metadata.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use chrono::DateTime;
use toygres_domain::{OperationId, instance::InstanceFilter};
use toygres_store::{InstanceOrder, InstanceOrderField, InstancePosition, OperationFilter};

use super::{
    complexity::{LIST, LOOK_UP, page_complexity},
    errors::error,
    guard::admin,
    paging::{Arguments, Counted, Uncounted, counted, opaque, parts, uncounted, wants_total},
    types::{ApiToken, ControlPlane, Instance, InstanceFilterInput, InstanceOrderInput, Node, NodeId, Operation, OperationFilterInput, Webhook},
};
use crate::app::App;

/// The root of queries.
pub struct Query;

/// The root of queries.
#[Object]
impl Query {
    /// Finds an object by its globally unique ID.
    #[graphql(complexity = "child_complexity + LOOK_UP")]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The ID of the object.")] id: ID) -> Result<Option<Node>> {
        NodeId::parse(&id).find(ctx).await
    }

    /// Finds an instance by its ID, including deleted instances.
    #[graphql(complexity = "child_complexity + LOOK_UP")]
    async fn instance(&self, ctx: &Context<'_>, #[graphql(desc = "The ID.")] id: ID) -> Result<Option<Instance>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = ctx.data_unchecked::<App>().store.instance(id).await.map_err(error)?;
        Ok(found.map(|instance| Instance(Arc::new(instance))))
    }

    /// Finds an instance by its name. Deleted instances are not found.
    #[graphql(complexity = "child_complexity + LOOK_UP")]
    async fn instance_by_name(&self, ctx: &Context<'_>, #[graphql(desc = "The name.")] name: String) -> Result<Option<Instance>> {
        let found = ctx.data_unchecked::<App>().store.instance_by_name(&name).await.map_err(error)?;
        Ok(found.map(|instance| Instance(Arc::new(instance))))
    }

    /// Lists instances.
    #[graphql(complexity = "page_complexity(first, last, child_complexity) + LIST")]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn instances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
        #[graphql(desc = "Selects instances (default: all that are not deleted).")] filter: Option<InstanceFilterInput>,
        #[graphql(desc = "The order (default: oldest first).")] order_by: Option<InstanceOrderInput>,
    ) -> Result<Counted<Instance>> {
        let page = Arguments { first, after, last, before }.request(|cursor| {
            let [micros, id, name] = parts::<3>(cursor)?;
            Some(InstancePosition { created_at: DateTime::from_timestamp_micros(micros.parse().ok()?)?, name, id: id.parse().ok()? })
        })?;
        let filter = filter.map(InstanceFilter::from).unwrap_or_default();
        let order = order_by.map_or(InstanceOrder { field: InstanceOrderField::CreatedAt, descending: false }, InstanceOrder::from);
        let store = &ctx.data_unchecked::<App>().store;
        let count = async { if wants_total(ctx) { store.count_instances(&filter).await } else { Ok(0) } };
        let (page, total) = futures::try_join!(store.instances(&filter, order, &page), count).map_err(error)?;
        let cursor = |instance: &toygres_domain::instance::Instance| {
            opaque(&[&instance.created_at.timestamp_micros().to_string(), &instance.id.to_string(), instance.name.as_str()])
        };
        Ok(counted(page, total, cursor, |instance| Instance(Arc::new(instance))))
    }

    /// Finds an operation by its ID, or by the ID of one of its workflow runs (`...-r1`).
    #[graphql(complexity = "child_complexity + LOOK_UP")]
    async fn operation(&self, ctx: &Context<'_>, #[graphql(desc = "The ID.")] id: ID) -> Result<Option<Operation>> {
        let found = ctx.data_unchecked::<App>().store.operation(&OperationId::from_any(&id)).await.map_err(error)?;
        Ok(found.map(|operation| Operation(Arc::new(operation))))
    }

    /// Lists operations, newest first.
    #[graphql(complexity = "page_complexity(first, last, child_complexity) + LIST")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
        #[graphql(desc = "Selects operations.")] filter: Option<OperationFilterInput>,
    ) -> Result<Counted<Operation>> {
        let filter = filter.map(OperationFilter::try_from).transpose()?.unwrap_or_default();
        super::types::list_operations(ctx, filter, Arguments { first, after, last, before }).await
    }

    /// Lists API tokens, newest first. Requires the role `ADMIN`.
    #[graphql(guard = "admin()", complexity = "page_complexity(first, last, child_complexity) + LIST")]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<ApiToken>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse().ok())?;
        let page = ctx.data_unchecked::<App>().store.tokens(&page).await.map_err(error)?;
        Ok(uncounted(page, |token| token.id.to_string(), ApiToken))
    }

    /// Lists webhooks, newest first. Requires the role `ADMIN`.
    #[graphql(guard = "admin()", complexity = "page_complexity(first, last, child_complexity) + LIST")]
    async fn webhooks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Returns the first _n_ entries (default 50, maximum 500).")] first: Option<i32>,
        #[graphql(desc = "Returns the entries that come after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns the last _n_ entries.")] last: Option<i32>,
        #[graphql(desc = "Returns the entries that come before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<Webhook>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse().ok())?;
        let page = ctx.data_unchecked::<App>().store.webhooks(&page).await.map_err(error)?;
        Ok(uncounted(page, |webhook| webhook.id.0.to_string(), Webhook))
    }

    /// The control plane itself: its version, runtime, limits and health, and the caller.
    async fn control_plane(&self) -> ControlPlane {
        ControlPlane
    }
}
