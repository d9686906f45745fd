//! Resizes: the volume first and online, the pod by its template, and every refusal with the instance as before.

use std::time::Duration;

use serde_json::{Value, json};
use toygres_domain::{
    InstanceId, OperationId,
    data::Data,
    instance::{Reason, ReasonCode},
    operation::OperationKind,
    runtime::{Deployment, Observation, Progress, Restart, Runtime, RuntimeError},
};
use toygres_k8s::{KubernetesRuntime, build::names};

use crate::{
    fake::{Expansion, FakeApiServer, Scenario},
    fixture,
    nudging::{deaths, received},
    recordings,
    steps::{deploy_until_ready, suspend_until_done, suspension, until_ready},
};

pub(crate) fn operation(deployment: &Deployment, name: &str) -> Restart {
    let id = OperationId::new(OperationKind::Resize, deployment.id, 2);
    Restart { operation: OperationId::from_any(&format!("{id}{name}")), timeout: Duration::from_secs(60) }
}

/// Repeats the resize until it is done or refused.
pub(crate) async fn resize(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, name: &str) -> Result<(), Reason> {
    server
        .wait_for("the resize", || async {
            match runtime.resize(deployment, &operation(deployment, name)).await {
                Ok(Progress::Done) => Some(Ok(())),
                Ok(Progress::InProgress(_)) => None,
                Err(RuntimeError { retryable: true, .. }) => None,
                Err(RuntimeError { reason, retryable: false }) => Some(Err(reason)),
            }
        })
        .await
}

async fn running(server: &FakeApiServer, runtime: &KubernetesRuntime) -> Deployment {
    let mut deployment = fixture::another("orders");
    deploy_until_ready(server, runtime, &deployment).await;
    deployment.data = Data::Existing(runtime.volume(deployment.id).await.unwrap());
    deploy_until_ready(server, runtime, &deployment).await;
    deployment
}

fn pod(server: &FakeApiServer, id: InstanceId) -> Value {
    server.object("pods", &names::pod(id)).expect("the pod exists")
}

fn uid(object: &Value) -> Value {
    object["metadata"]["uid"].clone()
}

fn claim_template(server: &FakeApiServer, id: InstanceId) -> Value {
    let set = server.object("statefulsets", &names::object(id)).expect("the set exists");
    set["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"].clone()
}

#[tokio::test]
async fn a_volume_grows_while_the_server_runs() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = running(&server, &runtime).await;
    let mut nudges = runtime.nudges();
    let (before, objects) = (uid(&pod(&server, deployment.id)), server.object_names());
    deployment.spec.storage_gb = 5;
    let first = runtime.resize(&deployment, &operation(&deployment, "")).await.unwrap();
    assert!(matches!(&first, Progress::InProgress(Reason { code: ReasonCode::VolumeNotExpanded, .. })), "{first:?}");
    assert_eq!(claim_template(&server, deployment.id), "1Gi", "the volume comes first");
    resize(&server, &runtime, &deployment, "").await.unwrap();
    until_ready(&server, &runtime, &deployment).await;
    assert_eq!(uid(&pod(&server, deployment.id)), before, "no restart");
    assert_eq!(runtime.volume_gb(deployment.id).await, Ok(Some(5)));
    assert_eq!(claim_template(&server, deployment.id), "5Gi", "what a new claim would have");
    assert_eq!(server.object_names(), objects, "no revision is left behind");
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
    assert_eq!(runtime.inspect(&[(&deployment).into()]).await, Ok(Vec::new()));
}

#[tokio::test]
async fn cpu_and_memory_replace_the_pod_as_planned() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = running(&server, &runtime).await;
    let mut nudges = runtime.nudges();
    let before = uid(&pod(&server, deployment.id));
    (deployment.spec.cpu_millis, deployment.spec.memory_mb, deployment.spec.storage_gb) = (300, 512, 2);
    resize(&server, &runtime, &deployment, "").await.unwrap();
    assert!(!matches!(runtime.observe(deployment.id).await, Ok(Observation::Ready(_))) || uid(&pod(&server, deployment.id)) != before);
    until_ready(&server, &runtime, &deployment).await;
    let after = pod(&server, deployment.id);
    assert_ne!(uid(&after), before);
    assert_eq!(after["spec"]["containers"][0]["resources"]["requests"], json!({"cpu": "300m", "memory": "512Mi"}));
    // The StatefulSet was created again, and has the record still.
    for runtime in [&runtime, &server.runtime()] {
        runtime.deploy(&deployment).await.unwrap();
        assert_eq!(runtime.resize(&deployment, &operation(&deployment, "")).await, Ok(Progress::Done));
    }
    let set = server.object("statefulsets", &names::object(deployment.id)).unwrap();
    let record = set["metadata"]["annotations"]["toygres.io/restarts"].as_str().unwrap_or_default().to_owned();
    assert!(record.ends_with(before.as_str().unwrap()), "{record}");
    assert_eq!(uid(&pod(&server, deployment.id)), uid(&after), "once");
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0, "the end of the pod was planned");
}

/// The driver grows file systems of new pods only.
#[tokio::test]
async fn a_volume_that_waits_for_another_pod_gets_one() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = running(&server, &runtime).await;
    let mut nudges = runtime.nudges();
    let before = uid(&pod(&server, deployment.id));
    server.cluster(|cluster| cluster.expansion = Expansion::NewPod);
    deployment.spec.storage_gb = 2;
    resize(&server, &runtime, &deployment, "").await.unwrap();
    until_ready(&server, &runtime, &deployment).await;
    assert_ne!(uid(&pod(&server, deployment.id)), before);
    assert_eq!(runtime.volume_gb(deployment.id).await, Ok(Some(2)));
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
}

/// The server keeps exiting because its disk is full. It is started as soon as there is room, not after the back-off of the kubelet.
#[tokio::test]
async fn a_full_volume_grows() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = running(&server, &runtime).await;
    server.set_scenario(Scenario::Crash);
    server.cluster(|cluster| cluster.end(&names::pod(deployment.id)));
    server
        .wait_for("the crash loop", || async {
            matches!(
                runtime.observe(deployment.id).await,
                Ok(Observation::Failed(_) | Observation::Pending(Reason { code: ReasonCode::CrashLoop, .. }))
            )
            .then_some(())
        })
        .await;
    server.set_scenario(Scenario::Running);
    let before = uid(&pod(&server, deployment.id));
    deployment.spec.storage_gb = 2;
    resize(&server, &runtime, &deployment, "").await.unwrap();
    until_ready(&server, &runtime, &deployment).await;
    assert_ne!(uid(&pod(&server, deployment.id)), before);
}

/// Each is a typed reason, and nothing else has changed: the rollback ends no pod.
#[tokio::test]
async fn a_volume_that_cannot_grow_leaves_the_instance_as_it_was() {
    let quota = |server: &FakeApiServer| server.refuse("patch", "persistentvolumeclaims", recordings::read("error-403-quota.json"), 1);
    let expansion = |expansion| move |server: &FakeApiServer| server.cluster(|cluster| cluster.expansion = expansion);
    type Trouble = Box<dyn Fn(&FakeApiServer)>;
    let cases: [(Trouble, ReasonCode, &str, u64); 3] = [
        (Box::new(expansion(Expansion::Forbidden)), ReasonCode::VolumeNotExpandable, "allowVolumeExpansion", 1),
        (Box::new(quota), ReasonCode::QuotaExceeded, "Raise the quota", 1),
        // The API server has taken the request; the driver continues to try.
        (Box::new(expansion(Expansion::RateLimited)), ReasonCode::VolumeNotExpanded, "at least 6 hours", 5),
    ];
    for (trouble, code, said, requested) in cases {
        let server = FakeApiServer::start().await;
        let runtime = server.runtime();
        let former = running(&server, &runtime).await;
        let set = server.object("statefulsets", &names::object(former.id));
        let before = uid(&pod(&server, former.id));
        trouble(&server);
        let mut larger = former.clone();
        (larger.spec.cpu_millis, larger.spec.storage_gb) = (300, 5);
        let refused = resize(&server, &runtime, &larger, "").await.unwrap_err();
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(refused.message.contains(said), "{refused:?}");
        assert_eq!(runtime.volume_gb(former.id).await, Ok(Some(1)));
        resize(&server, &runtime, &former, "-back").await.unwrap();
        until_ready(&server, &runtime, &former).await;
        assert_eq!((server.object("statefulsets", &names::object(former.id)), uid(&pod(&server, former.id))), (set, before), "{code}");
        let claim = server.object("persistentvolumeclaims", &names::claim(former.id)).unwrap();
        assert_eq!(claim["spec"]["resources"]["requests"]["storage"], format!("{requested}Gi"), "{code}");
        runtime.deploy(&former).await.unwrap();
        // When the trouble is over, the same resize succeeds.
        server.cluster(|cluster| cluster.expansion = Expansion::Online);
        if requested == 5 {
            server.wait_for("the driver to try again", || async { (runtime.volume_gb(former.id).await == Ok(Some(5))).then_some(()) }).await;
        }
        resize(&server, &runtime, &larger, "-again").await.unwrap();
        until_ready(&server, &runtime, &larger).await;
    }
}

/// The driver has a smallest size, so the volume is larger than what was asked for.
#[tokio::test]
async fn a_volume_may_be_larger_than_what_was_asked_for() {
    let server = FakeApiServer::start().await;
    server.cluster(|cluster| cluster.smallest_volume_gb = 10);
    let runtime = server.runtime();
    // It is deployed once more, after its volume is known.
    let mut deployment = running(&server, &runtime).await;
    assert_eq!(runtime.volume_gb(deployment.id).await, Ok(Some(10)));
    let before = uid(&pod(&server, deployment.id));
    for (wanted, volume) in [(5, 10), (12, 12)] {
        deployment.spec.storage_gb = wanted;
        resize(&server, &runtime, &deployment, &format!("-{wanted}")).await.unwrap();
        deploy_until_ready(&server, &runtime, &deployment).await;
        assert_eq!(runtime.volume_gb(deployment.id).await, Ok(Some(volume)));
        assert_eq!(claim_template(&server, deployment.id), format!("{wanted}Gi"));
    }
    assert_eq!(uid(&pod(&server, deployment.id)), before, "no restart");
}

/// The cloud grants hours later what it has refused, when the instance has its former size again.
#[tokio::test]
async fn a_volume_that_grows_after_the_resize_was_rolled_back_stays_usable() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let former = running(&server, &runtime).await;
    server.cluster(|cluster| cluster.expansion = Expansion::RateLimited);
    let mut larger = former.clone();
    larger.spec.storage_gb = 5;
    let refused = resize(&server, &runtime, &larger, "").await.unwrap_err();
    assert_eq!(refused.code, ReasonCode::VolumeNotExpanded);
    resize(&server, &runtime, &former, "-back").await.unwrap();
    server.cluster(|cluster| cluster.expansion = Expansion::Online);
    server.wait_for("the volume to grow", || async { (runtime.volume_gb(former.id).await == Ok(Some(5))).then_some(()) }).await;

    // As when its parameters change, and when it is suspended and resumed.
    deploy_until_ready(&server, &runtime, &former).await;
    suspend_until_done(&server, &runtime, &former, &suspension(&former, 3)).await;
    deploy_until_ready(&server, &runtime, &former).await;
    let claim = server.object("persistentvolumeclaims", &names::claim(former.id)).unwrap();
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "5Gi", "what was requested is not taken back");
    assert_eq!(runtime.inspect(&[(&former).into()]).await, Ok(Vec::new()));
    // The same resize has nothing to wait for.
    assert_eq!(runtime.resize(&larger, &operation(&larger, "-again")).await, Ok(Progress::Done));
}

#[tokio::test]
async fn a_pod_that_finds_no_node_gets_its_former_size_back() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let former = running(&server, &runtime).await;
    let mut nudges = runtime.nudges();
    server.set_scenario(Scenario::Unschedulable);
    let mut larger = former.clone();
    (larger.spec.cpu_millis, larger.spec.storage_gb) = (64_000, 5);
    resize(&server, &runtime, &larger, "").await.unwrap();
    let unschedulable = |observation| matches!(observation, Ok(Observation::Pending(Reason { code: ReasonCode::Unschedulable, .. })));
    server.wait_for("the scheduler", || async { unschedulable(runtime.observe(former.id).await).then_some(()) }).await;
    server.set_scenario(Scenario::Running);
    // The volume has grown, and stays so.
    let mut back = former.clone();
    back.spec.storage_gb = runtime.volume_gb(former.id).await.unwrap().unwrap();
    assert_eq!(back.spec.storage_gb, 5);
    assert_ne!(runtime.inspect(&[(&back).into()]).await, Ok(Vec::new()), "a rollback that fails is put back as drift");
    resize(&server, &runtime, &back, "-back").await.unwrap();
    until_ready(&server, &runtime, &back).await;
    assert_eq!(pod(&server, former.id)["spec"]["containers"][0]["resources"]["requests"]["cpu"], "100m");
    assert_eq!(deaths(&received(&mut nudges).await, former.id), 0);
    assert_eq!(runtime.inspect(&[(&back).into()]).await, Ok(Vec::new()));
}
