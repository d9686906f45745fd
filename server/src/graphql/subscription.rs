//! Subscriptions, served from the hub. `instance` and `operation` are latest-value streams, which resume by starting again with the
//! current value. The others resume from a cursor.

use std::{collections::HashMap, collections::HashSet, sync::Arc};

use async_graphql::{Context, ErrorExtensions, ID, Result, Subscription};
use async_stream::try_stream;
use futures::{Stream, StreamExt};
use toygres_domain::{
    InstanceId, OperationId, UserErrorCode,
    backup::{Archive, Backup},
    event::{Cursor, EventKind},
    instance::{Instance as DomainInstance, InstanceFilter, Reason},
    server_log::LogFilter,
};
use toygres_store::PageRequest;

use super::{
    errors::{coded, error},
    guard::{admin, operator},
    shared::Shared,
    types::{
        HealthCheck, Instance, InstanceChange, InstanceChangeType, InstanceEvent, InstanceFilterInput, InstanceLogBatch, InstanceMetrics,
        LogSeverity, MetricName, Operation, Webhook, metric_names,
    },
};
use crate::{
    app::{App, is_final, limits::WEBHOOKS, logs::FollowFrom},
    live::{Delivery, Feed, Hub},
    transport::ResumeCursor,
};

/// The cursor of snapshot items: a client that resumes within the snapshot starts it again.
const SNAPSHOT_CURSOR: &str = "snapshot";
/// The cursor before the oldest event that is kept.
const OLDEST: &str = "0";
/// The number of health checks that are read at a time.
const SAMPLES: i64 = 100;
/// The base backups of an instance whose changes are noticed: the newest ones.
const WATCHED_BACKUPS: i64 = 50;

/// The root of subscriptions.
pub struct Subscription;

/// The root of subscriptions.
#[Subscription]
impl Subscription {
    /// Follows the list of instances: `SNAPSHOT` items, one `SNAPSHOT_COMPLETE`, then `UPSERTED` and `REMOVED` items. Several
    /// changes of one instance may arrive as one item. With `after`, there is no snapshot, only the changes after that cursor.
    async fn instances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Selects instances (default: all that are not deleted).")] filter: Option<InstanceFilterInput>,
        #[graphql(desc = "Resumes after this cursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Shared<InstanceChange, Delivery>>>> {
        let hub = ctx.data_unchecked::<App>().hub.clone();
        let filter = filter.map(InstanceFilter::from).unwrap_or_default();
        let after = position(ctx, &hub, after).await?;
        // Registered before the snapshot is read, so that no event is missed.
        let mut feed = hub.feed(None, after).await.map_err(error)?;
        Ok(try_stream! {
            // The instances that the client has. Unknown after a resume; a removal is then sent even if the client does not have
            // the instance.
            let mut held = None;
            if after.is_none() {
                let (instances, head) = hub.store().snapshot(&filter).await.map_err(error)?;
                held = Some(instances.iter().map(|instance| instance.id).collect::<HashSet<_>>());
                for instance in instances {
                    yield Shared::alone(change(InstanceChangeType::Snapshot, Some(Arc::new(instance)), SNAPSHOT_CURSOR.to_owned()));
                }
                yield Shared::alone(change(InstanceChangeType::SnapshotComplete, None, head.to_string()));
                feed.skip_to(head);
            }
            loop {
                for delivery in latest(&mut feed).await.map_err(error)? {
                    let Some(instance) = delivery.instance.clone() else { continue };
                    let kind = if filter.matches(&instance) {
                        if let Some(held) = &mut held { held.insert(instance.id); }
                        InstanceChangeType::Upserted
                    } else {
                        if held.as_mut().is_some_and(|held| !held.remove(&instance.id)) { continue }
                        InstanceChangeType::Removed
                    };
                    yield shared(&delivery, change(kind, Some(instance), delivery.event.cursor.to_string()));
                }
            }
        })
    }

    /// Follows an instance: its current value, then its value after every change. Completes when the instance is deleted.
    async fn instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Shared<Instance, Delivery>>>> {
        let app = ctx.data_unchecked::<App>();
        let id = known(app, &id).await?;
        let mut feed = app.hub.feed(Some(id), None).await.map_err(error)?;
        let first = app.store.instance(id).await.map_err(error)?.ok_or_else(|| no_instance(&id.to_string()))?;
        Ok(try_stream! {
            let mut revision = first.revision;
            let mut over = is_final(first.state);
            yield Shared::alone(Instance(Arc::new(first)));
            while !over {
                for delivery in latest(&mut feed).await.map_err(error)? {
                    let Some(instance) = delivery.instance.clone().filter(|instance| instance.revision > revision) else { continue };
                    revision = instance.revision;
                    over = is_final(instance.state);
                    yield shared(&delivery, Instance(instance));
                }
            }
        })
    }

    /// Follows the backups of an instance: its current value, then its value whenever `recovery`, `backups` or the instance itself changes.
    /// Progress arrives within seconds. Completes when the instance is deleted and no backup of it is left.
    async fn instance_backups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the instance.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Instance>>> {
        let app = ctx.data_unchecked::<App>();
        let id = known(app, &id).await?;
        let store = app.store.clone();
        let mut backups = app.hub.changes().backups();
        let mut feed = app.hub.feed(Some(id), None).await.map_err(error)?;
        Ok(try_stream! {
            let mut sent = None;
            loop {
                backups.mark_unchanged();
                let Some((instance, state)) = BackupState::read(&store, id).await.map_err(error)? else { break };
                let over = is_final(instance.state) && state.archive.is_none() && state.retired.is_empty();
                if sent.as_ref() != Some(&state) {
                    sent = Some(state);
                    yield Instance(Arc::new(instance));
                }
                if over {
                    break;
                }
                let changed = tokio::select! {
                    // An error means that the server stops, which ends the stream.
                    changed = backups.changed() => if changed.is_err() { break } else { Ok(()) },
                    events = latest(&mut feed) => events.map(drop),
                };
                changed.map_err(error)?;
            }
        })
    }

    /// Follows the event log: every event exactly once and in the order of commits. Starts with the next event, or after a
    /// cursor; `after: "0"` starts with the oldest event that is kept.
    async fn instance_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Selects the events of this instance (default: of all).")] instance_id: Option<ID>,
        #[graphql(desc = "Resumes after this cursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Shared<InstanceEvent, Delivery>>>> {
        let app = ctx.data_unchecked::<App>();
        let instance = match instance_id {
            Some(id) => Some(known(app, &id).await?),
            None => None,
        };
        let after = position(ctx, &app.hub, after).await?;
        let mut feed = app.hub.feed(instance, after).await.map_err(error)?;
        Ok(try_stream! {
            loop {
                let delivery = feed.next().await.map_err(error)?;
                let event = InstanceEvent::new(delivery.event.clone(), delivery.instance.clone(), delivery.operation.clone());
                yield shared(&delivery, event);
            }
        })
    }

    /// Follows an operation: its current value, then its value after every change. Completes when the operation is finished.
    async fn operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID.")] id: ID,
    ) -> Result<impl Stream<Item = Result<Shared<Operation, Delivery>>>> {
        let app = ctx.data_unchecked::<App>();
        let id = OperationId::from_any(&id);
        let missing = || coded("NOT_FOUND", format!("no operation has the id {id}"));
        let instance = app.store.operation(&id).await.map_err(error)?.ok_or_else(missing)?.instance;
        let mut feed = app.hub.feed(Some(instance), None).await.map_err(error)?;
        let first = app.store.operation(&id).await.map_err(error)?.ok_or_else(missing)?;
        Ok(try_stream! {
            let mut over = first.status.is_terminal();
            yield Shared::alone(Operation(Arc::new(first)));
            while !over {
                let delivery = feed.next().await.map_err(error)?;
                if let Some(operation) = delivery.operation.clone().filter(|operation| operation.id == id) {
                    over = operation.status.is_terminal();
                    yield shared(&delivery, Operation(operation));
                }
            }
        })
    }

    /// Follows the webhooks: all of them, newest first, then all of them again whenever one is changed, begins to fail or recovers; what is pending is
    /// as new as that, or a few seconds old. Requires the role `ADMIN`.
    #[graphql(guard = "admin()")]
    async fn webhooks(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = Result<Vec<Webhook>>>> {
        let app = ctx.data_unchecked::<App>();
        let store = app.store.clone();
        let mut webhooks = app.hub.changes().webhooks();
        Ok(try_stream! {
            let mut sent = None;
            loop {
                webhooks.mark_unchanged();
                let all = store.webhooks(&PageRequest::first(WEBHOOKS.max.into())).await.map_err(error)?.items;
                if sent.as_ref() != Some(&all) {
                    yield all.iter().cloned().map(Webhook).collect::<Vec<_>>();
                    sent = Some(all);
                }
                // An error means that the server stops, which ends the stream.
                if webhooks.changed().await.is_err() {
                    break;
                }
            }
        })
    }

    /// Follows the health checks of an instance: every check exactly once. Starts with the next check, or after a cursor.
    async fn health_checks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the instance.")] instance_id: ID,
        #[graphql(desc = "Resumes after this cursor.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<HealthCheck>>> {
        let app = ctx.data_unchecked::<App>();
        let id = known(app, &instance_id).await?;
        let store = app.store.clone();
        // Read before the watch begins, so that every later check is after this position.
        let mut position = match resume_from(ctx, after) {
            Some(text) => match text.parse() {
                Ok(number) if number >= 0 => number,
                _ => return Err(bad_cursor(&text)),
            },
            None => store.health_checks(id, &PageRequest::first(1)).await.map_err(error)?.items.first().map_or(0, |check| check.id),
        };
        let mut watch = app.hub.changes().watch_health();
        Ok(try_stream! {
            loop {
                let samples = store.health_checks_after(id, position, SAMPLES).await.map_err(error)?;
                let more = i64::try_from(samples.len()).is_ok_and(|n| n == SAMPLES);
                for sample in samples {
                    position = sample.id;
                    yield HealthCheck(sample);
                }
                if !more {
                    watch.changed(id).await;
                }
            }
        })
    }

    /// Follows the metrics of an instance: its latest reading, then each that is made. A subscriber that is too slow gets the latest. Completes
    /// when the instance is deleted.
    async fn instance_metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the instance.")] instance_id: ID,
        #[graphql(desc = "The metrics (default: all).")] names: Option<Vec<MetricName>>,
    ) -> Result<impl Stream<Item = Result<InstanceMetrics>>> {
        let app = ctx.data_unchecked::<App>();
        let id = known(app, &instance_id).await?;
        let store = app.store.clone();
        let names = metric_names(names);
        let mut watch = app.hub.changes().watch_metrics();
        let mut feed = app.hub.feed(Some(id), None).await.map_err(error)?;
        Ok(try_stream! {
            let mut sent = None;
            while let Some(instance) = store.instance(id).await.map_err(error)?.filter(|instance| !is_final(instance.state)) {
                let readings = store.latest_metrics(id).await.map_err(error)?;
                if let Some(latest) = InstanceMetrics::latest(&names, &readings, &instance.spec.health_check).filter(|latest| sent != Some(latest.read_at())) {
                    sent = Some(latest.read_at());
                    yield latest;
                }
                let changed = tokio::select! {
                    () = watch.changed(id) => Ok(()),
                    events = latest(&mut feed) => events.map(drop),
                };
                changed.map_err(error)?;
            }
        })
    }

    /// Follows the log of an instance: each entry exactly once, also while its server is restarted. Starts with the newest entries, or after a
    /// cursor. Entries are read as fast as the subscriber takes them; if the host drops some before, a batch says that there is a gap. Completes
    /// when the instance is deleted. Requires the role `OPERATOR`, because messages can contain secrets; those that are known by their form are
    /// masked.
    #[graphql(guard = "operator()")]
    async fn instance_logs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the instance.")] instance_id: ID,
        #[graphql(desc = "Starts with the newest _n_ entries that are selected (default 100, maximum 10000).")] tail: Option<i32>,
        #[graphql(desc = "Resumes after this cursor, of a batch or an entry. `tail` has no effect then.")] after: Option<String>,
        #[graphql(desc = "Selects the entries of this severity and above.")] severity: Option<LogSeverity>,
        #[graphql(desc = "Selects the entries with this text in their message, another text or a name. Upper and lower case are the same.")]
        contains: Option<String>,
    ) -> Result<impl Stream<Item = Result<InstanceLogBatch>>> {
        let app = ctx.data_unchecked::<App>();
        let id = known(app, &instance_id).await?;
        let after = resume_from(ctx, after).map(|text| text.parse().map_err(|_| bad_cursor(&text))).transpose()?;
        let from = FollowFrom::new(tail, after).map_err(error)?;
        let filter = LogFilter::new(severity.map(|severity| severity.0), None, contains.as_deref());
        let batches = app.follow_log(id, from, filter).map_err(|reason| no_log(&reason))?;
        Ok(batches.map(|batch| batch.map(InstanceLogBatch::from).map_err(|reason| no_log(&reason))))
    }
}

/// Why a log cannot be followed, with the code of the reason.
fn no_log(reason: &Reason) -> async_graphql::Error {
    coded("LOG_UNAVAILABLE", reason.message.clone()).extend_with(|_, extensions| extensions.set("reason", reason.code.as_str().to_uppercase()))
}

/// Of what `instanceBackups` sends, what changes without an event.
#[derive(PartialEq)]
struct BackupState {
    revision: i64,
    archive: Option<Archive>,
    retired: Vec<Archive>,
    backups: Vec<Backup>,
}

impl BackupState {
    /// The instance, and the state of its backups; `None` once the instance has no row.
    async fn read(store: &toygres_store::Store, id: InstanceId) -> toygres_domain::Result<Option<(DomainInstance, Self)>> {
        let Some(instance) = store.instance(id).await? else { return Ok(None) };
        let archive = store.archives_of(&[id]).await?.remove(&id);
        let retired = store.retired_archives_of(&[id]).await?.remove(&id).unwrap_or_default();
        let backups = store.backups_of(&[id], &PageRequest::first(WATCHED_BACKUPS)).await?.remove(&id);
        let state = Self { revision: instance.revision, archive, retired, backups: backups.unwrap_or_default().items };
        Ok(Some((instance, state)))
    }
}

/// Waits for events of instances, and returns the last one of each instance that is already available.
async fn latest(feed: &mut Feed) -> toygres_domain::Result<Vec<Arc<Delivery>>> {
    let mut next = Some(feed.next().await?);
    let mut order = Vec::new();
    let mut latest: HashMap<InstanceId, Arc<Delivery>> = HashMap::new();
    while let Some(delivery) = next {
        if is_of_instance(delivery.event.kind) {
            let id = delivery.event.instance;
            if latest.contains_key(&id) {
                metrics::counter!("toygres_events_coalesced_total").increment(1);
            }
            order.retain(|other| *other != id);
            order.push(id);
            latest.insert(id, delivery);
        }
        // Bounded, so that an endless stream of events cannot delay the first of them.
        next = if order.len() < 1000 { feed.try_next().await? } else { None };
    }
    Ok(order.iter().filter_map(|id| latest.remove(id)).collect())
}

/// The value that a subscriber gets of a delivery. Who reads the log from the table has a delivery of its own.
fn shared<T>(delivery: &Arc<Delivery>, value: T) -> Shared<T, Delivery> {
    if delivery.broadcast { Shared::of(delivery, value) } else { Shared::alone(value) }
}

fn is_of_instance(kind: EventKind) -> bool {
    matches!(kind, EventKind::InstanceCreated | EventKind::StateChanged | EventKind::HealthChanged | EventKind::InstanceUpdated)
}

fn change(r#type: InstanceChangeType, instance: Option<Arc<DomainInstance>>, cursor: String) -> InstanceChange {
    let instance_id = instance.as_ref().map(|instance| instance.id.to_string().into());
    InstanceChange { r#type, instance: instance.map(Instance), instance_id, cursor }
}

/// The position in the event log to resume after, if any.
async fn position(ctx: &Context<'_>, hub: &Hub, after: Option<String>) -> Result<Option<Cursor>> {
    match resume_from(ctx, after) {
        None => Ok(None),
        Some(text) if text == OLDEST => hub.store().event_horizon().await.map(Some).map_err(error),
        // Cursors were plain numbers once, which say nothing about their log.
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => Err(error(toygres_domain::Error::MustRefetch)),
        Some(text) => text.parse().map(Some).map_err(|_| bad_cursor(&text)),
    }
}

/// The cursor to resume after, if any. When a browser reconnects an event stream, it sends `Last-Event-ID`, which is newer than the
/// argument in the original request.
fn resume_from(ctx: &Context<'_>, after: Option<String>) -> Option<String> {
    let last_seen = ctx.data_opt::<ResumeCursor>().map(|cursor| cursor.0.clone());
    last_seen.or(after).filter(|cursor| cursor != SNAPSHOT_CURSOR)
}

fn bad_cursor(text: &str) -> async_graphql::Error {
    coded("BAD_USER_INPUT", format!("after: '{text}' is not a cursor that this API gave out"))
}

async fn known(app: &App, id: &ID) -> Result<InstanceId> {
    let Ok(parsed) = id.parse() else { return Err(no_instance(id)) };
    match app.store.instance(parsed).await.map_err(error)? {
        Some(_) => Ok(parsed),
        None => Err(no_instance(id)),
    }
}

fn no_instance(id: &str) -> async_graphql::Error {
    error(toygres_domain::Error::user(UserErrorCode::NotFound, "id", format!("no instance has the id {id}")))
}
