//! The tests with a cluster. `scripts/test-k8s` builds what they need and runs them.
//!
//! They run the server outside of the cluster, with a service account that has exactly the Role of the chart, in a namespace of
//! their own; create instances through its API, and compare what it reports with the objects of the cluster.
//!
//! Exit codes: 0 all checks passed; 1 a check failed; 2 the cluster or this machine does not meet the requirements.

mod admin;
mod checks;
mod day_two;
mod drift;
mod report;
mod restore;
#[path = "../../../domain/backup/tests/it/s3_server.rs"]
mod s3_server;
mod server;
mod tls;
mod trouble;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use admin::Admin;
use report::Report;
use tokio::signal::unix::{SignalKind, signal};
use toygres_domain::instance::PostgresVersion;
use toygres_k8s_fake::FakeApiServer;

/// Errors are messages for people.
type Result<T> = std::result::Result<T, String>;

/// The time-out of the whole run.
const TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// The parameters of a run, from the environment.
struct Plan {
    /// The server's binary (`TOYGRES_BIN`).
    server: PathBuf,
    /// The directory of `psql` (`TOYGRES_PG_BIN`).
    psql: PathBuf,
    /// The major versions whose images are there (`TOYGRES_TEST_VERSIONS`, default: all on offer), oldest first.
    versions: Vec<u16>,
    /// Rounds of the comparison with a plain apply (`TOYGRES_TEST_ROUNDS`, default 3).
    rounds: usize,
    /// The variables of a server that can restore instances, if the environment has them.
    restore: Option<restore::Variables>,
    /// Where files of the run go.
    directory: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut plan = match Plan::read() {
        Ok(plan) => plan,
        Err(why) => return not_tested(&why),
    };
    // With `--fake`, the cluster is a fake API server in this process, which tests the tests.
    let fake = if std::env::args().any(|argument| argument == "--fake") { Some(FakeApiServer::start_real().await) } else { None };
    let _store = match &fake {
        Some(fake) => Some(restore::imitate(fake, &mut plan).await),
        None => None,
    };
    let admin = match Admin::connect(fake.as_ref().map(|fake| fake.kubeconfig(true))).await {
        Ok(admin) => admin,
        Err(why) => {
            let _ = std::fs::remove_dir_all(&plan.directory);
            return not_tested(&why);
        }
    };
    let mut report = Report::default();
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(TIMEOUT, checks::run(&plan, &admin, &mut report)) => {
            outcome.unwrap_or_else(|_| Err(format!("it took longer than {} minutes", TIMEOUT.as_secs() / 60)))
        }
        () = interrupted() => Err("interrupted".to_owned()),
    };
    if let Err(why) = &outcome {
        report.failed(why);
        eprintln!("{}\n{}", admin.diagnosis().await, server::logs(&plan));
    }
    let cleaned = admin.clean_up().await;
    if let Err(why) = &cleaned {
        report.failed(why);
    }
    let _ = std::fs::remove_dir_all(&plan.directory);
    drop(fake);
    report.close();
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn not_tested(why: &str) -> ExitCode {
    eprintln!("not tested: {why}");
    ExitCode::from(2)
}

async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

impl Plan {
    fn read() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name: &str| variable(name).map(PathBuf::from).ok_or_else(|| format!("{name} is not set; use scripts/test-k8s"));
        let offered = || PostgresVersion::offered().map(|version| version.to_string()).collect::<Vec<_>>();
        let versions = variable("TOYGRES_TEST_VERSIONS").unwrap_or_else(|| offered().join(","));
        let mut versions = versions.split(',').map(|version| version.trim().parse()).collect::<std::result::Result<Vec<u16>, _>>();
        if let Ok(versions) = &mut versions {
            versions.sort_unstable();
        }
        let rounds = variable("TOYGRES_TEST_ROUNDS").map_or(Ok(3), |rounds| rounds.parse());
        let directory = std::env::temp_dir().join(format!("toygres-test-k8s-{}", std::process::id()));
        std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self {
            server: path("TOYGRES_BIN")?,
            psql: path("TOYGRES_PG_BIN")?.join("psql"),
            versions: versions.map_err(|error| format!("TOYGRES_TEST_VERSIONS: {error}"))?,
            restore: restore::variables(),
            rounds: rounds.map_err(|error| format!("TOYGRES_TEST_ROUNDS: {error}"))?,
            directory,
        })
    }
}
