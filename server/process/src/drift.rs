//! Drift: what somebody else has deleted or edited of the files of an instance.
//!
//! The files are those of its configuration. The data itself cannot be put back.

use std::{
    fs::Metadata,
    io::ErrorKind,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use toygres_domain::{
    drift::{Drift, DriftChange, DriftKind, Expected, Inspection},
    runtime::{Deployment, RuntimeError},
};

use super::{
    certificate,
    cluster::{Cluster, Machine, PortTaken, Status},
    data_dir::write_atomically,
    digest,
    error::{IoContext, Result},
    instance_dirs::{DirState, InstanceDirs},
    port::{self, PORT_FILE},
    release,
    settings::{self, CONFIGURATION, Configuration, Features, HBA},
    suspend,
};

/// Inspects one instance; `None` if nothing happened to it.
pub(super) fn inspect(dirs: &InstanceDirs, expected: &Expected, features: Features, installed: Option<&str>) -> Result<Option<Inspection>> {
    let cluster = dirs.cluster(expected.id, DirState::Deployed);
    let lost = || RuntimeError::from(cluster.data_lost()).reason;
    let data = if cluster.has_data()? { None } else { Some(lost()) };
    // Without the directory there is nothing to put files back into.
    let drift = if cluster.home().is_dir() {
        let Differences { drift, outdated } = differences(cluster.home(), &settings::instance(&expected.spec, expected.roles, features)?, features)?;
        let mut drift = [drift, outdated].concat();
        drift.extend(server_drift(&cluster, expected.suspended)?);
        drift
    } else {
        Vec::new()
    };
    let update = installed.filter(|_| !expected.suspended).and_then(|installed| release::update(cluster.home(), installed));
    let inspection = Inspection { id: expected.id, drift, data, update };
    Ok((!inspection.is_empty()).then_some(inspection))
}

/// How the files of an instance differ from what they must contain.
struct Differences {
    /// What somebody has deleted or edited.
    drift: Vec<Drift>,
    /// What another release has written. Nothing happened to it, and it is renewed.
    outdated: Vec<Drift>,
}

fn differences(home: &Path, configuration: &Configuration, features: Features) -> Result<Differences> {
    let (mut found, mut outdated) = (Vec::new(), Vec::new());
    for (name, wanted) in configuration.files() {
        let edited = || Drift::new(DriftKind::Configuration, name, DriftChange::Edited(Vec::new()));
        match std::fs::read(home.join(name)) {
            Ok(_) if !has_mode(&home.join(name))? => found.push(edited()),
            Ok(present) if present == wanted.as_bytes() => {}
            Ok(present) if digest::is_ours(&String::from_utf8_lossy(&present)) => outdated.push(edited()),
            Ok(_) => found.push(edited()),
            Err(error) if error.kind() == ErrorKind::NotFound => found.push(Drift::new(DriftKind::Configuration, name, DriftChange::Deleted)),
            Err(error) => return Err(error).context(format_args!("read {}", home.join(name).display())),
        }
    }
    if features.tls && !certificate::is_there(home) {
        let change = if home.join(certificate::FILE).exists() { DriftChange::Edited(Vec::new()) } else { DriftChange::Deleted };
        found.push(Drift::new(DriftKind::Configuration, certificate::FILE, change));
    }
    if port::kept(home).is_none() {
        let change = if home.join(PORT_FILE).exists() { DriftChange::Edited(Vec::new()) } else { DriftChange::Deleted };
        found.push(Drift::new(DriftKind::Configuration, PORT_FILE, change));
    }
    Ok(Differences { drift: found, outdated })
}

/// Whether somebody has started a server that is kept stopped, or keeps one stopped that is not.
fn server_drift(cluster: &Cluster, suspended: bool) -> Result<Option<Drift>> {
    let change = match (suspended, suspend::is_suspended(cluster.home())) {
        (true, true) if cluster.server()?.is_none() => return Ok(None),
        (true, _) => DriftChange::Started,
        (false, true) => DriftChange::Stopped,
        (false, false) => return Ok(None),
    };
    Ok(Some(Drift::new(DriftKind::Server, cluster.name(), change)))
}

/// How long a server that must not run has for its shutdown.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

fn repair_server(machine: &Machine, cluster: &Cluster, suspended: bool) -> Result<Option<Drift>> {
    let drift = server_drift(cluster, suspended)?;
    match drift.as_ref().map(|drift| &drift.change) {
        Some(DriftChange::Started) => {
            suspend::keep_stopped(cluster.home())?;
            cluster.stop(STOP_TIMEOUT)?;
        }
        Some(DriftChange::Stopped) => {
            suspend::release(cluster.home())?;
            cluster.start(machine, PortTaken::Move)?;
        }
        Some(DriftChange::Deleted | DriftChange::Edited(_)) | None => {}
    }
    Ok(drift)
}

/// Whether PostgreSQL's user can read the file, and only its owner can write to it.
fn has_mode(path: &Path) -> Result<bool> {
    Ok(path.metadata().context(format_args!("look at {}", path.display()))?.permissions().mode() & 0o777 == 0o644)
}

/// Puts back what has drifted, and renews what is outdated. The caller holds the lock of the instance, and the data is there.
pub(super) fn repair(machine: &Machine, cluster: &Cluster, deployment: &Deployment, features: Features) -> Result<Vec<Drift>> {
    let mut repaired = repair_files(machine, cluster, deployment, features)?;
    repaired.extend(repair_server(machine, cluster, deployment.suspended)?);
    Ok(repaired)
}

/// Writes the files that have drifted, and has the server read them.
fn repair_files(machine: &Machine, cluster: &Cluster, deployment: &Deployment, features: Features) -> Result<Vec<Drift>> {
    let configuration = settings::instance(&deployment.spec, deployment.credentials.roles(), features)?;
    let Differences { drift, outdated } = differences(cluster.home(), &configuration, features)?;
    // Before the configuration that names it. Its content is no drift, because a renewal may be in progress.
    let is_renewed = features.tls && certificate::install(cluster.home(), &machine.account, &deployment.certificate)?;
    if drift.is_empty() && outdated.is_empty() {
        if is_renewed {
            cluster.reload()?;
        }
        return Ok(drift);
    }
    if port::kept(cluster.home()).is_none() {
        match cluster.status()? {
            Status::Ready { port, .. } => write_atomically(&cluster.home().join(PORT_FILE), 0o644, &format!("port = {port}\n"))?,
            _ => drop(port::choose(&machine.data, cluster.home())?),
        }
    }
    configuration.write(cluster.home())?;
    cluster.reload()?;
    Ok(drift)
}

/// What changes when somebody deletes, replaces or edits a file of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([Option<FileVersion>; 6]);

/// Inode, size, time of the last change, mode.
type FileVersion = (u64, u64, (i64, i64), u32);

impl Fingerprint {
    /// Of the files in `home`. A file that cannot be looked at counts as missing.
    pub(super) fn of(home: &Path) -> Self {
        let file = |meta: Metadata| (meta.ino(), meta.size(), (meta.mtime(), meta.mtime_nsec()), meta.mode());
        Self(
            [CONFIGURATION, HBA, PORT_FILE, certificate::FILE, suspend::FILE, "data/PG_VERSION"]
                .map(|name| home.join(name).metadata().ok().map(file)),
        )
    }
}
