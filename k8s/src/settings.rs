//! What the platform decides for all instances: where the cluster is, and which images, volumes and nodes instances get.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Deserialize;
use toygres_domain::instance::PostgresVersion;

/// The settings of the Kubernetes runtime. They are read from camelCase JSON, as a chart's values are; what is left out has
/// its default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// How the cluster is found.
    pub cluster: ClusterSource,
    /// The namespace that holds the instances. One Toygres owns it: every object labelled as managed by Toygres in it is ours.
    pub namespace: String,
    /// How endpoints are written. Unset, the runtime decides when it connects.
    pub endpoint_host: Option<EndpointHost>,
    /// The DNS domain of the cluster.
    pub cluster_domain: String,
    /// What the cloud appends to the DNS label of a load balancer's address, for example
    /// `westeurope.cloudapp.azure.com`. Unset, endpoints hold the address itself.
    pub dns_label_domain: Option<String>,
    /// The storage class of volumes; unset, the cluster's default.
    pub storage_class: Option<String>,
    /// The registry of the images, for example `myregistry.azurecr.io`; unset, the cluster's default.
    pub image_registry: Option<String>,
    /// The repository of the images. It must hold images that are started as the official ones are.
    pub image_repository: String,
    /// What follows the major version in a tag, for example `-bookworm`.
    pub image_tag_suffix: String,
    /// The user and group that the images run PostgreSQL as: 999 in the official Debian images, 70 in the Alpine ones.
    pub image_uid: i64,
    /// The Secrets with the registry's credentials.
    pub image_pull_secrets: Vec<String>,
    /// The PostgreSQL versions on offer.
    pub versions: Vec<PostgresVersion>,
    /// The nodes that instances may run on.
    pub node_selector: BTreeMap<String, String>,
    /// The taints that instances tolerate.
    pub tolerations: Vec<Toleration>,
    /// Whether the processor request is also the limit. Off by default: idle processors may be borrowed, and throttling a
    /// database in the middle of a lock helps nobody.
    pub limit_cpu: bool,
    /// Annotations of every pod.
    pub pod_annotations: BTreeMap<String, String>,
    /// Annotations of every Service that clients connect to.
    pub service_annotations: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cluster: ClusterSource::default(),
            namespace: "toygres".to_owned(),
            endpoint_host: None,
            cluster_domain: "cluster.local".to_owned(),
            dns_label_domain: None,
            storage_class: None,
            image_registry: None,
            image_repository: "postgres".to_owned(),
            image_tag_suffix: String::new(),
            image_uid: 999,
            image_pull_secrets: Vec::new(),
            versions: (14..=18).rev().map(PostgresVersion).collect(),
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            limit_cpu: false,
            pod_annotations: BTreeMap::new(),
            service_annotations: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What is wrong with the settings: one sentence per mistake, none when all is well.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !is_dns_label(&self.namespace) {
            mistakes.push(format!("AKS_NAMESPACE is '{}', which is no DNS label.", self.namespace));
        }
        if self.versions.is_empty() {
            mistakes.push("TOYGRES_POSTGRES_VERSIONS is empty.".to_owned());
        }
        for version in self.versions.iter().filter(|version| !(14..=18).contains(&version.0)) {
            mistakes.push(format!("TOYGRES_POSTGRES_VERSIONS: PostgreSQL {version} is not supported; 14 to 18 are."));
        }
        for (variable, value) in [
            ("TOYGRES_IMAGE_REGISTRY", self.image_registry.as_deref().unwrap_or("-")),
            ("TOYGRES_IMAGE_REPOSITORY", &self.image_repository),
            ("TOYGRES_CLUSTER_DOMAIN", &self.cluster_domain),
        ] {
            if value.is_empty() || value.contains(char::is_whitespace) || value.starts_with('/') || value.contains("://") {
                mistakes.push(format!("{variable} is '{value}': it must be a name without a scheme."));
            }
        }
        for (variable, value) in [("TOYGRES_STORAGE_CLASS", &self.storage_class), ("TOYGRES_DNS_LABEL_DOMAIN", &self.dns_label_domain)] {
            if value.as_ref().is_some_and(|value| !value.split('.').all(is_dns_label)) {
                mistakes.push(format!("{variable} is '{}', which is no DNS name.", value.as_deref().unwrap_or_default()));
            }
        }
        for toleration in &self.tolerations {
            if let Some(why) = toleration.mistake() {
                mistakes.push(format!("TOYGRES_TOLERATIONS: {why}."));
            }
        }
        if self.image_uid <= 0 {
            mistakes.push(format!("TOYGRES_IMAGE_UID is {}, which cannot be: PostgreSQL refuses to run as root.", self.image_uid));
        }
        if let ClusterSource::Aks(aks) = &self.cluster {
            mistakes.extend(aks.mistakes());
        }
        mistakes
    }

    /// The image of a PostgreSQL version.
    #[must_use]
    pub fn image(&self, version: PostgresVersion) -> String {
        let registry = self.image_registry.as_ref().map(|registry| format!("{registry}/")).unwrap_or_default();
        format!("{registry}{}:{version}{}", self.image_repository, self.image_tag_suffix)
    }
}

/// How the cluster is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "from", deny_unknown_fields)]
pub enum ClusterSource {
    /// The service account of the pod when there is one, else the kubeconfig.
    #[default]
    Detect,
    /// The service account of the pod this server runs in.
    InCluster,
    /// A kubeconfig.
    Kubeconfig {
        /// The file; unset, `KUBECONFIG` or `~/.kube/config`.
        path: Option<PathBuf>,
        /// The context; unset, the current one.
        context: Option<String>,
    },
    /// A cluster of Azure Kubernetes Service, by its name.
    Aks(Aks),
}

/// A cluster of Azure Kubernetes Service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Aks {
    /// The id of the subscription.
    pub subscription: String,
    /// The resource group.
    pub resource_group: String,
    /// The cluster's name.
    pub name: String,
    /// The URL of Azure Resource Manager; other than the default in sovereign clouds.
    #[serde(default = "Aks::public_cloud")]
    pub resource_manager: String,
}

impl Aks {
    /// Azure Resource Manager of the public cloud.
    #[must_use]
    pub fn public_cloud() -> String {
        "https://management.azure.com".to_owned()
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        // Each becomes a segment of a path.
        let is_segment = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.()".contains(c));
        for (variable, value) in
            [("AKS_CLUSTER_NAME", &self.name), ("AKS_RESOURCE_GROUP", &self.resource_group), ("AZURE_SUBSCRIPTION_ID", &self.subscription)]
        {
            if !is_segment(value) {
                mistakes.push(format!("{variable} is '{value}', which is no name of Azure's."));
            }
        }
        if !(self.resource_manager.starts_with("https://") || self.resource_manager.starts_with("http://127.0.0.1:")) {
            mistakes.push(format!("AZURE_RESOURCE_MANAGER_URL is '{}': it must begin with https://.", self.resource_manager));
        }
        mistakes
    }
}

impl fmt::Display for Aks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the AKS cluster {} of the resource group {}", self.name, self.resource_group)
    }
}

/// How the endpoint of an instance that is reached inside the cluster is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndpointHost {
    /// The DNS name of the client Service: what people and applications in the cluster type.
    ServiceName,
    /// The ClusterIP of the client Service, for a server outside, where the cluster's names do not resolve.
    ClusterIp,
}

/// A taint that instances tolerate, in the words of Kubernetes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Toleration {
    /// The taint's key; unset, every key.
    pub key: Option<String>,
    /// `Equal` or `Exists`.
    pub operator: Option<String>,
    /// The taint's value, for `Equal`.
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`; unset, all of them.
    pub effect: Option<String>,
    /// How long a `NoExecute` taint is tolerated.
    pub toleration_seconds: Option<i64>,
}

impl Toleration {
    fn mistake(&self) -> Option<String> {
        let one_of = |what: &str, value: &Option<String>, allowed: &[&str]| {
            let value = value.as_deref()?;
            (!allowed.contains(&value)).then(|| format!("the {what} '{value}' is none of {}", allowed.join(", ")))
        };
        one_of("operator", &self.operator, &["Equal", "Exists"])
            .or_else(|| one_of("effect", &self.effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]))
            .or_else(|| {
                (self.key.is_none() && self.operator.as_deref() != Some("Exists")).then(|| "without a key the operator must be Exists".to_owned())
            })
    }
}

fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings: Settings = serde_json::from_str(
            r#"{"namespace": "pg", "cluster": {"from": "kubeconfig", "context": "kind"}, "tolerations": [{"key": "db", "operator": "Exists"}], "versions": [17]}"#,
        )
        .unwrap();
        assert_eq!(settings.cluster, ClusterSource::Kubeconfig { path: None, context: Some("kind".into()) });
        assert_eq!(settings.image(PostgresVersion(17)), "postgres:17");
        assert!(settings.mistakes().is_empty());
        assert!(serde_json::from_str::<Settings>(r#"{"nameSpace": "pg"}"#).is_err(), "a misspelt setting is refused");
    }

    #[test]
    fn every_mistake_has_its_sentence() {
        let wrong = Settings { namespace: "No".into(), versions: vec![PostgresVersion(9)], image_uid: 0, ..Settings::default() };
        assert_eq!(wrong.mistakes().len(), 3, "{:?}", wrong.mistakes());
    }
}
