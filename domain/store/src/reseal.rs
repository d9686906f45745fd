//! Seals everything anew with another key.

use uuid::Uuid;

use super::{Store, authorities, certificates, credentials, database_users, errors::Classify, rotations, webhooks};
use toygres_domain::{InstanceId, Result, certificate::AuthorityId, webhook::WebhookId};

/// The result of [`Store::reseal`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Secrets that were resealed with the first key.
    pub resealed: u64,
    /// Secrets that already were sealed with the first key.
    pub current: u64,
}

/// Declares a method that reseals a column. It locks a few rows at a time.
macro_rules! reseal_column {
    ($name:ident, $select:literal, $update:literal, $context:expr) => {
        async fn $name(&self, done: &mut Resealed) -> Result<()> {
            let mut last = Uuid::nil();
            loop {
                let mut transaction = self.begin().await?;
                let rows = sqlx::query!($select, last).fetch_all(&mut *transaction).await.classify()?;
                let Some(end) = rows.last() else { return Ok(()) };
                last = end.id;
                for row in rows {
                    let context: String = $context(row.id);
                    match self.keys.reseal(&row.sealed, &context)? {
                        None => done.current += 1,
                        Some(sealed) => {
                            sqlx::query!($update, row.id, sealed).execute(&mut *transaction).await.classify()?;
                            done.resealed += 1;
                        }
                    }
                }
                transaction.commit().await.classify()?;
            }
        }
    };
}

impl Store {
    /// Reseals every secret that is sealed with another key than the first. Servers that have both keys keep working; it can be
    /// interrupted and repeated.
    ///
    /// # Errors
    /// [`Error::Internal`](toygres_domain::Error::Internal) when one was sealed with a key that is not among ours.
    pub async fn reseal(&self) -> Result<Resealed> {
        let mut done = Resealed::default();
        self.reseal_passwords(&mut done).await?;
        self.reseal_pending(&mut done).await?;
        self.reseal_verifiers(&mut done).await?;
        self.reseal_new_users(&mut done).await?;
        self.reseal_platform(&mut done).await?;
        self.reseal_authorities(&mut done).await?;
        self.reseal_certificates(&mut done).await?;
        self.reseal_webhook_urls(&mut done).await?;
        self.reseal_webhook_secrets(&mut done).await?;
        self.reseal_former_webhook_secrets(&mut done).await?;
        Ok(done)
    }

    async fn reseal_platform(&self, done: &mut Resealed) -> Result<()> {
        let mut last = (Uuid::nil(), String::new());
        loop {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query!(
                "SELECT instance_id, role, sealed_password FROM platform_passwords WHERE (instance_id, role) > ($1, $2)
                 ORDER BY instance_id, role LIMIT 100 FOR UPDATE",
                last.0,
                last.1
            )
            .fetch_all(&mut *transaction)
            .await
            .classify()?;
            let Some(end) = rows.last() else { return Ok(()) };
            last = (end.instance_id, end.role.clone());
            for row in rows {
                match self.keys.reseal(&row.sealed_password, &credentials::context(InstanceId(row.instance_id), &row.role))? {
                    None => done.current += 1,
                    Some(sealed) => {
                        sqlx::query!(
                            "UPDATE platform_passwords SET sealed_password = $3, updated_at = clock_timestamp() WHERE instance_id = $1 AND role = $2",
                            row.instance_id,
                            row.role,
                            sealed
                        )
                        .execute(&mut *transaction)
                        .await
                        .classify()?;
                        done.resealed += 1;
                    }
                }
            }
            transaction.commit().await.classify()?;
        }
    }

    reseal_column!(
        reseal_passwords,
        r#"SELECT instance_id AS id, sealed_password AS sealed FROM credentials WHERE instance_id > $1 ORDER BY instance_id LIMIT 100 FOR UPDATE"#,
        "UPDATE credentials SET sealed_password = $2, updated_at = clock_timestamp() WHERE instance_id = $1",
        |id| InstanceId(id).to_string()
    );
    reseal_column!(
        reseal_pending,
        r#"SELECT instance_id AS id, pending_password AS "sealed!" FROM credentials WHERE instance_id > $1 AND pending_password IS NOT NULL
           ORDER BY instance_id LIMIT 100 FOR UPDATE"#,
        "UPDATE credentials SET pending_password = $2, updated_at = clock_timestamp() WHERE instance_id = $1",
        |id| InstanceId(id).to_string()
    );
    reseal_column!(
        reseal_verifiers,
        r#"SELECT instance_id AS id, former_verifier AS "sealed!" FROM credentials WHERE instance_id > $1 AND former_verifier IS NOT NULL
           ORDER BY instance_id LIMIT 100 FOR UPDATE"#,
        "UPDATE credentials SET former_verifier = $2, updated_at = clock_timestamp() WHERE instance_id = $1",
        |id| credentials::context(InstanceId(id), rotations::VERIFIER)
    );
    reseal_column!(
        reseal_new_users,
        r#"SELECT instance_id AS id, sealed_verifier AS sealed FROM new_user_verifiers WHERE instance_id > $1 ORDER BY instance_id LIMIT 100
           FOR UPDATE"#,
        "UPDATE new_user_verifiers SET sealed_verifier = $2 WHERE instance_id = $1",
        |id| credentials::context(InstanceId(id), database_users::VERIFIER)
    );
    reseal_column!(
        reseal_authorities,
        r#"SELECT id, sealed_key AS "sealed!" FROM certificate_authorities WHERE id > $1 AND sealed_key IS NOT NULL ORDER BY id LIMIT 100 FOR UPDATE"#,
        "UPDATE certificate_authorities SET sealed_key = $2 WHERE id = $1",
        |id| authorities::key_context(AuthorityId(id))
    );
    reseal_column!(
        reseal_certificates,
        r#"SELECT instance_id AS id, sealed_key AS sealed FROM instance_certificates WHERE instance_id > $1 ORDER BY instance_id LIMIT 100 FOR UPDATE"#,
        "UPDATE instance_certificates SET sealed_key = $2 WHERE instance_id = $1",
        |id| certificates::key_context(InstanceId(id))
    );
    reseal_column!(
        reseal_webhook_urls,
        "SELECT id, sealed_url AS sealed FROM webhooks WHERE id > $1 ORDER BY id LIMIT 100 FOR UPDATE",
        "UPDATE webhooks SET sealed_url = $2 WHERE id = $1",
        |id| webhooks::url_context(WebhookId(id))
    );
    reseal_column!(
        reseal_webhook_secrets,
        "SELECT id, sealed_secret AS sealed FROM webhooks WHERE id > $1 ORDER BY id LIMIT 100 FOR UPDATE",
        "UPDATE webhooks SET sealed_secret = $2 WHERE id = $1",
        |id| webhooks::secret_context(WebhookId(id))
    );
    reseal_column!(
        reseal_former_webhook_secrets,
        r#"SELECT id, former_secret AS "sealed!" FROM webhooks WHERE id > $1 AND former_secret IS NOT NULL ORDER BY id LIMIT 100 FOR UPDATE"#,
        "UPDATE webhooks SET former_secret = $2 WHERE id = $1",
        |id| webhooks::secret_context(WebhookId(id))
    );
}
