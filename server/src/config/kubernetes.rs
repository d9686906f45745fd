//! The configuration of the Kubernetes runtime, in groups. Only here its variables have names.

use std::collections::BTreeMap;

use clap::Args;
use toygres_domain::instance::PostgresVersion;
use toygres_k8s::{
    Settings,
    settings::{Aks, AzureCredentials, ClusterSource, EndpointHost, InvalidSetting, RestoreSettings, Setting, StoreAccess, Toleration},
};

/// The settings of the Kubernetes runtime. They only matter with `TOYGRES_RUNTIME=kubernetes`.
#[derive(Args, Clone, Debug)]
pub struct KubernetesConfig {
    #[command(flatten)]
    cluster: ClusterConfig,
    #[command(flatten)]
    aks: AksConfig,
    #[command(flatten)]
    endpoints: EndpointConfig,
    #[command(flatten)]
    images: ImageConfig,
    #[command(flatten)]
    pods: PodConfig,
    #[command(flatten)]
    restore: RestoreConfig,
}

/// Where the cluster is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
struct ClusterConfig {
    /// The namespace of instances in the cluster, which holds nothing else.
    #[arg(long, env = NAMESPACE, default_value = "toygres-instances")]
    namespace: String,
    /// Context of the kubeconfig [default: the pod's service account, or else the current context].
    #[arg(long, env = KUBE_CONTEXT)]
    kube_context: Option<String>,
}

/// A cluster of Azure Kubernetes Service.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
struct AksConfig {
    /// Name of a cluster of Azure Kubernetes Service, whose credentials are fetched from Azure.
    #[arg(long, env = AKS_NAME)]
    aks_cluster_name: Option<String>,
    /// Resource group of that cluster.
    #[arg(long, env = AKS_RESOURCE_GROUP)]
    aks_resource_group: Option<String>,
    /// Azure subscription of that cluster.
    #[arg(long, env = AZURE_SUBSCRIPTION)]
    azure_subscription_id: Option<String>,
    /// Azure Resource Manager [default: the public cloud's].
    #[arg(long, env = AZURE_RESOURCE_MANAGER)]
    azure_resource_manager_url: Option<String>,
    /// Credentials for Azure that are tried: prod, dev, WorkloadIdentityCredential or ManagedIdentityCredential [default: all].
    #[arg(long, env = "AZURE_TOKEN_CREDENTIALS", value_parser = parse_azure_credentials)]
    azure_token_credentials: Option<AzureCredentials>,
    /// Client id of a user-assigned managed identity [default: the system-assigned one].
    #[arg(long, env = "AZURE_CLIENT_ID")]
    azure_client_id: Option<String>,
}

/// How endpoints are written.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
struct EndpointConfig {
    /// How endpoints are written: service (DNS name of the Service) or cluster-ip [default: by whether such names resolve here].
    #[arg(long, env = "TOYGRES_ENDPOINT_HOST", value_parser = parse_endpoint_host)]
    endpoint_host: Option<EndpointHost>,
    /// DNS domain of the cluster.
    #[arg(long, env = CLUSTER_DOMAIN, default_value = "cluster.local")]
    cluster_domain: String,
    /// What the cloud appends to DNS labels of load balancers, for example westeurope.cloudapp.azure.com.
    #[arg(long, env = DNS_LABEL_DOMAIN)]
    dns_label_domain: Option<String>,
    /// Annotations of the Services that clients connect to, as JSON: {"key": "value"}.
    #[arg(long, env = "TOYGRES_SERVICE_ANNOTATIONS", value_parser = parse_annotations)]
    service_annotations: Option<Pairs>,
}

/// The images of PostgreSQL.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
struct ImageConfig {
    /// Registry of the PostgreSQL images, for example myregistry.azurecr.io [default: the cluster's].
    #[arg(long, env = IMAGE_REGISTRY)]
    image_registry: Option<String>,
    /// Repository of the PostgreSQL images, which must start as the official ones do.
    #[arg(long, env = IMAGE_REPOSITORY, default_value = "postgres")]
    image_repository: String,
    /// What follows the major version in a tag, for example -bookworm [default: the release of Debian that each version is pinned to].
    #[arg(long, env = "TOYGRES_IMAGE_TAG_SUFFIX", allow_hyphen_values = true)]
    image_tag_suffix: Option<String>,
    /// Digests of the images: <major version>=sha256:<64 hexadecimal digits>, separated by commas.
    #[arg(long, env = IMAGE_DIGESTS, value_parser = parse_digests)]
    image_digests: Option<Digests>,
    /// User and group that the images run PostgreSQL as: 999 in Debian images, 70 in Alpine ones.
    #[arg(long, env = IMAGE_UID, default_value = "999")]
    image_uid: i64,
    /// Secrets with the registry's credentials, separated by commas.
    #[arg(long, env = "TOYGRES_IMAGE_PULL_SECRETS", value_delimiter = ',')]
    image_pull_secrets: Vec<String>,
    /// PostgreSQL versions that are offered, separated by commas.
    #[arg(long, env = VERSIONS, value_delimiter = ',', default_values_t = PostgresVersion::offered(), value_parser = parse_version)]
    postgres_versions: Vec<PostgresVersion>,
}

/// The volumes, the nodes and the resources of pods.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
struct PodConfig {
    /// Storage class of volumes [default: the cluster's default].
    #[arg(long, env = STORAGE_CLASS)]
    storage_class: Option<String>,
    /// Labels of the nodes that instances may run on: key=value, separated by commas.
    #[arg(long, env = "TOYGRES_NODE_SELECTOR", value_parser = parse_pairs)]
    node_selector: Option<Pairs>,
    /// Taints that instances tolerate, as JSON: [{"key": "database", "operator": "Exists", "effect": "NoSchedule"}].
    #[arg(long, env = TOLERATIONS, value_parser = parse_tolerations)]
    tolerations: Option<Tolerations>,
    /// Whether the processors an instance asks for are also the most that it gets.
    #[arg(long, env = "TOYGRES_LIMIT_CPU", default_value = "false", action = clap::ArgAction::Set, value_parser = super::parse_bool)]
    limit_cpu: bool,
    /// Annotations of the pods of instances, as JSON: {"key": "value"}.
    #[arg(long, env = "TOYGRES_POD_ANNOTATIONS", value_parser = parse_annotations)]
    pod_annotations: Option<Pairs>,
}

/// How instances are restored from backups.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
struct RestoreConfig {
    /// Image of this program, which pods fetch backups with [default: none, and no instance can be restored].
    #[arg(long, env = RESTORE_IMAGE)]
    restore_image: Option<String>,
    /// Service account of those pods in the namespace of instances, for an identity of the workload [default: the namespace's].
    #[arg(long, env = RESTORE_SERVICE_ACCOUNT)]
    restore_service_account: Option<String>,
}

// The variables that messages name.
const NAMESPACE: &str = "AKS_NAMESPACE";
const KUBE_CONTEXT: &str = "TOYGRES_KUBE_CONTEXT";
const AKS_NAME: &str = "AKS_CLUSTER_NAME";
const AKS_RESOURCE_GROUP: &str = "AKS_RESOURCE_GROUP";
const AZURE_SUBSCRIPTION: &str = "AZURE_SUBSCRIPTION_ID";
const AZURE_RESOURCE_MANAGER: &str = "AZURE_RESOURCE_MANAGER_URL";
const CLUSTER_DOMAIN: &str = "TOYGRES_CLUSTER_DOMAIN";
const DNS_LABEL_DOMAIN: &str = "TOYGRES_DNS_LABEL_DOMAIN";
const STORAGE_CLASS: &str = "TOYGRES_STORAGE_CLASS";
const IMAGE_REGISTRY: &str = "TOYGRES_IMAGE_REGISTRY";
const IMAGE_REPOSITORY: &str = "TOYGRES_IMAGE_REPOSITORY";
const IMAGE_DIGESTS: &str = "TOYGRES_IMAGE_DIGESTS";
const IMAGE_UID: &str = "TOYGRES_IMAGE_UID";
const VERSIONS: &str = "TOYGRES_POSTGRES_VERSIONS";
const TOLERATIONS: &str = "TOYGRES_TOLERATIONS";
const RESTORE_IMAGE: &str = "TOYGRES_RESTORE_IMAGE";
const RESTORE_SERVICE_ACCOUNT: &str = "TOYGRES_RESTORE_SERVICE_ACCOUNT";

/// Keys and values; a type of its own, since clap takes a bare map or list for several values.
pub type Pairs = std::sync::Arc<BTreeMap<String, String>>;

/// See [`Pairs`].
pub type Digests = std::sync::Arc<BTreeMap<u16, String>>;

/// See [`Pairs`].
pub type Tolerations = std::sync::Arc<Vec<Toleration>>;

impl KubernetesConfig {
    /// The settings of the runtime, besides the store of backups.
    ///
    /// # Errors
    /// One sentence for each invalid variable.
    pub fn settings(&self) -> Result<Settings, String> {
        let Self { cluster, aks, endpoints, images, pods, restore } = self;
        let EndpointConfig { endpoint_host, cluster_domain, dns_label_domain, service_annotations } = endpoints;
        let ImageConfig { image_registry, image_repository, image_tag_suffix, image_digests, image_uid, image_pull_secrets, postgres_versions } =
            images;
        let RestoreConfig { restore_image, restore_service_account } = restore;
        let PodConfig { storage_class, node_selector, tolerations, limit_cpu, pod_annotations } = pods;
        let settings = Settings {
            cluster: source(cluster, aks)?,
            namespace: cluster.namespace.clone(),
            endpoint_host: *endpoint_host,
            cluster_domain: cluster_domain.clone(),
            dns_label_domain: set(dns_label_domain),
            storage_class: set(storage_class),
            image_registry: set(image_registry),
            image_repository: image_repository.clone(),
            image_tag_suffix: set(image_tag_suffix),
            image_digests: image_digests.as_deref().cloned().unwrap_or_default(),
            image_uid: *image_uid,
            image_pull_secrets: image_pull_secrets.iter().filter(|name| !name.is_empty()).cloned().collect(),
            versions: postgres_versions.clone(),
            node_selector: node_selector.as_deref().cloned().unwrap_or_default(),
            tolerations: tolerations.as_deref().cloned().unwrap_or_default(),
            limit_cpu: *limit_cpu,
            pod_annotations: pod_annotations.as_deref().cloned().unwrap_or_default(),
            service_annotations: service_annotations.as_deref().cloned().unwrap_or_default(),
            restore: RestoreSettings { image: set(restore_image), service_account: set(restore_service_account), store: StoreAccess::None },
        };
        match settings.validate() {
            Ok(()) => Ok(settings),
            Err(invalid) => {
                let sentence = |invalid: &InvalidSetting| format!("{} {}.", variable(invalid.setting), invalid.problem);
                Err(invalid.iter().map(sentence).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// The variable of a setting.
fn variable(setting: Setting) -> &'static str {
    match setting {
        Setting::Namespace => NAMESPACE,
        Setting::Versions => VERSIONS,
        Setting::ImageRegistry => IMAGE_REGISTRY,
        Setting::ImageRepository => IMAGE_REPOSITORY,
        Setting::ImageDigests => IMAGE_DIGESTS,
        Setting::ImageUid => IMAGE_UID,
        Setting::ClusterDomain => CLUSTER_DOMAIN,
        Setting::DnsLabelDomain => DNS_LABEL_DOMAIN,
        Setting::StorageClass => STORAGE_CLASS,
        Setting::Tolerations => TOLERATIONS,
        Setting::RestoreImage => RESTORE_IMAGE,
        Setting::RestoreServiceAccount => RESTORE_SERVICE_ACCOUNT,
        Setting::AksName => AKS_NAME,
        Setting::AksResourceGroup => AKS_RESOURCE_GROUP,
        Setting::AksSubscription => AZURE_SUBSCRIPTION,
        Setting::AksResourceManager => AZURE_RESOURCE_MANAGER,
    }
}

/// How the cluster is found.
fn source(cluster: &ClusterConfig, aks: &AksConfig) -> Result<ClusterSource, String> {
    let AksConfig {
        aks_cluster_name,
        aks_resource_group,
        azure_subscription_id,
        azure_resource_manager_url,
        azure_token_credentials,
        azure_client_id,
    } = aks;
    let context = set(&cluster.kube_context);
    // The subscription and the identity alone are often set for other tools.
    let Some(name) = set(aks_cluster_name) else {
        return match (context, set(aks_resource_group)) {
            (_, Some(_)) => Err(format!("{AKS_NAME} must be set when {AKS_RESOURCE_GROUP} is.")),
            (Some(context), None) => Ok(ClusterSource::Kubeconfig { path: None, context: Some(context) }),
            (None, None) => Ok(ClusterSource::Detect),
        };
    };
    let required = [(AKS_RESOURCE_GROUP, aks_resource_group), (AZURE_SUBSCRIPTION, azure_subscription_id)];
    let missing: Vec<&str> = required.iter().filter(|(_, value)| set(value).is_none()).map(|(variable, _)| *variable).collect();
    if !missing.is_empty() {
        return Err(format!("{} must be set when {AKS_NAME} is.", missing.join(" and ")));
    }
    if context.is_some() {
        return Err(format!("{KUBE_CONTEXT} and {AKS_NAME} exclude each other: the cluster is found in one way."));
    }
    Ok(ClusterSource::Aks(Aks {
        subscription: set(azure_subscription_id).unwrap_or_default(),
        resource_group: set(aks_resource_group).unwrap_or_default(),
        name,
        resource_manager: set(azure_resource_manager_url).unwrap_or_else(Aks::public_cloud),
        credentials: azure_token_credentials.unwrap_or_default(),
        client_id: set(azure_client_id),
    }))
}

/// An empty variable counts as not set: charts and `.env` files contain such variables.
fn set(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

/// The values of `AZURE_TOKEN_CREDENTIALS` in the Azure SDKs.
fn parse_azure_credentials(text: &str) -> Result<AzureCredentials, String> {
    match text.to_ascii_lowercase().as_str() {
        "" => Ok(AzureCredentials::All),
        "prod" => Ok(AzureCredentials::Production),
        "dev" => Ok(AzureCredentials::Development),
        "workloadidentitycredential" => Ok(AzureCredentials::WorkloadIdentity),
        "managedidentitycredential" => Ok(AzureCredentials::ManagedIdentity),
        _ => Err("it must be prod, dev, WorkloadIdentityCredential or ManagedIdentityCredential".to_owned()),
    }
}

fn parse_endpoint_host(text: &str) -> Result<EndpointHost, String> {
    match text {
        "service" => Ok(EndpointHost::ServiceName),
        "cluster-ip" => Ok(EndpointHost::ClusterIp),
        _ => Err("it must be service or cluster-ip".to_owned()),
    }
}

fn parse_version(text: &str) -> Result<PostgresVersion, String> {
    text.trim().parse().map(PostgresVersion).map_err(|_| "it must be major versions of PostgreSQL, for example 18,17".to_owned())
}

fn parse_pairs(text: &str) -> Result<Pairs, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let pair = |entry: &str| entry.split_once('=').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    entries
        .map(|entry| pair(entry).filter(|(key, _)| !key.is_empty()))
        .collect::<Option<BTreeMap<_, _>>>()
        .map(Pairs::new)
        .ok_or_else(|| "it must be key=value, separated by commas".to_owned())
}

fn parse_digests(text: &str) -> Result<Digests, String> {
    let by_version = |(version, digest): (&String, &String)| Some((version.parse().ok()?, digest.clone()));
    let pairs = parse_pairs(text).ok().and_then(|pairs| pairs.iter().map(by_version).collect::<Option<BTreeMap<_, _>>>());
    pairs.map(Digests::new).ok_or_else(|| "it must be a major version and a digest, for example 17=sha256:0a1b..., separated by commas".to_owned())
}

fn parse_annotations(text: &str) -> Result<Pairs, String> {
    json(text, "it must be a JSON object of texts, for example {\"key\": \"value\"}")
}

fn parse_tolerations(text: &str) -> Result<Tolerations, String> {
    json(text, "it must be a JSON list of tolerations as in a pod, for example [{\"key\": \"database\", \"operator\": \"Exists\"}]")
}

fn json<T: serde::de::DeserializeOwned + Default>(text: &str, expected: &str) -> Result<std::sync::Arc<T>, String> {
    if text.trim().is_empty() {
        return Ok(std::sync::Arc::default());
    }
    serde_json::from_str(text).map(std::sync::Arc::new).map_err(|error| format!("{expected} ({error})"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        kubernetes: KubernetesConfig,
    }

    fn settings(arguments: &[&str]) -> Result<Settings, String> {
        let line = Line::try_parse_from([&["test"], arguments].concat()).map_err(|error| error.to_string())?;
        line.kubernetes.settings()
    }

    #[test]
    fn the_defaults_are_those_of_the_runtime() {
        assert_eq!(settings(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn every_setting_can_be_set() {
        let said = settings(&[
            "--namespace=pg",
            "--aks-cluster-name=c",
            "--aks-resource-group=rg",
            "--azure-subscription-id=s",
            "--azure-token-credentials=ManagedIdentityCredential",
            "--azure-client-id=i",
            "--endpoint-host=cluster-ip",
            "--cluster-domain=k8s.example",
            "--dns-label-domain=westeurope.cloudapp.azure.com",
            "--storage-class=fast",
            "--image-registry=r.azurecr.io",
            "--image-repository=library/postgres",
            "--image-tag-suffix=-alpine",
            &format!("--image-digests=17=sha256:{},16=sha256:{}", "a".repeat(64), "b".repeat(64)),
            "--image-uid=70",
            "--image-pull-secrets=a,b",
            "--postgres-versions=17,16",
            "--node-selector=pool=db, zone=1",
            r#"--tolerations=[{"key": "db", "operator": "Exists"}]"#,
            "--limit-cpu=true",
            r#"--pod-annotations={"a": "1"}"#,
            r#"--service-annotations={"b": "2"}"#,
            "--restore-image=r.azurecr.io/toygres:1",
            "--restore-service-account=backups",
        ])
        .unwrap();
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
        let expected = Settings {
            cluster: ClusterSource::Aks(Aks {
                subscription: "s".into(),
                resource_group: "rg".into(),
                name: "c".into(),
                resource_manager: "https://management.azure.com".into(),
                credentials: AzureCredentials::ManagedIdentity,
                client_id: Some("i".into()),
            }),
            namespace: "pg".into(),
            endpoint_host: Some(EndpointHost::ClusterIp),
            cluster_domain: "k8s.example".into(),
            dns_label_domain: Some("westeurope.cloudapp.azure.com".into()),
            storage_class: Some("fast".into()),
            image_registry: Some("r.azurecr.io".into()),
            image_repository: "library/postgres".into(),
            image_tag_suffix: Some("-alpine".into()),
            image_digests: [(16, format!("sha256:{}", "b".repeat(64))), (17, format!("sha256:{}", "a".repeat(64)))].into(),
            image_uid: 70,
            image_pull_secrets: vec!["a".into(), "b".into()],
            versions: vec![PostgresVersion(17), PostgresVersion(16)],
            node_selector: pairs(&[("pool", "db"), ("zone", "1")]),
            tolerations: vec![Toleration { key: Some("db".into()), operator: Some("Exists".into()), ..Toleration::default() }],
            limit_cpu: true,
            pod_annotations: pairs(&[("a", "1")]),
            service_annotations: pairs(&[("b", "2")]),
            restore: RestoreSettings {
                image: Some("r.azurecr.io/toygres:1".into()),
                service_account: Some("backups".into()),
                store: StoreAccess::None,
            },
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn the_chart_sets_variables_that_exist() {
        let chart = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../k8s/tests/golden/chart-everything.yaml")).unwrap();
        let command = <crate::config::Cli as clap::CommandFactory>::command();
        let known: Vec<&str> =
            command.get_subcommands().flat_map(clap::Command::get_arguments).filter_map(|argument| argument.get_env()?.to_str()).collect();
        let set: Vec<&str> =
            chart.lines().filter_map(|line| line.trim().strip_prefix("- name: ")).filter(|name| name.starts_with("TOYGRES_")).collect();
        assert!(set.len() > 15, "{set:?}");
        assert!(set.iter().all(|name| known.contains(name)), "{set:?}");
    }

    #[test]
    fn every_invalid_variable_is_named() {
        for (arguments, sentence) in [
            (vec!["--aks-cluster-name=c"], "AKS_RESOURCE_GROUP and AZURE_SUBSCRIPTION_ID must be set when AKS_CLUSTER_NAME is."),
            (vec!["--aks-resource-group=rg"], "AKS_CLUSTER_NAME must be set when AKS_RESOURCE_GROUP is."),
            (
                vec!["--aks-cluster-name=a/b", "--aks-resource-group=rg", "--azure-subscription-id=s", "--azure-resource-manager-url=ftp://x"],
                "AKS_CLUSTER_NAME is 'a/b', which is not a name in Azure. AZURE_RESOURCE_MANAGER_URL is 'ftp://x', which does not begin with https://.",
            ),
            (vec!["--kube-context=k", "--aks-cluster-name=c", "--aks-resource-group=rg", "--azure-subscription-id=s"], "exclude each other"),
            (vec!["--namespace=A B"], "AKS_NAMESPACE is 'A B', which is not a DNS label."),
            (vec!["--postgres-versions=14"], "TOYGRES_POSTGRES_VERSIONS contains PostgreSQL 14, which is none of 18, 17, 16, 15."),
            (vec!["--image-digests=17=sha256:0a1b"], "TOYGRES_IMAGE_DIGESTS contains 'sha256:0a1b', which is not sha256: and 64"),
            (vec!["--image-digests=new=sha256:0a1b"], "a major version and a digest"),
            (vec!["--postgres-versions=new"], "major versions of PostgreSQL"),
            (vec!["--image-uid=0"], "TOYGRES_IMAGE_UID"),
            (vec!["--node-selector=pool"], "key=value"),
            (vec!["--tolerations={}"], "JSON list of tolerations"),
            (vec![r#"--tolerations=[{"operator": "Sometimes"}]"#], "TOYGRES_TOLERATIONS contains the operator 'Sometimes'"),
            (vec!["--azure-token-credentials=magic"], "prod, dev, WorkloadIdentityCredential"),
            (vec![r#"--pod-annotations={"a": 1}"#], "JSON object of texts"),
            (vec!["--endpoint-host=name"], "service or cluster-ip"),
            (vec!["--restore-image=https://r/toygres"], "TOYGRES_RESTORE_IMAGE is 'https://r/toygres', which is not a name without a scheme."),
        ] {
            let error = settings(&arguments).unwrap_err();
            assert!(error.contains(sentence), "{arguments:?}: {error}");
        }
    }
}
