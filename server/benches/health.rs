//! Health checks of many instances: their lag and their cost. The real server process checks a few real PostgreSQL servers, each of
//! which represents many instances.
//!
//! The instances are those of a cluster: the server has the Kubernetes runtime, and the API server is the fake of the tests without its
//! controllers. It answers that each pod is ready, and its Services lead to the real servers. Each instance has its own kept connection (TLS,
//! SCRAM) to the pool before its server, which needs a process for few of them. Neither the pools, the servers nor the fake API server, which share
//! the machine, are in the figures; what the control plane spends on its calls to the API server is.
//!
//! Each number of instances is measured twice: checks alone, and with metrics, whose cost is the difference.
//!
//! Arguments, in any order: minutes (10), numbers of instances above 60 (1000 and 3000), the seconds between the checks of one instance
//! (`interval=30`), the number of servers that share them (`workers=2`), the hours of old samples in the database, which are deleted as others
//! come (`samples=4`), and settings of the servers (`TOYGRES_ENGINE_POLL_MS=50`). With a setting of `TOYGRES_METRICS_INTERVAL_SECONDS` each
//! number is measured once. `probers=both` measures also without probers (`TOYGRES_HEALTH_LOOK_SECONDS=0`), where every check is one of a workflow.

#[path = "health/hosted.rs"]
mod hosted;
#[path = "health/instances.rs"]
mod instances;
#[path = "health/measurement.rs"]
mod measurement;
#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod support;

use std::time::{Duration, Instant};

use self::{
    hosted::{Certificates, Hosted},
    instances::{make_instances, make_readings, make_samples},
    measurement::{Snapshot, tables},
    support::{Database, Home, Server, connect},
};

/// Servers that are checked.
const HOSTED: usize = 3;
/// The setting with which metrics are read as often as instances are checked.
const METRICS: (&str, &str) = ("TOYGRES_METRICS_INTERVAL_SECONDS", "30");
/// The setting with which there are no probers.
const WITHOUT_PROBERS: (&str, &str) = ("TOYGRES_HEALTH_LOOK_SECONDS", "0");
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// What is measured.
struct Load {
    /// Instances.
    count: usize,
    /// Seconds between the checks of one.
    interval: i32,
    /// Servers that share them.
    workers: usize,
    time: Duration,
    sample_hours: i32,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let named: Vec<(&str, &str)> = arguments.iter().filter_map(|argument| argument.split_once('=')).collect();
    let (settings, options): (Vec<_>, Vec<_>) = named.into_iter().partition(|(name, _)| name.starts_with(char::is_uppercase));
    let option = |name: &str, default: i32| {
        let given = options.iter().find(|(given, _)| *given == name);
        given.map_or(default, |(_, number)| number.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    let (workers, interval, sample_hours) = (option("workers", 1), option("interval", 30), option("samples", 4));
    let both = options.contains(&("probers", "both"));
    let (small, mut counts): (Vec<u64>, Vec<u64>) =
        arguments.iter().filter_map(|argument| argument.parse::<u64>().ok()).partition(|number| *number <= 60);
    if counts.is_empty() {
        counts = vec![1000, 3000];
    }
    let time = Duration::from_secs(60 * small.first().copied().unwrap_or(10));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    runtime.block_on(async {
        let certificates = Certificates::make();
        let mut hosted = Vec::new();
        for number in 0..HOSTED {
            hosted.push(Hosted::start(number, &certificates).await);
        }
        println!("an instance is checked every {interval} s; measured for {} s after everything was checked; {settings:?}", time.as_secs());
        for count in counts {
            let count = usize::try_from(count).expect("a number of instances");
            let load = Load { count, interval, workers: usize::try_from(workers).expect("a number of servers"), time, sample_hours };
            let run = async |more: &[(&str, &str)]| run(&load, &hosted, &certificates, &[settings.as_slice(), more].concat()).await;
            if settings.iter().any(|(name, _)| *name == METRICS.0) {
                let probed = run(&[]).await;
                if both {
                    probed.compare("without probers", &run(&[WITHOUT_PROBERS]).await);
                }
                continue;
            }
            let alone = run(&[(METRICS.0, "0")]).await;
            if both {
                alone.compare("without probers", &run(&[(METRICS.0, "0"), WITHOUT_PROBERS]).await);
            }
            alone.compare("with metrics", &run(&[METRICS]).await);
        }
    });
}

/// Milliseconds of the processor for an instance and an interval.
struct Cost {
    server: f64,
    database: f64,
}

impl Cost {
    fn sum(&self) -> f64 {
        self.server + self.database
    }

    /// Prints what another run of the same load costs more.
    fn compare(&self, what: &str, other: &Self) {
        println!(
            "\n  {what} an instance costs {:+.3} ms in an interval ({:.2} times as much): server {:+.3} ms, metadata database {:+.3} ms",
            other.sum() - self.sum(),
            other.sum() / self.sum(),
            other.server - self.server,
            other.database - self.database
        );
    }
}

async fn run(load: &Load, hosted: &[Hosted], certificates: &Certificates, settings: &[(&str, &str)]) -> Cost {
    let (count, interval, time) = (load.count, load.interval, load.time);
    let metadata = Database::start_durable();
    let url = metadata.url();
    let begun = Instant::now();
    let cluster = make_instances(&url, load, hosted, certificates).await;
    let sql = connect(&url).await;
    make_samples(&sql, load).await;
    make_readings(&sql, load).await;
    let home = Home::new();
    let kubeconfig = home.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig(false)).expect("it can be written");
    let (connections, kubeconfig) = (count.to_string(), kubeconfig.to_string_lossy().into_owned());
    let mut env = vec![
        ("DATABASE_URL", url.as_str()),
        ("TOYGRES_SECRET_KEY", KEY),
        ("TOYGRES_PROBE_CONNECTIONS", connections.as_str()),
        ("TOYGRES_RUNTIME", "kubernetes"),
        ("TOYGRES_ENDPOINT_HOST", "cluster-ip"),
        ("KUBECONFIG", kubeconfig.as_str()),
        // No server has worked with this cluster yet.
        ("TOYGRES_CLAIM_INSTANCES", "true"),
    ];
    env.extend(settings);
    let number = async |query: &str, at: i64| sql.query_one(query, &[&at]).await.expect("the metadata answers").get::<_, i64>(0);
    let newest = async || number("SELECT coalesce(max(id), 0) FROM toygres.health_checks WHERE id > $1", 0).await;
    let old = newest().await;
    eprintln!("{count} instances were made in {:.0} s", begun.elapsed().as_secs_f64());

    let mut servers = Vec::new();
    for _ in 0..load.workers {
        servers.push(home.start_with(&env).await);
    }
    let started = Instant::now();
    let checked = "SELECT count(DISTINCT instance_id) FROM toygres.health_checks WHERE id > $1";
    let asleep = "SELECT count(*) FROM (SELECT instance_id FROM duroxide.orchestrator_queue GROUP BY instance_id
            HAVING min(visible_at) > now() + make_interval(secs => $1::bigint)) waiting";
    // Each workflow makes its first checks, in addition to those of the probers. A few are always at work.
    let settled = i64::try_from(count).expect("a count") * 99 / 100;
    while number(checked, old).await < i64::try_from(count).expect("a count") || number(asleep, 0).await < settled {
        assert!(started.elapsed() < Duration::from_secs(900), "not everything was checked within fifteen minutes");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    eprintln!("everything was checked after {:.0} s", started.elapsed().as_secs_f64());
    // By then the loops are spread over the interval, and the backlog of the start is processed if the capacity suffices.
    tokio::time::sleep(Duration::from_secs((2 * u64::from(interval.unsigned_abs())).max(20))).await;

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
    let failed = number("SELECT count(*) FROM toygres.health_checks WHERE id > $1 AND status <> 'healthy'", first).await;
    let failed_before = number("SELECT count(*) FROM toygres.health_checks WHERE id > $1 AND status <> 'healthy'", old).await - failed;
    let asleep = number(asleep, i64::from(interval)).await;

    let share = |before: Duration, after: Duration| (after - before).as_secs_f64() / elapsed * 100.0;
    let (server_share, database_share) = (share(before.server, after.server), share(before.database, after.database));
    let cost = |before: Duration, after: Duration| (after - before).as_secs_f64() / elapsed * f64::from(interval) * 1000.0 / count as f64;
    let cost = Cost { server: cost(before.server, after.server), database: cost(before.database, after.database) };
    println!(
        "\n{count} instances, {} servers, {}",
        load.workers,
        settings.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    );
    println!(
        "  cost                {:.3} ms for an instance and {interval} s: server {:.3} ms, metadata database {:.3} ms",
        cost.sum(),
        cost.server,
        cost.database
    );
    println!("  checks/s            {:8.1} of {:.1} due", done as f64 / elapsed, count as f64 / f64::from(interval));
    println!("  lag, due to done    p50 {:.2} s  p99 {:.2} s", after.lag(&before, 0.5), after.lag(&before, 0.99));
    println!(
        "  processor           {:.1} % of one core: server {server_share:.1} %, metadata database {database_share:.1} %",
        server_share + database_share
    );
    println!("  server memory       {} MB", servers.iter().map(Server::memory).max().unwrap_or_default() / 1_000_000);
    println!("  shares              {}", after.shares.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "));
    println!("  asleep workflows    {asleep} for more than an interval; woken by probers: {}", after.hints - before.hints);
    println!("  failed checks       {failed}, and {failed_before} before the measurement; lost samples {}", after.lost - before.lost);
    println!("  failed renewals     {}", after.failed_renewals - before.failed_renewals);
    for (at, sizes) in ["start", "middle", "end"].iter().zip(&sizes) {
        println!("  tables at the {at:<7} {}", sizes.join(", "));
    }
    for server in servers {
        server.stop().await;
    }
    cost
}
