//! The certificates of instances.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{
    Store,
    errors::Classify,
    instances::{instance, instance_query},
};
use toygres_domain::{
    Error, InstanceId, Result,
    certificate::{AuthorityId, ServerCertificate, ServerIdentity},
    instance::Instance,
};

/// What is known of the certificate of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceCertificate {
    /// The authority that issued it.
    pub authority: AuthorityId,
    /// Its SHA-256 digest.
    pub fingerprint: String,
    /// The names and addresses in it.
    pub names: Vec<String>,
    /// When it becomes valid.
    pub not_before: DateTime<Utc>,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// What the server was last seen to present: this or an earlier certificate.
    pub presented: Option<Presented>,
    /// Whether the server was last seen to refuse clients without TLS.
    pub requires_tls: Option<bool>,
}

/// A certificate that a server presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its SHA-256 digest.
    pub fingerprint: String,
    /// When it expires.
    pub not_after: DateTime<Utc>,
}

impl InstanceCertificate {
    /// Whether the server was seen to present it.
    #[must_use]
    pub fn is_presented(&self) -> bool {
        self.presented.as_ref().is_some_and(|presented| presented.fingerprint == self.fingerprint)
    }
}

impl Store {
    /// The running instances with their certificates.
    pub async fn running_with_certificates(&self) -> Result<Vec<(Instance, Option<InstanceCertificate>)>> {
        let rows = instance_query!("SELECT", "FROM instances WHERE state = 'running'").fetch_all(&self.pool).await.classify()?;
        let instances: Vec<Instance> = rows.into_iter().map(instance).collect::<Result<_>>()?;
        let ids: Vec<_> = instances.iter().map(|instance| instance.id).collect();
        let mut certificates = self.instance_certificates(&ids).await?;
        Ok(instances
            .into_iter()
            .map(|instance| (certificates.remove(&instance.id), instance))
            .map(|(certificate, instance)| (instance, certificate))
            .collect())
    }

    /// What is known of the certificates of these instances.
    pub async fn instance_certificates(&self, ids: &[InstanceId]) -> Result<HashMap<InstanceId, InstanceCertificate>> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            "SELECT instance_id, authority_id, fingerprint, names, not_before, not_after, presented_fingerprint, presented_not_after, requires_tls
             FROM instance_certificates WHERE instance_id = ANY($1)",
            &ids
        )
        .fetch_all(&self.pool)
        .await
        .classify()?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let presented =
                    row.presented_fingerprint.zip(row.presented_not_after).map(|(fingerprint, not_after)| Presented { fingerprint, not_after });
                let certificate = InstanceCertificate {
                    authority: AuthorityId(row.authority_id),
                    fingerprint: row.fingerprint,
                    names: row.names,
                    not_before: row.not_before,
                    not_after: row.not_after,
                    presented,
                    requires_tls: row.requires_tls,
                };
                (InstanceId(row.instance_id), certificate)
            })
            .collect())
    }

    /// The certificate of an instance with its key; `None` if it has none yet.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key was sealed with another of ours.
    pub async fn server_certificate(&self, id: InstanceId) -> Result<Option<ServerCertificate>> {
        let row = sqlx::query!("SELECT chain, sealed_key FROM instance_certificates WHERE instance_id = $1", id.0)
            .fetch_optional(&self.pool)
            .await
            .classify()?;
        row.map(|row| Ok(ServerCertificate { chain: row.chain, key: self.keys.open(&row.sealed_key, &key_context(id))? })).transpose()
    }

    /// Stores a new certificate of an instance. What its server presents remains as it was. The caller holds the lock of the instance.
    pub async fn save_certificate(&self, id: InstanceId, certificate: &ServerCertificate, details: &InstanceCertificate) -> Result<()> {
        let InstanceCertificate { authority, fingerprint, names, not_before, not_after, presented: _, requires_tls: _ } = details;
        let saved = sqlx::query!(
            "INSERT INTO instance_certificates (instance_id, authority_id, chain, sealed_key, fingerprint, names, not_before, not_after)
             SELECT $1, id, $3, $4, $5, $6, $7, $8 FROM certificate_authorities WHERE id = $2 FOR KEY SHARE
             ON CONFLICT (instance_id) DO UPDATE SET authority_id = excluded.authority_id, chain = excluded.chain,
                 sealed_key = excluded.sealed_key, fingerprint = excluded.fingerprint, names = excluded.names,
                 not_before = excluded.not_before, not_after = excluded.not_after",
            id.0,
            authority.0,
            certificate.chain,
            self.keys.seal(&certificate.key, &key_context(id)),
            fingerprint,
            names,
            not_before,
            not_after
        )
        .execute(&self.pool)
        .await
        .classify()?;
        if saved.rows_affected() == 0 {
            return Err(Error::Unavailable("the certificate authority has been replaced meanwhile".into()));
        }
        Ok(())
    }

    /// Records that the server of an instance presents the certificate with this fingerprint, if that is still the current one.
    pub async fn record_presented(&self, id: InstanceId, fingerprint: &str) -> Result<()> {
        sqlx::query!(
            "UPDATE instance_certificates SET presented_fingerprint = fingerprint, presented_authority_id = authority_id,
                 presented_not_after = not_after
             WHERE instance_id = $1 AND fingerprint = $2 AND presented_fingerprint IS DISTINCT FROM fingerprint",
            id.0,
            fingerprint
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }

    /// Records whether the server of an instance refuses clients without TLS.
    pub async fn record_requires_tls(&self, id: InstanceId, requires_tls: bool) -> Result<()> {
        sqlx::query!("UPDATE instance_certificates SET requires_tls = $2 WHERE instance_id = $1", id.0, requires_tls)
            .execute(&self.pool)
            .await
            .classify()?;
        Ok(())
    }

    /// What a client has to check of the certificate of an instance; `None` before there is an authority. Once a server has presented
    /// one, it is not accepted without.
    pub async fn server_identity(&self, id: InstanceId) -> Result<Option<ServerIdentity>> {
        let row = sqlx::query!(
            r#"SELECT string_agg(certificates, '' ORDER BY issues_from) AS authorities,
                 EXISTS (SELECT FROM instance_certificates WHERE instance_id = $1 AND presented_fingerprint IS NOT NULL) AS "required!"
               FROM certificate_authorities"#,
            id.0
        )
        .fetch_one(&self.pool)
        .await
        .classify()?;
        Ok(row.authorities.map(|authorities| ServerIdentity { authorities, name: id.tls_name(), required: row.required }))
    }
}

/// What the key of an instance's certificate is sealed with.
pub(super) fn key_context(id: InstanceId) -> String {
    format!("instance-certificate/{id}")
}
