//! `surehook dedup` and `surehook migrate`: an operator's look into a dedup store, and the table it needs.

use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use surehook::core::dedup::{DedupKey, Entry, MessageName, OperatorId, Scope, Sender, Store, StoreError};
use surehook::core::{ConfigError, Scheme, Secret, Timestamp, scheme};
use surehook::{DedupStore, Migration};

use crate::attempt::CollectorArgs;
use crate::error::CliError;
use crate::secrets::SecretArgs;

const UNKNOWN: &str = "the store does not know this message";

/// Look a message up in a dedup store, let it run again, or count.
#[derive(Args)]
pub(crate) struct DedupArgs {
    #[command(subcommand)]
    command: DedupCommand,
}

#[derive(Subcommand)]
enum DedupCommand {
    /// What the store knows of a message, as one JSON object.
    Get(MessageArgs),
    /// Forget a message, so that its next attempt runs the handler.
    Forget(MessageArgs),
    /// How many messages run and are done.
    Stats(StoreArgs),
}

/// Create the table that a dedup store needs, where it needs one.
#[derive(Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Args)]
struct StoreArgs {
    /// The store, as the option `dedup` names it, e.g. sqlite:///var/lib/app/dedup.db or postgres://…
    // A password in an argument can be seen by every user of the machine.
    #[arg(value_name = "URL", env = "SUREHOOK_DEDUP", hide_env_values = true)]
    url: String,
}

#[derive(Args)]
struct MessageArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// One of the message's attempts, as the dashboard names it: the collector tells the key.
    #[arg(long, value_name = "ID", conflicts_with_all = ["provider", "id", "key", "dedup_key"])]
    attempt: Option<String>,
    #[command(flatten)]
    collector: CollectorArgs,
    /// The message's key itself, the dedup.key of an attempt.
    #[arg(long, value_name = "DIGITS", conflicts_with_all = ["provider", "id", "key"])]
    dedup_key: Option<String>,
    /// The endpoint's provider, e.g. clerk.
    #[arg(long, required_unless_present_any = ["attempt", "dedup_key"])]
    provider: Option<String>,
    /// The endpoint's name; the provider's by default.
    #[arg(long)]
    endpoint: Option<String>,
    /// The endpoint's namespace [default: $SUREHOOK_NAMESPACE, the URL's, $SUREHOOK_SERVICE or $OTEL_SERVICE_NAME].
    #[arg(long)]
    namespace: Option<String>,
    /// The provider's id of the message.
    #[arg(long, required_unless_present_any = ["key", "attempt", "dedup_key"], conflicts_with = "key")]
    id: Option<String>,
    /// The idempotency key, where the endpoint makes one of its own.
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    secrets: SecretArgs,
    /// The sender that the endpoint's own verifier names, where it names any.
    #[arg(long, conflicts_with_all = ["given", "files", "env"])]
    sender: Option<String>,
}

impl MessageArgs {
    /// What the message is called in the store; there may be one for each secret.
    async fn keys(&self, store: &DedupStore) -> Result<Vec<DedupKey>, CliError> {
        if let Some(attempt) = &self.attempt {
            return Ok(vec![self.collector.key_of(attempt).await?]);
        }
        if let Some(digits) = &self.dedup_key {
            let key = DedupKey::from_hex(digits);
            return Ok(vec![key.ok_or_else(|| CliError::usage("--dedup-key takes 64 hexadecimal digits"))?]);
        }
        self.named_keys(store)
    }

    fn named_keys(&self, store: &DedupStore) -> Result<Vec<DedupKey>, CliError> {
        let provider = self.provider.as_deref().unwrap_or_default();
        let scheme = match scheme::find(provider) {
            Some(scheme) => scheme,
            None if self.sender.is_some() => Arc::new(Scheme::verified_elsewhere(provider)?),
            None => return Err(ConfigError::unknown_provider(provider).into()),
        };
        let id = match (&self.id, &self.key) {
            (_, Some(key)) => OperatorId::User(key),
            (id, None) => OperatorId::Provider(id.as_deref().unwrap_or_default()),
        };
        let name = MessageName::for_operator(&scheme, id)?;
        let endpoint = self.endpoint.as_deref().unwrap_or(provider);
        let scope = Scope::new(store.operators_namespace(self.namespace.as_deref())?, provider, endpoint);
        if let Some(sender) = &self.sender {
            return Ok(vec![DedupKey::of(&scope, &Sender::Named(sender.clone()), &name)]);
        }
        let mut keys = Vec::new();
        for text in self.secrets.resolve(&scheme.secret_env)? {
            let secret = Secret::for_scheme(&text, &scheme)?;
            keys.extend(store.operators_key(&scope, &secret, &name).map_err(unanswered)?);
        }
        match keys.is_empty() {
            true => Err(CliError::failure(
                "the store knows no message that was signed with this secret at this endpoint: check the namespace, the provider \
                 and the endpoint's name",
            )),
            false => Ok(keys),
        }
    }
}

pub(crate) async fn run(args: DedupArgs) -> Result<(), CliError> {
    match args.command {
        DedupCommand::Get(args) => get(&args).await,
        DedupCommand::Forget(args) => forget(&args).await,
        DedupCommand::Stats(args) => stats(&args),
    }
}

pub(crate) fn migrate(args: MigrateArgs) -> Result<(), CliError> {
    let store = open(&args.store)?;
    let said = match store.migrate().map_err(unanswered)? {
        Migration::Done => "the table was created",
        Migration::Nothing => "there is nothing to do",
    };
    print(&format!("{}: {said}", store.kind()))
}

async fn get(args: &MessageArgs) -> Result<(), CliError> {
    let store = open(&args.store)?;
    for key in args.keys(&store).await? {
        if let Some(entry) = store.get(&key).map_err(unanswered)? {
            return print(&described(&entry, now()).to_string());
        }
    }
    Err(CliError::failure(UNKNOWN))
}

async fn forget(args: &MessageArgs) -> Result<(), CliError> {
    let store = open(&args.store)?;
    let mut forgotten = false;
    for key in args.keys(&store).await? {
        forgotten |= store.forget(&key).map_err(unanswered)?;
    }
    match forgotten {
        true => print("forgotten: its next attempt runs the handler"),
        false => Err(CliError::failure(UNKNOWN)),
    }
}

fn stats(args: &StoreArgs) -> Result<(), CliError> {
    let stats = open(args)?.stats().map_err(unanswered)?;
    print(&json!({ "running": stats.running, "done": stats.done }).to_string())
}

fn open(args: &StoreArgs) -> Result<DedupStore, CliError> {
    if args.url.starts_with("memory:") {
        return Err(CliError::usage("the memory of another process cannot be looked into"));
    }
    Ok(DedupStore::open(&args.url)?)
}

/// An entry as JSON. The body of its answer is left out: it may hold anything.
fn described(entry: &Entry, now: Timestamp) -> Value {
    let seconds = |time: &Timestamp| time.unix_micros() as f64 / 1e6;
    match entry {
        Entry::Running { claimed_at, lease_end, .. } => json!({
            "state": "running",
            "claimed_at": seconds(claimed_at),
            "lease_end": seconds(lease_end),
            "lapsed": *lease_end <= now,
        }),
        Entry::Done { response, expires_at, .. } => json!({
            "state": "done",
            "status": response.status(),
            "headers": response.headers(),
            "body_bytes": response.replay_body().len(),
            "expires_at": seconds(expires_at),
        }),
    }
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_unix_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

fn unanswered(error: StoreError) -> CliError {
    CliError::failure(error)
}

fn print(line: &str) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
