//! Creates the files of a new cluster: a copy of a template (which takes a tenth of the time of `initdb`), with the password of its
//! superuser.

use std::{
    fs::{DirBuilder, Permissions},
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use toygres_domain::roles::SUPERUSER;

use super::{
    account::Account,
    binaries::Installation,
    cluster::{Cluster, Machine, remove_directory},
    data_dir::{make_directory, sync_directory},
    error::{Error, IoContext, Result},
    lock::FileLock,
    log_file::last_error_in,
    settings::Configuration,
};

/// The version of the templates. It is incremented with each change of how they are created, so that older ones are not used any
/// more.
const TEMPLATE_REVISION: u32 = 2;

/// Creates a cluster in the home of `cluster`, which must be a staging directory, because a partial cluster is deleted after a
/// crash. The caller renames it afterwards. On return all files are synced.
///
/// `statements` are SQL, one per line, with verifiers instead of passwords. They are passed through a pipe.
pub(super) fn build(
    machine: &Machine,
    installation: &Installation,
    cluster: &Cluster,
    configuration: &Configuration,
    statements: &str,
) -> Result<()> {
    let template = prepare_template(machine, installation)?;
    let begin = Instant::now();
    // A control plane that was killed here may have left a program running.
    cluster.kill_all()?;
    remove_directory(cluster.home())?;
    make_directory(cluster.home(), if machine.account.is_other() { 0o711 } else { 0o700 })?;
    copy_directory(&template.join("data"), &cluster.data(), &machine.account)?;
    let copied = begin.elapsed();
    configuration.write(cluster.home())?;
    run_statements(machine, installation, cluster, statements, Durability::Afterwards)?;
    let set_up = begin.elapsed();
    sync(machine, installation, cluster)?;
    sync_directory(cluster.home())?;
    tracing::debug!(cluster = cluster.name(), ?copied, set_up = ?(set_up - copied), synced = ?(begin.elapsed() - set_up), "created a cluster");
    Ok(())
}

/// Syncs the files of a cluster whose server is not running.
pub(super) fn sync(machine: &Machine, installation: &Installation, cluster: &Cluster) -> Result<()> {
    let mut sync = Command::new(installation.program("initdb"));
    machine.account.prepare(&mut sync);
    run(sync.args(["--sync-only", "-D"]).arg(cluster.data()), "", cluster.home())
}

/// When what a program writes is safe from a failure of the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// As PostgreSQL orders it: for a cluster that holds data, also while the program recovers it.
    Always,
    /// When all files are synced together afterwards. Until then nobody needs the cluster.
    Afterwards,
}

/// Runs SQL on a cluster whose server is not running.
pub(super) fn run_statements(
    machine: &Machine,
    installation: &Installation,
    cluster: &Cluster,
    statements: &str,
    durability: Durability,
) -> Result<()> {
    let mut single = Command::new(installation.program("postgres"));
    machine.account.prepare(&mut single);
    single.arg("--single").arg("-D").arg(cluster.data());
    // The first error ends the program, instead of being skipped.
    single.args(["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off"]);
    if durability == Durability::Afterwards {
        single.args(["-c", "fsync=off"]);
    }
    // So that the next host finds the process if it outlives this one.
    single.args(["-c", &format!("cluster_name={}", cluster.name())]).arg("postgres");
    run(&mut single, statements, cluster.home())
}

/// The template of an installation, created if it is missing.
pub(super) fn prepare_template(machine: &Machine, installation: &Installation) -> Result<PathBuf> {
    let templates = machine.data.join("templates");
    let name = template_name(installation);
    let template = templates.join(&name);
    if template.is_dir() {
        return Ok(template);
    }
    let _lock = lock_templates(machine)?;
    if template.is_dir() {
        return Ok(template);
    }
    // Every attempt uses a new directory, because an `initdb` that outlives its control plane deletes its directory when it fails.
    let staging = templates.join(format!(".{name}-{}", uuid::Uuid::now_v7()));
    let mode = if machine.account.is_other() { 0o711 } else { 0o700 };
    let mut last = Err(Error::Program("no locale works".to_owned()));
    for locale in locales(installation) {
        remove_directory(&staging)?;
        make_directory(&staging, mode)?;
        let data = staging.join("data");
        make_directory(&data, 0o700)?;
        machine.account.own(&data)?;
        let mut initdb = Command::new(installation.program("initdb"));
        machine.account.prepare(&mut initdb);
        initdb.arg("-D").arg(&data).arg(format!("--username={SUPERUSER}"));
        initdb.args(["--data-checksums", "--no-instructions"]);
        // No login as the superuser is possible until it has a password, because all pg_hba.conf files require one or reject the
        // connection.
        initdb.args(["--auth-local=peer", "--auth-host=reject"]).args(locale);
        last = run(&mut initdb, "", &staging);
        if last.is_ok() {
            break;
        }
    }
    last?;
    sync_directory(&staging)?;
    std::fs::rename(&staging, &template).context("rename the template")?;
    sync_directory(&templates)?;
    Ok(template)
}

/// Removes templates that no installation uses any more, and half-created ones.
pub(super) fn prune_templates(machine: &Machine) -> Result<()> {
    let _lock = lock_templates(machine)?;
    let used: Vec<_> = machine.binaries.all().iter().map(template_name).collect();
    for entry in std::fs::read_dir(machine.data.join("templates")).context("list the templates")?.flatten() {
        if entry.path().is_dir() && !used.iter().any(|name| entry.file_name() == **name) {
            remove_directory(&entry.path())?;
        }
    }
    Ok(())
}

fn lock_templates(machine: &Machine) -> Result<FileLock> {
    FileLock::acquire(&machine.data.join("templates/lock"), Duration::from_secs(120))
}

fn template_name(installation: &Installation) -> String {
    format!("{}-r{TEMPLATE_REVISION}", installation.version)
}

/// The locales to try. A system that is no Debian may not have the one of earlier versions.
fn locales(installation: &Installation) -> [&'static [&'static str]; 2] {
    [installation.major.locale_options(), &["--encoding=UTF8", "--locale=C"]]
}

/// Copies a directory for `account`. The standard library shares blocks between the copies if the file system supports it.
fn copy_directory(from: &Path, to: &Path, account: &Account) -> Result<()> {
    DirBuilder::new().mode(0o700).create(to).context(format_args!("make {}", to.display()))?;
    for entry in std::fs::read_dir(from).context("read the template")? {
        let entry = entry.context("read the template")?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().context("read the template")?;
        if kind.is_dir() {
            copy_directory(&source, &target, account)?;
        } else if kind.is_file() {
            std::fs::copy(&source, &target).context(format_args!("copy the template to {}", target.display()))?;
            account.own(&target)?;
        } else {
            return Err(Error::Program(format!("the template holds {}, which is not a file", source.display())));
        }
    }
    std::fs::set_permissions(to, Permissions::from_mode(0o700)).context("set the mode of the data directory")?;
    account.own(to)
}

/// Runs a program of PostgreSQL and waits for it. If it fails, its last message is the error.
fn run(command: &mut Command, input: &str, home: &Path) -> Result<()> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context(format_args!("run {name} of PostgreSQL"))?;
    // The input is a few lines and fits into the pipe. An error means that the program exited early, which its status reports.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().context(format_args!("wait for {name} of PostgreSQL"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = last_error_in(&String::from_utf8_lossy(&output.stderr), home);
    Err(Error::Program(format!("{name} of PostgreSQL failed ({}): {}", output.status, message.unwrap_or_else(|| "it gave no reason".to_owned()))))
}
