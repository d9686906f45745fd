//! The GraphQL contract: types, resolvers and the one place where errors get their codes.

mod batching;
mod complexity;
mod errors;
mod guard;
mod loaders;
mod mutations;
mod paging;
mod query;
mod sdl;
mod shared;
mod subscription;
mod types;

use async_graphql::{Executor, Schema, SchemaBuilder};

pub use errors::mask;
pub use mutations::Mutation;
pub use query::Query;
pub use sdl::sdl;
pub use subscription::Subscription;

use paging::{Counted, Uncounted};

use crate::app::App;

/// How much one request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct QueryLimits {
    /// Nesting of fields. GraphiQL's introspection needs about 15.
    pub depth: usize,
    /// Sum of the fields; those of a list count once per possible entry.
    pub complexity: usize,
    /// Whether introspection is allowed.
    pub introspection: bool,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { depth: 16, complexity: 5_000, introspection: true }
    }
}

/// The executable schema of `app`.
#[must_use]
pub fn schema(app: App, limits: QueryLimits) -> impl Executor {
    let store = app.store.clone();
    let mut builder = loaders::install(builder(), store).limit_depth(limits.depth).limit_complexity(limits.complexity).data(app);
    if !limits.introspection {
        builder = builder.disable_introspection();
    }
    batching::Batching(builder.finish())
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // The library's own connections have no place for a description.
    Schema::build(Query, Mutation::default(), Subscription)
        .register_output_type::<types::Node>()
        .override_output_type_description::<Counted<types::Instance>>("A page of instances.")
        .override_output_type_description::<Counted<types::Operation>>("A page of operations.")
        .override_output_type_description::<Uncounted<types::ApiToken>>("A page of API tokens.")
        .override_output_type_description::<Uncounted<types::Webhook>>("A page of webhooks.")
        .override_output_type_description::<Uncounted<types::DatabaseUser>>("A page of the users of an instance.")
        .override_output_type_description::<Uncounted<types::Database>>("A page of the databases of an instance.")
        .override_output_type_description::<Uncounted<types::Backup>>("A page of the base backups of an instance.")
        .override_output_type_description::<Uncounted<types::HealthCheck>>("A page of the health checks of an instance.")
        .override_output_type_description::<Uncounted<types::InstanceEvent>>("A page of the events of an instance.")
        .override_output_type_description::<types::LogEntries>("A page of the log of an instance, the oldest entry first.")
}
