//! The certificate authorities.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Store, errors::Classify};
use toygres_domain::{
    InstanceId, Result,
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
    /// The SHA-256 digest of its public key.
    pub public_key: String,
    /// When it becomes valid.
    pub not_before: DateTime<Utc>,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// Its key, which is stored sealed; `None` if servers read it from a file.
    pub key: Option<Secret>,
}

/// What came of a request to publish an authority that the control plane has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is published.
    New(AuthorityId),
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

    /// Publishes an authority that the control plane has made. It issues after `overlap`; at once if it is the first, and a day before the
    /// present one expires at the latest. It is refused while another one has not begun to issue.
    pub async fn publish_authority(&self, new: &NewAuthority, overlap: Duration) -> Result<Published> {
        let mut transaction = self.begin().await?;
        lock(&mut transaction).await?;
        let present = authorities(&mut transaction).await?;
        if let Some(upcoming) = present.iter().find(|authority| authority.status == AuthorityStatus::Upcoming) {
            return Ok(Published::Refused(upcoming.clone()));
        }
        let id = self.insert_authority(&mut transaction, new, if present.is_empty() { Duration::ZERO } else { overlap }).await?;
        transaction.commit().await.classify()?;
        Ok(Published::New(id))
    }

    /// Publishes the authority in the files of the operator, which issues like one of [`Self::publish_authority`], however many have not
    /// begun to. `renews` is the one that is published with the same key: it gets the new certificate if that is the younger one. An
    /// authority that has issued before becomes the next one again. Returns `None` if it was revoked.
    pub async fn publish_operator_authority(
        &self,
        new: &NewAuthority,
        renews: Option<AuthorityId>,
        overlap: Duration,
    ) -> Result<Option<AuthorityId>> {
        let mut transaction = self.begin().await?;
        lock(&mut transaction).await?;
        if is_revoked(&mut transaction, &new.public_key).await? {
            return Ok(None);
        }
        let present = authorities(&mut transaction).await?;
        let known = present.iter().find(|authority| Some(authority.id) == renews || authority.fingerprint == new.fingerprint);
        let id = match known {
            None => self.insert_authority(&mut transaction, new, if present.is_empty() { Duration::ZERO } else { overlap }).await?,
            Some(known) => {
                if known.fingerprint != new.fingerprint && (known.not_before, known.not_after) < (new.not_before, new.not_after) {
                    renew_authority(&mut transaction, known.id, new).await?;
                }
                if known.status == AuthorityStatus::Retiring {
                    let issues_from = issues_from(&mut transaction, overlap).await?;
                    sqlx::query!("UPDATE certificate_authorities SET issues_from = $2 WHERE id = $1", known.id.0, issues_from)
                        .execute(&mut *transaction)
                        .await
                        .classify()?;
                }
                known.id
            }
        };
        transaction.commit().await.classify()?;
        Ok(Some(id))
    }

    async fn insert_authority(&self, connection: &mut PgConnection, new: &NewAuthority, overlap: Duration) -> Result<AuthorityId> {
        let id = AuthorityId::generate();
        let key = new.key.as_ref().map(|key| self.keys.seal(key, &key_context(id)));
        let issues_from = issues_from(connection, overlap).await?;
        sqlx::query!(
            "INSERT INTO certificate_authorities (id, certificates, fingerprint, sealed_key, not_before, not_after, issues_from)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            id.0,
            new.certificate,
            new.fingerprint,
            key,
            new.not_before,
            new.not_after,
            issues_from
        )
        .execute(connection)
        .await
        .classify()?;
        Ok(id)
    }

    /// Lets a published authority issue from now on, and none of the others any more. `revoked` are the public keys of those that files of an
    /// operator must not bring back.
    pub async fn let_authority_issue(&self, id: AuthorityId, revoked: &[String]) -> Result<()> {
        let mut transaction = self.begin().await?;
        lock(&mut transaction).await?;
        sqlx::query!("INSERT INTO revoked_authorities (public_key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", revoked)
            .execute(&mut *transaction)
            .await
            .classify()?;
        // `now()` is when the transaction began, so that this one comes last.
        sqlx::query!(
            "UPDATE certificate_authorities
             SET issues_from = CASE WHEN id = $1 THEN clock_timestamp() ELSE least(issues_from, now()) END",
            id.0
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()
    }

    /// Lets an authority be published again that was revoked.
    pub async fn reinstate_authority(&self, public_key: &str) -> Result<()> {
        sqlx::query!("DELETE FROM revoked_authorities WHERE public_key = $1", public_key).execute(&self.pool).await.classify()?;
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

    /// Removes authorities that issue no more, unless a server that is running, or about to, needs one. `without_tls` are running
    /// instances whose server presents nothing. Returns the number of authorities.
    pub async fn retire_authorities(&self, without_tls: &[InstanceId]) -> Result<u64> {
        let without_tls: Vec<_> = without_tls.iter().map(|id| id.0).collect();
        let mut transaction = self.begin().await?;
        lock(&mut transaction).await?;
        let former: Vec<_> = authorities(&mut transaction)
            .await?
            .into_iter()
            .filter(|authority| authority.status == AuthorityStatus::Retiring)
            .map(|authority| authority.id.0)
            .collect();
        // Whoever deploys such an instance issues a certificate anew.
        sqlx::query!(
            "DELETE FROM instance_certificates certificate USING instances instance
             WHERE instance.id = certificate.instance_id
               AND (certificate.authority_id = ANY($1) OR certificate.presented_authority_id = ANY($1))
               AND (instance.state NOT IN ('creating', 'running', 'updating') OR instance.id = ANY($2))",
            &former,
            &without_tls
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        let removed = sqlx::query!(
            "DELETE FROM certificate_authorities
             WHERE id = ANY($1) AND NOT EXISTS (
                 SELECT FROM instance_certificates WHERE certificate_authorities.id IN (authority_id, presented_authority_id))",
            &former
        )
        .execute(&mut *transaction)
        .await
        .classify()?;
        transaction.commit().await.classify()?;
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

/// When an authority issues that is published now.
async fn issues_from(connection: &mut PgConnection, overlap: Duration) -> Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        r#"SELECT greatest(clock_timestamp(), max(issues_from), least(clock_timestamp() + make_interval(secs => $1),
               (array_agg(not_after ORDER BY issues_from DESC, id DESC))[1] - interval '1 day')) AS "issues_from!"
           FROM certificate_authorities"#,
        overlap.as_secs_f64()
    )
    .fetch_one(connection)
    .await
    .classify()
}

async fn is_revoked(connection: &mut PgConnection, public_key: &str) -> Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM revoked_authorities WHERE public_key = $1) AS "revoked!""#, public_key)
        .fetch_one(connection)
        .await
        .classify()
}

/// Replaces the certificate of an authority: what it has issued remains valid.
async fn renew_authority(connection: &mut PgConnection, id: AuthorityId, new: &NewAuthority) -> Result<()> {
    sqlx::query!(
        "UPDATE certificate_authorities SET certificates = $2, fingerprint = $3, not_before = $4, not_after = $5 WHERE id = $1",
        id.0,
        new.certificate,
        new.fingerprint,
        new.not_before,
        new.not_after
    )
    .execute(connection)
    .await
    .classify()?;
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
