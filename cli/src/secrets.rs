//! Where a command gets signing secrets: an option, a file, or the provider's environment variables. They are never printed.

use std::env::{self, VarError};

use crate::error::CliError;
use crate::input;

/// The options that give secrets.
#[derive(clap::Args)]
pub(crate) struct SecretArgs {
    /// A signing secret; others can see it in the list of processes, so prefer a file or the environment
    #[arg(long = "secret", value_name = "SECRET", allow_hyphen_values = true)]
    given: Vec<String>,
    /// A file with one secret a line [default: the provider's environment variables]
    #[arg(long = "secret-file", value_name = "FILE")]
    files: Vec<String>,
    /// The environment variable that holds the signing secret
    #[arg(long = "secret-env", value_name = "NAME")]
    env: Option<String>,
}

impl SecretArgs {
    /// Every secret that was given; where none was, that of the first of `variables` that is set.
    pub(crate) fn resolve(&self, variables: &[String]) -> Result<Vec<String>, CliError> {
        if !self.given.is_empty() {
            let instead = variables.first().map_or(String::new(), |name| format!(" or ${name}"));
            warn(&format!("--secret shows in the list of processes; prefer --secret-file{instead}"));
        }
        let mut secrets = self.given.clone();
        for file in &self.files {
            secrets.extend(of_file(file)?);
        }
        if let Some(name) = &self.env {
            secrets.push(of_environment(std::slice::from_ref(name))?);
        }
        match secrets.is_empty() {
            true => of_environment(variables).map(|secret| vec![secret]),
            false => Ok(secrets),
        }
    }
}

/// The secrets in a file, one a line. Nothing but the line's end is cut: a stray space is a fault that the core explains.
pub(crate) fn of_file(file: &str) -> Result<Vec<String>, CliError> {
    let bytes = input::read(file).map_err(CliError::usage)?;
    let text = String::from_utf8(bytes).map_err(|_| CliError::usage(format!("{file} is not text")))?;
    let secrets: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    match secrets.is_empty() {
        true => Err(CliError::usage(format!("{file} holds no secret"))),
        false => Ok(secrets),
    }
}

/// As the SDKs do it: a variable that is set and empty is an error, not a reason to look further.
fn of_environment(variables: &[String]) -> Result<String, CliError> {
    for name in variables {
        match env::var(name) {
            Ok(secret) if secret.is_empty() => return Err(CliError::usage(format!("${name} is empty"))),
            Ok(secret) => return Ok(secret),
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => return Err(CliError::usage(format!("${name} is not text"))),
        }
    }
    Err(CliError::usage(match variables {
        [] => "no signing secret: pass --secret-file".to_owned(),
        names => format!("no signing secret: pass --secret-file or set {}", names.join(" or ")),
    }))
}

/// One line on standard error; the command goes on.
pub(crate) fn warn(warning: &str) {
    eprintln!("surehook: warning: {warning}");
}
