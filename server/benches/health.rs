//! Health checks of many instances: their lag and their cost. The real server process checks a few real PostgreSQL servers, each of
//! which represents many instances.
//!
//! It measures the checks of workflows: there are no probers, unless the setting `TOYGRES_HEALTH_LOOK_SECONDS` says otherwise.
//!
//! Each number of instances is measured twice: checks alone, and with metrics, whose cost is the difference.
//!
//! Arguments, in any order: minutes (10), numbers of instances above 60 (1000 and 3000), the number of servers that share them (`workers=2`), and
//! settings of the servers (`TOYGRES_ENGINE_POLL_MS=50`). With a setting of `TOYGRES_METRICS_INTERVAL_SECONDS` each number is measured once.

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod support;

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    time::{Duration, Instant},
};

use support::{Database, Home, Server, psql};
use tokio_postgres::NoTls;
use toygres_certificates::{Authority, IssuedCertificate};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    operation::{Params, create},
    roles::PlatformCredentials,
    secret::{Secret, SecretKeys},
};
use toygres_postgres::roles;
use toygres_store::{InstanceCertificate, NewAuthority, NewInstance, Outcome, Reached, Request, Store, Subject};
use toygres_workflows::certificates::new_authority;

/// Seconds between the checks of one instance.
const INTERVAL: i32 = 30;
/// The default retention of samples.
const RETENTION_HOURS: i32 = 48;
/// Servers that are checked.
const HOSTED: usize = 3;
/// The setting with which metrics are read as often as instances are checked.
const METRICS: (&str, &str) = ("TOYGRES_METRICS_INTERVAL_SECONDS", "30");
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let (numbers, settings): (Vec<_>, Vec<(&str, &str)>) =
        arguments.iter().filter_map(|argument| argument.split_once('=')).partition(|(name, _)| *name == "workers");
    let workers: usize = numbers.first().map_or(1, |(_, number)| number.parse().expect("a number of servers"));
    let (small, mut counts): (Vec<u64>, Vec<u64>) =
        arguments.iter().filter_map(|argument| argument.parse::<u64>().ok()).partition(|number| *number <= 60);
    if counts.is_empty() {
        counts = vec![1000, 3000];
    }
    let time = Duration::from_secs(60 * small.first().copied().unwrap_or(10));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    runtime.block_on(async {
        let most = counts.iter().max().copied().unwrap_or_default();
        let certificates = Certificates::make();
        let hosted = hosted(most, &certificates).await;
        println!("an instance is checked every {INTERVAL} s; measured for {} s after everything was checked once; {settings:?}", time.as_secs());
        for count in counts {
            let count = usize::try_from(count).expect("a number of instances");
            if settings.iter().any(|(name, _)| *name == METRICS.0) {
                run(count, workers, &hosted, &certificates, time, &settings).await;
                continue;
            }
            let alone = run(count, workers, &hosted, &certificates, time, &[settings.as_slice(), &[(METRICS.0, "0")]].concat()).await;
            let both = run(count, workers, &hosted, &certificates, time, &[settings.as_slice(), &[METRICS]].concat()).await;
            let Cost { server, database } = Cost { server: both.server - alone.server, database: both.database - alone.database };
            println!(
                "  metrics of {count} instances cost {:.3} ms for each and {INTERVAL} s beside the checks: server {server:.3} ms, metadata database {database:.3} ms",
                server + database
            );
        }
    });
}

/// An authority, and a certificate of it that the servers present for all of their instances.
struct Certificates {
    authority: NewAuthority,
    issued: IssuedCertificate,
}

impl Certificates {
    fn make() -> Self {
        let authority = new_authority(chrono::Utc::now()).expect("an authority can be made");
        let key = authority.key.as_ref().expect("an authority of the control plane has its key");
        let issuer = Authority::read(&authority.certificate, key).expect("it is one");
        let names = ["*.toygres.internal", "localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let issued = issuer.issue(&names, authority.not_before, authority.not_before + chrono::TimeDelta::days(90)).expect("it can issue");
        Self { authority, issued }
    }

    /// Records that an instance has the certificate, and that its server was seen to present it.
    async fn record(&self, store: &Store, id: InstanceId) {
        let authority = store.authorities().await.expect("the metadata answers")[0].id;
        let details = &self.issued.details;
        let certificate = InstanceCertificate {
            authority,
            fingerprint: details.fingerprint.clone(),
            names: vec![id.tls_name(), "localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()],
            not_before: details.not_before,
            not_after: details.not_after,
            presented: None,
            requires_tls: None,
        };
        store.save_certificate(id, &self.issued.certificate, &certificate).await.expect("it can be stored");
        store.record_presented(id, &details.fingerprint).await.expect("it can be recorded");
        store.record_requires_tls(id, false).await.expect("it can be recorded");
    }
}

/// The servers that are checked, with room for a kept connection of each instance.
async fn hosted(instances: u64, certificates: &Certificates) -> Vec<Database> {
    let mut all = Vec::new();
    for _ in 0..HOSTED {
        let database = Database::start();
        psql(&database.url(), "CREATE ROLE app LOGIN PASSWORD 'app-password'; CREATE ROLE toygres SUPERUSER LOGIN").await.expect("roles can be made");
        psql(&database.url(), &format!("ALTER SYSTEM SET max_connections = {}", instances / HOSTED as u64 + 100)).await.expect("it can be set");
        let server = &certificates.issued.certificate;
        write_private(&database, "server.pem", &format!("{}{}", server.chain, server.key.expose()));
        for setting in ["ssl_cert_file = 'server.pem'", "ssl_key_file = 'server.pem'", "ssl = on"] {
            psql(&database.url(), &format!("ALTER SYSTEM SET {setting}")).await.expect("it can be set");
        }
        let rules = database.file("pg_hba.conf");
        let old = std::fs::read_to_string(&rules).expect("there are rules");
        // Each server is that of many instances, whose monitors have different passwords. What a login lacks because of that, the comparison
        // of the owner's password takes.
        std::fs::write(&rules, format!("host all toygres,toygres_monitor 127.0.0.1/32 trust\n{old}")).expect("the rules can be changed");
        database.halt();
        database.resume();
        let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: database.port() };
        let (password, platform) = (Secret::new("app-password".to_owned()), PlatformCredentials::generate());
        roles::set_up(&endpoint, None, &spec(), &password, &platform, Duration::from_secs(30)).await.expect("the roles can be made");
        all.push(database);
    }
    all
}

/// Writes a file of a server that nobody else may read.
fn write_private(database: &Database, name: &str, text: &str) {
    let path = database.file(name);
    std::fs::write(&path, text).expect("it can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    let owner = std::fs::metadata(database.file("PG_VERSION")).expect("there is a data directory");
    std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).expect("its owner can be set");
}

/// An instance.
fn spec() -> InstanceSpec {
    InstanceSpec {
        postgres_version: PostgresVersion(15),
        storage_gb: 1,
        cpu_millis: 100,
        memory_mb: 128,
        username: "app".to_owned().try_into().expect("it is a name"),
        database: "postgres".to_owned().try_into().expect("it is a name"),
        exposure: Exposure::Cluster,
        require_tls: false,
        health_check: HealthCheckPolicy { interval_seconds: INTERVAL, timeout_seconds: 5 },
        parameters: Default::default(),
    }
}

/// Milliseconds of the processor for an instance and an interval.
struct Cost {
    server: f64,
    database: f64,
}

async fn run(count: usize, workers: usize, hosted: &[Database], certificates: &Certificates, time: Duration, settings: &[(&str, &str)]) -> Cost {
    let metadata = Database::start_durable();
    let url = metadata.url();
    make_instances(&url, count, hosted, certificates).await;
    let sql = connect(&url).await;
    make_samples(&sql).await;
    make_readings(&sql, time).await;
    let home = Home::new();
    let connections = count.to_string();
    let mut env = vec![("DATABASE_URL", url.as_str()), ("TOYGRES_SECRET_KEY", KEY), ("TOYGRES_PROBE_CONNECTIONS", connections.as_str())];
    // They are in no data directory.
    env.push(("TOYGRES_CLAIM_INSTANCES", "true"));
    // And so are lost to a workflow that a prober has nudged, which asks the runtime.
    env.push(("TOYGRES_HEALTH_LOOK_SECONDS", "0"));
    env.extend(settings);
    let number = async |query: &str, at: i64| sql.query_one(query, &[&at]).await.expect("the metadata answers").get::<_, i64>(0);
    let newest = async || number("SELECT coalesce(max(id), 0) FROM toygres.health_checks WHERE id > $1", 0).await;
    let old = newest().await;

    let mut servers = Vec::new();
    for _ in 0..workers {
        servers.push(home.start_with(&env).await);
    }
    let started = Instant::now();
    let checked = "SELECT count(DISTINCT instance_id) FROM toygres.health_checks WHERE id > $1";
    while number(checked, old).await < i64::try_from(count).expect("a count") {
        assert!(started.elapsed() < Duration::from_secs(300), "not everything was checked within five minutes");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // By then the loops are spread over the interval, and the backlog of the start is processed if the capacity suffices.
    tokio::time::sleep(Duration::from_secs(3 * u64::from(INTERVAL.unsigned_abs()))).await;

    let mut sizes = vec![tables(&sql).await];
    let before = Snapshot::take(&servers, &metadata).await;
    let first = newest().await;
    let begun = Instant::now();
    tokio::time::sleep(time / 2).await;
    sizes.push(tables(&sql).await);
    tokio::time::sleep(time.saturating_sub(begun.elapsed())).await;
    let elapsed = begun.elapsed().as_secs_f64();
    let after = Snapshot::take(&servers, &metadata).await;
    let done = number("SELECT count(*) FROM toygres.health_checks WHERE id > $1", first).await;
    sizes.push(tables(&sql).await);
    let failed = number("SELECT count(*) FROM toygres.health_checks WHERE id > $1 AND status <> 'healthy'", old).await;

    let share = |before: Duration, after: Duration| (after - before).as_secs_f64() / elapsed * 100.0;
    let (server_share, database_share) = (share(before.server, after.server), share(before.database, after.database));
    let cost = |before: Duration, after: Duration| (after - before).as_secs_f64() / elapsed * f64::from(INTERVAL) * 1000.0 / count as f64;
    let cost = Cost { server: cost(before.server, after.server), database: cost(before.database, after.database) };
    println!(
        "\n{count} instances, {workers} servers, {}",
        settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    );
    println!(
        "  cost                {:.3} ms for an instance and {INTERVAL} s: server {:.3} ms, metadata database {:.3} ms",
        cost.server + cost.database,
        cost.server,
        cost.database
    );
    println!("  checks/s            {:8.1} of {:.1} due", done as f64 / elapsed, count as f64 / f64::from(INTERVAL));
    println!("  lag, due to done    p50 {:.2} s  p99 {:.2} s", after.lag(&before, 0.5), after.lag(&before, 0.99));
    println!(
        "  processor           {:.1} % of one core: server {server_share:.1} %, metadata database {database_share:.1} %",
        server_share + database_share
    );
    println!("  server memory       {} MB", servers.iter().map(Server::memory).max().unwrap_or_default() / 1_000_000);
    println!("  shares              {}", after.shares.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "));
    println!("  failed checks       {failed}");
    println!("  failed renewals     {}", after.failed_renewals - before.failed_renewals);
    for (at, sizes) in ["start", "middle", "end"].iter().zip(&sizes) {
        println!("  tables at the {at:<7} {}", sizes.join(", "));
    }
    for server in servers {
        server.stop().await;
    }
    cost
}

/// Inserts running instances, as after their creation. The server starts a loop for each when it starts.
async fn make_instances(url: &str, count: usize, hosted: &[Database], certificates: &Certificates) {
    let store = Store::open(url, 16, SecretKeys::parse(KEY).expect("it is a key")).expect("the URL is one");
    store.migrate().await.expect("the migrations work");
    store.publish_first_authority(&certificates.authority).await.expect("it can be published");
    let made = (0..count).map(|number| {
        let (store, port) = (store.clone(), hosted[number % hosted.len()].port());
        async move {
            let new = NewInstance {
                id: InstanceId::generate(),
                name: format!("bench-{number}").parse().expect("it is a name"),
                spec: spec(),
                password: Secret::new("app-password".to_owned()),
                labels: Default::default(),
                deletion_protected: false,
                idle_suspend_minutes: None,
                maintenance_window: None,
                storage_auto_grow: None,
                backups: Default::default(),
            };
            let request = Request { idempotency: None, revision: None, requested_by: None, deadline: Duration::from_secs(600), password: None };
            let params = Params::Create(create::Params::default());
            let accepted = store.accept(Subject::New(&new), &params, &request).await.expect("it is accepted");
            let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port };
            let connection_string = toygres_domain::connection_string::connection_string(&endpoint, &new.spec);
            let outcome = Outcome::Succeeded(Some(Reached { endpoint, connection_string }));
            store.finish(&accepted.operation.id, 1, &outcome).await.expect("it runs");
            certificates.record(&store, new.id).await;
        }
    });
    futures::StreamExt::collect::<Vec<()>>(futures::StreamExt::buffer_unordered(futures::stream::iter(made), 16)).await;
    store.close().await;
}

/// Inserts samples for the whole retention, in the partitions that they would be in.
async fn make_samples(sql: &tokio_postgres::Client) {
    let samples = format!(
        "SET session_replication_role = replica;
         DO $$ DECLARE today timestamptz := date_trunc('day', now(), 'UTC'); parent text; BEGIN
             FOREACH parent IN ARRAY ARRAY['health_checks', 'instance_metrics'] LOOP
                 FOR ago IN 0 .. {RETENTION_HOURS} / 24 + 1 LOOP
                     EXECUTE format('CREATE TABLE toygres.%1$s_%2$s PARTITION OF toygres.%1$s FOR VALUES FROM (%3$L) TO (%4$L)', parent, ago,
                                    today - ago * interval '24 hours', today + (1 - ago) * interval '24 hours');
                 END LOOP;
             END LOOP;
         END $$;
         DROP INDEX toygres.health_checks_instance;
         INSERT INTO toygres.health_checks (instance_id, at, status, latency_us)
             SELECT instance.id, now() - interval '{RETENTION_HOURS} hours' + (round + instance.part) * interval '{INTERVAL} seconds', 'healthy', 900
             FROM generate_series(0, {RETENTION_HOURS} * 3600 / {INTERVAL} - 1) round
                  CROSS JOIN (SELECT id, percent_rank() OVER (ORDER BY id) AS part FROM toygres.instances) instance
             ORDER BY round, part;
         CREATE INDEX health_checks_instance ON toygres.health_checks (instance_id, id);
         RESET session_replication_role"
    );
    sql.batch_execute(&samples).await.expect("samples can be made");
    // The maintenance of so many new rows is not part of the measurement.
    sql.batch_execute("VACUUM ANALYZE toygres.health_checks").await.expect("they can be looked at");
    sql.batch_execute("CHECKPOINT").await.expect("they can be written");
}

/// Inserts the readings of metrics that become too old from now on until the measurement is over.
async fn make_readings(sql: &tokio_postgres::Client, time: Duration) {
    // The start takes up to ten minutes.
    let rounds = (time.as_secs() + 600) / u64::from(INTERVAL.unsigned_abs());
    let readings = format!(
        "INSERT INTO toygres.instance_metrics (instance_id, at, epoch, readings)
             SELECT instance.id, now() - interval '{RETENTION_HOURS} hours' + (round + instance.part) * interval '{INTERVAL} seconds', 1,
                 (SELECT array_agg(n * 1000.5) FROM generate_series(1, 24) n)
             FROM generate_series(0, {rounds}) round
                  CROSS JOIN (SELECT id, percent_rank() OVER (ORDER BY id) AS part FROM toygres.instances) instance
             ORDER BY round, part"
    );
    sql.batch_execute(&readings).await.expect("readings can be made");
    sql.batch_execute("VACUUM ANALYZE toygres.instance_metrics").await.expect("they can be looked at");
}

/// The CPU times and counters at one time.
struct Snapshot {
    server: Duration,
    database: Duration,
    /// The number of checks up to each bound of lag.
    lags: Vec<(f64, f64)>,
    /// Attempts to renew a certificate that failed.
    failed_renewals: u64,
    /// The instances that each server probes.
    shares: Vec<u64>,
}

impl Snapshot {
    async fn take(servers: &[Server], metadata: &Database) -> Self {
        let mut taken = Self {
            server: servers.iter().map(Server::cpu).sum(),
            database: support::cpu_of_family(metadata.postmaster()),
            lags: Vec::new(),
            failed_renewals: 0,
            shares: Vec::new(),
        };
        for server in servers {
            let scraped = server.get("/metrics").await.text().await.expect("metrics are text");
            let numbers = |metric: &str| -> Vec<u64> {
                scraped.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' ')?.parse().ok()).collect()
            };
            taken.failed_renewals += numbers("toygres_instance_certificate_failures_total").iter().sum::<u64>();
            taken.shares.extend(numbers("toygres_probed_instances"));
            let lags = scraped.lines().filter_map(|line| line.strip_prefix("toygres_health_check_lag_seconds_bucket{le=\"")?.split_once("\"} "));
            for (number, (bound, count)) in lags.enumerate() {
                let (bound, count) = (bound.parse().unwrap_or(f64::INFINITY), count.parse::<f64>().expect("a count"));
                match taken.lags.get_mut(number) {
                    Some((_, sum)) => *sum += count,
                    None => taken.lags.push((bound, count)),
                }
            }
        }
        taken
    }

    /// A quantile of the lags since `before`, interpolated within a bucket.
    fn lag(&self, before: &Self, quantile: f64) -> f64 {
        let counts: Vec<(f64, f64)> = self
            .lags
            .iter()
            .map(|(bound, count)| (*bound, count - before.lags.iter().find(|(other, _)| other == bound).map_or(0.0, |(_, count)| *count)))
            .collect();
        let wanted = counts.last().map_or(0.0, |(_, all)| all * quantile);
        let mut below = (0.0, 0.0);
        for (bound, count) in counts {
            if count >= wanted {
                let part = if count > below.1 { (wanted - below.1) / (count - below.1) } else { 1.0 };
                return if bound.is_finite() { below.0 + (bound - below.0) * part } else { bound };
            }
            below = (bound, count);
        }
        f64::NAN
    }
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the metadata database answers");
    tokio::spawn(connection);
    client
}

/// The sizes of the tables that could grow.
async fn tables(sql: &tokio_postgres::Client) -> Vec<String> {
    let mut sizes = Vec::new();
    for (table, rows) in [
        ("duroxide.history", "count(*)"),
        ("duroxide.executions", "count(*)"),
        ("duroxide.orchestrator_queue", "count(*)"),
        ("duroxide.worker_queue", "count(*)"),
        // Not counted, because counting millions of rows would affect the lags; the oldest rows are deleted first.
        ("toygres.health_checks", "max(id) - min(id) + 1"),
        ("toygres.instance_metrics", "count(*)"),
        ("toygres.events", "count(*)"),
    ] {
        let query = format!("SELECT {rows}, pg_total_relation_size('{table}') FROM {table}");
        let row = sql.query_one(&query, &[]).await.expect("the table is there");
        let (rows, bytes): (i64, i64) = (row.get(0), row.get(1));
        sizes.push(format!("{} {rows} rows {:.1} MB", table.split('.').next_back().unwrap_or(table), bytes as f64 / 1e6));
    }
    sizes
}
