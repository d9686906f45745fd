//! The server that a command speaks to, and the token for it: from options, the environment, or a context of the configuration file.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    failure::{Failure, Kind, Result},
    input::{parse_duration, read_secret},
    output::{Table, print},
};

/// The address that a server listens on by default.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// More than the 30 seconds after which a server gives a query up (TOYGRES_QUERY_SECONDS).
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(40);

/// The options that select a server.
#[derive(Args, Clone, Debug, Default)]
pub struct ServerOptions {
    /// URL of the server [env: TOYGRES_URL] [default: the current context, else http://127.0.0.1:8080]. TOYGRES_TOKEN
    /// with TOYGRES_URL is not sent to another server.
    #[arg(long, global = true, value_name = "URL", help_heading = "Server")]
    url: Option<String>,
    /// Name of the context to use: a server and its token in the configuration file [env: TOYGRES_CONTEXT]. TOYGRES_TOKEN takes
    /// precedence over the token.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "url", help_heading = "Server")]
    context: Option<String>,
    /// How long the server may take to begin an answer, and again to finish it (90s, 5m). Subscriptions may be silent, but must
    /// answer pings [default: 40s].
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration, help_heading = "Server")]
    request_timeout: Option<Duration>,
}

/// The environment variables that select a server. They are read before any `.env`, which configures servers: a `.env` in the working
/// directory must not direct a token to another server.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    url: Option<String>,
    context: Option<String>,
    token: Option<String>,
}

/// A server and its token.
pub(crate) struct Target {
    /// URL of the GraphQL endpoint.
    pub(crate) url: Url,
    pub(crate) token: Option<String>,
    /// How long it may take to begin an answer, and again to finish it.
    pub(crate) request_timeout: Duration,
}

impl Environment {
    /// Reads the environment of this process. Empty variables are unset.
    #[must_use]
    pub fn read() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self { url: variable("TOYGRES_URL"), context: variable("TOYGRES_CONTEXT"), token: variable("TOYGRES_TOKEN") }
    }
}

impl ServerOptions {
    /// Whether an option, the environment or the configuration file selects a server, or there is a token for one.
    pub(crate) fn selects_a_server(&self, environment: &Environment) -> Result<bool> {
        let Environment { url, context, token } = environment;
        let named = self.url.is_some() || self.context.is_some() || url.is_some() || context.is_some() || token.is_some();
        Ok(named || File::read()?.current.is_some())
    }

    /// The selected server.
    pub(crate) fn target(&self, environment: &Environment) -> Result<Target> {
        let url = match (&self.url, &self.context) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(_)) => None,
            (None, None) => environment.url.clone(),
        };
        let (url, token) = match url {
            // The token of a context is only for the server of that context.
            Some(url) => {
                self.check_token(&url, environment)?;
                (url, None)
            }
            None => {
                let mut file = File::read()?;
                match self.context.clone().or_else(|| environment.context.clone()).or_else(|| file.current.clone()) {
                    Some(name) => match file.contexts.remove(&name) {
                        Some(context) => (context.url, context.token),
                        None => return Err(unknown_context(&name, &file)),
                    },
                    None => (DEFAULT_URL.to_owned(), None),
                }
            }
        };
        let request_timeout = self.request_timeout.unwrap_or(REQUEST_TIMEOUT);
        Ok(Target { url: endpoint(&url)?, token: environment.token.clone().or(token), request_timeout })
    }

    /// `TOYGRES_TOKEN` with `TOYGRES_URL` is for that server: it is not sent to another one that an option selects.
    fn check_token(&self, url: &str, environment: &Environment) -> Result<()> {
        let Environment { url: Some(own), token: Some(_), .. } = environment else { return Ok(()) };
        if endpoint(url)?.origin() == endpoint(own)?.origin() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "TOYGRES_TOKEN is for the server of TOYGRES_URL ({own}), and is not sent to that of --url ({url}): set both variables for one server, \
             or use a context (`toygres context set NAME --url URL --token-file FILE`)"
        )))
    }
}

/// `toygres context`
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// List contexts; an asterisk marks the current one.
    List,
    /// Change the current context.
    Use {
        /// Name of the context.
        name: String,
    },
    /// Add or change a context; the first context becomes the current one.
    Set {
        /// Name of the context.
        name: String,
        /// URL of the server.
        #[arg(long)]
        url: Option<String>,
        /// File with the token; `-` reads stdin.
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Remove a context.
    Remove {
        /// Name of the context.
        name: String,
    },
}

pub(crate) fn run(command: ContextCommand) -> Result<()> {
    match command {
        ContextCommand::List => {
            let file = File::read()?;
            let mut table = Table::with_header(["", "NAME", "URL", "TOKEN"]);
            for (name, Context { url, token }) in &file.contexts {
                let current = if file.current.as_ref() == Some(name) { "*" } else { "" };
                table.row([current, name, url, if token.is_some() { "yes" } else { "no" }]);
            }
            print(&table.to_string())
        }
        ContextCommand::Use { name } => File::change(|file| {
            if !file.contexts.contains_key(&name) {
                return Err(unknown_context(&name, file));
            }
            file.current = Some(name);
            Ok(())
        }),
        ContextCommand::Set { name, url, token_file } => {
            // Before the lock, because stdin may take long.
            let token = token_file.as_deref().map(read_secret).transpose()?;
            File::change(|file| {
                let url = match (url, file.contexts.get(&name)) {
                    (Some(url), _) => url,
                    (None, Some(known)) => known.url.clone(),
                    (None, None) => return Err(Failure::usage(format!("there is no context {name}: add it with --url URL"))),
                };
                endpoint(&url)?;
                let known = file.contexts.get(&name).filter(|known| known.url == url).and_then(|known| known.token.clone());
                file.contexts.insert(name.clone(), Context { url, token: token.or(known) });
                file.current.get_or_insert(name);
                Ok(())
            })
        }
        ContextCommand::Remove { name } => File::change(|file| {
            if file.contexts.remove(&name).is_none() {
                return Err(unknown_context(&name, file));
            }
            file.current = file.current.take().filter(|current| *current != name);
            Ok(())
        }),
    }
}

/// The configuration file.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    contexts: BTreeMap<String, Context>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Context {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl File {
    fn path() -> Option<PathBuf> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let base = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".config")))?;
        Some(base.join("toygres/config.yaml"))
    }

    fn read() -> Result<Self> {
        Self::path().map_or_else(|| Ok(Self::default()), |path| Self::read_from(&path))
    }

    fn read_from(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}", path.display()))),
        };
        serde_saphyr::from_str(&text).map_err(|error| {
            // The error may quote the file, which contains tokens, so only its line is shown.
            let line = error.location().map(|at| format!(" (line {})", at.line())).unwrap_or_default();
            Failure::usage(format!("{} is not a valid configuration file{line}: correct or remove it", path.display()))
        })
    }

    /// Changes the file, one command at a time. If it is a symbolic link, the file that it points to.
    fn change(edit: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let path = Self::path().ok_or_else(|| Failure::usage("the configuration file has no location, because HOME is not set"))?;
        let path = target(path);
        let cannot = |error: std::io::Error| Failure::new(Kind::Failed, format!("{} cannot be written: {error}", path.display()));
        fs::create_dir_all(path.parent().expect("the path has a file name")).map_err(cannot)?;
        // Not the file itself, which is replaced. The lock ends with the process.
        let lock = private().truncate(false).open(path.with_extension("yaml.lock")).map_err(cannot)?;
        lock.lock().map_err(cannot)?;
        let mut file = Self::read_from(&path)?;
        edit(&mut file)?;
        let text =
            serde_saphyr::to_string(&file).map_err(|error| Failure::new(Kind::Failed, format!("the configuration cannot be serialized: {error}")))?;
        // Renamed into place, so that readers never see a partial file.
        let new = path.with_extension(format!("new-{}", std::process::id()));
        let write = |mut file: fs::File| file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        private().truncate(true).open(&new).and_then(write).and_then(|()| fs::rename(&new, &path)).map_err(cannot)
    }
}

/// To create files that only the owner can ever read.
fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}

/// The file that a path of symbolic links leads to, which need not exist.
fn target(mut path: PathBuf) -> PathBuf {
    // The kernel's limit on Linux.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().map_or_else(|| target.clone(), |directory| directory.join(&target)),
            Err(_) => break,
        }
    }
    path
}

fn unknown_context(name: &str, file: &File) -> Failure {
    let known: Vec<_> = file.contexts.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Failure::usage(format!("there is no context {name} (existing contexts: {known}); add it with `toygres context set {name} --url URL`"))
}

/// The GraphQL endpoint of a server.
fn endpoint(text: &str) -> Result<Url> {
    let invalid = || Failure::usage(format!("{text} is not the URL of a server, for example {DEFAULT_URL} or https://toygres.example.com"));
    let mut url = Url::parse(text).map_err(|_| invalid())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(invalid());
    }
    if !url.path().ends_with("/graphql") {
        url.set_path(&format!("{}/graphql", url.path().trim_end_matches('/')));
    }
    Ok(url)
}
