//! Relay connections: the arguments of a page, and its cursors.

use async_graphql::{
    Context, OutputType, Result, SimpleObject,
    connection::{Connection, DefaultConnectionName, DefaultEdgeName, Edge, EmptyFields, EnableNodesField},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use toygres_store::{Page, PageRequest};

use super::errors::coded;
use crate::app::limits::PAGE_SIZE;

/// Entries of a page when neither `first` nor `last` is given.
pub(super) const DEFAULT_PAGE: i32 = match PAGE_SIZE.default {
    Some(default) => default,
    None => PAGE_SIZE.max,
};

/// Additional fields of a connection with a total count.
#[derive(SimpleObject)]
pub struct Total {
    /// The number of entries in the whole list.
    total_count: i32,
}

/// A connection with a total count.
pub(super) type Counted<T> = Connection<String, T, Total, EmptyFields, DefaultConnectionName, DefaultEdgeName, EnableNodesField>;
/// A connection without a total count, because counting is too expensive.
pub(super) type Uncounted<T> = Connection<String, T, EmptyFields, EmptyFields, DefaultConnectionName, DefaultEdgeName, EnableNodesField>;

/// The Relay arguments of a connection field.
pub(super) struct Arguments {
    pub(super) first: Option<i32>,
    pub(super) after: Option<String>,
    pub(super) last: Option<i32>,
    pub(super) before: Option<String>,
}

impl Arguments {
    /// Validates the arguments. `read` parses cursors.
    pub(super) fn request<K>(self, read: impl Fn(&str) -> Option<K>) -> Result<PageRequest<K>> {
        let position = |name: &str, cursor: Option<String>| {
            cursor
                .map(|cursor| read(&cursor).ok_or_else(|| coded("BAD_USER_INPUT", format!("{name}: '{cursor}' is not a cursor of this connection"))))
                .transpose()
        };
        let (limit, name, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(coded("BAD_USER_INPUT", "first and last exclude each other")),
            (Some(first), None) => (first, "first", false),
            (None, Some(last)) => (last, "last", true),
            (None, None) => (DEFAULT_PAGE, "first", false),
        };
        if !PAGE_SIZE.contains(limit) {
            return Err(coded("BAD_USER_INPUT", format!("{name} must be {} to {}, not {limit}", PAGE_SIZE.min, PAGE_SIZE.max)));
        }
        Ok(PageRequest { after: position("after", self.after)?, before: position("before", self.before)?, limit: limit.into(), backward })
    }
}

/// Whether the query selects the total of the connection that is being resolved, which requires an additional statement.
pub(super) fn wants_total(ctx: &Context<'_>) -> bool {
    ctx.look_ahead().field("totalCount").exists()
}

/// The connection of a page with its total, which is only needed if [`wants_total`].
pub(super) fn counted<S, T: OutputType>(page: Page<S>, total_count: i64, cursor: impl Fn(&S) -> String, node: impl Fn(S) -> T) -> Counted<T> {
    let mut connection =
        Connection::with_additional_fields(page.has_previous, page.has_next, Total { total_count: i32::try_from(total_count).unwrap_or(i32::MAX) });
    connection.edges.extend(page.items.into_iter().map(|item| Edge::new(cursor(&item), node(item))));
    connection
}

/// The connection of a page.
pub(super) fn uncounted<S, T: OutputType>(page: Page<S>, cursor: impl Fn(&S) -> String, node: impl Fn(S) -> T) -> Uncounted<T> {
    let mut connection = Connection::new(page.has_previous, page.has_next);
    connection.edges.extend(page.items.into_iter().map(|item| Edge::new(cursor(&item), node(item))));
    connection
}

/// Encodes the parts of a position as an opaque cursor.
pub(super) fn opaque(parts: &[&str]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(parts.join("/"))
}

/// Decodes a cursor that [`opaque`] has encoded.
pub(super) fn parts<const N: usize>(cursor: &str) -> Option<[String; N]> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.splitn(N, '/').map(str::to_owned).collect::<Vec<_>>().try_into().ok()
}
