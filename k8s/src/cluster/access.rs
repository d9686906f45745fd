//! Whether the control plane may do what it needs to: asked of the cluster itself, before anything is.

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};

use super::{ConnectError, call};
use crate::permissions::{PERMISSIONS, Permission};

/// Questions at once.
const AT_ONCE: usize = 8;

/// Refuses to go on with a permission missing, naming each. Everybody may ask about themselves; where an administrator took
/// even that away, the log says so and the work begins.
pub(super) async fn check(client: &Client, namespace: &str) -> Result<(), ConnectError> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let questions = PERMISSIONS.iter().flat_map(|permission| permission.verbs.iter().map(move |verb| (permission, *verb)));
    let answers: Result<Vec<_>, _> = stream::iter(questions)
        .map(|(permission, verb)| {
            let (reviews, review) = (&reviews, question(namespace, permission, verb));
            async move {
                let answer = call("ask for the control plane's permissions", reviews.create(&PostParams::default(), &review)).await?;
                let allowed = answer.status.is_some_and(|status| status.allowed);
                Ok::<_, toygres_domain::runtime::RuntimeError>((permission, verb, allowed))
            }
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await;
    match answers {
        Ok(answers) => missing(namespace, &answers),
        Err(error) => {
            tracing::warn!(why = error.reason.message, "the permissions of the control plane were not checked");
            Ok(())
        }
    }
}

fn missing(namespace: &str, answers: &[(&Permission, &str, bool)]) -> Result<(), ConnectError> {
    let missing: Vec<String> = PERMISSIONS
        .iter()
        .filter_map(|permission| {
            let verbs: Vec<&str> = answers.iter().filter(|(of, _, allowed)| *of == permission && !allowed).map(|(_, verb, _)| *verb).collect();
            let group = if permission.group.is_empty() { String::new() } else { format!(".{}", permission.group) };
            (!verbs.is_empty()).then(|| format!("{} {}{group}", verbs.join(", "), permission.resource))
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ConnectError(format!(
        "The control plane may not do all that it has to in the namespace '{namespace}'. Missing in its Role: {}.",
        missing.join("; ")
    )))
}

fn question(namespace: &str, permission: &Permission, verb: &str) -> SelfSubjectAccessReview {
    SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                group: Some(permission.group.to_owned()),
                resource: Some(permission.resource.to_owned()),
                verb: Some(verb.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    }
}
