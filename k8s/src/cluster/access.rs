//! Checks the permissions of the control plane when it connects.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};

use super::{ConnectError, call};
use crate::permissions::{PERMISSIONS, Permission};

/// The number of concurrent reviews.
const CONCURRENCY: usize = 8;

/// Fails if a permission is missing, and names each that is. Every account may review its own permissions; if an administrator
/// revoked even that, a warning is logged and the check is skipped.
pub(super) async fn check(client: &Client, namespace: &str) -> Result<(), ConnectError> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let requests = PERMISSIONS.iter().flat_map(|permission| permission.verbs.iter().map(move |verb| (permission, *verb)));
    let responses: Result<Vec<_>, _> = stream::iter(requests)
        .map(|(permission, verb)| {
            let (reviews, review) = (&reviews, review(namespace, permission, verb));
            async move {
                let response = call("review the control plane's permissions", reviews.create(&PostParams::default(), &review)).await?;
                let allowed = response.status.is_some_and(|status| status.allowed);
                Ok::<_, toygres_domain::runtime::RuntimeError>((permission, verb, allowed))
            }
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await;
    match responses {
        Ok(responses) => check_responses(namespace, &responses),
        Err(error) => {
            tracing::warn!(error = error.reason.message, "the permissions of the control plane were not checked");
            Ok(())
        }
    }
}

fn check_responses(namespace: &str, responses: &[(&Permission, &str, bool)]) -> Result<(), ConnectError> {
    let missing: Vec<String> = PERMISSIONS
        .iter()
        .filter(|permission| permission.required)
        .filter_map(|permission| {
            let verbs: Vec<&str> = responses.iter().filter(|(of, _, allowed)| *of == permission && !allowed).map(|(_, verb, _)| *verb).collect();
            let group = if permission.group.is_empty() { String::new() } else { format!(".{}", permission.group) };
            (!verbs.is_empty()).then(|| format!("{} {}{group}", verbs.join(", "), permission.resource))
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ConnectError::Cluster(format!(
        "The control plane lacks permissions in the namespace '{namespace}'. Missing in its Role: {}.",
        missing.join("; ")
    )))
}

fn review(namespace: &str, permission: &Permission, verb: &str) -> SelfSubjectAccessReview {
    let (resource, part) = permission.resource.split_once('/').map_or((permission.resource, None), |(resource, part)| (resource, Some(part)));
    SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                group: Some(permission.group.to_owned()),
                resource: Some(resource.to_owned()),
                subresource: part.map(str::to_owned),
                verb: Some(verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    }
}
