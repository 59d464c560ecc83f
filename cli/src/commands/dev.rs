//! `surehook dev`: the collector on a laptop, ready at once.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

use surehook_collector::Access;

use crate::error::CliError;
use crate::host::Host;
use crate::kept::Kept;
use crate::settings::{DEFAULT_HOST, DEFAULT_PORT};

const KEY_FILE: &str = "dev-key";
/// What every API key begins with.
const KEY_PREFIX: &str = "shk_";

/// Run a collector for this machine only, with a ready-made API key.
///
/// Prints the dashboard's address and the two environment variables for your application. The key stays the same from
/// one start to the next.
#[derive(clap::Args)]
pub(crate) struct DevArgs {
    /// The port to listen on; 0 picks a free one
    #[arg(long, env = "SUREHOOK_PORT", value_name = "PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// Where the database and the key are kept [default: surehook/dev in your data directory]
    #[arg(long, env = "SUREHOOK_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// Runs the command.
pub(crate) async fn run(args: DevArgs) -> Result<(), CliError> {
    let data_dir = match args.data_dir.or_else(data_dir_of_user) {
        Some(data_dir) => data_dir,
        None => return Err(CliError::usage("no home directory to keep data in: pass --data-dir")),
    };
    let key = Kept::load(&data_dir, KEY_FILE, KEY_PREFIX)?;
    let host = Host::open(&data_dir, DEFAULT_HOST, args.port, Access::Local).await?;
    host.collector
        .ensure_key("dev", &key.secret)
        .map_err(|error| CliError::failure(format!("{}: {error}", key.path().display())))?;
    key.keep()?;
    let mut out = io::stdout();
    writeln!(out, "Surehook {} collects on this machine. Ctrl-C ends it.\n", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "Dashboard: {}/", host.url)?;
    writeln!(out, "Data:      {}\n", data_dir.display())?;
    writeln!(out, "For your application's environment:\n")?;
    writeln!(out, "SUREHOOK_API_KEY={}", key.secret)?;
    writeln!(out, "SUREHOOK_ENDPOINT={}", host.url)?;
    out.flush()?;
    host.serve().await
}

/// Where programs keep a user's data: the XDG base directory specification, and Apple's convention.
fn data_dir_of_user() -> Option<PathBuf> {
    let path = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = match cfg!(target_os = "macos") {
        true => path("HOME").map(|home| home.join("Library/Application Support")),
        false => path("XDG_DATA_HOME").or_else(|| path("HOME").map(|home| home.join(".local/share"))),
    };
    base.map(|base| base.join("surehook").join("dev"))
}
