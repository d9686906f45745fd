//! Metrics of this server for Prometheus, at `/metrics`. The workflow engine adds its own through the same facade.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds in seconds for the lag of events: from well below the promise of milliseconds to an outage.
const LAG: &[f64] = &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Starts to collect.
///
/// # Errors
/// One sentence, when something else in this process collects already.
pub(crate) fn start() -> Result<PrometheusHandle, String> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("toygres_event_lag_seconds".to_owned()), LAG)
        .map_err(|error| error.to_string())?;
    let handle = builder.install_recorder().map_err(|error| format!("metrics cannot be collected: {error}"))?;
    describe();
    Ok(handle)
}

fn describe() {
    use metrics::{describe_counter, describe_gauge, describe_histogram};
    describe_gauge!("toygres_sockets", "WebSockets and event streams that are open");
    describe_gauge!("toygres_feeds", "Subscriptions that follow the event log");
    describe_counter!("toygres_events_read_total", "Events read from the log, once for all subscribers");
    describe_histogram!("toygres_event_lag_seconds", "From the write of an event to its hand-out to subscribers");
    describe_counter!("toygres_deliveries_total", "Results sent to subscribers");
    describe_counter!("toygres_events_coalesced_total", "Events of state streams that a later one of the same instance replaced");
    describe_counter!("toygres_feed_resyncs_total", "Subscribers that fell behind and read on from the table");
    describe_counter!("toygres_listener_connects_total", "Times that the listening connection was made; all but the first were losses");
}
