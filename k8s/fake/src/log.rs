//! The logs of pods: those of servers are what they write to their files, with the times in it as those at which the node has received it.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::body::{Body, Bytes};
use futures::stream;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::Shared;

/// How often a file is looked at that is followed.
const INTERVAL: Duration = Duration::from_millis(20);

/// The answer to a request for the log of a server.
pub(super) fn body(shared: &Arc<Shared>, file: &Path, pod: &Value, parameters: &HashMap<String, String>) -> Body {
    let parameter = |name: &str| parameters.get(name).map(String::as_str);
    let Ok(file) = File::open(file) else { return Body::empty() };
    let mut log = Log {
        shared: Arc::clone(shared),
        pod: pod.clone(),
        lines: BufReader::new(file),
        begun: String::new(),
        last: Timestamp::UNIX_EPOCH,
        since: parameter("sinceTime").and_then(|since| since.parse().ok()),
        timestamps: parameter("timestamps") == Some("true"),
        follow: parameter("follow") == Some("true"),
        first: VecDeque::new(),
    };
    log.first = log.available().into();
    if let Some(tail) = parameter("tailLines").and_then(|tail| tail.parse::<usize>().ok()) {
        log.first.drain(..log.first.len().saturating_sub(tail));
    }
    Body::from_stream(stream::unfold(log, async |mut log: Log| Some((Ok::<_, std::io::Error>(log.next().await?), log))))
}

struct Log {
    shared: Arc<Shared>,
    pod: Value,
    lines: BufReader<File>,
    begun: String,
    last: Timestamp,
    since: Option<Timestamp>,
    timestamps: bool,
    follow: bool,
    first: VecDeque<String>,
}

impl Log {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.first.is_empty() {
                return Some(Vec::from(std::mem::take(&mut self.first)).concat().into());
            }
            // Looked at first: what it has written before its end is read.
            let is_over = !self.follow || !self.runs();
            self.first = self.available().into();
            if self.first.is_empty() {
                if is_over {
                    return None;
                }
                tokio::time::sleep(INTERVAL).await;
            }
        }
    }

    fn runs(&self) -> bool {
        self.shared.cluster().node.as_ref().is_some_and(|node| node.has_server(&self.pod))
    }

    /// The lines that have been written.
    fn available(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while self.lines.read_line(&mut self.begun).is_ok_and(|count| count > 0) && self.begun.ends_with('\n') {
            let line = std::mem::take(&mut self.begun);
            let written = line.get(..27).and_then(|time| time.replace(" UTC", "Z").replacen(' ', "T", 1).parse::<Timestamp>().ok());
            // The node gives each line another time.
            let next = Timestamp::from_nanosecond(self.last.as_nanosecond() + 1).expect("it is in range");
            self.last = written.map_or(next, |written| written.max(next));
            if self.since.is_none_or(|since| self.last >= since) {
                lines.push(if self.timestamps { format!("{} {line}", self.last) } else { line });
            }
        }
        lines
    }
}
