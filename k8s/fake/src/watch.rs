//! Watches: the history from a version on, then what comes.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures::stream;
use serde_json::{Value, json};

use super::{Shared, http::Query, objects::Kind, status};

/// How long a watch is silent before a bookmark tells it how far it is.
const BOOKMARK: Duration = Duration::from_millis(50);

/// The answer to a watch: one JSON line for each event, until the client goes, its time is over, or the history it needs
/// is forgotten.
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
            if tokio::time::timeout(BOOKMARK, changes.changed()).await.is_err() {
                return Some(self.bookmark());
            }
        }
    }

    fn read(&mut self) -> String {
        let shared = Arc::clone(&self.shared);
        let world = shared.world();
        if self.seen < world.forgotten {
            self.over = true;
            return line(&status::expired());
        }
        let news = world.history.iter().filter(|change| change.version > self.seen && change.resource == self.kind.resource);
        let lines = news.filter_map(|change| {
            // An object that leaves the selection looks deleted to whoever watches the selection.
            let event = if self.query.selects(&change.object) { change.kind } else { return None };
            Some(line(&json!({"type": event, "object": self.query.shape(&change.object)})))
        });
        let lines: String = lines.collect();
        self.seen = world.version;
        lines
    }

    fn bookmark(&self) -> String {
        let kind = if self.query.metadata_only { "PartialObjectMetadata" } else { self.kind.kind };
        let version = if self.query.metadata_only { "meta.k8s.io/v1".to_owned() } else { self.kind.api_version() };
        let mut object = json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": self.seen.to_string()}});
        // As at a real server, a bookmark is of the watched kind and else empty; some kinds cannot be read without these.
        if !self.query.metadata_only && self.kind.kind == "Event" {
            object["involvedObject"] = json!({});
        }
        line(&json!({"type": "BOOKMARK", "object": object}))
    }
}

fn line(event: &Value) -> String {
    format!("{event}\n")
}
