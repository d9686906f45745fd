//! Backups of instances.

use std::{fmt, path::PathBuf, time::Duration};

use base64::Engine;
use clap::{ArgAction, Args, value_parser};
use toygres_backup::{AzureCredentials, Encryption, S3Credentials, Store, StoreConfig, parse_identities, parse_recipients};
use toygres_domain::{
    backup::{BackupPolicy, Durability},
    secret::Secret,
    verification::VerificationPolicy,
};
use toygres_k8s::settings::{NetworkStore, STORE_DIRECTORY, StoreAccess};
use toygres_workflows::backups::{BackupOptions, BackupTiming};
use url::Url;

use super::values::parse_bool;
use crate::app::backups::BackupSupport;

/// The value that stands for no store.
const NONE: &str = "none";

// The variables that pods get too.
const STORE: &str = "TOYGRES_BACKUP_STORE";
const S3_KEY: &str = "TOYGRES_BACKUP_S3_ACCESS_KEY_ID";
const S3_SECRET: &str = "TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY";
const AZURE_KEY: &str = "TOYGRES_BACKUP_AZURE_SECRET_KEY";
const GOOGLE_KEY_FILE: &str = "TOYGRES_BACKUP_GOOGLE_KEY_FILE";
const AGE_RECIPIENTS: &str = "TOYGRES_BACKUP_AGE_RECIPIENTS";
const AGE_IDENTITY: &str = "TOYGRES_BACKUP_AGE_IDENTITY";

/// Backups of instances.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Backups")]
pub struct BackupsConfig {
    /// Where backups go: a directory, s3://BUCKET?region=REGION&endpoint=URL, azure://ACCOUNT/CONTAINER?endpoint=URL, gs://BUCKET, or none
    /// [default: with the process runtime a directory beside the data directory, DATA_DIR-backups; else none].
    #[arg(long, env = STORE, value_parser = parse_store)]
    pub backup_store: Option<StoreUrl>,
    /// The access key for an S3 store [default: the identity of the workload or of the machine].
    #[arg(long, env = S3_KEY)]
    pub backup_s3_access_key_id: Option<String>,
    /// Its secret.
    #[arg(long, env = S3_SECRET, hide_env_values = true, value_parser = parse_secret)]
    pub backup_s3_secret_access_key: Option<Secret>,
    /// The key of the storage account of an Azure store, in base64 [default: workload identity or managed identity].
    #[arg(long, env = AZURE_KEY, hide_env_values = true, value_parser = parse_secret)]
    pub backup_azure_secret_key: Option<Secret>,
    /// File with the key of a service account for a Google store, as JSON [default: the identity of the workload or of the machine].
    #[arg(long, env = GOOGLE_KEY_FILE)]
    pub backup_google_key_file: Option<PathBuf>,
    /// Public keys of age (age1...), separated by commas, for which data is encrypted before it goes into the store [default: it is not
    /// encrypted].
    #[arg(long, env = AGE_RECIPIENTS)]
    pub backup_age_recipients: Option<String>,
    /// The identity of one of them (AGE-SECRET-KEY-1...), which restores need. Several are separated by commas.
    #[arg(long, env = AGE_IDENTITY, hide_env_values = true, value_parser = parse_secret)]
    pub backup_age_identity: Option<Secret>,
    /// Directory for temporary files: one WAL segment of 16 MB for each instance [default: TMPDIR, or /tmp].
    #[arg(long, env = "TOYGRES_BACKUP_SPOOL_DIR")]
    pub backup_spool_dir: Option<PathBuf>,
    /// Whether instances are backed up for which nothing was chosen.
    #[arg(long, env = "TOYGRES_BACKUPS", default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = parse_bool)]
    pub backups: bool,
    /// Hours from one base backup of such an instance to the next.
    #[arg(long, env = "TOYGRES_BACKUP_INTERVAL_HOURS", default_value = "24", value_parser = value_parser!(i32).range(1..=8760))]
    pub backup_interval_hours: i32,
    /// Days for which every point in time of such an instance stays restorable, also after its deletion.
    #[arg(long, env = "TOYGRES_BACKUP_RETENTION_DAYS", default_value = "7", value_parser = value_parser!(i32).range(0..=3650))]
    pub backup_retention_days: i32,
    /// GiB up to which base backups are verified: each is restored to a place of its own and read. 0 turns it off [default: 2 with the process
    /// runtime, 0 with kubernetes].
    #[arg(long, env = "TOYGRES_BACKUP_VERIFY_MAX_GB", value_parser = value_parser!(u64).range(0..=65_536))]
    pub backup_verify_max_gb: Option<u64>,
    /// How many of a hundred of those base backups are verified.
    #[arg(long, env = "TOYGRES_BACKUP_VERIFY_SAMPLE_PERCENT", default_value = "100", value_parser = value_parser!(u8).range(1..=100))]
    pub backup_verify_sample_percent: u8,
    /// Seconds that the deletion of an instance waits until everything that the instance has committed is archived, before it goes on without.
    #[arg(long, env = "TOYGRES_BACKUP_CLOSE_SECONDS", default_value = "300", value_parser = value_parser!(u32).range(1..=86_400))]
    pub backup_close_seconds: u32,
}

/// GiB up to which base backups are verified by default where instances are processes of this machine.
const VERIFY_MAX_GB: u64 = 2;

/// Where backups go, without what it takes to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// Nowhere.
    None,
    /// A directory.
    Directory(PathBuf),
    /// S3.
    S3 {
        /// The bucket.
        bucket: String,
        /// The region.
        region: String,
        /// The address of a compatible store.
        endpoint: Option<String>,
    },
    /// Azure Blob Storage.
    Azure {
        /// The storage account.
        account: String,
        /// The container.
        container: String,
        /// The address, if it is not that of Azure.
        endpoint: Option<String>,
    },
    /// Google Cloud Storage.
    Google {
        /// The bucket.
        bucket: String,
    },
}

impl StoreUrl {
    /// The TCP port of a store that is reached over the network.
    fn port(&self) -> Option<u16> {
        let endpoint = match self {
            Self::None | Self::Directory(_) => return None,
            Self::S3 { endpoint, .. } | Self::Azure { endpoint, .. } => endpoint.as_deref(),
            Self::Google { .. } => None,
        };
        endpoint.and_then(|endpoint| Url::parse(endpoint).ok()?.port_or_known_default()).or(Some(443))
    }
}

/// As it is parsed.
impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, options) = match self {
            Self::None => return f.write_str(NONE),
            Self::Directory(directory) => return directory.display().fmt(f),
            Self::S3 { bucket, region, endpoint } => (format!("s3://{bucket}"), [("region", Some(region)), ("endpoint", endpoint.as_ref())]),
            Self::Azure { account, container, endpoint } => {
                (format!("azure://{account}/{container}"), [("region", None), ("endpoint", endpoint.as_ref())])
            }
            Self::Google { bucket } => (format!("gs://{bucket}"), [("region", None), ("endpoint", None)]),
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(options.into_iter().filter_map(|(name, value)| Some((name, value?))));
        match query.finish() {
            query if query.is_empty() => f.write_str(&url),
            query => write!(f, "{url}?{query}"),
        }
    }
}

impl BackupsConfig {
    /// Checks what depends on several values.
    pub(super) fn check(&self) -> Result<(), String> {
        match (&self.backup_s3_access_key_id, &self.backup_s3_secret_access_key) {
            (Some(_), None) => Err("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY must be set too: the secret of TOYGRES_BACKUP_S3_ACCESS_KEY_ID".to_owned()),
            (None, Some(_)) => Err("TOYGRES_BACKUP_S3_ACCESS_KEY_ID must be set too: the key of TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY".to_owned()),
            _ => Ok(()),
        }?;
        let is_base64 = |key: &Secret| base64::engine::general_purpose::STANDARD.decode(key.expose()).is_ok();
        if self.backup_azure_secret_key.as_ref().is_some_and(|key| !is_base64(key)) {
            return Err(format!("{AZURE_KEY}: it must be a key of the storage account, in base64"));
        }
        let encryption = self.encryption()?;
        if encryption.is_readable() {
            Ok(())
        } else {
            Err(format!("{AGE_IDENTITY} must have the identity of one of {AGE_RECIPIENTS}: restores need it"))
        }
    }

    /// How data is encrypted before it goes into the store.
    ///
    /// # Errors
    /// One sentence for people: these are no keys.
    pub fn encryption(&self) -> Result<Encryption, String> {
        let recipients = self.backup_age_recipients.as_deref().map(parse_recipients).transpose();
        let identities = self.backup_age_identity.as_ref().map(|text| parse_identities(text.expose())).transpose();
        Ok(Encryption {
            recipients: recipients.map_err(|why| format!("{AGE_RECIPIENTS}: {why}"))?.unwrap_or_default(),
            identities: identities.map_err(|why| format!("{AGE_IDENTITY}: {why}"))?.unwrap_or_default(),
        })
    }

    /// The store; `local` is the default.
    ///
    /// # Errors
    /// One sentence for people: a file cannot be read.
    pub fn store(&self, local: Option<PathBuf>) -> Result<Option<StoreConfig>, String> {
        let url = self.backup_store.clone().unwrap_or_else(|| local.map_or(StoreUrl::None, StoreUrl::Directory));
        Ok(match url {
            StoreUrl::None => None,
            StoreUrl::Directory(directory) => Some(StoreConfig::Directory(directory)),
            StoreUrl::S3 { bucket, region, endpoint } => {
                let login = self.backup_s3_access_key_id.clone().zip(self.backup_s3_secret_access_key.clone());
                let credentials = login.map(|(access_key_id, secret_access_key)| S3Credentials { access_key_id, secret_access_key });
                Some(StoreConfig::S3 { bucket, region, endpoint, credentials })
            }
            StoreUrl::Azure { account, container, endpoint } => {
                let credentials = self.backup_azure_secret_key.clone().map_or(AzureCredentials::Identity, AzureCredentials::AccountKey);
                Some(StoreConfig::Azure { account, container, endpoint, credentials })
            }
            StoreUrl::Google { bucket } => Some(StoreConfig::Google { bucket, service_account_key: self.google_key()? }),
        })
    }

    /// What a pod with the image of the control plane needs to have this store: the same variables, and files where they name one.
    ///
    /// # Errors
    /// One sentence for people: a file cannot be read.
    pub fn access(&self) -> Result<StoreAccess, String> {
        let Some(store) = &self.backup_store else { return Ok(StoreAccess::None) };
        let Some(port) = store.port() else {
            return Ok(if *store == StoreUrl::None { StoreAccess::None } else { StoreAccess::Directory });
        };
        let mut access = NetworkStore { port, ..NetworkStore::default() };
        let mut set = |name: &str, value: Option<Secret>| access.environment.extend(value.map(|value| (name.to_owned(), value)));
        set(STORE, Some(Secret::new(store.to_string())));
        set(AGE_IDENTITY, self.backup_age_identity.clone());
        match store {
            StoreUrl::None | StoreUrl::Directory(_) => {}
            StoreUrl::S3 { .. } => {
                set(S3_KEY, self.backup_s3_access_key_id.clone().map(Secret::new));
                set(S3_SECRET, self.backup_s3_secret_access_key.clone());
            }
            StoreUrl::Azure { .. } => set(AZURE_KEY, self.backup_azure_secret_key.clone()),
            StoreUrl::Google { .. } => {
                const FILE: &str = "google.json";
                if let Some(key) = self.google_key()? {
                    set(GOOGLE_KEY_FILE, Some(Secret::new(format!("{STORE_DIRECTORY}/{FILE}"))));
                    access.files.push((FILE.to_owned(), key));
                }
            }
        }
        Ok(StoreAccess::Network(Box::new(access)))
    }

    fn google_key(&self) -> Result<Option<Secret>, String> {
        let read = |file: &PathBuf| {
            let key = std::fs::read_to_string(file);
            key.map(Secret::new).map_err(|error| format!("{GOOGLE_KEY_FILE}: {} cannot be read: {error}", file.display()))
        };
        self.backup_google_key_file.as_ref().map(read).transpose()
    }

    /// How backups are taken into this store. `local`: the instances are processes of this machine.
    ///
    /// # Errors
    /// One sentence for people: the store cannot be opened.
    pub fn options(&self, store: &StoreConfig, local: bool) -> Result<BackupOptions, String> {
        let store = Store::open(store).map_err(|error| format!("TOYGRES_BACKUP_STORE: {error}"))?.encrypted(self.encryption()?);
        let spool = self.backup_spool_dir.clone().unwrap_or_else(std::env::temp_dir);
        let max_gb = self.backup_verify_max_gb.unwrap_or(if local { VERIFY_MAX_GB } else { 0 });
        let verification = VerificationPolicy { max_bytes: max_gb << 30, sample_percent: self.backup_verify_sample_percent };
        Ok(BackupOptions { store, spool, policy: self.policy(), verification, timing: BackupTiming::default() })
    }

    /// What callers are told about backups to this store.
    #[must_use]
    pub fn support(&self, store: Option<&StoreConfig>, objects: Option<Store>) -> BackupSupport {
        let durability = |store: &StoreConfig| match store {
            StoreConfig::Directory(_) => Durability::SameMachine,
            StoreConfig::S3 { .. } | StoreConfig::Azure { .. } | StoreConfig::Google { .. } => Durability::ObjectStore,
        };
        BackupSupport { store: store.map(|store| (store.to_string(), durability(store))), policy: self.policy(), objects }
    }

    /// How long a deletion waits until everything that the instance has committed is archived.
    #[must_use]
    pub fn close_timeout(&self) -> Duration {
        Duration::from_secs(self.backup_close_seconds.into())
    }

    /// The policy of instances for which nothing was chosen.
    #[must_use]
    pub fn policy(&self) -> BackupPolicy {
        BackupPolicy { enabled: self.backups, interval_hours: self.backup_interval_hours, retention_days: self.backup_retention_days }
    }
}

fn parse_secret(text: &str) -> Result<Secret, String> {
    if text.is_empty() { Err("it must not be empty".to_owned()) } else { Ok(Secret::new(text.to_owned())) }
}

fn parse_store(text: &str) -> Result<StoreUrl, String> {
    if text == NONE {
        return Ok(StoreUrl::None);
    }
    if text.starts_with('/') {
        return Ok(StoreUrl::Directory(text.into()));
    }
    let form = || "it must be an absolute path, s3://BUCKET?region=REGION, azure://ACCOUNT/CONTAINER, gs://BUCKET, or none".to_owned();
    let url = Url::parse(text).map_err(|_| form())?;
    let host = url.host_str().map(str::to_owned).filter(|host| !host.is_empty()).ok_or_else(form)?;
    let path = url.path().trim_matches('/').to_owned();
    let option = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let unknown = url.query_pairs().find(|(key, _)| !matches!(key.as_ref(), "region" | "endpoint")).map(|(key, _)| key.into_owned());
    if let Some(unknown) = unknown {
        return Err(format!("it must have no option '{unknown}': region and endpoint are known"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must have no password: there are variables for keys".to_owned());
    }
    match url.scheme() {
        "s3" if path.is_empty() => {
            let region = option("region").or_else(|| option("endpoint").map(|_| "us-east-1".to_owned()));
            let region = region.ok_or("it must have a region: s3://BUCKET?region=REGION")?;
            Ok(StoreUrl::S3 { bucket: host, region, endpoint: option("endpoint") })
        }
        "azure" if !path.is_empty() && !path.contains('/') => Ok(StoreUrl::Azure { account: host, container: path, endpoint: option("endpoint") }),
        "gs" if path.is_empty() => Ok(StoreUrl::Google { bucket: host }),
        _ => Err(form()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        backups: BackupsConfig,
    }

    #[test]
    fn a_pod_has_the_store_of_the_control_plane() {
        let access = |arguments: &[&str]| {
            let arguments = [&["test"], arguments].concat();
            Line::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}")).backups.access()
        };
        assert_eq!(access(&["--backup-store=none"]), Ok(StoreAccess::None));
        assert_eq!(access(&["--backup-store=/srv/backups"]), Ok(StoreAccess::Directory));
        let login = ["--backup-s3-access-key-id=key", "--backup-s3-secret-access-key=hidden", "--backup-age-identity=hidden too"];
        let store = [&["--backup-store=s3://b?endpoint=http://minio:9000"], &login[..]].concat();
        let found = access(&store).unwrap();
        assert!(!format!("{found:?}").contains("hidden"), "no key is shown");
        let StoreAccess::Network(store) = found else { panic!("it is on the network") };
        let NetworkStore { environment, files, port } = *store;
        let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let url = "s3://b?region=us-east-1&endpoint=http%3A%2F%2Fminio%3A9000";
        assert_eq!(environment, [(STORE, url), (AGE_IDENTITY, "hidden too"), (S3_KEY, "key"), (S3_SECRET, "hidden")]);
        assert_eq!((files.len(), port), (0, 9000));

        let missing = access(&["--backup-store=gs://b", "--backup-google-key-file=/does/not/exist"]).unwrap_err();
        assert!(missing.starts_with("TOYGRES_BACKUP_GOOGLE_KEY_FILE: /does/not/exist cannot be read"), "{missing}");
    }

    #[test]
    fn keys_are_checked_at_the_start_and_not_shown() {
        const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
        const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        const ANOTHER: &str = "age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqm";
        let check = |arguments: &[&str]| {
            let arguments = [&["test"], arguments].concat();
            Line::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}")).backups.check()
        };
        let (identity, recipient) = (format!("--backup-age-identity={IDENTITY}"), format!("--backup-age-recipients={ANOTHER},{RECIPIENT}"));
        assert_eq!(check(&[&identity, &recipient]), Ok(()));
        assert_eq!(check(&[&identity]), Ok(()), "what was encrypted before is read");
        let needed = "TOYGRES_BACKUP_AGE_IDENTITY must have the identity of one of TOYGRES_BACKUP_AGE_RECIPIENTS: restores need it".to_owned();
        assert_eq!(check(&[&recipient]), Err(needed.clone()));
        assert_eq!(check(&[&identity, &format!("--backup-age-recipients={ANOTHER}")]), Err(needed));
        for (wrong, begin) in [
            ("--backup-age-identity=AGE-SECRET-KEY-1HIDDEN", "TOYGRES_BACKUP_AGE_IDENTITY: it must have identities of age"),
            ("--backup-age-recipients=age1x", "TOYGRES_BACKUP_AGE_RECIPIENTS: it must have public keys of age"),
            ("--backup-azure-secret-key=!HIDDEN!", "TOYGRES_BACKUP_AZURE_SECRET_KEY: it must be a key of the storage account"),
        ] {
            let why = check(&[wrong]).unwrap_err();
            assert!(why.starts_with(begin) && !why.contains("HIDDEN"), "{why}");
        }
    }

    #[test]
    fn a_store_is_named_by_its_url() {
        assert_eq!(parse_store("none"), Ok(StoreUrl::None));
        assert_eq!(parse_store("/srv/backups"), Ok(StoreUrl::Directory("/srv/backups".into())));
        let s3 = |endpoint: Option<&str>, region: &str| {
            Ok(StoreUrl::S3 { bucket: "b-1".to_owned(), region: region.to_owned(), endpoint: endpoint.map(str::to_owned) })
        };
        assert_eq!(parse_store("s3://b-1?region=eu-central-1"), s3(None, "eu-central-1"));
        assert_eq!(parse_store("s3://b-1?endpoint=http://127.0.0.1:9000"), s3(Some("http://127.0.0.1:9000"), "us-east-1"));
        let azure = StoreUrl::Azure { account: "acc".to_owned(), container: "backups".to_owned(), endpoint: None };
        assert_eq!(parse_store("azure://acc/backups"), Ok(azure));
        assert_eq!(parse_store("gs://b"), Ok(StoreUrl::Google { bucket: "b".to_owned() }));
        for text in ["none", "/srv/backups", "s3://b-1?endpoint=https://s3.example:9000/a?b&region=x", "azure://acc/backups", "gs://b"] {
            let store = parse_store(text).unwrap();
            assert_eq!(parse_store(&store.to_string()), Ok(store), "{text}");
        }
        for wrong in ["", "backups", "s3://b", "s3://b/prefix?region=x", "s3://key:secret@b?region=x", "azure://acc", "gs://b?prefix=x", "ftp://b"] {
            assert!(parse_store(wrong).is_err_and(|why| why.starts_with("it must")), "{wrong}");
        }
    }
}
