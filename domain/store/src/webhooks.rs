//! Webhooks: who is told of events. `webhook_deliveries` is about how far each has been told.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Page, PageRequest, Store,
    errors::{Classify, is_unique_violation},
    parsed,
};
use toygres_domain::{
    Error, Result, UserErrorCode,
    secret::Secret,
    webhook::{Attempt, Disabled, MOST_PENDING, SigningSecret, Webhook, WebhookDisabledCode, WebhookEventType, WebhookId, WebhookState},
};

/// A webhook to create.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Where messages are sent.
    pub url: Secret,
    /// What it is for.
    pub description: String,
    /// The kinds of messages that are sent; empty for all.
    pub events: Vec<WebhookEventType>,
    /// What signs them.
    pub secret: SigningSecret,
    /// The caller's idempotency key, and digests of the input: see [`Request::idempotency`](super::Request::idempotency).
    pub idempotency: Option<(String, Vec<Vec<u8>>)>,
}

/// A webhook that was created, by this request or by the first one with its idempotency key.
#[derive(Clone, Debug)]
pub struct CreatedWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What signs its messages now.
    pub secret: SigningSecret,
}

/// Changes of a webhook; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookUpdate {
    /// Where messages are sent.
    pub url: Option<Secret>,
    /// What it is for.
    pub description: Option<String>,
    /// The kinds of messages that are sent; empty for all.
    pub events: Option<Vec<WebhookEventType>>,
    /// Whether messages are sent.
    pub state: Option<WebhookState>,
    /// The revision that the webhook must have.
    pub revision: Option<i64>,
}

struct WebhookRow {
    id: Uuid,
    sealed_url: Vec<u8>,
    description: String,
    events: Vec<String>,
    disabled_code: Option<String>,
    disabled_message: Option<String>,
    disabled_at: Option<DateTime<Utc>>,
    former_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    revision: i64,
    last_delivered_at: Option<DateTime<Utc>>,
    attempt_at: Option<DateTime<Utc>>,
    attempt_status: Option<i32>,
    attempt_error: Option<String>,
    failing_since: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
    pending_events: i64,
    lag_seconds: f64,
}

macro_rules! webhook_query {
    ($after:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            WebhookRow,
            r#"SELECT id, sealed_url, description, events, disabled_code, disabled_message, disabled_at, revision, created_at,
                      CASE WHEN former_until > clock_timestamp() THEN former_until END AS former_until,
                      last_delivered_at, attempt_at, attempt_status, attempt_error, failing_since, next_attempt_at,
                      (SELECT count(*) FROM (SELECT FROM events WHERE events.seq > progress.seq LIMIT 10000) pending) AS "pending_events!",
                      coalesce(greatest(extract(epoch FROM clock_timestamp() - (
                          SELECT events.at FROM events WHERE events.seq > progress.seq ORDER BY events.seq LIMIT 1)), 0), 0)::float8 AS "lag_seconds!"
               FROM webhooks JOIN webhook_cursors progress ON webhook_id = id "# + $after
            $(, $arg)*
        )
    };
}

const _: () = assert!(MOST_PENDING == 10_000, "as in the query");

impl Store {
    /// Creates a webhook, which is told of what happens from now on. A repeated idempotency key returns the webhook of the first call.
    ///
    /// # Errors
    /// [`Error::User`] with `Conflict` if there are `limit` webhooks, or `IdempotencyMismatch`.
    pub async fn create_webhook(&self, new: &NewWebhook, limit: i64) -> Result<CreatedWebhook> {
        if let Some(first) = self.replay_webhook(new).await? {
            return Ok(first);
        }
        match self.insert_webhook(new, limit).await {
            // Two concurrent callers used the same key.
            Err(error) if is_unique_violation(&error) => self.replay_webhook(new).await?.ok_or(error),
            created => created,
        }
    }

    async fn insert_webhook(&self, new: &NewWebhook, limit: i64) -> Result<CreatedWebhook> {
        let NewWebhook { url, description, events, secret, idempotency } = new;
        let id = WebhookId::generate();
        let (key, digest) = idempotency.as_ref().map(|(key, digests)| (key.as_str(), digests.first().cloned().unwrap_or_default())).unzip();
        let mut transaction = self.begin().await?;
        // Excludes another creation, so that both cannot take the last place.
        sqlx::query!("LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await.classify()?;
        let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM webhooks"#).fetch_one(&mut *transaction).await.classify()?;
        if count >= limit {
            let message = format!("there are {limit} webhooks already, which is the most: delete one first");
            return Err(Error::user(UserErrorCode::Conflict, "url", message));
        }
        sqlx::query!(
            "INSERT INTO webhooks (id, sealed_url, description, events, sealed_secret, idempotency_key, input_digest)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            id.0,
            self.keys.seal(url, &url_context(id)),
            description,
            &texts(events),
            self.keys.seal(secret.text(), &secret_context(id)),
            key,
            digest
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        sqlx::query!("INSERT INTO webhook_cursors (webhook_id, seq, at) SELECT $1, seq, at FROM event_log_head()", id.0)
            .execute(&mut *transaction)
            .await
            .classify()?;
        let webhook = self.webhook_in(&mut transaction, id).await?;
        transaction.commit().await.classify()?;
        Ok(CreatedWebhook { webhook, secret: secret.clone() })
    }

    async fn replay_webhook(&self, new: &NewWebhook) -> Result<Option<CreatedWebhook>> {
        let Some((key, digests)) = &new.idempotency else { return Ok(None) };
        let row = sqlx::query!(
            r#"SELECT id, sealed_secret, input_digest AS "input_digest!" FROM webhooks WHERE idempotency_key = $1 AND input_digest IS NOT NULL"#,
            key
        );
        let Some(row) = row.fetch_optional(&self.pool).await.classify()? else { return Ok(None) };
        if !digests.contains(&row.input_digest) {
            let message = "this key was used before with another input: use another key";
            return Err(Error::user(UserErrorCode::IdempotencyMismatch, "idempotencyKey", message));
        }
        let id = WebhookId(row.id);
        let Some(webhook) = self.webhook(id).await? else { return Ok(None) };
        Ok(Some(CreatedWebhook { webhook, secret: self.signing_secret(&row.sealed_secret, id)? }))
    }

    /// The webhook with this id.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>> {
        let row = webhook_query!("WHERE id = $1", id.0).fetch_optional(&self.pool).await.classify()?;
        row.map(|row| self.webhook_of(row)).transpose()
    }

    /// A page of webhooks, the newest first; ids sort by age.
    pub async fn webhooks(&self, page: &PageRequest<Uuid>) -> Result<Page<Webhook>> {
        let rows = if page.backward {
            webhook_query!(
                "WHERE ($1::uuid IS NULL OR id < $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
                page.after,
                page.before,
                page.fetch()
            )
            .fetch_all(&self.pool)
            .await
            .classify()?
        } else {
            webhook_query!(
                "WHERE ($1::uuid IS NULL OR id < $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id DESC LIMIT $3",
                page.after,
                page.before,
                page.fetch()
            )
            .fetch_all(&self.pool)
            .await
            .classify()?
        };
        Ok(page.page(rows.into_iter().map(|row| self.webhook_of(row)).collect::<Result<_>>()?))
    }

    /// Changes a webhook. With another URL, or when it is enabled again, the next attempt is made at once.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound` or `RevisionMismatch`.
    pub async fn update_webhook(&self, id: WebhookId, update: &WebhookUpdate) -> Result<Webhook> {
        let WebhookUpdate { url, description, events, state, revision } = update;
        let mut transaction = self.begin().await?;
        let now = self.lock_webhook(&mut transaction, id, *revision).await?;
        let disabled = match state {
            None => now.disabled.clone(),
            Some(WebhookState::Enabled) => None,
            Some(WebhookState::Disabled) => now.disabled.clone().or_else(|| {
                let message = "it was disabled by updateWebhook".to_owned();
                Some(Disabled { code: WebhookDisabledCode::Requested, message, since: Utc::now() })
            }),
        };
        let begins_anew = url.is_some() || now.disabled.is_some() && disabled.is_none();
        let (code, message, since) = match disabled {
            Some(Disabled { code, message, since }) => (Some(code.as_str()), Some(message), Some(since)),
            None => (None, None, None),
        };
        let events = events.as_deref().map(texts);
        sqlx::query!(
            "UPDATE webhooks SET sealed_url = coalesce($2, sealed_url), description = coalesce($3, description), events = coalesce($4, events),
                 disabled_code = $5, disabled_message = $6, disabled_at = $7, revision = revision + 1
             WHERE id = $1",
            id.0,
            url.as_ref().map(|url| self.keys.seal(url, &url_context(id))),
            description.as_deref(),
            events.as_deref(),
            code,
            message,
            since
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        if begins_anew {
            sqlx::query!("UPDATE webhook_cursors SET failing_since = NULL, failures = 0, next_attempt_at = NULL WHERE webhook_id = $1", id.0)
                .execute(&mut *transaction)
                .await
                .classify()?;
        }
        let webhook = self.webhook_in(&mut transaction, id).await?;
        transaction.commit().await.classify()?;
        Ok(webhook)
    }

    /// Gives a webhook another secret. The present one signs too for `overlap`.
    ///
    /// # Errors
    /// As [`Store::update_webhook`].
    pub async fn rotate_webhook_secret(&self, id: WebhookId, secret: &SigningSecret, overlap: Duration, revision: Option<i64>) -> Result<Webhook> {
        let mut transaction = self.begin().await?;
        self.lock_webhook(&mut transaction, id, revision).await?;
        sqlx::query!(
            "UPDATE webhooks SET former_secret = sealed_secret, former_until = clock_timestamp() + make_interval(secs => $3), sealed_secret = $2,
                 revision = revision + 1
             WHERE id = $1",
            id.0,
            self.keys.seal(secret.text(), &secret_context(id)),
            overlap.as_secs_f64()
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        let webhook = self.webhook_in(&mut transaction, id).await?;
        transaction.commit().await.classify()?;
        Ok(webhook)
    }

    /// Deletes a webhook.
    ///
    /// # Errors
    /// As [`Store::update_webhook`].
    pub async fn delete_webhook(&self, id: WebhookId, revision: Option<i64>) -> Result<()> {
        let mut transaction = self.begin().await?;
        self.lock_webhook(&mut transaction, id, revision).await?;
        sqlx::query!("DELETE FROM webhooks WHERE id = $1", id.0).execute(&mut *transaction).await.classify()?;
        transaction.commit().await.classify()
    }

    async fn lock_webhook(&self, connection: &mut PgConnection, id: WebhookId, revision: Option<i64>) -> Result<Webhook> {
        let row = webhook_query!("WHERE id = $1 FOR UPDATE OF webhooks", id.0).fetch_optional(connection).await.classify()?;
        let now = row.map(|row| self.webhook_of(row)).transpose()?.ok_or_else(|| not_found(&id.to_string()))?;
        if let Some(expected) = revision.filter(|expected| *expected != now.revision) {
            let message = format!("the webhook has revision {}, not {expected}: read it again", now.revision);
            return Err(Error::user(UserErrorCode::RevisionMismatch, "revision", message));
        }
        Ok(now)
    }

    async fn webhook_in(&self, connection: &mut PgConnection, id: WebhookId) -> Result<Webhook> {
        let row = webhook_query!("WHERE id = $1", id.0).fetch_one(connection).await.classify()?;
        self.webhook_of(row)
    }

    fn webhook_of(&self, row: WebhookRow) -> Result<Webhook> {
        let id = WebhookId(row.id);
        let disabled = match (row.disabled_code, row.disabled_message, row.disabled_at) {
            (Some(code), Some(message), Some(since)) => Some(Disabled { code: parsed(&code)?, message, since }),
            _ => None,
        };
        Ok(Webhook {
            id,
            url: self.webhook_url(&row.sealed_url, id)?,
            description: row.description,
            events: event_types(&row.events),
            disabled,
            former_secret_until: row.former_until,
            created_at: row.created_at,
            revision: row.revision,
            last_delivered_at: row.last_delivered_at,
            last_attempt: row.attempt_at.map(|at| Attempt {
                at,
                status: row.attempt_status.and_then(|status| u16::try_from(status).ok()),
                error: row.attempt_error,
            }),
            failing_since: row.failing_since,
            next_attempt_at: row.next_attempt_at,
            pending_events: row.pending_events,
            lag_seconds: row.lag_seconds,
        })
    }

    pub(super) fn webhook_url(&self, sealed: &[u8], id: WebhookId) -> Result<Secret> {
        self.keys.open(sealed, &url_context(id))
    }

    pub(super) fn signing_secret(&self, sealed: &[u8], id: WebhookId) -> Result<SigningSecret> {
        SigningSecret::parse(self.keys.open(sealed, &secret_context(id))?).map_err(Error::internal)
    }
}

/// That there is no webhook with this id.
pub(super) fn not_found(id: &str) -> Error {
    Error::user(UserErrorCode::NotFound, "id", format!("no webhook has the id {id}"))
}

/// What the sealed URL of a webhook is bound to.
pub(super) fn url_context(id: WebhookId) -> String {
    format!("{id}/url")
}

/// What the sealed secrets of a webhook are bound to: one that becomes the former secret stays sealed as it is.
pub(super) fn secret_context(id: WebhookId) -> String {
    format!("{id}/secret")
}

/// The kinds of messages in a column. Those of a later release are left out.
pub(super) fn event_types(column: &[String]) -> Vec<WebhookEventType> {
    column.iter().filter_map(|kind| kind.parse().ok()).collect()
}

fn texts(events: &[WebhookEventType]) -> Vec<String> {
    events.iter().map(|kind| kind.as_str().to_owned()).collect()
}
