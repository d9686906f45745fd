//! GenerateConnectionString: determines the connection string, verifies it by logging in once, and secures the data: from then on no
//! other volume is initialised for the instance. Of a new instance, the owner's role and database are made first.
//!
//! They are no activity of their own, because the histories of creations that an earlier release began have none: see
//! [`crate::registry`].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use toygres_domain::{
    certificate::ServerIdentity,
    connection_string::connection_string,
    data::Data,
    instance::{Endpoint, Instance, Reason, ReasonCode},
    operation::{OperationKind, StepName},
    roles::Credentials,
    runtime::Progress,
};
use toygres_postgres::{Measure, Target, roles};
use toygres_store::Work;

use crate::{
    Failure,
    activities::deploy_postgres::{deployment, target},
    activity::{Activity, ActivityContext, Run, catch_panic},
    certificates::{identity, is_presented},
    configuration::configuration_status,
};

/// The activity.
pub struct GenerateConnectionString;

/// The input of the activity: the endpoint that the runtime reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The run.
    pub run: Run,
    /// The endpoint of the instance.
    pub endpoint: Endpoint,
}

/// How long a login may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long it may take to make the roles and the database, which is copied from a template.
const SET_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// Consecutive refusals that count as final.
const REFUSALS: u32 = 3;

impl Activity for GenerateConnectionString {
    const NAME: &'static str = "toygres-workflows::activity::generate-connection-string";
    type Input = Input;
    /// The URL without the password; `None` if the endpoint has changed or the instance no longer exists, so that the status must
    /// be polled again.
    type Output = Option<String>;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<Option<String>, Failure> {
        let name = StepName::GenerateConnectionString;
        let work = context.wanted(&run).await?;
        context.store.begin_step(&run.operation, run.run, name).await?;
        let outcome = catch_panic(async {
            let internal_endpoint = context.runtime.internal_endpoint(&work.instance.address(), &endpoint);
            if matches!(work.operation.kind(), OperationKind::Create | OperationKind::Restore) {
                set_up(&context, &run, &internal_endpoint).await?;
            }
            log_in(&context, &work, internal_endpoint.clone()).await?;
            if matches!(work.operation.kind(), OperationKind::Restart | OperationKind::Resume) {
                has_pending_parameters(&context, &work, &endpoint).await?;
            }
            if context.runtime.speaks_tls(work.instance.spec.postgres_version) {
                // From now on it is expected. One that does not present it yet is renewed in the background.
                is_presented(&context, &work.instance, &internal_endpoint).await?;
            } else if matches!(work.operation.kind(), OperationKind::Restart | OperationKind::Resume) {
                // Its server was started by programs that were built without TLS, after others that were not.
                context.store.forget_certificate(work.instance.id).await?;
            }
            secure_data(&context, &run).await
        })
        .await;
        match outcome {
            Ok(()) => {
                context.store.finish_step(&run.operation, run.run, name).await?;
                Ok(Some(connection_string(&endpoint, &work.instance.spec)))
            }
            Err(failure) => {
                context.note_failure(&run, name, &failure).await?;
                if failure.is_moved(&context, work.instance.id, &endpoint).await { Ok(None) } else { Err(failure) }
            }
        }
    }
}

/// Records the volume of an instance that runs for the first time, and has the runtime forbid that another one is initialised. This is
/// before the instance is said to be running, so whatever happens to the volume afterwards is noticed.
async fn secure_data(context: &ActivityContext, run: &Run) -> Result<(), Failure> {
    let instance = target(context.wanted(run).await?);
    if context.store.data(&instance).await?.volume().is_some() {
        return Ok(());
    }
    let _lock = context.store.lock_instance(instance.id).await?;
    // Checked again under the lock: after a deletion nothing may be deployed.
    let operation = context.wanted(run).await?.operation;
    let Some(volume) = context.verb(context.runtime.volume(instance.id)).await? else {
        return Err(Failure::Retry(Reason::new(ReasonCode::VolumeNotBound, "its volume has vanished")));
    };
    context.store.record_volume(instance.id, &volume).await?;
    let spec = operation.target(&instance.spec);
    let deployment = deployment(context, Instance { spec, ..instance }, Data::Existing(Some(volume))).await?;
    context.verb(context.runtime.deploy(&deployment)).await
}

/// Makes the roles and the database. The lock keeps a late repetition from undoing what the owner changes once the instance is running.
async fn set_up(context: &ActivityContext, run: &Run, endpoint: &Endpoint) -> Result<(), Failure> {
    let id = context.wanted(run).await?.instance.id;
    let _lock = context.store.lock_instance(id).await?;
    let instance = context.wanted(run).await?.instance;
    let Credentials { owner, platform } = context.store.credentials(id).await?;
    match platform {
        Some(platform) => {
            // A new server has its certificate from the start, so it does not offer to do without.
            let speaks_tls = context.runtime.speaks_tls(instance.spec.postgres_version);
            let identity = identity(context, id).await?.map(|identity| ServerIdentity { required: speaks_tls, ..identity });
            insist(|| roles::set_up(endpoint, identity.clone(), &instance.spec, &owner, &platform, SET_UP_TIMEOUT)).await
        }
        // An earlier release has created it.
        None => Ok(()),
    }
}

/// Whether the server has the parameters that waited for its restart, if there are any.
async fn has_pending_parameters(context: &ActivityContext, work: &Work, endpoint: &Endpoint) -> Result<(), Failure> {
    let target = work.operation.target(&work.instance.spec);
    if target.parameters == work.instance.spec.parameters {
        return Ok(());
    }
    let instance = Instance { endpoint: Some(endpoint.clone()), ..work.instance.clone() };
    match configuration_status(context, &instance, &target.parameters).await? {
        Progress::Done => Ok(()),
        Progress::InProgress(reason) => Err(Failure::Retry(reason)),
    }
}

/// Logs in as the operation requires it of its server.
pub(crate) async fn log_in(context: &ActivityContext, work: &Work, endpoint: Endpoint) -> Result<(), Failure> {
    let (id, spec) = (work.instance.id, &work.instance.spec);
    let ((credentials, other_password), identity) = (context.store.credentials_to_check(id).await?, identity(context, id).await?);
    // An upgrade may lead to a server that was built without it.
    let speaks_tls = context.runtime.speaks_tls(work.operation.target(spec).postgres_version);
    let identity = identity.map(|identity| ServerIdentity { required: identity.required && speaks_tls, ..identity });
    match work.operation.kind() {
        // As clients will.
        OperationKind::Create => {
            let target = Target::of_owner(endpoint, spec, credentials.owner).verifying(identity);
            insist(|| async { toygres_postgres::check(&target, TIMEOUT).await.map(drop) }).await
        }
        // The owner may have dropped or renamed their database. The prober keeps the connection for the first health check.
        _ => {
            let target = Target::of_checks(endpoint, spec, credentials).or_with(other_password).verifying(identity);
            insist(|| async { context.prober.log_in(id, &target, TIMEOUT, Measure::NONE).await.map(drop) }).await
        }
    }
}

/// A server that is unreachable or still starting may be ready soon (a DNS name can take minutes to resolve). A server that
/// responds and refuses will not change its answer.
pub(crate) async fn insist<T, F: Future<Output = Result<T, Reason>>>(mut attempt: impl FnMut() -> F) -> Result<T, Failure> {
    let mut refusals = 0;
    loop {
        let symptom = match attempt().await {
            Ok(done) => return Ok(done),
            Err(symptom) => symptom,
        };
        if !roles::is_final(symptom.code) {
            return Err(Failure::Retry(symptom));
        }
        refusals += 1;
        if refusals == REFUSALS {
            return Err(Failure::Failed(symptom));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
