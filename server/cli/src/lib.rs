//! The command line that speaks to a server, over the public contract alone.
//!
//! A client starts nothing of the server: one thread, one connection.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use clap_complete::Shell;

mod client;
mod connection;
mod context;
mod contract;
mod failure;
mod follow;
mod input;
mod instances;
mod live;
mod operations;
mod output;
mod tokens;

pub use context::{ContextCommand, Environment, ServerOptions};
pub use failure::EXIT_CODES;
pub use instances::InstancesCommand;
pub use operations::OperationsCommand;
pub use tokens::{TokenCommand, TokenConfig};

use client::Client;
use failure::{Failure, Kind, Result};

/// A group of commands, and the server it is about.
#[derive(Args, Debug)]
pub struct Group<C: Subcommand> {
    /// What to do.
    #[command(subcommand)]
    pub command: C,
    /// The server it is about.
    #[command(flatten)]
    pub server: ServerOptions,
}

/// What a client can do.
#[derive(Debug)]
pub enum Task {
    /// `toygres instances`
    Instances(Group<InstancesCommand>),
    /// `toygres operations`
    Operations(Group<OperationsCommand>),
    /// `toygres token`, through the server.
    Token(Group<TokenCommand>),
    /// `toygres context`
    Context(ContextCommand),
    /// `toygres completion`
    Completion(Shell, Box<clap::Command>),
}

/// Does it; the exit code says how it went.
#[must_use]
pub fn run(task: Task, environment: &Environment) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::new(Kind::Failed, format!("the client cannot start: {error}")).report(),
    };
    match runtime.block_on(perform(task, environment)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl Group<TokenCommand> {
    /// The token that is to be made in the metadata database of the server on this machine, without asking a server: the one
    /// that was asked for with `--local`, or when nothing names a server.
    ///
    /// # Errors
    /// The exit code, when that cannot be found out; the reason is on stderr.
    pub fn local(&self, environment: &Environment) -> std::result::Result<Option<TokenConfig>, ExitCode> {
        let TokenCommand::Create(config) = &self.command else { return Ok(None) };
        let local = config.local || !self.server.names_a_server(environment).map_err(|failure| failure.report())?;
        Ok(local.then(|| config.clone()))
    }
}

async fn perform(task: Task, environment: &Environment) -> Result<()> {
    let client = |server: &ServerOptions| Client::new(server, environment);
    match task {
        Task::Instances(Group { command, server }) => instances::run(command, &client(&server)?).await,
        Task::Operations(Group { command, server }) => operations::run(command, &client(&server)?).await,
        Task::Token(Group { command, server }) => tokens::run(command, &client(&server)?).await,
        Task::Context(command) => context::run(command),
        Task::Completion(shell, mut command) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "toygres", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
    }
}
