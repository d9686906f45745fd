//! Where a store is, and how it is reached.

use std::{fmt, os::unix::fs::DirBuilderExt as _, path::PathBuf, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ObjectStore, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder,
    local::LocalFileSystem,
};
use toygres_domain::secret::Secret;

use super::{connector::Connector, crypto::Crypto};

/// A store. Its `Display` names it without its secrets.
#[derive(Clone, Debug)]
pub enum StoreConfig {
    /// A directory, which is created, for this user alone. An object is durable when the file and its directory are (`fsync`).
    Directory(PathBuf),
    /// S3, or a store that is compatible with it. It has to support conditional writes (`If-None-Match`).
    S3 {
        /// The name of the bucket.
        bucket: String,
        /// The region, such as `eu-central-1`.
        region: String,
        /// The address, if it is not that of Amazon. `http://` is accepted for stores of this machine and of tests.
        endpoint: Option<String>,
        /// How to log in; `None` for the identity of the workload or of the machine.
        credentials: Option<S3Credentials>,
    },
    /// Azure Blob Storage.
    Azure {
        /// The storage account.
        account: String,
        /// The container.
        container: String,
        /// The address, if it is not that of Azure.
        endpoint: Option<String>,
        /// How to log in.
        credentials: AzureCredentials,
    },
    /// Google Cloud Storage.
    Google {
        /// The name of the bucket.
        bucket: String,
        /// The key of a service account as JSON; `None` for the identity of the workload or of the machine.
        service_account_key: Option<Secret>,
    },
}

/// A login to S3.
#[derive(Clone, Debug)]
pub struct S3Credentials {
    /// The access key.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Secret,
}

/// A login to Azure.
#[derive(Clone, Debug)]
pub enum AzureCredentials {
    /// Workload identity or managed identity: as the environment variables `AZURE_...` say that AKS sets, or else from the metadata service
    /// of the machine.
    Identity,
    /// A key of the storage account, in base64.
    AccountKey(Secret),
}

impl fmt::Display for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => write!(f, "directory {}", directory.display()),
            Self::S3 { bucket, endpoint: None, .. } => write!(f, "S3 bucket {bucket}"),
            Self::S3 { bucket, endpoint: Some(endpoint), .. } => write!(f, "S3 bucket {bucket} at {endpoint}"),
            Self::Azure { account, container, .. } => write!(f, "Azure container {container} of {account}"),
            Self::Google { bucket, .. } => write!(f, "Google Cloud Storage bucket {bucket}"),
        }
    }
}

impl StoreConfig {
    /// The settings of the control plane, and of the pods that restore for it, that say how to log in.
    pub(super) fn login(&self) -> &'static str {
        match self {
            Self::Directory(_) => "its owner and its mode",
            Self::S3 { credentials: Some(_), .. } => "TOYGRES_BACKUP_S3_ACCESS_KEY_ID and TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY",
            Self::S3 { credentials: None, .. } => "the identity of the workload, or set TOYGRES_BACKUP_S3_ACCESS_KEY_ID",
            Self::Azure { credentials: AzureCredentials::AccountKey(_), .. } => "TOYGRES_BACKUP_AZURE_SECRET_KEY",
            Self::Azure { credentials: AzureCredentials::Identity, .. } => "the identity of the workload, or set TOYGRES_BACKUP_AZURE_SECRET_KEY",
            Self::Google { service_account_key: Some(_), .. } => "TOYGRES_BACKUP_GOOGLE_KEY_FILE",
            Self::Google { service_account_key: None, .. } => "the identity of the workload, or set TOYGRES_BACKUP_GOOGLE_KEY_FILE",
        }
    }
}

pub(super) fn build(config: &StoreConfig) -> object_store::Result<Arc<dyn ObjectStore>> {
    match config {
        StoreConfig::Directory(directory) => {
            let failed = |source: std::io::Error| object_store::Error::Generic { store: "directory", source: Box::new(source) };
            // What is backed up is nobody else's business.
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
            Ok(Arc::new(LocalFileSystem::new_with_prefix(directory)?.with_fsync(true).with_automatic_cleanup(true)))
        }
        StoreConfig::S3 { bucket, region, endpoint, credentials } => {
            let builder = if credentials.is_some() { AmazonS3Builder::new() } else { AmazonS3Builder::from_env() };
            // Not every compatible store can delete several objects at once.
            let mut builder = builder.with_bucket_name(bucket).with_region(region).with_disable_bulk_delete(true);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint).with_allow_http(is_plain(endpoint));
            }
            if let Some(S3Credentials { access_key_id, secret_access_key }) = credentials {
                builder = builder.with_access_key_id(access_key_id).with_secret_access_key(secret_access_key.expose());
            }
            builder = builder.with_retry(retry()).with_http_connector(Connector).with_crypto_provider(Arc::new(Crypto));
            Ok(Arc::new(builder.build()?))
        }
        StoreConfig::Azure { account, container, endpoint, credentials } => {
            let mut builder = match credentials {
                AzureCredentials::Identity => MicrosoftAzureBuilder::from_env(),
                AzureCredentials::AccountKey(key) => MicrosoftAzureBuilder::new().with_access_key(key.expose()),
            };
            builder = builder.with_account(account).with_container_name(container);
            if let Some(endpoint) = endpoint {
                builder = builder.with_endpoint(endpoint.clone()).with_allow_http(is_plain(endpoint));
            }
            builder = builder.with_retry(retry()).with_http_connector(Connector).with_crypto_provider(Arc::new(Crypto));
            Ok(Arc::new(builder.build()?))
        }
        StoreConfig::Google { bucket, service_account_key } => {
            let mut builder = match service_account_key {
                None => GoogleCloudStorageBuilder::from_env(),
                Some(key) => GoogleCloudStorageBuilder::new().with_service_account_key(key.expose()),
            };
            builder = builder.with_bucket_name(bucket).with_retry(retry()).with_http_connector(Connector).with_crypto_provider(Arc::new(Crypto));
            Ok(Arc::new(builder.build()?))
        }
    }
}

fn is_plain(endpoint: &str) -> bool {
    endpoint.starts_with("http://")
}

/// Short interruptions are repeated here. Longer ones are the business of the caller, who can say that something is wrong.
fn retry() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(200), max_backoff: Duration::from_secs(5), base: 2.0 };
    RetryConfig { backoff, max_retries: 5, retry_timeout: Duration::from_secs(30) }
}
