//! Parameters, on every version of PostgreSQL.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use toygres_domain::{
    instance::{Endpoint, PostgresVersion, Reason, ReasonCode},
    parameter::{PRELOAD, Parameters, catalog},
    roles::{DATABASE, SUPERUSER},
    runtime::{Deployment, Observation, Progress, Runtime},
};
use toygres_postgres::contract::{self, NoHooks, Subject};

use crate::{
    control_plane::restart_of,
    home::{Home, TIMEOUT},
    psql::text,
};

/// Values of an enum that builds without the libraries for them lack. The images have all of them.
const OPTIONAL: [(&str, &[&str]); 2] = [("wal_compression", &["lz4", "zstd"]), ("default_toast_compression", &["lz4"])];

/// `pg_settings`, one parameter per line.
const SETTINGS: &str = "SELECT concat_ws(E'\\t', name, vartype, coalesce(unit, ''),
        CASE WHEN vartype IN ('integer', 'real') THEN min_val ELSE '' END, CASE WHEN vartype IN ('integer', 'real') THEN max_val ELSE '' END,
        coalesce(array_to_string(enumvals, ','), ''), coalesce(boot_val, ''), CASE context WHEN 'postmaster' THEN 'restart' ELSE '' END,
        category, short_desc)
    FROM pg_settings WHERE category <> 'Customized Options' OR name LIKE 'auto_explain.%' OR name LIKE 'pg_prewarm.%' OR name LIKE 'pg_stat_statements.%'";

/// `UPDATE_GOLDEN=1` writes the tables: `scripts/generate-parameters`.
#[tokio::test(flavor = "multi_thread")]
async fn golden_tables_are_those_of_real_servers() {
    let home = Home::with_every_version();
    let host = home.host();
    for version in [15, 16, 17, 18].map(PostgresVersion) {
        let mut deployment = home.deployment("settings");
        deployment.spec.postgres_version = version;
        deployment.spec.parameters = preloading("auto_explain, pg_prewarm");
        let endpoint = host.deploy(&deployment).await;
        let table = table(&settings(&deployment, &endpoint));
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../domain/src/parameter/{version}.tsv"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, &table).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap();
        let wrong: Vec<_> = table.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
        assert_eq!(wrong, Vec::<&str>::new(), "scripts/generate-parameters renews {}", file.display());
        assert_eq!(table, golden, "scripts/generate-parameters renews {}", file.display());
        assert_eq!(host.runtime.remove(deployment.id, false).await, Ok(Progress::Done));
    }
    host.stop().await;
}

/// The packages of the later versions have no psql.
fn settings(deployment: &Deployment, endpoint: &Endpoint) -> String {
    let platform = deployment.credentials.platform.as_ref().expect("it has roles of the platform");
    let url = format!("postgresql://{SUPERUSER}@{}:{}/{DATABASE}", endpoint.host, endpoint.port);
    text(Command::new("psql").args([&url, "-XAtqwc", SETTINGS]).env("PGPASSWORD", platform.superuser.expose()).output().unwrap())
}

/// The table of a server with these settings.
fn table(settings: &str) -> String {
    let line = |setting: &str| {
        let mut columns: Vec<_> = setting.split('\t').map(str::to_owned).collect();
        let name = columns[0].clone();
        if let Some(reason) = catalog::exclusion(&name, &columns[8]) {
            return (name.to_lowercase(), format!("{name}\t{reason}\n"));
        }
        if columns[1] == "enum" {
            let optional = OPTIONAL.iter().filter(|(of, _)| *of == name).flat_map(|(_, values)| *values);
            let mut values: Vec<_> = columns[5].split(',').chain(optional.copied()).map(str::to_owned).collect();
            if OPTIONAL.iter().any(|(of, _)| *of == name) {
                values.sort_unstable();
                values.dedup();
            }
            columns[5] = values.join(",");
        }
        (name.to_lowercase(), columns.join("\t") + "\n")
    };
    let lines: BTreeMap<_, _> = settings.lines().map(line).collect();
    lines.into_values().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_have_the_parameters_that_their_owners_set() {
    let home = Home::with_every_version();
    let host = home.host();
    let deployment = |name: &str| home.deployment(name);
    contract::check_parameters(Subject { runtime: &host.runtime, deployment: &deployment, hooks: &NoHooks, timeout: TIMEOUT }).await;
    host.stop().await;
}

/// A value that the checks let through and that no server of this machine starts with: there are no huge pages.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_start_says_why_and_starts_again_without_the_parameter() {
    let home = Home::new();
    let host = home.host();
    let mut deployment = home.deployment("huge");
    let endpoint = host.deploy(&deployment).await;
    let values = [("huge_pages".to_owned(), "on".to_owned())].into();
    let former = std::mem::replace(&mut deployment.spec.parameters, Parameters { values, ..Parameters::default() });
    host.runtime.deploy(&deployment).await.unwrap();
    assert_eq!(home.query(&deployment, &endpoint, "SHOW huge_pages"), "try", "it waits for a restart");
    while host.runtime.restart(deployment.id, &restart_of(deployment.id, 2, TIMEOUT)).await.unwrap() != Progress::Done {}
    let mut reason = Reason::new(ReasonCode::StartingUp, "");
    while reason.code == ReasonCode::StartingUp {
        match host.runtime.observe(deployment.id).await.unwrap() {
            Observation::Pending(now) => reason = now,
            other => panic!("it does not start: {other:?}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(reason.code, ReasonCode::ProcessExited, "{reason:?}");
    assert!(reason.message.contains("could not map anonymous shared memory"), "{reason:?}");
    deployment.spec.parameters = former;
    host.runtime.deploy(&deployment).await.unwrap();
    host.ready(deployment.id).await;
    host.stop().await;
}

fn preloading(libraries: &str) -> Parameters {
    Parameters { values: [(PRELOAD.to_owned(), libraries.to_owned())].into(), ..Parameters::default() }
}
