//! An endpoint and its decisions.

use std::collections::{BTreeMap, HashMap};

use napi::bindgen_prelude::{AsyncTask, BufferSlice, Either3, Function, Object};
use napi::{Either, Env, Task};
use napi_derive::napi;
use surehook::core::dedup::DedupKey;
use surehook::core::{Incoming, Timestamp, form};
use surehook::{Begun, Body, CustomVerdict, DedupStore, Forget, Hooks, Request, Verification};

use crate::convert::{Headers, Packed, Result, bytes, coded, request_line, scheme, seconds};
use crate::delivery::{Answer, Delivery};
use crate::promise::promise;
use crate::question::Question;
use crate::secret::{SecretCall, SecretSaid};

#[napi(object)]
pub struct EndpointOptions {
    /// One of the two is set, unless the user's function verifies.
    pub provider: Option<String>,
    /// A scheme of the user's own, as the JSON of a row of the table.
    pub scheme: Option<String>,
    /// Empty: the provider's environment variables.
    pub secrets: Vec<String>,
    /// Why what was given is no secret.
    pub secret_fault: Option<String>,
    /// Whether a function of the user gives the secrets of each request.
    pub secret_function: bool,
    /// Whether a function of the user verifies.
    pub custom_verifier: bool,
    pub url: Option<Vec<String>>,
    pub verify_token: Option<String>,
    pub name: Option<String>,
    pub tolerance_seconds: Option<f64>,
    pub max_body_bytes: Option<f64>,
    pub reject_status: Option<u16>,
    pub verification: Option<VerificationOption>,
    pub dedup: Option<String>,
    pub dedup_ttl_seconds: Option<f64>,
    pub event_type_field: Option<String>,
    pub require_processing_mark: Option<bool>,
    pub steps: Option<HashMap<String, Vec<String>>>,
    pub ignore: Option<Vec<String>>,
    pub on_silent_drop: Option<SilentDropOption>,
    pub on_id_reuse: Option<IdReuseOption>,
    pub on_unsigned_id: Option<UnsignedIdOption>,
    pub on_in_flight: Option<InFlightOption>,
    pub on_store_error: Option<StoreErrorOption>,
    /// The kind of the application's own store.
    pub store: Option<String>,
    pub capture_body: Option<CaptureBody>,
    /// Whether a trace is made.
    pub traced: bool,
    pub workers: Option<Workers>,
    pub namespace: Option<String>,
    /// The name of the application's package.
    pub package: Option<String>,
}

/// A message that a function of the user accepted.
#[napi(object)]
pub struct VerifiedMessage {
    pub id: Option<String>,
    pub sender: Option<String>,
}

/// The paths of JSON bodies that are told, all of them when there are none, and those that are taken out of that.
#[napi(object)]
pub struct CaptureBody {
    pub keep: Vec<String>,
    pub remove: Vec<String>,
}

/// Which worker of its server this process is.
#[napi(object)]
pub struct Workers {
    pub count: Option<u32>,
    pub number: u32,
}

#[napi(string_enum = "lowercase")]
pub enum VerificationOption {
    On,
    Off,
}

#[napi(string_enum = "lowercase")]
pub enum SilentDropOption {
    Report,
    Retry,
}

#[napi(string_enum = "lowercase")]
pub enum IdReuseOption {
    Replay,
    Handle,
    Reject,
}

#[napi(string_enum = "lowercase")]
pub enum UnsignedIdOption {
    Duplicate,
    Handle,
}

#[napi(string_enum = "lowercase")]
pub enum InFlightOption {
    Answer,
    Wait,
}

#[napi(string_enum = "lowercase")]
pub enum StoreErrorOption {
    Reject,
    Process,
}

/// Why there are no bytes of a body.
#[napi(string_enum = "snake_case")]
pub enum BodyFault {
    TooLarge,
    Unavailable,
    Incomplete,
}

/// One of the three is set.
#[napi(object, object_from_js = false)]
pub struct Decision {
    pub answer: Option<Answer>,
    pub delivery: Option<Delivery>,
    /// To be answered outside of any transaction; its end is one of the others.
    pub question: Option<Question>,
}

/// What became of an endpoint's verified messages.
#[napi(object, object_from_js = false)]
pub struct DedupCounts {
    pub new: f64,
    pub duplicate: f64,
    pub in_flight: f64,
    pub id_reuse: f64,
    pub same_body_other_id: f64,
    pub fenced: f64,
    pub unavailable: f64,
    pub unprotected: f64,
    pub bodies_omitted: f64,
}

#[napi]
pub struct Endpoint(surehook::Endpoint);

#[napi]
impl Endpoint {
    #[napi(catch_unwind, constructor)]
    pub fn new(options: EndpointOptions) -> Result<Self> {
        let scheme = scheme(options.scheme.as_deref())?;
        let store = options.store.as_deref().map(DedupStore::application).transpose().map_err(coded)?;
        let options = surehook::EndpointOptions { scheme, store, ..options.into() };
        surehook::Endpoint::new(options).map(Self).map_err(coded)
    }

    #[napi(catch_unwind, getter)]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    #[napi(catch_unwind, getter)]
    pub fn provider(&self) -> &str {
        self.0.provider()
    }

    #[napi(catch_unwind, getter)]
    pub fn max_body_bytes(&self) -> f64 {
        self.0.max_body_bytes() as f64
    }

    /// A place among the calls of the user's function; nothing: too many run.
    #[napi(catch_unwind)]
    pub fn call_secret_function(&self) -> Option<SecretCall> {
        self.0.call_secret_function().map(SecretCall)
    }

    /// Throws what is wrong with the secret.
    #[napi(catch_unwind)]
    pub fn check(&self) -> Result<()> {
        self.0.check().map_err(coded)
    }

    /// Notices what is wrong with the secret.
    #[napi(catch_unwind)]
    pub fn begin_to_serve(&self) {
        self.0.begin_to_serve();
    }

    #[napi(catch_unwind)]
    pub fn set_secrets(&self, secrets: Vec<String>) -> Result<()> {
        self.0.set_secrets(&secrets).map_err(coded)
    }

    #[napi(catch_unwind)]
    pub fn dedup_counts(&self) -> DedupCounts {
        let counts = self.0.dedup_counts();
        DedupCounts {
            new: counts.new as f64,
            duplicate: counts.duplicate as f64,
            in_flight: counts.in_flight as f64,
            id_reuse: counts.id_reuse as f64,
            same_body_other_id: counts.same_body_other_id as f64,
            fenced: counts.fenced as f64,
            unavailable: counts.unavailable as f64,
            unprotected: counts.unprotected as f64,
            bodies_omitted: counts.bodies_omitted as f64,
        }
    }

    /// Whether the store knew a message, which one of the three names.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn forget(
        &self,
        id: Option<String>,
        idempotency_key: Option<String>,
        dedup_key: Option<String>,
    ) -> Result<AsyncTask<Forgetting>> {
        let message = match (&id, &idempotency_key, &dedup_key) {
            (Some(id), _, _) => Forget::Id(id),
            (None, Some(key), _) => Forget::UserKey(key),
            (None, None, key) => Forget::Key(key.as_deref().unwrap_or_default()),
        };
        let keys = self.0.keys(message).map_err(coded)?;
        Ok(AsyncTask::new(Forgetting { endpoint: self.0.clone(), keys }))
    }

    /// Says what to do with a request. `body` or `fault` is set. `verdict` is what the user's function said: `true`, the
    /// message's name, or that and its sender accepts, `false` refuses, nothing means that it failed. `key` names the message, and never throws.
    #[napi(catch_unwind, ts_return_type = "Decision | Promise<Decision>")]
    #[allow(clippy::too_many_arguments)] // an object to hold them would cost more than the check
    pub fn begin<'env>(
        &self,
        env: &'env Env,
        line: String,
        headers: String,
        body: Option<BufferSlice<'_>>,
        fault: Option<BodyFault>,
        verdict: Option<Either3<bool, String, VerifiedMessage>>,
        key: Option<Function<'_, Option<String>, Option<String>>>,
        received_at_ms: Option<f64>,
        secret: Option<SecretSaid>,
    ) -> napi::Result<Either<Decision, Object<'env>>> {
        let (method, path) = request_line(&line);
        let headers = Packed::from(headers);
        let headers = Headers::unpack(&headers);
        let request = |body| Request { method, path, headers: headers.pairs(), body };
        let body = match (&body, fault) {
            (Some(bytes), _) => Body::Bytes(bytes),
            (None, Some(BodyFault::TooLarge)) => Body::TooLarge,
            (None, Some(BodyFault::Incomplete)) => Body::Incomplete,
            (None, _) => Body::Unavailable,
        };
        let verdict = verdict_of(verdict);
        let mut verifier = || verdict.clone();
        let received_at = received_at_ms.map(|ms| Timestamp::from_unix_millis(ms as i64));
        let secret = secret.map(surehook::SecretAnswer::from);
        let Some(key) = key else {
            let hooks = Hooks { secret, verifier: Some(&mut verifier), received_at, key: None };
            return begun(env, self.0.begin_without_waiting(request(body), hooks));
        };
        let mut name = |message: &surehook::VerifiedMessage<'_>| {
            let form = form::held(message.scheme(), &Incoming::post(headers.pairs(), message.body()));
            key.call(form).ok().flatten()
        };
        let hooks = Hooks { secret, verifier: Some(&mut verifier), received_at, key: Some(&mut name) };
        let decided = match body {
            // JavaScript runs in between and could change or free the bytes, so it is a copy that is looked at.
            Body::Bytes(bytes) => {
                let copy = bytes.to_vec();
                self.0.begin_without_waiting(request(Body::Bytes(&copy)), hooks)
            }
            fault => self.0.begin_without_waiting(request(fault), hooks),
        };
        begun(env, decided)
    }
}

/// A thread of the pool waits for the store.
pub struct Forgetting {
    endpoint: surehook::Endpoint,
    keys: Vec<DedupKey>,
}

impl Task for Forgetting {
    type Output = bool;
    type JsValue = bool;

    fn compute(&mut self) -> napi::Result<bool> {
        self.endpoint.forget(&self.keys).map_err(|error| napi::Error::from_reason(error.to_string()))
    }

    fn resolve(&mut self, _env: Env, forgotten: bool) -> napi::Result<bool> {
        Ok(forgotten)
    }
}

fn begun(env: &Env, begun: Begun) -> napi::Result<Either<Decision, Object<'_>>> {
    match begun {
        Begun::Now(decision) => Ok(Either::A(decision.into())),
        Begun::Ask(question) => {
            Ok(Either::A(Decision { answer: None, delivery: None, question: Some(question.into()) }))
        }
        Begun::Later(pending) => promise(env, Decision::from, |resolve| pending.then(resolve)).map(Either::B),
        Begun::Prepare(preparation) => promise(env, prepared, |resolve| preparation.then(resolve)).map(Either::B),
    }
}

/// What follows a preparation: the question, or that it failed.
fn prepared(begun: Begun) -> Decision {
    match begun {
        Begun::Ask(question) => Decision { answer: None, delivery: None, question: Some(question.into()) },
        other => other.wait().into(),
    }
}

fn verdict_of(verdict: Option<Either3<bool, String, VerifiedMessage>>) -> CustomVerdict {
    let accepted = |message_id, sender| CustomVerdict::Accepted { message_id, sender };
    match verdict {
        Some(Either3::A(true)) => accepted(None, None),
        Some(Either3::B(name)) => accepted(Some(name), None),
        Some(Either3::C(VerifiedMessage { id, sender })) => accepted(id, sender),
        Some(Either3::A(false)) => CustomVerdict::Refused,
        None => CustomVerdict::Failed,
    }
}

impl From<surehook::Decision> for Decision {
    fn from(decision: surehook::Decision) -> Self {
        match decision {
            surehook::Decision::Answer(answer) => Self { answer: Some(answer.into()), delivery: None, question: None },
            surehook::Decision::Handle(delivery) => {
                Self { answer: None, delivery: Some(Delivery(delivery)), question: None }
            }
        }
    }
}

impl From<EndpointOptions> for surehook::EndpointOptions {
    fn from(options: EndpointOptions) -> Self {
        Self {
            secrets: options.secrets,
            secret_fault: options.secret_fault.map(|hint| surehook::Error::SecretMissing { hint }),
            secret_function: options.secret_function,
            custom_verifier: options.custom_verifier,
            urls: options.url.unwrap_or_default(),
            verify_token: options.verify_token,
            name: options.name,
            tolerance: options.tolerance_seconds.map(seconds),
            max_body_bytes: options.max_body_bytes.map(bytes),
            reject_status: options.reject_status,
            verification: match options.verification {
                Some(VerificationOption::Off) => Verification::Off,
                Some(VerificationOption::On) | None => Verification::On,
            },
            dedup: options.dedup,
            dedup_ttl: options.dedup_ttl_seconds.map(seconds),
            event_type_field: options.event_type_field,
            require_processing_mark: options.require_processing_mark.unwrap_or_default(),
            steps: options.steps.map(BTreeMap::from_iter).unwrap_or_default(),
            ignore: options.ignore.unwrap_or_default(),
            on_silent_drop: match options.on_silent_drop {
                Some(SilentDropOption::Retry) => surehook::OnSilentDrop::Retry,
                Some(SilentDropOption::Report) | None => surehook::OnSilentDrop::Report,
            },
            on_id_reuse: options.on_id_reuse.map(|action| match action {
                IdReuseOption::Replay => surehook::OnIdReuse::Replay,
                IdReuseOption::Handle => surehook::OnIdReuse::Handle,
                IdReuseOption::Reject => surehook::OnIdReuse::Reject,
            }),
            on_unsigned_id: match options.on_unsigned_id {
                Some(UnsignedIdOption::Handle) => surehook::OnUnsignedId::Handle,
                Some(UnsignedIdOption::Duplicate) | None => surehook::OnUnsignedId::Duplicate,
            },
            on_in_flight: options.on_in_flight.map(|action| match action {
                InFlightOption::Wait => surehook::OnInFlight::Wait,
                InFlightOption::Answer => surehook::OnInFlight::Answer,
            }),
            on_store_error: match options.on_store_error {
                Some(StoreErrorOption::Process) => surehook::OnStoreError::Process,
                Some(StoreErrorOption::Reject) | None => surehook::OnStoreError::Reject,
            },
            capture_body: options
                .capture_body
                .map(|CaptureBody { keep, remove }| surehook::CaptureBody { keep, remove }),
            traced: options.traced,
            workers: options.workers.map(|Workers { count, number }| surehook::Workers { count, number }),
            namespace: options.namespace,
            package: options.package,
            ..Self::new(options.provider.unwrap_or_default())
        }
    }
}
