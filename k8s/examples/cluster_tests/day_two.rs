//! What an owner does with an instance after its first day. Its data is the same after each operation.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    Plan, Result,
    admin::Admin,
    checks::{READY_TIMEOUT, is_healthy, nothing_left, parse, psql},
    server::Server,
};

/// A digest of the rows of the test's table.
const CHECKSUM: &str = "SELECT md5(string_agg(n || ':' || text, ',' ORDER BY n)) FROM kept";

/// An instance, and what must not change in it.
struct Owned<'a> {
    plan: &'a Plan,
    server: &'a Server,
    id: String,
    checksum: String,
}

/// Suspends and resumes it, makes it larger, changes its parameters, password, users, databases and name.
pub async fn all(plan: &Plan, admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    let url = url_when_healthy(server, &id).await?;
    psql(plan, &url, "CREATE TABLE kept AS SELECT n, repeat(md5(n::text), 8) AS text FROM generate_series(1, 5000) AS n").await?;
    let owned = Owned { plan, server, checksum: psql(plan, &url, CHECKSUM).await?, id };
    let mut times = Vec::new();
    times.push(owned.suspended(admin).await?);
    times.push(owned.resized(admin).await?);
    times.push(owned.parameters().await?);
    times.push(owned.password().await?);
    owned.users().await?;
    times.push(owned.renamed(admin).await?);
    let storage = owned.storage(admin).await?;
    server.delete(&owned.id, false).await?;
    nothing_left(admin, &owned.id).await?;
    Ok(format!("day two, with the same data after each operation: {}; users and databases; {storage}", times.join(", ")))
}

async fn url_when_healthy(server: &Server, id: &str) -> Result<String> {
    let now = server.until(id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    now["connectionString"].as_str().map(str::to_owned).ok_or_else(|| format!("it has no connection string: {now}"))
}

impl Owned<'_> {
    /// Carries out an operation, which must succeed; returns how long it took.
    async fn operate(&self, mutation: &str, input: Value) -> Result<String> {
        let begin = Instant::now();
        let mut input = input;
        input["id"] = self.id.clone().into();
        self.server.operate(mutation, input, READY_TIMEOUT).await?;
        Ok(format!("{mutation} {:.1} s", begin.elapsed().as_secs_f32()))
    }

    /// Compares the data; returns the URL of the owner.
    async fn is_intact(&self, after: &str) -> Result<String> {
        let url = url_when_healthy(self.server, &self.id).await?;
        let checksum = psql(self.plan, &url, CHECKSUM).await?;
        if checksum == self.checksum { Ok(url) } else { Err(format!("the data has changed after {after}")) }
    }

    async fn suspended(&self, admin: &Admin) -> Result<String> {
        let suspended = self.operate("suspendInstance", json!({})).await?;
        self.server.until(&self.id, "it suspended", READY_TIMEOUT, |now| now["state"] == "SUSPENDED").await?;
        let left = admin.pods(parse(&self.id)?).await?;
        if !left.is_empty() {
            return Err(format!("a suspended instance has {} pods", left.len()));
        }
        let resumed = self.operate("resumeInstance", json!({})).await?;
        self.is_intact("a suspension").await?;
        Ok(format!("{suspended}, {resumed}"))
    }

    async fn resized(&self, admin: &Admin) -> Result<String> {
        let took = self.operate("resizeInstance", json!({ "cpuMillis": 300, "memoryMb": 768 })).await?;
        let url = self.is_intact("a resize").await?;
        let pods = admin.pods(parse(&self.id)?).await?;
        let limits = pods.iter().flat_map(|pod| &pod.spec).flat_map(|spec| &spec.containers).flat_map(|container| &container.resources);
        let memory: Vec<_> = limits.flat_map(|resources| &resources.limits).filter_map(|limits| limits.get("memory")).map(|limit| &limit.0).collect();
        if !memory.iter().any(|limit| *limit == "768Mi") {
            return Err(format!("after a resize to 768 MiB the limits of the pod are {memory:?}"));
        }
        // It follows from the memory, as `shared_buffers` does, which the servers of the fake API server have on their command line.
        let cache = psql(self.plan, &url, "SHOW effective_cache_size").await?;
        if cache == "576MB" { Ok(took) } else { Err(format!("effective_cache_size is {cache} with 768 MiB")) }
    }

    async fn parameters(&self) -> Result<String> {
        let parameters = json!([{ "name": "work_mem", "value": "8MB" }, { "name": "max_locks_per_transaction", "value": "96" }]);
        let took = self.operate("setParameters", json!({ "parameters": parameters, "allowRestart": true })).await?;
        let url = self.is_intact("a change of parameters").await?;
        let seen = psql(self.plan, &url, "SELECT current_setting('work_mem') || ' ' || current_setting('max_locks_per_transaction')").await?;
        if seen == "8MB 96" { Ok(took) } else { Err(format!("the parameters are {seen}")) }
    }

    async fn password(&self) -> Result<String> {
        let before = url_when_healthy(self.server, &self.id).await?;
        let took = self.operate("rotatePassword", json!({})).await?;
        self.is_intact("a rotation of the password").await?;
        match psql(self.plan, &before, "SELECT 1").await {
            Err(why) if why.contains("password authentication failed") => Ok(took),
            other => Err(format!("a login with the former password answers {other:?}")),
        }
    }

    async fn users(&self) -> Result<()> {
        let with = |mut input: Value| {
            input["instanceId"] = self.id.clone().into();
            input
        };
        let reader = json!({ "name": "reader", "access": "READ_ONLY", "password": "a reader's password" });
        self.server.operate("createDatabaseUser", with(reader), READY_TIMEOUT).await?;
        let owner = self.is_intact("the creation of a user").await?;
        let mut url: reqwest::Url = owner.parse().map_err(|error| format!("{owner}: {error}"))?;
        url.set_username("reader").and_then(|()| url.set_password(Some("a%20reader's%20password"))).map_err(|()| "a URL without a host")?;
        if psql(self.plan, url.as_str(), CHECKSUM).await? != self.checksum {
            return Err("a user who may read reads something else".to_owned());
        }
        match psql(self.plan, url.as_str(), "DELETE FROM kept").await {
            Err(why) if why.contains("permission denied") => {}
            other => return Err(format!("a user who may only read deletes: {other:?}")),
        }
        self.server.operate("createDatabase", with(json!({ "name": "second" })), READY_TIMEOUT).await?;
        url = owner.parse().map_err(|error| format!("{owner}: {error}"))?;
        url.set_path("second");
        psql(self.plan, url.as_str(), "CREATE TABLE own (n int)").await?;
        self.server.operate("dropDatabase", with(json!({ "name": "second", "force": true })), READY_TIMEOUT).await?;
        self.server.operate("dropDatabaseUser", with(json!({ "name": "reader" })), READY_TIMEOUT).await?;
        self.is_intact("users and databases").await.map(drop)
    }

    /// The Service of clients follows the name, and nothing is restarted.
    async fn renamed(&self, admin: &Admin) -> Result<String> {
        let uid = async || Ok::<_, String>(admin.pods(parse(&self.id)?).await?.into_iter().find_map(|pod| pod.metadata.uid));
        let (before, begin) = (uid().await?, Instant::now());
        let mutation = "mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) { instance { name } userErrors { message } } }";
        let payload = self.server.query(mutation, json!({ "input": { "id": self.id, "name": "renamed" } })).await?["updateInstance"].take();
        if payload["userErrors"] != json!([]) {
            return Err(format!("updateInstance answered {payload}"));
        }
        let has_address = || async { Ok(admin.cluster_ip("renamed").await.ok()) };
        let ip = admin.until("a Service with the new name", READY_TIMEOUT, has_address).await?;
        let dns = format!("renamed.{}.svc.cluster.local", admin.namespace);
        let leads_there = |now: &Value| is_healthy(now) && now["endpoint"]["host"].as_str().is_some_and(|host| host == ip || host == dns);
        self.server.until(&self.id, "the endpoint with the new name", READY_TIMEOUT, leads_there).await?;
        let took = begin.elapsed();
        self.is_intact("a new name").await?;
        if uid().await? != before {
            return Err("a new name has replaced the pod".to_owned());
        }
        Ok(format!("renamed after {:.1} s", took.as_secs_f32()))
    }

    /// Grows the volume where the storage class allows that. Elsewhere the operation fails with a reason, and the instance runs as before.
    async fn storage(&self, admin: &Admin) -> Result<String> {
        let grown = self.operate("resizeInstance", json!({ "storageGb": 2 })).await;
        self.is_intact("an attempt to grow the volume").await?;
        match (grown, admin.volumes_expand().await?) {
            (Ok(took), true) => Ok(format!("its volume grown: {took}")),
            (Err(why), false) if why.contains("VOLUME_NOT_EXPANDABLE") => {
                Ok("a volume that cannot grow is refused, and the instance runs as before".to_owned())
            }
            (outcome, expands) => {
                Err(format!("the storage class {} volumes; growing one: {outcome:?}", if expands { "expands" } else { "does not expand" }))
            }
        }
    }
}
