//! The `surehook` command: a collector in one process (`serve`, `dev`), and signed test events (`send`).
#![forbid(unsafe_code)]

mod commands;
mod delivery;
mod error;
mod events;
mod host;
mod kept;
mod random;
mod report;
mod settings;
mod verdict;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{dev, send, serve};
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
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn run(cli: Cli) -> Result<(), CliError> {
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
    runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Dev(args) => dev::run(args).await,
            Command::Send(args) => send::run(args).await,
        }
    })
}
