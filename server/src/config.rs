//! Configuration from flags, the environment, and the `.env` of the current directory. An invalid value ends the start with one
//! sentence that names its variable.

mod backups;
mod certificates;
mod database;
mod engine;
mod health;
mod kubernetes;
mod limits;
mod listen;
mod log;
mod postgres;
mod process;
mod retention;
mod values;
mod webhooks;

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use toygres_backup::StoreConfig;
use toygres_cli::{
    BackupsCommand, CaCommand, ContextCommand, DatabasesCommand, Demo, EXIT_CODES, Group, InstancesCommand, OperationsCommand, Recover, TokenCommand,
    UsersCommand, WebhooksCommand,
};
use toygres_domain::{restoration::Restoration, secret::SecretKeys};

pub use self::{
    backups::{BackupsConfig, StoreUrl},
    certificates::CertificatesConfig,
    database::DatabasesConfig,
    engine::EngineConfig,
    health::HealthConfig,
    kubernetes::KubernetesConfig,
    limits::LimitsConfig,
    listen::{Access, ListenConfig},
    log::{LogConfig, LogFormat},
    postgres::{PostgresCommand, PostgresPlaces},
    process::ProcessConfig,
    retention::RetentionConfig,
    values::Origin,
    webhooks::WebhooksConfig,
};

pub(crate) use self::values::size;
use self::values::{parse_bool, parse_engine_url, parse_enum, parse_secret_keys, parse_url};

/// Toygres hosts PostgreSQL as a service.
#[derive(Debug, Parser)]
#[command(name = "toygres", version, about, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the control plane.
    Serve(Box<ServeConfig>),
    /// Bring the schemas of an external metadata database up to date, and exit.
    Migrate(DatabaseConfig),
    /// Print the GraphQL schema.
    Schema,
    /// Print the licences of the third-party software in this binary.
    Licenses,
    /// Fill the volume of a new instance from a backup: what the pod of a restoration runs on Kubernetes.
    #[command(hide = true)]
    RestoreVolume(Box<RestoreVolumeConfig>),
    /// Create, watch, change, delete and connect to instances of a server.
    #[command(visible_alias = "instance", after_help = EXIT_CODES)]
    Instances(Box<Group<InstancesCommand>>),
    /// List, create and drop users of an instance.
    #[command(visible_alias = "user", after_help = EXIT_CODES)]
    Users(Box<Group<UsersCommand>>),
    /// List, create and drop databases of an instance.
    #[command(visible_alias = "database", after_help = EXIT_CODES)]
    Databases(Group<DatabasesCommand>),
    /// List, create, keep and delete backups of an instance.
    #[command(visible_alias = "backup", after_help = EXIT_CODES)]
    Backups(Group<BackupsCommand>),
    /// Find the backups in the store that the server does not know, after the loss of its metadata, and restore them.
    #[command(after_help = EXIT_CODES)]
    Recover(Recover),
    /// See what a server does, in half a minute: create instances under load, clone one, kill one.
    #[command(after_help = EXIT_CODES)]
    Demo(Demo),
    /// See, follow, cancel and retry operations of a server.
    #[command(visible_alias = "operation", after_help = EXIT_CODES)]
    Operations(Group<OperationsCommand>),
    /// Create, list and revoke API tokens.
    #[command(after_help = EXIT_CODES)]
    Token(Group<TokenCommand>),
    /// List, create, change, test and delete webhooks, which are sent the events of instances.
    #[command(visible_alias = "webhook", after_help = EXIT_CODES)]
    Webhooks(Group<WebhooksCommand>),
    /// See and replace the certificate authority of the instances.
    #[command(after_help = EXIT_CODES)]
    Ca(Group<CaCommand>),
    /// The PostgreSQL installations of this machine, for local instances.
    #[command(subcommand)]
    Postgres(PostgresCommand),
    /// The keys that seal passwords.
    #[command(subcommand)]
    Secrets(SecretsCommand),
    /// Name servers and their tokens in a configuration file ($XDG_CONFIG_HOME/toygres/config.yaml).
    #[command(subcommand)]
    Context(ContextCommand),
    /// Print a completion script, for example for bash: source <(toygres completion bash)
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What is restored where. The variables of a store are those of the server.
#[derive(Args, Clone, Debug)]
pub struct RestoreVolumeConfig {
    /// The data directory. Until it is complete, it lies beside it, at DIRECTORY.restoring; if it exists, nothing is done.
    #[arg(long)]
    pub directory: PathBuf,
    /// What to fetch, as JSON: {"source": INSTANCE, "archive": ARCHIVE, "target": TARGET}.
    #[arg(long, value_parser = parse_restoration, required_unless_present = "finish", conflicts_with = "finish")]
    pub restoration: Option<Restoration>,
    /// Make what was fetched, and recovered by PostgreSQL since, the data directory.
    #[arg(long)]
    pub finish: bool,
    /// File for the code and the sentence of a failure [default: /dev/termination-log, if it exists].
    #[arg(long)]
    pub termination_log: Option<PathBuf>,
    /// See [`BackupsConfig`].
    #[command(flatten)]
    pub backups: BackupsConfig,
}

fn parse_restoration(text: &str) -> Result<Restoration, String> {
    serde_json::from_str(text).map_err(|error| format!("it must be a restoration as JSON ({error})"))
}

/// What can be done with the keys.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// Seal every password with another key.
    ///
    /// With TOYGRES_SECRET_KEY=NEW,OLD, which every server has to know by then, everything is sealed with the first while they
    /// run; afterwards the old one can go. Without it, a new key is made in the data directory; its servers have to be stopped.
    Rotate(RotateConfig),
}

/// Whose passwords to seal anew.
#[derive(Args, Clone, Debug)]
pub struct RotateConfig {
    /// URL of the metadata database [default: the embedded one of the data directory].
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_url)]
    pub database_url: Option<String>,
    /// The keys, the one to seal with first [default: those of the data directory, with a new one in front].
    #[arg(long, env = "TOYGRES_SECRET_KEY", hide_env_values = true, value_parser = parse_secret_keys)]
    pub secret_key: Option<SecretKeys>,
    /// The server's data directory.
    #[arg(long, env = "TOYGRES_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Directories of PostgreSQL server binaries, separated by ':' [default: wherever they are installed].
    #[arg(long, env = "TOYGRES_PG_BIN")]
    pub pg_bin: Option<String>,
    /// The user that PostgreSQL runs as when this runs as root.
    #[arg(long, env = "TOYGRES_PG_USER", default_value = "postgres")]
    pub pg_user: String,
}

/// An external metadata database.
#[derive(Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// URL of the metadata database (postgres://user:password@host:port/database).
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_url)]
    pub database_url: String,
    /// URL of the workflow engine's database, when it has a role of its own [default: the metadata database's].
    #[arg(long, env = "TOYGRES_ENGINE_DATABASE_URL", hide_env_values = true, value_parser = parse_engine_url)]
    pub engine_database_url: Option<String>,
    /// Create the schemas in an external database that already holds tables of another program.
    #[arg(long, env = "TOYGRES_SHARE_DATABASE", default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, action = ArgAction::Set, value_parser = parse_bool)]
    pub share_database: bool,
}

/// How the control plane runs.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// What this server does: answer requests, run workflows, or both.
    #[arg(long, env = "TOYGRES_ROLE", default_value = "all", value_parser = parse_enum::<Role>)]
    pub role: Role,
    /// Where instances run.
    #[arg(long, env = "TOYGRES_RUNTIME", default_value = "process", value_parser = parse_enum::<RuntimeKind>)]
    pub runtime: RuntimeKind,
    /// See [`ListenConfig`].
    #[command(flatten)]
    pub listen: ListenConfig,
    /// See [`DatabasesConfig`].
    #[command(flatten)]
    pub databases: DatabasesConfig,
    /// See [`ProcessConfig`].
    #[command(flatten)]
    pub process: ProcessConfig,
    /// See [`KubernetesConfig`].
    #[command(flatten)]
    pub kubernetes: KubernetesConfig,
    /// See [`EngineConfig`].
    #[command(flatten)]
    pub engine: EngineConfig,
    /// See [`HealthConfig`].
    #[command(flatten)]
    pub health: HealthConfig,
    /// See [`CertificatesConfig`].
    #[command(flatten)]
    pub certificates: CertificatesConfig,
    /// See [`BackupsConfig`].
    #[command(flatten)]
    pub backups: BackupsConfig,
    /// See [`WebhooksConfig`].
    #[command(flatten)]
    pub webhooks: WebhooksConfig,
    /// See [`RetentionConfig`].
    #[command(flatten)]
    pub retention: RetentionConfig,
    /// See [`LimitsConfig`].
    #[command(flatten)]
    pub limits: LimitsConfig,
    /// See [`LogConfig`].
    #[command(flatten)]
    pub log: LogConfig,
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything.
    All,
    /// Answer requests.
    Api,
    /// Run workflows.
    Worker,
}

/// Where instances run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RuntimeKind {
    /// As processes of this machine.
    Process,
    /// In a Kubernetes cluster.
    Kubernetes,
}

impl ServeConfig {
    /// The store of backups. With the process runtime the default is a directory beside the data directory, which survives its removal.
    ///
    /// # Errors
    /// One sentence for people: a file cannot be read.
    pub fn backup_store(&self) -> Result<Option<StoreConfig>, String> {
        let beside = || {
            let directory = std::path::absolute(self.process.data_dir()).ok()?;
            let name = format!("{}-backups", directory.file_name()?.to_string_lossy());
            Some(directory.with_file_name(name))
        };
        self.backups.store(if self.runtime == RuntimeKind::Process { beside() } else { None })
    }

    /// Checks what depends on several values.
    ///
    /// # Errors
    /// One sentence that names the variable.
    pub fn check(&self) -> Result<(), String> {
        if self.runtime == RuntimeKind::Kubernetes {
            if self.databases.database_url.is_none() {
                return Err(
                    "DATABASE_URL must be set when TOYGRES_RUNTIME is kubernetes: the embedded database is for local processes only".to_owned()
                );
            }
            if self.databases.secret_key.is_none() {
                return Err("TOYGRES_SECRET_KEY must be set when TOYGRES_RUNTIME is kubernetes: make one with `openssl rand -base64 32`".to_owned());
            }
            self.kubernetes.settings()?;
        }
        self.certificates.check()?;
        self.backups.check()?;
        self.listen.check()
    }
}

/// One sentence for an invalid value of a setting, on the command line (`arguments`, without the name of the program) or in the environment. It
/// names both.
#[must_use]
pub fn explain(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let flag = text(ContextKind::InvalidArg)?.split(' ').next()?.to_owned();
    let program = <Cli as clap::CommandFactory>::command();
    // Another command may have an argument of the same name.
    let command = arguments.iter().fold(&program, |command, argument| command.find_subcommand(argument).unwrap_or(command));
    let variable = command
        .get_arguments()
        .find(|argument| argument.get_long().is_some_and(|long| flag == format!("--{long}")))
        .and_then(|argument| argument.get_env().map(|name| name.to_string_lossy().into_owned()))?;
    let why = reason(std::error::Error::source(error)?);
    let why = why.strip_prefix(&variable).map_or_else(|| why.trim_start_matches("it ").to_owned(), |rest| rest.trim_start().to_owned());
    // The value of a variable that holds a secret is not repeated.
    let value = match variable.contains("SECRET") || variable.contains("DATABASE_URL") {
        true => String::new(),
        false => text(ContextKind::InvalidValue).map(|value| format!(" '{value}'")).unwrap_or_default(),
    };
    Some(format!("{variable} ({flag}){value} {why}."))
}

/// Why a value is invalid. What clap itself says of numbers is put in words.
fn reason(source: &(dyn std::error::Error + 'static)) -> String {
    if source.is::<std::num::ParseIntError>() {
        return "must be a whole number".to_owned();
    }
    let text = source.to_string();
    match text.split_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
        Some((min, max)) => format!("must be a whole number from {min} to {max}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_value_is_explained_with_its_variable() {
        let failure = |arguments: &[&str]| {
            let error = Cli::try_parse_from(std::iter::once(&"toygres").chain(arguments)).unwrap_err();
            explain(&error, &arguments.iter().map(OsString::from).collect::<Vec<_>>())
        };
        let explained = |argument: &str| failure(&["serve", argument]).unwrap();
        for (argument, sentence) in [
            ("--max-sockets=0", "TOYGRES_MAX_SOCKETS (--max-sockets) '0' must be a whole number from 1 to 1000000."),
            ("--max-sockets=many", "TOYGRES_MAX_SOCKETS (--max-sockets) 'many' must be a whole number."),
            ("--health-timeout-seconds=61", "TOYGRES_HEALTH_TIMEOUT_SECONDS (--health-timeout-seconds) '61' must be a whole number from 1 to 60."),
            ("--access=open", "TOYGRES_ACCESS (--access) 'open' must be one of: local, tokens."),
            ("--introspection=maybe", "TOYGRES_INTROSPECTION (--introspection) 'maybe' must be true or false."),
        ] {
            assert_eq!(explained(argument), sentence);
        }
        assert_eq!(failure(&["token", "create", "--name=x", "--role=root"]), None, "it is no setting of the server");
        let secret = explained("--database-url=mysql://user:hunter2@host/db");
        assert!(secret.starts_with("DATABASE_URL (--database-url) must be a PostgreSQL URL") && !secret.contains("hunter2"), "{secret}");
    }
}
