//! TLS of an instance: a client verifies it, and another authority takes over without a restart.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::process::Command;
use toygres_domain::InstanceId;

use crate::{Plan, Result, admin::Admin, server::Server};

/// How long an instance may take to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a new certificate may take: a kubelet renews mounted Secrets about once a minute, from a cache as old.
const CERTIFICATE_TIMEOUT: Duration = Duration::from_secs(300);

/// A client that verifies the authority and the host name, before and after the authority is replaced.
pub async fn verified(plan: &Plan, admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    let instance: InstanceId = id.parse().map_err(|_| format!("{id} is no id"))?;
    let healthy = |now: &Value| now["state"] == "RUNNING" && now["health"] == "HEALTHY";
    let now = server.until(&id, "it running and healthy", READY_TIMEOUT, healthy).await?;
    let url = now["connectionString"].as_str().unwrap_or_default().to_owned();
    let pods = async || {
        let uids = admin.pods(instance).await?.into_iter().filter_map(|pod| pod.metadata.uid);
        Ok::<_, String>(uids.collect::<Vec<_>>())
    };
    let (first, pods_before) = (presented(server, &id, &now["endpoint"]["host"], None).await?, pods().await?);
    let former = Client::new(plan, server, "former.pem", url.clone()).await?;
    former.verifies().await?;

    let started = Instant::now();
    let mutation = "mutation { rotateCertificateAuthority(input: { now: true }) { userErrors { message } } }";
    let payload = server.query(mutation, json!({})).await?["rotateCertificateAuthority"].take();
    if payload["userErrors"] != json!([]) {
        return Err(format!("rotateCertificateAuthority answered {payload}"));
    }
    presented(server, &id, &now["endpoint"]["host"], Some(&first)).await?;
    let took = started.elapsed();
    Client::new(plan, server, "later.pem", url).await?.verifies().await?;
    match former.verifies().await {
        Err(why) if why.contains("certificate verify failed") => {}
        outcome => return Err(format!("a client that trusts only the former authority: {outcome:?}")),
    }
    if pods().await? != pods_before {
        return Err("the pod was restarted for its certificate".to_owned());
    }
    server.delete(&id, false).await?;
    Ok(format!("psql verifies an instance (verify-full); another authority took over after {:.1} s, without a restart", took.as_secs_f32()))
}

/// Waits until the certificate that the instance presents names `host`, and is another than `former`. Returns its fingerprint.
async fn presented(server: &Server, id: &str, host: &Value, former: Option<&str>) -> Result<String> {
    let query = "query($id: ID!) { instance(id: $id) { certificate { fingerprint names renewing } } }";
    let deadline = Instant::now() + CERTIFICATE_TIMEOUT;
    loop {
        let now = server.query(query, json!({"id": id})).await?["instance"]["certificate"].take();
        let names_host = now["names"].as_array().is_some_and(|names| names.contains(host));
        match now["fingerprint"].as_str().filter(|fingerprint| Some(*fingerprint) != former) {
            Some(fingerprint) if names_host && now["renewing"] == false => return Ok(fingerprint.to_owned()),
            _ if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(200)).await,
            _ => return Err(format!("the certificate is {now} after {} s", CERTIFICATE_TIMEOUT.as_secs())),
        }
    }
}

/// `psql` that trusts what the server published when it was made.
struct Client<'a> {
    plan: &'a Plan,
    url: String,
    trusted: PathBuf,
}

impl<'a> Client<'a> {
    async fn new(plan: &'a Plan, server: &Server, file: &str, url: String) -> Result<Self> {
        let trusted = plan.directory.join(file);
        std::fs::write(&trusted, server.certificate_authorities().await?).map_err(|error| error.to_string())?;
        Ok(Self { plan, url, trusted })
    }

    async fn verifies(&self) -> Result<()> {
        let mut command = Command::new(&self.plan.psql);
        command.args([&self.url, "-XAtqwc", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"]);
        command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &self.trusted).env("PGCONNECT_TIMEOUT", "10");
        let output = command.output().await.map_err(|error| error.to_string())?;
        if output.status.success() && output.stdout == b"t\n" { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}
