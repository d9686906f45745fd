//! `InstanceOrder`.

use async_graphql::{Enum, InputObject};
use toygres_store::{InstanceOrder, InstanceOrderField};

/// The fields that instances can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "InstanceOrderField")]
pub enum InstanceOrderByField {
    /// By the time of creation.
    CreatedAt,
    /// By name.
    Name,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Ascending: the smallest or oldest first.
    Asc,
    /// Descending: the largest or newest first.
    Desc,
}

/// The order of instances.
#[derive(Clone, Copy, Debug, InputObject)]
#[graphql(name = "InstanceOrder")]
pub struct InstanceOrderInput {
    /// The field to order by.
    field: InstanceOrderByField,
    /// The direction.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<InstanceOrderInput> for InstanceOrder {
    fn from(input: InstanceOrderInput) -> Self {
        let InstanceOrderInput { field, direction } = input;
        Self { field: field.into(), descending: direction == OrderDirection::Desc }
    }
}
