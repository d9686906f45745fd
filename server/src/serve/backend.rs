//! The backend of a server: the runtime, the databases, and the secret key.

use std::{path::PathBuf, sync::Arc, time::Duration};

use metrics::gauge;
use tokio_util::sync::CancellationToken;
use toygres_domain::{runtime::Runtime, secret::SecretKeys};
use toygres_k8s::KubernetesRuntime;
use toygres_process::{self as process, Account, Binaries, DataDir, DiskSpace, Embedded, ProcessConfig, ProcessRuntime};

use super::tasks::Tasks;
use crate::{
    config::{RuntimeKind, ServeConfig},
    secrets,
};

/// How often the metrics of the disk are renewed.
const DISK_SPACE_INTERVAL: Duration = Duration::from_secs(2);

/// The runtime, the databases and the secret key of a server.
pub(super) struct Backend {
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) database_url: String,
    pub(super) engine_url: String,
    pub(super) secret_key: SecretKeys,
    /// The file of the key, if this start created it.
    pub(super) made_key: Option<PathBuf>,
    embedded: Option<Embedded>,
    tasks: Tasks,
    shutdown: CancellationToken,
}

/// The programs of PostgreSQL on this machine, and the user that they run as.
pub(super) struct LocalPostgres {
    account: Account,
    binaries: Binaries,
}

impl LocalPostgres {
    /// Finds them, and checks the data directory, without creating anything: a start that is refused leaves nothing behind. `None` if
    /// instances do not run on this machine.
    pub(super) fn find(config: &ServeConfig) -> Result<Option<Self>, String> {
        let find = || -> process::Result<Self> {
            let account = Account::resolve(&config.process.pg_user)?;
            let binaries = Binaries::find_with_packages(config.process.pg_bin.as_deref(), &config.process.data_dir())?;
            DataDir::check(&config.process.data_dir(), &account)?;
            Ok(Self { account, binaries })
        };
        match config.runtime {
            RuntimeKind::Process => find().map(Some).map_err(|error| error.to_string()),
            RuntimeKind::Kubernetes => Ok(None),
        }
    }
}

impl Backend {
    /// Starts or connects to all of them.
    pub(super) async fn start(config: &ServeConfig, postgres: Option<LocalPostgres>, backups: Option<toygres_backup::Store>) -> Result<Self, String> {
        match postgres {
            Some(postgres) => Self::local(config, postgres, backups).await.map_err(|error| error.to_string()),
            None => Self::cluster(config).await,
        }
    }

    async fn cluster(config: &ServeConfig) -> Result<Self, String> {
        let mut settings = config.kubernetes.settings()?;
        settings.restore.store = config.backups.access()?;
        let runtime = KubernetesRuntime::connect(settings).await.map_err(|error| format!("TOYGRES_RUNTIME=kubernetes: {error}"))?;
        // That both are set was checked with the configuration.
        let database_url = config.databases.database_url.clone().ok_or("DATABASE_URL must be set")?;
        let secret_key = config.databases.secret_key.clone().ok_or("TOYGRES_SECRET_KEY must be set")?;
        let engine_url = config.databases.engine_url(&database_url);
        let (mut tasks, shutdown) = (Tasks::default(), CancellationToken::new());
        tasks.spawn("orphans", process::reap_orphans(shutdown.clone()));
        Ok(Self { runtime: Arc::new(runtime), database_url, engine_url, secret_key, made_key: None, embedded: None, tasks, shutdown })
    }

    async fn local(
        config: &ServeConfig,
        LocalPostgres { account, binaries }: LocalPostgres,
        backups: Option<toygres_backup::Store>,
    ) -> process::Result<Self> {
        let data = DataDir::open(&config.process.data_dir(), &account)?;
        let host = data.try_host()?.map(Arc::new);
        // Before the database starts, because nothing would stop it if this failed.
        let key_file = data.join(secrets::KEY_FILE);
        let (secret_key, made_key) = match &config.databases.secret_key {
            Some(key) => (key.clone(), None),
            None => {
                let missing = !key_file.exists();
                let key = SecretKeys::load_or_create(&key_file).map_err(|error| process::Error::Setup(secrets::sentence(error)))?;
                (key, missing.then_some(key_file))
            }
        };
        let embedded = match (&config.databases.database_url, &host) {
            (Some(_), _) => None,
            (None, Some(host)) => Some(Embedded::start(&data, &binaries, &account, host).await?),
            (None, None) => {
                let pid = data.host_pid().map(|pid| format!(" (process {pid})")).unwrap_or_default();
                return Err(process::Error::Setup(format!(
                    "another toygres{pid} serves the data directory {}: stop it, set TOYGRES_DATA_DIR to another directory, or set DATABASE_URL to join it as a further server",
                    data.path().display()
                )));
            }
        };
        let database_url =
            config.databases.database_url.clone().unwrap_or_else(|| embedded.as_ref().map(|db| db.url().to_owned()).unwrap_or_default());
        let runtime = ProcessRuntime::open(ProcessConfig { data, binaries, account, backups, min_free_disk_mb: config.process.min_free_disk_mb });
        let shutdown = CancellationToken::new();
        let role = host.map_or(process::Role::Guest, process::Role::Host);
        let mut tasks = Tasks::default();
        tasks.spawn("process supervisor", {
            let (runtime, shutdown) = (runtime.clone(), shutdown.clone());
            async move { runtime.supervise(role, shutdown).await }
        });
        if let Some(embedded) = embedded.clone() {
            let shutdown = shutdown.clone();
            tasks.spawn("embedded database", async move { embedded.supervise(shutdown).await });
        }
        tasks.spawn("orphans", process::reap_orphans(shutdown.clone()));
        tasks.spawn("disk metrics", record_disk_space(runtime.clone(), shutdown.clone()));
        Ok(Self {
            runtime: Arc::new(runtime),
            engine_url: config.databases.engine_url(&database_url),
            database_url,
            secret_key,
            made_key,
            embedded,
            tasks,
            shutdown,
        })
    }

    /// Waits until one of its tasks ends, and says which and why.
    pub(super) async fn failure(&mut self) -> String {
        self.tasks.failure().await
    }

    /// Stops the local instances and then the embedded database; the next start brings them back.
    pub(super) async fn stop(mut self) {
        self.shutdown.cancel();
        self.tasks.join(Duration::MAX).await;
        if let Some(embedded) = self.embedded.take()
            && let Err(error) = embedded.stop().await
        {
            tracing::error!(%error, "the embedded database did not stop cleanly");
        }
    }
}

async fn record_disk_space(runtime: ProcessRuntime, shutdown: CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(DISK_SPACE_INTERVAL)).await.is_some() {
        if let Some(DiskSpace { available, size }) = runtime.disk_space() {
            gauge!("toygres_data_disk_available_bytes").set(available as f64);
            gauge!("toygres_data_disk_size_bytes").set(size as f64);
        }
    }
}
