//! The `surehook` command: a collector in one process (`serve`, `dev`), signed test events (`send`), single requests
//! (`verify`, `sign`), and an operator's look into a dedup store (`dedup`, `migrate`).
#![forbid(unsafe_code)]

mod attempt;
mod check;
mod commands;
mod delivery;
mod error;
mod events;
mod host;
mod input;
mod kept;
mod moment;
mod provider;
mod public_url;
mod random;
mod report;
mod request_args;
mod saved;
mod secrets;
mod settings;
mod signed;
mod statement;
mod verdict;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{dedup, dev, send, serve, sign, verify};
use error::CliError;

/// Webhook monitoring that catches missed sign-ups.
#[derive(Parser)]
#[command(name = "surehook", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Dev(dev::DevArgs),
    Send(send::SendArgs),
    Verify(verify::VerifyArgs),
    Sign(sign::SignArgs),
    Dedup(dedup::DedupArgs),
    Migrate(dedup::MigrateArgs),
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::Serve(args) => online(serve::run(args)),
        Command::Dev(args) => online(dev::run(args)),
        Command::Send(args) => online(send::run(args)),
        Command::Verify(args) => verify::run(args),
        Command::Sign(args) => sign::run(args),
        Command::Dedup(args) => online(dedup::run(args)),
        Command::Migrate(args) => dedup::migrate(args),
    }
}

/// Runs a command that uses the network.
fn online(command: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    // Warnings of the collector; standard output is for what a command is asked to print.
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .with_writer(std::io::stderr)
        .init();
    // The TLS library is built without a provider of its own, so that the binary holds one and not two.
    // It refuses only a second installation, and this is the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Runtime::new().map_err(|error| CliError::failure(format!("cannot start: {error}")))?;
    runtime.block_on(command)
}
