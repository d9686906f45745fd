//! The administrator of the cluster: creates the namespace and the service account, reads the objects of the cluster, and deletes
//! everything again.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{ControllerRevision, StatefulSet},
        authentication::v1::{TokenRequest, TokenRequestSpec},
        batch::v1::Job,
        core::v1::{Event, Namespace, PersistentVolumeClaim, Pod, ResourceQuota, ResourceQuotaSpec, Secret, Service, ServiceAccount},
        networking::v1::NetworkPolicy,
        rbac::v1::{PolicyRule, Role, RoleBinding, RoleRef, Subject},
        storage::v1::StorageClass,
    },
    apimachinery::pkg::api::resource::Quantity,
};
use kube::{
    Api, Client, Config, Resource, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, PropagationPolicy},
    config::{KubeConfigOptions, Kubeconfig},
    core::ObjectMeta,
};
use serde::{Serialize, de::DeserializeOwned};
use toygres_domain::{InstanceId, runtime::Deployment, secret::Secret as Password};
use toygres_k8s::{
    Settings,
    build::{self, names},
    permissions::PERMISSIONS,
};
use toygres_k8s_fake::Proxy;

use crate::Result;

const ACCOUNT: &str = "toygres";
/// The finalizer of [`Admin::hold_claim`].
const HOLD: &str = "toygres.example/test";
const TIMEOUT: Duration = Duration::from_secs(60);
/// The time-out of deletions: a pod has its grace period to stop.
const DELETION_TIMEOUT: Duration = Duration::from_secs(240);

/// An account with all permissions, and the namespace of the run.
pub struct Admin {
    client: Client,
    kubeconfig: Kubeconfig,
    fake: bool,
    pub version: String,
    pub namespace: String,
}

/// A kind of objects in the namespace.
pub trait Object:
    Resource<Scope = NamespaceResourceScope, DynamicType: Default> + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Object for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType: Default> + Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl Admin {
    /// Connects with this kubeconfig, or that of the environment, and checks the requirements of the tests.
    pub async fn connect(kubeconfig: Option<String>) -> Result<Self> {
        let fake = kubeconfig.is_some();
        let kubeconfig = match kubeconfig {
            Some(text) => Kubeconfig::from_yaml(&text).map_err(|error| error.to_string())?,
            None => match Kubeconfig::from_env().map_err(|error| format!("KUBECONFIG: {error}"))? {
                Some(kubeconfig) => kubeconfig,
                None => Kubeconfig::read().map_err(|error| format!("there is no kubeconfig (KUBECONFIG is not set): {error}"))?,
            },
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default())
            .await
            .map_err(|error| format!("the kubeconfig cannot be used: {error}"))?;
        config.connect_timeout = Some(Duration::from_secs(10));
        let client = Client::try_from(config).map_err(|error| format!("the kubeconfig cannot be used: {error}"))?;
        let version = tokio::time::timeout(TIMEOUT, client.apiserver_version()).await;
        let version = version.map_err(|_| "the cluster does not answer")?.map_err(|error| format!("the cluster does not answer: {error}"))?;
        let classes = Api::<StorageClass>::all(client.clone()).list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        if !classes.iter().any(is_default) {
            return Err("the cluster has no default StorageClass".to_owned());
        }
        let namespace = format!("toygres-test-{}", &InstanceId::generate().to_string()[24..]);
        Ok(Self { client, kubeconfig, fake, version: version.git_version, namespace })
    }

    /// Whether the cluster is a fake API server.
    pub fn is_fake(&self) -> bool {
        self.fake
    }

    /// Creates the namespace and in it a service account with the Role of the control plane; returns a kubeconfig of that account.
    pub async fn prepare(&self, directory: &Path) -> Result<PathBuf> {
        let namespace = Namespace { metadata: self.meta(&self.namespace), ..Namespace::default() };
        Api::<Namespace>::all(self.client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .map_err(|error| format!("the namespace: {error}"))?;
        // Pods are refused until the controller has created this account.
        self.until("the namespace's default service account", TIMEOUT, || async {
            Ok(self.api::<ServiceAccount>().get_opt("default").await.map_err(|error| error.to_string())?.map(drop))
        })
        .await?;
        self.create(&ServiceAccount { metadata: self.meta(ACCOUNT), ..ServiceAccount::default() }).await?;
        let rule = |permission: &toygres_k8s::permissions::Permission| PolicyRule {
            api_groups: Some(vec![permission.group.to_owned()]),
            resources: Some(vec![permission.resource.to_owned()]),
            verbs: permission.verbs.iter().map(|&verb| verb.to_owned()).collect(),
            ..PolicyRule::default()
        };
        self.create(&Role { metadata: self.meta(ACCOUNT), rules: Some(PERMISSIONS.iter().map(rule).collect()) }).await?;
        self.grant().await?;
        self.write_kubeconfig(&directory.join("kubeconfig")).await
    }

    /// Gives the account of the control plane its Role.
    pub async fn grant(&self) -> Result<()> {
        self.create(&RoleBinding {
            metadata: self.meta(ACCOUNT),
            role_ref: RoleRef { api_group: "rbac.authorization.k8s.io".to_owned(), kind: "Role".to_owned(), name: ACCOUNT.to_owned() },
            subjects: Some(vec![Subject {
                kind: "ServiceAccount".to_owned(),
                name: ACCOUNT.to_owned(),
                namespace: Some(self.namespace.clone()),
                ..Subject::default()
            }]),
        })
        .await
    }

    /// Takes the Role away.
    pub async fn revoke(&self) -> Result<()> {
        self.delete::<RoleBinding>(ACCOUNT).await
    }

    /// A copy of a kubeconfig that leads through a proxy before the API server.
    pub async fn behind_proxy(&self, kubeconfig: &Path) -> Result<(PathBuf, Proxy)> {
        let text = std::fs::read_to_string(kubeconfig).map_err(|error| format!("{}: {error}", kubeconfig.display()))?;
        let mut text: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let cluster = &mut text["clusters"][0]["cluster"];
        let mut url: reqwest::Url =
            cluster["server"].as_str().unwrap_or_default().parse().map_err(|error| format!("the URL of the cluster: {error}"))?;
        let (host, port) = (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or(443));
        let address = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await.map_err(|error| format!("{host}: {error}"))?.next();
        let proxy = Proxy::to(address.ok_or_else(|| format!("{host} has no address"))?).await;
        if url.scheme() == "https" && cluster["tls-server-name"].is_null() {
            cluster["tls-server-name"] = serde_json::json!(host);
        }
        let _ = url.set_host(Some(&proxy.address().ip().to_string()));
        let _ = url.set_port(Some(proxy.address().port()));
        cluster["server"] = serde_json::json!(url.as_str());
        let path = kubeconfig.with_extension("proxy");
        std::fs::write(&path, text.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((path, proxy))
    }

    async fn write_kubeconfig(&self, path: &Path) -> Result<PathBuf> {
        let request =
            TokenRequest { spec: TokenRequestSpec { expiration_seconds: Some(7200), ..TokenRequestSpec::default() }, ..TokenRequest::default() };
        let accounts = self.api::<ServiceAccount>();
        let answer = accounts.create_token_request(ACCOUNT, &PostParams::default(), &request).await.map_err(|error| format!("a token: {error}"))?;
        let token = answer.status.map(|status| status.token).unwrap_or_default();
        let mut kubeconfig = self.kubeconfig.clone();
        let current = kubeconfig.current_context.clone().unwrap_or_default();
        kubeconfig.contexts.retain(|context| context.name == current);
        let context = kubeconfig.contexts.first_mut().and_then(|context| context.context.as_mut()).ok_or("the kubeconfig has no current context")?;
        context.user = Some(ACCOUNT.to_owned());
        let cluster = context.cluster.clone();
        kubeconfig.clusters.retain(|entry| entry.name == cluster);
        kubeconfig.auth_infos.clear();
        // JSON is YAML. The token is added to the JSON, because kube does not serialize secrets.
        let mut text = serde_json::to_value(&kubeconfig).map_err(|error| error.to_string())?;
        text["users"] = serde_json::json!([{"name": ACCOUNT, "user": {"token": token}}]);
        std::fs::write(path, text.to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path.to_owned())
    }

    /// The baseline: applies the same objects as `kubectl apply --server-side` does, until the pod is ready.
    pub async fn plain_apply(&self, deployment: &Deployment) -> Result<Duration> {
        let settings = Settings { namespace: self.namespace.clone(), ..Settings::default() };
        let objects = build::objects(deployment, &settings);
        let started = Instant::now();
        self.apply(&objects.network_policy).await?;
        self.apply(&objects.client_service).await?;
        self.apply(&objects.secret).await?;
        self.apply(&objects.headless_service).await?;
        self.apply(&objects.stateful_set).await?;
        let pods = self.api::<Pod>();
        let name = names::pod(deployment.id);
        let ready = kube::runtime::wait::await_condition(pods, &name, |pod: Option<&Pod>| pod.is_some_and(is_ready));
        tokio::time::timeout(Duration::from_secs(300), ready)
            .await
            .map_err(|_| "a plain apply was not ready after 300 s".to_owned())?
            .map_err(|error| error.to_string())?;
        Ok(started.elapsed())
    }

    /// Deletes the objects of a plain apply, and waits until they are gone.
    pub async fn remove(&self, id: InstanceId) -> Result<()> {
        let name = names::object(id);
        let (foreground, background) = (DeleteParams::foreground(), DeleteParams::background());
        self.api::<StatefulSet>().delete(&name, &foreground).await.map_err(|error| error.to_string())?;
        self.until("the pod to stop", DELETION_TIMEOUT, || async { Ok(self.pods(id).await?.is_empty().then_some(())) }).await?;
        let selector = ListParams::default().labels(&names::selector(id));
        for service in self.api::<Service>().list(&selector).await.map_err(|error| error.to_string())? {
            self.api::<Service>().delete(&service.name_any(), &background).await.map_err(|error| error.to_string())?;
        }
        self.api::<Secret>().delete(&name, &background).await.map_err(|error| error.to_string())?;
        self.api::<NetworkPolicy>().delete(&name, &background).await.map_err(|error| error.to_string())?;
        self.api::<PersistentVolumeClaim>().delete(&names::claim(id), &background).await.map_err(|error| error.to_string())?;
        self.until("the objects of the plain apply to go", DELETION_TIMEOUT, || async { Ok(self.left(id).await?.is_empty().then_some(())) }).await
    }

    /// The existing objects of an instance.
    pub async fn left(&self, id: InstanceId) -> Result<Vec<String>> {
        let selector = names::selector(id);
        let mut left = Vec::new();
        left.extend(self.names::<StatefulSet>(&selector).await?);
        left.extend(self.names::<ControllerRevision>(&selector).await?);
        left.extend(self.names::<Job>(&selector).await?);
        left.extend(self.names::<Pod>(&selector).await?);
        left.extend(self.names::<Service>(&selector).await?);
        left.extend(self.names::<Secret>(&selector).await?);
        left.extend(self.names::<NetworkPolicy>(&selector).await?);
        left.extend(self.names::<PersistentVolumeClaim>(&selector).await?);
        Ok(left)
    }

    /// The pods of an instance.
    pub async fn pods(&self, id: InstanceId) -> Result<Vec<Pod>> {
        let selector = ListParams::default().labels(&names::selector(id));
        Ok(self.api::<Pod>().list(&selector).await.map_err(|error| error.to_string())?.items)
    }

    /// The events about an object.
    pub async fn events(&self, name: &str) -> Result<Vec<Event>> {
        let about = ListParams::default().fields(&format!("involvedObject.name={name}"));
        Ok(self.api::<Event>().list(&about).await.map_err(|error| error.to_string())?.items)
    }

    /// Deletes the pod of an instance, as `kubectl delete pod` does.
    pub async fn kill_pod(&self, id: InstanceId) -> Result<()> {
        self.api::<Pod>().delete(&names::pod(id), &DeleteParams::default()).await.map(drop).map_err(|error| error.to_string())
    }

    /// Adds a finalizer to the volume claim of an instance, or removes it again.
    pub async fn hold_claim(&self, id: InstanceId, held: bool) -> Result<()> {
        let (claims, name) = (self.api::<PersistentVolumeClaim>(), names::claim(id));
        let Some(claim) = claims.get_opt(&name).await.map_err(|error| error.to_string())? else { return Ok(()) };
        let mut finalizers = claim.metadata.finalizers.unwrap_or_default();
        finalizers.retain(|finalizer| finalizer != HOLD);
        if held {
            finalizers.push(HOLD.to_owned());
        }
        let patch = serde_json::json!({"metadata": {"finalizers": finalizers, "resourceVersion": claim.metadata.resource_version}});
        claims.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop).map_err(|error| error.to_string())
    }

    /// Deletes an object, as `kubectl delete` does.
    pub async fn delete<K: Object>(&self, name: &str) -> Result<()> {
        self.api::<K>().delete(name, &DeleteParams::background()).await.map(drop).map_err(|error| error.to_string())
    }

    /// Deletes the StatefulSet of an instance, as `kubectl delete --cascade=orphan` does.
    pub async fn orphan_pod(&self, id: InstanceId) -> Result<()> {
        let orphan = DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
        self.api::<StatefulSet>().delete(&names::object(id), &orphan).await.map(drop).map_err(|error| error.to_string())
    }

    /// Changes an object, as `kubectl patch` does.
    pub async fn change<K: Object>(&self, name: &str, change: &serde_json::Value) -> Result<()> {
        self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(change)).await.map(drop).map_err(|error| error.to_string())
    }

    /// An object, if it exists.
    pub async fn value<K: Object>(&self, name: &str) -> Result<Option<serde_json::Value>> {
        let object = self.api::<K>().get_opt(name).await.map_err(|error| error.to_string())?;
        object.map(|object| serde_json::to_value(object).map_err(|error| error.to_string())).transpose()
    }

    /// Forbids pods in the namespace with a quota.
    pub async fn forbid_pods(&self) -> Result<()> {
        let hard = BTreeMap::from([("pods".to_owned(), Quantity("0".to_owned()))]);
        let spec = Some(ResourceQuotaSpec { hard: Some(hard), ..ResourceQuotaSpec::default() });
        self.create(&ResourceQuota { metadata: self.meta("no-pods"), spec, status: None }).await?;
        // Admission enforces a quota once the controller has written its status.
        self.until("the quota to hold", TIMEOUT, || async {
            let quota = self.api::<ResourceQuota>().get("no-pods").await.map_err(|error| error.to_string())?;
            Ok(quota.status.and_then(|status| status.hard).map(drop))
        })
        .await
    }

    /// Deletes that quota.
    pub async fn allow_pods(&self) -> Result<()> {
        match self.api::<ResourceQuota>().delete("no-pods", &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            outcome => outcome.map(drop).map_err(|error| error.to_string()),
        }
    }

    /// The ClusterIP of a Service.
    pub async fn cluster_ip(&self, service: &str) -> Result<String> {
        let service = self.api::<Service>().get(service).await.map_err(|error| error.to_string())?;
        service.spec.and_then(|spec| spec.cluster_ip).ok_or_else(|| "the Service has no ClusterIP".to_owned())
    }

    /// Whether volumes of the default storage class can grow.
    pub async fn volumes_expand(&self) -> Result<bool> {
        let classes = Api::<StorageClass>::all(self.client.clone()).list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        Ok(classes.iter().any(|class| is_default(class) && class.allow_volume_expansion == Some(true)))
    }

    /// The password in the Secret.
    pub async fn password(&self, id: InstanceId) -> Result<Password> {
        let secret = self.api::<Secret>().get(&names::object(id)).await.map_err(|error| error.to_string())?;
        let bytes = secret.data.and_then(|mut data| data.remove("password")).ok_or("the Secret has no password")?.0;
        String::from_utf8(bytes).map(Password::new).map_err(|error| error.to_string())
    }

    /// Polls until there is a value.
    pub async fn until<T, F: Future<Output = Result<Option<T>>>>(&self, what: &str, limit: Duration, mut poll: impl FnMut() -> F) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(answer) = poll().await? {
                return Ok(answer);
            }
            if Instant::now() > deadline {
                return Err(format!("timed out after {} s waiting for {what}", limit.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The events and the objects of the namespace except Secrets, to find out why a check failed.
    pub async fn diagnosis(&self) -> String {
        let mut text = format!("--- the objects in {}\n", self.namespace);
        let all = ListParams::default();
        if let Ok(events) = self.api::<Event>().list(&all).await {
            let mut events = events.items;
            events.sort_by_key(|event| event.metadata.creation_timestamp.as_ref().map(|time| time.0));
            for event in events {
                let about = format!("{}/{}", event.involved_object.kind.unwrap_or_default(), event.involved_object.name.unwrap_or_default());
                let (reason, message) = (event.reason.unwrap_or_default(), event.message.unwrap_or_default());
                text += &format!("event {} {about} {reason}: {message}\n", event.type_.unwrap_or_default());
            }
        }
        let mut add = |kind: &str, objects: Vec<serde_json::Value>| {
            for mut object in objects {
                object["metadata"]["managedFields"].take();
                text += &format!("{kind} {object}\n");
            }
        };
        add("pod", self.values::<Pod>().await);
        add("statefulset", self.values::<StatefulSet>().await);
        add("claim", self.values::<PersistentVolumeClaim>().await);
        add("service", self.values::<Service>().await);
        text + "---"
    }

    /// Deletes the namespace with all its objects, and waits until it is gone.
    pub async fn clean_up(&self) -> Result<()> {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let gone = || async {
            match namespaces.get_opt(&self.namespace).await {
                Ok(None) => Ok(Some(())),
                Ok(Some(_)) => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        };
        if let Ok(Some(())) = gone().await {
            return Ok(());
        }
        namespaces
            .delete(&self.namespace, &DeleteParams::default())
            .await
            .map_err(|error| format!("the namespace {} cannot be deleted: {error}", self.namespace))?;
        self.until(&format!("the namespace {} to go", self.namespace), DELETION_TIMEOUT, gone).await
    }

    fn meta(&self, name: &str) -> ObjectMeta {
        ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn create<K>(&self, object: &K) -> Result<()>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
        K::DynamicType: Default,
    {
        self.api::<K>()
            .create(&PostParams::default(), object)
            .await
            .map(drop)
            .map_err(|error| format!("{}: {error}", K::kind(&K::DynamicType::default())))
    }

    async fn apply<K>(&self, object: &K) -> Result<()>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params = PatchParams::apply("toygres-test").force();
        self.api::<K>().patch(&object.name_any(), &params, &Patch::Apply(object)).await.map(drop).map_err(|error| error.to_string())
    }

    async fn names<K>(&self, selector: &str) -> Result<Vec<String>>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let list = self.api::<K>().list_metadata(&ListParams::default().labels(selector)).await.map_err(|error| error.to_string())?;
        Ok(list.iter().map(|object| format!("{}/{}", K::kind(&K::DynamicType::default()), object.name_any())).collect())
    }

    async fn values<K>(&self) -> Vec<serde_json::Value>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + Debug + Serialize + DeserializeOwned,
        K::DynamicType: Default,
    {
        let list = self.api::<K>().list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
        list.iter().filter_map(|object| serde_json::to_value(object).ok()).collect()
    }
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|conditions| conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True"))
}

fn is_default(class: &StorageClass) -> bool {
    class.annotations().get("storageclass.kubernetes.io/is-default-class").is_some_and(|value| value == "true")
}
