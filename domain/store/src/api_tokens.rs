//! API tokens: stored as digests of their secrets.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::errors::Classify;
use super::{Page, PageRequest, Store, parsed};
use toygres_domain::{
    Error, Result, UserErrorCode,
    secret::Secret,
    token::{ApiToken, TokenRole},
};

/// The prefix of every token, by which secret scanners can find leaked tokens.
const PREFIX: &str = "toygres_";

struct ApiTokenRow {
    id: Uuid,
    name: String,
    role: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

macro_rules! token_query {
    ($before:literal, $after:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(ApiTokenRow, $before + " id, name, role, created_at, expires_at, revoked_at, last_used_at " + $after $(, $arg)*)
    };
}

impl Store {
    /// Creates a token. Its secret is only in the result. It has 190 random bits, so a fast digest is safe against a brute-force
    /// search.
    pub async fn create_token(&self, name: &str, role: TokenRole, expires_at: Option<DateTime<Utc>>) -> Result<(ApiToken, Secret)> {
        let secret = Secret::new(format!("{PREFIX}{}", Secret::generate().expose()));
        let row = token_query!(
            "INSERT INTO api_tokens (id, name, role, secret_hash, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING",
            "",
            Uuid::now_v7(),
            name,
            role.as_str(),
            digest(secret.expose()),
            expires_at
        )
        .fetch_one(&self.pool)
        .await
        .classify()?;
        Ok((token(row)?, secret))
    }

    /// The token with this secret, valid or not. Records its use, at most once a minute.
    pub async fn token_by_secret(&self, secret: &str) -> Result<Option<ApiToken>> {
        let Some(row) =
            token_query!("SELECT", "FROM api_tokens WHERE secret_hash = $1", digest(secret)).fetch_optional(&self.pool).await.classify()?
        else {
            return Ok(None);
        };
        if row.last_used_at.is_none_or(|at| at < Utc::now() - chrono::TimeDelta::minutes(1)) {
            sqlx::query!("UPDATE api_tokens SET last_used_at = now() WHERE id = $1", row.id).execute(&self.pool).await.classify()?;
        }
        token(row).map(Some)
    }

    /// Whether any valid token exists.
    pub async fn has_valid_token(&self) -> Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM api_tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())) AS "exists!""#
        )
        .fetch_one(&self.pool)
        .await
        .classify()
    }

    /// Several tokens, in no particular order.
    pub async fn tokens_by_id(&self, ids: &[Uuid]) -> Result<Vec<ApiToken>> {
        let rows = token_query!("SELECT", "FROM api_tokens WHERE id = ANY($1)", ids).fetch_all(&self.pool).await.classify()?;
        rows.into_iter().map(token).collect()
    }

    /// A page of tokens, the newest first; ids sort by age.
    pub async fn tokens(&self, page: &PageRequest<Uuid>) -> Result<Page<ApiToken>> {
        let rows = if page.backward {
            token_query!(
                "SELECT",
                "FROM api_tokens WHERE ($1::uuid IS NULL OR id < $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3",
                page.after,
                page.before,
                page.fetch()
            )
            .fetch_all(&self.pool)
            .await
            .classify()?
        } else {
            token_query!(
                "SELECT",
                "FROM api_tokens WHERE ($1::uuid IS NULL OR id < $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id DESC LIMIT $3",
                page.after,
                page.before,
                page.fetch()
            )
            .fetch_all(&self.pool)
            .await
            .classify()?
        };
        Ok(page.page(rows.into_iter().map(token).collect::<Result<_>>()?))
    }

    /// Revokes a token, which also ends its open subscriptions. Idempotent.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`.
    pub async fn revoke_token(&self, id: Uuid) -> Result<ApiToken> {
        let row = token_query!("UPDATE api_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1 RETURNING", "", id)
            .fetch_optional(&self.pool)
            .await
            .classify()?;
        let row = row.ok_or_else(|| Error::user(UserErrorCode::NotFound, "id", format!("no token has the id {id}")))?;
        token(row)
    }
}

fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

fn token(row: ApiTokenRow) -> Result<ApiToken> {
    Ok(ApiToken {
        id: row.id,
        name: row.name,
        role: parsed(&row.role)?,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    })
}
