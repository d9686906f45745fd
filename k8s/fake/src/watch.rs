//! Watches: the history from a resource version on, then every new change.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures::stream;
use serde_json::{Value, json};

use super::{Shared, http::Query, objects::Kind, status};

/// The response to a watch: one JSON line for each event, until the client disconnects, the time-out passes, or the history
/// it needs was discarded.
pub fn body(shared: Arc<Shared>, kind: &'static Kind, query: Query) -> Body {
    let from: u64 = query.get("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(query.get("timeoutSeconds").and_then(|text| text.parse().ok()).unwrap_or(300));
    let first = Cursor { shared, kind, query, seen: from, deadline, over: false };
    Body::from_stream(stream::unfold(first, |mut cursor| async move {
        let lines = cursor.next().await?;
        Some((Ok::<_, std::io::Error>(Bytes::from(lines)), cursor))
    }))
}

struct Cursor {
    shared: Arc<Shared>,
    kind: &'static Kind,
    query: Query,
    seen: u64,
    deadline: tokio::time::Instant,
    over: bool,
}

impl Cursor {
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        let mut changes = self.shared.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let lines = self.read();
            if !lines.is_empty() {
                return Some(lines);
            }
            if tokio::time::Instant::now() >= self.deadline {
                return None;
            }
            if tokio::time::timeout(self.shared.bookmarks, changes.changed()).await.is_err() {
                return Some(self.bookmark());
            }
        }
    }

    fn read(&mut self) -> String {
        let shared = Arc::clone(&self.shared);
        let cluster = shared.cluster();
        if cluster.watches_held {
            return String::new();
        }
        if self.seen < cluster.discarded {
            self.over = true;
            return line(&status::expired());
        }
        let changes = cluster.history.iter().filter(|change| change.version > self.seen && change.resource == self.kind.resource);
        let lines = changes.filter_map(|change| {
            // Objects never leave a selection here: labels do not change.
            let event = if self.query.selects(&change.object) { change.kind } else { return None };
            Some(line(&json!({"type": event, "object": self.query.shape(&change.object)})))
        });
        let lines: String = lines.collect();
        self.seen = cluster.version;
        lines
    }

    fn bookmark(&self) -> String {
        let kind = if self.query.metadata_only { "PartialObjectMetadata" } else { self.kind.kind };
        let version = if self.query.metadata_only { "meta.k8s.io/v1".to_owned() } else { self.kind.api_version() };
        let mut object = json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": self.seen.to_string()}});
        // A bookmark is an empty object of the watched kind; some kinds cannot be parsed without these fields.
        if !self.query.metadata_only && self.kind.kind == "Event" {
            object["involvedObject"] = json!({});
        }
        line(&json!({"type": "BOOKMARK", "object": object}))
    }
}

fn line(event: &Value) -> String {
    format!("{event}\n")
}
