//! The binary `toygres`: reads the configuration and runs what it says.

use std::process::ExitCode;

use clap::Parser;
use toygres_server::{
    config::{self, Cli, Command, TokenCommand},
    graphql, serve,
};

fn main() -> ExitCode {
    match dotenvy::dotenv() {
        Ok(_) => {}
        Err(error) if error.not_found() => {}
        Err(error) => return fail(&format!(".env cannot be read: {error}")),
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => match config::explain(&error) {
            Some(sentence) => return fail(&sentence),
            None => error.exit(),
        },
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("no threads could be started: {error}")),
    };
    let outcome = match cli.command {
        Command::Serve(config) => runtime.block_on(serve::serve(*config)),
        Command::Migrate(config) => runtime.block_on(serve::migrate(config)),
        Command::Token(TokenCommand::Create(config)) => runtime.block_on(serve::token(config)),
        Command::Schema => {
            print!("{}", graphql::sdl());
            Ok(())
        }
    };
    // Blocking work that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(&sentence),
    }
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("toygres: {sentence}");
    ExitCode::FAILURE
}
