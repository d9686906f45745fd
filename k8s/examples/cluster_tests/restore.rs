//! A restoration from a backup, whose pods need an image of the control plane and a store that they reach.

use serde_json::{Value, json};
use toygres_k8s_fake::{FakeApiServer, program};

use crate::{
    Plan, Result,
    admin::Admin,
    checks::{READY_TIMEOUT, is_healthy, nothing_left, psql},
    s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY},
    server::Server,
};

/// Why nothing was restored.
pub const NOT_POSSIBLE: &str = "a restoration: TOYGRES_RESTORE_IMAGE and TOYGRES_BACKUP_STORE are not set, an image of the control plane that the \
                                cluster has and a store that its pods reach";

/// Names and values.
pub type Variables = Vec<(String, String)>;

/// The variables in the environment.
pub fn variables() -> Option<Variables> {
    let is_one = |name: &str| name.starts_with("TOYGRES_RESTORE_") || name.starts_with("TOYGRES_BACKUP_");
    let found: Variables = std::env::vars().filter(|(name, value)| is_one(name) && !value.is_empty()).collect();
    let has = |wanted: &str| found.iter().any(|(name, _)| name == wanted);
    (has("TOYGRES_RESTORE_IMAGE") && has("TOYGRES_BACKUP_STORE")).then_some(found)
}

/// Gives a fake cluster the image and a store.
pub async fn imitate(cluster: &FakeApiServer, plan: &mut Plan) -> S3Server {
    let store = S3Server::start().await;
    cluster.set_image(program(plan.server.clone()));
    let variables = [
        ("TOYGRES_RESTORE_IMAGE", "toygres:test".to_owned()),
        ("TOYGRES_BACKUP_STORE", format!("s3://{BUCKET}?endpoint={}", store.endpoint())),
        ("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
        ("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", SECRET_KEY.to_owned()),
    ];
    plan.restore = Some(variables.map(|(name, value)| (name.to_owned(), value)).into());
    store
}

/// The environment of a server that backs up and restores instances.
pub fn environment(variables: &Variables) -> Vec<(&str, &str)> {
    let own = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    own.chain([("TOYGRES_BACKUPS", "true")]).collect()
}

/// A new instance has what another one has committed until now.
pub async fn restored(plan: &Plan, admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let source = server.create(input).await?;
    let now = server.until(&source, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    let url = now["connectionString"].as_str().unwrap_or_default();
    psql(plan, url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await?;
    let committed = psql(plan, url, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')").await?;
    let is_covered = || async {
        let query = "query($id: ID!) { instance(id: $id) { recovery { to } } }";
        let now = server.query(query, json!({ "id": source })).await?;
        let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().map_err(|error| format!("{text}: {error}"));
        Ok(match now["instance"]["recovery"]["to"].as_str() {
            Some(to) => (time(to)? >= time(&committed)?).then_some(()),
            None => None,
        })
    };
    admin.until("what was committed to be archived", READY_TIMEOUT, is_covered).await?;

    let mutation = "mutation($input: RestoreInstanceInput!) { restoreInstance(input: $input) { instance { id } userErrors { message } } }";
    let payload = server.query(mutation, json!({ "input": { "sourceId": source, "name": "restored" } })).await?["restoreInstance"].take();
    let id = payload["instance"]["id"].as_str().ok_or_else(|| format!("restoreInstance answered {payload}"))?;
    let now = server.until(id, "it restored and healthy", READY_TIMEOUT, is_healthy).await?;
    let rows = psql(plan, now["connectionString"].as_str().unwrap_or_default(), "SELECT count(*) FROM rows").await?;
    if rows != "1000" {
        return Err(format!("the restored instance has {rows} rows"));
    }
    for id in [&source, id] {
        server.delete(id, false).await?;
        nothing_left(admin, id).await?;
    }
    Ok("an instance is restored from a backup by a Job, of which nothing is left".to_owned())
}
