//! `surehook serve`: the collector on a server, with a login.

use std::io::{self, Write};
use std::path::PathBuf;

use surehook_collector::Access;

use crate::error::CliError;
use crate::host::Host;
use crate::kept::Kept;
use crate::settings::{Given, Settings};

const TOKEN_FILE: &str = "dashboard-token";

/// Run a collector: receive telemetry, store it in SQLite and show it on the dashboard.
///
/// A flag beats its environment variable, which beats the file of --config. The first start makes an API key and a
/// dashboard token and prints each once. SIGINT and SIGTERM end it after running requests are answered.
#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    given: Given,
    /// A TOML file with `data_dir`, `host` and `port`
    #[arg(long, env = "SUREHOOK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: ServeArgs) -> Result<(), CliError> {
    let Settings { data_dir, host, port } = Settings::resolve(args.given, args.config.as_deref())?;
    let token = Kept::load(&data_dir, TOKEN_FILE, "")?;
    let host = Host::open(&data_dir, host, port, Access::Token(token.secret.clone())).await?;
    let mut out = io::stdout();
    writeln!(out, "Surehook {} collects at {}", env!("CARGO_PKG_VERSION"), host.url)?;
    writeln!(out, "Data:      {}", data_dir.display())?;
    if token.is_new {
        let key = host.collector.create_key("default").map_err(CliError::failure)?;
        token.keep()?;
        writeln!(out, "\nThe first start made these. They are not shown again:\n")?;
        writeln!(out, "SUREHOOK_API_KEY={key}")?;
        writeln!(out, "SUREHOOK_ENDPOINT={}", host.url)?;
        writeln!(out, "\nDashboard: {}/#token={}", host.url, token.secret)?;
    } else {
        writeln!(out, "Token:     in {}", token.path().display())?;
        writeln!(out, "Dashboard: {}/", host.url)?;
    }
    out.flush()?;
    host.serve().await
}
