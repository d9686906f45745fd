//! Events, in which controllers and the kubelet report what the status of an object does not contain.

use k8s_openapi::{api::core::v1::Event, jiff::Timestamp};

/// The newest event: an older one may report a problem that has passed.
pub(super) fn newest(events: &[Event]) -> Option<&Event> {
    events.iter().max_by_key(|event| time(event))
}

/// The newest event that has one of the reasons.
pub(crate) fn newest_of<'a>(events: &'a [Event], kind: &str, reasons: &[&str]) -> Option<&'a Event> {
    events
        .iter()
        .filter(|event| event.involved_object.kind.as_deref() == Some(kind))
        .filter(|event| event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason)))
        .max_by_key(|event| time(event))
}

/// The message of an event.
pub(crate) fn message(event: &Event) -> &str {
    event.message.as_deref().unwrap_or_default()
}

/// The last time of an event. The field depends on the API that its author uses.
pub(crate) fn time(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let single = event.event_time.as_ref().map(|time| time.0);
    series.or(last).or(single)
}
