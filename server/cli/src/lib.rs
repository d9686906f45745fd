//! The commands that speak to a server, over the public contract alone.
//!
//! Each command runs on one thread and opens one connection.

// Both panic when the reader has gone: see `output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clap_complete::Shell;

mod authorities;
mod backups;
mod client;
mod connection;
mod context;
mod contract;
mod databases;
mod demo;
mod failure;
mod follow;
mod input;
mod instances;
mod keys;
mod mutation;
mod operations;
mod output;
mod progress;
mod psql;
mod recover;
mod subcommands;
mod subscription;
mod tokens;
mod users;
mod webhooks;
mod words;

pub use authorities::CaCommand;
pub use backups::BackupsCommand;
pub use context::{ContextCommand, Environment, ServerOptions};
pub use databases::DatabasesCommand;
pub use demo::Demo;
pub use failure::EXIT_CODES;
pub use instances::InstancesCommand;
pub use operations::OperationsCommand;
pub use output::{OutputOptions, Table, report};
pub use recover::Recover;
pub use tokens::{TokenCommand, TokenConfig};
pub use users::UsersCommand;
pub use webhooks::WebhooksCommand;

use client::Client;
use failure::{Failure, Kind, Result};

/// A group of commands, and the server that they speak to.
#[derive(Args, Debug)]
pub struct Group<C: Subcommand> {
    /// The command.
    #[command(subcommand)]
    pub command: C,
    /// The server.
    #[command(flatten)]
    pub server: ServerOptions,
}

/// A command that this crate runs.
#[derive(Debug)]
pub enum Task {
    /// `toygres instances`
    Instances(Box<Group<InstancesCommand>>),
    /// `toygres users`
    Users(Group<UsersCommand>),
    /// `toygres databases`
    Databases(Group<DatabasesCommand>),
    /// `toygres backups`
    Backups(Group<BackupsCommand>),
    /// `toygres demo`
    Demo(Demo),
    /// `toygres recover`
    Recover(Recover),
    /// `toygres operations`
    Operations(Group<OperationsCommand>),
    /// `toygres webhooks`
    Webhooks(Group<WebhooksCommand>),
    /// `toygres ca`
    Ca(Group<CaCommand>),
    /// `toygres token`, through a server
    Token(Group<TokenCommand>),
    /// `toygres context`
    Context(ContextCommand),
    /// `toygres completion`
    Completion(Shell, Box<clap::Command>),
}

/// Runs a command, and returns its exit code.
#[must_use]
pub fn run(task: Task, environment: &Environment) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(Kind::Failed, format!("the async runtime cannot be started: {error}")).report(),
    };
    let outcome = runtime.block_on(perform(task, environment));
    // The look-up of a name, which may take long, cannot be interrupted, and must not delay the exit.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Group<TokenCommand> {
    /// The token to create in the metadata database of this machine's server, without asking that server: with `--local`, or when
    /// no server is selected.
    ///
    /// # Errors
    /// The exit code when the configuration file cannot be read. The reason is on stderr.
    pub fn local(&self, environment: &Environment) -> std::result::Result<Option<TokenConfig>, ExitCode> {
        let TokenCommand::Create(config) = &self.command else { return Ok(None) };
        let local = config.local || !self.server.selects_a_server(environment).map_err(|failure| failure.report())?;
        Ok(local.then(|| config.clone()))
    }
}

async fn perform(task: Task, environment: &Environment) -> Result<()> {
    let client = |server: &ServerOptions| Client::new(server, environment);
    match task {
        Task::Instances(group) => group.command.run(&client(&group.server)?).await,
        Task::Users(Group { command, server }) => command.run(&client(&server)?).await,
        Task::Databases(Group { command, server }) => command.run(&client(&server)?).await,
        Task::Backups(Group { command, server }) => command.run(&client(&server)?).await,
        Task::Demo(command) => demo::run(&command, &client(&command.server)?).await,
        Task::Recover(command) => recover::run(&command, &client(&command.server)?).await,
        Task::Operations(Group { command, server }) => command.run(&client(&server)?).await,
        Task::Webhooks(Group { command, server }) => command.run(&client(&server)?).await,
        Task::Ca(Group { command, server }) => authorities::run(command, &client(&server)?).await,
        Task::Token(Group { command, server }) => tokens::run(command, &client(&server)?).await,
        Task::Context(command) => context::run(command),
        Task::Completion(shell, mut command) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "toygres", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
    }
}
