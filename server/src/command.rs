//! The command line of the binary: reads the configuration and runs what it says.
//!
//! It is here and not in `main.rs` because code of an async function is generated where it is polled: in a binary of its own, the
//! whole server would be generated a second time.

use std::process::ExitCode;

use crate::{
    config::{self, Cli, Command, SecretsCommand},
    console, environment, graphql, licenses, postgres, restore_volume, secrets, serve,
};
use clap::{CommandFactory as _, Parser};
use toygres_cli::{self as cli, Environment, Task};

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let environment = Environment::read();
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let Err(sentence) = environment::prepare(&arguments) {
        return fail(&sentence);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => match config::explain(&error, &arguments) {
            Some(sentence) => return fail(&sentence),
            None => error.exit(),
        },
    };
    match cli.command {
        Command::Serve(config) => block_on(serve::serve(*config)),
        Command::Migrate(config) => block_on(serve::migrate(config)),
        Command::Schema => exit_code(console::print_line(graphql::sdl().trim_end())),
        Command::Licenses => {
            let text = licenses::text().map_err(|error| format!("the notices in this binary cannot be read: {error}"));
            exit_code(text.and_then(|text| console::print_line(text.trim_end())))
        }
        Command::RestoreVolume(config) => ExitCode::from(restore_volume::run(&config)),
        Command::Postgres(command) => exit_code(postgres::run(command)),
        Command::Secrets(SecretsCommand::Rotate(config)) => block_on(secrets::rotate(config)),
        Command::Token(group) => match group.local(&environment) {
            Ok(Some(config)) => block_on(serve::token(config)),
            Ok(None) => cli::run(Task::Token(group), &environment),
            Err(code) => code,
        },
        Command::Instances(group) => cli::run(Task::Instances(group), &environment),
        Command::Users(group) => cli::run(Task::Users(*group), &environment),
        Command::Databases(group) => cli::run(Task::Databases(group), &environment),
        Command::Backups(group) => cli::run(Task::Backups(group), &environment),
        Command::Demo(command) => cli::run(Task::Demo(command), &environment),
        Command::Recover(command) => cli::run(Task::Recover(command), &environment),
        Command::Operations(group) => cli::run(Task::Operations(group), &environment),
        Command::Webhooks(group) => cli::run(Task::Webhooks(group), &environment),
        Command::Ca(group) => cli::run(Task::Ca(group), &environment),
        Command::Context(command) => cli::run(Task::Context(command), &environment),
        Command::Completion { shell } => cli::run(Task::Completion(shell, Box::new(Cli::command())), &environment),
    }
}

/// Runs what belongs to the server.
fn block_on(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads could be started: {error}")),
    };
    let outcome = runtime.block_on(work);
    // Blocking work that nobody waits for any more must not delay the exit.
    runtime.shutdown_background();
    exit_code(outcome)
}

fn exit_code(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

fn fail(sentence: &str) -> ExitCode {
    console::report(&format!("toygres: {sentence}"));
    ExitCode::FAILURE
}
