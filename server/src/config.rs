//! Configuration: flags, environment, and `.env`. A wrong value is named with its variable in one sentence, at start-up.

mod kubernetes;

use std::{net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use toygres_domain::{instance::HealthCheckPolicy, secret::SecretKeys};
use toygres_postgres::Prober;
use toygres_workflows::{EngineOptions, Timing, janitor::Retention};

pub use self::kubernetes::KubernetesConfig;
use crate::{graphql::QueryLimits, transport::Limits};
use toygres_cli::{ContextCommand, EXIT_CODES, Group, InstancesCommand, OperationsCommand, TokenCommand};
use toygres_process::DataDir;

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
    /// Create, watch, change, delete and connect to instances of a server.
    #[command(visible_alias = "instance", after_help = EXIT_CODES)]
    Instances(Group<InstancesCommand>),
    /// See, follow, cancel and retry operations of a server.
    #[command(visible_alias = "operation", after_help = EXIT_CODES)]
    Operations(Group<OperationsCommand>),
    /// Make, list and revoke API tokens.
    #[command(after_help = EXIT_CODES)]
    Token(Group<TokenCommand>),
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
}

/// How the control plane runs.
#[derive(Args, Clone, Debug)]
pub struct ServeConfig {
    /// Address to listen on. Without access control it must be a loopback address.
    #[arg(long, env = "TOYGRES_LISTEN", default_value = "127.0.0.1:8080", value_parser = parse_listen)]
    pub listen: SocketAddr,
    /// Who may come in: everybody on this machine (local), or bearers of API tokens (tokens).
    #[arg(long, env = "TOYGRES_ACCESS", default_value = "local", value_parser = parse_enum::<Access>)]
    pub access: Access,
    /// Origins, separated by ',', whose pages may use the API beside the server's own, for example `https://dash.example.com`.
    #[arg(long, env = "TOYGRES_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,
    /// What this server does: answer requests, run workflows, or both.
    #[arg(long, env = "TOYGRES_ROLE", default_value = "all", value_parser = parse_enum::<Role>)]
    pub role: Role,
    /// Where instances run.
    #[arg(long, env = "TOYGRES_RUNTIME", default_value = "process", value_parser = parse_enum::<RuntimeKind>)]
    pub runtime: RuntimeKind,
    /// URL of the metadata database [default: an embedded one, with the process runtime only].
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = parse_url)]
    pub database_url: Option<String>,
    /// URL of the workflow engine's database, when it has a role of its own [default: the metadata database's].
    #[arg(long, env = "TOYGRES_ENGINE_DATABASE_URL", hide_env_values = true, value_parser = parse_engine_url)]
    pub engine_database_url: Option<String>,
    /// Connections to the metadata database at the most.
    #[arg(long, env = "TOYGRES_DATABASE_CONNECTIONS", default_value = "32", value_parser = parse_number::<4, 1000>)]
    pub database_connections: u64,
    /// Directory of local instances, the embedded database and the secret key [default: /var/lib/toygres for root, else the
    /// user's data directory].
    #[arg(long, env = "TOYGRES_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Key that seals passwords: 32 random bytes in base64; while it is replaced, several separated by commas, of which the first
    /// seals and all open [default: kept in the data directory].
    #[arg(long, env = "TOYGRES_SECRET_KEY", hide_env_values = true, value_parser = parse_secret_keys)]
    pub secret_key: Option<SecretKeys>,
    /// Directories of PostgreSQL server binaries, separated by ':' [default: wherever they are installed].
    #[arg(long, env = "TOYGRES_PG_BIN")]
    pub pg_bin: Option<String>,
    /// The user that PostgreSQL runs as when the server runs as root, which PostgreSQL refuses.
    #[arg(long, env = "TOYGRES_PG_USER", default_value = "postgres")]
    pub pg_user: String,
    /// The cluster, and what the platform decides for all instances in it.
    #[command(flatten)]
    pub kubernetes: KubernetesConfig,
    /// Seconds that an operation may take.
    #[arg(long, env = "TOYGRES_OPERATION_DEADLINE_SECONDS", default_value = "600", value_parser = parse_number::<5, 86_400>)]
    pub operation_deadline_seconds: u64,
    /// Hours that events are kept, and with them the cursors that subscriptions resume from.
    #[arg(long, env = "TOYGRES_EVENT_RETENTION_HOURS", default_value = "168", value_parser = parse_number::<1, 87_600>)]
    pub event_retention_hours: u64,
    /// Hours that health samples are kept.
    #[arg(long, env = "TOYGRES_HEALTH_RETENTION_HOURS", default_value = "48", value_parser = parse_number::<24, 87_600>)]
    pub health_retention_hours: u64,
    /// Hours that the engine's record of a workflow is kept after the workflow has ended.
    #[arg(long, env = "TOYGRES_WORKFLOW_RETENTION_HOURS", default_value = "24", value_parser = parse_number::<1, 87_600>)]
    pub workflow_retention_hours: u64,
    /// Connections that health checks keep open between checks, one to an instance; further instances are logged in to each
    /// time. Mind the limit of open files.
    #[arg(long, env = "TOYGRES_PROBE_CONNECTIONS", default_value = "500", value_parser = parse_number::<0, 100_000>)]
    pub probe_connections: u64,
    /// Every so manyth check of an instance logs in afresh although a connection is kept.
    #[arg(long, env = "TOYGRES_PROBE_LOGIN_EVERY", default_value = "10", value_parser = parse_number::<1, 1000>)]
    pub probe_login_every: u64,
    /// Seconds between health checks of an instance whose creator said nothing else.
    #[arg(long, env = "TOYGRES_HEALTH_INTERVAL_SECONDS", default_value = "30", value_parser = parse_number::<1, 3600>)]
    pub health_interval_seconds: u64,
    /// Seconds that a health check may take when the instance's creator said nothing else.
    #[arg(long, env = "TOYGRES_HEALTH_TIMEOUT_SECONDS", default_value = "5", value_parser = parse_number::<1, 60>)]
    pub health_timeout_seconds: u64,
    /// Failed checks in a row that make an outage, when only the probe saw them.
    #[arg(long, env = "TOYGRES_HEALTH_CONFIRMATIONS", default_value = "3", value_parser = parse_number::<2, 20>)]
    pub health_confirmations: u64,
    /// Milliseconds between a failed check and its repetition.
    #[arg(long, env = "TOYGRES_HEALTH_RECHECK_MS", default_value = "500", value_parser = parse_number::<100, 60_000>)]
    pub health_recheck_ms: u64,
    /// Milliseconds between looks of the workflow engine for work: less is quicker and costs more processor time when idle.
    #[arg(long, env = "TOYGRES_ENGINE_POLL_MS", default_value = "100", value_parser = parse_number::<5, 10_000>)]
    pub engine_poll_ms: u64,
    /// Workflow turns at once. More than 2 mostly wait for each other.
    #[arg(long, env = "TOYGRES_ENGINE_ORCHESTRATION_SLOTS", default_value = "2", value_parser = parse_number::<1, 256>)]
    pub engine_orchestration_slots: u64,
    /// Activities at once.
    #[arg(long, env = "TOYGRES_ENGINE_ACTIVITY_SLOTS", default_value = "8", value_parser = parse_number::<1, 1024>)]
    pub engine_activity_slots: u64,
    /// Seconds after which another server takes over the work of one that died.
    #[arg(long, env = "TOYGRES_ENGINE_LOCK_SECONDS", default_value = "15", value_parser = parse_number::<5, 300>)]
    pub engine_lock_seconds: u64,
    /// Nesting that a GraphQL request may have.
    #[arg(long, env = "TOYGRES_MAX_DEPTH", default_value = "16", value_parser = parse_number::<1, 100>)]
    pub max_depth: u64,
    /// Complexity that a GraphQL request may have: the sum of its fields, those of lists as often as they may come.
    #[arg(long, env = "TOYGRES_MAX_COMPLEXITY", default_value = "20000", value_parser = parse_number::<1, 10_000_000>)]
    pub max_complexity: u64,
    /// Lexical tokens of one GraphQL document, which also bounds its aliases.
    #[arg(long, env = "TOYGRES_MAX_TOKENS", default_value = "10000", value_parser = parse_number::<10, 10_000_000>)]
    pub max_tokens: u64,
    /// Requests in one HTTP batch.
    #[arg(long, env = "TOYGRES_MAX_BATCH", default_value = "10", value_parser = parse_number::<0, 1000>)]
    pub max_batch: u64,
    /// Bytes of an HTTP body.
    #[arg(long, env = "TOYGRES_MAX_BODY_BYTES", default_value = "1048576", value_parser = parse_number::<1024, 1_073_741_824>)]
    pub max_body_bytes: u64,
    /// Bytes of a WebSocket message.
    #[arg(long, env = "TOYGRES_MAX_MESSAGE_BYTES", default_value = "262144", value_parser = parse_number::<1024, 1_073_741_824>)]
    pub max_message_bytes: u64,
    /// Operations at once on one socket.
    #[arg(long, env = "TOYGRES_MAX_OPERATIONS_PER_SOCKET", default_value = "1000", value_parser = parse_number::<1, 1_000_000>)]
    pub max_operations_per_socket: u64,
    /// WebSockets and event streams at once.
    #[arg(long, env = "TOYGRES_MAX_SOCKETS", default_value = "10000", value_parser = parse_number::<1, 1_000_000>)]
    pub max_sockets: u64,
    /// Seconds that a query may take.
    #[arg(long, env = "TOYGRES_QUERY_SECONDS", default_value = "30", value_parser = parse_number::<1, 3600>)]
    pub query_seconds: u64,
    /// Whether the schema can be asked for.
    #[arg(long, env = "TOYGRES_INTROSPECTION", default_value = "true", action = clap::ArgAction::Set, value_parser = parse_bool)]
    pub introspection: bool,
    /// What is logged: a level, or levels per module (error, warn, info, debug, trace).
    #[arg(long, env = "TOYGRES_LOG", default_value = "info")]
    pub log: String,
    /// How it is logged.
    #[arg(long, env = "TOYGRES_LOG_FORMAT", default_value = "text", value_parser = parse_enum::<LogFormat>)]
    pub log_format: LogFormat,
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Access {
    /// Everybody on this machine.
    Local,
    /// Bearers of API tokens.
    Tokens,
}

/// Where a page of a browser comes from: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Whether a browser's `Origin` header names it.
    #[must_use]
    pub fn is(&self, header: &str) -> bool {
        self.0.eq_ignore_ascii_case(header)
    }
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.trim().strip_prefix("https://").or_else(|| text.trim().strip_prefix("http://")).unwrap_or_default();
        if host.is_empty() || host.contains(['/', '?', '#', '@', '*']) || host.contains(char::is_whitespace) {
            return Err("it must be a list of origins, each a scheme and a host without a path, for example https://dash.example.com".to_owned());
        }
        Ok(Self(text.trim().to_owned()))
    }
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

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl ServeConfig {
    /// What no single value can tell.
    ///
    /// # Errors
    /// One sentence that names the variable.
    pub fn check(&self) -> Result<(), String> {
        if self.runtime == RuntimeKind::Kubernetes {
            if self.database_url.is_none() {
                return Err(
                    "DATABASE_URL must be set when TOYGRES_RUNTIME is kubernetes: the embedded database is for local processes only".to_owned()
                );
            }
            if self.secret_key.is_none() {
                return Err("TOYGRES_SECRET_KEY must be set when TOYGRES_RUNTIME is kubernetes: make one with `openssl rand -base64 32`".to_owned());
            }
            self.kubernetes.settings()?;
        }
        if self.access == Access::Local && !self.listen.ip().is_loopback() {
            return Err(format!(
                "TOYGRES_LISTEN must be a loopback address, not {}, unless TOYGRES_ACCESS is tokens: without tokens everybody who reaches the server is its administrator",
                self.listen.ip()
            ));
        }
        Ok(())
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(DataDir::default_path)
    }

    /// See [`EngineOptions`].
    #[must_use]
    pub fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            poll_interval: Duration::from_millis(self.engine_poll_ms),
            orchestration_slots: size(self.engine_orchestration_slots),
            activity_slots: size(self.engine_activity_slots),
            lock_timeout: Duration::from_secs(self.engine_lock_seconds),
        }
    }

    /// See [`QueryLimits`].
    #[must_use]
    pub fn query_limits(&self) -> QueryLimits {
        QueryLimits { depth: size(self.max_depth), complexity: size(self.max_complexity), introspection: self.introspection }
    }

    /// See [`Limits`].
    #[must_use]
    pub fn transport_limits(&self) -> Limits {
        Limits {
            tokens: size(self.max_tokens),
            batch: size(self.max_batch),
            body_bytes: size(self.max_body_bytes),
            message_bytes: size(self.max_message_bytes),
            operations_per_socket: size(self.max_operations_per_socket),
            sockets: size(self.max_sockets),
            operation_time: Duration::from_secs(self.query_seconds),
            ..Limits::default()
        }
    }

    /// See [`Retention`].
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention {
            events: Duration::from_secs(self.event_retention_hours * 3600),
            health_checks: Duration::from_secs(self.health_retention_hours * 3600),
            workflows: Duration::from_secs(self.workflow_retention_hours * 3600),
        }
    }

    /// See [`Prober`].
    #[must_use]
    pub fn prober(&self) -> Prober {
        Prober::new(size(self.probe_connections), u32::try_from(self.probe_login_every).unwrap_or(u32::MAX))
    }

    /// See [`Timing`].
    #[must_use]
    pub fn timing(&self) -> Timing {
        Timing {
            confirmations: u32::try_from(self.health_confirmations).unwrap_or(u32::MAX),
            recheck: Duration::from_millis(self.health_recheck_ms),
            ..Timing::default()
        }
    }

    /// How instances are checked whose creator said nothing else.
    #[must_use]
    pub fn health_check_policy(&self) -> HealthCheckPolicy {
        let seconds = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        HealthCheckPolicy { interval_seconds: seconds(self.health_interval_seconds), timeout_seconds: seconds(self.health_timeout_seconds) }
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "TOYGRES_LISTEN must be an address with a port, for example 127.0.0.1:8080".to_owned())
}

fn parse_url(text: &str) -> Result<String, String> {
    url("DATABASE_URL", text)
}

fn parse_engine_url(text: &str) -> Result<String, String> {
    url("TOYGRES_ENGINE_DATABASE_URL", text)
}

fn url(variable: &str, text: &str) -> Result<String, String> {
    let good = (text.starts_with("postgres://") || text.starts_with("postgresql://")) && !text.contains(char::is_whitespace);
    if good {
        Ok(text.to_owned())
    } else {
        Err(format!("{variable} must be a PostgreSQL URL, for example postgres://user:password@host:5432/database"))
    }
}

fn parse_secret_keys(text: &str) -> Result<SecretKeys, String> {
    SecretKeys::parse(text).map_err(|why| format!("TOYGRES_SECRET_KEY {why}"))
}

fn parse_number<const MIN: u64, const MAX: u64>(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if (MIN..=MAX).contains(&number) => Ok(number),
        _ => Err(format!("it must be a whole number from {MIN} to {MAX}")),
    }
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err("it must be true or false".to_owned()),
    }
}

fn parse_enum<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| {
        let values: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).map(|value| value.get_name().to_owned()).collect();
        format!("it must be one of: {}", values.join(", "))
    })
}

/// One sentence for a mistake on the command line or in the environment, naming both.
#[must_use]
pub fn explain(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let flag = text(ContextKind::InvalidArg)?.split(' ').next()?.to_owned();
    let command = <Cli as clap::CommandFactory>::command();
    let variable = command
        .get_subcommands()
        .flat_map(|command| std::iter::once(command).chain(command.get_subcommands()))
        .flat_map(clap::Command::get_arguments)
        .find(|argument| argument.get_long().is_some_and(|long| flag == format!("--{long}")))
        .and_then(|argument| argument.get_env().map(|name| name.to_string_lossy().into_owned()))?;
    let why = std::error::Error::source(error).map(ToString::to_string)?;
    let why = why.strip_prefix(&variable).map_or_else(|| why.trim_start_matches("it ").to_owned(), |rest| rest.trim_start().to_owned());
    // The value of a variable that holds a secret is not repeated.
    let value = match variable.contains("SECRET") || variable.contains("DATABASE_URL") {
        true => String::new(),
        false => text(ContextKind::InvalidValue).map(|value| format!(" '{value}'")).unwrap_or_default(),
    };
    Some(format!("{variable} ({flag}){value} {why}."))
}
