//! The contract of every runtime, over the fake API server.

use std::time::Duration;

use async_trait::async_trait;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, PostgresVersion},
    runtime::{Deployment, Runtime},
};
use toygres_k8s::{Settings, build::names, settings::EndpointHost};
use toygres_postgres::contract::{self, Hooks, Loss, NoHooks, Subject};

use crate::{
    fake::{Crash, FakeApiServer},
    fixture,
};

#[tokio::test]
async fn kubernetes_keeps_the_contract() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    contract::check_all(Subject { runtime: &runtime, deployment: &fixture::another, hooks: &FakeHooks(&server), timeout: Duration::from_secs(10) })
        .await;
}

/// In pods that are PostgreSQL servers of this machine, started as the pods are: with the superuser and the rules of the objects.
#[tokio::test(flavor = "multi_thread")]
async fn owners_cannot_break_out_and_can_do_what_they_expect() {
    let server = FakeApiServer::start_real().await;
    // All of them run the version of this machine.
    let settings = Settings { endpoint_host: Some(EndpointHost::ClusterIp), versions: vec![PostgresVersion(17)], ..Settings::default() };
    let runtime = server.runtime_with(settings);
    let subject = Subject { runtime: &runtime, deployment: &fixture::another, hooks: &NoHooks, timeout: Duration::from_secs(30) };
    contract::check_owners(subject).await;
}

/// The kubelet brings a changed Secret into the pod a while after it has changed.
#[tokio::test(flavor = "multi_thread")]
async fn servers_have_the_parameters_that_their_owners_set() {
    let server = FakeApiServer::start_real().await;
    let settings = Settings { endpoint_host: Some(EndpointHost::ClusterIp), versions: vec![PostgresVersion(17)], ..Settings::default() };
    let runtime = server.runtime_with(settings);
    let subject = Subject { runtime: &runtime, deployment: &fixture::another, hooks: &NoHooks, timeout: Duration::from_secs(30) };
    contract::check_parameters(subject).await;
}

struct FakeHooks<'a>(&'a FakeApiServer);

#[async_trait]
impl Hooks for FakeHooks<'_> {
    async fn leave_half_deployed(&self, deployment: &Deployment) {
        // The fourth call: the StatefulSet does not exist yet.
        self.0.crash_at(3, Crash::After);
        let runtime = self.0.runtime();
        tokio::select! {
            () = self.0.crashed() => {}
            result = runtime.deploy(deployment) => panic!("the crash did not come: {result:?}"),
        }
        self.0.clear_crash();
    }

    async fn leave_mark(&self, deployment: &Deployment, _endpoint: &Endpoint) -> bool {
        let marked = self.0.cluster(|cluster| {
            cluster.update("persistentvolumeclaims", &names::claim(deployment.id), |claim| claim["metadata"]["annotations"]["mark"] = "left".into())
        });
        marked.is_some()
    }

    async fn has_mark(&self, deployment: &Deployment, _endpoint: &Endpoint) -> bool {
        self.0.object("persistentvolumeclaims", &names::claim(deployment.id)).is_some_and(|claim| claim["metadata"]["annotations"]["mark"] == "left")
    }

    async fn server_start_time(&self, deployment: &Deployment, _endpoint: &Endpoint) -> Option<String> {
        // Each pod starts one server.
        self.0.object("pods", &names::pod(deployment.id))?["metadata"]["uid"].as_str().map(str::to_owned)
    }

    async fn lose_data(&self, id: InstanceId, loss: Loss) -> bool {
        self.0.cluster(|cluster| {
            cluster.delete_claim(&names::claim(id));
            if loss == Loss::Removed {
                cluster.remove("statefulsets", &names::object(id));
            }
            cluster.end(&names::pod(id));
        });
        let claim = self.0.object("persistentvolumeclaims", &names::claim(id)).map(|claim| claim["metadata"]["uid"].clone());
        self.0
            .wait_for("the volume to be gone", || async {
                let now = self.0.object("persistentvolumeclaims", &names::claim(id)).map(|claim| claim["metadata"]["uid"].clone());
                // The controller of the StatefulSet creates another one.
                (now != claim && now.is_some() == (loss == Loss::Emptied)).then_some(())
            })
            .await;
        true
    }

    async fn kill_server(&self, id: InstanceId) -> bool {
        self.0.cluster(|cluster| cluster.end(&names::pod(id)));
        true
    }

    async fn suspend_server(&self, id: InstanceId) -> bool {
        self.0.cluster(|cluster| cluster.suspend(&names::pod(id)));
        true
    }

    async fn residue(&self, id: InstanceId) -> Vec<String> {
        self.0.cluster(|cluster| {
            let of_instance = |object: &&serde_json::Value| object["metadata"]["labels"]["toygres.io/instance-id"] == id.to_string();
            let kept = |object: &&serde_json::Value| !object["metadata"]["labels"]["toygres.io/kept"].is_null();
            ["networkpolicies", "secrets", "services", "statefulsets", "pods", "persistentvolumeclaims"]
                .into_iter()
                .flat_map(|resource| cluster.list(resource).filter(of_instance).filter(|object| !kept(object)))
                .map(|object| format!("{} {}", object["kind"], object["metadata"]["name"]))
                .collect()
        })
    }
}
