//! What a server uses of its volume, and a server that is kept from taking writes.

use std::{fs, path::Path, time::Duration};

use tokio_postgres::{Client, NoTls};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion, ReasonCode},
    name::SqlName,
    roles::{Credentials, PlatformCredentials},
    secret::Secret,
};
use toygres_postgres::{
    Answer, Logins, Measure, Prober, Target, check, databases, roles,
    storage::{hold, release},
};

use crate::{
    hostile::running,
    server::{Server, TIMEOUT, eventually},
};

const SETTLED: Duration = Duration::from_secs(30);

/// A server with the roles of the platform, and an owner with a database.
pub struct Instance {
    pub server: Server,
    pub logins: Logins,
    endpoint: Endpoint,
    superuser: Target,
    monitor: Target,
    owner: Target,
}

impl Instance {
    pub async fn start() -> Self {
        Self::on(Server::start().await, 15).await
    }

    /// The same of another version.
    pub async fn start_version(version: u16) -> Self {
        Self::on(Server::start_version(version.into()).await, version).await
    }

    async fn on((server, target): (Server, Target), version: u16) -> Self {
        let endpoint = target.endpoint;
        let (owner, platform) = (Secret::generate(), PlatformCredentials::generate());
        server.execute(&format!("CREATE ROLE toygres SUPERUSER LOGIN PASSWORD '{}'", platform.superuser.expose()));
        let rules = fs::read_to_string(server.file("pg_hba.conf")).unwrap();
        let all = "host all toygres,toygres_monitor,shop 127.0.0.1/32 scram-sha-256\n";
        fs::write(server.file("pg_hba.conf"), format!("{all}{rules}")).unwrap();
        server.execute("SELECT pg_reload_conf()");
        let spec = InstanceSpec {
            postgres_version: PostgresVersion(version),
            storage_gb: 1,
            cpu_millis: 100,
            memory_mb: 128,
            username: SqlName::role("shop").unwrap(),
            database: SqlName::database("shop").unwrap(),
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Default::default(),
        };
        roles::set_up(&endpoint, None, &spec, &owner, &platform, SETTLED).await.unwrap();
        let credentials = Credentials { owner: owner.clone(), platform: Some(platform.clone()) };
        Self {
            server,
            logins: Logins::new(endpoint.clone(), &spec, credentials.clone(), None),
            superuser: Target::of_superuser(endpoint.clone(), &platform),
            monitor: Target::of_checks(endpoint.clone(), &spec, credentials),
            owner: Target::of_owner(endpoint.clone(), &spec, owner),
            endpoint,
        }
    }

    /// A session of the owner.
    pub async fn connect(&self) -> Client {
        let Target { username, password, database, .. } = &self.owner;
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.endpoint.port).user(username).password(password.expose()).dbname(database);
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// A check, which measures, over a kept connection if there is one.
    pub async fn checked(&self, prober: &Prober, id: InstanceId) -> Answer {
        match prober.ask(id, &self.endpoint, TIMEOUT, Measure::ALL).await {
            Some(answer) => answer.unwrap(),
            None => prober.log_in(id, &self.monitor, TIMEOUT, Measure::ALL).await.unwrap(),
        }
    }

    /// The same of a server that may not answer.
    pub async fn try_checked(&self, prober: &Prober, id: InstanceId) -> Option<Answer> {
        match prober.ask(id, &self.endpoint, TIMEOUT, Measure::ALL).await {
            Some(answer) => answer.ok(),
            None => prober.log_in(id, &self.monitor, TIMEOUT, Measure::ALL).await.ok(),
        }
    }
}

/// The bytes of the files below a directory.
fn size_of(path: &Path) -> i64 {
    fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_of(&entry.path()),
            Ok(meta) => i64::try_from(meta.len()).unwrap(),
            Err(_) => 0,
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usage_is_that_of_the_files() {
    let instance = Instance::start().await;
    let (prober, _running) = running(1000);
    let id = InstanceId::generate();
    let before = instance.checked(&prober, id).await.storage.unwrap();
    let client = instance.connect().await;
    // A page for each row.
    let fill = "CREATE TABLE t (a text) WITH (fillfactor = 10);
        INSERT INTO t SELECT repeat('x', 700) FROM generate_series(1, 4096)";
    client.batch_execute(fill).await.unwrap();
    instance.server.execute("CHECKPOINT");
    let after = instance.checked(&prober, id).await.storage.unwrap();
    assert!(after.used_bytes - before.used_bytes >= 4096 * 8192, "{before:?} {after:?}");
    let files = size_of(&instance.server.file(""));
    assert!((files - after.used_bytes).abs() < files / 50, "{after:?}, files of {files} bytes");
    assert!(after.took < Duration::from_secs(1), "{after:?}");
    assert_eq!(prober.log_in_anew(id, &instance.monitor, TIMEOUT, Measure::NONE).await.unwrap().storage, None, "it was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_held_takes_no_writes_but_those_that_clean_up() {
    let instance = Instance::start().await;
    let (prober, _running) = running(1000);
    let id = InstanceId::generate();
    let (client, writer, late) = (instance.connect().await, instance.connect().await, instance.connect().await);
    client.batch_execute("CREATE TABLE t (a int); CREATE TABLE big AS SELECT 1 AS a").await.unwrap();
    writer.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    late.batch_execute("BEGIN; SELECT count(*) FROM t").await.unwrap();
    assert!(!instance.checked(&prober, id).await.is_held);

    hold(&instance.superuser, SETTLED).await.unwrap();
    eventually("it is held", async || instance.checked(&prober, id).await.is_held).await;
    eventually("its writer is gone", async || writer.is_closed() || writer.batch_execute("SELECT 1").await.is_err()).await;
    let refused = client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap_err();
    assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some("25006"), "{refused}");
    for statement in ["SELECT * FROM t", "VACUUM t"] {
        client.batch_execute(statement).await.unwrap();
    }
    // A transaction that began before can still write, and is ended then.
    late.batch_execute("INSERT INTO t VALUES (3)").await.unwrap();
    hold(&instance.superuser, SETTLED).await.unwrap();
    eventually("it is gone too", async || late.batch_execute("COMMIT").await.is_err()).await;
    // What cleans up stays.
    let cleaner = instance.connect().await;
    eventually("a second has passed since", async || {
        let now = instance.server.execute("SELECT now() > (pg_stat_file('postgresql.auto.conf')).modification + interval '1 second'");
        now == "t"
    })
    .await;
    cleaner.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    cleaner.batch_execute("BEGIN; DROP TABLE big").await.unwrap();
    hold(&instance.superuser, SETTLED).await.unwrap();
    cleaner.batch_execute("COMMIT").await.unwrap();
    // Operations go on: a login, and what the platform itself writes.
    check(&instance.owner, TIMEOUT).await.unwrap();
    let (name, owner) = (SqlName::database("more").unwrap(), SqlName::role("shop").unwrap());
    databases::create(&instance.superuser, &name, &owner, SETTLED).await.unwrap();
    databases::drop_database(&instance.superuser, &name, true, SETTLED).await.unwrap();

    // It lasts.
    instance.server.halt();
    instance.server.resume();
    prober.forget(id);
    assert!(prober.log_in(id, &instance.monitor, TIMEOUT, Measure::ALL).await.unwrap().is_held);
    for _ in 0..2 {
        release(&instance.superuser, SETTLED).await.unwrap();
    }
    eventually("it takes writes", async || !instance.checked(&prober, id).await.is_held).await;
    instance.connect().await.batch_execute("INSERT INTO t VALUES (4)").await.unwrap();
    assert_eq!(instance.server.execute_as("postgres", "shop", "SELECT string_agg(a::text, ' ') FROM t"), "4", "nothing else was committed");

    // Somebody else has set it, for a reason of theirs.
    let conf = instance.server.file("postgresql.conf");
    fs::write(&conf, fs::read_to_string(&conf).unwrap() + "default_transaction_read_only = on\n").unwrap();
    instance.server.execute("SELECT pg_reload_conf()");
    eventually("it is read-only", async || {
        prober.log_in_anew(id, &instance.monitor, TIMEOUT, Measure::ALL).await.is_err_and(|why| why.code == ReasonCode::ReadOnly)
    })
    .await;
}
