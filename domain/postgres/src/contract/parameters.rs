//! The contract about the parameters that an owner sets: a server has exactly those that it was deployed with last, whatever their values
//! contain, and those of the platform stay.

use std::time::{Duration, Instant};

use toygres_domain::{
    instance::Endpoint,
    parameter::{PRELOAD, Parameters},
    roles::{Credentials, PlatformCredentials},
    runtime::Deployment,
    server_settings::{MONITOR_RESERVED, SUPERUSER_RESERVED},
};

use super::Subject;
use crate::{
    Target,
    clients::Clients,
    configuration::{self, ConfigurationStatus},
    roles,
    session::Session,
};

/// A text that ends whatever it is written into carelessly.
const HOSTILE: &str = "\"a'b\\'\nport = 1\r\n# \u{e9}\"";

/// Runs the checks on an instance of each version that the runtime offers. Its instances must be servers that one can log in to.
///
/// # Panics
/// If the contract is violated.
pub async fn check_parameters(subject: Subject<'_>) {
    for version in subject.runtime.versions() {
        let mut deployment = (subject.deployment)("contract-parameters");
        deployment.spec.postgres_version = version;
        subject.deploy(&deployment).await;
        let endpoint = subject.ready(deployment.id).await;
        let Credentials { owner, platform } = deployment.credentials.clone();
        let platform = platform.expect("a new instance has passwords of the platform");
        roles::set_up(&endpoint, None, &deployment.spec, &owner, &platform, subject.timeout).await.unwrap();

        deployment.spec.parameters = parameters(&[("search_path", HOSTILE), ("jit", "no"), ("deadlock_timeout", "1.5s")]);
        change(subject, &deployment, &endpoint, &platform).await;
        let answer = ask(&endpoint, &platform, "SELECT setting FROM pg_file_settings WHERE name = 'search_path' AND applied").await;
        assert_eq!(answer.as_deref(), Some(HOSTILE), "PostgreSQL {version}");
        assert_eq!(ask(&endpoint, &platform, "SHOW deadlock_timeout").await.as_deref(), Some("1500ms"), "PostgreSQL {version}");

        // What needs a restart, among it what the connections of the owner are limited by.
        deployment.spec.parameters = parameters(&[("max_connections", "40"), (PRELOAD, "auto_explain")]);
        subject.deploy(&deployment).await;
        subject.restart(deployment.id, &super::restart::restart(deployment.id, 2, subject.timeout)).await;
        let endpoint = subject.ready(deployment.id).await;
        change(subject, &deployment, &endpoint, &platform).await;
        let libraries = ask(&endpoint, &platform, "SHOW shared_preload_libraries").await;
        assert_eq!(libraries.as_deref(), Some("pg_stat_statements, auto_explain"), "PostgreSQL {version}");
        assert_eq!(ask(&endpoint, &platform, "SHOW max_connections").await.as_deref(), Some("40"), "PostgreSQL {version}");
        if version.0 < 16 {
            let limit = format!("SELECT rolconnlimit FROM pg_roles WHERE rolname = '{}'", deployment.spec.username);
            let left = 40 - SUPERUSER_RESERVED - MONITOR_RESERVED;
            assert_eq!(ask(&endpoint, &platform, &limit).await, Some(left.to_string()), "PostgreSQL {version}");
        }

        // The defaults again: what the server reads at once has them, and the rest waits for a restart without being an error.
        deployment.spec.parameters = Parameters::default();
        change(subject, &deployment, &endpoint, &platform).await;
        assert_eq!(ask(&endpoint, &platform, "SHOW deadlock_timeout").await.as_deref(), Some("1s"), "PostgreSQL {version}");
        let pending = ask(
            &endpoint,
            &platform,
            "SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings
            WHERE pending_restart AND name IN ('max_connections', 'shared_preload_libraries')",
        )
        .await;
        assert_eq!(pending.as_deref(), Some("max_connections shared_preload_libraries"), "PostgreSQL {version}");
        subject.remove(deployment.id, false).await;
    }
}

fn parameters(values: &[(&str, &str)]) -> Parameters {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Parameters { values, ..Parameters::default() }
}

/// Deploys the parameters and waits until the server says that it has them.
async fn change(subject: Subject<'_>, deployment: &Deployment, endpoint: &Endpoint, platform: &PlatformCredentials) {
    subject.deploy(deployment).await;
    let (target, spec) = (Target::of_superuser(endpoint.clone(), platform), &deployment.spec);
    let deadline = Instant::now() + subject.timeout;
    loop {
        subject.hooks.advance(deployment.id).await;
        let clients = Clients { owner: &spec.username, users: &[] };
        match configuration::status(&target, spec.postgres_version, clients, &spec.parameters, subject.timeout).await {
            Ok(ConfigurationStatus::Current) => return,
            Ok(ConfigurationStatus::Outdated) => assert!(Instant::now() < deadline, "the server does not get its parameters"),
            other => panic!("PostgreSQL {}: {other:?}", spec.postgres_version),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn ask(endpoint: &Endpoint, platform: &PlatformCredentials, query: &str) -> Option<String> {
    let target = Target::of_superuser(endpoint.clone(), platform);
    let mut session = Session::log_in(&target, &target.database, "toygres-contract").await.unwrap();
    let [answer] = session.row(query).await.unwrap();
    let _ = tokio::time::timeout(Duration::from_secs(1), session.close()).await;
    answer
}
