//! `surehook verify`: whether a saved request is right, and if not, why.

use std::io;
use std::time::Duration;

use surehook_core::{Scheme, Timestamp};

use crate::check::{AsOf, Checked, Endpoint, EndpointOptions};
use crate::error::CliError;
use crate::moment;
use crate::provider::ProviderArgs;
use crate::public_url::PublicUrl;
use crate::request_args::RequestArgs;
use crate::saved::SavedRequest;
use crate::secrets::{self, SecretArgs};
use crate::statement;

/// Check a saved request as an endpoint would, and tell why it is refused.
///
/// Takes a raw HTTP request, an `.http` file, a HAR, a curl command, or a body with its headers. Exits with 0 when the
/// request is valid, with 1 when it is not, and with 2 when the command line, a secret or the file cannot be used.
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    provider: ProviderArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    request: RequestArgs,
    /// The endpoint's public URL, for providers that sign it [default: the one in the request]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// By how many seconds the signed time may be off [default: the provider's rule]
    #[arg(long, value_name = "SECONDS")]
    tolerance: Option<u64>,
    /// Check as of this time: Unix seconds, or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment::parse, conflicts_with = "at_signing_time")]
    now: Option<Timestamp>,
    /// Check as of the time that the request says it was signed at, so that its age does not count
    #[arg(long)]
    at_signing_time: bool,
    // Not parsed by clap, which would repeat what it cannot parse.
    /// The secret of another endpoint, to see whether it is the one that signed
    #[arg(long = "other", value_name = "NAME=SECRET")]
    others: Vec<String>,
    /// The same with the secret in a file
    #[arg(long = "other-file", value_name = "NAME=FILE")]
    other_files: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: VerifyArgs) -> Result<(), CliError> {
    let scheme = args.provider.scheme()?;
    let secrets = args.secrets.resolve(&scheme.secret_env)?;
    let others = others(&args)?;
    let mut request = args.request.read()?;
    let url = public_url(args.url.as_deref(), &scheme, &mut request)?;
    let tolerance = args.tolerance.map(Duration::from_secs);
    let endpoint = Endpoint::new(EndpointOptions { scheme, secrets, url, tolerance, others })?;
    let checked = endpoint.check(&request, as_of(&args));
    let mut notes = request.notes;
    if args.at_signing_time && checked.signed_at.is_none() {
        notes.push("the request says no time of signing that can be read".to_owned());
    }
    notes.extend(endpoint.warnings().map(str::to_owned));
    print(&checked, &notes, args.json)?;
    match checked.refusal {
        None => Ok(()),
        Some(_) => Err(CliError::Told),
    }
}

fn as_of(args: &VerifyArgs) -> AsOf {
    match (args.at_signing_time, args.now) {
        (true, _) => AsOf::Signing { otherwise: moment::now() },
        (false, Some(time)) => AsOf::Given(time),
        (false, None) => AsOf::Now(moment::now()),
    }
}

fn print(checked: &Checked, notes: &[String], json: bool) -> io::Result<()> {
    match json {
        true => statement::json(&mut io::stdout().lock(), checked, notes),
        false => statement::text(&mut anstream::stdout().lock(), checked, notes),
    }
}

/// The given URL, whose query then counts, or the request's own where the provider signs it.
fn public_url(given: Option<&str>, scheme: &Scheme, request: &mut SavedRequest) -> Result<Option<String>, CliError> {
    let given = given.map(PublicUrl::parse).transpose().map_err(|fault| CliError::usage(format!("--url: {fault}")))?;
    if let Some(url) = given {
        if let Some(query) = url.query {
            request.target.path = format!("{}?{query}", request.target.path.split('?').next().unwrap_or_default());
        }
        return Ok(Some(url.base));
    }
    if !scheme.signs_url() {
        return Ok(None);
    }
    let own = PublicUrl::of_request(request);
    if let Some(own) = &own {
        request.notes.push(format!(
            "{} signs the URL; it is taken to be {}; pass --url when the provider calls another",
            scheme.title,
            own.shown()
        ));
    }
    Ok(own.map(|own| own.base))
}

/// The secrets of other endpoints. An error repeats nothing but a name that is one.
fn others(args: &VerifyArgs) -> Result<Vec<(String, String)>, CliError> {
    if !args.others.is_empty() {
        secrets::warn("--other shows in the list of processes; prefer --other-file");
    }
    let mut others = Vec::new();
    for other in &args.others {
        let (name, secret) = parted(other, "--other is NAME=SECRET")?;
        others.push((name.to_owned(), secret.to_owned()));
    }
    for other in &args.other_files {
        let (name, file) = parted(other, "--other-file is NAME=FILE")?;
        others.extend(secrets::of_file(file)?.into_iter().map(|secret| (name.to_owned(), secret)));
    }
    Ok(others)
}

fn parted<'a>(text: &'a str, shape: &'static str) -> Result<(&'a str, &'a str), CliError> {
    text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(|| CliError::usage(shape))
}
