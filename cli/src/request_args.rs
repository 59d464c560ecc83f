//! The request that a command is asked about: saved as one file, or a body beside its headers.

use std::io::{self, IsTerminal};

use crate::error::CliError;
use crate::input::{self, STANDARD_INPUT, shown};
use crate::saved::{self, Format, Header, SavedRequest, Target};

/// The options that name a request.
#[derive(clap::Args)]
pub(crate) struct RequestArgs {
    /// The saved request: raw HTTP, HAR or a curl command; `-`, or nothing, for standard input
    #[arg(value_name = "FILE", conflicts_with = "body")]
    file: Option<String>,
    /// How the request was saved [default: told by its content]
    #[arg(long, value_enum, conflicts_with = "body")]
    format: Option<Format>,
    /// Which request of a file that holds several, counted from 1
    #[arg(long, value_name = "N", conflicts_with = "body")]
    entry: Option<usize>,
    /// The body alone, from a file or `-`; its headers come from --header and --headers
    #[arg(long, value_name = "FILE")]
    body: Option<String>,
    // Not parsed by clap, which would repeat what it cannot parse.
    /// A header that goes with --body
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "body", conflicts_with = "file")]
    headers: Vec<String>,
    /// A file with one header a line that goes with --body
    #[arg(long = "headers", value_name = "FILE", requires = "body", conflicts_with = "file")]
    headers_file: Option<String>,
    /// The method that goes with --body
    #[arg(long, value_name = "METHOD", requires = "body", conflicts_with = "file", default_value = "POST")]
    method: String,
}

impl RequestArgs {
    /// Reads the request.
    pub(crate) fn read(&self) -> Result<SavedRequest, CliError> {
        match (&self.body, &self.file) {
            (Some(body), _) => self.beside_headers(body),
            (None, Some(file)) => self.saved(file),
            (None, None) if io::stdin().is_terminal() => {
                Err(CliError::usage("no request: pass a file, or --body with --header"))
            }
            (None, None) => self.saved(STANDARD_INPUT),
        }
    }

    fn saved(&self, file: &str) -> Result<SavedRequest, CliError> {
        let bytes = input::read(file).map_err(CliError::usage)?;
        saved::read(&bytes, self.format, self.entry, &input::read)
            .map_err(|fault| CliError::usage(format!("{}: {fault}", shown(file))))
    }

    fn beside_headers(&self, body: &str) -> Result<SavedRequest, CliError> {
        let mut headers = headers(&self.headers)?;
        if let Some(file) = &self.headers_file {
            if file == STANDARD_INPUT && body == STANDARD_INPUT {
                return Err(CliError::usage("only one of --body and --headers can be standard input"));
            }
            let text = input::read(file).map_err(CliError::usage)?;
            let named = |fault| CliError::usage(format!("{}: {fault}", shown(file)));
            headers.extend(saved::headers_of_file(&text).map_err(named)?);
        }
        Ok(SavedRequest {
            method: self.method.clone(),
            target: Target { origin: None, path: "/".to_owned() },
            headers,
            body: input::read(body).map_err(CliError::usage)?,
            notes: Vec::new(),
        })
    }
}

/// Parses `Name: value` options; an error says which, and repeats nothing of it.
pub(crate) fn headers(lines: &[String]) -> Result<Vec<Header>, CliError> {
    let parsed = (1..).zip(lines).map(|(number, line)| {
        Header::from_line(line.as_bytes())
            .map_err(|fault| CliError::usage(format!("--header number {number}: {fault}")))
    });
    parsed.collect()
}
