//! `surehook send`: realistic, signed Clerk events to a URL, and a verdict on each answer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Url;
use tokio::sync::mpsc;

use crate::delivery::{Kind, Sender};
use crate::error::CliError;
use crate::events::{self, Event};
use crate::random::Random;
use crate::report::{Delivered, Report};
use crate::verdict::{Verdict, judge};

/// Clerk's name of the variable, then the name in older code.
const SECRET_VARIABLES: [&str; 2] = ["CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_WEBHOOK_SECRET"];
/// When seeded events happened, so that a seed gives the same bytes on every day: 2026-01-01T00:00:00Z.
const SEEDED_NOW_MS: i64 = 1_767_225_600_000;
/// What `--event` takes for every type there is.
const ALL: &str = "all";

/// Send realistic, signed Clerk events to a URL and check the answers.
///
/// Exits with 1 when an answer is not what such a request should get: 2xx for a good message, the stored answer for a
/// duplicate, 401 (or 400) for a forged or a stale one.
#[derive(clap::Args, Debug)]
pub(crate) struct SendArgs {
    /// Where the webhooks go, e.g. http://127.0.0.1:3000/api/webhooks/clerk
    url: Url,
    /// Event types, taken in turn: `user.created,session.created`; `all` is every type Clerk documents
    #[arg(
        long = "event", value_name = "TYPE", value_delimiter = ',', default_value = "user.created",
        value_parser = known_event_type,
    )]
    events: Vec<String>,
    /// How many good messages to send
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u32,
    /// Also send each good message again, once or the given number of times, as a provider's retry would
    #[arg(
        long, value_name = "TIMES", num_args = 0..=1, require_equals = true,
        default_value_t = 0, default_missing_value = "1",
    )]
    duplicate: u32,
    /// Also send one message, or the given number, whose signature is forged
    #[arg(
        long, value_name = "N", num_args = 0..=1, require_equals = true,
        default_value_t = 0, default_missing_value = "1",
    )]
    bad_signature: u32,
    /// Also send one message, or the given number, that was signed ten minutes ago
    #[arg(
        long, value_name = "N", num_args = 0..=1, require_equals = true,
        default_value_t = 0, default_missing_value = "1",
    )]
    stale: u32,
    /// The signing secret, `whsec_…` [default: $CLERK_WEBHOOK_SIGNING_SECRET, then $CLERK_WEBHOOK_SECRET]
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// How many messages are under way at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    concurrency: u32,
    /// Make the same messages, ids and all, whenever the seed is the same: a second run is a retry of the first
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

fn known_event_type(text: &str) -> Result<String, String> {
    if text == ALL || events::types().any(|known| known == text) {
        return Ok(text.to_owned());
    }
    let family = format!("{}.", text.split('.').next().unwrap_or_default());
    let siblings: Vec<String> = events::types().filter(|known| known.starts_with(&family)).collect();
    Err(match siblings.is_empty() {
        true => "Clerk has no such event type; `all` sends one of each".to_owned(),
        false => format!("Clerk has no such event type; there are {}", siblings.join(", ")),
    })
}

/// A message to deliver, and how often.
struct Job {
    event: Event,
    kinds: Vec<Kind>,
}

/// Makes the messages one after the other, so that a seed means the same at every concurrency.
struct Plan {
    random: Random,
    now_ms: Option<i64>,
    event_types: Vec<String>,
    made: usize,
    /// What is still to be made: the kinds of deliveries of each message, and how many such messages.
    left: Vec<(Vec<Kind>, u32)>,
}

impl Plan {
    fn new(args: &SendArgs) -> Self {
        let event_types = match args.events.iter().any(|event| event == ALL) {
            true => events::types().collect(),
            false => args.events.clone(),
        };
        let mut good = vec![Kind::Original];
        good.extend((0..args.duplicate).map(|_| Kind::Duplicate));
        Self {
            random: args.seed.map_or_else(Random::fresh, Random::from_seed),
            now_ms: args.seed.map(|_| SEEDED_NOW_MS),
            event_types,
            made: 0,
            // Taken from the end: the good ones first.
            left: vec![(vec![Kind::Stale], args.stale), (vec![Kind::Forged], args.bad_signature), (good, args.count)],
        }
    }
}

impl Iterator for Plan {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        while self.left.last().is_some_and(|(_, count)| *count == 0) {
            self.left.pop();
        }
        let (kinds, count) = self.left.last_mut()?;
        *count -= 1;
        let event_type = &self.event_types[self.made % self.event_types.len()];
        self.made += 1;
        let event = events::make(event_type, self.now_ms.unwrap_or_else(unix_millis), &mut self.random)?;
        Some(Job { event, kinds: kinds.clone() })
    }
}

fn unix_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Runs the command.
pub(crate) async fn run(args: SendArgs) -> Result<(), CliError> {
    if !matches!(args.url.scheme(), "http" | "https") {
        return Err(CliError::usage(format!(
            "cannot send to `{}`: the URL must begin with http:// or https://",
            args.url
        )));
    }
    let secret = match args.secret.clone().or_else(secret_of_environment) {
        Some(secret) => secret,
        None => {
            let [first, second] = SECRET_VARIABLES;
            return Err(CliError::usage(format!("no signing secret: pass --secret or set {first} (or {second})")));
        }
    };
    let sender = Arc::new(Sender::new(args.url.clone(), secret)?);
    let plan = Arc::new(Mutex::new(Plan::new(&args)));
    let (results, mut arrivals) = mpsc::channel(64);
    for _ in 0..args.concurrency {
        tokio::spawn(work(Arc::clone(&plan), Arc::clone(&sender), results.clone()));
    }
    drop(results);

    let mut report = Report::new(io::stdout(), args.json);
    while let Some(delivered) = arrivals.recv().await {
        report.add(&delivered)?;
    }
    let counts = report.finish()?;
    match counts.unexpected {
        0 => Ok(()),
        wrong => Err(CliError::failure(format!(
            "{wrong} of {} answers were not what such a request should get",
            counts.requests
        ))),
    }
}

fn secret_of_environment() -> Option<String> {
    SECRET_VARIABLES.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// Delivers one message after the other until none is left. The deliveries of one message stay in order.
async fn work(plan: Arc<Mutex<Plan>>, sender: Arc<Sender>, results: mpsc::Sender<Delivered>) {
    let next = || plan.lock().unwrap_or_else(PoisonError::into_inner).next();
    while let Some(Job { event, kinds }) = next() {
        let mut handled = None;
        for kind in kinds {
            let (answer, latency) = sender.deliver(&event, kind).await;
            let verdict = match &answer {
                Ok(answer) => judge(kind, answer, handled.as_ref()),
                Err(problem) => Verdict::Unexpected(problem.clone()),
            };
            let delivered = Delivered {
                message_id: event.message_id.clone(),
                event_type: event.event_type.clone(),
                kind,
                status: answer.as_ref().ok().map(|answer| answer.status),
                latency,
                verdict,
            };
            if handled.is_none() && matches!(delivered.verdict, Verdict::Handled | Verdict::Replayed) {
                handled = answer.ok();
            }
            if results.send(delivered).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SendArgs,
    }

    fn plan(line: &str) -> Vec<Job> {
        let words = ["send", "http://localhost/", "--secret=x"].into_iter().chain(line.split_whitespace());
        Plan::new(&Line::try_parse_from(words).expect("a right command line").args).collect()
    }

    #[test]
    fn flags_add_requests_to_the_good_ones() {
        let jobs = plan("--count 10 --duplicate --bad-signature --stale=2");
        let kinds: Vec<Kind> = jobs.iter().flat_map(|job| job.kinds.clone()).collect();
        let count = |kind| kinds.iter().filter(|each| **each == kind).count();
        assert_eq!([Kind::Original, Kind::Duplicate, Kind::Forged, Kind::Stale].map(count), [10, 10, 1, 2],);
        assert_eq!(plan("--count 0 --bad-signature").len(), 1);
        assert_eq!(plan("").len(), 1);
    }

    #[test]
    fn event_types_take_turns_and_a_seed_repeats_the_messages() {
        let types: Vec<String> =
            plan("--event user.created,session.ended --count 3").into_iter().map(|job| job.event.event_type).collect();
        assert_eq!(types, ["user.created", "session.ended", "user.created"]);
        assert_eq!(plan("--event all --count 46").len(), 46);
        let bytes = |line| plan(line).into_iter().map(|job| (job.event.message_id, job.event.body)).collect::<Vec<_>>();
        assert_eq!(bytes("--seed 5 --count 4"), bytes("--seed 5 --count 4"));
        assert_ne!(bytes("--seed 5 --count 4"), bytes("--seed 6 --count 4"));
        assert_ne!(bytes("--count 4"), bytes("--count 4"));
    }
}
