//! The certificate authorities.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Store, errors::Classify};
use toygres_domain::{
    Result,
    certificate::{Authority, AuthorityId, AuthorityStatus},
    secret::Secret,
};

/// An authority that is not published yet.
#[derive(Clone, Debug)]
pub struct NewAuthority {
    /// What clients trust, in PEM.
    pub certificate: String,
    /// The SHA-256 digest of its own certificate.
    pub fingerprint: String,
    /// When it becomes valid.
    pub not_before: DateTime<Utc>,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// Its key, which is stored sealed; `None` if servers read it from a file.
    pub key: Option<Secret>,
}

/// What came of a request to publish an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is published.
    New,
    /// It was already.
    Before,
    /// It is not, because another one has not begun to issue yet.
    Refused(Authority),
}

impl Store {
    /// The authorities that clients trust, in the order in which they issue. Empty before the first is needed.
    pub async fn authorities(&self) -> Result<Vec<Authority>> {
        authorities(&mut *self.pool.acquire().await.classify()?).await
    }

    /// Publishes the first authority, which issues at once. Does nothing if there is one: several servers may try.
    pub async fn publish_first_authority(&self, new: &NewAuthority) -> Result<()> {
        let mut transaction = self.begin().await?;
        lock(&mut transaction).await?;
        if authorities(&mut transaction).await?.is_empty() {
            self.insert_authority(&mut transaction, new, Duration::ZERO).await?;
        }
        transaction.commit().await.classify()
    }

    /// Publishes an authority that issues after `overlap`; at once if it is the first, and a day before the present one expires at the latest.
    /// There is at most one that has not begun to issue.
    pub async fn publish_authority(&self, new: &NewAuthority, overlap: Duration) -> Result<Published> {
        let mut transaction = self.begin().await?;
        lock(&mut transaction).await?;
        let present = authorities(&mut transaction).await?;
        if present.iter().any(|authority| authority.fingerprint == new.fingerprint) {
            return Ok(Published::Before);
        }
        if let Some(upcoming) = present.iter().find(|authority| authority.status == AuthorityStatus::Upcoming) {
            return Ok(Published::Refused(upcoming.clone()));
        }
        self.insert_authority(&mut transaction, new, if present.is_empty() { Duration::ZERO } else { overlap }).await?;
        transaction.commit().await.classify()?;
        Ok(Published::New)
    }

    async fn insert_authority(&self, connection: &mut PgConnection, new: &NewAuthority, overlap: Duration) -> Result<()> {
        let id = AuthorityId::generate();
        let key = new.key.as_ref().map(|key| self.keys.seal(key, &key_context(id)));
        sqlx::query!(
            "INSERT INTO certificate_authorities (id, certificates, fingerprint, sealed_key, not_before, not_after, issues_from)
             SELECT $1, $2, $3, $4, $5, $6, greatest(clock_timestamp(), least(clock_timestamp() + make_interval(secs => $7),
                 (SELECT not_after - interval '1 day' FROM certificate_authorities ORDER BY issues_from DESC, id DESC LIMIT 1)))",
            id.0,
            new.certificate,
            new.fingerprint,
            key,
            new.not_before,
            new.not_after,
            overlap.as_secs_f64()
        )
        .execute(connection)
        .await
        .classify()?;
        Ok(())
    }

    /// Lets an authority issue that has not begun to.
    pub async fn let_authority_issue(&self, id: AuthorityId) -> Result<()> {
        sqlx::query!("UPDATE certificate_authorities SET issues_from = clock_timestamp() WHERE id = $1 AND issues_from > clock_timestamp()", id.0)
            .execute(&self.pool)
            .await
            .classify()?;
        Ok(())
    }

    /// The key of an authority; `None` if servers read it from a file.
    ///
    /// # Errors
    /// [`Error::Internal`](toygres_domain::Error::Internal) when it was sealed with a key that is not among ours.
    pub async fn authority_key(&self, id: AuthorityId) -> Result<Option<Secret>> {
        let sealed =
            sqlx::query_scalar!("SELECT sealed_key FROM certificate_authorities WHERE id = $1", id.0).fetch_optional(&self.pool).await.classify()?;
        sealed.flatten().map(|sealed| self.keys.open(&sealed, &key_context(id))).transpose()
    }

    /// Removes authorities that issue no more, if no server presents a certificate of theirs, and clients have had `overlap` to trust the
    /// one that issues now. Returns their number.
    pub async fn retire_authorities(&self, overlap: Duration) -> Result<u64> {
        let removed = sqlx::query!(
            "WITH issuing AS (SELECT published_at, issues_from FROM certificate_authorities WHERE issues_from <= clock_timestamp()
                              ORDER BY issues_from DESC LIMIT 1)
             DELETE FROM certificate_authorities old USING issuing
             WHERE old.issues_from < issuing.issues_from AND issuing.published_at + make_interval(secs => $1) <= clock_timestamp()
               AND NOT EXISTS (SELECT FROM instance_certificates WHERE old.id IN (authority_id, presented_authority_id))",
            overlap.as_secs_f64()
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(removed.rows_affected())
    }
}

/// What the key of an authority is sealed with.
pub(super) fn key_context(id: AuthorityId) -> String {
    format!("certificate-authority/{id}")
}

/// One server at a time publishes an authority, until its transaction ends.
async fn lock(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(7096810443)").fetch_one(connection).await.classify()?;
    Ok(())
}

async fn authorities(connection: &mut PgConnection) -> Result<Vec<Authority>> {
    let rows = sqlx::query!(
        r#"SELECT id, certificates, fingerprint, not_before, not_after, published_at, issues_from, issues_from > clock_timestamp() AS "is_upcoming!"
           FROM certificate_authorities ORDER BY issues_from, id"#
    )
    .fetch_all(connection)
    .await
    .classify()?;
    let issuing = rows.iter().rposition(|row| !row.is_upcoming);
    Ok(rows
        .into_iter()
        .enumerate()
        .map(|(position, row)| Authority {
            id: AuthorityId(row.id),
            certificate: row.certificates,
            fingerprint: row.fingerprint,
            status: match issuing {
                Some(issuing) if position < issuing => AuthorityStatus::Retiring,
                Some(issuing) if position == issuing => AuthorityStatus::Issuing,
                _ => AuthorityStatus::Upcoming,
            },
            not_before: row.not_before,
            not_after: row.not_after,
            published_at: row.published_at,
            issues_from: row.issues_from,
        })
        .collect())
}
