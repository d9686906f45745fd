//! Deliveries to webhooks: which worker sends, and how far each webhook has been told. The position in the event log is all that is stored of what is
//! to be sent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Store,
    errors::Classify,
    webhooks::{event_types, not_found},
};
use toygres_domain::{
    Result,
    event::Cursor,
    secret::Secret,
    webhook::{SigningSecret, WebhookDisabledCode, WebhookEventType, WebhookId},
};

/// What is needed to send messages to a webhook.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// See [`Webhook::revision`](toygres_domain::webhook::Webhook::revision).
    pub revision: i64,
    /// Where messages are sent.
    pub url: Secret,
    /// What signs them: the present secret, and for a while the former one.
    pub secrets: Vec<SigningSecret>,
    /// The kinds of messages that are sent; empty for all.
    pub events: Vec<WebhookEventType>,
    /// The position in the log up to which it has been told.
    pub cursor: Cursor,
    /// The attempts that have failed since the last success.
    pub failures: u32,
    /// How long the next attempt has to wait.
    pub wait: Duration,
}

/// An attempt that failed.
#[derive(Clone, Debug)]
pub struct FailedDelivery {
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed, in a few words.
    pub error: String,
    /// How long the next attempt has to wait.
    pub retry_in: Duration,
    /// Whether the receiver said that it wants no more messages.
    pub gone: bool,
}

/// Numbers of webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WebhookTotals {
    /// Webhooks that are enabled.
    pub enabled: i64,
    /// Webhooks that are disabled.
    pub disabled: i64,
    /// Those of them that were not disabled by request.
    pub given_up: i64,
    /// Enabled webhooks whose last attempt failed.
    pub failing: i64,
    /// The age in seconds of the oldest event that an enabled webhook has not come to.
    pub lag_seconds: f64,
}

impl Store {
    /// Takes over the webhooks that no worker owns, keeps those of this worker for `lease`, and returns them all. Disabled ones are left out.
    pub async fn claim_webhooks(&self, worker: Uuid, lease: Duration) -> Result<Vec<WebhookId>> {
        let owned = sqlx::query_scalar!(
            "UPDATE webhook_cursors SET worker_id = $1, owned_until = clock_timestamp() + make_interval(secs => $2)
             FROM webhooks
             WHERE webhooks.id = webhook_id AND disabled_code IS NULL AND (worker_id = $1 OR webhook_id IN (
                 SELECT webhook_id FROM webhook_cursors WHERE owned_until IS NULL OR owned_until < clock_timestamp() FOR UPDATE SKIP LOCKED))
             RETURNING webhook_id",
            worker,
            lease.as_secs_f64()
        );
        Ok(owned.fetch_all(&self.pool).await.classify()?.into_iter().map(WebhookId).collect())
    }

    /// Gives up what this worker owns, so that another can take it over at once.
    pub async fn release_webhooks(&self, worker: Uuid) -> Result<()> {
        sqlx::query!("UPDATE webhook_cursors SET worker_id = NULL, owned_until = NULL WHERE worker_id = $1", worker)
            .execute(&self.pool)
            .await
            .classify()?;
        Ok(())
    }

    /// What is needed to send to a webhook, if it is enabled and this worker owns it.
    pub async fn owned_webhook(&self, id: WebhookId, worker: Uuid) -> Result<Option<WebhookTarget>> {
        let row = sqlx::query!(
            r#"SELECT revision, sealed_url, sealed_secret, CASE WHEN former_until > clock_timestamp() THEN former_secret END AS former_secret, events, seq,
                      at, failures, coalesce(greatest(extract(epoch FROM next_attempt_at - clock_timestamp()), 0), 0)::float8 AS "wait!"
               FROM webhooks JOIN webhook_cursors ON webhook_id = id
               WHERE id = $1 AND worker_id = $2 AND owned_until > clock_timestamp() AND disabled_code IS NULL"#,
            id.0,
            worker
        );
        let Some(row) = row.fetch_optional(&self.pool).await.classify()? else { return Ok(None) };
        let sealed = std::iter::once(row.sealed_secret).chain(row.former_secret);
        Ok(Some(WebhookTarget {
            revision: row.revision,
            url: self.webhook_url(&row.sealed_url, id)?,
            secrets: sealed.map(|sealed| self.signing_secret(&sealed, id)).collect::<Result<_>>()?,
            events: event_types(&row.events),
            cursor: Cursor { seq: row.seq, at: row.at },
            failures: row.failures.try_into().unwrap_or(0),
            wait: Duration::try_from_secs_f64(row.wait).unwrap_or_default(),
        }))
    }

    /// What is needed to send one message to a webhook, enabled or not, whoever owns it.
    ///
    /// # Errors
    /// [`Error::User`](toygres_domain::Error::User) with `NotFound`.
    pub async fn webhook_to_test(&self, id: WebhookId) -> Result<(Secret, Vec<SigningSecret>)> {
        let row = sqlx::query!(
            "SELECT sealed_url, sealed_secret, CASE WHEN former_until > clock_timestamp() THEN former_secret END AS former_secret FROM webhooks WHERE id = $1",
            id.0
        );
        let row = row.fetch_optional(&self.pool).await.classify()?.ok_or_else(|| not_found(&id.to_string()))?;
        let sealed = std::iter::once(row.sealed_secret).chain(row.former_secret);
        let secrets = sealed.map(|sealed| self.signing_secret(&sealed, id)).collect::<Result<_>>()?;
        Ok((self.webhook_url(&row.sealed_url, id)?, secrets))
    }

    /// Records that everything up to `cursor` was delivered, the last message with this status. Returns the revision of the webhook; `None` if this
    /// worker does not own it any more.
    pub async fn webhook_delivered(&self, id: WebhookId, worker: Uuid, cursor: Cursor, status: u16) -> Result<Option<i64>> {
        let revision = sqlx::query_scalar!(
            "UPDATE webhook_cursors SET seq = $3, at = $4, last_delivered_at = clock_timestamp(), attempt_at = clock_timestamp(), attempt_status = $5,
                 attempt_error = NULL, failing_since = NULL, failures = 0, next_attempt_at = NULL
             FROM webhooks WHERE webhook_id = $1 AND webhooks.id = webhook_id AND worker_id = $2
             RETURNING revision",
            id.0,
            worker,
            cursor.seq,
            cursor.at,
            i32::from(status)
        );
        revision.fetch_optional(&self.pool).await.classify()
    }

    /// Records that a webhook is not to be told of what lies between its cursor and this one.
    pub async fn webhook_skipped(&self, id: WebhookId, worker: Uuid, cursor: Cursor) -> Result<()> {
        sqlx::query!("UPDATE webhook_cursors SET seq = $3, at = $4 WHERE webhook_id = $1 AND worker_id = $2", id.0, worker, cursor.seq, cursor.at)
            .execute(&self.pool)
            .await
            .classify()?;
        Ok(())
    }

    /// Records a failed attempt. Disables the webhook if its receiver wants no more messages, or if every attempt has failed for `give_up_after`.
    /// Returns why it is disabled then.
    pub async fn webhook_failed(&self, id: WebhookId, worker: Uuid, failed: &FailedDelivery, give_up_after: Duration) -> Result<Option<String>> {
        let FailedDelivery { status, error, retry_in, gone } = failed;
        let mut transaction = self.begin().await?;
        let row = sqlx::query!(
            r#"UPDATE webhook_cursors SET attempt_at = clock_timestamp(), attempt_status = $3, attempt_error = $4,
                   failing_since = coalesce(failing_since, clock_timestamp()), failures = failures + 1,
                   next_attempt_at = clock_timestamp() + make_interval(secs => $5)
               WHERE webhook_id = $1 AND worker_id = $2
               RETURNING failing_since AS "since!", failing_since < clock_timestamp() - make_interval(secs => $6) AS "over!""#,
            id.0,
            worker,
            status.map(i32::from),
            error,
            retry_in.as_secs_f64(),
            give_up_after.as_secs_f64()
        );
        let disabled = match row.fetch_optional(&mut *transaction).await.classify()? {
            Some(_) if *gone => Some((WebhookDisabledCode::Gone, "the receiver answered 410 Gone: it wants no more messages".to_owned())),
            Some(row) if row.over => Some((WebhookDisabledCode::Failing, gave_up(row.since, error))),
            _ => None,
        };
        if let Some((code, message)) = &disabled {
            sqlx::query!(
                "UPDATE webhooks SET disabled_code = $2, disabled_message = $3, disabled_at = clock_timestamp(), revision = revision + 1
                 WHERE id = $1 AND disabled_code IS NULL",
                id.0,
                code.as_str(),
                message
            )
            .execute(&mut *transaction)
            .await
            .classify()?;
        }
        transaction.commit().await.classify()?;
        Ok(disabled.map(|(_, message)| message))
    }

    /// Numbers of webhooks.
    pub async fn webhook_totals(&self) -> Result<WebhookTotals> {
        sqlx::query_as!(
            WebhookTotals,
            r#"SELECT count(*) FILTER (WHERE disabled_code IS NULL) AS "enabled!", count(*) FILTER (WHERE disabled_code IS NOT NULL) AS "disabled!",
                      count(*) FILTER (WHERE disabled_code <> 'requested') AS "given_up!",
                      count(*) FILTER (WHERE disabled_code IS NULL AND failing_since IS NOT NULL) AS "failing!",
                      coalesce(greatest(extract(epoch FROM clock_timestamp() - min((
                          SELECT events.at FROM events WHERE events.seq > progress.seq ORDER BY events.seq LIMIT 1))
                          FILTER (WHERE disabled_code IS NULL)), 0), 0)::float8 AS "lag_seconds!"
               FROM webhooks JOIN webhook_cursors progress ON webhook_id = id"#
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }
}

fn gave_up(since: DateTime<Utc>, error: &str) -> String {
    format!("every attempt since {} failed, the last one with: {error}", since.format("%Y-%m-%d %H:%M:%S UTC"))
}
