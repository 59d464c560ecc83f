//! Secrets that a collector's data directory keeps from one start to the next, readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::CliError;

/// A secret, and whether it was made just now.
pub(crate) struct Kept {
    pub(crate) secret: String,
    pub(crate) is_new: bool,
    path: PathBuf,
}

impl Kept {
    /// The secret in the file; a new one when there is no file. A new one is kept only once [`Kept::keep`] is called.
    pub(crate) fn load(data_dir: &Path, file: &str, prefix: &str) -> Result<Self, CliError> {
        let path = data_dir.join(file);
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => {
                Err(CliError::failure(format!("{} is empty; delete it to get a new secret", path.display())))
            }
            Ok(text) => Ok(Self { secret: text.trim().to_owned(), is_new: false, path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { secret: format!("{prefix}{}", random_hex()?), is_new: true, path })
            }
            Err(error) => Err(CliError::failure(format!("cannot read {}: {error}", path.display()))),
        }
    }

    /// Writes a new secret down.
    pub(crate) fn keep(&self) -> Result<(), CliError> {
        if !self.is_new {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options
            .open(&self.path)
            .and_then(|mut file| writeln!(file, "{}", self.secret))
            .map_err(|error| CliError::failure(format!("cannot write {}: {error}", self.path.display())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// 192 random bits.
fn random_hex() -> Result<String, CliError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|_| CliError::failure("the system gave no random bytes"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
