//! The HTTP API: paths, verbs, permissions and injected faults.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query as UrlQuery, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
    routing::{any, get, post},
};
use serde_json::{Value, json};
use toygres_k8s::{build::names::ID_LABEL, permissions::PERMISSIONS};

use super::{
    ADMINISTRATOR, Crash, Expansion, Shared, controllers, jobs, managed_fields,
    objects::{FakeCluster, Kind, LOGS, finalizers, key, matches, name, now},
    server_side_apply::{conflict, keep, merge, merge_patch},
    status, watch,
};

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/version", get(|| async { axum::Json(json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "", "gitTreeState": "clean", "buildDate": "", "goVersion": "", "compiler": "gc", "platform": "linux/amd64"})) }))
        .route("/readyz", get(|| async { "ok" }))
        .route("/api/{version}/namespaces/{namespace}/{resource}", any(collection))
        .route("/api/{version}/namespaces/{namespace}/{resource}/{name}", any(single))
        .route("/api/v1/namespaces/{namespace}/pods/{name}/log", get(log))
        .route("/apis/{group}/{version}/namespaces/{namespace}/{resource}", any(collection))
        .route("/apis/{group}/{version}/namespaces/{namespace}/{resource}/{name}", any(single))
        .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(review))
        .route("/apis/storage.k8s.io/v1/storageclasses", get(|| async { axum::Json(storage_classes()) }))
        .route("/api/v1/namespaces", post(create_namespace))
        .route("/api/v1/namespaces/{namespace}", get(read_namespace).delete(delete_namespace))
        .route("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", post(token))
        .with_state(shared)
}

fn storage_classes() -> Value {
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    json!({"kind": "StorageClassList", "apiVersion": "storage.k8s.io/v1", "metadata": {},
        "items": [{"metadata": {"name": "standard", "annotations": annotations}, "provisioner": "fake", "allowVolumeExpansion": true}]})
}

/// Answers a SelfSubjectAccessReview.
async fn review(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let mut review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let asked = &review["spec"]["resourceAttributes"];
    let text = |field: &str| asked[field].as_str().unwrap_or_default().to_owned();
    let resource = match text("subresource") {
        part if part.is_empty() => text("resource"),
        part => format!("{}/{part}", text("resource")),
    };
    let allowed = text("namespace") == shared.cluster().namespace && is_allowed(&shared, &text("verb"), &text("group"), &resource);
    review["status"] = json!({"allowed": allowed});
    answer(&review)
}

/// Creates the one namespace of the cluster.
async fn create_namespace(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let mut namespace: Value = serde_json::from_slice(&body).unwrap_or_default();
    shared.change(|cluster| {
        cluster.clear();
        cluster.namespace = name(&namespace);
        cluster.create("serviceaccounts", json!({"metadata": {"name": "default"}}));
    });
    namespace["status"] = json!({"phase": "Active"});
    answer(&namespace)
}

async fn read_namespace(State(shared): State<Arc<Shared>>, Path(namespace): Path<String>) -> Response {
    if shared.cluster().namespace != namespace {
        return answer(&status::no_namespace(&namespace));
    }
    answer(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}, "status": {"phase": "Active"}}))
}

/// Removes the namespace with all its objects at once.
async fn delete_namespace(State(shared): State<Arc<Shared>>, Path(namespace): Path<String>) -> Response {
    shared.change(FakeCluster::clear);
    answer(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}, "status": {"phase": "Terminating"}}))
}

/// Issues a token of the control plane's service account.
async fn token(body: Bytes) -> Response {
    let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
    request["status"] = json!({"token": "control-plane", "expirationTimestamp": "2099-01-01T00:00:00Z"});
    answer(&request)
}

/// The query parameters and the representation that a request asks for.
#[derive(Clone)]
pub(super) struct Query {
    parameters: HashMap<String, String>,
    pub(super) metadata_only: bool,
}

impl Query {
    pub(super) fn get(&self, parameter: &str) -> Option<&str> {
        self.parameters.get(parameter).map(String::as_str)
    }

    /// The instance whose objects are selected, if the request selects those of one.
    fn instance(&self) -> Option<&str> {
        let id = self.get("labelSelector")?.strip_prefix(ID_LABEL)?.strip_prefix('=')?;
        (!id.contains(',')).then_some(id)
    }

    /// Whether the selectors of the request match an object.
    pub(super) fn selects(&self, object: &Value) -> bool {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        matches(self.get("labelSelector").unwrap_or(""), |label| text(&object["metadata"]["labels"][label]))
            && matches(self.get("fieldSelector").unwrap_or(""), |field| text(object.pointer(&format!("/{}", field.replace('.', "/")))?))
    }

    /// The representation that the request asks for: the whole object, or its metadata.
    pub(super) fn shape(&self, object: &Value) -> Value {
        // The items of a list are converted one by one.
        if self.metadata_only && object["kind"] != "Status" && object["items"].is_null() {
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
        } else {
            object.clone()
        }
    }
}

/// The log of a server, or the last line of that of a Job's container.
async fn log(
    State(shared): State<Arc<Shared>>,
    Path((_, name)): Path<(String, String)>,
    UrlQuery(parameters): UrlQuery<HashMap<String, String>>,
) -> Response {
    let crash = match admit(&shared, "get", &LOGS) {
        Ok(crash) => crash,
        Err(refusal) => return answer(&refusal),
    };
    if crash.is_some() {
        hang(&shared).await;
    }
    let cluster = shared.cluster();
    match cluster.get("pods", &name) {
        Some(pod) if !jobs::is_of_job(pod) => {
            let (pod, file) = (pod.clone(), cluster.node.as_ref().and_then(|node| node.log_file(pod)));
            drop(cluster);
            match file.filter(|_| parameters.get("previous").is_none_or(|previous| previous != "true")) {
                Some(file) => Response::new(super::log::body(&shared, &file, &pod, &parameters)),
                None => answer(&status::bad_request(&format!("the container in the pod {name} has no such log"))),
            }
        }
        Some(pod) => Response::new(Body::from(cluster.node.as_ref().map_or_else(|| LOG.to_owned(), |node| node.log(pod)))),
        None => answer(&status::not_found(&LOGS, &name)),
    }
}

/// The log of a pod that does not run for real.
const LOG: &str = "{\"bytes\":104857600,\"total\":419430400}\n";

type Parameters = (State<Arc<Shared>>, Path<HashMap<String, String>>, Method, UrlQuery<HashMap<String, String>>, HeaderMap);

async fn collection((State(shared), Path(path), method, UrlQuery(parameters), headers): Parameters, body: Bytes) -> Response {
    let verb = match (&method, parameters.contains_key("watch")) {
        (&Method::GET, true) => "watch",
        (&Method::GET, false) => "list",
        (&Method::POST, _) => "create",
        _ => "deletecollection",
    };
    handle(shared, verb, path, query(parameters, &headers), &headers, body).await
}

async fn single((State(shared), Path(path), method, UrlQuery(parameters), headers): Parameters, body: Bytes) -> Response {
    let verb = match method {
        Method::GET => "get",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "update",
    };
    handle(shared, verb, path, query(parameters, &headers), &headers, body).await
}

async fn handle(shared: Arc<Shared>, verb: &str, path: HashMap<String, String>, query: Query, headers: &HeaderMap, body: Bytes) -> Response {
    let Some(kind) = Kind::of(&path["resource"]).filter(|kind| kind.group == path.get("group").map_or("", String::as_str)) else {
        return answer(&status::bad_request("the server could not find the requested resource"));
    };
    let administrator = headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == format!("Bearer {ADMINISTRATOR}").as_bytes());
    let crash = match if administrator { Ok(None) } else { admit(&shared, verb, kind) } {
        Ok(crash) => crash,
        Err(refusal) => return answer(&refusal),
    };
    if crash == Some(Crash::Before) {
        hang(&shared).await;
    }
    if path["namespace"] != shared.cluster().namespace && verb != "list" {
        return answer(&status::no_namespace(&path["namespace"]));
    }
    let name = path.get("name").map_or("", String::as_str);
    if verb == "watch" {
        return Response::builder().header(header::CONTENT_TYPE, "application/json").body(watch::body(shared, kind, query)).unwrap();
    }
    let is_held = || shared.cluster().set_metadata_held && verb == "get" && kind.resource == "statefulsets" && query.metadata_only;
    let mut changes = shared.changed.subscribe();
    while is_held() {
        let _ = changes.changed().await;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let result = match verb {
        "list" => Ok(list(&shared.cluster(), kind, &query)),
        "get" => shared.cluster().get(kind.resource, name).cloned().ok_or_else(|| status::not_found(kind, name)),
        "create" => shared.change(|cluster| create(cluster, kind, body)),
        "patch" if content_type.starts_with("application/apply-patch") => {
            // A server-side apply that creates the object requires the permission to create too.
            let creates = shared.cluster().get(kind.resource, name).is_none();
            if creates
                && !administrator
                && let Err(refusal) = permit(&shared, "create", kind)
            {
                return answer(&refusal);
            }
            shared.change(|cluster| apply(cluster, kind, name, &query, body))
        }
        "patch" => shared.change(|cluster| patch(cluster, kind, name, &body)),
        "delete" => shared.change(|cluster| delete(cluster, kind, name, &body)),
        "deletecollection" => shared.change(|cluster| Ok(delete_selected(cluster, kind, &query))),
        other => Err(status::bad_request(&format!("the fake API server does not implement {other}"))),
    };
    if crash == Some(Crash::After) {
        hang(&shared).await;
    }
    answer(&result.map_or_else(|status| status, |object| query.shape(&object)))
}

/// Records the call, and checks the permissions and the injected faults.
fn admit(shared: &Shared, verb: &str, kind: &Kind) -> Result<Option<Crash>, Value> {
    permit(shared, verb, kind)?;
    let mut script = shared.script();
    if let Some(refusal) = script.refusals.iter_mut().find(|refusal| refusal.times > 0 && refusal.verb == verb && refusal.resource == kind.resource) {
        refusal.times -= 1;
        return Err(refusal.status.clone());
    }
    if verb == "watch" {
        return Ok(None);
    }
    let interference = script.interference.take_if(|(left, _)| is_reached(left)).map(|(_, change)| change);
    let crash = script.crash.take_if(|(left, _)| is_reached(left)).map(|(_, when)| when);
    drop(script);
    if let Some(change) = interference {
        shared.change(change);
    }
    Ok(crash)
}

fn is_reached(left: &mut usize) -> bool {
    let reached = *left == 0;
    *left = left.saturating_sub(1);
    reached
}

fn permit(shared: &Shared, verb: &str, kind: &Kind) -> Result<(), Value> {
    shared.script().calls.push((verb.to_owned(), kind.group.to_owned(), kind.resource.to_owned()));
    if is_allowed(shared, verb, kind.group, kind.resource) { Ok(()) } else { Err(status::forbidden(verb, kind)) }
}

fn is_allowed(shared: &Shared, verb: &str, group: &str, resource: &str) -> bool {
    let denied = shared.denied.lock().unwrap().iter().any(|(v, r)| *v == verb && *r == resource);
    let listed = |permission: &toygres_k8s::permissions::Permission| {
        permission.group == group && permission.resource == resource && permission.verbs.contains(&verb)
    };
    // A namespace with a RoleBinding of the control plane, and without it any more.
    let cluster = shared.cluster();
    let revoked = cluster.created("rolebindings") > 0 && cluster.list("rolebindings").next().is_none();
    !denied && !revoked && PERMISSIONS.iter().any(listed)
}

async fn hang(shared: &Shared) {
    shared.crashed.send_replace(true);
    std::future::pending::<()>().await;
}

fn query(parameters: HashMap<String, String>, headers: &HeaderMap) -> Query {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Query { parameters, metadata_only: accept.contains("as=PartialObjectMetadata") }
}

fn answer(body: &Value) -> Response {
    let code = if body["kind"] == "Status" { body["code"].as_u64().unwrap_or(200) } else { 200 };
    Response::builder()
        .status(StatusCode::from_u16(u16::try_from(code).unwrap()).unwrap())
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn list(cluster: &FakeCluster, kind: &Kind, query: &Query) -> Value {
    let shaped = |object: &Value| query.selects(object).then(|| query.shape(object));
    let items: Vec<Value> = match query.instance() {
        Some(id) => cluster.list_of_instance(kind.resource, id).filter_map(shaped).collect(),
        None => cluster.list(kind.resource).filter_map(shaped).collect(),
    };
    let (list, version) = if query.metadata_only {
        ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned())
    } else {
        (format!("{}List", kind.kind), kind.api_version())
    };
    json!({"kind": list, "apiVersion": version, "metadata": {"resourceVersion": cluster.version.to_string()}, "items": items})
}

fn create(cluster: &mut FakeCluster, kind: &Kind, object: Value) -> Result<Value, Value> {
    let name = name(&object);
    if cluster.get(kind.resource, &name).is_some() {
        return Err(status::exists(kind, &name));
    }
    Ok(cluster.create(kind.resource, object))
}

fn apply(cluster: &mut FakeCluster, kind: &Kind, name: &str, query: &Query, mut ours: Value) -> Result<Value, Value> {
    let Some(manager) = query.get("fieldManager").map(str::to_owned) else {
        return Err(status::bad_request("fieldManager is required for apply patch"));
    };
    let meta = ours["metadata"].as_object_mut().unwrap();
    let (uid, version) = (meta.remove("uid"), meta.remove("resourceVersion"));
    let present = cluster.get(kind.resource, name).cloned();
    let is_same = |field: &str, wanted: &Value| present.as_ref().is_some_and(|present| present["metadata"][field] == *wanted);
    if uid.is_some_and(|uid| !is_same("uid", &uid)) {
        return Err(status::conflict(kind, name, "uid mismatch"));
    }
    if version.is_some_and(|version| !is_same("resourceVersion", &version)) {
        return Err(status::conflict(kind, name, "the object has been modified; please apply your changes to the latest version and try again"));
    }
    let owners = cluster.applied.entry(key(kind.resource, name)).or_default();
    if query.get("force") != Some("true")
        && let Some((owner, field)) =
            owners.iter().filter(|(owner, _)| **owner != manager).find_map(|(owner, theirs)| Some((owner, conflict(theirs, &ours, "")?)))
    {
        return Err(status::apply_conflict(owner, &field));
    }
    let before = owners.insert(manager.clone(), ours.clone());
    let Some(present) = present else {
        let mut created = ours.clone();
        managed_fields::applied(&mut created, &manager, &ours);
        return Ok(cluster.create(kind.resource, created));
    };
    let mut after = present.clone();
    merge(&mut after, before.as_ref(), &ours);
    for (_, theirs) in owners.iter().filter(|(owner, _)| **owner != manager) {
        keep(&mut after, theirs);
    }
    managed_fields::applied(&mut after, &manager, &ours);
    if let Err(refusal) = validate(kind, name, &present, &after) {
        let owners = cluster.applied.get_mut(&key(kind.resource, name)).unwrap();
        match before {
            Some(before) => owners.insert(manager, before),
            None => owners.remove(&manager),
        };
        return Err(refusal);
    }
    Ok(cluster.update(kind.resource, name, |object| *object = after).unwrap())
}

fn patch(cluster: &mut FakeCluster, kind: &Kind, name: &str, patch: &Value) -> Result<Value, Value> {
    let present = cluster.get(kind.resource, name).cloned().ok_or_else(|| status::not_found(kind, name))?;
    let mut after = present.clone();
    merge_patch(&mut after, patch);
    validate(kind, name, &present, &after)?;
    if kind.resource == "persistentvolumeclaims" && cluster.expansion == Expansion::Forbidden && size(&after) > size(&present) {
        return Err(status::not_expandable(name));
    }
    Ok(cluster.edit(kind.resource, name, |object| *object = after).unwrap())
}

/// The GiB that a claim requests.
fn size(claim: &Value) -> u64 {
    gib(&claim["spec"]["resources"]["requests"]["storage"])
}

pub(super) fn gib(quantity: &Value) -> u64 {
    quantity.as_str().unwrap_or_default().trim_end_matches("Gi").parse().unwrap_or(0)
}

fn validate(kind: &Kind, name: &str, before: &Value, after: &Value) -> Result<(), Value> {
    match kind.resource {
        "statefulsets" => {
            let fixed = |set: &Value| {
                let mut spec = set["spec"].as_object().cloned().unwrap_or_default();
                spec.retain(|field, _| {
                    ![
                        "replicas",
                        "ordinals",
                        "template",
                        "updateStrategy",
                        "revisionHistoryLimit",
                        "persistentVolumeClaimRetentionPolicy",
                        "minReadySeconds",
                    ]
                    .contains(&field.as_str())
                });
                spec
            };
            if fixed(before) == fixed(after) { Ok(()) } else { Err(status::immutable(name)) }
        }
        "persistentvolumeclaims" => {
            // A request that the driver has not fulfilled can be taken back, but not to the present size.
            let capacity = gib(&before["status"]["capacity"]["storage"]);
            if size(after) >= size(before) || size(after) > capacity { Ok(()) } else { Err(status::shrinking(name)) }
        }
        _ => Ok(()),
    }
}

fn delete(cluster: &mut FakeCluster, kind: &Kind, name: &str, options: &Value) -> Result<Value, Value> {
    let present = cluster.get(kind.resource, name).cloned().ok_or_else(|| status::not_found(kind, name))?;
    let wanted = &options["preconditions"]["uid"];
    if !wanted.is_null() && *wanted != present["metadata"]["uid"] {
        return Err(status::conflict(kind, name, "the UID in the precondition does not match the UID in record"));
    }
    let propagation = options["propagationPolicy"].as_str().unwrap_or("Background");
    if kind.resource == "pods" {
        let grace = options["gracePeriodSeconds"].as_i64().or_else(|| present["spec"]["terminationGracePeriodSeconds"].as_i64());
        if !controllers::terminate_pod(cluster, name, grace.unwrap_or(30)) {
            return Ok(deleted(kind, name));
        }
        return Ok(cluster.get(kind.resource, name).cloned().unwrap());
    }
    let marked = cluster.update(kind.resource, name, |object| {
        let mut holders = finalizers(object);
        match propagation {
            "Foreground" if ["statefulsets", "jobs"].contains(&kind.resource) => holders.push("foregroundDeletion".to_owned()),
            "Orphan" if kind.resource == "statefulsets" => holders.push("orphan".to_owned()),
            _ => {}
        }
        holders.sort();
        holders.dedup();
        object["metadata"]["finalizers"] = json!(holders);
        if object["metadata"]["deletionTimestamp"].is_null() {
            object["metadata"]["deletionTimestamp"] = json!(now().to_string());
            object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        }
    });
    Ok(match cluster.get(kind.resource, name) {
        Some(_) => marked.unwrap(),
        None => deleted(kind, name),
    })
}

/// Deletes what the selectors of a request match; answers with the list of it.
fn delete_selected(cluster: &mut FakeCluster, kind: &Kind, query: &Query) -> Value {
    let selected = list(cluster, kind, query);
    for object in selected["items"].as_array().into_iter().flatten() {
        cluster.remove(kind.resource, &name(object));
    }
    selected
}

fn deleted(kind: &Kind, name: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 200, "details": {"name": name, "kind": kind.resource}})
}
