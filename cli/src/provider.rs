//! Which scheme a command works with: a provider's, or the user's own.

use std::sync::Arc;

use surehook_core::{ConfigError, Scheme, scheme};

use crate::error::CliError;
use crate::input;

/// The options that choose a scheme.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ProviderArgs {
    /// Whose webhook it is: clerk, svix, stripe, github, … (docs/providers.md lists them)
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// A JSON file with a scheme of your own: the same object as a provider's row
    #[arg(long, value_name = "FILE")]
    scheme: Option<String>,
}

impl ProviderArgs {
    /// The scheme that was chosen.
    pub(crate) fn scheme(&self) -> Result<Arc<Scheme>, CliError> {
        match (&self.scheme, &self.provider) {
            (Some(file), _) => {
                let bytes = input::read(file).map_err(CliError::usage)?;
                let text = std::str::from_utf8(&bytes).map_err(|_| CliError::usage(format!("{file} is not text")))?;
                let scheme = Scheme::from_json(text).map_err(|error| CliError::usage(format!("{file}: {error}")))?;
                Ok(Arc::new(scheme))
            }
            (None, provider) => {
                let name = provider.as_deref().unwrap_or_default();
                Ok(scheme::find(name).ok_or_else(|| ConfigError::unknown_provider(name))?)
            }
        }
    }
}
