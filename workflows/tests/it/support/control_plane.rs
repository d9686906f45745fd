//! A whole control plane without its API: metadata, engine, dispatcher and nudges, with hooks around every activity.

use std::{
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use duroxide::{
    Client, OrchestrationRegistry, OrchestrationStatus,
    providers::{Provider, sqlite::SqliteProvider},
    runtime::registry::ActivityRegistry,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toygres_domain::InstanceId;
use toygres_postgres::Prober;
use toygres_store::{Store, changes::Changes, testing::TestDatabase};
use toygres_workflows::{
    ActivityContext, Engine, EngineOptions, MetricsRecorder, Probing, RetryPolicy, RunningChecks, Timing,
    certificates::{CertificatePolicy, SuspectCertificates},
    dispatcher,
    engine::{SCHEMA, Worker},
    heartbeat, nudges, registry, repairs,
    sweeper::{Swept, sweep},
};
use uuid::Uuid;

use super::{
    FakeRuntime, eventually,
    hooks::Hooks,
    requests::{DEADLINE, PASSWORD},
    serial_provider::SerialProvider,
};

pub struct Harness {
    pub database: TestDatabase,
    pub store: Store,
    pub runtime: FakeRuntime,
    pub engine: Engine,
    pub client: Client,
    pub hooks: Hooks,
    pub context: ActivityContext,
    /// Whether the engine keeps its workflows in PostgreSQL, as servers do, or in memory.
    on_postgres: bool,
    /// Whoever owns the archives of instances, and whether it takes base backups.
    pub backup_worker: Uuid,
    pub takes_backups: AtomicBool,
    /// The instances that the worker follows while they are deleted.
    pub backed_up: Arc<Mutex<Vec<InstanceId>>>,
    worker: Option<Worker>,
    background: CancellationToken,
    changes: Changes,
}

/// Short times, so that tests are fast.
pub fn timing() -> Timing {
    let metadata = RetryPolicy {
        timeout: Some(Duration::from_secs(15)),
        attempts: 3,
        pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
        wakes: false,
    };
    Timing {
        metadata,
        runtime: RetryPolicy { wakes: true, ..metadata },
        health: RetryPolicy { timeout: None, ..metadata },
        check: Duration::from_secs(60),
        poll_interval: (Duration::from_millis(5), Duration::from_millis(50)),
        long_poll: Duration::ZERO,
        verb: Duration::from_secs(10),
        unschedulable: Duration::from_millis(200),
        clean_up: Duration::from_secs(3),
        stuck: Duration::from_secs(10),
        close_archive: DEADLINE,
        run: Duration::from_secs(300),
        keep_trying: Duration::from_millis(100),
        operation: DEADLINE,
        start: Duration::from_secs(1),
        monitor: Duration::from_millis(200),
        confirmations: 3,
        recheck: Duration::from_millis(20),
        recheck_timeout: Duration::from_secs(1),
        prompt: Duration::from_secs(1),
        postponed: Duration::from_millis(20),
        recovery: Duration::from_millis(20),
        inspection: Duration::from_secs(1),
        certificates: Duration::from_millis(200),
        paused: Duration::from_millis(50),
    }
}

fn options() -> EngineOptions {
    EngineOptions { poll_interval: Duration::from_millis(25), orchestration_slots: 2, activity_slots: 10, lock_timeout: Duration::from_secs(5) }
}

impl Harness {
    /// Starts a control plane on duroxide's in-memory provider.
    pub async fn start() -> Self {
        Self::start_with(timing()).await
    }

    /// Starts a control plane on duroxide's in-memory provider, with other times.
    pub async fn start_with(timing: Timing) -> Self {
        let database = TestDatabase::create().await;
        let sqlite = SqliteProvider::new_in_memory().await.expect("SQLite works in memory");
        let provider: Arc<dyn Provider> = Arc::new(SerialProvider::new(sqlite));
        Self::on(database, Engine::on(provider.clone()), Client::new(provider), timing, Probing::default(), false).await
    }

    /// Starts a control plane whose health checks leave healthy instances to probers for `look`. It has none until [`Self::probe`] is called.
    pub async fn start_for_probers(look: Duration) -> Self {
        let database = TestDatabase::create().await;
        let sqlite = SqliteProvider::new_in_memory().await.expect("SQLite works in memory");
        let provider: Arc<dyn Provider> = Arc::new(SerialProvider::new(sqlite));
        Self::on(database, Engine::on(provider.clone()), Client::new(provider), timing(), Probing::new(look), false).await
    }

    /// Runs the prober of this control plane. An abort ends it without a word, as the end of its process would.
    pub fn probe(&self) -> JoinHandle<()> {
        tokio::spawn(Probing::run(self.background_context(), self.changes.clone()))
    }

    /// Runs another prober, as another worker does.
    pub fn probe_too(&self) -> (Probing, JoinHandle<()>) {
        let probing = Probing::new(Duration::from_secs(3600));
        let context = ActivityContext { probing: probing.clone(), prober: Prober::new(100, 3), ..self.background_context() };
        (probing, tokio::spawn(Probing::run(context, self.changes.clone())))
    }

    fn background_context(&self) -> ActivityContext {
        ActivityContext { shutdown: self.background.clone(), ..self.context.clone() }
    }

    /// Starts a control plane on the provider that servers use.
    pub async fn start_on_postgres() -> Self {
        let database = TestDatabase::create().await;
        let engine = Engine::connect(&database.url(), &database.store()).await.expect("the engine's schema can be made");
        let provider = duroxide_pg::PostgresProvider::new_with_schema(&database.url(), Some(SCHEMA)).await.unwrap();
        Self::on(database, engine, Client::new(Arc::new(provider) as Arc<dyn Provider>), timing(), Probing::default(), true).await
    }

    async fn on(database: TestDatabase, engine: Engine, client: Client, timing: Timing, probing: Probing, on_postgres: bool) -> Self {
        if std::env::var_os("TEST_LOG").is_some() {
            let _ = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_env("TEST_LOG")).with_test_writer().try_init();
        }
        let store = database.store();
        let runtime = FakeRuntime::new(database.endpoint());
        // The role for logins to instances: the test server is the server of every instance.
        database.run(&format!("CREATE ROLE {}_app LOGIN PASSWORD '{PASSWORD}'", database.name())).await;
        let context = ActivityContext {
            store: store.clone(),
            engine: engine.clone(),
            runtime: Arc::new(runtime.clone()),
            prober: Prober::new(100, 3),
            slow_checks: options().slow_checks(),
            metrics: MetricsRecorder::new(std::time::Duration::from_millis(1)),
            running_checks: RunningChecks::default(),
            probing,
            certificates: CertificatePolicy::default(),
            suspect_certificates: SuspectCertificates::default(),
            configuration: Arc::new(runtime.clone()),
            timing,
            shutdown: CancellationToken::new(),
        };
        let background = CancellationToken::new();
        let changes = Changes::start(&store, background.clone());
        let mut this = Self {
            database,
            store,
            runtime,
            engine,
            client,
            hooks: Hooks::default(),
            context,
            on_postgres,
            backup_worker: Uuid::now_v7(),
            takes_backups: AtomicBool::new(false),
            backed_up: Arc::default(),
            worker: None,
            background,
            changes: changes.clone(),
        };
        this.work().await;
        heartbeat::first(&this.store).await.unwrap();
        tokio::spawn(heartbeat::run(this.store.clone(), this.background.clone()));
        tokio::spawn(dispatcher::run(this.store.clone(), this.engine.clone(), changes.clone(), this.background.clone()));
        let background = this.background_context();
        let (suspects, repairs) = repairs::repairs();
        tokio::spawn(repairs.run(background.clone()));
        tokio::spawn(nudges::run(background, this.engine.clone(), suspects, changes));
        this
    }

    /// Starts a worker. The previous one must be stopped before.
    pub async fn work(&mut self) {
        let (activities, orchestrations) = registry::all(&self.context).unwrap();
        self.work_with(activities, orchestrations).await;
    }

    pub async fn work_with(&mut self, activities: ActivityRegistry, orchestrations: OrchestrationRegistry) {
        assert!(self.worker.is_none());
        self.worker = Some(self.engine.work_with(self.hooks.around(&activities), orchestrations, options()).await);
    }

    /// Stops the worker as a server does when it shuts down.
    pub async fn stop(&mut self) {
        self.context.shutdown.cancel();
        if let Some(worker) = self.worker.take() {
            worker.stop(Duration::from_secs(3)).await;
        }
        self.context.shutdown = CancellationToken::new();
    }

    /// Stops the dispatcher, as on a server that only answers requests.
    pub fn stop_dispatching(&self) {
        self.background.cancel();
    }

    /// Deletes a workflow from the engine.
    pub async fn forget(&self, workflow: &str) {
        if self.on_postgres {
            // The engine's forced deletion does not wait for the lock of its own fetches. A fetch that has just read the history
            // then commits a turn of the deleted workflow, and the remaining rows prevent another workflow from starting with that
            // id.
            self.database
                .run(&format!(
                    "BEGIN; SELECT pg_advisory_xact_lock(hashtext('{workflow}')); \
                     SELECT {SCHEMA}.delete_instances_atomic(ARRAY['{workflow}'], true); COMMIT"
                ))
                .await;
        } else {
            // SQLite may be busy: see `SerialProvider`, which does not cover this.
            eventually(&format!("{workflow} is forgotten"), || async { self.client.delete_instance(workflow, true).await.ok() }).await;
        }
    }

    /// One sweep, repeated if the engine's database was busy.
    pub async fn sweep(&self) -> Swept {
        eventually("a sweep succeeds", || async { sweep(&self.context, &self.engine).await.ok() }).await
    }

    /// The workflows of an instance that have not ended.
    pub async fn live(&self, id: InstanceId) -> Vec<String> {
        let id = id.to_string();
        // SQLite may be busy: see `SerialProvider`, which does not cover this.
        eventually("the workflows are listed", || async {
            let mut live = Vec::new();
            for workflow in self.client.list_all_instances().await.ok()?.into_iter().filter(|workflow| workflow.contains(&id)) {
                if matches!(self.client.get_orchestration_status(&workflow).await.ok()?, OrchestrationStatus::Running { .. }) {
                    live.push(workflow);
                }
            }
            Some(live)
        })
        .await
    }

    pub async fn finish(mut self) {
        // Before the stop, which interrupts activities between their first and their second run.
        let violations = self.hooks.violations();
        self.background.cancel();
        self.stop().await;
        self.store.close().await;
        assert_eq!(violations, Vec::<String>::new());
    }
}
