//! The work of the verbs, which blocks.

use std::{sync::atomic::Ordering, time::Duration};

use toygres_domain::{
    InstanceId,
    drift::Drift,
    instance::{Endpoint, PostgresVersion, Reason, ReasonCode},
    roles::{PlatformCredentials, SUPERUSER},
    runtime::{Deployment, Observation, Progress, Restart, RuntimeError, Suspension},
    scram,
    server_settings::STATISTICS_LIBRARY,
};

use super::{LOCK_TIMEOUT, Shared};
use crate::{
    build, certificate,
    cluster::{PortTaken, ServerProcess, Status, remove_directory},
    crash_loop::CrashLoopCounter,
    drift,
    error::{Error, Result},
    instance_dirs::DirState,
    port, resize,
    restart::{self, RestartRecord},
    settings::{self, Configuration, Features},
    suspend, upgrade,
};

impl Shared {
    pub(crate) fn deploy(&self, deployment: &Deployment) -> Result<()> {
        let Deployment { id, name: _, first_name: _, spec, credentials, data, certificate, suspended, closed } = deployment;
        let features = self.features(spec.postgres_version);
        let configuration = settings::with_access(spec, credentials.roles(), features, *closed)?;
        let _lock = self.dirs.lock(*id, LOCK_TIMEOUT)?;
        self.check_open()?;
        self.disk.check()?;
        let cluster = self.dirs.cluster(*id, DirState::Deployed);
        if cluster.has_data()? {
            // An upgrade that runs was abandoned.
            upgrade::kill_script(&cluster)?;
            let present = cluster.version()?;
            if present != spec.postgres_version {
                return Err(Error::Refused(format!("the instance holds data of PostgreSQL {present}, which {} cannot read", spec.postgres_version)));
            }
            // A setting that needs a restart takes effect at the next start.
            let changed =
                (features.tls && certificate::install(cluster.home(), &self.machine.account, certificate)?) | configuration.write(cluster.home())?;
            if changed {
                cluster.reload()?;
            }
            if !closed {
                upgrade::remove_former(cluster.home())?;
            }
        } else if data.exists() {
            return Err(cluster.data_lost());
        } else {
            self.create(deployment, &configuration)?;
        }
        if *suspended {
            suspend::keep_stopped(cluster.home())?;
        } else {
            // A deployment starts the server immediately, regardless of earlier deaths.
            CrashLoopCounter::reset(cluster.home())?;
            suspend::release(cluster.home())?;
            cluster.start(&self.machine, PortTaken::Move)?;
        }
        self.wake.notify_one();
        Ok(())
    }

    fn create(&self, deployment: &Deployment, configuration: &Configuration) -> Result<()> {
        let Deployment { id, name: _, first_name: _, spec, credentials, data: _, certificate, suspended: _, closed: _ } = deployment;
        let Some(PlatformCredentials { superuser, monitor: _ }) = &credentials.platform else {
            return Err(Error::Refused("an instance is created with passwords for the roles of the platform".to_owned()));
        };
        let installation = self.machine.binaries.of(spec.postgres_version)?;
        self.clear_deployed(*id)?;
        let staging = self.dirs.cluster(*id, DirState::Staging);
        let statement = format!("ALTER ROLE {SUPERUSER} PASSWORD '{}'\n", scram::verifier(superuser));
        build::build(&self.machine, &installation, &staging, configuration, &statement)?;
        if installation.tls {
            certificate::install(staging.home(), &self.machine.account, certificate)?;
        }
        port::choose(&self.machine.data, staging.home())?;
        self.dirs.rename(*id, DirState::Staging, DirState::Deployed)
    }

    pub(super) fn observe(&self, id: InstanceId) -> Result<Observation> {
        let pending = |code, message: &str| Observation::Pending(Reason::new(code, message));
        Ok(match self.dirs.states(id).next() {
            None => Observation::Absent,
            Some(DirState::Staging) => match self.restorations.progress(id) {
                Some(reason) => Observation::Pending(reason),
                None => pending(ReasonCode::StartingUp, "the data directory is being created"),
            },
            Some(DirState::Removed | DirState::Keeping) => pending(ReasonCode::RemovalIncomplete, "the instance is being removed"),
            Some(DirState::Deployed) => {
                let cluster = self.dirs.cluster(id, DirState::Deployed);
                // A directory is deployed with its data, so the data was there.
                if !cluster.has_data()? {
                    return Ok(Observation::Failed(RuntimeError::from(cluster.data_lost()).reason));
                }
                if suspend::is_suspended(cluster.home()) {
                    if let Some(reason) = upgrade::progress(cluster.home())? {
                        return Ok(Observation::Pending(reason));
                    }
                    return Ok(Observation::Pending(suspend::reason()));
                }
                // It may answer and accept no writes, and a server that exited cannot start.
                if let Some((_, reason)) = self.disk.full() {
                    return Ok(Observation::Pending(reason));
                }
                let (crashes, restart) = (CrashLoopCounter::read(cluster.home()), RestartRecord::read(cluster.home()));
                let restarting = |server: ServerProcess| restart.as_ref().is_some_and(|restart| restart.is_stopping(server));
                match (cluster.status()?, crashes) {
                    // A suspended server is still reported as ready by its `postmaster.pid`.
                    (Status::Ready { server, .. } | Status::Starting { server } | Status::Stopping { server }, _) if restarting(server) => {
                        pending(ReasonCode::StartingUp, "PostgreSQL is shutting down, to be started again")
                    }
                    (Status::Ready { port, .. }, _) => Observation::Ready(Endpoint { host: "127.0.0.1".to_owned(), port }),
                    (_, Some(crashes)) if crashes.is_loop() => Observation::Failed(crashes.loop_reason()),
                    (Status::Starting { .. }, _) => pending(ReasonCode::StartingUp, "PostgreSQL is starting"),
                    (Status::Stopping { .. }, _) => pending(ReasonCode::ProcessExited, "PostgreSQL is stopping"),
                    (Status::Stopped, Some(crashes)) => Observation::Pending(crashes.reason),
                    (Status::Stopped, None) => pending(ReasonCode::StartingUp, "PostgreSQL is about to start"),
                }
            }
        })
    }

    pub(super) fn remove(&self, id: InstanceId, keep_volumes: bool) -> Result<Progress> {
        // An absent instance needs no lock file.
        if self.dirs.states(id).next().is_none() {
            return Ok(Progress::Done);
        }
        let _lock = self.dirs.lock(id, LOCK_TIMEOUT)?;
        if self.dirs.path(id, DirState::Deployed).is_dir() {
            upgrade::abandon(&self.dirs.cluster(id, DirState::Deployed))?;
            // Renamed first, so that the supervisor does not start it again.
            self.dirs.rename(id, DirState::Deployed, if keep_volumes { DirState::Keeping } else { DirState::Removed })?;
        }
        self.clear(id, keep_volumes)?;
        self.wake.notify_one();
        Ok(Progress::Done)
    }

    pub(super) fn restart(&self, id: InstanceId, restart: &Restart) -> Result<Progress> {
        let cluster = self.dirs.cluster(id, DirState::Deployed);
        // An absent instance needs no lock file.
        cluster.check_data()?;
        let _lock = self.dirs.lock(id, LOCK_TIMEOUT)?;
        cluster.check_data()?;
        self.check_open()?;
        let progress = restart::advance(&self.machine, &cluster, restart)?;
        self.wake.notify_one();
        Ok(progress)
    }

    pub(super) fn suspend(&self, id: InstanceId, suspension: &Suspension) -> Result<Progress> {
        let cluster = self.dirs.cluster(id, DirState::Deployed);
        // An absent instance needs no lock file.
        cluster.check_data()?;
        let _lock = self.dirs.lock(id, LOCK_TIMEOUT)?;
        cluster.check_data()?;
        let progress = suspend::advance(&cluster, suspension)?;
        self.wake.notify_one();
        Ok(progress)
    }

    pub(super) fn resize(&self, deployment: &Deployment, restart: &Restart) -> Result<Progress> {
        let Deployment { id, name: _, first_name: _, spec, credentials, data: _, certificate: _, suspended, closed: _ } = deployment;
        let configuration = settings::instance(spec, credentials.roles(), self.features(spec.postgres_version))?;
        let cluster = self.dirs.cluster(*id, DirState::Deployed);
        // An absent instance needs no lock file.
        cluster.check_data()?;
        let _lock = self.dirs.lock(*id, LOCK_TIMEOUT)?;
        cluster.check_data()?;
        self.check_open()?;
        let progress =
            if *suspended { resize::prepare(&cluster, &configuration)? } else { resize::advance(&self.machine, &cluster, &configuration, restart)? };
        self.wake.notify_one();
        Ok(progress)
    }

    pub(super) fn repair(&self, deployment: &Deployment) -> Result<Vec<Drift>> {
        let cluster = self.dirs.cluster(deployment.id, DirState::Deployed);
        // An absent instance needs no lock file.
        cluster.check_data()?;
        let _lock = self.dirs.lock(deployment.id, LOCK_TIMEOUT)?;
        cluster.check_data()?;
        let repaired = drift::repair(&self.machine, &cluster, deployment, self.features(deployment.spec.postgres_version))?;
        if !repaired.is_empty() {
            // With its former configuration a server that kept exiting can start immediately.
            CrashLoopCounter::reset(cluster.home())?;
        }
        self.wake.notify_one();
        Ok(repaired)
    }

    pub(super) fn install_tls(&self, deployment: &Deployment) -> Result<()> {
        if !self.machine.binaries.speaks_tls(deployment.spec.postgres_version) {
            return Ok(());
        }
        // An absent instance needs no lock file.
        self.dirs.cluster(deployment.id, DirState::Deployed).check_data()?;
        let _lock = self.dirs.lock(deployment.id, LOCK_TIMEOUT)?;
        let cluster = self.dirs.cluster(deployment.id, DirState::Deployed);
        cluster.check_data()?;
        let configuration = settings::instance(&deployment.spec, deployment.credentials.roles(), self.features(deployment.spec.postgres_version))?;
        // Before the configuration that names it.
        let is_renewed = certificate::install(cluster.home(), &self.machine.account, &deployment.certificate)?;
        if configuration.write(cluster.home())? || is_renewed {
            cluster.reload()?;
        }
        Ok(())
    }

    /// What the installation of this version has. One that is missing is reported when it is needed.
    pub(crate) fn features(&self, version: PostgresVersion) -> Features {
        let statistics = self.machine.binaries.of(version).is_ok_and(|installation| installation.has_library(STATISTICS_LIBRARY));
        Features { statistics, tls: self.machine.binaries.speaks_tls(version) }
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closing.load(Ordering::SeqCst) { Err(Error::Busy("the server is shutting down".to_owned())) } else { Ok(()) }
    }

    /// Removes every directory of an instance without data. The caller holds the lock.
    pub(crate) fn clear_deployed(&self, id: InstanceId) -> Result<()> {
        self.clear(id, false)?;
        if self.dirs.path(id, DirState::Deployed).is_dir() {
            self.dirs.rename(id, DirState::Deployed, DirState::Removed)?;
        }
        self.clear(id, false)
    }

    /// Removes every directory of the instance but the deployed one. Idempotent; the caller holds the lock.
    pub(crate) fn clear(&self, id: InstanceId, keep_volumes: bool) -> Result<()> {
        for state in self.dirs.states(id) {
            let cluster = self.dirs.cluster(id, state);
            match state {
                DirState::Deployed => {}
                DirState::Keeping if keep_volumes => {
                    // A clean shutdown, so that a later use of the data needs no recovery.
                    cluster.stop(Duration::from_secs(20))?;
                    self.dirs.move_to_kept(id)?;
                }
                DirState::Staging | DirState::Removed | DirState::Keeping => {
                    cluster.stop_immediately()?;
                    remove_directory(cluster.home())?;
                }
            }
        }
        Ok(())
    }
}
