//! Gives instances the address that their row asks for, when they get another name or exposure. Nothing is restarted, and clients reach an
//! instance by the former address until the new one works:
//!
//! 1. Its certificate gets the new names beside the former ones, and its server presents it.
//! 2. The host adds the new address. If that has a name which is known only now, such as that of a load balancer, the certificate gets it too.
//! 3. The row gets the endpoint: from here on `connectionString` has the new address, and the instance is deployed with it.
//! 4. The host removes the former address, the certificate loses its names, and the former name is free.
//!
//! Each attempt begins at the first step and repeats what is done, so one that was interrupted is continued by any server. An attempt has the
//! lock of the instance, and works only while no operation does.

use std::{collections::HashSet, time::Duration};

use metrics::counter;
use toygres_domain::{
    InstanceId,
    address::Address,
    instance::{Endpoint, HealthStatus, Instance, InstanceSpec, InstanceState, Reason},
    notice::NoticeCode,
    runtime::{AddressProgress, Deployment, Progress},
};
use toygres_store::changes::Changes;

use crate::{
    ActivityContext, Failure,
    activities::deploy_postgres::deployment,
    certificates::{drop_former_names, has_names},
    repairs::check_anew,
};

/// The pause between attempts while an address changes.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs until the shutdown of the server.
pub async fn run(context: ActivityContext, changes: Changes) {
    let mut wakes = changes.authorities();
    loop {
        wakes.mark_unchanged();
        let is_idle = match change(&context).await {
            Ok(unfinished) => unfinished == 0,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::debug!(%error, cause, "the addresses of instances could not be looked at");
                true
            }
        };
        tokio::select! {
            () = context.shutdown.cancelled() => return,
            // An error means that nobody listens, and the pause still ends.
            Ok(()) = wakes.changed() => {}
            () = tokio::time::sleep(if is_idle { context.timing.certificates } else { PAUSE }) => {}
        }
    }
}

/// Makes one attempt for each instance whose address changes, and returns how many are not finished.
///
/// # Errors
/// Those of the metadata database.
pub async fn change(context: &ActivityContext) -> toygres_domain::Result<usize> {
    let changing: HashSet<_> = context.store.instances_with_former_address().await?.into_iter().collect();
    let mut unfinished = 0;
    for id in changing {
        match attempt(context, id).await {
            Ok(Attempt::Done) => counter!("toygres_address_changes_total").increment(1),
            Ok(Attempt::NotNeeded) => {}
            Ok(Attempt::Waits(why)) => {
                unfinished += 1;
                context.store.set_notice(id, NoticeCode::AddressChanging, Some(&why)).await?;
            }
            Ok(Attempt::Busy) => unfinished += 1,
            Err(failure) => {
                unfinished += 1;
                counter!("toygres_address_change_failures_total").increment(1);
                let why = failure.reason().message;
                tracing::warn!(instance = %id, "its address could not be changed yet: {why}");
                context.store.set_notice(id, NoticeCode::AddressChanging, Some(&why)).await?;
            }
        }
    }
    Ok(unfinished)
}

/// How far an attempt came.
enum Attempt {
    /// The instance has its address, and no other one.
    Done,
    /// Another attempt was faster, or the instance is gone.
    NotNeeded,
    /// An operation works on the instance, or its owner has chosen another address meanwhile.
    Busy,
    /// It waits for this.
    Waits(String),
}

async fn attempt(context: &ActivityContext, id: InstanceId) -> Result<Attempt, Failure> {
    let _lock = context.store.lock_instance(id).await?;
    let Some(instance) = context.store.instance(id).await?.filter(|instance| instance.former_address.is_some()) else {
        return Ok(Attempt::NotNeeded);
    };
    if !context.store.is_idle(&instance).await? {
        return Ok(Attempt::Busy);
    }
    let former = instance.address().name;
    let waits = |for_what: &str| Ok(Attempt::Waits(format!("clients reach it as '{former}' until its new address is ready: {for_what}")));
    let speaks_tls = context.runtime.speaks_tls(instance.spec.postgres_version);
    // A server that is down reads it when it starts.
    let presented = instance.state == InstanceState::Running && instance.health != HealthStatus::Unhealthy;
    if speaks_tls && !has_names(context, &instance, &[], presented).await? {
        return waits("its server has not read the certificate with the new names yet");
    }
    let wanted = wanted(context, &instance).await?;
    let endpoint = match context.verb(context.runtime.add_address(&wanted)).await? {
        AddressProgress::At(endpoint) => endpoint,
        AddressProgress::InProgress(Reason { message, .. }) => return waits(&message),
    };
    if speaks_tls && !has_names(context, &instance, std::slice::from_ref(&endpoint.host), presented).await? {
        return waits("its server has not read the certificate with the address of the load balancer yet");
    }
    let before = instance.endpoint.clone();
    let Some(instance) = context.store.use_address(&instance, &endpoint).await? else { return Ok(Attempt::Busy) };
    if instance.endpoint != before {
        check_anew(context, &instance).await;
    }
    finish(context, &instance, &wanted, &endpoint).await
}

/// Removes the former address of an instance that has the wanted one.
async fn finish(context: &ActivityContext, instance: &Instance, wanted: &Deployment, endpoint: &Endpoint) -> Result<Attempt, Failure> {
    if let Progress::InProgress(Reason { message, .. }) = context.verb(context.runtime.remove_other_addresses(wanted)).await? {
        return Ok(Attempt::Waits(format!("its former address is being removed: {message}")));
    }
    // What only one address can have, such as a DNS label, it gets when the former is gone.
    match context.verb(context.runtime.add_address(wanted)).await? {
        AddressProgress::At(now) if now == *endpoint => {}
        _ => return Ok(Attempt::Waits("its load balancer gets another address".to_owned())),
    }
    if context.runtime.speaks_tls(instance.spec.postgres_version) {
        drop_former_names(context, instance).await?;
    }
    if !context.store.release_former_address(instance).await? {
        return Ok(Attempt::Busy);
    }
    tracing::info!(instance = %instance.id, name = %instance.name, "clients reach it by its present name and exposure only");
    Ok(Attempt::Done)
}

/// What the host needs to give an instance the address of its row.
async fn wanted(context: &ActivityContext, instance: &Instance) -> Result<Deployment, Failure> {
    let data = context.store.data(instance).await?;
    let Address { name, exposure } = instance.wanted_address();
    let deployment = deployment(context, instance.clone(), data).await?;
    let spec = InstanceSpec { exposure, ..deployment.spec };
    Ok(Deployment { name, spec, ..deployment })
}
