//! The smallest test of a cluster: connects, deploys one PostgreSQL, waits for it, logs in, cleans up.
//!
//! ```sh
//! cargo run -p toygres-k8s --example manual_deploy [NAMESPACE [PLATFORM_SETTINGS_JSON]]
//! ```
//!
//! The namespace must exist. Names and addresses of the cluster must be reachable from here.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use futures::StreamExt;
use toygres_certificates::Authority;
use toygres_domain::{
    InstanceId,
    address::Address,
    certificate::ServerCertificate,
    data::Data,
    instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec},
    name::SqlName,
    roles::{Credentials, PlatformCredentials},
    runtime::{Deployment, Observation, Progress, Runtime},
    secret::Secret,
};
use toygres_k8s::{KubernetesRuntime, Settings};
use toygres_postgres as probe;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The time-out of each half.
const TIMEOUT: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let runtime = KubernetesRuntime::connect(settings()?).await?;
    let deployment = deployment(&runtime)?;
    println!("deploying {} as {}", deployment.name, deployment.id);
    let tested = tokio::time::timeout(TIMEOUT, test(&runtime, &deployment)).await;
    // Also after an error, nothing is left.
    let cleaned = tokio::time::timeout(TIMEOUT, clean_up(&runtime, deployment.id)).await;
    tested.map_err(|_| "it took too long")??;
    cleaned.map_err(|_| "cleaning up took too long")??;
    Ok(())
}

async fn test(runtime: &KubernetesRuntime, deployment: &Deployment) -> Result<()> {
    let start = Instant::now();
    runtime.deploy(deployment).await?;
    let endpoint = until_ready(runtime, deployment.id).await?;
    println!("ready at {}:{} after {:.1} s", endpoint.host, endpoint.port, start.elapsed().as_secs_f32());
    let Credentials { owner, platform } = &deployment.credentials;
    let platform = platform.as_ref().ok_or("it has no passwords of the platform")?;
    probe::roles::set_up(&endpoint, None, &deployment.spec, owner, platform, Duration::from_secs(30)).await.map_err(|reason| reason.message)?;
    let target = probe::Target::of_owner(endpoint, &deployment.spec, owner.clone());
    let latency = probe::check(&target, Duration::from_secs(10)).await.map_err(|reason| reason.message)?;
    println!("logged in and queried within {latency:.1?}");
    Ok(())
}

async fn until_ready(runtime: &KubernetesRuntime, id: InstanceId) -> Result<Endpoint> {
    let mut nudges = runtime.nudges();
    let mut last = None;
    loop {
        match runtime.observe(id).await? {
            Observation::Ready(endpoint) => return Ok(endpoint),
            Observation::Failed(reason) => return Err(format!("{}: {}", reason.code, reason.message).into()),
            Observation::Absent => return Err("it is gone".into()),
            Observation::Pending(reason) if last.as_ref() != Some(&reason) => {
                println!("waiting: {}: {}", reason.code, reason.message);
                last = Some(reason);
            }
            Observation::Pending(_) => {}
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), nudges.next()).await;
    }
}

async fn clean_up(runtime: &KubernetesRuntime, id: InstanceId) -> Result<()> {
    let start = Instant::now();
    while let Progress::InProgress(_) = runtime.remove(id, false).await? {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("gone after {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

fn settings() -> Result<Settings> {
    let mut arguments = std::env::args().skip(1);
    let namespace = arguments.next();
    let mut settings: Settings = arguments.next().map_or(Ok(Settings::default()), |json| serde_json::from_str(&json))?;
    if let Some(namespace) = namespace {
        settings.namespace = namespace;
    }
    Ok(settings)
}

fn deployment(runtime: &KubernetesRuntime) -> Result<Deployment> {
    let version = std::env::var("POSTGRES_VERSION").ok().map(|text| text.parse().map(toygres_domain::instance::PostgresVersion)).transpose()?;
    Ok(Deployment {
        id: InstanceId::generate(),
        name: "manual-deploy".parse()?,
        first_name: "manual-deploy".parse()?,
        spec: InstanceSpec {
            postgres_version: version.unwrap_or(runtime.versions()[0]),
            storage_gb: 1,
            cpu_millis: 100,
            memory_mb: 256,
            username: SqlName::role("app")?,
            database: SqlName::database("appdb")?,
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Default::default(),
        },
        credentials: Credentials { owner: Secret::generate(), platform: Some(PlatformCredentials::generate()) },
        data: Data::New,
        certificate: certificate(runtime)?,
        suspended: false,
        closed: false,
    })
}

/// A certificate of an authority that nobody trusts.
fn certificate(runtime: &KubernetesRuntime) -> Result<ServerCertificate> {
    let now = chrono::Utc::now();
    let (from, to) = (now - chrono::TimeDelta::hours(1), now + chrono::TimeDelta::days(1));
    let names = runtime.server_names(&Address { name: "manual-deploy".parse()?, exposure: Exposure::Cluster });
    Ok(Authority::generate("manual deploy", from, to)?.issue(&names, from, to)?.certificate)
}
