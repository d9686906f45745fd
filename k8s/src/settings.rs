//! The settings of the Kubernetes runtime: where the cluster is, and which images, volumes and nodes all instances use.

mod restore;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Deserialize;
use toygres_domain::instance::PostgresVersion;

pub use restore::{NetworkStore, RestoreSettings, STORE_DIRECTORY, StoreAccess};

/// The settings of the Kubernetes runtime. They can be parsed from JSON in camelCase; a missing field has its default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Settings {
    /// How the cluster is found.
    pub cluster: ClusterSource,
    /// The namespace that holds the instances. It belongs to one control plane: every object in it that is labelled as managed by
    /// Toygres is ours. The control plane's own Secret must be elsewhere, because the runtime may write and delete every Secret here.
    pub namespace: String,
    /// How endpoints are written; unset, the runtime chooses when it connects.
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
    /// The repository of the images. Its images must have the interface of the official ones.
    pub image_repository: String,
    /// The part of a tag after the major version, for example `-bookworm`; unset, the release of Debian that the table of versions names.
    pub image_tag_suffix: Option<String>,
    /// The digests (`sha256:...`) of images, by major version. A tag can be moved, a digest identifies the content.
    pub image_digests: BTreeMap<u16, String>,
    /// The user and group that the images run PostgreSQL as: 999 in the official Debian images, 70 in the Alpine ones.
    pub image_uid: i64,
    /// The Secrets with the registry's credentials.
    pub image_pull_secrets: Vec<String>,
    /// The PostgreSQL versions that are offered.
    pub versions: Vec<PostgresVersion>,
    /// The nodes that instances may run on.
    pub node_selector: BTreeMap<String, String>,
    /// The taints that instances tolerate.
    pub tolerations: Vec<Toleration>,
    /// Whether the CPU request is also the limit. Off by default: an instance may use idle CPUs, and a throttled server would hold
    /// its locks for longer.
    pub limit_cpu: bool,
    /// Annotations of every pod.
    pub pod_annotations: BTreeMap<String, String>,
    /// Annotations of every Service that clients connect to.
    pub service_annotations: BTreeMap<String, String>,
    /// How instances are restored from backups.
    pub restore: RestoreSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cluster: ClusterSource::default(),
            namespace: "toygres-instances".to_owned(),
            endpoint_host: None,
            cluster_domain: "cluster.local".to_owned(),
            dns_label_domain: None,
            storage_class: None,
            image_registry: None,
            image_repository: "postgres".to_owned(),
            image_tag_suffix: None,
            image_digests: BTreeMap::new(),
            image_uid: 999,
            image_pull_secrets: Vec::new(),
            versions: PostgresVersion::offered().collect(),
            node_selector: BTreeMap::new(),
            tolerations: Vec::new(),
            limit_cpu: false,
            pod_annotations: BTreeMap::new(),
            service_annotations: BTreeMap::new(),
            restore: RestoreSettings::default(),
        }
    }
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// Every invalid setting.
    pub fn validate(&self) -> Result<(), Vec<InvalidSetting>> {
        let mut invalid = Vec::new();
        let mut check = |valid: bool, setting, problem: String| {
            if !valid {
                invalid.push(InvalidSetting { setting, problem });
            }
        };
        check(is_dns_label(&self.namespace), Setting::Namespace, format!("is '{}', which is not a DNS label", self.namespace));
        check(!self.versions.is_empty(), Setting::Versions, "is empty".to_owned());
        for version in &self.versions {
            check(version.release().is_some(), Setting::Versions, format!("contains PostgreSQL {version}, which is none of {}", supported()));
        }
        for (version, digest) in &self.image_digests {
            let is_known = PostgresVersion(*version).release().is_some();
            check(is_known, Setting::ImageDigests, format!("contains PostgreSQL {version}, which is none of {}", supported()));
            check(is_digest(digest), Setting::ImageDigests, format!("contains '{digest}', which is not sha256: and 64 hexadecimal digits"));
        }
        for (setting, value) in [
            (Setting::ImageRegistry, self.image_registry.as_ref()),
            (Setting::ImageRepository, Some(&self.image_repository)),
            (Setting::ClusterDomain, Some(&self.cluster_domain)),
            (Setting::RestoreImage, self.restore.image.as_ref()),
        ] {
            let Some(value) = value else { continue };
            let valid = !value.is_empty() && !value.contains(char::is_whitespace) && !value.starts_with('/') && !value.contains("://");
            check(valid, setting, format!("is '{value}', which is not a name without a scheme"));
        }
        for (setting, value) in [
            (Setting::StorageClass, &self.storage_class),
            (Setting::DnsLabelDomain, &self.dns_label_domain),
            (Setting::RestoreServiceAccount, &self.restore.service_account),
        ] {
            let Some(value) = value else { continue };
            check(value.split('.').all(is_dns_label), setting, format!("is '{value}', which is not a DNS name"));
        }
        for toleration in &self.tolerations {
            let problem = toleration.problem();
            check(problem.is_none(), Setting::Tolerations, problem.unwrap_or_default());
        }
        check(self.image_uid > 0, Setting::ImageUid, format!("is {}, but PostgreSQL refuses to run as root", self.image_uid));
        if let ClusterSource::Aks(aks) = &self.cluster {
            for (setting, value) in
                [(Setting::AksName, &aks.name), (Setting::AksResourceGroup, &aks.resource_group), (Setting::AksSubscription, &aks.subscription)]
            {
                check(is_azure_name(value), setting, format!("is '{value}', which is not a name in Azure"));
            }
            let url = &aks.resource_manager;
            let valid = url.starts_with("https://") || url.starts_with("http://127.0.0.1:");
            check(valid, Setting::AksResourceManager, format!("is '{url}', which does not begin with https://"));
        }
        if invalid.is_empty() { Ok(()) } else { Err(invalid) }
    }

    /// The image of a PostgreSQL version. One that is not on offer any more has a tag that no longer moves.
    #[must_use]
    pub fn image(&self, version: PostgresVersion) -> String {
        self.image_with(version, &version.release().map(|release| format!("-{}", release.debian)).unwrap_or_default())
    }

    /// The image of an instance of a release that did not pin images. It is the same as then, because another one would restart it.
    #[must_use]
    pub fn image_of_earlier_release(&self, version: PostgresVersion) -> String {
        self.image_with(version, "")
    }

    fn image_with(&self, version: PostgresVersion, default_suffix: &str) -> String {
        let registry = self.image_registry.as_ref().map(|registry| format!("{registry}/")).unwrap_or_default();
        let suffix = self.image_tag_suffix.as_deref().unwrap_or(default_suffix);
        let digest = self.image_digests.get(&version.0).map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{registry}{}:{version}{suffix}{digest}", self.image_repository)
    }
}

fn supported() -> String {
    PostgresVersion::offered().map(|version| version.to_string()).collect::<Vec<_>>().join(", ")
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

/// A setting that is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {problem}")]
pub struct InvalidSetting {
    /// The setting.
    pub setting: Setting,
    /// What is wrong with it: the rest of a sentence that begins with its name.
    pub problem: String,
}

/// The settings that [`Settings::validate`] checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// [`Settings::namespace`]
    Namespace,
    /// [`Settings::versions`]
    Versions,
    /// [`Settings::image_registry`]
    ImageRegistry,
    /// [`Settings::image_repository`]
    ImageRepository,
    /// [`Settings::image_digests`]
    ImageDigests,
    /// [`Settings::image_uid`]
    ImageUid,
    /// [`Settings::cluster_domain`]
    ClusterDomain,
    /// [`Settings::dns_label_domain`]
    DnsLabelDomain,
    /// [`Settings::storage_class`]
    StorageClass,
    /// [`Settings::tolerations`]
    Tolerations,
    /// [`RestoreSettings::image`]
    RestoreImage,
    /// [`RestoreSettings::service_account`]
    RestoreServiceAccount,
    /// [`Aks::name`]
    AksName,
    /// [`Aks::resource_group`]
    AksResourceGroup,
    /// [`Aks::subscription`]
    AksSubscription,
    /// [`Aks::resource_manager`]
    AksResourceManager,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "namespace",
            Self::Versions => "versions",
            Self::ImageRegistry => "imageRegistry",
            Self::ImageRepository => "imageRepository",
            Self::ImageDigests => "imageDigests",
            Self::ImageUid => "imageUid",
            Self::ClusterDomain => "clusterDomain",
            Self::DnsLabelDomain => "dnsLabelDomain",
            Self::StorageClass => "storageClass",
            Self::Tolerations => "tolerations",
            Self::RestoreImage => "restore.image",
            Self::RestoreServiceAccount => "restore.serviceAccount",
            Self::AksName => "cluster.name",
            Self::AksResourceGroup => "cluster.resourceGroup",
            Self::AksSubscription => "cluster.subscription",
            Self::AksResourceManager => "cluster.resourceManager",
        })
    }
}

/// How the cluster is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "from", deny_unknown_fields)]
pub enum ClusterSource {
    /// The service account of the pod if this process runs in one, else the default kubeconfig.
    #[default]
    Detect,
    /// The service account of the pod that this process runs in.
    InCluster,
    /// A kubeconfig.
    Kubeconfig {
        /// The file; unset, the one that kubectl would use.
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
    /// Which credentials are tried.
    #[serde(default)]
    pub credentials: AzureCredentials,
    /// The client id of a user-assigned managed identity; unset, the system-assigned one.
    #[serde(default)]
    pub client_id: Option<String>,
}

/// Which credentials of this process for Azure are tried, in the order of `DefaultAzureCredential` of the Azure SDKs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AzureCredentials {
    /// Workload identity, managed identity, developer tools.
    #[default]
    All,
    /// Workload identity, managed identity.
    Production,
    /// Developer tools: the Azure CLI and the Azure Developer CLI.
    Development,
    /// Workload identity.
    WorkloadIdentity,
    /// Managed identity.
    ManagedIdentity,
}

impl Aks {
    /// Azure Resource Manager of the public cloud.
    #[must_use]
    pub fn public_cloud() -> String {
        "https://management.azure.com".to_owned()
    }
}

impl fmt::Display for Aks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the AKS cluster {} of the resource group {}", self.name, self.resource_group)
    }
}

/// How the endpoint of an instance without a load balancer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndpointHost {
    /// The DNS name of the client Service.
    ServiceName,
    /// The ClusterIP of the client Service, for a control plane outside the cluster, where its names do not resolve.
    ClusterIp,
}

/// A toleration, with the fields that it has in a pod.
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
    fn problem(&self) -> Option<String> {
        let one_of = |what: &str, value: &Option<String>, allowed: &[&str]| {
            let value = value.as_deref()?;
            (!allowed.contains(&value)).then(|| format!("contains the {what} '{value}', which is none of {}", allowed.join(", ")))
        };
        one_of("operator", &self.operator, &["Equal", "Exists"])
            .or_else(|| one_of("effect", &self.effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]))
            .or_else(|| {
                (self.key.is_none() && self.operator.as_deref() != Some("Exists"))
                    .then(|| "contains a toleration without a key and without the operator Exists".to_owned())
            })
    }
}

/// Whether a text can be a segment of a path of Azure Resource Manager.
fn is_azure_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_.()".contains(c))
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
    fn missing_fields_have_their_defaults() {
        let settings: Settings = serde_json::from_str(
            r#"{"namespace": "pg", "cluster": {"from": "kubeconfig", "context": "kind"}, "tolerations": [{"key": "db", "operator": "Exists"}], "versions": [17]}"#,
        )
        .unwrap();
        assert_eq!(settings.cluster, ClusterSource::Kubeconfig { path: None, context: Some("kind".into()) });
        assert_eq!(settings.image(PostgresVersion(17)), "postgres:17-trixie");
        assert!(settings.validate().is_ok());
        assert!(serde_json::from_str::<Settings>(r#"{"nameSpace": "pg"}"#).is_err(), "a misspelt setting is refused");
    }

    #[test]
    fn an_image_is_pinned() {
        let settings = Settings::default();
        assert_eq!(settings.image(PostgresVersion(14)), "postgres:14", "it is not built any more");
        assert_eq!(settings.image_of_earlier_release(PostgresVersion(17)), "postgres:17");
        let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let settings = Settings {
            image_registry: Some("r.example.com".to_owned()),
            image_tag_suffix: Some("-bookworm".to_owned()),
            image_digests: [(17, digest.clone())].into(),
            ..settings
        };
        assert!(settings.validate().is_ok());
        assert_eq!(settings.image(PostgresVersion(17)), format!("r.example.com/postgres:17-bookworm@{digest}"));
        assert_eq!(settings.image(PostgresVersion(16)), "r.example.com/postgres:16-bookworm");
        assert_eq!(Settings { image_tag_suffix: Some(String::new()), ..settings }.image(PostgresVersion(16)), "r.example.com/postgres:16");
    }

    #[test]
    fn every_invalid_setting_is_reported() {
        let (versions, image_digests) = (vec![PostgresVersion(14)], [(17, "sha256:12".to_owned())].into());
        let wrong = Settings { namespace: "No".into(), versions, image_digests, image_uid: 0, ..Settings::default() };
        let invalid = wrong.validate().unwrap_err();
        let settings: Vec<Setting> = invalid.iter().map(|invalid| invalid.setting).collect();
        assert_eq!(settings, [Setting::Namespace, Setting::Versions, Setting::ImageDigests, Setting::ImageUid]);
        assert_eq!(invalid[1].to_string(), "versions contains PostgreSQL 14, which is none of 18, 17, 16, 15");
        assert_eq!(invalid[0].to_string(), "namespace is 'No', which is not a DNS label");
    }
}
