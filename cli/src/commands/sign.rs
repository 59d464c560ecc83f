//! `surehook sign`: a request as a provider would send it.

use std::io::{self, Write};

use surehook_core::{Signer, Timestamp, Unsigned};

use crate::error::CliError;
use crate::input::{self, STANDARD_INPUT};
use crate::moment;
use crate::provider::ProviderArgs;
use crate::public_url::PublicUrl;
use crate::random::Random;
use crate::request_args::headers;
use crate::saved::{Header, Target, header_values};
use crate::secrets::SecretArgs;
use crate::signed::{Form, SignedRequest};

/// Sign a body as a provider would, and print the headers or a command that sends it.
///
/// Takes the secret that the endpoint has; for providers with key pairs the private key. Exits with 2 when the command line
/// or the secret cannot be used.
#[derive(clap::Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    provider: ProviderArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    /// The body; `-`, or nothing, for standard input
    #[arg(value_name = "FILE", default_value = STANDARD_INPUT, hide_default_value = true)]
    body: String,
    /// The message's id, for providers that send one in a header [default: a new one]
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The time of signing: Unix seconds, or RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    timestamp: Option<Timestamp>,
    /// The endpoint's public URL, for providers that sign it [default: that of --to]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The method
    #[arg(long, value_name = "METHOD", default_value = "POST")]
    method: String,
    // Not parsed by clap, which would repeat what it cannot parse.
    /// A further header; one for content-type takes the place of what the body looks like
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Where the request goes: http://127.0.0.1:3000/api/webhooks/clerk
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// What is printed [default: headers; curl with --to]
    #[arg(long, value_enum)]
    format: Option<Form>,
}

/// Runs the command.
pub(crate) fn run(args: SignArgs) -> Result<(), CliError> {
    let request = sign(&args)?;
    let form = args.format.unwrap_or(if args.to.is_some() { Form::Curl } else { Form::Headers });
    let rendered = request.render(form).map_err(CliError::usage)?;
    let mut out = io::stdout().lock();
    out.write_all(&rendered)?;
    out.flush()?;
    Ok(())
}

fn sign(args: &SignArgs) -> Result<SignedRequest, CliError> {
    let scheme = args.provider.scheme()?;
    let secret = match &args.secrets.resolve(&scheme.secret_env)?[..] {
        [secret] => secret.clone(),
        _ => return Err(CliError::usage("a request is signed with one secret, and several were given")),
    };
    let method = http::Method::from_bytes(args.method.as_bytes())
        .map_err(|_| CliError::usage("--method holds what no method may hold"))?
        .to_string();
    let public = public_url(args)?;
    if scheme.signs_url() && public.is_none() {
        return Err(CliError::usage(format!("{} signs the endpoint's public URL: pass --url", scheme.title)));
    }
    let target = target(args)?;
    let body = input::read(&args.body).map_err(CliError::usage)?;
    let mut headers = own_headers(&args.headers, &body)?;
    let message_id = args.id.clone().unwrap_or_else(|| Random::fresh().id("msg"));
    let signature = {
        let pairs: Vec<(&[u8], &[u8])> =
            headers.iter().map(|header| (header.name.as_bytes(), header.value.as_slice())).collect();
        let signer = Signer::new(scheme, &secret)?.with_url(&public.unwrap_or_default());
        let unsigned = Unsigned {
            method: &method,
            query: target.path.split_once('?').map_or("", |(_, query)| query),
            headers: &pairs,
            message_id: &message_id,
            timestamp: args.timestamp.unwrap_or_else(moment::now),
            body: &body,
        };
        signer.sign(&unsigned)?
    };
    for (name, value) in signature {
        let header = Header::new(name.as_bytes(), value.as_bytes());
        headers.push(header.map_err(|fault| CliError::usage(format!("this cannot be sent: {fault}")))?);
    }
    let body_file = Some(args.body.clone()).filter(|file| file != STANDARD_INPUT);
    Ok(SignedRequest { method, to: args.to.clone(), target, headers, body, body_file })
}

/// The URL that is signed, without its query.
fn public_url(args: &SignArgs) -> Result<Option<String>, CliError> {
    let of_option = |name: &str, text: Option<&str>| {
        let url = text.map(PublicUrl::parse).transpose();
        url.map_err(|fault| CliError::usage(format!("{name}: {fault}")))
    };
    let (url, to) = (of_option("--url", args.url.as_deref())?, of_option("--to", args.to.as_deref())?);
    Ok(url.or(to).map(|url| url.base))
}

/// Where the request goes. The query that is sent is the one that is signed.
fn target(args: &SignArgs) -> Result<Target, CliError> {
    let url = args.to.as_deref().or(args.url.as_deref()).unwrap_or("/");
    Target::parse(url.as_bytes()).map_err(CliError::usage)
}

/// The given headers, and a content type by the look of the body where none is given.
fn own_headers(given: &[String], body: &[u8]) -> Result<Vec<Header>, CliError> {
    let mut headers = headers(given)?;
    if header_values(&headers, "content-type").next().is_none() {
        let value = content_type(body).as_bytes().to_owned();
        headers.insert(0, Header { name: "content-type".to_owned(), value });
    }
    Ok(headers)
}

fn content_type(body: &[u8]) -> &'static str {
    let is_form = || {
        let of_form = |byte: &u8| byte.is_ascii_alphanumeric() || b"=&%+-._*".contains(byte);
        body.contains(&b'=') && body.iter().all(of_form)
    };
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => "application/json",
        Err(_) if is_form() => "application/x-www-form-urlencoded",
        Err(_) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_is_that_of_the_body() {
        for (body, expected) in [
            ("{\"a\":1}", "application/json"),
            ("a=b%20c&d=+", "application/x-www-form-urlencoded"),
            ("a=b c", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(content_type(body.as_bytes()), expected, "{body}");
        }
        let given = own_headers(&["Content-Type: text/plain".to_owned()], b"{}").unwrap();
        assert_eq!(given, [Header::new(b"content-type", b"text/plain").unwrap()]);
    }
}
