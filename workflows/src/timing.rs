//! How long workflows and activities wait, and how often they repeat. Tests shorten it; the defaults are what servers use.

use std::time::Duration;

#[cfg(doc)]
use crate::SlowChecks;

/// How an activity is repeated.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The time after which an attempt counts as lost. `None` waits without a limit, which saves the engine a timer: for an
    /// activity with its own time-out, in a workflow that the sweeper replaces if the engine has lost the activity.
    pub timeout: Option<Duration>,
    /// How many attempts may end unexpectedly. Temporary errors are not counted, because the activity itself fails at the deadline.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles each time.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Whether a nudge ends a pause early, so that a cancellation takes effect immediately.
    pub wakes: bool,
}

/// All times of workflows and activities.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// For writes to the metadata, which are short and retried many times.
    pub metadata: RetryPolicy,
    /// For verbs of the runtime.
    pub runtime: RetryPolicy,
    /// For a check of the health.
    pub health: RetryPolicy,
    /// The time limit of a whole check; more than the longest time-out of an instance.
    pub check: Duration,
    /// The first and the longest pause between two polls of something that is in progress.
    pub poll_interval: (Duration, Duration),
    /// How long a poll may wait within an activity, which costs much less than another turn of the engine.
    pub long_poll: Duration,
    /// How long a verb of the runtime may take: less than the activity's time-out, so that no attempt overlaps the next.
    pub verb: Duration,
    /// How long an instance that ran before may wait for a node with room for its new size: an autoscaler needs minutes to add one, and
    /// clients wait meanwhile.
    pub unschedulable: Duration,
    /// How long after its deadline an operation may still clean up.
    pub clean_up: Duration,
    /// How long after its deadline an operation's workflow counts as stuck; more than `clean_up`.
    pub stuck: Duration,
    /// How long a deletion waits until everything that the instance has committed is archived, before it goes on without.
    pub close_archive: Duration,
    /// How long one run of an operation without a deadline may take before it counts as stuck, and is replaced by the next.
    pub run: Duration,
    /// The pause before an operation that must not fail is retried after a permanent error.
    pub keep_trying: Duration,
    /// How long the engine may take to start a workflow.
    pub start: Duration,
    /// The time limit of operations that the control plane requests itself.
    pub operation: Duration,
    /// How often a monitor polls.
    pub monitor: Duration,
    /// The number of consecutive failed checks that count as an outage, if the runtime reports none.
    pub confirmations: u32,
    /// The pause between a failed check and its repetition.
    pub recheck: Duration,
    /// The maximum time-out of a repeated check: the first check had the instance's whole time-out, and an outage must be confirmed
    /// soon after it.
    pub recheck_timeout: Duration,
    /// How long a check may take without a permit to wait for a silent instance: see [`SlowChecks`]. Healthy instances answer within
    /// milliseconds, and another node of a cluster within tens of them.
    pub prompt: Duration,
    /// The pause before a check that was postponed for want of such a permit is made again. It doubles each time, up to the interval
    /// of the instance.
    pub postponed: Duration,
    /// The pause between checks of an unhealthy instance: short, so that a recovery is noticed soon.
    pub recovery: Duration,
    /// How often all running instances are inspected for drift, whatever nudges there are.
    pub inspection: Duration,
    /// How often the certificates of all running instances are looked at.
    pub certificates: Duration,
    /// The pause while checks are suspended because an operation is changing the instance. A nudge ends it when the operation is
    /// finished.
    pub paused: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let metadata = RetryPolicy {
            timeout: Some(Duration::from_secs(30)),
            attempts: 20,
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(10),
            wakes: false,
        };
        Self {
            metadata,
            runtime: RetryPolicy { timeout: Some(Duration::from_secs(120)), attempts: 6, pause: Duration::from_millis(500), wakes: true, ..metadata },
            health: RetryPolicy { timeout: None, attempts: 20, pause: Duration::from_secs(1), ..metadata },
            check: Duration::from_secs(90),
            poll_interval: (Duration::from_millis(500), Duration::from_secs(5)),
            long_poll: Duration::from_millis(1500),
            verb: Duration::from_secs(100),
            unschedulable: Duration::from_secs(180),
            clean_up: Duration::from_secs(120),
            stuck: Duration::from_secs(240),
            close_archive: Duration::from_secs(300),
            run: Duration::from_secs(600),
            keep_trying: Duration::from_secs(30),
            start: Duration::from_secs(30),
            operation: Duration::from_secs(600),
            monitor: Duration::from_secs(30),
            confirmations: 3,
            recheck: Duration::from_millis(500),
            recheck_timeout: Duration::from_millis(750),
            prompt: Duration::from_secs(1),
            postponed: Duration::from_secs(1),
            recovery: Duration::from_secs(2),
            inspection: Duration::from_secs(30),
            certificates: Duration::from_secs(30),
            paused: Duration::from_secs(5),
        }
    }
}
