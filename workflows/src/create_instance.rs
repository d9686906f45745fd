//! CreateInstance: from a row in state `creating` to a running PostgreSQL, or back to nothing with the reason kept.

use duroxide::OrchestrationContext;
use toygres_domain::{
    instance::{Endpoint, Reason},
    runtime::Progress,
};

use crate::{
    activities::{
        delete_postgres, deploy_postgres, generate_connection_string,
        get_instance_status::{self, Status},
        update_metadata::{self, UpdateMetadata, Written},
    },
    health_check,
    step::{Failure, Pace, Run, encode, nudged, step},
};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::orchestration::create-instance";

/// The workflow.
///
/// # Errors
/// Only when the end cannot be written to the metadata; the monitor then starts the next run.
pub async fn create_instance(ctx: OrchestrationContext, run: Run, pace: Pace) -> Result<String, String> {
    match make(&ctx, &run, &pace).await {
        Ok(()) => Ok("running".to_owned()),
        // Whoever took over also cleans up: a deletion removes everything, a later run goes on with what is there.
        Err(Failure::Superseded) => Ok("superseded".to_owned()),
        Err(why) => {
            unmake(&ctx, &run, &pace, why).await.map_err(|failure| failure.encode())?;
            Ok("failed".to_owned())
        }
    }
}

async fn make(ctx: &OrchestrationContext, run: &Run, pace: &Pace) -> Result<(), Failure> {
    let () = step(ctx, deploy_postgres::NAME, run, pace.runtime).await?;
    let (endpoint, connection_string) = reachable(ctx, run, pace).await?;
    let running = UpdateMetadata::Running { run: run.clone(), endpoint, connection_string };
    if let Written::HealthCheck(health_check) = step(ctx, update_metadata::NAME, &running, pace.metadata).await? {
        // Detached; its id was stored with the state, so the sweeper starts it should this be lost.
        ctx.schedule_orchestration(health_check::NAME, health_check.workflow.clone(), encode(&health_check)?);
    }
    Ok(())
}

/// Ready, and logged in to. An instance that moves or vanishes between the two is looked for again.
async fn reachable(ctx: &OrchestrationContext, run: &Run, pace: &Pace) -> Result<(Endpoint, String), Failure> {
    loop {
        let endpoint = ready(ctx, run, pace).await?;
        let reach = generate_connection_string::Input { run: run.clone(), endpoint: endpoint.clone() };
        if let Some(connection_string) = step(ctx, generate_connection_string::NAME, &reach, pace.runtime).await? {
            return Ok((endpoint, connection_string));
        }
        nudged(ctx, pace.looks.0).await;
    }
}

/// Polls the runtime on durable timers, woken early by its nudges. The activity ends it at the operation's deadline.
async fn ready(ctx: &OrchestrationContext, run: &Run, pace: &Pace) -> Result<Endpoint, Failure> {
    let (mut pause, longest) = pace.looks;
    loop {
        match step(ctx, get_instance_status::NAME, run, pace.runtime).await? {
            Status::Ready(endpoint) => return Ok(endpoint),
            Status::Vanished => step::<_, ()>(ctx, deploy_postgres::NAME, run, pace.runtime).await?,
            Status::Pending => {}
        }
        nudged(ctx, pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Removes what was made and writes why it was in vain. What cannot be removed in time is left to the deletion of the
/// instance, and the reason says so.
async fn unmake(ctx: &OrchestrationContext, run: &Run, pace: &Pace, why: Failure) -> Result<(), Failure> {
    let mut reason = why.reason();
    match clean_up(ctx, run, pace).await {
        Ok(()) => {}
        Err(Failure::Superseded) => return Ok(()),
        Err(trouble) => {
            let left = format!("{}; cleaning up failed too ({}), so delete the instance", reason.message, trouble.reason().message);
            reason = Reason::new(reason.code, left);
        }
    }
    let failed = UpdateMetadata::Failed { run: run.clone(), cancelled: why == Failure::Cancelled, reason };
    match step::<_, Written>(ctx, update_metadata::NAME, &failed, pace.metadata).await {
        Ok(_) | Err(Failure::Superseded) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// The activity ends it a while after the operation's deadline.
async fn clean_up(ctx: &OrchestrationContext, run: &Run, pace: &Pace) -> Result<(), Failure> {
    let input = delete_postgres::Input { run: run.clone(), clean_up: true };
    let (mut pause, longest) = pace.looks;
    while let Progress::InProgress(_) = step(ctx, delete_postgres::NAME, &input, pace.runtime).await? {
        nudged(ctx, pause).await;
        pause = (pause * 2).min(longest);
    }
    Ok(())
}
