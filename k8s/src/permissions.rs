//! Every call that the runtime makes, which is exactly what its Role allows.

/// The verbs on one kind of object in the namespace of the instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The kind as in a Role: lower case, plural.
    pub resource: &'static str,
    /// The verbs, sorted.
    pub verbs: &'static [&'static str],
    /// Whether the control plane cannot work without it. Roles that others define lack what
    /// it only tidies up, notices sooner, or restores instances with.
    pub required: bool,
}

/// All calls of the runtime to resources (besides `/version` and `/readyz`, which every account may read). A server-side apply that creates an object requires both `create` and `patch`.
///
/// Secrets are written and deleted, and their contents are never read: of a list or a watch only the metadata is requested, which shows
/// that one was deleted or edited. (RBAC knows no permission for metadata alone. Who may create a StatefulSet can mount every Secret of
/// the namespace, so this permission adds nothing to what the others allow.)
///
/// Claims are created for restorations only, and Jobs for restorations, verifications and upgrades. The logs that are read are those of servers, and
/// that of the container that fetches a backup, which says how far it is.
pub const PERMISSIONS: &[Permission] = &[
    Permission { group: "", resource: "events", verbs: &["list", "watch"], required: true },
    Permission { group: "", resource: "persistentvolumeclaims", verbs: &["delete", "list", "patch", "watch"], required: true },
    Permission { group: "", resource: "pods", verbs: &["delete", "list", "watch"], required: true },
    Permission { group: "", resource: "secrets", verbs: &["create", "delete", "patch"], required: true },
    Permission { group: "", resource: "services", verbs: &["create", "delete", "get", "list", "patch", "watch"], required: true },
    Permission { group: "", resource: "persistentvolumeclaims", verbs: &["create"], required: false },
    Permission { group: "", resource: "pods/log", verbs: &["get"], required: false },
    Permission { group: "", resource: "secrets", verbs: &["list", "watch"], required: false },
    Permission { group: "apps", resource: "controllerrevisions", verbs: &["deletecollection"], required: false },
    Permission { group: "apps", resource: "statefulsets", verbs: &["create", "delete", "get", "list", "patch", "watch"], required: true },
    Permission { group: "batch", resource: "jobs", verbs: &["create", "delete", "get", "list"], required: false },
    Permission { group: "networking.k8s.io", resource: "networkpolicies", verbs: &["create", "delete", "get", "list", "patch"], required: true },
    Permission { group: "networking.k8s.io", resource: "networkpolicies", verbs: &["watch"], required: false },
];
