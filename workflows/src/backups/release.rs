//! What stops a server waits until no worker follows it.

use std::time::{Duration, Instant};

use toygres_domain::{InstanceId, Result};

use crate::ActivityContext;

/// How long a worker may take to archive what it has received, and to say that it follows no more. A server that is stopped before waits
/// for it itself.
const AT_MOST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until the WAL of an instance is not followed any more, which ends because an operation works on the instance. Without this, the
/// server would take the time of its shutdown for that.
pub(crate) async fn until_released(context: &ActivityContext, id: InstanceId) -> Result<()> {
    let deadline = Instant::now() + AT_MOST;
    while context.store.archives_of(&[id]).await?.get(&id).is_some_and(|archive| archive.followed) {
        if Instant::now() > deadline {
            tracing::debug!(instance = %id, "the WAL of an instance is still followed; its server is stopped all the same");
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
