//! The contract of [`Runtime::read_log`](toygres_domain::runtime::Runtime::read_log).

use futures::StreamExt;
use toygres_domain::{
    InstanceId,
    instance::ReasonCode,
    runtime::{LogChunk, LogStart},
    server_log::LogLine,
};

use super::Subject;

/// Runs every check of logs, one after the other.
pub(super) async fn check_logs(subject: Subject<'_>) {
    what_is_not_deployed_has_no_log(subject).await;
    a_log_is_read_from_a_position(subject).await;
}

/// The error says that there is no log, or none here.
async fn what_is_not_deployed_has_no_log(subject: Subject<'_>) {
    let refused = subject.runtime.read_log(InstanceId::generate(), LogStart::Newest(1), false).await.err().expect("there is no log");
    assert!(matches!(refused.reason.code, ReasonCode::NotRunning | ReasonCode::LogNotHere), "{refused:?}");
}

/// The lines have positions that grow, and reading on from one begins with its line. A host without real servers has none.
async fn a_log_is_read_from_a_position(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-log");
    subject.deploy(&deployment).await;
    subject.ready(deployment.id).await;
    let (lines, chunks) = read(subject, deployment.id, LogStart::Newest(u64::MAX)).await;
    assert_eq!((chunks.first(), chunks.last()), (Some(&LogChunk::Oldest), Some(&LogChunk::End)));
    assert!(lines.is_sorted_by(|one, other| one.position < other.position), "{lines:#?}");
    if let Some(line) = lines.get(lines.len() / 2) {
        let (rest, chunks) = read(subject, deployment.id, LogStart::At(line.position)).await;
        assert_eq!(rest.first(), Some(line));
        assert!(rest.len() >= lines.len() - lines.len() / 2 && !chunks.contains(&LogChunk::Gap), "{chunks:#?}");
        let ready = lines.iter().any(|line| line.text.contains("database system is ready to accept connections"));
        assert!(ready, "{lines:#?}");
    }
    subject.remove(deployment.id, false).await;
}

/// The lines of a log to its present end, and all chunks.
async fn read(subject: Subject<'_>, id: InstanceId, start: LogStart) -> (Vec<LogLine>, Vec<LogChunk>) {
    let mut stream = subject.runtime.read_log(id, start, false).await.expect("there is a log");
    let (mut lines, mut chunks) = (Vec::new(), Vec::new());
    while let Some(chunk) = tokio::time::timeout(subject.timeout, stream.next()).await.expect("a log that is not followed ends") {
        let chunk = chunk.expect("it can be read");
        if let LogChunk::Lines(more) = &chunk {
            lines.extend(more.iter().cloned());
        }
        chunks.push(chunk);
    }
    (lines, chunks)
}
