//! Which server a command speaks to, and as whom: flags, the environment, and named contexts of a configuration file.

use std::{collections::BTreeMap, env, fs, io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    failure::{Failure, Kind, Result},
    output::{Table, print},
};

/// Where a server listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// What all commands that speak to a server take.
#[derive(Args, Clone, Debug, Default)]
pub struct ServerOptions {
    /// The server [env: TOYGRES_URL] [default: that of the current context, else http://127.0.0.1:8080].
    #[arg(long, global = true, value_name = "URL", help_heading = "Server")]
    url: Option<String>,
    /// A server of the configuration file, by its name there [env: TOYGRES_CONTEXT]. A token comes from it too, or from
    /// TOYGRES_TOKEN.
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "url", help_heading = "Server")]
    context: Option<String>,
}

/// What the environment says about the server. Read before any `.env`: that file is for servers, and one that lies in some
/// directory must not lead a token astray.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    url: Option<String>,
    context: Option<String>,
    token: Option<String>,
}

/// A server, and the token for it.
pub(super) struct Target {
    /// Of its GraphQL endpoint.
    pub(super) url: Url,
    pub(super) token: Option<String>,
}

impl Environment {
    /// Reads it.
    #[must_use]
    pub fn read() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self { url: variable("TOYGRES_URL"), context: variable("TOYGRES_CONTEXT"), token: variable("TOYGRES_TOKEN") }
    }
}

impl ServerOptions {
    /// Whether anything says which server is meant, or as whom to speak to it.
    pub(super) fn names_a_server(&self, environment: &Environment) -> Result<bool> {
        let Environment { url, context, token } = environment;
        let named = self.url.is_some() || self.context.is_some() || url.is_some() || context.is_some() || token.is_some();
        Ok(named || File::read()?.current.is_some())
    }

    /// The server that is meant.
    pub(super) fn target(&self, environment: &Environment) -> Result<Target> {
        let url = match (&self.url, &self.context) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(_)) => None,
            (None, None) => environment.url.clone(),
        };
        let (url, token) = match url {
            // A context's token is for that context's server only.
            Some(url) => (url, None),
            None => {
                let mut file = File::read()?;
                match self.context.clone().or_else(|| environment.context.clone()).or_else(|| file.current.clone()) {
                    Some(name) => match file.contexts.remove(&name) {
                        Some(context) => (context.url, context.token),
                        None => return Err(unknown(&name, &file)),
                    },
                    None => (DEFAULT_URL.to_owned(), None),
                }
            }
        };
        Ok(Target { url: endpoint(&url)?, token: environment.token.clone().or(token) })
    }
}

/// `toygres context`
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// List the contexts; the current one has a star.
    List,
    /// Make a context the current one.
    Use {
        /// Its name.
        name: String,
    },
    /// Add or change a context; the first one becomes the current one.
    Set {
        /// Its name.
        name: String,
        /// The server.
        #[arg(long)]
        url: Option<String>,
        /// File that holds the token; `-` reads it from the input.
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// Forget a context.
    Remove {
        /// Its name.
        name: String,
    },
}

pub(super) fn run(command: ContextCommand) -> Result<()> {
    let mut file = File::read()?;
    match command {
        ContextCommand::List => {
            let mut table = Table::new(&["", "NAME", "URL", "TOKEN"]);
            for (name, Context { url, token }) in &file.contexts {
                let current = if file.current.as_ref() == Some(name) { "*" } else { "" };
                table.row([current, name, url, if token.is_some() { "yes" } else { "no" }]);
            }
            print(&table.render())
        }
        ContextCommand::Use { name } => {
            if !file.contexts.contains_key(&name) {
                return Err(unknown(&name, &file));
            }
            file.current = Some(name);
            file.write()
        }
        ContextCommand::Set { name, url, token_file } => {
            let url = match (url, file.contexts.get(&name)) {
                (Some(url), _) => url,
                (None, Some(known)) => known.url.clone(),
                (None, None) => return Err(Failure::usage(format!("there is no context {name} yet: say its server with --url"))),
            };
            endpoint(&url)?;
            let known = file.contexts.get(&name).filter(|known| known.url == url).and_then(|known| known.token.clone());
            let token = match token_file {
                Some(path) => Some(super::input::secret(&path)?),
                None => known,
            };
            file.contexts.insert(name.clone(), Context { url, token });
            file.current.get_or_insert(name);
            file.write()
        }
        ContextCommand::Remove { name } => {
            if file.contexts.remove(&name).is_none() {
                return Err(unknown(&name, &file));
            }
            file.current = file.current.filter(|current| *current != name);
            file.write()
        }
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
        let Some(path) = Self::path() else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Failure::usage(format!("{} cannot be read: {error}", path.display()))),
        };
        serde_saphyr::from_str(&text).map_err(|error| {
            // The text may hold a token, so only the place of the mistake is told.
            let place = error.location().map(|at| format!(" (line {})", at.line())).unwrap_or_default();
            Failure::usage(format!("{} is not a configuration file of toygres{place}: correct it, or remove it", path.display()))
        })
    }

    fn write(&self) -> Result<()> {
        let path = Self::path().ok_or_else(|| Failure::usage("HOME is not set, so there is no place for the configuration file"))?;
        let cannot = |error: std::io::Error| Failure::new(Kind::Failed, format!("{} cannot be written: {error}", path.display()));
        let text =
            serde_saphyr::to_string(self).map_err(|error| Failure::new(Kind::Failed, format!("the configuration cannot be written: {error}")))?;
        let dir = path.parent().expect("the path was joined from a directory and a name");
        fs::create_dir_all(dir).map_err(cannot)?;
        // A new file in its place: it is whole at every instant, and its owner's alone from the start.
        let new = path.with_extension(format!("new-{}", std::process::id()));
        let mut options = fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create(true).truncate(true), 0o600);
        options.open(&new).and_then(|mut file| file.write_all(text.as_bytes())).and_then(|()| fs::rename(&new, &path)).map_err(cannot)
    }
}

fn unknown(name: &str, file: &File) -> Failure {
    let known: Vec<_> = file.contexts.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "there are none".to_owned() } else { format!("there are: {}", known.join(", ")) };
    Failure::usage(format!("there is no context {name} ({known}); add it with `toygres context set {name} --url URL`"))
}

/// The GraphQL endpoint of a server.
fn endpoint(text: &str) -> Result<Url> {
    let wrong = || Failure::usage(format!("{text} is not the URL of a server, which looks like {DEFAULT_URL} or https://toygres.example.com"));
    let mut url = Url::parse(text).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong());
    }
    if !url.path().ends_with("/graphql") {
        url.set_path(&format!("{}/graphql", url.path().trim_end_matches('/')));
    }
    Ok(url)
}
