//! How a command ends when it does not end well.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use surehook_core::ConfigError;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum CliError {
    /// It was asked for something that cannot be: exit code 2.
    Usage(String),
    /// It could not do, or did not find, what it was asked for: exit code 1.
    Failure(String),
    /// The answer is no, and its output says so: exit code 1.
    Told,
    /// Whoever read its output went away, as `| head` does: no message.
    OutputClosed,
}

impl CliError {
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn failure(message: impl Display) -> Self {
        Self::Failure(message.to_string())
    }

    /// Says what happened in one line and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::Usage(message) => (message, 2),
            Self::Failure(message) => (message, 1),
            Self::Told => return ExitCode::from(1),
            // What a shell reports for a process that SIGPIPE ended.
            Self::OutputClosed => return ExitCode::from(141),
        };
        eprintln!("surehook: {message}");
        ExitCode::from(code)
    }
}

/// What an option or a secret cannot be; with the finding, where its shape tells what it is.
impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        match &error {
            ConfigError::SecretInvalid { finding: Some(finding), .. } => Self::usage(format!("{error} ({finding})")),
            _ => Self::usage(error),
        }
    }
}

/// For writing to standard output: the only I/O whose error is not mapped where it happens.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Failure(format!("cannot write to standard output: {error}")),
        }
    }
}

/// The innermost cause, which is the one that says something ("connection refused").
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
