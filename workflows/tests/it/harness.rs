//! A whole control plane without its API: metadata, engine, dispatcher, nudges; and a hook around every activity.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use duroxide::{
    ActivityContext, Client, OrchestrationRegistry, OrchestrationStatus,
    providers::{Provider, sqlite::SqliteProvider},
    runtime::{ActivityHandler, registry::ActivityRegistry},
};
use futures::{StreamExt, future::BoxFuture, stream};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId, OperationId,
    instance::{Exposure, HealthCheckPolicy, Instance, InstanceSpec, InstanceState, PostgresVersion, ReasonCode},
    operation::{Operation, OperationKind, OperationStatus},
    secret::Secret,
};
use toygres_postgres::Prober;
use toygres_store::changes::Changes;
use toygres_store::testing::TestDatabase;
use toygres_store::{Accepted, NewInstance, Request, Store};
use toygres_workflows::{
    Engine, EngineOptions,
    activities::World,
    dispatcher,
    engine::Worker,
    nudges, registry,
    step::{Pace, Patience},
    sweeper::{Swept, sweep},
};

use crate::{double::Double, one_by_one::OneByOne};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// The deadline of operations that are meant to make it.
pub const DEADLINE: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "right-password";

pub type Outcome = Result<String, String>;
type Hook = Arc<dyn Fn(Call) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// One execution of an activity, held before it begins.
#[derive(Clone)]
pub struct Call {
    /// The activity, and what it was asked for where it does several things: `update-metadata/running`.
    pub label: String,
    /// How many calls with this label the instance had before.
    pub nth: u32,
    input: String,
    context: ActivityContext,
    handler: Arc<dyn ActivityHandler>,
}

impl Call {
    /// Carries it out; any number of times.
    pub async fn run(&self) -> Outcome {
        self.handler.invoke(self.context.clone(), self.input.clone()).await
    }
}

/// Hooks by instance, so that many cases run beside each other in one control plane.
#[derive(Clone, Default)]
pub struct Hooks {
    hooks: Arc<Mutex<HashMap<String, Hook>>>,
    counts: Arc<Mutex<HashMap<(String, String), u32>>>,
}

impl Hooks {
    /// From now on `hook` decides over every activity of this instance.
    pub fn set<F: Future<Output = Outcome> + Send + 'static>(&self, id: InstanceId, hook: impl Fn(Call) -> F + Send + Sync + 'static) {
        self.hooks.lock().unwrap().insert(id.to_string(), Arc::new(move |call| Box::pin(hook(call))));
    }

    pub fn clear(&self, id: InstanceId) {
        self.hooks.lock().unwrap().remove(&id.to_string());
    }

    /// How often each label was called for an instance.
    pub fn count(&self, id: InstanceId, label: &str) -> u32 {
        self.counts.lock().unwrap().get(&(id.to_string(), label.to_owned())).copied().unwrap_or(0)
    }

    /// The same activities, each with the hooks around it.
    pub fn around(&self, activities: &ActivityRegistry) -> ActivityRegistry {
        let mut builder = ActivityRegistry::builder();
        for name in activities.list_names() {
            let Some((_, handler)) = activities.resolve_handler(&name) else { continue };
            let (hooks, short) = (self.clone(), name.rsplit("::").next().unwrap_or_default().to_owned());
            builder = builder.register(name, move |context, input| hooks.clone().call(short.clone(), handler.clone(), context, input));
        }
        builder.build_result().expect("names are registered once")
    }

    async fn call(self, name: String, handler: Arc<dyn ActivityHandler>, context: ActivityContext, input: String) -> Outcome {
        let instance = uuid_in(&input);
        let label = label(&name, &input);
        let nth = {
            let mut counts = self.counts.lock().unwrap();
            let count = counts.entry((instance.clone(), label.clone())).or_default();
            *count += 1;
            *count - 1
        };
        let hook = self.hooks.lock().unwrap().get(&instance).cloned();
        let call = Call { label, nth, input, context, handler };
        match hook {
            Some(hook) => hook(call).await,
            None => call.run().await,
        }
    }
}

fn label(name: &str, input: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
    match name {
        "update-metadata" => format!("{name}/{}", value.as_object().and_then(|object| object.keys().next()).map_or("?", String::as_str)),
        "delete-postgres" if value["clean_up"] == true => "delete-postgres/clean-up".to_owned(),
        _ => name.to_owned(),
    }
}

fn uuid_in(text: &str) -> String {
    (0..text.len().saturating_sub(35))
        .filter_map(|at| text.get(at..at + 36))
        .find(|part| part.parse::<InstanceId>().is_ok())
        .unwrap_or_default()
        .to_owned()
}

pub struct Harness {
    pub database: TestDatabase,
    pub store: Store,
    pub runtime: Double,
    pub engine: Engine,
    pub client: Client,
    pub hooks: Hooks,
    pub world: World,
    /// Whether the engine keeps its workflows in PostgreSQL, as servers do, or in memory.
    on_postgres: bool,
    worker: Option<Worker>,
    beside: CancellationToken,
}

/// Patience for impatient tests.
pub fn pace() -> Pace {
    let metadata = Patience {
        timeout: Some(Duration::from_secs(5)),
        attempts: 3,
        pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
        wakes: false,
    };
    Pace {
        metadata,
        runtime: Patience { wakes: true, ..metadata },
        health: Patience { timeout: None, ..metadata },
        check: Duration::from_secs(60),
        looks: (Duration::from_millis(5), Duration::from_millis(50)),
        linger: Duration::ZERO,
        verb: Duration::from_secs(4),
        clean_up: Duration::from_secs(3),
        stuck: Duration::from_secs(5),
        start: Duration::from_secs(1),
        monitor: Duration::from_millis(200),
        confirmations: 3,
        recheck: Duration::from_millis(20),
        recheck_timeout: Duration::from_secs(1),
        recovery: Duration::from_millis(20),
    }
}

pub fn options() -> EngineOptions {
    EngineOptions { poll_interval: Duration::from_millis(10), orchestration_slots: 3, activity_slots: 10, lock_timeout: Duration::from_secs(5) }
}

impl Harness {
    /// On duroxide's in-memory provider.
    pub async fn start() -> Self {
        let database = TestDatabase::create().await;
        let sqlite = SqliteProvider::new_in_memory().await.expect("SQLite works in memory");
        let provider: Arc<dyn Provider> = Arc::new(OneByOne::new(sqlite));
        Self::on(database, Engine::on(provider.clone()), Client::new(provider), false).await
    }

    /// On the provider that servers use.
    pub async fn start_on_postgres() -> Self {
        let database = TestDatabase::create().await;
        let engine = Engine::connect(&database.url(), &database.store()).await.expect("the engine's schema can be made");
        let provider = duroxide_pg::PostgresProvider::new_with_schema(&database.url(), Some(toygres_workflows::engine::SCHEMA)).await.unwrap();
        Self::on(database, engine, Client::new(Arc::new(provider) as Arc<dyn Provider>), true).await
    }

    async fn on(database: TestDatabase, engine: Engine, client: Client, on_postgres: bool) -> Self {
        if std::env::var_os("TEST_LOG").is_some() {
            let _ = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_env("TEST_LOG")).with_test_writer().try_init();
        }
        let store = database.store();
        let runtime = Double::new(database.endpoint());
        // The role that instances are logged in to with: the test server plays every instance.
        database.run(&format!("CREATE ROLE {}_app LOGIN PASSWORD '{PASSWORD}'", database.name())).await;
        let world = World {
            store: store.clone(),
            runtime: Arc::new(runtime.clone()),
            prober: Prober::new(100, 3),
            pace: pace(),
            shutdown: CancellationToken::new(),
        };
        let mut this = Self {
            database,
            store,
            runtime,
            engine,
            client,
            hooks: Hooks::default(),
            world,
            on_postgres,
            worker: None,
            beside: CancellationToken::new(),
        };
        this.work().await;
        this.beside();
        this
    }

    /// Puts a server to work; the one before has to be stopped.
    pub async fn work(&mut self) {
        let (activities, orchestrations) = registry::all(&self.world).unwrap();
        self.work_with(activities, orchestrations).await;
    }

    pub async fn work_with(&mut self, activities: ActivityRegistry, orchestrations: OrchestrationRegistry) {
        assert!(self.worker.is_none());
        self.worker = Some(self.engine.work_with(self.hooks.around(&activities), orchestrations, options()).await);
    }

    /// Stops the server's workflows as a shutdown does.
    pub async fn stop(&mut self) {
        self.world.shutdown.cancel();
        if let Some(worker) = self.worker.take() {
            worker.stop(Duration::from_secs(3)).await;
        }
        self.world.shutdown = CancellationToken::new();
    }

    fn beside(&self) {
        let changes = Changes::start(&self.store, self.beside.clone());
        tokio::spawn(dispatcher::run(self.store.clone(), self.engine.clone(), changes, self.beside.clone()));
        tokio::spawn(nudges::run(World { shutdown: self.beside.clone(), ..self.world.clone() }, self.engine.clone()));
    }

    /// No dispatcher from now on, as on a server that only answers requests.
    pub fn stop_dispatching(&self) {
        self.beside.cancel();
    }

    pub fn new_instance(&self) -> NewInstance {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        NewInstance {
            id: InstanceId::generate(),
            name: format!("case-{}", NUMBER.fetch_add(1, Ordering::Relaxed)).parse().unwrap(),
            spec: InstanceSpec {
                postgres_version: PostgresVersion(17),
                storage_gb: 1,
                cpu_millis: 100,
                memory_mb: 128,
                username: format!("{}_app", self.database.name()).try_into().unwrap(),
                database: self.database.name().to_owned().try_into().unwrap(),
                exposure: Exposure::Cluster,
                health_check: HealthCheckPolicy { interval_seconds: 1, timeout_seconds: 5 },
            },
            password: Secret::new(PASSWORD.to_owned()),
            labels: Default::default(),
            deletion_protected: false,
        }
    }

    pub async fn create(&self, new: &NewInstance) -> OperationId {
        self.create_within(new, DEADLINE).await
    }

    pub async fn create_within(&self, new: &NewInstance, deadline: Duration) -> OperationId {
        let request = request(deadline);
        patiently(|| self.store.create_instance(new, &request)).await.expect("a new instance is accepted").operation.id
    }

    /// A running instance.
    pub async fn running(&self) -> InstanceId {
        let new = self.new_instance();
        let operation = self.create(&new).await;
        assert_eq!(self.over(&operation).await.status, OperationStatus::Succeeded);
        new.id
    }

    /// Several, made at the same time, but not more than a busy machine serves before the pool's callers lose patience.
    pub async fn running_many(&self, count: usize) -> Vec<InstanceId> {
        stream::iter(0..count).map(|_| self.running()).buffer_unordered(10).collect().await
    }

    pub async fn delete(&self, id: InstanceId) -> OperationId {
        delete(&self.store, id, DEADLINE).await.operation.id
    }

    pub async fn instance(&self, id: InstanceId) -> Instance {
        patiently(|| self.store.instance(id)).await.unwrap().expect("the row is kept")
    }

    pub async fn operation(&self, id: &OperationId) -> Operation {
        patiently(|| self.store.operation(id)).await.unwrap().expect("the row is kept")
    }

    /// Waits for the operation's end.
    pub async fn over(&self, id: &OperationId) -> Operation {
        let store = self.store.clone();
        eventually(&format!("{id} is over"), || {
            let (store, id) = (store.clone(), id.clone());
            async move { store.operation(&id).await.ok().flatten().filter(|operation| operation.status.is_terminal()) }
        })
        .await
    }

    /// What must hold after every end: the state is legal for how the operation ended, the reason is kept in both rows, the
    /// runtime has something exactly if the instance runs, and no workflow is left but one HealthCheck of a running instance.
    pub async fn assert_settled(&self, case: &str, id: &OperationId) {
        let operation = self.over(id).await;
        let instance = self.instance(operation.instance).await;
        let expected = match (operation.kind, operation.status) {
            (OperationKind::Create, OperationStatus::Succeeded) => InstanceState::Running,
            (OperationKind::Delete, OperationStatus::Succeeded) => InstanceState::Deleted,
            _ => InstanceState::Failed,
        };
        assert_eq!(instance.state, expected, "{case}: {operation:?}");
        if expected == InstanceState::Failed {
            assert!(operation.error.is_some(), "{case}: an operation that did not succeed says why");
            assert_eq!(instance.reason, operation.error, "{case}: the reason is kept");
        } else {
            assert_eq!(operation.error, None, "{case}");
        }
        for step in &operation.steps {
            use toygres_domain::operation::StepStatus::{Failed, Skipped, Succeeded};
            assert!(matches!(step.status, Succeeded | Failed | Skipped), "{case}: {step:?} of an operation that is over");
            assert!(expected == InstanceState::Failed || step.error.is_none(), "{case}: {step:?}");
        }
        if operation.kind == OperationKind::Create {
            assert_eq!(self.runtime.stands(instance.id), expected == InstanceState::Running, "{case}: the runtime has it if it runs");
        } else if expected == InstanceState::Deleted {
            assert!(!self.runtime.stands(instance.id), "{case}: nothing is left in the runtime");
            assert_eq!(instance.connection_string, None, "{case}");
            assert!(self.store.password(instance.id).await.is_err(), "{case}: the password is gone");
        }
        self.assert_workflows(case, instance.id).await;
    }

    /// Exactly the HealthCheck that the row names is live if the instance runs, else nothing.
    pub async fn assert_workflows(&self, case: &str, id: InstanceId) {
        let named = self.instance(id).await;
        let expected: Vec<String> = named.health_check_orchestration_id.filter(|_| named.state == InstanceState::Running).into_iter().collect();
        let started = Instant::now();
        loop {
            let live = self.live(id).await;
            if live == expected {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{case}: live workflows are {live:?}, and should be {expected:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The engine loses everything it knows of a workflow.
    pub async fn forget(&self, workflow: &str) {
        if self.on_postgres {
            // The engine's forced deletion does not wait for the lock of its own fetches. One that has just read the history
            // then commits its turn over nothing, and what it leaves lets no workflow start under that id again.
            let schema = toygres_workflows::engine::SCHEMA;
            self.database
                .run(&format!(
                    "BEGIN; SELECT pg_advisory_xact_lock(hashtext('{workflow}')); \
                     SELECT {schema}.delete_instances_atomic(ARRAY['{workflow}'], true); COMMIT"
                ))
                .await;
        } else {
            // SQLite may be busy: see `OneByOne`, which does not cover this.
            eventually(&format!("{workflow} is forgotten"), || async { self.client.delete_instance(workflow, true).await.ok() }).await;
        }
    }

    /// One sweep, again if the engine's database was busy.
    pub async fn sweep(&self) -> Swept {
        eventually("the sweeper could look everywhere", || async { sweep(&self.world, &self.engine).await.ok() }).await
    }

    /// The live workflows of an instance.
    pub async fn live(&self, id: InstanceId) -> Vec<String> {
        let id = id.to_string();
        // SQLite may be busy: see `OneByOne`, which does not cover this.
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

    /// Lets the operation's deadline pass.
    pub async fn expire(&self, id: &OperationId) {
        self.database.run(&format!("UPDATE toygres.operations SET deadline = clock_timestamp() WHERE id = '{id}'")).await;
    }

    pub async fn finish(mut self) {
        self.beside.cancel();
        self.stop().await;
        self.store.close().await;
    }
}

pub async fn delete(store: &Store, id: InstanceId, deadline: Duration) -> Accepted {
    let request = request(deadline);
    patiently(|| store.delete_instance(id, false, None, &request)).await.expect("a deletion is accepted")
}

/// Repeats what found no free connection in time, as callers do: a busy machine may need longer than callers wait for one.
async fn patiently<T, F: Future<Output = toygres_domain::Result<T>>>(mut call: impl FnMut() -> F) -> toygres_domain::Result<T> {
    let started = Instant::now();
    loop {
        match call().await {
            Err(toygres_domain::Error::Unavailable(_)) if started.elapsed() < PATIENCE => {}
            answer => return answer,
        }
    }
}

pub fn request(deadline: Duration) -> Request {
    Request { idempotency: None, requested_by: None, deadline }
}

/// Waits until `look` finds something, and fails after [`PATIENCE`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "in vain waited until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A failure as activities report it, of this kind (`retry`, `broken`, `failed`).
pub fn failure(kind: &str) -> Outcome {
    Err(format!(r#"{{"failure":"{kind}","reason":{{"code":"{}","message":"injected"}}}}"#, ReasonCode::DiskFull.as_str()))
}
