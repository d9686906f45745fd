//! Pages of lists as in the Relay connection specification: keyset pagination in both directions.

use std::collections::HashMap;

use toygres_domain::InstanceId;

/// A request for a part of an ordered list. `K` is the position of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest<K> {
    /// Only entries after this one.
    pub after: Option<K>,
    /// Only entries before this one.
    pub before: Option<K>,
    /// The maximum number of entries.
    pub limit: i64,
    /// Whether to take the entries from the end of the list instead of the start.
    pub backward: bool,
}

impl<K> PageRequest<K> {
    /// The first `limit` entries.
    #[must_use]
    pub fn first(limit: i64) -> Self {
        Self { after: None, before: None, limit, backward: false }
    }

    /// One more row than requested shows whether there are more.
    pub(super) fn fetch(&self) -> i64 {
        self.limit.saturating_add(1)
    }

    /// Builds the same page of the lists of several instances. Each row is an entry and its instance.
    pub(super) fn pages<T>(&self, instances: &[InstanceId], rows: impl IntoIterator<Item = (InstanceId, T)>) -> HashMap<InstanceId, Page<T>> {
        let mut lists: HashMap<InstanceId, Vec<T>> = instances.iter().map(|id| (*id, Vec::new())).collect();
        for (instance, item) in rows {
            lists.entry(instance).or_default().push(item);
        }
        lists.into_iter().map(|(instance, items)| (instance, self.page(items))).collect()
    }

    /// Builds the page from the fetched rows, which are in the order of the scan.
    pub(super) fn page<T>(&self, mut items: Vec<T>) -> Page<T> {
        let more = i64::try_from(items.len()).is_ok_and(|n| n > self.limit);
        if more {
            items.pop();
        }
        if self.backward {
            items.reverse();
        }
        Page {
            items,
            has_next: if self.backward { self.before.is_some() } else { more },
            has_previous: if self.backward { more } else { self.after.is_some() },
        }
    }
}

/// A part of an ordered list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries, always in the order of the list.
    pub items: Vec<T>,
    /// Whether there are more entries after these.
    pub has_next: bool,
    /// Whether there are more entries before these.
    pub has_previous: bool,
}

impl<T> Default for Page<T> {
    /// An empty page of an empty list.
    fn default() -> Self {
        Self { items: Vec::new(), has_next: false, has_previous: false }
    }
}
