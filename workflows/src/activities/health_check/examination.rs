//! One examination of an instance: a login or a query, and what the runtime observes meanwhile.

use std::{pin::pin, time::Duration};

use futures::{FutureExt, future::Fuse, future::FusedFuture};
use tokio::time::Instant;
use toygres_domain::{
    data::data_lost,
    instance::{Endpoint, Instance, Reason, ReasonCode},
    runtime::{Observation, RuntimeError},
};
use toygres_postgres::{Answer, Measure, Target};

use crate::{Failure, activity::ActivityContext, certificates::identity, running_checks::Change};

/// How long the runtime may take to observe an instance.
const OBSERVATION: Duration = Duration::from_secs(5);

/// What an examination found.
#[derive(Debug)]
pub(super) enum Finding {
    /// It answered. The runtime does not consider it ready if it is not `settled`: what clients connect through may not have
    /// followed yet.
    Answered { answer: Box<Answer>, settled: bool },
    /// It did not answer.
    Failed(Reason),
    /// It did not answer, and its endpoint has changed.
    Moved(Reason, Endpoint),
    /// The runtime has observed that clients cannot use it. A login proves nothing against that: it can come through before the network
    /// has followed, and it needs no space on the disk.
    Unusable(Reason),
    /// Its server died meanwhile. The message with the reason waits for the loop.
    Died,
}

/// The examination of an instance to which clients connect at `endpoint`.
pub(super) struct Examination<'a> {
    pub(super) context: &'a ActivityContext,
    pub(super) instance: &'a Instance,
    pub(super) endpoint: &'a Endpoint,
    /// Whether to observe the runtime too, and to log in although a connection is kept.
    pub(super) anew: bool,
    /// Whether a connection may be kept.
    pub(super) keep: bool,
    /// What to measure too.
    pub(super) measure: Measure,
}

impl Examination<'_> {
    /// Examines the instance. A login that fails is explained by an observation. While the runtime does not consider the instance
    /// ready, a login has only the time of a repeated check, because an address that is dead does not answer in the time-out of the
    /// instance either. A change that the runtime reports meanwhile leads to another observation, and to another login beside the
    /// first, which may have been sent to where nobody is any more.
    pub(super) async fn run(&self, timeout: Duration) -> Result<Finding, Failure> {
        let short = self.context.timing.recheck_timeout;
        let mut changes = self.context.running_checks.changes(self.instance.id);
        let mut login = pin!(self.log_in(self.anew, timeout));
        let (mut second_login, mut observation) = (pin!(Fuse::terminated()), pin!(Fuse::terminated()));
        if self.anew {
            observation.set(self.observe().fuse());
        }
        let (mut answer, mut observed, mut limit) = (None, None, None);
        while answer.is_none() || !observation.is_terminated() {
            let login_outcome = tokio::select! {
                outcome = &mut login, if answer.is_none() => outcome?,
                outcome = &mut second_login, if answer.is_none() && !second_login.is_terminated() => outcome?,
                seen = &mut observation, if !observation.is_terminated() => {
                    if let Some(reason) = self.unusable(&seen) {
                        return Ok(Finding::Unusable(reason));
                    }
                    limit = (!self.is_ready_here(&seen)).then(|| Instant::now() + short);
                    observed = Some(seen);
                    continue;
                }
                change = changes.next(), if answer.is_none() && observation.is_terminated() => {
                    if change == Change::Death {
                        return Ok(Finding::Died);
                    }
                    second_login.set(self.log_in(true, timeout).fuse());
                    observation.set(self.observe().fuse());
                    continue;
                }
                () = tokio::time::sleep_until(limit.unwrap_or_else(Instant::now)), if limit.is_some() => break,
            };
            if login_outcome.is_err() && observed.is_none() && observation.is_terminated() {
                observation.set(self.observe().fuse());
            }
            // The runtime is not waited for if the instance answers.
            limit = login_outcome.is_ok().then(|| Instant::now() + short);
            answer = Some(login_outcome);
        }
        Ok(self.evaluate(answer, observed))
    }

    /// Connects to the address that clients use, and queries.
    async fn log_in(&self, anew: bool, timeout: Duration) -> Result<Result<Answer, Reason>, Failure> {
        let Self { context, instance, endpoint, measure, keep, anew: _ } = self;
        let endpoint = context.runtime.internal_endpoint(&instance.address(), endpoint);
        if !anew && let Some(outcome) = context.prober.ask(instance.id, &endpoint, timeout, *measure).await {
            return Ok(outcome);
        }
        let (credentials, other_password) = context.store.credentials_to_check(instance.id).await?;
        let identity = identity(context, instance.id).await?;
        let target = Target::of_checks(endpoint, &instance.spec, credentials).or_with(other_password).verifying(identity);
        Ok(if anew || !keep {
            context.prober.log_in_anew(instance.id, &target, timeout, *measure).await
        } else {
            context.prober.log_in(instance.id, &target, timeout, *measure).await
        })
    }

    async fn observe(&self) -> Result<Observation, RuntimeError> {
        let observation = tokio::time::timeout(OBSERVATION, self.context.runtime.observe(self.instance.id));
        observation.await.unwrap_or_else(|_| Err(RuntimeError::temporary(ReasonCode::RuntimeUnavailable, "no answer")))
    }

    /// Why no client can use the instance, if that is certain.
    fn unusable(&self, seen: &Result<Observation, RuntimeError>) -> Option<Reason> {
        match seen {
            Ok(Observation::Pending(reason)) if matches!(reason.code, ReasonCode::EndpointMissing | ReasonCode::DiskFull) => Some(reason.clone()),
            Ok(Observation::Absent) => {
                // An instance that is checked has run.
                Some(data_lost(&format!("{} has nothing of this instance any more", self.context.runtime.name())))
            }
            _ => None,
        }
    }

    /// Whether clients can be expected to connect at the endpoint. Without an observation nothing speaks against it.
    fn is_ready_here(&self, seen: &Result<Observation, RuntimeError>) -> bool {
        match seen {
            Ok(Observation::Ready(endpoint)) => endpoint == self.endpoint,
            Ok(Observation::Pending(_) | Observation::Failed(_) | Observation::Absent) => false,
            Err(_) => true,
        }
    }

    /// The runtime often knows a more precise reason than the probe, and the current endpoint of the instance.
    fn evaluate(&self, answer: Option<Result<Answer, Reason>>, observed: Option<Result<Observation, RuntimeError>>) -> Finding {
        let symptom = match answer {
            Some(Ok(answer)) => {
                let settled = !matches!(observed, Some(Ok(Observation::Pending(_) | Observation::Failed(_))));
                return Finding::Answered { answer: Box::new(answer), settled };
            }
            Some(Err(symptom)) => symptom,
            None => {
                let Endpoint { host, port } = self.endpoint;
                Reason::new(ReasonCode::ConnectionTimeout, format!("no answer from {host}:{port}"))
            }
        };
        match observed {
            Some(Ok(Observation::Ready(now))) if now != *self.endpoint => Finding::Moved(symptom, now),
            Some(Ok(Observation::Pending(reason) | Observation::Failed(reason))) => Finding::Failed(reason),
            _ => Finding::Failed(symptom),
        }
    }
}
