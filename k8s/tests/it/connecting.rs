//! Finding the cluster by kubeconfig, and the error for everything that can be wrong.

use std::{fs, path::PathBuf};

use toygres_domain::runtime::{Observation, Runtime};
use toygres_k8s::{KubernetesRuntime, Settings, settings::ClusterSource};

use crate::{fake::FakeApiServer, fixture};

/// A kubeconfig in a directory of the build, with the contexts `here`, which is current, and `nowhere`.
fn kubeconfig(test: &str, url: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.kubeconfig"));
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{name: fake, cluster: {{server: \"{url}\"}}}}, {{name: none, cluster: {{server: \"http://127.0.0.1:1\"}}}}]\n\
         users: [{{name: somebody, user: {{token: abc}}}}]\n\
         contexts: [{{name: here, context: {{cluster: fake, user: somebody}}}}, {{name: nowhere, context: {{cluster: none, user: somebody}}}}]\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn settings(path: PathBuf, context: Option<&str>) -> Settings {
    Settings { cluster: ClusterSource::Kubeconfig { path: Some(path), context: context.map(str::to_owned) }, ..Settings::default() }
}

async fn connect_error(settings: Settings) -> String {
    KubernetesRuntime::connect(settings).await.err().expect("it fails").to_string()
}

#[tokio::test]
async fn by_kubeconfig() {
    let server = FakeApiServer::start().await;
    let path = kubeconfig("by_kubeconfig", server.url());
    for context in [None, Some("here")] {
        let runtime = KubernetesRuntime::connect(settings(path.clone(), context)).await.unwrap();
        assert_eq!(runtime.observe(fixture::deployment().id).await, Ok(Observation::Absent));
    }
}

#[tokio::test]
async fn errors_name_their_cause() {
    let path = kubeconfig("errors_name_their_cause", "http://127.0.0.1:1");
    let error = connect_error(settings(path.clone(), Some("mars"))).await;
    assert!(error.contains("no context 'mars', only: here, nowhere."), "{error}");
    let error = connect_error(settings(path.clone(), Some("nowhere"))).await;
    assert!(error.contains("http://127.0.0.1:1/") && error.contains("refused"), "{error}");
    let error = connect_error(settings(path.with_extension("missing"), None)).await;
    assert!(error.contains("No kubeconfig can be read from") && error.contains("missing"), "{error}");
    let error = connect_error(Settings { cluster: ClusterSource::InCluster, ..Settings::default() }).await;
    assert!(error.contains("does not run in a pod"), "{error}");
    let error = connect_error(Settings { namespace: "No Name".to_owned(), ..Settings::default() }).await;
    assert!(error.contains("namespace is 'No Name', which is not a DNS label"), "{error}");
}

#[tokio::test]
async fn errors_of_a_kubeconfig_do_not_contain_its_secrets() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("secrets.kubeconfig");
    for broken in [
        "apiVersion: v1\nusers:\n- name: a\n  user: {token: hunter22\ncontexts: []\n",
        "apiVersion: v1\nusers: [{name: a, user: {token: [hunter22]}}]\n",
        "apiVersion: v1\nusers: [{name: a, user: hunter22}]\n",
    ] {
        fs::write(&path, broken).unwrap();
        let error = connect_error(settings(path.clone(), None)).await;
        assert!(error.contains("No kubeconfig can be read from"), "{error}");
        assert!(!error.contains("hunter22"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn missing_permissions_are_named_at_the_start() {
    let server = FakeApiServer::start().await;
    server.deny("patch", "secrets");
    server.deny("create", "secrets");
    server.deny("watch", "pods");
    let path = kubeconfig("missing_permissions", server.url());
    assert_eq!(
        connect_error(settings(path, None)).await,
        "The control plane lacks permissions in the namespace 'toygres-instances'. Missing in its Role: watch pods; create, patch secrets."
    );
}

#[tokio::test]
async fn all_permissions_in_another_namespace_are_missing() {
    let server = FakeApiServer::start().await;
    let path = kubeconfig("another_namespace", server.url());
    let error = connect_error(Settings { namespace: "elsewhere".to_owned(), ..settings(path, None) }).await;
    assert!(error.contains("in the namespace 'elsewhere'") && error.contains("list, watch events; "), "{error}");
}
