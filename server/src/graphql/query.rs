//! Queries: read the metadata.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use chrono::DateTime;
use toygres_domain::{InstanceId, OperationId, instance::InstanceFilter};
use toygres_store::{InstanceOrder, InstanceOrderField, InstancePosition, OperationFilter};

use super::{
    errors::error,
    guard::admin,
    paging::{Arguments, Counted, Uncounted, counted, opaque, parts, uncounted, wants_total},
    types::{ApiToken, ControlPlane, Instance, InstanceFilterInput, InstanceOrderInput, Node, Operation, OperationFilterInput},
};
use crate::app::App;

/// The root of queries.
pub struct Query;

/// Reads.
#[Object]
impl Query {
    /// The object with this id.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "A globally unique id.")] id: ID) -> Result<Option<Node>> {
        match id.parse::<InstanceId>() {
            Ok(_) => Ok(self.instance(ctx, id).await?.map(Node::Instance)),
            Err(_) => Ok(self.operation(ctx, id).await?.map(Node::Operation)),
        }
    }

    /// The instance with this id, deleted ones included.
    async fn instance(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Instance>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let found = ctx.data_unchecked::<App>().store.instance(id).await.map_err(error)?;
        Ok(found.map(|instance| Instance(Arc::new(instance))))
    }

    /// The instance that has this name now.
    async fn instance_by_name(&self, ctx: &Context<'_>, #[graphql(desc = "Its name.")] name: String) -> Result<Option<Instance>> {
        let found = ctx.data_unchecked::<App>().store.instance_by_name(&name).await.map_err(error)?;
        Ok(found.map(|instance| Instance(Arc::new(instance))))
    }

    /// Instances, a page at a time.
    #[graphql(complexity = "first.or(last).unwrap_or(50).max(0) as usize * child_complexity + 5")]
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn instances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many (50; 500 at the most).")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones; all that are not deleted, when left out.")] filter: Option<InstanceFilterInput>,
        #[graphql(desc = "In which order; the oldest first, when left out.")] order_by: Option<InstanceOrderInput>,
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

    /// The operation with this id; the id of one of its workflow runs (`...-r1`) finds it too.
    async fn operation(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Operation>> {
        let found = ctx.data_unchecked::<App>().store.operation(&OperationId::from_any(&id)).await.map_err(error)?;
        Ok(found.map(|operation| Operation(Arc::new(operation))))
    }

    /// Operations, the newest first, a page at a time.
    #[graphql(complexity = "first.or(last).unwrap_or(50).max(0) as usize * child_complexity + 5")]
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many (50; 500 at the most).")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which ones.")] filter: Option<OperationFilterInput>,
    ) -> Result<Counted<Operation>> {
        let filter = filter.map(OperationFilter::try_from).transpose()?.unwrap_or_default();
        super::types::list_operations(ctx, filter, Arguments { first, after, last, before }).await
    }

    /// API tokens, the newest first, a page at a time.
    #[graphql(guard = "admin()", complexity = "first.or(last).unwrap_or(50).max(0) as usize * child_complexity + 5")]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many (50; 500 at the most).")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Uncounted<ApiToken>> {
        let page = Arguments { first, after, last, before }.request(|cursor| cursor.parse().ok())?;
        let page = ctx.data_unchecked::<App>().store.tokens(&page).await.map_err(error)?;
        Ok(uncounted(page, |token| token.id.to_string(), ApiToken))
    }

    /// The control plane itself: version, runtime, offered PostgreSQL versions, health, and who asks.
    async fn control_plane(&self) -> ControlPlane {
        ControlPlane
    }
}
