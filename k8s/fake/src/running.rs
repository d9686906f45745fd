//! Instances that run already. For thousands of them the controllers, which look at every object after each change, would take too long.

use serde_json::{Value, json};
use toygres_k8s::build::Objects;

use super::{
    Scenario, controllers, managed_fields,
    objects::{FakeCluster, key, name},
};

/// The field manager of the control plane.
const MANAGER: &str = "toygres";

/// An instance as it is some time after its deployment.
pub struct RunningInstance {
    /// What was deployed.
    pub objects: Objects,
    /// The uid of its volume claim.
    pub volume: String,
    /// The address of its Service for clients.
    pub address: String,
}

impl FakeCluster {
    /// Adds instances whose pods are ready and whose volume claims are bound. Watches begin after this.
    pub fn add_running(&mut self, instances: impl IntoIterator<Item = RunningInstance>) {
        let pod_status = Scenario::Running.pod_status().expect("it was recorded");
        let claim_status = Scenario::Running.claim_status();
        for RunningInstance { objects, volume, address } in instances {
            let Objects { network_policy, client_service, secret, headless_service, stateful_set } = objects;
            let value = |object: serde_json::Result<Value>| object.expect("objects of Kubernetes are JSON");
            self.deployed("networkpolicies", value(serde_json::to_value(network_policy)), |_| {});
            self.deployed("services", value(serde_json::to_value(client_service)), |service| service["spec"]["clusterIP"] = json!(address));
            self.deployed("secrets", value(serde_json::to_value(secret)), |_| {});
            self.deployed("services", value(serde_json::to_value(headless_service)), |_| {});
            let set = self.deployed("statefulsets", value(serde_json::to_value(stateful_set)), |_| {});
            // It makes the claim and the pod.
            controllers::control_set(self, &set);
            let pod = format!("{}-0", name(&set));
            self.update("persistentvolumeclaims", &format!("data-{pod}"), |claim| {
                claim["metadata"]["uid"] = json!(volume);
                claim["status"] = claim_status.clone();
                claim["status"]["capacity"] = claim["spec"]["resources"]["requests"].clone();
            });
            self.update("pods", &pod, |pod| pod["status"] = pod_status.clone());
            controllers::control_set(self, &set);
            self.discard_history();
        }
    }

    /// Adds an object as the control plane applies it; `complete` adds what others set.
    fn deployed(&mut self, resource: &str, applied: Value, complete: impl FnOnce(&mut Value)) -> Value {
        let mut object = applied.clone();
        managed_fields::applied(&mut object, MANAGER, &applied);
        complete(&mut object);
        self.applied.entry(key(resource, &name(&applied))).or_default().insert(MANAGER.to_owned(), applied);
        self.create(resource, object)
    }
}
