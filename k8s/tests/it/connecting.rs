//! Finding the cluster: by kubeconfig, and with a sentence for each thing that can be wrong.

use std::{fs, path::PathBuf};

use toygres_domain::runtime::{Observation, Runtime};
use toygres_k8s::{KubernetesRuntime, Settings, settings::ClusterSource};

use crate::{double::FakeApiServer, fixture};

/// A kubeconfig in a directory of the build, with the contexts `here`, which is current, and `nowhere`.
fn kubeconfig(test: &str, url: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.kubeconfig"));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{name: double, cluster: {{server: \"{url}\"}}}}, {{name: none, cluster: {{server: \"http://127.0.0.1:1\"}}}}]\n\
         users: [{{name: somebody, user: {{token: abc}}}}]\n\
         contexts: [{{name: here, context: {{cluster: double, user: somebody}}}}, {{name: nowhere, context: {{cluster: none, user: somebody}}}}]\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn settings(path: PathBuf, context: Option<&str>) -> Settings {
    Settings { cluster: ClusterSource::Kubeconfig { path: Some(path), context: context.map(str::to_owned) }, ..Settings::default() }
}

async fn refusal(settings: Settings) -> String {
    KubernetesRuntime::connect(settings).await.err().expect("it cannot be connected to").to_string()
}

#[tokio::test]
async fn by_kubeconfig() {
    let double = FakeApiServer::start().await;
    let path = kubeconfig("by_kubeconfig", double.url());
    for context in [None, Some("here")] {
        let runtime = KubernetesRuntime::connect(settings(path.clone(), context)).await.unwrap();
        assert_eq!(runtime.observe(fixture::deployment().id).await, Ok(Observation::Absent));
    }
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let path = kubeconfig("what_is_wrong_is_said", "http://127.0.0.1:1");
    let sentence = refusal(settings(path.clone(), Some("mars"))).await;
    assert!(sentence.contains("no context 'mars', only: here, nowhere."), "{sentence}");
    let sentence = refusal(settings(path.clone(), Some("nowhere"))).await;
    assert!(sentence.contains("http://127.0.0.1:1/") && sentence.contains("refused"), "{sentence}");
    let sentence = refusal(settings(path.with_extension("missing"), None)).await;
    assert!(sentence.contains("No kubeconfig can be read from") && sentence.contains("missing"), "{sentence}");
    let sentence = refusal(Settings { cluster: ClusterSource::InCluster, ..Settings::default() }).await;
    assert!(sentence.contains("does not run in a pod"), "{sentence}");
    let sentence = refusal(Settings { namespace: "No Name".to_owned(), ..Settings::default() }).await;
    assert!(sentence.contains("AKS_NAMESPACE is 'No Name', which is no DNS label"), "{sentence}");
}

#[tokio::test]
async fn what_is_wrong_with_a_kubeconfig_is_said_without_its_secrets() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("secrets.kubeconfig");
    for broken in [
        "apiVersion: v1\nusers:\n- name: a\n  user: {token: hunter22\ncontexts: []\n",
        "apiVersion: v1\nusers: [{name: a, user: {token: [hunter22]}}]\n",
        "apiVersion: v1\nusers: [{name: a, user: hunter22}]\n",
    ] {
        fs::write(&path, broken).unwrap();
        let sentence = refusal(settings(path.clone(), None)).await;
        assert!(sentence.contains("No kubeconfig can be read from"), "{sentence}");
        assert!(!sentence.contains("hunter22"), "{sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }
}

#[tokio::test]
async fn missing_permissions_are_named_at_the_start() {
    let double = FakeApiServer::start().await;
    double.deny("patch", "secrets");
    double.deny("create", "secrets");
    double.deny("watch", "pods");
    let path = kubeconfig("missing_permissions", double.url());
    assert_eq!(
        refusal(settings(path, None)).await,
        "The control plane may not do all that it has to in the namespace 'toygres'. Missing in its Role: watch pods; create, patch secrets."
    );
}

#[tokio::test]
async fn all_of_another_namespace_is_missing() {
    let double = FakeApiServer::start().await;
    let path = kubeconfig("another_namespace", double.url());
    let sentence = refusal(Settings { namespace: "elsewhere".to_owned(), ..settings(path, None) }).await;
    assert!(sentence.contains("in the namespace 'elsewhere'") && sentence.contains("list, watch events; "), "{sentence}");
}
