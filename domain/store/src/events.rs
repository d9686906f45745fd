//! The event log, which is read from a cursor and kept for a limited time.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::errors::Classify;
use super::{Page, PageRequest, Store, instances, parsed, reason};
use toygres_domain::{
    Error, InstanceId, OperationId, Result,
    event::{Cursor, Event},
    instance::{Instance, InstanceFilter},
    notice::NoticeChange,
};

struct EventRow {
    seq: i64,
    at: DateTime<Utc>,
    r#type: String,
    instance_id: Uuid,
    operation_id: Option<String>,
    from_value: Option<String>,
    to_value: Option<String>,
    reason_code: Option<String>,
    reason_message: Option<String>,
    notice_changes: Option<serde_json::Value>,
}

struct LogRow {
    known: bool,
    seq: Option<i64>,
    at: Option<DateTime<Utc>>,
    r#type: Option<String>,
    instance_id: Option<Uuid>,
    operation_id: Option<String>,
    from_value: Option<String>,
    to_value: Option<String>,
    reason_code: Option<String>,
    reason_message: Option<String>,
    notice_changes: Option<serde_json::Value>,
}

impl LogRow {
    fn event(self) -> Option<EventRow> {
        let Self { known: _, seq, at, r#type, instance_id, operation_id, from_value, to_value, reason_code, reason_message, notice_changes } = self;
        let (seq, at, r#type, instance_id) = (seq?, at?, r#type?, instance_id?);
        Some(EventRow { seq, at, r#type, instance_id, operation_id, from_value, to_value, reason_code, reason_message, notice_changes })
    }
}

impl Store {
    /// The last position in the log.
    pub async fn event_head(&self) -> Result<Cursor> {
        head(&self.pool).await
    }

    /// The position before the oldest event that is kept.
    pub async fn event_horizon(&self) -> Result<Cursor> {
        sqlx::query_as!(Cursor, "SELECT seq, at FROM event_horizon").fetch_one(&self.pool).await.classify()
    }

    /// The event with this number, if it is kept.
    pub async fn event(&self, seq: i64) -> Result<Option<Event>> {
        let row = sqlx::query_as!(
            EventRow,
            "SELECT seq, at, type, instance_id, operation_id, from_value, to_value, reason_code, reason_message, notice_changes FROM events WHERE seq = $1",
            seq
        );
        row.fetch_optional(&self.pool).await.classify()?.map(event).transpose()
    }

    /// Up to `limit` events after `cursor`, of all instances or of one.
    ///
    /// # Errors
    /// [`Error::MustRefetch`] when events after `cursor` were already deleted, or `cursor` is not from this log.
    pub async fn events_after(&self, cursor: Cursor, instance: Option<InstanceId>, limit: i64) -> Result<Vec<Event>> {
        // One statement, and so one snapshot and one round trip, because it adds to the latency of every subscriber. If there is no
        // event after the cursor, one row says whether the log has the cursor.
        macro_rules! log {
            ($which:literal $(, $arg:expr)*) => {
                sqlx::query_as!(
                    LogRow,
                    r#"SELECT position.known AS "known!", e.seq AS "seq?", e.at AS "at?", e.type AS "type?", e.instance_id AS "instance_id?",
                              e.operation_id, e.from_value, e.to_value, e.reason_code, e.reason_message, e.notice_changes
                       FROM (SELECT EXISTS (SELECT FROM events WHERE seq = $1 AND at = $2)
                                 OR EXISTS (SELECT FROM event_horizon WHERE seq = $1 AND at = $2) AS known) position
                       LEFT JOIN LATERAL (SELECT * FROM events WHERE seq > $1 "# + $which + r#" ORDER BY seq LIMIT $3) e ON position.known
                       ORDER BY e.seq"#,
                    cursor.seq,
                    cursor.at,
                    limit
                    $(, $arg)*
                )
                .fetch_all(&self.pool)
                .await.classify()?
            };
        }
        let rows = match instance {
            None => log!(""),
            Some(id) => log!("AND instance_id = $4", id.0),
        };
        if rows.iter().any(|row| !row.known) {
            return Err(Error::MustRefetch);
        }
        rows.into_iter().filter_map(LogRow::event).map(event).collect()
    }

    /// The same page of the events of several instances, oldest first, in one statement.
    pub async fn events_of(&self, instances: &[InstanceId], page: &PageRequest<Cursor>) -> Result<HashMap<InstanceId, Page<Event>>> {
        let (after, before) = (page.after.map_or(0, |cursor| cursor.seq), page.before.map_or(i64::MAX, |cursor| cursor.seq));
        let ids: Vec<_> = instances.iter().map(|id| id.0).collect();
        macro_rules! listing {
            ($order:literal) => {
                sqlx::query_as!(
                    EventRow,
                    "SELECT seq, at, type, instance_id, operation_id, from_value, to_value, reason_code, reason_message, notice_changes
                     FROM unnest($1::uuid[]) AS parent (parent_id) CROSS JOIN LATERAL (
                         SELECT * FROM events WHERE instance_id = parent_id AND seq > $2 AND seq < $3 ORDER BY "
                        + $order
                        + " LIMIT $4) entry ORDER BY "
                        + $order,
                    &ids,
                    after,
                    before,
                    page.fetch()
                )
                .fetch_all(&self.pool)
                .await
                .classify()?
            };
        }
        let rows = if page.backward { listing!("seq DESC") } else { listing!("seq") };
        let events: Vec<_> = rows.into_iter().map(event).collect::<Result<_>>()?;
        Ok(page.pages(instances, events.into_iter().map(|event| (event.instance, event))))
    }

    /// Every instance that matches `filter`, oldest first, and the position of the log in the same snapshot.
    pub async fn snapshot(&self, filter: &InstanceFilter) -> Result<(Vec<Instance>, Cursor)> {
        let mut transaction = self.begin().await?;
        sqlx::query!("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut *transaction).await.classify()?;
        let head = head(&mut *transaction).await?;
        let instances = instances::all(&mut transaction, filter).await?;
        transaction.commit().await.classify()?;
        Ok((instances, head))
    }

    /// Deletes up to `limit` events older than `retention`, and returns their number. Cursors before them get
    /// [`Error::MustRefetch`] from then on.
    pub async fn prune_events(&self, retention: Duration, limit: i64) -> Result<u64> {
        let mut transaction = self.begin().await?;
        let dropped = sqlx::query_as!(
            Cursor,
            "WITH old AS (SELECT seq FROM events WHERE at < now() - make_interval(secs => $1) ORDER BY seq LIMIT $2)
             DELETE FROM events WHERE seq IN (SELECT seq FROM old) RETURNING seq, at",
            retention.as_secs_f64(),
            limit
        )
        .fetch_all(&mut *transaction)
        .await
        .classify()?;
        if let Some(last) = dropped.iter().max() {
            sqlx::query!("UPDATE event_horizon SET seq = $1, at = $2 WHERE seq < $1", last.seq, last.at)
                .execute(&mut *transaction)
                .await
                .classify()?;
        }
        transaction.commit().await.classify()?;
        Ok(dropped.len() as u64)
    }
}

async fn head(executor: impl PgExecutor<'_>) -> Result<Cursor> {
    sqlx::query_as!(Cursor, r#"SELECT seq AS "seq!", at AS "at!" FROM event_log_head()"#).fetch_one(executor).await.classify()
}

fn event(row: EventRow) -> Result<Event> {
    Ok(Event {
        cursor: Cursor { seq: row.seq, at: row.at },
        kind: parsed(&row.r#type)?,
        instance: InstanceId(row.instance_id),
        operation: row.operation_id.as_deref().map(OperationId::from_any),
        from: row.from_value,
        to: row.to_value,
        reason: reason(row.reason_code, row.reason_message),
        notices: notice_changes(row.notice_changes),
    })
}

/// The changes in a column. Those of a later release are left out.
fn notice_changes(column: Option<serde_json::Value>) -> Vec<NoticeChange> {
    let Some(serde_json::Value::Array(changes)) = column else { return Vec::new() };
    changes.into_iter().filter_map(|change| serde_json::from_value(change).ok()).collect()
}
