//! One attempt, asked of a collector.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use surehook::core::dedup::DedupKey;

use crate::delivery::is_loopback;
use crate::error::{CliError, root_cause};

const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Which collector, and how it lets us in.
#[derive(clap::Args)]
pub(crate) struct CollectorArgs {
    /// The collector that has the attempt.
    #[arg(long, env = "SUREHOOK_ENDPOINT", value_name = "URL", default_value = "http://127.0.0.1:4600")]
    collector: String,
    /// The environment variable that holds the collector's dashboard token, where it has one.
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
}

/// What is needed of an attempt's record.
#[derive(Deserialize)]
struct Attempt {
    dedup: Dedup,
}

#[derive(Deserialize)]
struct Dedup {
    key: Option<String>,
}

impl CollectorArgs {
    /// The key of the message of an attempt.
    pub(crate) async fn key_of(&self, attempt: &str) -> Result<DedupKey, CliError> {
        let answer = self.ask(attempt).await?;
        let unreadable =
            |error: reqwest::Error| CliError::failure(format!("the collector's answer: {}", root_cause(&error)));
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(CliError::failure("the collector does not know this attempt")),
            StatusCode::UNAUTHORIZED => {
                return Err(CliError::failure("the collector asks for its dashboard token: give --token-env"));
            }
            status => return Err(CliError::failure(format!("the collector answered {status}"))),
        }
        let Attempt { dedup } = answer.json().await.map_err(unreadable)?;
        let key = dedup.key.as_deref().and_then(DedupKey::from_hex);
        key.ok_or_else(|| CliError::failure("no store was asked for this attempt, so there is nothing to forget"))
    }

    async fn ask(&self, attempt: &str) -> Result<reqwest::Response, CliError> {
        let wrong = || CliError::usage("--collector must be an http(s) URL");
        let mut url = Url::parse(&self.collector).map_err(|_| wrong())?;
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(["api", "attempts", attempt]);
        let mut client = Client::builder().timeout(ANSWER_WITHIN);
        if is_loopback(&url) {
            client = client.no_proxy();
        }
        let failed =
            |error: reqwest::Error| CliError::failure(format!("the collector cannot be asked: {}", root_cause(&error)));
        let mut request = client.build().map_err(failed)?.get(url);
        if let Some(name) = &self.token_env {
            let token = std::env::var(name).map_err(|_| CliError::usage(format!("${name} is not set")))?;
            request = request.bearer_auth(token);
        }
        request.send().await.map_err(failed)
    }
}
