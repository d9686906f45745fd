//! Injects faults while clients use the API.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::aftermath;
#[cfg(target_os = "linux")]
use super::clocks::Clock;
use crate::support::{Database, Home, Server, seq, subscribe_to, text};

/// The number of concurrent callers.
const TENANTS: u64 = 3;
/// The number of instances that each tenant keeps.
const KEEPS: usize = 2;
/// The shortest lock time-out, so that the work of a killed server is taken over soon.
const SERVER: [(&str, &str); 1] = [("TOYGRES_ENGINE_LOCK_SECONDS", "5")];

/// The kind of fault, and how often or how long it is injected.
#[derive(Clone, Copy)]
pub enum Trouble {
    /// `kill -9` of a server.
    Kills(u32),
    /// An immediate shutdown and a start of the metadata database.
    Restarts(u32),
    /// Termination of every connection to the metadata database, once a second.
    Terminations(Duration),
    /// No space is left on the disk of the data directory for a few seconds.
    FullDisk(u32),
    /// Steps of the clock of the servers, by up to two hours, while that of the metadata database is right.
    #[cfg(target_os = "linux")]
    ClockSteps(u32),
    /// `kill -9` of the servers, which are away for 20 minutes by the clock that they share with the metadata database.
    #[cfg(target_os = "linux")]
    Downtimes(u32),
}

/// One run of the test.
pub struct Storm<'a> {
    name: &'static str,
    home: &'a Home,
    database: Option<&'a Database>,
    servers: usize,
    #[cfg(target_os = "linux")]
    clock: Option<&'a Clock>,
    random: fastrand::Rng,
}

/// The state that tenants and the subscriber share.
pub struct Town {
    addresses: Vec<String>,
    over: AtomicBool,
    /// The accepted operations.
    pub ledger: Mutex<Vec<Accepted>>,
    /// The last event that the subscriber must receive.
    pub until: AtomicI64,
}

/// An instance whose creation was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub name: String,
    pub id: String,
    pub creation: String,
    pub restarts: Vec<String>,
    pub deletion: Option<String>,
}

impl<'a> Storm<'a> {
    pub fn new(name: &'static str, home: &'a Home, database: Option<&'a Database>, servers: usize) -> Self {
        Self {
            name,
            home,
            database,
            servers,
            #[cfg(target_os = "linux")]
            clock: None,
            random: random_of(name),
        }
    }

    /// The same with servers that have this clock.
    #[cfg(target_os = "linux")]
    pub fn under(self, clock: &'a Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Runs the test: tenants and a subscriber with injected faults, and the checks after them.
    pub async fn weather(mut self, trouble: Trouble) {
        let addresses: Vec<String> = (0..self.servers).map(|_| Home::free_address()).collect();
        let mut servers = Vec::new();
        for address in &addresses {
            let mut server = self.start(address).await;
            server.ready().await;
            servers.push(server);
        }
        let town = Arc::new(Town { addresses, over: AtomicBool::new(false), ledger: Mutex::default(), until: AtomicI64::new(i64::MAX) });
        let mut tenants = JoinSet::new();
        for tenant in 0..TENANTS {
            tenants.spawn(live(town.clone(), tenant, self.random.fork()));
        }
        let subscriber = tokio::spawn(subscribe(town.clone(), self.random.fork()));

        let started = Instant::now();
        let count = match trouble {
            Trouble::Kills(count) => self.kill(&mut servers, &town, count * scale()).await,
            Trouble::Restarts(count) => self.restart(count * scale()).await,
            Trouble::Terminations(time) => self.terminate(time * scale().min(4)).await,
            Trouble::FullDisk(count) => self.fill_disk(count * scale()).await,
            #[cfg(target_os = "linux")]
            Trouble::ClockSteps(count) => self.step_clock(count * scale()).await,
            #[cfg(target_os = "linux")]
            Trouble::Downtimes(count) => self.be_away(&mut servers, &town, count * scale()).await,
        };
        town.over.store(true, Ordering::Relaxed);
        while let Some(tenant) = tenants.join_next().await {
            tenant.unwrap_or_else(|panic| panic!("a tenant: {panic}\n{}", logs(&servers)));
        }
        let accepted = town.ledger.lock().unwrap().clone();
        println!("chaos '{}': {count} times in {:.0} s, {} instances ordered", self.name, started.elapsed().as_secs_f64(), accepted.len());
        assert!(!accepted.is_empty(), "the tenants did something");

        let url = match self.database {
            Some(database) => database.url(),
            None => std::fs::read_to_string(self.home.path().join("data/metadata.url")).unwrap().trim().to_owned(),
        };
        aftermath::check(self.home, &url, servers, &town, subscriber).await;
        println!("chaos '{}': all is well after {:.0} s", self.name, started.elapsed().as_secs_f64());
    }

    async fn start(&self, address: &str) -> Server {
        let url = self.database.map(Database::url);
        let mut env = SERVER.to_vec();
        env.extend(url.as_deref().map(|url| ("DATABASE_URL", url)));
        #[cfg(target_os = "linux")]
        let clock = self.clock.map(Clock::env).unwrap_or_default();
        #[cfg(target_os = "linux")]
        env.extend(clock.iter().map(|(name, value)| (*name, value.as_str())));
        self.home.spawn_at(address, &env).await
    }

    async fn kill(&mut self, servers: &mut [Server], town: &Town, count: u32) -> u32 {
        for _ in 0..count {
            self.pause(50..2500).await;
            let index = self.random.usize(..servers.len());
            servers[index].crash().await;
            servers[index] = self.start(&town.addresses[index]).await;
            // Sometimes the server is killed again before it is ready.
            if self.random.u8(..5) > 0 {
                servers[index].ready().await;
            }
        }
        count
    }

    async fn restart(&mut self, count: u32) -> u32 {
        let database = self.database.expect("only a database of its own can be restarted");
        for _ in 0..count {
            self.pause(500..4000).await;
            database.halt();
            self.pause(0..1500).await;
            database.resume();
        }
        count
    }

    async fn terminate(&mut self, time: Duration) -> u32 {
        let url = self.database.expect("only a database of its own can be harmed").url();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        let (started, mut count) = (Instant::now(), 0);
        while started.elapsed() < time {
            ticks.tick().await;
            let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
            client.batch_execute(others).await.unwrap();
            count += 1;
        }
        count
    }

    async fn fill_disk(&mut self, count: u32) -> u32 {
        let ballast = self.home.path().join("ballast");
        for _ in 0..count {
            self.pause(2000..8000).await;
            let mut file = std::fs::File::create(&ballast).unwrap();
            // Until not even a block is left.
            let block = vec![0; 1 << 20];
            for size in [1 << 20, 1 << 12, 1] {
                while std::io::Write::write_all(&mut file, &block[..size]).is_ok() {}
            }
            self.pause(1000..6000).await;
            std::fs::remove_file(&ballast).unwrap();
        }
        count
    }

    #[cfg(target_os = "linux")]
    async fn step_clock(&mut self, count: u32) -> u32 {
        let clock = self.clock.expect("the servers have a clock that can be set");
        for _ in 0..count {
            self.pause(1000..6000).await;
            clock.set(&format!("{:+}", self.random.i32(-7200..7200)));
        }
        self.pause(1000..6000).await;
        clock.set("+0");
        count
    }

    #[cfg(target_os = "linux")]
    async fn be_away(&mut self, servers: &mut [Server], town: &Town, count: u32) -> u32 {
        let clock = self.clock.expect("the servers have a clock that can be set");
        for number in 1..=count {
            self.pause(2000..6000).await;
            for server in &mut *servers {
                server.crash().await;
            }
            clock.set(&format!("+{}m", 20 * number));
            for (server, address) in servers.iter_mut().zip(&town.addresses) {
                *server = self.start(address).await;
            }
        }
        count
    }

    async fn pause(&mut self, milliseconds: std::ops::Range<u64>) {
        tokio::time::sleep(Duration::from_millis(self.random.u64(milliseconds))).await;
    }
}

/// The random numbers of a run, whose seed is printed.
pub fn random_of(name: &str) -> fastrand::Rng {
    let seed = std::env::var("TOYGRES_CHAOS_SEED")
        .map_or_else(|_| fastrand::u64(..1_000_000_000), |seed| seed.parse().expect("TOYGRES_CHAOS_SEED is a number"));
    println!("chaos '{name}': TOYGRES_CHAOS_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// The factor by which a run is longer than in `scripts/test`.
pub fn scale() -> u32 {
    std::env::var("TOYGRES_CHAOS_SCALE").map_or(1, |scale| scale.parse().expect("TOYGRES_CHAOS_SCALE is a number"))
}

pub fn logs(servers: &[Server]) -> String {
    servers.iter().map(Server::log).collect::<Vec<_>>().join("\n---\n")
}

/// A tenant that creates and deletes instances, some of them during their creation, until no more faults are injected.
async fn live(town: Arc<Town>, tenant: u64, mut random: fastrand::Rng) {
    let mut kept = Vec::new();
    for number in 0.. {
        if town.over.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("tenant{tenant}-{number}");
        let create = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) {
            instance { id name } operation { id } userErrors { code field message } } }";
        let payload = town.insist(create, json!({ "input": { "name": name, "idempotencyKey": name } }), "createInstance", &mut random).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        let (id, creation) = (text(&payload["instance"]["id"]), text(&payload["operation"]["id"]));
        let index = {
            let mut ledger = town.ledger.lock().unwrap();
            ledger.push(Accepted { name, id, creation, restarts: Vec::new(), deletion: None });
            ledger.len() - 1
        };
        tokio::time::sleep(Duration::from_millis(random.u64(0..2500))).await;
        kept.push(index);
        if random.u8(..3) == 0 {
            town.restart(kept[random.usize(..kept.len())], number, &mut random).await;
        }
        if random.bool() || kept.len() > KEEPS {
            let index = kept.swap_remove(random.usize(..kept.len()));
            town.delete(index, &mut random).await;
        }
    }
}

impl Town {
    /// Requests the deletion of an instance of the ledger.
    pub async fn delete(&self, index: usize, random: &mut fastrand::Rng) {
        let id = self.ledger.lock().unwrap()[index].id.clone();
        let delete =
            "mutation($input: DeleteInstanceInput!) { deleteInstance(input: $input) { operation { id } userErrors { code field message } } }";
        let payload = self.insist(delete, json!({ "input": { "id": id, "idempotencyKey": id } }), "deleteInstance", random).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        self.ledger.lock().unwrap()[index].deletion = Some(text(&payload["operation"]["id"]));
    }

    /// Requests a restart of an instance of the ledger, which is rejected while another operation is in progress.
    async fn restart(&self, index: usize, number: i32, random: &mut fastrand::Rng) {
        let id = self.ledger.lock().unwrap()[index].id.clone();
        let restart = "mutation($input: RestartInstanceInput!) { restartInstance(input: $input) { operation { id } userErrors { code message } } }";
        let input = json!({ "input": { "id": id, "idempotencyKey": format!("{id}-{number}") } });
        let payload = self.insist(restart, input, "restartInstance", random).await;
        match payload["operation"]["id"].as_str() {
            Some(operation) => self.ledger.lock().unwrap()[index].restarts.push(operation.to_owned()),
            None => assert_eq!(payload["userErrors"][0]["code"], "CONFLICT", "{payload}"),
        }
    }

    /// Repeats a request with the same idempotency key until there is a response.
    async fn insist(&self, document: &str, variables: Value, field: &str, random: &mut fastrand::Rng) -> Value {
        insist(&self.addresses, document, variables, field, random).await
    }
}

/// Repeats a request at any of the servers until there is a response.
pub async fn insist(addresses: &[String], document: &str, variables: Value, field: &str, random: &mut fastrand::Rng) -> Value {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let body = json!({ "query": document, "variables": variables });
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut last = String::new();
    while Instant::now() < deadline {
        let address = &addresses[random.usize(..addresses.len())];
        match http.post(format!("http://{address}/graphql")).json(&body).send().await {
            // A response that was interrupted is not valid JSON.
            Ok(response) => match response.json::<Value>().await {
                Ok(answer) if answer["data"][field].is_object() => {
                    return answer["data"][field].clone();
                }
                Ok(answer) => {
                    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "nothing else may go wrong: {answer}");
                    last = answer.to_string();
                }
                Err(error) => last = error.to_string(),
            },
            Err(error) => last = error.to_string(),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{field} was never answered; last: {last}");
}

/// Follows the event log from its beginning on any server, and resumes after each interruption. Returns the cursors in order.
async fn subscribe(town: Arc<Town>, mut random: fastrand::Rng) -> Vec<i64> {
    let document = "subscription($after: String) { instanceEvents(after: $after) { cursor } }";
    let (mut seen, mut after): (Vec<i64>, String) = (Vec::new(), "0".to_owned());
    let done = |seen: &[i64]| seen.last().copied().unwrap_or(0) >= town.until.load(Ordering::Relaxed);
    while !done(&seen) {
        let address = &town.addresses[random.usize(..town.addresses.len())];
        if let Ok(mut live) = subscribe_to(address, document, json!({ "after": after })).await {
            // A time-out, because the end of the log may be set when no more events arrive.
            while !done(&seen) {
                match tokio::time::timeout(Duration::from_millis(500), live.try_next()).await {
                    Ok(Ok(Some(item))) if item.get("errors").is_none() => {
                        after = text(&item["data"]["instanceEvents"]["cursor"]);
                        seen.push(seq(&after));
                    }
                    Ok(Ok(Some(error))) => {
                        assert_ne!(error["errors"][0]["extensions"]["code"], "MUST_REFETCH", "nothing is older than the retention: {error}");
                        break;
                    }
                    Ok(_) => break,
                    Err(_) => {}
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    seen
}
