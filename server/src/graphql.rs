//! The GraphQL contract (DESIGN section 5): types, resolvers and the one place where errors get their codes.

mod batching;
mod errors;
mod guard;
mod loaders;
mod mutation;
mod paging;
mod query;
mod subscription;
mod types;

use async_graphql::{Executor, SDLExportOptions, Schema, SchemaBuilder};

pub use errors::mask;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use paging::{Counted, Uncounted};

use crate::app::App;

/// How much one request may ask for.
#[derive(Clone, Copy, Debug)]
pub struct QueryLimits {
    /// Nesting of fields. GraphiQL's introspection needs about 15.
    pub depth: usize,
    /// Sum of the fields, those of lists counted as often as they may come.
    pub complexity: usize,
    /// Whether the schema can be asked for.
    pub introspection: bool,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { depth: 16, complexity: 5_000, introspection: true }
    }
}

/// The schema, at work in `app`.
#[must_use]
pub fn schema(app: App, limits: QueryLimits) -> impl Executor {
    let store = app.store.clone();
    let mut builder = loaders::install(builder(), store).limit_depth(limits.depth).limit_complexity(limits.complexity).data(app);
    if !limits.introspection {
        builder = builder.disable_introspection();
    }
    batching::Batching(builder.finish())
}

/// The contract as text: what `schema.graphql` holds.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by())
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // The library's own connections have no place for a description.
    Schema::build(Query, Mutation, Subscription)
        .register_output_type::<types::Node>()
        .override_output_type_description::<Counted<types::Instance>>("A page of instances.")
        .override_output_type_description::<Counted<types::Operation>>("A page of operations.")
        .override_output_type_description::<Uncounted<types::ApiToken>>("A page of API tokens.")
        .override_output_type_description::<Uncounted<types::HealthCheck>>("A page of the samples of one instance.")
        .override_output_type_description::<Uncounted<types::InstanceEvent>>("A page of the events of one instance.")
}
