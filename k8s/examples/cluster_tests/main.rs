//! The tests with a cluster; `scripts/test-k8s` builds what they need and runs them.
//!
//! In a namespace of their own they run the real server outside of the cluster, as a service account with the Role of the
//! chart and no more, order instances of it as any client does, and compare what it says with what the cluster says.
//!
//! Exit codes: 0 all checks passed; 1 a check failed; 2 the cluster or this machine is not fit for them.

mod admin;
mod checks;
mod report;
mod server;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use admin::Admin;
use report::Report;
use tokio::signal::unix::{SignalKind, signal};
use toygres_k8s_fake::FakeApiServer;

/// What went wrong, for people.
type Result<T> = std::result::Result<T, String>;

/// The end of everything, whatever happens: nothing here may wait for ever.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// What is tested, from the environment.
struct Plan {
    /// The server's binary (`TOYGRES_BIN`).
    server: PathBuf,
    /// The directory of `psql` (`TOYGRES_PG_BIN`).
    psql: PathBuf,
    /// The major versions whose images are there (`TOYGRES_TEST_VERSIONS`, default `15,16,17,18`).
    versions: Vec<u16>,
    /// Rounds of the comparison with a plain apply (`TOYGRES_TEST_ROUNDS`, default 3).
    rounds: usize,
    /// Where files of the run go.
    directory: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let plan = match Plan::read() {
        Ok(plan) => plan,
        Err(why) => return unfit(&why),
    };
    // With `--double`, everything runs against an API server in this process: a rehearsal of the tests themselves.
    let double = if std::env::args().any(|argument| argument == "--double") { Some(FakeApiServer::start_real().await) } else { None };
    let admin = match Admin::connect(double.as_ref().map(|double| double.kubeconfig(true))).await {
        Ok(admin) => admin,
        Err(why) => {
            let _ = std::fs::remove_dir_all(&plan.directory);
            return unfit(&why);
        }
    };
    let mut report = Report::default();
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(LIMIT, checks::run(&plan, &admin, &mut report)) => {
            outcome.unwrap_or_else(|_| Err(format!("it took longer than {} minutes", LIMIT.as_secs() / 60)))
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
    drop(double);
    report.close();
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn unfit(why: &str) -> ExitCode {
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
        let versions = variable("TOYGRES_TEST_VERSIONS").unwrap_or_else(|| "15,16,17,18".to_owned());
        let versions = versions.split(',').map(|version| version.trim().parse()).collect::<std::result::Result<Vec<u16>, _>>();
        let rounds = variable("TOYGRES_TEST_ROUNDS").map_or(Ok(3), |rounds| rounds.parse());
        let directory = std::env::temp_dir().join(format!("toygres-test-k8s-{}", std::process::id()));
        std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self {
            server: path("TOYGRES_BIN")?,
            psql: path("TOYGRES_PG_BIN")?.join("psql"),
            versions: versions.map_err(|error| format!("TOYGRES_TEST_VERSIONS: {error}"))?,
            rounds: rounds.map_err(|error| format!("TOYGRES_TEST_ROUNDS: {error}"))?,
            directory,
        })
    }
}
