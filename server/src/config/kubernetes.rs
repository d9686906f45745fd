//! The Kubernetes runtime's part of the configuration: where the cluster is, and what the platform decides for instances.

use std::collections::BTreeMap;

use clap::Args;
use toygres_domain::instance::PostgresVersion;
use toygres_k8s::{
    Settings,
    settings::{Aks, ClusterSource, EndpointHost, Toleration},
};

/// The cluster, and what the platform decides for all instances in it. It only matters with `TOYGRES_RUNTIME=kubernetes`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "With the Kubernetes runtime")]
pub struct KubernetesConfig {
    /// The namespace of instances in the cluster.
    #[arg(long, env = "AKS_NAMESPACE", default_value = "toygres")]
    pub namespace: String,
    /// Context of the kubeconfig [default: the pod's service account, or else the current context].
    #[arg(long, env = "TOYGRES_KUBE_CONTEXT")]
    pub kube_context: Option<String>,
    /// Name of a cluster of Azure Kubernetes Service, whose credentials are fetched from Azure.
    #[arg(long, env = "AKS_CLUSTER_NAME")]
    pub aks_cluster_name: Option<String>,
    /// Resource group of that cluster.
    #[arg(long, env = "AKS_RESOURCE_GROUP")]
    pub aks_resource_group: Option<String>,
    /// Azure subscription of that cluster.
    #[arg(long, env = "AZURE_SUBSCRIPTION_ID")]
    pub azure_subscription_id: Option<String>,
    /// Azure Resource Manager [default: the public cloud's].
    #[arg(long, env = "AZURE_RESOURCE_MANAGER_URL")]
    pub azure_resource_manager_url: Option<String>,
    /// How endpoints are written: service (DNS name of the Service) or cluster-ip [default: by whether such names resolve here].
    #[arg(long, env = "TOYGRES_ENDPOINT_HOST", value_parser = parse_endpoint_host)]
    pub endpoint_host: Option<EndpointHost>,
    /// DNS domain of the cluster.
    #[arg(long, env = "TOYGRES_CLUSTER_DOMAIN", default_value = "cluster.local")]
    pub cluster_domain: String,
    /// What the cloud appends to DNS labels of load balancers, for example westeurope.cloudapp.azure.com.
    #[arg(long, env = "TOYGRES_DNS_LABEL_DOMAIN")]
    pub dns_label_domain: Option<String>,
    /// Storage class of volumes [default: the cluster's default].
    #[arg(long, env = "TOYGRES_STORAGE_CLASS")]
    pub storage_class: Option<String>,
    /// Registry of the PostgreSQL images, for example myregistry.azurecr.io [default: the cluster's].
    #[arg(long, env = "TOYGRES_IMAGE_REGISTRY")]
    pub image_registry: Option<String>,
    /// Repository of the PostgreSQL images, which must start as the official ones do.
    #[arg(long, env = "TOYGRES_IMAGE_REPOSITORY", default_value = "postgres")]
    pub image_repository: String,
    /// What follows the major version in a tag, for example -bookworm.
    #[arg(long, env = "TOYGRES_IMAGE_TAG_SUFFIX", default_value = "", allow_hyphen_values = true)]
    pub image_tag_suffix: String,
    /// User and group that the images run PostgreSQL as: 999 in Debian images, 70 in Alpine ones.
    #[arg(long, env = "TOYGRES_IMAGE_UID", default_value = "999")]
    pub image_uid: i64,
    /// Secrets with the registry's credentials, separated by commas.
    #[arg(long, env = "TOYGRES_IMAGE_PULL_SECRETS", value_delimiter = ',')]
    pub image_pull_secrets: Vec<String>,
    /// PostgreSQL versions on offer, separated by commas.
    #[arg(long, env = "TOYGRES_POSTGRES_VERSIONS", value_delimiter = ',', default_value = "18,17,16,15,14", value_parser = parse_version)]
    pub postgres_versions: Vec<PostgresVersion>,
    /// Labels of the nodes that instances may run on: key=value, separated by commas.
    #[arg(long, env = "TOYGRES_NODE_SELECTOR", value_parser = parse_pairs)]
    pub node_selector: Option<Pairs>,
    /// Taints that instances tolerate, as JSON: [{"key": "database", "operator": "Exists", "effect": "NoSchedule"}].
    #[arg(long, env = "TOYGRES_TOLERATIONS", value_parser = parse_tolerations)]
    pub tolerations: Option<Tolerations>,
    /// Whether the processors an instance asks for are also the most that it gets.
    #[arg(long, env = "TOYGRES_LIMIT_CPU", default_value = "false", action = clap::ArgAction::Set, value_parser = super::parse_bool)]
    pub limit_cpu: bool,
    /// Annotations of the pods of instances, as JSON: {"key": "value"}.
    #[arg(long, env = "TOYGRES_POD_ANNOTATIONS", value_parser = parse_annotations)]
    pub pod_annotations: Option<Pairs>,
    /// Annotations of the Services that clients connect to, as JSON: {"key": "value"}.
    #[arg(long, env = "TOYGRES_SERVICE_ANNOTATIONS", value_parser = parse_annotations)]
    pub service_annotations: Option<Pairs>,
}

/// Keys and values; a type of its own, since clap takes a bare map or list for several values.
pub type Pairs = std::sync::Arc<BTreeMap<String, String>>;

/// See [`Pairs`].
pub type Tolerations = std::sync::Arc<Vec<Toleration>>;

impl KubernetesConfig {
    /// The settings of the runtime.
    ///
    /// # Errors
    /// One sentence for each mistake.
    pub fn settings(&self) -> Result<Settings, String> {
        let Self {
            namespace,
            kube_context: _,
            aks_cluster_name: _,
            aks_resource_group: _,
            azure_subscription_id: _,
            azure_resource_manager_url: _,
            endpoint_host,
            cluster_domain,
            dns_label_domain,
            storage_class,
            image_registry,
            image_repository,
            image_tag_suffix,
            image_uid,
            image_pull_secrets,
            postgres_versions,
            node_selector,
            tolerations,
            limit_cpu,
            pod_annotations,
            service_annotations,
        } = self;
        let settings = Settings {
            cluster: self.cluster()?,
            namespace: namespace.clone(),
            endpoint_host: *endpoint_host,
            cluster_domain: cluster_domain.clone(),
            dns_label_domain: set(dns_label_domain),
            storage_class: set(storage_class),
            image_registry: set(image_registry),
            image_repository: image_repository.clone(),
            image_tag_suffix: image_tag_suffix.clone(),
            image_uid: *image_uid,
            image_pull_secrets: image_pull_secrets.iter().filter(|name| !name.is_empty()).cloned().collect(),
            versions: postgres_versions.clone(),
            node_selector: node_selector.as_deref().cloned().unwrap_or_default(),
            tolerations: tolerations.as_deref().cloned().unwrap_or_default(),
            limit_cpu: *limit_cpu,
            pod_annotations: pod_annotations.as_deref().cloned().unwrap_or_default(),
            service_annotations: service_annotations.as_deref().cloned().unwrap_or_default(),
        };
        let mistakes = settings.mistakes();
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes.join(" ")) }
    }

    fn cluster(&self) -> Result<ClusterSource, String> {
        let azure = [
            ("AKS_CLUSTER_NAME", &self.aks_cluster_name),
            ("AKS_RESOURCE_GROUP", &self.aks_resource_group),
            ("AZURE_SUBSCRIPTION_ID", &self.azure_subscription_id),
        ];
        let context = set(&self.kube_context);
        // The subscription alone is often set for other tools.
        let Some(name) = set(&self.aks_cluster_name) else {
            return match (context, set(&self.aks_resource_group)) {
                (_, Some(_)) => Err("AKS_CLUSTER_NAME must be set when AKS_RESOURCE_GROUP is.".to_owned()),
                (Some(context), None) => Ok(ClusterSource::Kubeconfig { path: None, context: Some(context) }),
                (None, None) => Ok(ClusterSource::Detect),
            };
        };
        let missing: Vec<&str> = azure.iter().filter(|(_, value)| set(value).is_none()).map(|(variable, _)| *variable).collect();
        if !missing.is_empty() {
            return Err(format!("{} must be set when AKS_CLUSTER_NAME is.", missing.join(" and ")));
        }
        if context.is_some() {
            return Err("TOYGRES_KUBE_CONTEXT and AKS_CLUSTER_NAME exclude each other: the cluster is found in one way.".to_owned());
        }
        Ok(ClusterSource::Aks(Aks {
            subscription: set(&self.azure_subscription_id).unwrap_or_default(),
            resource_group: set(&self.aks_resource_group).unwrap_or_default(),
            name,
            resource_manager: set(&self.azure_resource_manager_url).unwrap_or_else(Aks::public_cloud),
        }))
    }
}

/// What is set to nothing is not set: charts and `.env` files leave such variables behind.
fn set(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
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
    fn what_is_not_said_has_the_runtimes_defaults() {
        assert_eq!(settings(&[]).unwrap(), Settings::default());
    }

    #[test]
    fn everything_can_be_said() {
        let said = settings(&[
            "--namespace=pg",
            "--aks-cluster-name=c",
            "--aks-resource-group=rg",
            "--azure-subscription-id=s",
            "--endpoint-host=cluster-ip",
            "--cluster-domain=k8s.example",
            "--dns-label-domain=westeurope.cloudapp.azure.com",
            "--storage-class=fast",
            "--image-registry=r.azurecr.io",
            "--image-repository=library/postgres",
            "--image-tag-suffix=-alpine",
            "--image-uid=70",
            "--image-pull-secrets=a,b",
            "--postgres-versions=17,16",
            "--node-selector=pool=db, zone=1",
            r#"--tolerations=[{"key": "db", "operator": "Exists"}]"#,
            "--limit-cpu=true",
            r#"--pod-annotations={"a": "1"}"#,
            r#"--service-annotations={"b": "2"}"#,
        ])
        .unwrap();
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
        let expected = Settings {
            cluster: ClusterSource::Aks(Aks {
                subscription: "s".into(),
                resource_group: "rg".into(),
                name: "c".into(),
                resource_manager: "https://management.azure.com".into(),
            }),
            namespace: "pg".into(),
            endpoint_host: Some(EndpointHost::ClusterIp),
            cluster_domain: "k8s.example".into(),
            dns_label_domain: Some("westeurope.cloudapp.azure.com".into()),
            storage_class: Some("fast".into()),
            image_registry: Some("r.azurecr.io".into()),
            image_repository: "library/postgres".into(),
            image_tag_suffix: "-alpine".into(),
            image_uid: 70,
            image_pull_secrets: vec!["a".into(), "b".into()],
            versions: vec![PostgresVersion(17), PostgresVersion(16)],
            node_selector: pairs(&[("pool", "db"), ("zone", "1")]),
            tolerations: vec![Toleration { key: Some("db".into()), operator: Some("Exists".into()), ..Toleration::default() }],
            limit_cpu: true,
            pod_annotations: pairs(&[("a", "1")]),
            service_annotations: pairs(&[("b", "2")]),
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
    fn every_mistake_has_its_sentence() {
        for (arguments, sentence) in [
            (vec!["--aks-cluster-name=c"], "AKS_RESOURCE_GROUP and AZURE_SUBSCRIPTION_ID must be set when AKS_CLUSTER_NAME is."),
            (vec!["--aks-resource-group=rg"], "AKS_CLUSTER_NAME must be set when AKS_RESOURCE_GROUP is."),
            (
                vec!["--aks-cluster-name=a/b", "--aks-resource-group=rg", "--azure-subscription-id=s", "--azure-resource-manager-url=ftp://x"],
                "AKS_CLUSTER_NAME is 'a/b', which is no name of Azure's. AZURE_RESOURCE_MANAGER_URL is 'ftp://x': it must begin with https://.",
            ),
            (vec!["--kube-context=k", "--aks-cluster-name=c", "--aks-resource-group=rg", "--azure-subscription-id=s"], "exclude each other"),
            (vec!["--namespace=A B"], "AKS_NAMESPACE"),
            (vec!["--postgres-versions=9"], "PostgreSQL 9 is not supported"),
            (vec!["--postgres-versions=new"], "major versions of PostgreSQL"),
            (vec!["--image-uid=0"], "TOYGRES_IMAGE_UID"),
            (vec!["--node-selector=pool"], "key=value"),
            (vec!["--tolerations={}"], "JSON list of tolerations"),
            (vec![r#"--tolerations=[{"operator": "Sometimes"}]"#], "TOYGRES_TOLERATIONS"),
            (vec![r#"--pod-annotations={"a": 1}"#], "JSON object of texts"),
            (vec!["--endpoint-host=name"], "service or cluster-ip"),
        ] {
            let error = settings(&arguments).unwrap_err();
            assert!(error.contains(sentence), "{arguments:?}: {error}");
        }
    }
}
