//! What somebody deletes or edits of a running instance is put back; a volume claim is not.

use std::time::{Duration, Instant};

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Secret, Service},
    networking::v1::NetworkPolicy,
};
use serde_json::{Value, json};
use toygres_domain::InstanceId;
use toygres_k8s::build::names;

use crate::{Plan, Result, admin::Admin, checks::psql, server::Server};

/// How long a repair may take while the control plane watches.
const REPAIR_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an instance may take to be ready again after its pod was stopped, and to be found without its data.
const READY_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a repair may take while nothing is watched.
const ROUND_TIMEOUT: Duration = Duration::from_secs(60);
/// The label of the pods of an instance.
const INSTANCE: &str = "toygres.io/instance-id";
/// The password that somebody writes into a Secret, in base64.
const FOREIGN: &str = "eA==";

/// Every kind of drift, one after the other.
pub async fn repaired(plan: &Plan, admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let name = input["name"].as_str().unwrap_or_default().to_owned();
    let id = server.create(input).await?;
    let instance: InstanceId = id.parse().map_err(|_| format!("{id} is no id"))?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    let object = names::object(instance);
    let mut took = Vec::new();
    took.push(format!("Service {}", deleted::<Service>(admin, &name).await?));
    took.push(format!("headless Service {}", deleted::<Service>(admin, &names::headless_service(instance)).await?));
    let change = json!({"spec": {"selector": {INSTANCE: "another"}}});
    took.push(format!("edited Service {}", edited::<Service>(admin, &name, &change, |now| now["spec"]["selector"][INSTANCE] == id).await?));
    let change = json!({"spec": {"policyTypes": ["Ingress"]}});
    let is_back = |now: &Value| now["spec"]["policyTypes"].as_array().is_some_and(|types| types.len() == 2);
    took.push(format!("edited NetworkPolicy {}", edited::<NetworkPolicy>(admin, &object, &change, is_back).await?));
    let change = json!({"data": {"password": FOREIGN}});
    took.push(format!("edited Secret {}", edited::<Secret>(admin, &object, &change, |now| now["data"]["password"] != FOREIGN).await?));
    took.push(format!("NetworkPolicy {}", deleted::<NetworkPolicy>(admin, &object).await?));
    took.push(format!("Secret {}", deleted::<Secret>(admin, &object).await?));
    took.push(format!("StatefulSet {}", deleted::<StatefulSet>(admin, &object).await?));
    server.until(&id, "it healthy with another StatefulSet", READY_TIMEOUT, is_healthy).await?;
    let change = json!({"spec": {"replicas": 0}});
    took.push(format!("replicas {}", edited::<StatefulSet>(admin, &object, &change, |now| now["spec"]["replicas"] == 1).await?));
    reachable(plan, admin, server, &id).await?;
    server.delete(&id, false).await?;
    Ok(format!("drift is put back: {}", took.join(", ")))
}

/// What is changed while no control plane watches.
pub async fn unwatched(plan: &Plan, admin: &Admin, start: impl AsyncFn() -> Result<Server>, input: Value) -> Result<String> {
    let name = input["name"].as_str().unwrap_or_default().to_owned();
    let server = start().await?;
    let id = server.create(input).await?;
    let instance: InstanceId = id.parse().map_err(|_| format!("{id} is no id"))?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    server.stop().await?;
    let object = names::object(instance);
    admin.delete::<Service>(&name).await?;
    admin.delete::<Service>(&names::headless_service(instance)).await?;
    admin.delete::<NetworkPolicy>(&object).await?;
    admin.change::<Secret>(&object, &json!({"data": {"password": FOREIGN}})).await?;
    admin.change::<StatefulSet>(&object, &json!({"spec": {"replicas": 0}})).await?;
    let server = start().await?;
    let started = Instant::now();
    let is_back = || async {
        let there = admin.value::<Service>(&name).await?.is_some()
            && admin.value::<Service>(&names::headless_service(instance)).await?.is_some()
            && admin.value::<NetworkPolicy>(&object).await?.is_some();
        let (secret, set) = (admin.value::<Secret>(&object).await?, admin.value::<StatefulSet>(&object).await?);
        let as_before = secret.is_some_and(|now| now["data"]["password"] != FOREIGN) && set.is_some_and(|now| now["spec"]["replicas"] == 1);
        Ok((there && as_before).then_some(()))
    };
    admin.until("everything to be put back", ROUND_TIMEOUT, is_back).await?;
    let took = started.elapsed();
    reachable(plan, admin, &server, &id).await?;
    server.delete(&id, false).await?;
    server.stop().await?;
    Ok(format!("what was changed while no control plane was there is put back {:.1} s after its start", took.as_secs_f32()))
}

/// Repairs on request, right after somebody deleted or edited something: the control plane may have been faster, and the event log says
/// what was put back in any case.
pub async fn requested(admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let name = input["name"].as_str().unwrap_or_default().to_owned();
    let id = server.create(input).await?;
    let instance: InstanceId = id.parse().map_err(|_| format!("{id} is no id"))?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    let object = names::object(instance);
    let mut took = Vec::new();
    for what in ["StatefulSet", "Service", "Secret", "replicas"] {
        let said = match what {
            "StatefulSet" => {
                admin.delete::<StatefulSet>(&object).await?;
                format!("the StatefulSet {object} was deleted")
            }
            "Service" => {
                admin.delete::<Service>(&name).await?;
                format!("the Service {name} was deleted")
            }
            "Secret" => {
                admin.change::<Secret>(&object, &json!({"data": {"password": FOREIGN}})).await?;
                format!("the Secret {object} was edited")
            }
            _ => {
                admin.change::<StatefulSet>(&object, &json!({"spec": {"replicas": 0}})).await?;
                format!("the StatefulSet {object} was edited (spec.replicas)")
            }
        };
        let started = Instant::now();
        server.repair(&id, READY_TIMEOUT).await?;
        let repairs = server.repairs(&id).await?;
        if !repairs.iter().any(|message| message.contains(&said)) {
            return Err(format!("nothing says that {said}: {repairs:?}"));
        }
        took.push(format!("{what} {:.1} s", started.elapsed().as_secs_f32()));
        server.until(&id, "it healthy after its repair", READY_TIMEOUT, is_healthy).await?;
    }
    let findings = server.repair(&id, READY_TIMEOUT).await?;
    if findings != ["nothing differs from what was deployed"] {
        return Err(format!("a repair of nothing found {findings:?}"));
    }
    server.delete(&id, false).await?;
    Ok(format!("repairs on request, until it is ready: {}", took.join(", ")))
}

/// A claim that is deleted together with its pod: DATA_LOST, and no empty database.
pub async fn lost(admin: &Admin, server: &Server, input: Value) -> Result<String> {
    let id = server.create(input).await?;
    let instance: InstanceId = id.parse().map_err(|_| format!("{id} is no id"))?;
    server.until(&id, "it running and healthy", READY_TIMEOUT, is_healthy).await?;
    let claim = names::claim(instance);
    admin.delete::<PersistentVolumeClaim>(&claim).await?;
    server.until(&id, "VOLUME_TERMINATING", READY_TIMEOUT, |now| now["reason"]["code"] == "VOLUME_TERMINATING").await?;
    admin.kill_pod(instance).await?;
    let is_lost = |now: &Value| now["reason"]["code"] == "DATA_LOST" && now["health"] == "UNHEALTHY";
    server.until(&id, "DATA_LOST", READY_TIMEOUT, is_lost).await?;
    // The controller of the StatefulSet has made another claim by now, and its pod must refuse to start.
    let pods = || async {
        let ended = |pod: &k8s_openapi::api::core::v1::Pod| {
            let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref()).into_iter().flatten();
            let states = containers.flat_map(|container| [container.state.as_ref(), container.last_state.as_ref()]).flatten();
            states.filter_map(|state| state.terminated.as_ref()?.message.clone()).any(|message| message.contains("DATA_LOST"))
        };
        Ok(admin.pods(instance).await?.iter().any(ended).then_some(()))
    };
    admin.until("the pod to refuse the empty volume", READY_TIMEOUT, pods).await?;
    server.until(&id, "DATA_LOST still", READY_TIMEOUT, is_lost).await?;
    server.delete(&id, false).await?;
    Ok("a deleted volume claim: VOLUME_TERMINATING, then DATA_LOST, and never an empty database".to_owned())
}

/// Deletes an object, and waits until it is there again. Returns how long that took.
async fn deleted<K: crate::admin::Object>(admin: &Admin, name: &str) -> Result<String> {
    let uid = admin.value::<K>(name).await?.map(|object| object["metadata"]["uid"].clone());
    let started = Instant::now();
    admin.delete::<K>(name).await?;
    admin
        .until(&format!("{name} to be put back"), REPAIR_TIMEOUT, || async {
            Ok(admin.value::<K>(name).await?.filter(|object| Some(&object["metadata"]["uid"]) != uid.as_ref()).map(drop))
        })
        .await?;
    Ok(format!("{:.1} s", started.elapsed().as_secs_f32()))
}

/// Edits an object, and waits until that is put back. Returns how long that took.
async fn edited<K: crate::admin::Object>(admin: &Admin, name: &str, change: &Value, is_back: impl Fn(&Value) -> bool) -> Result<String> {
    let started = Instant::now();
    admin.change::<K>(name, change).await?;
    admin.until(&format!("{name} to be put back"), REPAIR_TIMEOUT, || async { Ok(admin.value::<K>(name).await?.filter(&is_back).map(drop)) }).await?;
    Ok(format!("{:.1} s", started.elapsed().as_secs_f32()))
}

/// Waits until clients can connect, at the address of the present Service.
async fn reachable(plan: &Plan, admin: &Admin, server: &Server, id: &str) -> Result<()> {
    let login = || async {
        let healthy = server.until(id, "it healthy after what was done to it", READY_TIMEOUT, is_healthy).await?;
        Ok(psql(plan, healthy["connectionString"].as_str().unwrap_or_default(), "SELECT 1").await.ok().map(drop))
    };
    admin.until("a login", READY_TIMEOUT, login).await
}

fn is_healthy(now: &Value) -> bool {
    now["state"] == "RUNNING" && now["health"] == "HEALTHY"
}
