//! Values of subscriptions whose results subscribers share: see [`crate::transport::Sharing`].

use std::{any::Any, borrow::Cow, sync::Arc};

use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry::Registry};

use crate::transport::Sharing;

/// A value of a subscription, together with what it was made of.
pub(super) struct Shared<T, O> {
    value: T,
    /// `None` if no other subscriber has it.
    origin: Option<Arc<O>>,
}

impl<T, O> Shared<T, O> {
    /// The value that every subscriber with the same arguments makes of `origin`.
    pub(super) fn of(origin: &Arc<O>, value: T) -> Self {
        Self { value, origin: Some(Arc::clone(origin)) }
    }

    /// A value that only one subscriber has.
    pub(super) fn alone(value: T) -> Self {
        Self { value, origin: None }
    }
}

impl<T: OutputType, O> Shared<T, O> {
    async fn execute(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        metrics::counter!("toygres_subscription_executions_total").increment(1);
        self.value.resolve(ctx, field).await
    }
}

impl<T: OutputType, O: Any + Send + Sync> OutputType for Shared<T, O> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match (&self.origin, ctx.data_opt::<Sharing>()) {
            (Some(origin), Some(sharing)) => {
                let execution = async {
                    let value = self.execute(ctx, field).await?;
                    // The errors of fields that can be null.
                    let complete = ctx.query_env.errors.lock().is_ok_and(|errors| errors.is_empty());
                    Ok((value, complete))
                };
                sharing.resolve(origin, execution).await
            }
            _ => self.execute(ctx, field).await,
        }
    }
}
