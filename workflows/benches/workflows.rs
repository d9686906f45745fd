//! Creations through the whole chain (metadata, dispatcher, engine, monitor, health check) with a runtime that does nothing,
//! compared with raw duroxide in the same run: the same workflows, so the same turns, with activities that do nothing, started
//! directly. Then what both cost when idle.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use duroxide::{
    Client, OrchestrationRegistry,
    providers::Provider,
    runtime::{ActivityHandler, registry::ActivityRegistry},
};
use duroxide_pg::{PostgresProvider, ProviderConfig};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId, OperationId,
    address::Address,
    data::VolumeId,
    drift::{Drift, Expected, Inspection},
    instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    operation::{OperationKind, Params, create},
    restoration::Restoration,
    runtime::{Deployment, Host, Nudge, Observation, Progress, Restart, Runtime, RuntimeError, Suspension},
    secret::Secret,
    upgrade::Upgrade,
    verification::{Verification, VerificationProgress},
};
use toygres_postgres::Prober;
use toygres_store::changes::Changes;
use toygres_store::testing::TestDatabase;
use toygres_store::{NewInstance, Request, Store, Subject};
use toygres_workflows::{
    ActivityContext, Engine, EngineOptions, MetricsRecorder, Probing, Run, RunningChecks, Timing,
    certificates::{CertificatePolicy, SuspectCertificates},
    configuration::SqlProbe,
    dispatcher,
    engine::{SCHEMA, Worker},
    health_check::HealthCheckLoop,
    janitor, monitor_operation, nudges, operations, registry, sweeper,
    workflow::NUDGE,
};

/// Creations in flight, and how many are made in all.
const ROUNDS: [(usize, usize); 3] = [(1, 30), (50, 400), (500, 1000)];
/// Raw and ours by turns, because the speed of the machine varies; the median counts.
const PAIRS: usize = 3;
/// How long both are watched when idle.
const IDLE: Duration = Duration::from_secs(30);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    // Poll interval and slots are the same on both sides.
    let options = EngineOptions { poll_interval: Duration::from_millis(20), orchestration_slots: 8, activity_slots: 16, ..EngineOptions::default() };
    // How many in flight, when only one round is wanted.
    let only: Option<usize> = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    runtime.block_on(async {
        println!("{:<28}{:>12}{:>12}{:>12}{:>12}{:>12}{:>12}", "creations", "per second", "p50 ms", "p99 ms", "process ms", "database ms", "x raw");
        for (in_flight, count) in ROUNDS {
            if only.is_some_and(|only| only != in_flight) {
                continue;
            }
            let (mut raw, mut ours) = (Vec::new(), Vec::new());
            for _ in 0..PAIRS {
                raw.push(round(Raw::start(options).await, in_flight, count).await);
                ours.push(round(Toygres::start(options).await, in_flight, count).await);
            }
            let (raw, ours) = (Figures::median(raw), Figures::median(ours));
            raw.show(&format!("raw duroxide, {in_flight} in flight"), None);
            ours.show(&format!("Toygres, {in_flight} in flight"), Some(&raw));
        }
        if only.is_none() {
            idle().await;
        }
    });
}

/// Something that creates.
trait Creator: Sync {
    /// Requests one.
    async fn request(&self, id: InstanceId, number: usize);
    /// Where the end of a creation is reported.
    fn completions(&self) -> &Completions;
    /// Where its metadata and the engine's are.
    fn database(&self) -> &TestDatabase;
    async fn stop(self);
}

struct Figures {
    per_second: f64,
    /// Processor time per creation: of this process, and of the database.
    cost: (Duration, Duration),
    latencies: Vec<Duration>,
}

async fn round(creator: impl Creator, in_flight: usize, count: usize) -> Figures {
    // The first one makes connections and plans.
    create(&creator, count).await;
    let (own, database) = (cpu_of(std::process::id()), creator.database().server_cpu());
    let started = Instant::now();
    let mut latencies: Vec<_> = stream::iter(0..count).map(|number| create(&creator, number)).buffer_unordered(in_flight).collect().await;
    let per_second = count as f64 / started.elapsed().as_secs_f64();
    let each = u32::try_from(count).expect("few enough");
    let cost = ((cpu_of(std::process::id()) - own) / each, (creator.database().server_cpu() - database) / each);
    creator.stop().await;
    latencies.sort_unstable();
    Figures { per_second, cost, latencies }
}

async fn create(creator: &impl Creator, number: usize) -> Duration {
    let id = InstanceId::generate();
    let end = creator.completions().expect(id);
    let started = Instant::now();
    creator.request(id, number).await;
    end.await.expect("every creation ends");
    started.elapsed()
}

impl Figures {
    fn median(mut all: Vec<Self>) -> Self {
        all.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        all.swap_remove(all.len() / 2)
    }

    fn show(&self, name: &str, raw: Option<&Figures>) {
        let ratio = raw.map(|raw| format!("{:.2}", self.per_second / raw.per_second)).unwrap_or_default();
        let at = |percent: usize| self.latencies[(self.latencies.len() * percent / 100).min(self.latencies.len() - 1)].as_secs_f64() * 1e3;
        let (process, database) = (self.cost.0.as_secs_f64() * 1e3, self.cost.1.as_secs_f64() * 1e3);
        println!("{name:<28}{:>12.1}{:>12.0}{:>12.0}{process:>12.1}{database:>12.1}{ratio:>12}", self.per_second, at(50), at(99));
    }
}

/// Reports when the end of a creation is written: at the end of the same activity on both sides.
#[derive(Clone, Default)]
struct Completions(Arc<Mutex<HashMap<InstanceId, oneshot::Sender<()>>>>);

impl Completions {
    fn expect(&self, id: InstanceId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().expect("no panic while held").insert(id, sender);
        receiver
    }

    fn report(&self, input: &Value) {
        let Some(operation) = succeeded(input) else { return };
        if let Some(sender) = instance_of(operation).and_then(|id| self.0.lock().expect("no panic while held").remove(&id)) {
            let _ = sender.send(());
        }
    }

    /// The same activities, each with a report at its end.
    fn around(&self, activities: &ActivityRegistry) -> ActivityRegistry {
        let mut builder = ActivityRegistry::builder();
        for name in activities.list_names() {
            let Some((_, handler)) = activities.resolve_handler(&name) else { continue };
            let (completions, handler): (_, Arc<dyn ActivityHandler>) = (self.clone(), handler);
            builder = builder.register(name, move |context, input| {
                let (completions, handler) = (completions.clone(), handler.clone());
                async move {
                    let asked = serde_json::from_str(&input).unwrap_or_default();
                    let output = handler.invoke(context, input).await?;
                    completions.report(&asked);
                    Ok(output)
                }
            });
        }
        builder.build_result().expect("names are registered once")
    }
}

/// Ours, as a server with the role of a worker runs it.
struct Toygres {
    database: TestDatabase,
    store: Store,
    worker: Worker,
    completions: Completions,
    shutdown: CancellationToken,
}

impl Toygres {
    async fn start(options: EngineOptions) -> Self {
        let (database, shutdown, completions) = (TestDatabase::for_bench().await, CancellationToken::new(), Completions::default());
        let store = database.store();
        let runtime = Arc::new(IdleRuntime { endpoint: idle_instance().await });
        let engine = Engine::connect(&database.url(), &store).await.expect("the engine's schema can be made");
        let context = ActivityContext {
            store: store.clone(),
            engine: engine.clone(),
            runtime,
            prober: Prober::new(500, 10),
            slow_checks: EngineOptions::default().slow_checks(),
            metrics: MetricsRecorder::default(),
            running_checks: RunningChecks::default(),
            probing: Probing::default(),
            certificates: CertificatePolicy::default(),
            suspect_certificates: SuspectCertificates::default(),
            configuration: Arc::new(SqlProbe),
            timing: Timing::default(),
            shutdown: shutdown.clone(),
        };
        let (activities, orchestrations) = registry::all(&context).expect("names are registered once");
        let worker = engine.work_with(completions.around(&activities), orchestrations, options).await;
        let changes = Changes::start(&store, shutdown.clone());
        tokio::spawn(dispatcher::run(store.clone(), engine.clone(), changes.clone(), shutdown.clone()));
        tokio::spawn(sweeper::run(context.clone(), engine.clone()));
        let (suspects, repairs) = toygres_workflows::repairs::repairs();
        tokio::spawn(repairs.run(context.clone()));
        tokio::spawn(nudges::run(context.clone(), engine.clone(), suspects, changes));
        let day = Duration::from_secs(86_400);
        let retention = janitor::Retention { events: day, health_checks: day, metrics: day, workflows: day };
        tokio::spawn(janitor::run(store.clone(), engine, retention, shutdown.clone()));
        Self { database, store, worker, completions, shutdown }
    }
}

impl Creator for Toygres {
    async fn request(&self, id: InstanceId, number: usize) {
        let new = NewInstance {
            id,
            name: format!("bench-{number}").parse().expect("a name"),
            spec: InstanceSpec {
                postgres_version: PostgresVersion(17),
                storage_gb: 1,
                cpu_millis: 100,
                memory_mb: 128,
                username: "app".to_owned().try_into().expect("a role"),
                database: "app".to_owned().try_into().expect("a database"),
                exposure: Exposure::Cluster,
                require_tls: false,
                health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
                parameters: Default::default(),
            },
            password: Secret::generate(),
            labels: Default::default(),
            deletion_protected: false,
            idle_suspend_minutes: None,
            maintenance_window: None,
            storage_auto_grow: None,
            backups: Default::default(),
        };
        let request = Request { idempotency: None, revision: None, requested_by: None, deadline: Duration::from_secs(600), password: None };
        self.store.accept(Subject::New(&new), &Params::Create(create::Params {}), &request).await.expect("a new instance is accepted");
    }

    fn completions(&self) -> &Completions {
        &self.completions
    }

    fn database(&self) -> &TestDatabase {
        &self.database
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.worker.stop(Duration::from_secs(3)).await;
        self.store.close().await;
    }
}

/// Duroxide and nothing else.
struct Raw {
    database: TestDatabase,
    client: Client,
    worker: Worker,
    completions: Completions,
}

impl Raw {
    async fn start(options: EngineOptions) -> Self {
        let database = TestDatabase::for_bench().await;
        // The tuning of the engine is ours; for a fair comparison raw gets it too.
        let engine = Engine::connect(&database.url(), &database.store()).await.expect("the engine's schema can be made");
        let completions = Completions::default();
        let orchestrations = registry::orchestrations(OrchestrationRegistry::builder(), Timing::default()).expect("the versions are valid");
        let orchestrations = orchestrations.build_result().expect("names are registered once");
        let worker = engine.work_with(completions.around(&idle_activities(&database.endpoint())), orchestrations, options).await;
        let mut config = ProviderConfig::url(database.url());
        config.schema_name = Some(SCHEMA.to_owned());
        let provider: Arc<dyn Provider> = Arc::new(PostgresProvider::new_with_config(config).await.expect("the database answers"));
        Self { database, client: Client::new(provider), worker, completions }
    }
}

impl Creator for Raw {
    async fn request(&self, id: InstanceId, _: usize) {
        let operation = OperationId::new(OperationKind::Create, id, 1);
        let monitor = monitor_operation::MonitorOperation { operation: operation.clone() };
        self.client
            .start_orchestration_typed(&operation.monitor_id(), monitor_operation::NAME, &monitor)
            .await
            .expect("the engine takes the monitor");
        let run = Run { operation: operation.clone(), run: 1 };
        let workflow = operations::name(OperationKind::Create);
        self.client.start_orchestration_typed(&operation.engine_id(1), workflow, &run).await.expect("the engine takes the workflow");
    }

    fn completions(&self) -> &Completions {
        &self.completions
    }

    fn database(&self) -> &TestDatabase {
        &self.database
    }

    async fn stop(self) {
        self.worker.stop(Duration::from_secs(3)).await;
    }
}

/// Activities that report success and do nothing; but the monitor is woken as ours is, because that is the engine's work.
fn idle_activities(endpoint: &Endpoint) -> ActivityRegistry {
    let prefix = "toygres-workflows::activity";
    let ready = json!({ "ready": endpoint }).to_string();
    // The first check finds the instance healthy, which is a change, and so a turn, with ours.
    let healthy = json!({ "health": "healthy", "reason": null, "moved_to": null, "operation_count": 1 });
    let checked = json!({ "checked": { "wait_ms": 30_000, "failures": 0, "change": healthy } }).to_string();
    let answer = |text: &str| {
        let text = text.to_owned();
        move |_, _: String| std::future::ready(Ok(text.clone()))
    };
    ActivityRegistry::builder()
        .register(format!("{prefix}::deploy-postgres"), answer("null"))
        .register(format!("{prefix}::get-instance-status"), answer(&ready))
        .register(format!("{prefix}::generate-connection-string"), answer("\"postgresql://app@127.0.0.1/app\""))
        .register(format!("{prefix}::health-check"), answer(&checked))
        .register(format!("{prefix}::update-health"), answer("null"))
        .register(format!("{prefix}::settle-operation"), answer("\"finished\""))
        .register(format!("{prefix}::update-metadata"), |context: duroxide::ActivityContext, input: String| async move {
            let input: Value = serde_json::from_str(&input).unwrap_or_default();
            let operation = succeeded(&input).ok_or("the creation did not succeed")?;
            let instance = instance_of(operation).ok_or("no instance in the id")?;
            let monitor = OperationId::from_any(operation).monitor_id();
            context.get_client().enqueue_event(monitor, NUDGE, "").await.map_err(|error| error.to_string())?;
            let health_check = HealthCheckLoop::new(instance, format!("health-{instance}-1"));
            Ok(json!({ "health_check": health_check }).to_string())
        })
        .build_result()
        .expect("names are registered once")
}

/// The operation whose success this input of UpdateMetadata writes.
fn succeeded(input: &Value) -> Option<&str> {
    input["outcome"].get("succeeded").and_then(|_| input["run"]["operation"].as_str())
}

/// `create-<instance>-<n>`.
fn instance_of(operation: &str) -> Option<InstanceId> {
    operation.get(7..43)?.parse().ok()
}

/// A runtime that does nothing.
struct IdleRuntime {
    endpoint: Endpoint,
}

#[async_trait]
impl Runtime for IdleRuntime {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn host(&self) -> Host {
        Host { id: "idle".to_owned(), description: "nowhere".to_owned() }
    }

    fn versions(&self) -> Vec<PostgresVersion> {
        vec![PostgresVersion(17)]
    }

    fn offers(&self, _: &Exposure) -> bool {
        true
    }

    async fn deploy(&self, _: &Deployment) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn upgrade(&self, _: &Deployment, _: &Upgrade) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    async fn revert_upgrade(&self, _: &Deployment, _: &Upgrade) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    async fn restore(&self, _: &Deployment, _: &Restoration) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    fn verifies(&self, _: PostgresVersion) -> Result<(), String> {
        Ok(())
    }

    async fn verify(&self, _: &Verification) -> Result<VerificationProgress, RuntimeError> {
        Ok(VerificationProgress::Verified { restored_in: Duration::from_secs(1) })
    }

    async fn observe(&self, _: InstanceId) -> Result<Observation, RuntimeError> {
        Ok(Observation::Ready(self.endpoint.clone()))
    }

    async fn volume(&self, id: InstanceId) -> Result<Option<VolumeId>, RuntimeError> {
        Ok(Some(VolumeId(id.to_string())))
    }

    async fn inspect(&self, _: &[Expected]) -> Result<Vec<Inspection>, RuntimeError> {
        Ok(Vec::new())
    }

    async fn repair(&self, _: &Deployment) -> Result<Vec<Drift>, RuntimeError> {
        Ok(Vec::new())
    }

    async fn remove(&self, _: InstanceId, _: bool) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    async fn restart(&self, _: InstanceId, _: &Restart) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    async fn suspend(&self, _: &Expected, _: &Suspension) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    async fn resize(&self, _: &Deployment, _: &Restart) -> Result<Progress, RuntimeError> {
        Ok(Progress::Done)
    }

    fn size_settings(&self, _: &InstanceSpec) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    async fn volume_gb(&self, _: InstanceId) -> Result<Option<i32>, RuntimeError> {
        Ok(None)
    }

    async fn install_tls(&self, _: &Deployment) -> Result<(), RuntimeError> {
        Ok(())
    }

    fn speaks_tls(&self, _: PostgresVersion) -> bool {
        false
    }

    fn server_names(&self, _: &Address) -> Vec<String> {
        vec!["localhost".to_owned()]
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        Ok(Vec::new())
    }

    fn nudges(&self) -> BoxStream<'static, Nudge> {
        stream::pending().boxed()
    }
}

/// An instance that does nothing: it lets everybody in and answers what a health check asks. (A login to PostgreSQL takes
/// a new process there, which is no cost of the control plane.) The messages are those of the manual's chapter
/// "Frontend/Backend Protocol".
async fn idle_instance() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there are ports");
    let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: listener.local_addr().expect("it listens").port() };
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A client may disconnect at any time.
            tokio::spawn(serve_instance(socket));
        }
    });
    endpoint
}

async fn serve_instance(mut socket: TcpStream) -> std::io::Result<()> {
    const SSL_REQUEST: u32 = 80_877_103;
    socket.set_nodelay(true)?;
    loop {
        let length = socket.read_u32().await?;
        let code = socket.read_u32().await?;
        let mut parameters = vec![0; (length as usize).saturating_sub(8)];
        socket.read_exact(&mut parameters).await?;
        if code != SSL_REQUEST {
            break;
        }
        socket.write_all(b"N").await?;
    }
    let ready: &[u8] = b"Z\0\0\0\x05I";
    socket.write_all(&[b"R\0\0\0\x08\0\0\0\0", ready].concat()).await?;
    // What a check asks: six texts, all of them false but the password's fingerprint, which is missing.
    let column: &[u8] = b"c\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
    let (no, missing): (&[u8], &[u8]) = (b"\0\0\0\x01f", b"\xff\xff\xff\xff");
    let columns = [b"T\0\0\0\x7e\0\x06", column, column, column, column, column, column].concat();
    let row = [b"D\0\0\0\x23\0\x06", no, no, missing, no, no, no].concat();
    let answer = [&columns[..], &row, b"C\0\0\0\x0dSELECT 1\0", ready].concat();
    loop {
        let kind = socket.read_u8().await?;
        let length = socket.read_u32().await?;
        let mut body = vec![0; (length as usize).saturating_sub(4)];
        socket.read_exact(&mut body).await?;
        match kind {
            b'Q' => socket.write_all(&answer).await?,
            b'X' => return Ok(()),
            _ => {}
        }
    }
}

/// The whole server, as it comes, and raw duroxide with its poll interval and slots; each with its database.
async fn idle() {
    println!("{:<28}{:>12}{:>12}{:>12}{:>12}", "idle, % of a core", "process", "database", "both", "x raw");
    let raw = Raw::start(EngineOptions::default()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let raw_cost = watch(std::process::id(), &raw.database).await;
    raw.stop().await;
    show_idle("raw duroxide", raw_cost, None);

    let Some(binary) = std::env::var_os("TOYGRES_BIN") else {
        println!("the server is not measured: TOYGRES_BIN does not name its binary, as scripts/bench does");
        return;
    };
    let database = TestDatabase::for_bench().await;
    let server = IdleServer::start(binary.into(), &database);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let ours = watch(server.child.id(), &database).await;
    show_idle("toygres serve", ours, Some(raw_cost));
}

fn show_idle(name: &str, (process, database): (f64, f64), raw: Option<(f64, f64)>) {
    let both = process + database;
    let ratio = raw.map(|(process, database)| format!("{:.2}", both / (process + database))).unwrap_or_default();
    println!("{name:<28}{process:>12.2}{database:>12.2}{both:>12.2}{ratio:>12}");
}

async fn watch(process: u32, database: &TestDatabase) -> (f64, f64) {
    let (own, server) = (cpu_of(process), database.server_cpu());
    tokio::time::sleep(IDLE).await;
    let percent = |used: Duration| used.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    (percent(cpu_of(process) - own), percent(database.server_cpu() - server))
}

fn cpu_of(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process lives");
    let ticks: u64 = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// An idle server, and its data directory.
struct IdleServer {
    child: Child,
    home: PathBuf,
}

impl IdleServer {
    fn start(binary: PathBuf, database: &TestDatabase) -> Self {
        let home = std::env::temp_dir().join(format!("toygres-bench-{}", std::process::id()));
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("DATABASE_URL", database.url())
            .env("TOYGRES_DATA_DIR", &home)
            .env("TOYGRES_LOG", "warn")
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        Self { child, home }
    }
}

impl Drop for IdleServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}
