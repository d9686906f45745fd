//! The GraphQL contract (DESIGN section 5): types, resolvers and the one place where errors get their codes.

mod errors;
mod guard;
mod loaders;
mod mutation;
mod paging;
mod query;
mod subscription;
mod types;

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder, dataloader::DataLoader};

pub use errors::mask;
pub use mutation::Mutation;
pub use query::Query;
pub use subscription::Subscription;

use crate::app::App;

/// The schema with its roots.
pub type ToygresSchema = Schema<Query, Mutation, Subscription>;

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
pub fn schema(app: App, limits: QueryLimits) -> ToygresSchema {
    let store = app.store.clone();
    let mut builder = builder()
        .limit_depth(limits.depth)
        .limit_complexity(limits.complexity)
        .data(DataLoader::new(loaders::Passwords(store.clone()), tokio::spawn))
        .data(DataLoader::new(loaders::Instances(store.clone()), tokio::spawn))
        .data(DataLoader::new(loaders::Operations(store), tokio::spawn))
        .data(app);
    if !limits.introspection {
        builder = builder.disable_introspection();
    }
    builder.finish()
}

/// The contract as text: what `schema.graphql` holds.
#[must_use]
pub fn sdl() -> String {
    builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by())
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query, Mutation, Subscription).register_output_type::<types::Node>()
}
