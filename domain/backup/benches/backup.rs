//! Base backups, WAL and restores, compared with PostgreSQL's own tools in the same run: `scripts/bench backup [scale of pgbench]`.

#[path = "../tests/it/archived.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod archived;
#[path = "../tests/it/cluster.rs"]
#[expect(dead_code, reason = "the bench needs a part of what the tests do")]
mod cluster;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use archived::Archived;
use cluster::{Cluster, program};
use nix::sys::resource::{UsageWho, getrusage};
use tokio_util::sync::CancellationToken;
use toygres_backup::{ArchiveId, FollowOptions, FollowStatus, Layout, RecoverySettings, StandbySettings, Stop, Target, follow};
use toygres_domain::{
    InstanceId,
    wal::{Lsn, SegmentSize, Timeline},
};
use toygres_postgres::replication::SlotName;

const ROUNDS: usize = 3;
const LOAD: Duration = Duration::from_secs(20);
const CLIENTS: &str = "4";
const IDLE: usize = 500;
/// Streams that begin at the same time: each writes its first segment.
const BEGINNING: usize = 20;
/// Room for the idle streams.
const SETTINGS: &str = "max_wal_senders = 520\nmax_replication_slots = 520\nmax_connections = 100\nmax_wal_size = '1GB'\nwal_keep_size = '4GB'";

fn main() {
    let scale = std::env::args().nth(1).and_then(|scale| scale.parse::<u32>().ok()).unwrap_or(30);
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(bench(scale));
}

async fn bench(scale: u32) {
    let mut archived = Archived::create(SETTINGS).await;
    pgbench(&archived.cluster, &["-i", "-q", "-s", &scale.to_string()]).wait().expect("pgbench ends");
    archived.caught_up().await;
    base_backups(&archived).await;
    let plain = tempfile::tempdir_in("/tmp").expect("a directory");
    pg_basebackup(&archived.cluster, &plain.path().join("plain"));
    archived.back_up().await;
    wal(&mut archived).await;
    archived.caught_up().await;
    archived.unfollow().await.expect("the follower stops");
    restores(&archived, &plain.path().join("plain")).await;
    idle(&archived).await;
}

async fn base_backups(archived: &Archived) {
    let (mut own, mut tool, mut cpu, mut sizes) = (Vec::new(), Vec::new(), Vec::new(), (0, 0));
    for _ in 0..ROUNDS {
        let directory = tempfile::tempdir_in("/tmp").expect("a directory");
        let started = Instant::now();
        pg_basebackup(&archived.cluster, &directory.path().join("plain"));
        tool.push(started.elapsed());
        let (started, used) = (Instant::now(), processor_time());
        let record = archived.try_back_up().await.expect("a backup");
        own.push(started.elapsed());
        cpu.push(processor_time() - used);
        sizes = (record.bytes(), record.stored_bytes());
    }
    let rate = |times: &mut Vec<Duration>| sizes.0 as f64 / 1e6 / median(times).as_secs_f64();
    let (tool, own) = (rate(&mut tool), rate(&mut own));
    println!("base backup of {} MB, {} MB in the store, median of {ROUNDS}:", sizes.0 / 1_000_000, sizes.1 / 1_000_000);
    println!("  pg_basebackup, plain files, fsync     {tool:>8.0} MB/s");
    println!("  toygres, zstd, SHA-256, fsync         {own:>8.0} MB/s, {:.1} s of processor time", median(&mut cpu).as_secs_f64());
    println!("  ratio                                 {:>8.2}", own / tool);
}

async fn wal(archived: &mut Archived) {
    let seconds = LOAD.as_secs().to_string();
    let load = ["-n", "-c", CLIENTS, "-j", "2", "-T", &seconds];
    archived.unfollow().await.expect("the follower stops");
    let alone = transactions(pgbench(&archived.cluster, &load));
    archived.partial_interval = FollowOptions::new(archived.options().slot, "/tmp".into()).partial_interval;
    archived.follow();
    archived.caught_up().await;
    let used = processor_time();
    let child = pgbench(&archived.cluster, &load);
    let (started, mut lags) = (Instant::now(), Vec::new());
    while started.elapsed() < LOAD {
        let (lsn, committed) = (archived.lsn(), Instant::now());
        let mut status = archived.status.subscribe();
        status.wait_for(|status| status.as_ref().is_some_and(|status| status.durable >= lsn)).await.expect("it is followed");
        lags.push(committed.elapsed());
    }
    let used = processor_time() - used;
    let followed = transactions(child);
    lags.sort();
    let at = |share: f64| lags[((lags.len() - 1) as f64 * share) as usize].as_secs_f64();
    println!("WAL under pgbench with {CLIENTS} clients, {seconds} s:");
    println!("  transactions/s, not followed {alone:.0}, followed {followed:.0}: {:+.1} %", (followed / alone - 1.0) * 100.0);
    println!("  commit to durable: p50 {:.2} s, p99 {:.2} s, {} samples", at(0.5), at(0.99), lags.len());
    println!("  processor time of the follower: {:.1} s", used.as_secs_f64());
}

async fn restores(archived: &Archived, plain: &Path) {
    let label = std::fs::read_to_string(plain.join("backup_label")).expect("a label");
    let start = label.split(' ').nth(3).and_then(|lsn| lsn.parse::<Lsn>().ok()).expect("a position").0;
    let started = Instant::now();
    let (own, report) = archived.restore(Target::Latest).await.expect("a restore");
    let fetched = started.elapsed();
    own.recover().await;
    let total = started.elapsed();
    let count = own.execute("SELECT count(*), sum(abalance) FROM pgbench_accounts");
    drop(own);

    // PostgreSQL alone: copies of the plain files, and of the segments as the server still has them.
    let segments: Vec<_> = std::fs::read_dir(archived.cluster.data().join("pg_wal")).expect("a directory").flatten().collect();
    let alone = Cluster::empty();
    let started = Instant::now();
    copy(plain, &alone.data());
    for segment in segments.iter().filter(|segment| segment.file_name().len() == 24) {
        let name = segment.file_name().into_string().expect("a name");
        let size = SegmentSize::DEFAULT;
        if size.parse_file_name(&name).is_ok_and(|parsed| (start / size.bytes()..=report.wal_end.0 / size.bytes()).contains(&parsed.number)) {
            copy(&segment.path(), &alone.data().join("pg_wal").join(name));
        }
    }
    let copied = started.elapsed();
    let settings = RecoverySettings { stop: Stop::EndOfWal, timeline: Timeline(1), standby: StandbySettings::default() };
    settings.write(&alone.data()).expect("settings");
    assert!(Command::new("chown").args(["-R", "postgres"]).arg(alone.data()).status().expect("chown runs").success());
    alone.recover().await;
    let alone_total = started.elapsed();
    assert_eq!(alone.execute("SELECT count(*), sum(abalance) FROM pgbench_accounts"), count);
    println!("restore of {} MB and {} MB of WAL:", report.base_bytes / 1_000_000, report.wal_bytes / 1_000_000);
    println!("  cp, and PostgreSQL    {:>6.1} s, of which copying {:.1} s", alone_total.as_secs_f64(), copied.as_secs_f64());
    println!("  toygres               {:>6.1} s, of which fetching {:.1} s", total.as_secs_f64(), fetched.as_secs_f64());
    println!("  ratio                 {:>6.2}", total.as_secs_f64() / alone_total.as_secs_f64());
}

/// Many streams of one idle server are as much work for the follower as one of each of many servers.
async fn idle(archived: &Archived) {
    let stop = CancellationToken::new();
    let (before, mut tasks, mut statuses) = (resident_bytes(), Vec::new(), Vec::new());
    for number in 0..IDLE {
        let (target, store, stop) = (archived.cluster.target(), archived.store.clone(), stop.clone());
        let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
        let slot = SlotName::try_from(format!("idle_{number}")).expect("a name");
        let (sender, status) = tokio::sync::watch::channel(None);
        statuses.push(status);
        tasks.push(tokio::spawn(async move { follow(&target, store, layout, &FollowOptions::new(slot, "/tmp".into()), &sender, &stop).await }));
        if statuses.len() >= BEGINNING {
            for status in statuses.drain(..) {
                is_durable(status, archived.lsn()).await;
            }
        }
    }
    for status in statuses {
        is_durable(status, archived.lsn()).await;
    }
    // The streams ask the server for its time more often until it is idle.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let (started, used) = (Instant::now(), processor_time());
    tokio::time::sleep(LOAD).await;
    let share = (processor_time() - used).as_secs_f64() / started.elapsed().as_secs_f64() * 100.0;
    println!("{IDLE} idle instances: {share:.1} % of a core, {} KB each", resident_bytes().saturating_sub(before) / 1024 / IDLE as u64);
    stop.cancel();
    for task in tasks {
        task.await.expect("it does not panic").expect("it stops");
    }
}

/// Waits until what was written by then is durable.
async fn is_durable(mut status: tokio::sync::watch::Receiver<Option<FollowStatus>>, lsn: Lsn) {
    let durable = status.wait_for(|status| status.as_ref().is_some_and(|status| status.durable >= lsn && status.covers.is_some()));
    durable.await.expect("it is followed");
}

fn pgbench(cluster: &Cluster, arguments: &[&str]) -> Child {
    let port = cluster.target().endpoint.port.to_string();
    let mut command = Command::new(program("pgbench"));
    command.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres"]).args(arguments).arg("postgres");
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("pgbench starts")
}

/// Transactions in a second.
fn transactions(child: Child) -> f64 {
    let output = String::from_utf8(child.wait_with_output().expect("pgbench ends").stdout).expect("a text");
    let line = output.lines().find_map(|line| line.strip_prefix("tps = ")).expect("a result");
    line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

fn pg_basebackup(cluster: &Cluster, directory: &Path) {
    let port = cluster.target().endpoint.port.to_string();
    let arguments = ["-h", "127.0.0.1", "-p", &port, "-U", "replicator", "-c", "fast", "-X", "none", "--manifest-checksums=SHA256", "-D"];
    let status = Command::new(program("pg_basebackup")).env("PGPASSWORD", "right").args(arguments).arg(directory).stderr(Stdio::null()).status();
    assert!(status.expect("pg_basebackup runs").success());
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg("--reflink=never").args([from, to]).status().expect("cp runs").success());
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the usage is known");
    let time = usage.user_time() + usage.system_time();
    Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()).unsigned_abs())
}

fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux").split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("a number") * 4096
}
